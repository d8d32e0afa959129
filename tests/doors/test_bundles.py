"""Batches and transactions over HTTP: all or nothing, links inside, each entry answered."""

from __future__ import annotations

import pytest

from tests.doors.samples import Json, bundle, entry, person, weight
from tests.doors.served import Served, outcome, sentence

PERSON = "urn:uuid:6d9a1d5e-0c1f-4a1a-9a3b-4a4f8b1a0001"
MEASURE = "urn:uuid:6d9a1d5e-0c1f-4a1a-9a3b-4a4f8b1a0002"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def full(url: str, made: Json) -> Json:
    return {"fullUrl": url, **made}


def ids(answer: Json) -> list[str]:
    return [one["response"]["location"].split("/")[-3] for one in answer["entry"]]


def weights(server: Served, **asked: str) -> int:
    found = server.staff("team-doctor").get("Observation", params={"patient": server.record(), **asked})
    total: int = found.json()["total"]
    return total


@pytest.mark.capability("0-13", "lets")
def test_a_transaction_links_what_it_makes(server: Served) -> None:
    sent = bundle(
        full(MEASURE, entry(weight(PERSON))),
        full(PERSON, entry(person("Ferrandis"))),
        entry(weight(PERSON, derivedFrom=[{"reference": MEASURE}])),
    )
    doctor = server.staff("attending")
    answer = doctor.post("", json=sent)
    assert answer.status_code == 200
    assert answer.json()["type"] == "transaction-response"
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["201"] * 3
    measure, patient, derived = ids(answer.json())
    read = doctor.get(f"Observation/{derived}").json()
    assert read["subject"]["reference"] == f"Patient/{patient}"
    assert read["derivedFrom"] == [{"reference": f"Observation/{measure}"}]


@pytest.mark.capability("0-05", "refuses")
def test_a_transaction_that_fails_at_entry_99_of_100_leaves_nothing(server: Served) -> None:
    before, size = weights(server), _ledger_size(server)
    entries = [entry(weight(server.record(), 50 + place)) for place in range(100)]
    entries[98] = entry(weight(server.record(), status="unheard-of"))
    entries[98]["resource"]["valueQuantity"] = {"value": "heavy"}
    refused = server.staff("team-doctor").post("", json=bundle(*entries))
    assert (refused.status_code, sentence(refused)) == (422, "record.transaction")
    assert outcome(refused)["expression"] == ["Bundle.entry[98]"]
    assert "99" in outcome(refused)["details"]["text"]
    assert weights(server) == before
    assert _ledger_size(server) - size == 1  # the count just made


def test_a_transaction_that_is_refused_at_its_last_entry_leaves_nothing(server: Served) -> None:
    before = weights(server)
    entries = [entry(weight(server.record())) for _ in range(9)]
    hidden = server.staff("team-doctor").post("", json=bundle(*entries, entry(weight(UNKNOWN))))
    assert (hidden.status_code, sentence(hidden)) == (403, "record.transaction")
    assert outcome(hidden)["code"] == "forbidden"
    assert outcome(hidden)["expression"] == ["Bundle.entry[9]"]
    assert weights(server) == before


def test_a_stale_update_in_a_transaction_refuses_the_whole(server: Served) -> None:
    doctor = server.staff("team-doctor")
    id_ = doctor.post("Observation", json=weight(server.record())).json()["id"]
    before = weights(server)
    sent = bundle(
        entry(weight(server.record())),
        entry(weight(server.record(), id=id_), "PUT", f"Observation/{id_}", ifMatch='W/"7"'),
    )
    refused = doctor.post("", json=sent)
    assert (refused.status_code, outcome(refused)["expression"]) == (412, ["Bundle.entry[1]"])
    assert weights(server) == before


def test_a_transaction_changes_and_deletes_too(server: Served) -> None:
    doctor = server.staff("team-doctor")
    kept, gone = (doctor.post("Observation", json=weight(server.record())).json()["id"] for _ in range(2))
    sent = bundle(
        entry(weight(server.record(), 80.25, id=kept), "PUT", f"Observation/{kept}", ifMatch='W/"1"'),
        entry(None, "DELETE", f"Observation/{gone}"),
        entry(None, "GET", f"Observation/{kept}"),
        entry(None, "GET", f"Observation/{kept}/_history/1"),
        entry(None, "GET", f"Observation?patient={server.record()}&_id={kept}"),
        entry(None, "GET", f"Observation/{UNKNOWN}"),
    )
    answers = doctor.post("", json=sent).json()["entry"]
    assert [one["response"]["status"] for one in answers] == ["200", "200", "200", "200", "200", "404"]
    assert answers[2]["resource"]["valueQuantity"]["value"] == 80.25
    assert answers[3]["resource"]["valueQuantity"]["value"] == 70.5
    assert answers[4]["resource"]["total"] == 1
    assert doctor.get(f"Observation/{gone}").status_code == 410


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_version_that_is_a_deletion_is_gone_in_a_bundle_as_outside(server: Served, kind: str) -> None:
    doctor = server.staff("team-doctor")
    gone = doctor.post("Observation", json=weight(server.record())).json()["id"]
    doctor.delete(f"Observation/{gone}")
    sent = bundle(*(entry(None, "GET", f"Observation/{gone}/_history/{n}") for n in (1, 2, 3)))
    answers = doctor.post("", json=sent | {"type": kind}).json()["entry"]
    assert [one["response"]["status"] for one in answers] == ["200", "410", "404"]
    assert ["resource" in one for one in answers] == [True, False, False]


def test_a_conditional_creation_lends_the_id_of_what_it_met_to_the_links(server: Served) -> None:
    doctor = server.staff("team-doctor")
    known = doctor.get(f"Patient/{server.record()}").json()
    ins = next(one for one in known["identifier"] if "1.2.250.1.213.1.4" in one["system"])
    condition = f"identifier={ins['system']}|{ins['value']}"
    sent = bundle(
        full(PERSON, entry(person("Inutile"), ifNoneExist=condition)),
        entry(weight(PERSON, identifier=[{"system": "urn:lien", "value": "1"}])),
    )
    answer = doctor.post("", json=sent)
    assert answer.status_code == 200, answer.text
    patient, measure = ids(answer.json())
    assert patient == server.record()
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200", "201"]
    assert doctor.get(f"Observation/{measure}").json()["subject"]["reference"] == f"Patient/{server.record()}"


def test_the_same_condition_twice_in_one_transaction_is_refused(server: Served) -> None:
    one = entry(weight(server.record()), ifNoneExist="identifier=urn:balance|jumeau")
    refused = server.staff("team-doctor").post("", json=bundle(one, one))
    assert (refused.status_code, outcome(refused)["expression"]) == (409, ["Bundle.entry[1]"])


def test_a_link_that_leads_to_no_entry_refuses_the_whole(server: Served) -> None:
    refused = server.staff("team-doctor").post("", json=bundle(entry(weight(PERSON))))
    assert (refused.status_code, sentence(refused)) == (422, "record.transaction")
    assert outcome(refused)["expression"] == ["Bundle.entry[0]"]


def test_a_batch_answers_entry_by_entry(server: Served) -> None:
    sent = bundle(
        entry(weight(server.record())),
        entry(weight(UNKNOWN)),
        entry(weight(server.record(), valueQuantity={"value": "heavy"})),
        entry(None, "GET", f"Patient/{server.record()}"),
        entry(None, "GET", "Observation?code=29463-7"),
        entry(None, "GET", f"Observation?patient={server.record()}&colour=red"),
        entry(None, "PATCH", f"Patient/{server.record()}"),
        entry(None, "DELETE", f"Observation/{UNKNOWN}"),
        entry(None, "DELETE", "Observation?patient=1"),
        kind="batch",
    )
    answer = server.staff("team-doctor").post("", json=sent).json()
    assert answer["type"] == "batch-response"
    statuses = [one["response"]["status"] for one in answer["entry"]]
    assert statuses == ["201", "403", "422", "200", "400", "400", "422", "404", "404"]
    refused = answer["entry"][1]["response"]["outcome"]["issue"][0]
    assert refused["details"]["coding"][0]["code"] == "record.not-writable"


@pytest.mark.parametrize(
    "sent",
    [
        {"resourceType": "Bundle", "type": "searchset", "entry": []},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "batch", "entry": [{"request": "GET"}]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [7]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{}]},
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "POST", "url": "//"}}],
        },
        {"resourceType": "Patient"},
    ],
)
def test_a_bundle_of_another_shape_is_refused(server: Served, sent: Json) -> None:
    refused = server.staff("team-doctor").post("", json=sent)
    assert 400 <= refused.status_code < 500
    assert outcome(refused)["severity"] == "error"


def test_an_empty_transaction_is_answered(server: Served) -> None:
    answer = server.staff("team-doctor").post("", json=bundle())
    assert (answer.status_code, answer.json()["type"]) == (200, "transaction-response")


def _ledger_size(server: Served) -> int:
    with server.house.passage.store.snapshot() as snapshot:
        return snapshot.ledger_size()
