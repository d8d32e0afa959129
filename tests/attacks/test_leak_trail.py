"""The trace itself must not tell: a representative learns no secret from the list of accesses.

A minor's secret (CSP L1111-5, R1111-50) and an item under an announcement timer (R1111-53) stand in chains
of their own; a refusal on them, a count, or a choice about them must not stand in the open one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from serment.errors import NotFoundError, SermentError
from serment.fhir.query import parse
from serment.ledger.entry import Body, Interaction
from serment.ledger.sentences import line
from serment.model import Actor, ActorId, ActorKind, Instant, Purpose, RequestId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.pages.retracing import Sought
from serment.record.writing import new_id
from serment.words import Language
from tests.attacks.twins import ACTIVE
from tests.installation import Installation, installation, run

SECRETS = ("secret-encounter", "secret-prescription")


@dataclass(frozen=True, slots=True)
class Family:
    """An adolescent with a secret, and the parent who represents them."""

    made: Installation
    parent: ActorId

    @property
    def child(self) -> str:
        """Name the record of the adolescent."""
        return self.made.record("adolescent")

    def as_parent(self) -> Asking:
        """Ask as the representative."""
        actor = Actor(self.parent, ActorKind.PROXY, "a parent")
        now = self.made.house.passage.clock()
        return Asking(actor, Purpose.FAMILY_REQUEST, RequestId(new_id()), now)

    def lines(self) -> list[Body]:
        """Give what the parent reads of the trace, save what they read and were refused themselves."""
        found = run(self.made.house.proving.trail(self.as_parent(), self.made.record("adolescent")))
        mine = {Interaction.TRACE_READ, Interaction.SEARCH}
        return [b for b in found if b.event.actor != self.parent or b.event.interaction not in mine]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    with installation(tmp_path_factory.mktemp("family")) as made:
        related = made.store.items[made.patient("adolescent").kin[0].related].partition("/")[2]
        yield Family(made, ActorId(f"proxy:{related}"))


def test_the_parent_reads_the_record_and_not_the_secret(family: Family) -> None:
    house = family.made.house
    run(house.reading.read(family.as_parent(), "Patient", family.child))
    for name in SECRETS:
        type_, _, id_ = family.made.item(name, "adolescent").partition("/")
        with pytest.raises(NotFoundError):
            run(house.reading.read(family.as_parent(), type_, id_))
        query = parse(type_, [("patient", f"Patient/{family.child}"), ("_count", "500")])
        seen = run(house.finding.search(family.as_parent(), query))
        me = run(house.finding.search(family.made.as_patient("adolescent"), query))
        assert id_ not in {one.id for one in seen.served}
        assert seen.total == me.total - 1


def test_no_line_that_the_parent_reads_names_the_secret(family: Family) -> None:
    doctor = family.made.as_staff("attending")
    for name in SECRETS:
        type_, _, id_ = family.made.item(name, "adolescent").partition("/")
        run(family.made.house.reading.read(doctor, type_, id_))
        run(family.made.house.reading.history(doctor, type_, id_))
        for body in family.lines():
            assert id_ not in json.dumps(body.event.resources)
            assert id_ not in repr(line(body.event, Language.FR))


def test_a_reading_of_the_secret_leaves_no_line_for_the_parent(family: Family) -> None:
    before = family.lines()
    type_, _, id_ = family.made.item(SECRETS[0], "adolescent").partition("/")
    run(family.made.house.reading.read(family.made.as_staff("attending"), type_, id_))
    assert family.lines() == before


def test_the_first_view_that_holds_the_secret_counts_without_it(family: Family) -> None:
    run(family.made.house.showing.first_view(family.made.as_staff("attending"), family.child, most=10**4))
    newest = family.lines()[0].event
    mine = run(
        family.made.house.proving.trail(
            family.made.as_patient("adolescent"), family.made.record("adolescent")
        )
    )
    same_act = [body.event for body in mine if body.event.request == newest.request]
    assert len(same_act) == 2
    assert sum(event.count for event in same_act) > newest.count


@pytest.mark.parametrize("role", ["parent", "unrelated-doctor", "team-doctor"])
def test_a_refusal_on_the_secret_leaves_no_line_for_the_parent(family: Family, role: str) -> None:
    """An unknown id is refused elsewhere; a line here would say that the id exists."""
    before = len(family.lines())
    type_, _, id_ = family.made.item(SECRETS[0], "adolescent").partition("/")
    asking = family.as_parent() if role == "parent" else family.made.as_staff(role)
    for door in (
        family.made.house.reading.read(asking, type_, id_),
        family.made.house.reading.history(asking, type_, id_),
        family.made.house.writing.delete(asking, type_, id_),
    ):
        with suppress(SermentError):
            run(door)
    assert len(family.lines()) == before


def test_a_choice_about_the_secret_is_not_read_by_the_parent(family: Family) -> None:
    """The minor masks their secret: the Consent names it, so it is hidden from whom the secret is."""
    made, me = family.made, family.made.as_patient("adolescent")
    query = parse("Consent", [("patient", f"Patient/{family.child}"), ("_count", "500")])
    consents = run(made.house.finding.search(family.as_parent(), query)).total
    before = len(family.lines())
    item = made.item(SECRETS[1], "adolescent")
    run(made.house.choosing.mask(me, made.record("adolescent"), item))
    try:
        seen = run(made.house.finding.search(family.as_parent(), query))
        assert seen.total == consents
        assert all(item.encode() not in one.body for one in seen.served)
        assert len(family.lines()) == before
    finally:
        run(made.house.choosing.unmask(made.as_patient("adolescent"), made.record("adolescent"), item))
    assert len(family.lines()) == before


# The announcement timer.


def _waiting(made: Installation) -> tuple[str, str, str]:
    type_, _, id_ = made.item("announcement", "waiting").partition("/")
    return made.record("waiting"), type_, id_


def test_an_item_that_waits_to_be_announced_is_absent_for_the_holder(family: Family) -> None:
    """The holder's answer is that of absence: no reason, no count, no line."""
    made = family.made
    patient, type_, id_ = _waiting(made)
    me = made.as_patient("waiting")
    query = parse(type_, [("patient", f"Patient/{patient}"), ("_count", "500")])
    said = []
    for one in (id_, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFoundError) as refused:
            run(made.house.reading.read(me, type_, one))
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert id_ not in {one.id for one in run(made.house.finding.search(me, query)).served}
    assert run(made.house.reading.read(made.as_staff("attending"), type_, id_)).version == 1


def test_neither_a_reading_nor_a_refusal_of_it_leaves_a_line_for_the_holder(family: Family) -> None:
    made = family.made
    patient, type_, id_ = _waiting(made)
    record = made.record("waiting")
    me = made.as_patient("waiting")

    def lines() -> list[Any]:
        found = run(made.house.proving.trail(me, record))
        return [body for body in found if body.event.interaction != "trace-read"]

    before = len(lines())
    run(made.house.reading.read(made.as_staff("attending"), type_, id_))
    for asking in (me, made.as_staff("unrelated-doctor")):
        with suppress(SermentError):
            run(made.house.reading.read(asking, type_, id_))
    assert len(lines()) == before
    assert patient


def test_the_day_down_to_which_a_list_is_read_is_not_that_of_what_waits(family: Family) -> None:
    """A period in which nothing but a waiting result was read goes down to the holder's own reading."""
    made, record = family.made, family.made.record("waiting")
    _, type_, id_ = _waiting(made)
    since = made.house.passage.clock()
    run(made.house.reading.read(made.as_staff("attending"), type_, id_))
    me = made.as_patient("waiting")
    later = replace(me, now=Instant(me.now + 1_000))
    told = run(made.house.retracing.stretch(later, record, Sought(since=since)))
    assert told.oldest == min(body.event.t for body in told.bodies)


def test_a_new_announcement_takes_no_old_line_away(family: Family) -> None:
    """Lines that the holder could read once their item was announced stay when another item waits."""
    made, record = family.made, family.made.record("waiting")
    _, type_, id_ = _waiting(made)
    run(made.house.reading.read(made.as_staff("attending"), type_, id_))
    month = 31 * 24 * 3600 * 1000

    def lines(after: int) -> list[str]:
        later = made.as_patient("waiting")
        later = replace(later, now=Instant(later.now + after))
        found = run(made.house.proving.trail(later, record))
        return [json.dumps(b.event.resources) for b in found if b.event.interaction != "trace-read"]

    then = lines(month)
    assert any(id_ in line for line in then)
    assert not any(id_ in line for line in lines(0))
    label = {"system": "urn:serment:label", "code": "INVISIBLE_PATIENT"}
    resource = {
        "resourceType": "AllergyIntolerance",
        "meta": {"security": [label]},
        "clinicalStatus": ACTIVE,
        "code": {"text": "x"},
        "patient": {"reference": f"Patient/{record}"},
    }
    doctor = made.as_staff("attending")
    doctor = replace(doctor, now=Instant(doctor.now + month))
    run(made.house.writing.create(doctor, incoming.read(json.dumps(resource).encode())))
    assert lines(month + 1000) == then


def test_a_mask_set_on_what_the_holder_may_not_see_yet_answers_as_on_nothing(family: Family) -> None:
    made = family.made
    _, type_, id_ = _waiting(made)
    said = []
    for one in (id_, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(SermentError) as refused:
            run(
                made.house.choosing.mask(made.as_patient("waiting"), made.record("waiting"), f"{type_}/{one}")
            )
        said.append((type(refused.value), str(refused.value)))
    assert said[0] == said[1]


# A mask.


@pytest.mark.capability("1-24", "refuses")
def test_a_masked_document_takes_its_file_with_it(family: Family) -> None:
    """One without the other leaks: the file behind a masked sheet is read by its own id."""
    made = family.made
    sheet, file = _filed(made)
    for item in (sheet, file):
        run(made.house.reading.read(made.as_staff("team-doctor"), *item.split("/")))
    run(made.house.choosing.mask(made.as_patient(), made.record(), sheet))
    try:
        for item in (sheet, file):
            with pytest.raises(NotFoundError):
                run(made.house.reading.read(made.as_staff("team-doctor"), *item.split("/")))
    finally:
        run(made.house.choosing.unmask(made.as_patient(), made.record(), sheet))
    for item in (sheet, file):
        assert run(made.house.reading.read(made.as_staff("team-doctor"), *item.split("/"))).version == 1


def _filed(made: Installation) -> tuple[str, str]:
    """File a letter and its sheet in one transaction; give both references."""
    patient = {"reference": f"Patient/{made.record()}"}
    file = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": "Y291cnJpZXI=",
        "securityContext": patient,
    }
    sheet = {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "subject": patient,
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "url": "urn:uuid:0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a01",
                }
            }
        ],
    }
    entries = [
        {
            "fullUrl": "urn:uuid:0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a01",
            "resource": file,
            "request": {"method": "POST", "url": "Binary"},
        },
        {
            "fullUrl": "urn:uuid:0b6e1a52-7c3f-4f43-9f5e-1d5a3c6f7a02",
            "resource": sheet,
            "request": {"method": "POST", "url": "DocumentReference"},
        },
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    raw = json.dumps(bundle).encode()
    _, answers = run(made.house.bundling.run(made.as_staff("attending"), raw, made.house.base))
    places = [answer.location.removeprefix(made.house.base).strip("/").split("/") for answer in answers]
    return "/".join(places[1][:2]), "/".join(places[0][:2])


@pytest.mark.parametrize("role", ["team-doctor", "locum", "nurse"])
def test_a_professional_sees_neither_choices_nor_trace(family: Family, role: str) -> None:
    made = family.made
    query = parse("Consent", [("patient", f"Patient/{made.record()}"), ("_count", "500")])
    assert run(made.house.finding.search(made.as_patient(), query)).total >= 0
    assert run(made.house.finding.search(made.as_staff(role), query)).total == 0
    with pytest.raises(NotFoundError):
        run(made.house.proving.trail(made.as_staff(role), made.record()))


def test_what_a_professional_records_of_the_patient_s_words_is_not_read_back(family: Family) -> None:
    made = family.made
    resource = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
            ]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{made.record()}"},
        "policyRule": {"text": "CSP L1110-4"},
        "provision": {
            "type": "deny",
            "actor": [{"role": {"text": "x"}, "reference": {"identifier": {"value": "99900001127"}}}],
        },
    }
    written = run(
        made.house.writing.create(made.as_staff("attending"), incoming.read(json.dumps(resource).encode()))
    )
    with pytest.raises(NotFoundError):
        run(made.house.reading.read(made.as_staff("attending"), "Consent", written.id))
