"""The numbers of professionals and structures: RPPS, and the national forms that prefix them.

RPPS: 11 digits, the last one a Luhn digit. IDNPS: a prefix digit that says which register, then the
number (rules D). A wrong digit is an error on typed input; received resources only earn a warning,
because official examples hold wrong ones: that choice is the caller's.
"""

from __future__ import annotations

from serment.errors import RequestError
from serment.identity import luhn

SYSTEM = "https://rpps.esante.gouv.fr"
IDNPS_SYSTEM = "urn:oid:1.2.250.1.71.4.2.1"
IDNST_SYSTEM = "urn:oid:1.2.250.1.71.4.2.2"

PROFESSIONAL_PREFIX = {
    "0": "ADELI",
    "1": "ADELI practice or internal",
    "3": "FINESS and internal",
    "4": "SIREN and internal",
    "5": "SIRET and internal",
    "6": "RPPS practice or internal",
    "8": "RPPS",
}
STRUCTURE_PREFIX = {"0": "ADELI practice", "1": "FINESS", "2": "SIREN", "3": "SIRET", "4": "RPPS and rank"}


def is_rpps(number: str) -> bool:
    """Tell whether `number` is 11 digits closed by their Luhn digit."""
    return len(number) == 11 and luhn.holds(number)


def read(number: object) -> str:
    """Give the RPPS number that a received identifier is, bare or as a national one (IDNPS); "" for none."""
    if not isinstance(number, str):
        return ""
    bare = number[1:] if len(number) == 12 and number.startswith("8") else number
    return bare if is_rpps(bare) else ""


def check(number: str) -> None:
    """Refuse an RPPS number as a person typed it.

    Raises `RequestError`: not 11 digits, or a wrong last digit. The message never repeats it.
    """
    if len(number) != 11 or not (number.isascii() and number.isdigit()):
        raise RequestError("identity.rpps-length")
    if not luhn.holds(number):
        raise RequestError("identity.rpps-key")


def idnps(number: str) -> str:
    """Give the national identifier (12 digits) of a checked RPPS number."""
    check(number)
    return "8" + number


def of_idnps(identifier: str) -> str:
    """Give the RPPS number inside a national identifier; raises `RequestError` on any other register."""
    if not identifier.startswith("8"):
        raise RequestError("identity.idnps")
    check(identifier[1:])
    return identifier[1:]
