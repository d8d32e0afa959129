"""What the server writes in a Patient itself: the trust status, the matricule, the strict traits.

Only after a gesture of somebody who compared or checked, and for what is received from elsewhere.
Everything else of the resource keeps its bytes. The shape is that of FR Core (fr-core-patient and
fr-core-patient-ins): the matricule is an identifier by type *and* system, because the number of the insured
person has the same system. Order: what is written, what is taken out, members of the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from serment.fhir import document as documents
from serment.fhir.document import Document, Edit
from serment.fhir.json import value_start
from serment.identity import fr_core, ins, places, status, traits
from serment.identity.evidence import Evidence, Number
from serment.identity.traits import Traits

TYPES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
METHODS: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-method-collection"
PROOFS: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-mode-validation-identity"

_GENDERS: Final = {sex: gender for gender, sex in traits.SEXES.items()}
_GATHERED: Final = frozenset({"methodCollection", "dateInterrogationINSi", "identityStatus"})
_CHECKED: Final = frozenset({"validationDate", "validationMode"})


@dataclass(frozen=True, slots=True)
class Apart:
    """A received Patient without what it has no right to say here, and the numbers that it said."""

    document: Document
    numbers: tuple[Number, ...] = field(repr=False)


def written(document: Document, evidence: Evidence, day: Callable[[int], str], *, strict: bool) -> bytes:
    """Write in a Patient the status and numbers that its evidence gives.

    With `strict`, the strict traits too. `day` writes an instant (ms) as `YYYY-MM-DD`.
    """
    person = document.value
    numbers = [_identifier(one, place) for place, one in enumerate(evidence.qualified)]
    document = _with_items(document, "identifier", _is_no_ins, numbers)
    document = _with_items(document, "extension", _is_other, [_reliability(person, evidence, day)])
    return (_with_traits(document, evidence.traits) if strict else document).text.encode()


def set_aside(document: Document) -> Apart:
    """Take the matricules and the trust status out of a Patient that another system says."""
    numbers = tuple(ins.matricules(document.value))
    told = bool(status.claims(document.value) - {status.PROVISIONAL})
    if numbers:
        document = _with_items(document, "identifier", _is_no_ins, [])
    if told:
        document = _with_items(document, "extension", _is_other, [_provisional(document.value)])
    return Apart(_without_claims(document), numbers)


def _without_claims(document: Document) -> Document:
    """Take out the French profiles that a Patient names and that do not hold (any more)."""
    claimed = fr_core.claimed(document.value)
    broken = {profile for profile in claimed if fr_core.faults(document.value, profile)}
    if not broken:
        return document
    meta = document.value["meta"]
    kept = [one for one in meta["profile"] if one.partition("|")[0] not in broken]
    others = {name: value for name, value in meta.items() if name != "profile"}
    return _with_text(document, "meta", _json({**others, **({"profile": kept} if kept else {})}))


def without_numbers(body: bytes) -> bytes:
    """Give a past version of a Patient without its matricules: what qualified it may stand no more."""
    if b"\\u" not in body and not any(oid.encode() in body for oid in ins.MATRICULES):
        return body
    return _with_items(documents.read(body), "identifier", _is_no_ins, []).text.encode()


def with_numbers(person: dict[str, Any], numbers: Sequence[Number]) -> dict[str, Any]:
    """Give the members of a Patient with numbers that its body does not carry: what it is found by."""
    if not numbers:
        return person
    listed = person.get("identifier")
    known = set(ins.matricules(person))
    more = [_identifier(one, 1) for one in numbers if one not in known]
    return {**person, "identifier": [*(listed if isinstance(listed, list) else []), *more]}


# What is written.


def _identifier(number: Number, place: int) -> dict[str, Any]:
    """Write one number; the first is the active one, the others are old."""
    oid, matricule = number
    authority = ins.authorities()[oid]
    use = authority.use.split(" ")[0] if place == 0 else "old"
    coding = {"system": TYPES, "code": authority.type_code}
    return {"use": use, "type": {"coding": [coding]}, "system": f"urn:oid:{oid}", "value": matricule}


def _reliability(person: dict[str, Any], evidence: Evidence, day: Callable[[int], str]) -> dict[str, Any]:
    """Write the extension: status, how and when it was reached; its other parts stay."""
    parts = [_part("identityStatus", "Coding", {"system": status.STATUS_SYSTEM, "code": evidence.status})]
    if evidence.retrieval is not None:
        parts.append(
            _part("methodCollection", "Coding", {"system": METHODS, "code": evidence.retrieval.method})
        )
        parts.append(_part("dateInterrogationINSi", "Date", day(evidence.retrieval.at)))
    if evidence.proof is not None and evidence.proof.trusted:
        parts.append(_part("validationDate", "Date", day(evidence.proof.at)))
        parts.append(_part("validationMode", "Coding", {"system": PROOFS, "code": evidence.proof.kind}))
    return {"url": status.RELIABILITY, "extension": [*parts, *_kept(person, _GATHERED | _CHECKED)]}


def _provisional(person: dict[str, Any]) -> dict[str, Any]:
    coding = {"system": status.STATUS_SYSTEM, "code": status.PROVISIONAL}
    kept = _kept(person, frozenset({"identityStatus"}))
    return {"url": status.RELIABILITY, "extension": [_part("identityStatus", "Coding", coding), *kept]}


def _kept(person: dict[str, Any], left_out: frozenset[str]) -> list[Any]:
    """Give the other parts of the extension, comments before all, as they were."""
    listed = [one for one in person.get("extension", []) if not _is_other(one)]
    return [part for one in listed for part in one.get("extension", []) if part.get("url") not in left_out]


def _part(url: str, kind: str, value: Any) -> dict[str, Any]:
    return {"url": url, f"value{kind}": value}


def _with_traits(document: Document, person: Traits) -> Document:
    """Write the strict traits: official name with its birth list, birth date, gender, place of birth."""
    official = {
        "use": "official",
        "extension": [{"url": traits.BIRTH_LIST, "valueString": person.given}],
        "family": person.birth_name,
        "given": [person.first_given],
    }
    births = list(traits.official(document.value))
    document = _with_items(document, "name", lambda name: name not in births, [official])
    document = _with_member(document, "birthDate", person.birth_date)
    document = _with_member(document, "gender", _GENDERS[person.sex])
    city = _city(document.value, person.birth_place)
    coding = {"system": places.SYSTEM, "code": person.birth_place}
    address = {"extension": [{"url": traits.INSEE_CODE, "valueCoding": coding}], **city}
    place = {"url": traits.BIRTH_PLACE, "valueAddress": address}
    return _with_items(document, "extension", lambda one: one.get("url") != traits.BIRTH_PLACE, [place])


def _city(person: dict[str, Any], code: str) -> dict[str, str]:
    """Keep the name of the place when the code is the one that it was said of."""
    if traits.of(person).birth_place != code:
        return {}
    found = [one.get("valueAddress", {}) for one in person.get("extension", []) if _is_place(one)]
    return {"city": found[0]["city"]} if len(found) == 1 and "city" in found[0] else {}


# What is taken out.


def _is_place(extension: dict[str, Any]) -> bool:
    return extension.get("url") == traits.BIRTH_PLACE


def _is_no_ins(identifier: dict[str, Any]) -> bool:
    return not list(ins.matricules({"identifier": [identifier]}))


def _is_other(extension: dict[str, Any]) -> bool:
    return extension.get("url") != status.RELIABILITY


# Members of the text.


def _with_items(
    document: Document, name: str, keep: Callable[[dict[str, Any]], bool], added: Sequence[dict[str, Any]]
) -> Document:
    """Keep the items of an array that `keep` says, as they are written, and put others before them."""
    spans = documents.spans_of_array(document, name)
    values = document.value.get(name, [])
    pairs = zip(spans, values, strict=True)
    kept = [document.text[start:end] for (start, end), item in pairs if keep(item)]
    items = [*(_json(one) for one in added), *kept]
    return _with_text(document, name, f"[{','.join(items)}]" if items else "")


def _with_member(document: Document, name: str, value: str) -> Document:
    """Give a member a text; what was said beside it (`_birthDate`) goes when the text is another."""
    if document.value.get(name) == value:
        return document
    return _with_text(_with_text(document, f"_{name}", ""), name, _json(value))


def _with_text(document: Document, name: str, text: str) -> Document:
    """Write one member; an empty text takes it out."""
    if name not in document.members:
        end = document.members["resourceType"][1]
        edits = [(end, end, f',"{name}":{text}')] if text else []
    elif text:
        start, end = document.members[name]
        edits = [(value_start(document.text, start), end, text)]
    else:
        edits = [_removal(document, name)]
    return documents.read(documents.edited(document.text, edits).encode()) if edits else document


def _removal(document: Document, name: str) -> Edit:
    """Take a member out with one comma: the one before it, or after it when it comes first."""
    start, end = document.members[name]
    before = document.text[:start].rstrip()
    if before.endswith(","):
        return len(before) - 1, end, ""
    after = document.text[end:]
    comma = len(after) - len(after.lstrip().removeprefix(","))
    return start, end + comma, ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
