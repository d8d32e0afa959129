"""What those near the patient try: carers who widen, parents who pry, heirs too early, abusers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serment.errors import RefusedError
from serment.ledger.sentences import line
from serment.model import Actor, ActorId, ActorKind, Instant
from serment.words import Language
from tests.doors.samples import CATEGORIES, Json, by_rpps, consent, weight
from tests.doors.served import Served, page_text, sentence, served
from tests.installation import run

BASIS = "urn:serment:mandate-basis"
CATEGORY = "urn:serment:category"
LATER = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
TODAY = datetime.now(UTC).date()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("family")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def related(record: str, code: str = "", basis: str = "", **more: Any) -> Json:
    """Make somebody near the patient."""
    role = {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code or "FRND"}
    codings = [role, *([{"system": BASIS, "code": basis}] if basis else [])]
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": f"Patient/{record}"},
        "relationship": [{"coding": codings}],
        "name": [{"family": "Lemonnier", "given": ["Solène"]}],
        **more,
    }


def near(server: Served, by: httpx.Client, resource: Json) -> Actor:
    """Write somebody near the patient, and sign them in."""
    made = by.post("RelatedPerson", json=resource)
    assert made.status_code == 201, made.text
    return Actor(ActorId(f"proxy:{made.json()['id']}"), ActorKind.PROXY, "Solène Lemonnier")


def naming(record: str, carer: Actor, *categories: str, end: str = LATER, **more: Any) -> Json:
    """Say which categories a carer may read, and until when."""
    who = {"role": {"text": "carer"}, "reference": {"reference": f"RelatedPerson/{carer.id[6:]}"}}
    period = {"period": {"end": end}} if end else {}
    scope = (
        {"class": [{"system": CATEGORY, "code": category} for category in categories]} if categories else {}
    )
    return consent(record, type="permit", actor=[who], **period, **scope, **more)


def found(client: httpx.Client, path: str) -> list[str]:
    """Give the references that a search finds; its total says the same."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    items = [
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in body.get("entry", [])
        if one["search"]["mode"] == "match"
    ]
    assert body.get("total", len(items)) >= len(items)
    return items


# Carers.


@pytest.mark.capability("4-17", "lets")
def test_the_patient_gives_a_carer_a_login_a_scope_and_an_end(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    assert server.client(carer).get(f"Patient/{record}").status_code == 404
    assert patient.post("Consent", json=naming(record, carer, "identity", "vitals")).status_code == 201
    client = server.client(carer)
    assert client.get(f"Patient/{record}").status_code == 200
    mine = patient.post("Observation", json=weight(record)).json()["id"]
    assert client.get(f"Observation/{mine}").status_code == 200
    assert "telecom" not in client.get(f"Patient/{record}").json()
    assert found(client, f"MedicationRequest?patient={record}") == []


@pytest.mark.capability("4-17", "refuses")
def test_a_carer_widens_their_own_scope(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    patient.post("Consent", json=naming(record, carer, "identity", "vitals"))
    client = server.client(carer)
    wider = client.post("Consent", json=naming(record, carer, "treatments", "labs"))
    assert wider.status_code == 403, wider.text
    friend = client.post("RelatedPerson", json=related(record))
    assert friend.status_code == 403
    assert found(client, f"MedicationRequest?patient={record}") == []


@pytest.mark.capability("2-02", "refuses")
def test_a_carer_gives_a_stranger_a_link_to_what_they_read(server: Served) -> None:
    """A carer reads, and answers for nobody: neither of a record that they read, nor of one of nobody."""
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    patient.post("Consent", json=naming(record, carer, "identity", "vitals"))
    item = f"Observation/{patient.post('Observation', json=weight(record)).json()['id']}"
    assert server.client(carer).get(item).status_code == 200
    made = server.installation
    asking, said = made.store.asking(carer), []
    for whose in (record, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(RefusedError) as refused:
            run(made.house.links.check(asking, whose, [item], 1, 1))
        said.append(refused.value.sentence)
    assert said == ["paper.link-not-yours"] * 2
    run(made.house.links.check(made.as_patient(), record, [item], 1, 1))


def test_a_carer_asks_for_the_choices_and_for_the_trace(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = patient.post("Consent", json=naming(record, carer, "identity", "vitals", "choices")).json()["id"]
    client = server.client(carer)
    assert client.get(f"Consent/{said}").status_code == 404
    assert found(client, f"Consent?patient={record}") == []
    assert found(client, f"AuditEvent?patient={record}") == []


def test_a_carer_asks_for_what_is_masked(server: Served) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    patient.post("Consent", json=naming(record, carer, "vitals"))
    item = patient.post("Observation", json=weight(record, 91.5)).json()["id"]
    client = server.client(carer)
    before = found(client, f"Observation?patient={record}&_count=100")
    hidden = {"meaning": "instance", "reference": {"reference": f"Observation/{item}"}}
    assert patient.post("Consent", json=consent(record, data=[hidden])).status_code == 201
    assert client.get(f"Observation/{item}").status_code == 404
    after = found(client, f"Observation?patient={record}&_count=100")
    assert set(before) - set(after) == {f"Observation/{item}"}


@pytest.mark.parametrize("who", ["attending", "secretary"])
def test_somebody_else_names_a_carer(server: Served, who: str) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = server.staff(who).post("Consent", json=naming(record, carer, "identity"))
    assert said.status_code == 403, said.text
    assert server.client(carer).get(f"Patient/{record}").status_code == 404


def test_a_representative_names_a_carer(server: Served) -> None:
    record = server.record("adolescent")
    mother = near(server, server.staff("secretary"), related(record, "MTH"))
    friend = near(server, server.patient("adolescent"), related(record))
    said = server.client(mother).post("Consent", json=naming(record, friend, "identity"))
    assert (said.status_code, sentence(said)) == (403, "record.carer-not-yours")


@pytest.mark.parametrize(
    ("categories", "end"), [((), LATER), (("identity",), ""), (("identity",), "2020-01-01")]
)
def test_a_carer_without_scope_or_end(server: Served, categories: tuple[str, ...], end: str) -> None:
    patient, record = server.patient(), server.record()
    carer = near(server, patient, related(record))
    said = patient.post("Consent", json=naming(record, carer, *categories, end=end))
    assert (said.status_code, sentence(said)) == (400, "record.carer-scope")


def test_a_carer_of_another_record(server: Served) -> None:
    husband, record = server.patient("husband"), server.record()
    carer = near(server, husband, related(server.record("husband")))
    said = server.patient().post("Consent", json=naming(record, carer, "identity"))
    assert said.status_code == 404
    assert server.client(carer).get(f"Patient/{record}").status_code == 404


def test_a_carer_looks_for_the_day_on_which_they_were_removed(server: Served) -> None:
    """Removing is silent: who was removed meets what somebody who was never named meets."""
    patient, record = server.patient(), server.record()
    carer, stranger = (near(server, patient, related(record)) for _ in range(2))
    said = patient.post("Consent", json=naming(record, carer, "identity", "vitals")).json()["id"]
    assert server.client(carer).get(f"Patient/{record}").status_code == 200
    assert patient.delete(f"Consent/{said}").status_code in {200, 204}
    for path in (
        f"Patient/{record}",
        f"Patient/{record}/_history",
        f"Consent/{said}",
        f"RelatedPerson/{carer.id[6:]}",
        f"Observation?patient={record}",
        f"AuditEvent?patient={record}",
        f"Patient/{record}/$everything",
    ):
        removed, never = (server.client(one).get(path) for one in (carer, stranger))
        assert removed.status_code == never.status_code, path
        assert told(removed) == told(never), path


def told(answer: httpx.Response) -> Any:
    """Give what an answer says, without what no two answers share."""
    body = answer.json()
    return {name: value for name, value in body.items() if name not in {"id", "meta", "link"}}


# Reports of abuse.


def report(record: str, *alleged: Json) -> Json:
    """Make a doctor's note of suspected harm, and name who may have done it."""
    names = [{"url": "urn:serment:alleged-author", "valueReference": one} for one in alleged]
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORIES, "code": "exam"}]}],
        "code": {"text": "Ecchymoses"},
        "subject": {"reference": f"Patient/{record}"},
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "SDV"}]},
        **({"extension": names} if names else {}),
    }


def lines(client: httpx.Client, record: str, mine: str) -> list[str]:
    """Give what somebody reads of the list of accesses, save what they did themselves."""
    answer = client.get(f"AuditEvent?patient={record}&_count=500").json()
    events = [one["resource"] for one in answer.get("entry", []) if one["search"]["mode"] == "match"]
    return sorted(one["id"] for one in events if mine not in str(one["agent"]))


@pytest.mark.capability("4-06", "lets")
def test_a_professional_reports_abuse_and_the_team_reads_it(server: Served) -> None:
    record = server.record("adolescent")
    made = server.staff("attending").post("Observation", json=report(record))
    assert made.status_code == 201, made.text
    assert server.staff("attending").get(made.headers["location"]).status_code == 200
    assert server.patient("adolescent").get(made.headers["location"]).status_code == 200


@pytest.mark.capability("4-06", "refuses")
def test_a_parent_looks_for_the_report_or_for_its_line(server: Served) -> None:
    record = server.record("adolescent")
    father = near(server, server.staff("secretary"), related(record, "FTH"))
    client = server.client(father)
    before = found(client, f"Observation?patient={record}&_count=200"), lines(client, record, father.id)
    said = report(record, {"reference": f"RelatedPerson/{father.id[6:]}"})
    made = server.staff("attending").post("Observation", json=said)
    assert made.status_code == 201, made.text
    item = made.headers["location"]
    assert server.patient("adolescent").get(item).status_code == 200
    nothing = f"{server.address}/fhir/Observation/00000000-0000-4000-8000-000000000000"
    assert told(client.get(item)) == told(client.get(nothing))
    after = found(client, f"Observation?patient={record}&_count=200"), lines(client, record, father.id)
    assert after == before


@pytest.mark.capability("4-06", "refuses")
def test_the_alleged_author_is_a_colleague(server: Served) -> None:
    record, alleged = server.record(), server.installation.staff("team-doctor")
    client = server.client(alleged)
    before = found(client, f"Observation?patient={record}&_count=200")
    made = server.staff("attending").post("Observation", json=report(record, by_rpps(alleged.id)))
    item = made.headers["location"]
    assert client.get(item).status_code == 404
    assert found(client, f"Observation?patient={record}&_count=200") == before
    assert server.staff("attending").get(item).status_code == 200
    deleted = server.staff("attending").delete(item.partition("/_history")[0])
    assert deleted.status_code in {200, 204}
    assert client.get(item).status_code == 404, "nor when the report is taken back"


def test_an_alleged_author_makes_the_report_what_it_is(server: Served) -> None:
    """Forgetting the label does not show the report to whom it names."""
    record, alleged = server.record(), server.installation.staff("team-doctor")
    plain = {key: value for key, value in report(record, by_rpps(alleged.id)).items() if key != "meta"}
    made = server.staff("attending").post("Observation", json=plain)
    assert server.client(alleged).get(made.headers["location"]).status_code == 404


# Representatives.


@pytest.mark.parametrize(
    ("code", "basis", "status"),
    [
        ("GUARD", "representation", 200),
        ("GUARD", "", 404),
        ("MTH", "", 404),
        ("GUARD", "assistance", 404),
        ("GUARD", "property", 404),
        ("GUARD", "safeguard", 404),
        ("GUARD", "withdrawn", 404),
        ("GUARD", "unknown", 404),
    ],
)
def test_who_is_in_charge_of_an_adult(server: Served, code: str, basis: str, status: int) -> None:
    record = server.record()
    guardian = near(server, server.staff("secretary"), related(record, code, basis))
    assert server.client(guardian).get(f"Patient/{record}").status_code == status


def test_who_assists_an_adult_reads_with_their_consent_and_speaks_for_nobody(server: Served) -> None:
    patient, record = server.patient(), server.record()
    curator = near(server, server.staff("secretary"), related(record, "GUARD", "assistance"))
    said = patient.post("Consent", json=naming(record, curator, end="")).json()["id"]
    client = server.client(curator)
    assert client.get(f"Patient/{record}").status_code == 200
    assert found(client, f"MedicationRequest?patient={record}")
    assert client.post("Consent", json=consent(record)).status_code == 403
    assert found(client, f"Consent?patient={record}") == []
    patient.delete(f"Consent/{said}")
    assert client.get(f"Patient/{record}").status_code == 404


def test_a_judge_withdraws_or_limits_a_parent(server: Served) -> None:
    record, secretary = server.record("adolescent"), server.staff("secretary")
    father = near(server, secretary, related(record, "FTH"))
    client, place = server.client(father), f"RelatedPerson/{father.id[6:]}"
    assert client.get(f"Patient/{record}").status_code == 200
    limits = [{"url": "urn:serment:mandate-category", "valueCode": "vaccinations"}]
    rewrite(secretary, place, related(record, "FTH", extension=limits))
    assert client.get(f"Patient/{record}").status_code == 404
    assert client.get(f"Immunization?patient={record}").status_code == 200
    rewrite(secretary, place, related(record, "FTH", extension=[{**limits[0], "valueCode": "?"}]))
    assert found(client, f"Immunization?patient={record}") == []
    rewrite(secretary, place, related(record, "FTH"))
    assert client.get(f"Patient/{record}").status_code == 200
    rewrite(secretary, place, related(record, "FTH", "withdrawn"))
    assert client.get(f"Patient/{record}").status_code == 404


def test_a_parent_of_an_emancipated_minor(server: Served) -> None:
    record, secretary = str(server.installation.store.ids["p0006"]), server.staff("secretary")
    mother = near(server, secretary, related(record, "MTH"))
    client = server.client(mother)
    assert client.get(f"Patient/{record}").status_code == 200
    free = [{"url": "urn:serment:emancipated", "valueDate": TODAY.isoformat()}]
    extended(server, record, free)
    assert client.get(f"Patient/{record}").status_code == 404


# Heirs.


GROUND = "causes-of-death"


def test_an_heir_asks_before_and_after_death(server: Served) -> None:
    """One of the three grounds, named and traced; before death, with none or with two: nothing."""
    record, secretary = server.record("husband"), server.staff("secretary")
    heir = near(server, secretary, related(record, "CHILD", "heir"))
    client = server.client(heir, Serment_Reason=GROUND)
    assert client.get(f"Patient/{record}").status_code == 404
    extended(server, record, [], deceasedDateTime=TODAY.isoformat())
    assert client.get(f"Patient/{record}").status_code == 200
    assert found(client, f"Condition?patient={record}")
    assert found(client, f"Consent?patient={record}") == []
    assert found(client, f"AuditEvent?patient={record}") == []
    assert client.post("Observation", json=weight(record)).status_code == 403
    for reason in ("", f"{GROUND},assert-rights", f"{GROUND},immediate-risk"):
        other = server.client(heir, **({"Serment_Reason": reason} if reason else {}))
        assert other.get(f"Patient/{record}").status_code == 404, reason
    assert server.patient("husband").get(f"Patient/{record}").status_code == 404
    alive = Instant(int(datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp() * 1000) - 1)
    asking = replace(server.installation.as_patient("husband"), now=alive)
    trail = run(server.house.proving.trail(asking, record))
    mine = [body.event for body in trail if body.event.rule == "G10.heir"]
    assert {event.reason for event in mine} == {GROUND}
    assert "to know the causes of death, heir of somebody who died" in str(line(mine[0], Language.EN))


def test_an_heir_of_somebody_who_objected(server: Served) -> None:
    record, secretary, me = server.record("father"), server.staff("secretary"), server.patient("father")
    heir = near(server, secretary, related(record, "CHILD", "heir"))
    code = {"system": "urn:serment:purpose", "code": "SERMENT_HEIRS"}
    assert me.post("Consent", json=consent(record, purpose=[code])).status_code == 201
    assert server.staff("attending").get(f"Patient/{record}").status_code == 200
    extended(server, record, [], deceasedBoolean=True)
    assert server.client(heir, Serment_Reason=GROUND).get(f"Patient/{record}").status_code == 404


def rewrite(client: httpx.Client, place: str, resource: Json) -> None:
    """Write an item again."""
    held = client.get(place)
    sent = {**resource, "id": place.partition("/")[2]}
    put = client.put(place, json=sent, headers={"if-match": held.headers["etag"]})
    assert put.status_code == 200, put.text


def extended(server: Served, record: str, extensions: list[Json], **more: Any) -> None:
    """Write in a person's own resource what changes in their life."""
    doctor = server.staff("attending")
    held = doctor.get(f"Patient/{record}")
    said = held.json()
    said["extension"] = [*said.get("extension", []), *extensions]
    if not said["extension"]:
        del said["extension"]
    put = doctor.put(f"Patient/{record}", json={**said, **more}, headers={"if-match": held.headers["etag"]})
    assert put.status_code == 200, put.text


def test_the_carer_of_the_demonstration_reads_what_she_gave_and_nothing_of_the_announcement(
    server: Served,
) -> None:
    made = server.installation.store
    said = next(one for one in made.people.choices if one.kind == "carer")
    husband = Actor(ActorId(f"proxy:{made.items[said.item].partition('/')[2]}"), ActorKind.PROXY, "Époux")
    client, record = server.client(husband), server.record("waiting")
    assert client.get(f"Patient/{record}").status_code == 200
    for hidden in ("Condition", "DocumentReference", "Encounter", "Observation", "Consent", "AuditEvent"):
        assert found(client, f"{hidden}?patient={record}") == [], hidden


def test_the_gestures_name_a_carer_change_the_scope_and_dismiss_them(server: Served) -> None:
    """Only the holder: to anybody else a carer who was named and one who was not answer alike."""
    patient, record, house = server.patient(), server.installation.record(), server.house
    carer = near(server, patient, related(record))
    client, asking, named = server.client(carer), server.installation.as_patient(), carer.id[6:]
    run(house.choosing.name_carer(asking, record, named, ["identity"], LATER))
    assert client.get(f"Patient/{record}").status_code == 200
    run(house.choosing.name_carer(asking, record, named, ["treatments"], LATER))
    assert client.get(f"Patient/{record}").status_code == 404
    assert found(client, f"MedicationRequest?patient={record}")
    doctor = server.installation.as_staff("attending")
    for one in (named, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(RefusedError) as refused:
            run(house.choosing.dismiss_carer(doctor, record, one))
        assert refused.value.sentence == "record.carer-not-yours"
    run(house.choosing.dismiss_carer(asking, record, named))
    assert client.get(f"MedicationRequest?patient={record}").json().get("total", 0) == 0


def test_the_gesture_of_an_objection_to_heirs_leaves_care_as_it_was(server: Served) -> None:
    record = server.installation.record()
    run(server.house.choosing.oppose_heirs(server.installation.as_patient(), record))
    assert server.staff("attending").get(f"Patient/{record}").status_code == 200


def test_an_heir_names_their_ground_on_a_page_and_it_opens_nothing_by_itself(server: Served) -> None:
    record, secretary = server.record("celebrity"), server.staff("secretary")
    heir = near(server, secretary, related(record, "CHILD", "heir"))
    page = server.browser()
    page.get(server.code(heir, f"/record/{record}"))

    def shown(id_: str) -> tuple[int, str]:
        answer = page.get(f"/record/{id_}")
        return answer.status_code, html.unescape(page_text(answer)).replace(id_, "{id}")

    def name(id_: str, ground: str) -> int:
        key = re.search(r'name="csrf" value="([^"]+)"', page.get("/home").text)
        assert key is not None
        return page.post(f"/record/{id_}/ground", data={"csrf": key[1], "ground": ground}).status_code

    unknown = "0" * 36
    assert shown(record) == shown(unknown)
    assert "Si cette personne est décédée" in shown(unknown)[1]
    assert {name(record, "curiosity"), name(record, "immediate-risk"), name(unknown, "")} == {400}
    assert {name(record, GROUND), name(unknown, GROUND)} == {303}
    assert shown(record) == shown(unknown)
    extended(server, record, [], deceasedDateTime=TODAY.isoformat())
    status, text = shown(record)
    assert status == 200
    assert "Demande faite pour connaître les causes de la mort" in text
    other = server.browser()
    other.get(server.code(near(server, secretary, related(record, "CHILD", "heir")), f"/record/{record}"))
    assert other.get(f"/record/{record}").status_code == 404
