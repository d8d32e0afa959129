"""The place of birth: the INSEE code of the commune at birth, or of the country (rules 14 and 15).

Five characters: department and commune (2A and 2B in Corsica, 97 and 98 overseas), 99 and the country for who
was born abroad, 99999 for an unknown place. A commune merged since keeps its old code, so the shape alone is
judged and no list of today's communes. A postcode is never a place of birth; most look like codes, and those
that no commune can have are refused.
"""

from __future__ import annotations

import re
from typing import Final

from serment.errors import RequestError

UNKNOWN: Final = "99999"
SYSTEM: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"

_SHAPE = re.compile(r"(?:0[1-9]|[1-8][0-9]|9[0-68]|2[AB]|97[1-8]|99[1-9])[0-9]+")
_POSTCODE = re.compile(r"750(?:0[1-9]|1[0-9]|20)|75116|(?!99).{2}000")
"""Postcodes that are no commune: Paris codes its districts 75101 to 75120, and no commune is number 000."""


def check(code: str) -> str:
    """Take a code as a person typed it; give capitals. Raises `RequestError`: a postcode, another shape."""
    typed = code.strip().upper()
    if _POSTCODE.fullmatch(typed):
        raise RequestError("identity.place-postcode")
    if not holds(typed):
        raise RequestError("identity.place")
    return typed


def holds(code: str) -> bool:
    """Tell whether five characters have the shape of a place of birth."""
    return len(code) == 5 and _SHAPE.fullmatch(code) is not None and not _POSTCODE.fullmatch(code)
