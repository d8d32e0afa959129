"""One patient of the demonstration: the nouns, how a record is started, linked and closed."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from serment.demo import documents, people, resources
from serment.demo.history import Visit
from serment.demo.people import Person
from serment.demo.resources import Chart, Json
from serment.demo.traits import Household, Traits, draws
from serment.model import ActorId

_PARENT = {"female": ("MTH", "Mère"), "male": ("FTH", "Père")}
_SPOUSE = ("SPS", "Conjoint")


@dataclass(frozen=True, slots=True)
class Kin:
    """Somebody of the family: their own key, the v3-RoleCode they have for the patient, the RelatedPerson."""

    key: str
    role: str
    related: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to do through the product's own doors once the records are there (never data in a resource).

    `kind`: `mask` an `item`, `block` an `actor`, confirm an `actor` as `attending`, record `kin` (a
    patient's key) as `representative`, name `kin` as a `carer` until `until`, hold an
    `item` back until `until` (`announcement`).
    """

    kind: str
    patient: str
    item: str = field(default="", repr=False)
    actor: ActorId = field(default=ActorId(""), repr=False)
    kin: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One record: its transaction bundle and what the demonstration needs to know about it.

    `patient` is the fullUrl of the Patient; `team` the professionals with a dated act in the last
    twelve months or today; `items` names the fullUrl of entries that a scene is about.
    """

    key: str
    traits: Traits = field(repr=False)
    bundle: Json = field(repr=False)
    patient: str = field(repr=False)
    attending: Person
    team: tuple[ActorId, ...] = field(repr=False)
    kin: tuple[Kin, ...] = ()
    items: Mapping[str, str] = field(default_factory=dict, repr=False)


def start(traits: Traits, seed: int, attending: Person, parent: Traits | None = None) -> Chart:
    """Open a chart with its Patient; the record's generator depends on the seed and its key alone."""
    chart = Chart(traits, draws(f"{seed}/{traits.key}"))
    chart.subject = chart.add(resources.patient(traits, attending, parent))
    return chart


def link(chart: Chart, household: Household) -> tuple[Kin, ...]:
    """Write the RelatedPerson of each parent of a child, or of the spouse of an adult."""
    own = chart.traits
    kin = []
    for other in household.adults:
        if other is own:
            continue
        role = _PARENT[other.sex] if own in household.children else _SPOUSE
        made = chart.add(resources.related(chart, other, role))
        kin.append(Kin(other.key, role[0], made["reference"]))
    return tuple(kin)


def parent_of(traits: Traits, household: Household) -> Traits | None:
    """Give the first adult of a child's household, None for an adult."""
    return household.adults[0] if traits in household.children else None


def close(
    chart: Chart,
    attending: Person,
    visits: list[Visit],
    today: date,
    kin: tuple[Kin, ...] = (),
    items: Mapping[str, str] | None = None,
) -> DemoPatient:
    """Close a chart into a patient of the demonstration."""
    recent = [who.id for visit in visits if (today - visit.day).days <= 365 for who in visit.who]
    return DemoPatient(
        key=chart.traits.key,
        traits=chart.traits,
        bundle=chart.bundle(),
        patient=chart.subject["reference"],
        attending=attending,
        team=tuple(sorted({attending.id, *recent})),
        kin=kin,
        items=MappingProxyType(dict(items or {})),
    )


@dataclass(frozen=True, slots=True)
class Filing:
    """Files documents into charts: as real PDF, or as one line of text where no PDF is asked for."""

    pdf: bool

    def file(
        self, chart: Chart, kind: str, author: Person, visit: Visit, *, label: str = "", days: int = 0
    ) -> str:
        """File the document `kind` made `days` after `visit`; gives the fullUrl of its DocumentReference.

        A label stands on the Binary too: the file says what its sheet says.
        """
        model = documents.kinds()[kind]
        day = visit.day + timedelta(days=days)
        made = resources.document(
            chart,
            resources.concept(resources.LOINC, model.code, model.label),
            model.title,
            day,
            author,
            visit.reference,
            self._attachment(chart, kind, author, day, label),
        )
        reference: str = chart.add(resources.labelled(made, label) if label else made)["reference"]
        return reference

    def _attachment(self, chart: Chart, kind: str, author: Person, day: date, label: str) -> Json:
        model = documents.kinds()[kind]
        if not self.pdf:
            return {"contentType": "text/plain", "language": "fr", "data": _base64(model.title.encode())}
        content = documents.render(model, chart.traits, author, day)
        made = resources.binary(chart, _base64(content))
        return {
            "contentType": "application/pdf",
            "language": "fr",
            "url": chart.add(resources.labelled(made, label) if label else made)["reference"],
            "size": len(content),
            # FHIR R4 Attachment.hash is SHA-1 by definition; it is a label here, nothing rests on it.
            "hash": _base64(hashlib.sha1(content, usedforsecurity=False).digest()),
        }


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def reason_of(person: Person) -> str:
    """Say why somebody of the practice sees a patient today."""
    return "Soins infirmiers" if person is people.PRACTICE_NURSE else "Consultation"
