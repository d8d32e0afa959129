"""What opens a record to a professional, over HTTP: a shift, a declared act, a locum, an insurer's word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serment.access.record_facts import INSURER_SERVICE
from serment.errors import NotFoundError
from serment.model import Actor, ActorId, ActorKind, Instant, PatientId, Purpose
from serment.record.care.declaring import QUESTIONED
from tests.doors.samples import Json, by_rpps, consent, parameters
from tests.doors.served import FHIR, Served, sentence, served
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"
RECORD = "masking"
"""A record on which the nurse and the locum have no act of care."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("relation")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def shift(server: Served, *roles: str, hours: float = 8, starts: float = -1) -> Json:
    """Make the on-call list of a shift that began an hour ago."""
    begins = datetime.now(UTC) + timedelta(hours=starts)
    ends = begins + timedelta(hours=hours)
    return {
        "resourceType": "Schedule",
        "active": True,
        "serviceType": [{"coding": [{"system": "urn:serment:schedule", "code": "on-call"}]}],
        "actor": [by_rpps(server.installation.staff(role).id) for role in roles],
        "planningHorizon": {"start": begins.isoformat(), "end": ends.isoformat()},
    }


def declare(client: httpx.Client, record: str, reason: str = "on-call") -> httpx.Response:
    return client.post(f"Patient/{record}/$declare-act", json=parameters(reason={"valueCode": reason}))


def opens(client: httpx.Client, record: str) -> bool:
    return client.get(f"Patient/{record}").status_code == 200


def facts(server: Served, record: str) -> Any:
    passage, asking = server.house.passage, server.installation.as_patient()
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{record}")
        return passage.view(snapshot, asking, located.record).facts


# On call.


def test_who_is_on_call_opens_a_record_by_one_gesture_until_the_shift_ends(server: Served) -> None:
    locum, record = server.staff("locum"), server.record(RECORD)
    assert sentence(declare(locum, record)) == "access.declare-refused"
    listed = server.staff("secretary").post("Schedule", json=shift(server, "locum"))
    assert listed.status_code == 201, listed.text
    assert not opens(locum, record)
    assert sentence(declare(locum, record)) == "api.declared-shift"
    assert opens(locum, record)
    [fact] = [one for one in facts(server, record).team if one.kind == "on-call"]
    assert 0 < fact.end - server.house.passage.clock() <= 7 * 3600 * 1000
    assert sentence(declare(server.staff("locum"), UNKNOWN)) == "access.declare-refused"
    assert server.staff("secretary").delete(f"Schedule/{listed.json()['id']}").status_code == 200
    assert sentence(declare(locum, record)) == "access.declare-refused"


def test_the_patient_reads_that_somebody_on_call_opened_the_record(server: Served) -> None:
    listed = server.staff("secretary").post("Schedule", json=shift(server, "nurse"))
    assert declare(server.staff("nurse"), server.record("celebrity")).status_code == 200
    page = server.browser()
    page.get(server.code(server.patient_actor("celebrity"), "/me"))
    told = page.get("/me/who", headers={"accept-language": "fr"}).text
    assert server.installation.staff("nurse").name in told
    assert "garde" in told
    server.staff("secretary").delete(f"Schedule/{listed.json()['id']}")


@pytest.mark.parametrize(("starts", "hours"), [(1, 8), (-9, 8)])
def test_a_shift_to_come_or_over_opens_nothing(server: Served, starts: float, hours: float) -> None:
    listed = server.staff("secretary").post(
        "Schedule", json=shift(server, "team-doctor", starts=starts, hours=hours)
    )
    assert listed.status_code == 201
    assert sentence(declare(server.staff("team-doctor"), server.record(RECORD))) == "access.declare-refused"
    server.staff("secretary").delete(f"Schedule/{listed.json()['id']}")


@pytest.mark.parametrize("whose", ["locum", "team-doctor"])
def test_no_professional_writes_an_on_call_list(server: Served, whose: str) -> None:
    refused = server.staff("team-doctor").post("Schedule", json=shift(server, whose))
    assert (refused.status_code, sentence(refused)) == (403, "record.names-writer")


def test_a_professional_neither_changes_nor_deletes_an_on_call_list(server: Served) -> None:
    listed = server.staff("secretary").post("Schedule", json=shift(server, "locum", starts=30)).json()
    doctor = server.staff("team-doctor")
    moved = {**listed, "actor": shift(server, "nurse")["actor"]}
    changed = doctor.put(f"Schedule/{listed['id']}", json=moved, headers={"if-match": 'W/"1"'})
    assert (changed.status_code, sentence(changed)) == (403, "record.names-writer")
    assert doctor.delete(f"Schedule/{listed['id']}").status_code == 403
    server.staff("secretary").delete(f"Schedule/{listed['id']}")


def test_a_schedule_that_is_no_on_call_list_is_anybody_s_and_opens_nothing(server: Served) -> None:
    plain = {**shift(server, "locum"), "serviceType": [{"text": "consultations"}]}
    assert server.staff("team-doctor").post("Schedule", json=plain).status_code == 201
    assert sentence(declare(server.staff("locum"), server.record("celebrity"))) == "access.declare-refused"


# Declared acts are counted.


def counted(server: Served) -> dict[str, int]:
    answer = server.staff("officer").get("Practitioner/$declared-acts")
    assert answer.status_code == 200, answer.text
    found = {}
    for one in answer.json().get("parameter", []):
        parts = {part["name"]: part for part in one["part"]}
        found[parts["who"]["valueReference"]["identifier"]["value"]] = parts["count"]["valueInteger"]
    return found


def test_an_officer_reads_how_many_acts_each_professional_declared(server: Served) -> None:
    nurse = server.installation.staff("nurse").id
    before = counted(server).get(nurse, 0)
    for record in (server.record(RECORD), server.record("celebrity")):
        assert sentence(declare(server.staff("nurse"), record, "visit-today")) == "api.declared"
    assert counted(server)[nurse] == before + 2


def test_a_refused_act_and_a_shift_count_for_nothing(server: Served) -> None:
    before = counted(server)
    declare(server.staff("unrelated-doctor"), server.record(RECORD), "visit-today")
    declare(server.staff("nurse"), UNKNOWN, "visit-today")
    assert counted(server) == before


def test_whose_record_it_was_is_not_in_the_count(server: Served) -> None:
    said = server.staff("officer").get("Practitioner/$declared-acts").text
    assert server.record(RECORD) not in said
    assert "Patient/" not in said


@pytest.mark.parametrize("role", ["team-doctor", "secretary", "nurse"])
def test_nobody_but_an_officer_reads_the_count(server: Served, role: str) -> None:
    refused = server.staff(role).get("Practitioner/$declared-acts")
    assert (refused.status_code, sentence(refused)) == (403, "record.officers-only")


def test_past_the_limit_the_professional_is_told_and_the_officer_warned_and_care_goes_on(
    server: Served,
) -> None:
    doctor, record = server.staff("nurse"), server.record("celebrity")
    nurse = server.installation.staff("nurse").id
    for _ in range(QUESTIONED - 1 - counted(server).get(nurse, 0)):
        assert sentence(declare(doctor, record, "renewal")) == "api.declared"
    assert "record.alarm-declared" not in server.house.passage.alarms.rung
    assert sentence(declare(doctor, record, "renewal")) == "api.declared-questioned"
    assert opens(doctor, record)
    assert "record.alarm-declared" in server.house.passage.alarms.rung


# A locum.


def replacing(server: Served, role: str) -> Actor:
    return replace(server.installation.staff("locum"), replaces=server.installation.staff(role).id)


def test_a_locum_opens_what_the_doctor_replaced_follows_and_signs_as_themselves(server: Served) -> None:
    record = server.record()
    assert not opens(server.staff("locum"), record)
    locum = replacing(server, "team-doctor")
    assert opens(server.client(locum), record)
    newest = run(server.house.proving.trail(server.installation.as_patient(), record))[1].event
    assert (newest.actor, newest.replaces) == (locum.id, locum.replaces)
    told = server.patient().get(f"Patient/{record}/$explain-access").json()["parameter"]
    mine = [one["part"] for one in told if one["name"] == "person"]
    stands = [
        {part["name"]: part for part in one["part"]}
        for parts in mine
        if parts[0]["valueReference"]["identifier"]["value"] == locum.id
        for one in parts
        if one["name"] == "tie"
    ]
    assert {one["through"]["valueReference"]["identifier"]["value"] for one in stands} == {locum.replaces}
    assert not opens(server.client(replacing(server, "unrelated-doctor")), record)


def test_a_block_on_the_doctor_replaced_holds_against_the_locum(server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    said = consent(server.record(), actor=[{"role": {"text": "x"}, "reference": by_rpps(doctor.id)}])
    made = server.patient().post("Consent", json=said)
    assert not opens(server.client(replacing(server, "team-doctor")), server.record())
    server.patient().delete(f"Consent/{made.json()['id']}")


# One professional outside the team, and research.


def test_a_consent_for_one_professional_ends_on_its_day_and_names_who_collected_it(server: Served) -> None:
    made, record = server.installation, server.record()
    stranger = made.staff("unrelated-doctor")
    number = stranger.id.removeprefix("rpps:")
    until = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    me = made.as_patient()
    written = run(server.house.choosing.permit(me, PatientId(record), number, until))
    assert opens(server.client(stranger), record)
    [word] = [
        one for one in facts(server, record).choices if one.kind == "consent" and one.actor == stranger.id
    ]
    assert word.recorded_by == me.actor.id
    later = replace(made.as_staff("unrelated-doctor"), now=Instant(word.end + 1))
    with pytest.raises(NotFoundError):
        run(server.house.reading.read(later, "Patient", record))
    run(server.house.writing.delete(me, "Consent", written.id))
    assert not opens(server.client(stranger), record)


def test_a_consent_that_a_professional_collects_for_themselves_opens_nothing(server: Served) -> None:
    doctor = server.installation.staff("unrelated-doctor")
    said = consent(
        server.record(), type="permit", actor=[{"role": {"text": "x"}, "reference": by_rpps(doctor.id)}]
    )
    assert server.client(doctor).post("Consent", json=said).status_code in {403, 404}
    assert not opens(server.client(doctor), server.record())


def test_research_is_opposed_at_the_next_request_and_care_goes_on(server: Served) -> None:
    record, me = server.record(), server.installation.as_patient()
    now = server.house.passage.clock()
    assert not facts(server, record).opposes_research(now)
    written = run(server.house.choosing.oppose_research(me, PatientId(record)))
    assert facts(server, record).opposes_research(now)
    assert opens(server.staff("team-doctor"), record)
    run(server.house.writing.delete(me, "Consent", written.id))
    assert not facts(server, record).opposes_research(now)


# The insurer's word.


def confirming(server: Served, actor: Actor, record: str, role: str) -> httpx.Response:
    token = server.token(actor, Purpose.RECORD_MANAGEMENT)
    headers = {"authorization": f"Bearer {token}", "content-type": FHIR}
    client = server.calling(f"{server.address}/fhir/", headers)
    named = by_rpps(server.installation.staff(role).id)["identifier"]
    return client.post(
        f"Patient/{record}/$confirm-attending", json=parameters(practitioner={"valueIdentifier": named})
    )


def insurer(server: Served, name: str = INSURER_SERVICE) -> Actor:
    structure = server.installation.staff("secretary").structure
    return Actor(ActorId(name), ActorKind.SERVICE, "Assurance maladie", structure=structure)


def test_the_health_insurance_confirms_an_attending_physician_and_the_patient_is_told(
    server: Served,
) -> None:
    record = server.record("celebrity")
    assert facts(server, record).attending == ()
    answer = confirming(server, insurer(server), record, "second-associate")
    assert answer.status_code == 200, answer.text
    [made] = facts(server, record).attending
    assert (made.insurer, made.confirmed_by) == (True, INSURER_SERVICE)
    assert opens(server.staff("second-associate"), record)
    trail = run(server.house.proving.trail(server.installation.as_patient("celebrity"), record))
    told = [body.event for body in trail if body.event.actor == INSURER_SERVICE]
    assert [one.interaction.value for one in told] == ["consent"]


def test_the_patient_s_own_word_stands_against_the_insurer_s(server: Served) -> None:
    before = facts(server, server.record()).attending
    assert not before[0].insurer
    assert confirming(server, insurer(server), server.record(), "second-associate").status_code == 200
    assert facts(server, server.record()).attending == before


@pytest.mark.parametrize("name", ["service:import", "service:insurers", "service:insurer2"])
def test_no_other_service_confirms_an_attending_physician(server: Served, name: str) -> None:
    refused = confirming(server, insurer(server, name), server.record(RECORD), "second-associate")
    assert (refused.status_code, sentence(refused)) == (403, "record.choice-not-yours")


def test_an_insurer_of_another_structure_confirms_nothing(server: Served) -> None:
    away = replace(insurer(server), structure=server.installation.staff("unrelated-doctor").structure)
    refused = confirming(server, away, server.record(RECORD), "second-associate")
    assert (refused.status_code, sentence(refused)) == (403, "record.choice-not-yours")
