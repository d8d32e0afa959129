"""What changes who may open a record: in force at the next request, and only by whoever may say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serment.model import Actor, ActorId, ActorKind
from tests.doors.samples import Json, by_rpps, consent, parameters, person
from tests.doors.served import Served, outcome, sentence, served
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"
VISIT = parameters(reason={"valueCode": "visit-today"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("choices")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def seen(client: httpx.Client, server: Served, type_: str = "Observation") -> int:
    """Count the items of a type that a client sees in the patient's record."""
    answer = client.get(type_, params={"patient": server.record(), "_count": "0"})
    total: int = answer.json()["total"]
    return total


def blocked(actor: Actor) -> Json:
    return {"role": {"text": "bloqué"}, "reference": by_rpps(actor.id)}


@pytest.mark.capability("4-04", "refuses")
def test_a_blocked_doctor_loses_the_record_at_the_next_request(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    assert seen(doctor, server) > 0
    actor = server.installation.staff("team-doctor")
    made = holder.post("Consent", json=consent(server.record(), actor=[blocked(actor)]))
    assert made.status_code == 201
    assert doctor.get(f"Patient/{server.record()}").status_code == 404
    assert holder.delete(f"Consent/{made.json()['id']}").status_code == 200
    assert seen(doctor, server) > 0


@pytest.mark.capability("4-04", "lets")
def test_an_opposition_by_category_hides_that_category_alone(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    vitals = {"patient": server.record(), "category": "vital-signs", "_count": "0"}
    conditions = seen(doctor, server, "Condition")
    before = doctor.get("Observation", params=vitals).json()["total"]
    assert before > 0
    said = consent(server.record(), **{"class": [{"system": "urn:serment:category", "code": "vitals"}]})
    made = holder.post("Consent", json=said)
    assert doctor.get("Observation", params=vitals).json()["total"] == 0
    assert seen(doctor, server, "Condition") == conditions
    holder.delete(f"Consent/{made.json()['id']}")
    assert doctor.get("Observation", params=vitals).json()["total"] == before


def test_an_exception_below_a_permit_is_heard_through_the_door(server: Served) -> None:
    """A Consent is read more than once on its way in: reading it must not use it up."""
    doctor, holder = server.staff("team-doctor"), server.patient()
    vitals = {"patient": server.record(), "category": "vital-signs", "_count": "0"}
    before = doctor.get("Observation", params=vitals).json()["total"]
    exception = {"type": "deny", "class": [{"system": "urn:serment:category", "code": "vitals"}]}
    made = holder.post("Consent", json=consent(server.record(), type="permit", provision=[exception]))
    assert made.status_code == 201
    assert (before > 0, doctor.get("Observation", params=vitals).json()["total"]) == (True, 0)
    holder.delete(f"Consent/{made.json()['id']}")
    assert doctor.get("Observation", params=vitals).json()["total"] == before


def test_what_one_colleague_wrote_is_kept_from_the_others_at_the_next_request(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    attending = server.installation.staff("attending")
    before = seen(doctor, server)
    data = [{"meaning": "authoredby", "reference": by_rpps(attending.id)}]
    made = holder.post("Consent", json=consent(server.record(), data=data))
    assert made.status_code == 201
    left = seen(doctor, server)
    assert left < before
    holder.delete(f"Consent/{made.json()['id']}")
    assert seen(doctor, server) == before


def test_a_masked_item_leaves_reads_counts_and_history(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    item = server.installation.item("maskable")
    type_ = item.partition("/")[0]
    before = seen(doctor, server, type_)
    data = [{"meaning": "instance", "reference": {"reference": item}}]
    made = holder.post("Consent", json=consent(server.record(), data=data))
    assert doctor.get(item).status_code == 404
    assert doctor.get(f"{item}/_history").status_code == 404
    assert seen(doctor, server, type_) == before - 1
    assert holder.get(item).status_code == 200
    holder.delete(f"Consent/{made.json()['id']}")
    assert doctor.get(item).status_code == 200


def test_a_professional_records_the_holder_s_words_and_never_reads_them_again(server: Served) -> None:
    doctor, holder = server.staff("team-doctor"), server.patient()
    stranger = server.installation.staff("unrelated-doctor")
    made = doctor.post("Consent", json=consent(server.record(), actor=[blocked(stranger)]))
    assert made.status_code == 201
    id_ = made.json()["id"]
    assert doctor.get(f"Consent/{id_}").status_code == 404
    assert seen(doctor, server, "Consent") == 0
    assert holder.get(f"Consent/{id_}").status_code == 200
    holder.delete(f"Consent/{id_}")


def test_a_representative_speaks_for_the_minor(server: Served) -> None:
    record = server.record("adolescent")
    facts = _facts(server, record)
    proxy = Actor(ActorId(facts.mandates[0].actor), ActorKind.PROXY, "Représentante")
    said = consent(record, actor=[blocked(server.installation.staff("unrelated-doctor"))])
    assert server.client(proxy).post("Consent", json=said).status_code == 201


@pytest.mark.parametrize("role", ["secretary", "officer", "unrelated-doctor"])
def test_nobody_else_speaks_for_the_patient(server: Served, role: str) -> None:
    before = _facts(server, server.record()).choices
    refused = server.staff(role).post("Consent", json=consent(server.record()))
    assert refused.status_code == 403
    assert _facts(server, server.record()).choices == before


def team(server: Served, *actors: Actor) -> Json:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": f"Patient/{server.record()}"},
        "participant": [{"member": by_rpps(actor.id)} for actor in actors],
    }


@pytest.mark.parametrize("role", ["secretary", "officer"])
@pytest.mark.capability("0-11", "lets")
def test_a_secretary_or_officer_names_the_care_team(server: Served, role: str) -> None:
    locum = server.staff("locum")
    assert locum.get(f"Patient/{server.record()}").status_code == 404
    made = server.staff(role).post("CareTeam", json=team(server, server.installation.staff("locum")))
    assert made.status_code == 201, made.text
    assert locum.get(f"Patient/{server.record()}").status_code == 200
    gone = server.staff("secretary").delete(f"CareTeam/{made.json()['id']}")
    assert gone.status_code == 200
    assert locum.get(f"Patient/{server.record()}").status_code == 404


@pytest.mark.capability("0-11", "refuses")
def test_nobody_adds_themselves_to_the_team(server: Served) -> None:
    before = _facts(server, server.record()).team
    doctor = server.installation.staff("team-doctor")
    refused = server.staff("team-doctor").post("CareTeam", json=team(server, doctor))
    assert refused.status_code == 403
    refused = server.staff("locum").post("CareTeam", json=team(server, server.installation.staff("locum")))
    assert refused.status_code == 403
    assert _facts(server, server.record()).team == before


def test_a_refused_naming_is_told_to_the_patient(server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    refused = server.staff("team-doctor").post("CareTeam", json=team(server, doctor))
    assert sentence(refused) == "record.names-writer"
    newest = run(server.house.proving.trail(server.installation.as_patient(), server.record()))[1].event
    assert (newest.actor, newest.decision.value, newest.interaction.value) == (doctor.id, "denial", "team")


def test_a_related_person_named_by_a_secretary_may_speak_for_the_patient(server: Served) -> None:
    doctor = server.staff("attending")
    child = doctor.post("Patient", json=person("Bellanger", "2019-09-09")).json()["id"]
    related = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{child}"},
        "relationship": [{"coding": [{"code": "MTH"}]}],
        "name": [{"family": "Bellanger"}],
    }
    server.staff("attending").post("RelatedPerson", json=related)
    assert _facts(server, child).mandates == ()
    made = server.staff("secretary").post("RelatedPerson", json=related)
    assert made.status_code == 201, made.text
    proxy = Actor(ActorId(f"proxy:{made.json()['id']}"), ActorKind.PROXY, "Mère")
    assert server.client(proxy).get(f"Patient/{child}").status_code == 200


def confirmation(actor: Actor) -> Json:
    return parameters(practitioner={"valueIdentifier": by_rpps(actor.id)["identifier"]})


def test_the_holder_confirms_the_attending_physician(server: Served) -> None:
    associate = server.installation.staff("second-associate")
    client = server.staff("second-associate")
    holder = server.patient()
    address = f"Patient/{server.record()}/$confirm-attending"
    assert client.get(f"Patient/{server.record()}").status_code == 404
    before = _facts(server, server.record()).attending
    assert holder.post(address, json=confirmation(associate)).status_code == 200
    assert client.get(f"Patient/{server.record()}").status_code == 200
    found = client.get("Practitioner", params={"family": "Vasselin"}).json()["entry"][0]["resource"]["id"]
    by_reference = parameters(practitioner={"valueReference": {"reference": f"Practitioner/{found}"}})
    assert holder.post(address, json=by_reference).status_code == 200
    assert _facts(server, server.record()).attending[0].actor == before[0].actor
    assert client.get(f"Patient/{server.record()}").status_code == 404


@pytest.mark.parametrize("role", ["team-doctor", "attending", "secretary", "unrelated-doctor"])
@pytest.mark.parametrize("known", [True, False])
def test_nobody_declares_themselves_attending(server: Served, role: str, *, known: bool) -> None:
    record = server.record() if known else UNKNOWN
    refused = server.staff(role).post(
        f"Patient/{record}/$confirm-attending", json=confirmation(server.installation.staff("team-doctor"))
    )
    assert (refused.status_code, sentence(refused)) == (403, "record.choice-not-yours")


def test_another_patient_confirms_nothing_here(server: Served) -> None:
    refused = server.patient("husband").post(
        f"Patient/{server.record()}/$confirm-attending",
        json=confirmation(server.installation.staff("team-doctor")),
    )
    assert refused.status_code == 403


@pytest.mark.capability("1-24", "lets")
def test_a_declared_act_opens_at_the_next_request_and_is_told(server: Served) -> None:
    nurse = server.staff("nurse")
    record = server.record("masking")
    assert nurse.get(f"Patient/{record}").status_code == 404
    declared = nurse.post(f"Patient/{record}/$declare-act", json=VISIT)
    assert (declared.status_code, sentence(declared)) == (200, "api.declared")
    assert nurse.get(f"Patient/{record}").status_code == 200
    again = nurse.post(f"Patient/{record}/$declare-act", json=VISIT)
    assert again.status_code == 200
    assert [fact.kind for fact in _facts(server, record).team].count("declared") == 1
    page = server.browser()
    page.get(server.code(server.patient_actor("masking"), "/me"))
    told = page.get("/me/who", headers={"accept-language": "fr"}).text
    assert server.installation.staff("nurse").name in told
    assert "consultation du jour" in told


@pytest.mark.parametrize(
    ("role", "reason", "known"),
    [
        ("nurse", "curiosity", True),
        ("nurse", "visit-today", False),
        ("unrelated-doctor", "visit-today", True),
        ("secretary", "visit-today", False),
        ("officer", "visit-today", True),
    ],
)
@pytest.mark.capability("1-24", "refuses")
def test_an_act_is_declared_in_the_structure_and_for_a_listed_reason(
    server: Served, role: str, reason: str, *, known: bool
) -> None:
    record = server.record("celebrity") if known else UNKNOWN
    refused = server.staff(role).post(
        f"Patient/{record}/$declare-act", json=parameters(reason={"valueCode": reason})
    )
    assert (refused.status_code, sentence(refused)) == (403, "access.declare-refused")


@pytest.mark.parametrize(
    "sent",
    [
        {"resourceType": "Parameters"},
        parameters(reason={"valueString": "visit-today"}),
        parameters(reason={"valueCode": "visit-today"}, other={"valueCode": "x"}),
        parameters(other={"valueCode": "visit-today"}),
        {"resourceType": "Basic", "code": {"text": "x"}},
    ],
)
def test_an_operation_takes_its_one_parameter(server: Served, sent: Json) -> None:
    refused = server.staff("nurse").post(f"Patient/{server.record()}/$declare-act", json=sent)
    assert (refused.status_code, outcome(refused)["severity"]) == (422, "error")


def _facts(server: Served, record: str) -> Any:
    passage = server.house.passage
    asking = server.installation.as_patient()
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{record}")
        return passage.view(snapshot, asking, located.record).facts
