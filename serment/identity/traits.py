"""The five strict traits: birth name, birth given names, birth date, sex, place of birth (rules 1 to 3).

`of` reads them from a Patient as it is, complete or not; `typed` takes those that a person enters and refuses
what cannot be; `differences` compares two people trait by trait. The used name and the used given name are no
strict traits and never take their place. Nothing here says whether a trait was verified: `evidence` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from serment.errors import RequestError
from serment.identity import birth_dates, names, places
from serment.identity.reading import dicts, extensions

BIRTH_LIST: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name"
BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
INSEE_CODE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"

SEXES: Final = {"male": "M", "female": "F"}
"""INSi and the Datamatrix write M and F; any other gender of FHIR is no strict trait."""

_NOT_BIRTH = frozenset({"usual", "nickname", "anonymous", "old", "temp"})


class Traits(msgspec.Struct, array_like=True, frozen=True):
    """Five strict traits; "" is what is not known. `given` is the birth list, names separated by blanks.

    `birth_date` is `YYYY-MM-DD`, or as precise as it is known. `sex` is M or F.
    """

    birth_name: str = ""
    given: str = ""
    birth_date: str = ""
    sex: str = ""
    birth_place: str = ""

    @property
    def first_given(self) -> str:
        """The first given name of the list: a hyphen makes one name."""
        return self.given.split(" ")[0]

    @property
    def complete(self) -> bool:
        """Whether all five are known."""
        return all((self.birth_name, self.given, self.birth_date, self.sex, self.birth_place))

    def __repr__(self) -> str:
        return "Traits(…)"


NAMES: Final = ("birth-name", "given-names", "birth-date", "sex", "birth-place")
"""What the five are called, in the order of the fields."""


def typed(said: Traits, today: str = "") -> Traits:
    """Take five traits as a person entered them; give them as the register writes them.

    Raises `RequestError`: a name without letters, of another script or of more than 100 characters (rule 12),
    a sex that is neither M nor F, a date that does not exist, a place that is none.
    """
    written = [names.normalise(said.birth_name), names.normalise(said.given)]
    if any(len(one) > names.LONGEST for one in written):
        raise RequestError("identity.name-long", most=names.LONGEST)
    if said.sex not in SEXES.values():
        raise RequestError("identity.sex")
    day, place = birth_dates.check(said.birth_date, today), places.check(said.birth_place)
    return Traits(written[0], written[1], day, said.sex, place)


def of(patient: Mapping[str, Any]) -> Traits:
    """Read the strict traits of a Patient, in the register's writing where that can be done.

    Two official names, or two places, are read together: they equal nobody's. A postcode is not read.
    """
    births = list(official(patient))
    return Traits(
        " ".join(_written(name.get("family")) for name in births).strip(),
        " ".join(_given(name) for name in births).strip(),
        _text(patient.get("birthDate")),
        SEXES.get(_text(patient.get("gender")), ""),
        " ".join(_places(patient)),
    )


def differences(one: Traits, other: Traits) -> tuple[str, ...]:
    """Name the traits in which two people differ, in the order of `NAMES`.

    Accents and capitals never count.
    """
    pairs = zip(NAMES, _compared(one), _compared(other), strict=True)
    return tuple(name for name, here, there in pairs if here != there)


def _compared(one: Traits) -> tuple[str, ...]:
    return _written(one.birth_name), _written(one.given), one.birth_date, one.sex, one.birth_place


def official(patient: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the names of birth: those that say so, else the first that does not say otherwise."""
    listed = list(dicts(patient.get("name")))
    births = [name for name in listed if name.get("use") == "official"]
    others = [name for name in listed if name.get("use") not in _NOT_BIRTH]
    yield from births or others[:1]


def _given(name: Mapping[str, Any]) -> str:
    """Read the birth list; when the given name shown is not its beginning, what is shown is read."""
    listed = name.get("given")
    texts = listed if isinstance(listed, list) else []
    shown = _written(" ".join(one for one in texts if isinstance(one, str)))
    said = [_written(one.get("valueString")) for one in extensions(name, BIRTH_LIST)]
    if len(said) != 1 or not f"{said[0]} ".startswith(f"{shown} "):
        return " ".join([shown, *said[1:]]).strip()
    return said[0]


def _places(patient: Mapping[str, Any]) -> Iterator[str]:
    for place in extensions(patient, BIRTH_PLACE):
        address = place.get("valueAddress")
        for code in extensions(address if isinstance(address, dict) else {}, INSEE_CODE):
            coding = code.get("valueCoding")
            if isinstance(coding, dict):
                yield _text(coding.get("code")).upper()


def _written(name: object) -> str:
    """Write a name as the register does; one that cannot be is compared as it stands."""
    text = _text(name)
    try:
        return names.normalise(text) if text else ""
    except RequestError:
        return text.upper()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
