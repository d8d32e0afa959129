"""The two French core shapes of a Patient, and whether one holds: fr-core-patient and fr-core-patient-ins.

Rules restated from the profiles of Interop'Santé (FRCorePatientProfile, FRCorePatientINSProfile,
FRCorePatientIdentityReliabilityExtension; hl7.fhir.fr.core, 2026). Identifiers are sliced by type *and*
system: the NIR of the insured person and that of the INS share one OID. A profile is named by a resource
only when all of these rules hold. What is not judged: bindings of address, telecom and marital status, and
names of slices.

The invariants fr-core-1 and fr-core-2 follow an older reading in which VALI said what QUAL says today: they
are held for QUAL, and VALI carries no matricule (rule 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from serment.identity import ins, places, status, traits
from serment.identity.reading import dicts, extensions

BASE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
PATIENT: Final = f"{BASE}fr-core-patient"
PATIENT_INS: Final = f"{BASE}fr-core-patient-ins"

_V2: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_FR: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"

# Type code → (code system, uses, system of the number or "" for any).
_SLICES: Final[Mapping[str, tuple[str, frozenset[str], str]]] = {
    "NH": (_V2, frozenset({"official"}), ins.NIR),
    "PI": (_V2, frozenset({"usual", "old"}), ""),
    "RRI": (_V2, frozenset({"secondary"}), ""),
    "INS-C": (_FR, frozenset({"secondary"}), "1.2.250.1.213.1.4.2"),
    "NDP": (_FR, frozenset({"secondary"}), "1.2.250.1.176.1.2"),
    "INS-NIR": (_FR, frozenset({"official", "old"}), ins.NIR),
    "INS-NIA": (_FR, frozenset({"temp", "old"}), ins.NIA),
    "INS-NIR-TEST": (_FR, frozenset({"official", "old"}), ins.NIR_TEST),
    "INS-NIR-DEMO": (_FR, frozenset({"official", "old"}), ins.NIR_DEMO),
}
_ONCE: Final = ("NH", "NDP")


def claimed(patient: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the French profiles that a Patient names, without the version that a name may carry."""
    meta = patient.get("meta")
    listed = meta.get("profile") if isinstance(meta, dict) else None
    named = [str(one).partition("|")[0] for one in listed] if isinstance(listed, list) else []
    return tuple(one for one in (PATIENT, PATIENT_INS) if one in named)


def faults(patient: Mapping[str, Any], profile: str) -> list[str]:
    """List where a Patient breaks a profile, as FHIRPath of the element; empty when it holds."""
    rules = _INS if profile == PATIENT_INS else _CORE
    return [where for where, holds in rules if not holds(patient)]


def _of_code(patient: Mapping[str, Any], *codes: str) -> list[dict[str, Any]]:
    return [one for one in dicts(patient.get("identifier")) if set(_codes(one)) & set(codes)]


def _codes(identifier: Mapping[str, Any]) -> Iterator[str]:
    kind = identifier.get("type")
    for coding in dicts(kind.get("coding") if isinstance(kind, dict) else None):
        code = str(coding.get("code"))
        if code in _SLICES and coding.get("system") == _SLICES[code][0]:
            yield code


def _slices_hold(patient: Mapping[str, Any]) -> bool:
    """Hold each typed identifier against its slice: use, system, a value; some stand once at most."""
    for one in dicts(patient.get("identifier")):
        for code in _codes(one):
            _, uses, oid = _SLICES[code]
            fits = one.get("use") in uses and one.get("system") and one.get("value")
            if not fits or (oid and ins.bare(str(one["system"])) != oid):
                return False
    return all(len(_of_code(patient, code)) <= 1 for code in _ONCE)


def _official(patient: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [name for name in dicts(patient.get("name")) if name.get("use") == "official"]


def _reliable(patient: Mapping[str, Any]) -> bool:
    """Hold fr-core-identity-reliability-1 and -2 (EXI SI 09), and one status of the four at most."""
    said, codes = status.attributes(patient), status.claims(patient)
    if {"DOUT", "FICT"} <= said or len(codes) > 1:
        return False
    known = codes <= {status.PROVISIONAL, status.VALIDATED, status.RETRIEVED, status.QUALIFIED}
    return known and (not status.forced(said) or codes == {status.PROVISIONAL})


def _place(patient: Mapping[str, Any]) -> bool:
    return places.holds(traits.of(patient).birth_place)


def _one_official_number(patient: Mapping[str, Any]) -> bool:
    """Hold fr-core-1 and -2, read for QUAL: one active number; nobody else carries any (rule 5)."""
    active = [one for one in _of_code(patient, *ins_codes()) if one.get("use") in {"official", "temp"}]
    qualified = status.may_leave(status.status(patient))
    return len(active) == 1 if qualified else not list(ins.matricules(patient))


def ins_codes() -> tuple[str, ...]:
    """Give the type codes of the numbers that are matricules."""
    return tuple(ins.authorities()[oid].type_code for oid in ins.MATRICULES)


_Rule = tuple[str, Callable[[Mapping[str, Any]], bool]]

_CORE: Final[tuple[_Rule, ...]] = (
    ("Patient.identifier", _slices_hold),
    ("Patient.extension", _reliable),
    (
        "Patient.extension",
        lambda patient: len(list(extensions(patient, traits.BIRTH_PLACE))) <= 1,
    ),
    (
        "Patient.name",
        lambda patient: all(one.get("family") and one.get("given") for one in _official(patient)),
    ),
    (
        "Patient.name.extension",
        lambda patient: all(len(list(extensions(one, traits.BIRTH_LIST))) <= 1 for one in _official(patient)),
    ),
)

_INS: Final[tuple[_Rule, ...]] = (
    *_CORE,
    ("Patient.identifier", lambda patient: bool(patient.get("identifier"))),
    ("Patient.identifier", _one_official_number),
    ("Patient.extension", lambda patient: bool(list(extensions(patient, status.RELIABILITY)))),
    ("Patient.extension.valueAddress.extension", _place),
    ("Patient.gender", lambda patient: patient.get("gender") in {"male", "female", "unknown"}),
    ("Patient.birthDate", lambda patient: bool(patient.get("birthDate"))),
    (
        "Patient.name",
        lambda patient: [len(one.get("given", [])) for one in _official(patient)] == [1],
    ),
    (
        "Patient.name.extension",
        lambda patient: all(list(extensions(one, traits.BIRTH_LIST)) for one in _official(patient)),
    ),
)
