"""Entries of bundles that name an item by a criterion, or only what changes in it, over HTTP."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.doors.samples import Json, bundle, entry, person, weight
from tests.doors.served import Served, outcome, sentence
from tests.installation import run

UNKNOWN = "00000000-0000-4000-8000-000000000000"
MEASURE = "urn:uuid:6d9a1d5e-0c1f-4a1a-9a3b-4a4f8b1a0003"


def patch(*operations: Json, kind: str = "application/json-patch+json") -> Json:
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


def kilos(value: float) -> Json:
    return patch({"op": "replace", "path": "/valueQuantity/value", "value": value})


def mark(name: str) -> Json:
    return {"identifier": [{"system": "urn:groupe", "value": name}]}


def criteria(server: Served, name: str, patient: str = "") -> str:
    return f"Observation?patient={patient or server.record()}&identifier=urn:groupe|{name}"


def made(server: Served, name: str, **more: Any) -> str:
    sent = weight(server.record(), **{**mark(name), **more})
    answer = server.staff("team-doctor").post("Observation", json=sent)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post(server: Served, *entries: Json, kind: str = "transaction", role: str = "team-doctor") -> Any:
    return server.staff(role).post("", json=bundle(*entries, kind=kind))


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["response"]["status"] for one in answer.json()["entry"]]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_patch_of_an_entry_is_the_data_of_a_binary(server: Served, kind: str) -> None:
    named, met = made(server, f"p1-{kind}"), made(server, f"p2-{kind}")
    answer = post(
        server,
        entry(kilos(81), "PATCH", f"Observation/{named}", ifMatch='W/"1"'),
        entry(kilos(82), "PATCH", criteria(server, f"p2-{kind}")),
        entry(None, "GET", f"Observation/{met}"),
        kind=kind,
    )
    assert statuses(answer) == ["200", "200", "200"]
    assert answer.json()["entry"][1]["response"]["etag"] == 'W/"2"'
    assert answer.json()["entry"][2]["resource"]["valueQuantity"]["value"] == 82
    assert server.staff("team-doctor").get(f"Observation/{named}").json()["valueQuantity"]["value"] == 81


def test_entries_of_a_transaction_run_in_the_order_of_the_specification(server: Served) -> None:
    """DELETE, POST, PUT and PATCH, GET: whatever the order in which they were sent."""
    kept, gone = made(server, "order-kept"), made(server, "order-gone")
    answer = post(
        server,
        entry(None, "GET", criteria(server, "order-gone")),
        entry(kilos(90), "PATCH", f"Observation/{kept}"),
        entry(weight(server.record(), 91, **mark("order-new")), "PUT", criteria(server, "order-new")),
        entry(weight(server.record(), 92, **mark("order-gone"))),
        entry(None, "DELETE", f"Observation/{gone}"),
    )
    assert statuses(answer) == ["200", "200", "201", "201", "200"]
    found = answer.json()["entry"][0]["resource"]
    assert [one["resource"]["valueQuantity"]["value"] for one in found["entry"]] == [92]


def test_a_conditional_update_of_an_entry_creates_then_updates_the_same_item(server: Served) -> None:
    asked = criteria(server, "upsert")
    for value, status, etag in ((1, "201", 'W/"1"'), (2, "200", 'W/"2"'), (3, "200", 'W/"3"')):
        sent = entry(weight(server.record(), value, **mark("upsert")), "PUT", asked)
        answer = post(server, sent)
        assert statuses(answer) == [status]
        assert answer.json()["entry"][0]["response"]["etag"] == etag
    stale = entry(weight(server.record(), 4, **mark("upsert")), "PUT", asked, ifMatch='W/"1"')
    assert post(server, stale).status_code == 412
    assert server.staff("team-doctor").get(asked).json()["total"] == 1


def test_a_conditional_update_lends_its_id_to_the_links(server: Served) -> None:
    """Whether it creates the item or meets it: by its `fullUrl`, and by its own criteria."""
    asked = criteria(server, "lent")
    for _ in range(2):
        answer = post(
            server,
            entry(weight(server.record(), derivedFrom=[{"reference": MEASURE}])),
            entry(weight(server.record(), derivedFrom=[{"reference": asked}])),
            {"fullUrl": MEASURE, **entry(weight(server.record(), **mark("lent")), "PUT", asked)},
        )
        assert answer.status_code == 200, answer.text
        ids = [one["response"]["location"].split("/")[-3] for one in answer.json()["entry"]]
        for derived in ids[:2]:
            read = server.staff("team-doctor").get(f"Observation/{derived}").json()
            assert read["derivedFrom"] == [{"reference": f"Observation/{ids[2]}"}]


def test_a_person_updated_by_who_they_are_begins_a_record_for_the_rest(server: Served) -> None:
    asked = "Patient?birthdate=1961-02-03&family=Groupement"
    link = "urn:uuid:6d9a1d5e-0c1f-4a1a-9a3b-4a4f8b1a0004"
    sent = [
        entry(weight(link)),
        {"fullUrl": link, **entry(person("Groupement"), "PUT", asked)},
    ]
    first, again = (post(server, *sent, role="attending") for _ in range(2))
    assert (statuses(first), statuses(again)) == (["201", "201"], ["201", "200"])
    patients = {one.json()["entry"][1]["response"]["location"].split("/")[-3] for one in (first, again)}
    assert len(patients) == 1


def test_a_conditional_deletion_of_an_entry_deletes_the_one_that_meets_it(server: Served) -> None:
    id_ = made(server, "deleted")
    assert statuses(post(server, entry(None, "DELETE", criteria(server, "deleted")))) == ["200"]
    assert server.staff("team-doctor").get(f"Observation/{id_}").status_code == 410
    assert post(server, entry(None, "DELETE", criteria(server, "deleted"))).status_code == 404


def test_a_conditional_reference_leads_to_the_one_that_it_finds(server: Served) -> None:
    doctor = server.staff("team-doctor")
    known = doctor.get(f"Patient/{server.record()}").json()
    ins = next(one for one in known["identifier"] if "1.2.250.1.213.1.4" in one["system"])
    id_ = made(server, "led")
    answer = post(
        server,
        entry(
            weight(
                f"Patient?identifier={ins['system']}|{ins['value']}",
                subject={"reference": f"Patient?identifier={ins['system']}|{ins['value']}"},
                derivedFrom=[{"reference": criteria(server, "led")}],
            )
        ),
    )
    assert answer.status_code == 200, answer.text
    read = doctor.get(answer.json()["entry"][0]["response"]["location"]).json()
    assert read["subject"]["reference"] == f"Patient/{server.record()}"
    assert read["derivedFrom"] == [{"reference": f"Observation/{id_}"}]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_one_condition_written_in_two_ways_does_not_make_an_item_twice(server: Served, method: str) -> None:
    name = f"two-ways-{method}"
    asked = criteria(server, name).partition("?")[2]
    ways = (asked, "&".join(reversed(asked.split("&"))), asked.replace("|", "%7C"))
    entries = [
        entry(weight(server.record(), value, **mark(name)), "PUT", f"Observation?{way}")
        if method == "PUT"
        else entry(weight(server.record(), value, **mark(name)), ifNoneExist=way)
        for value, way in enumerate(ways)
    ]
    for pair in (entries[:2], entries[1:]):
        assert post(server, *pair).status_code == 409
    assert server.staff("team-doctor").get(criteria(server, name)).json()["total"] == 0


@pytest.mark.parametrize("name", ["led-nowhere", "led-twice"])
def test_a_conditional_reference_that_finds_none_or_several_refuses_the_whole(
    server: Served, name: str
) -> None:
    if name == "led-twice":
        made(server, name), made(server, name)
    left = entry(weight(server.record(), **mark(f"left-{name}")))
    led = entry(weight(server.record(), derivedFrom=[{"reference": criteria(server, name)}]))
    refused = post(server, left, led)
    assert refused.status_code == (412 if name == "led-twice" else 422)
    assert outcome(refused)["expression"] == ["Bundle.entry[1]"]
    found = server.staff("team-doctor").get(criteria(server, f"left-{name}"))
    assert found.json()["total"] == 0


def test_a_conditional_reference_is_for_transactions_only(server: Served) -> None:
    made(server, "led-batch")
    led = entry(weight(server.record(), derivedFrom=[{"reference": criteria(server, "led-batch")}]))
    assert statuses(post(server, led, kind="batch")) == ["422"]


@pytest.mark.parametrize("failing", ["PATCH", "PUT", "DELETE"])
def test_a_criterion_that_several_meet_leaves_nothing_of_a_transaction(server: Served, failing: str) -> None:
    name = f"several-{failing}"
    made(server, name), made(server, name)
    resource = {"PATCH": kilos(5), "PUT": weight(server.record(), **mark(name)), "DELETE": None}[failing]
    other = made(server, f"beside-{failing}")
    refused = post(
        server,
        entry(kilos(6), "PATCH", f"Observation/{other}"),
        entry(resource, failing, criteria(server, name)),
    )
    assert (refused.status_code, outcome(refused)["expression"]) == (412, ["Bundle.entry[1]"])
    assert server.staff("team-doctor").get(f"Observation/{other}").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_criterion_of_an_entry_meets_nothing_that_is_hidden(server: Served, method: str, kind: str) -> None:
    """To a stranger, an item that is there, one that never was and a record that is not are alike."""
    made(server, "hidden")
    resource = kilos(5) if method == "PATCH" else None
    answers = [
        post(
            server,
            entry(resource, method, criteria(server, name, patient)),
            kind=kind,
            role="unrelated-doctor",
        )
        for name, patient in (("hidden", ""), ("never", ""), ("never", UNKNOWN))
    ]
    assert len({answer.content for answer in answers}) == 1


def test_a_conditional_reference_finds_nothing_that_is_hidden(server: Served) -> None:
    made(server, "led-hidden")
    answers = [
        post(
            server,
            entry(
                person(
                    "Espion",
                    link=[{"other": {"reference": criteria(server, name, patient)}, "type": "refer"}],
                )
            ),
            role="unrelated-doctor",
        )
        for name, patient in (("led-hidden", ""), ("led-never", ""), ("led-never", UNKNOWN))
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.content for answer in answers}) == 1


def test_two_entries_that_change_one_item_refuse_the_whole(server: Served) -> None:
    id_ = made(server, "overlap")
    sent = weight(server.record(), 2, id=id_, **mark("overlap"))
    pairs = [
        (entry(kilos(1), "PATCH", f"Observation/{id_}"), entry(None, "DELETE", f"Observation/{id_}")),
        (entry(sent, "PUT", criteria(server, "overlap")), entry(kilos(3), "PATCH", f"Observation/{id_}")),
        (
            entry(None, "DELETE", criteria(server, "overlap")),
            entry(sent, "PUT", f"Observation/{id_}", ifMatch='W/"1"'),
        ),
        (
            entry(weight(server.record()), ifNoneExist=criteria(server, "overlap").partition("?")[2]),
            entry(None, "DELETE", f"Observation/{id_}"),
        ),
    ]
    for pair in pairs:
        refused = post(server, *pair)
        assert (refused.status_code, outcome(refused)["code"]) == (409, "conflict"), refused.text
    assert server.staff("team-doctor").get(f"Observation/{id_}").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        (None, 422),
        ({"resourceType": "Parameters", "parameter": []}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "operation"}]}, 400),
        (patch({"op": "test", "path": "/status", "value": "final"}, kind="application/fhir+json"), 400),
        ({"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "%%%%"}, 400),
        ({"resourceType": "Binary", "contentType": "application/json-patch+json"}, 400),
        (patch(), 400),
        (patch({"op": "nonsense", "path": "/status"}), 400),
        (patch({"op": "test", "path": "/status", "value": "amended"}), 422),
        (patch({"op": "replace", "path": "/id", "value": "other"}), 422),
        (patch({"op": "remove", "path": "/status"}), 422),
    ],
)
def test_a_patch_of_an_entry_that_cannot_be_done_writes_nothing(
    server: Served, resource: Json | None, status: int
) -> None:
    id_ = made(server, "undone")
    refused = post(
        server,
        entry(weight(server.record(), **mark("undone-beside"))),
        entry(resource, "PATCH", f"Observation/{id_}"),
    )
    assert (refused.status_code, sentence(refused)) == (status, "record.transaction"), refused.text
    assert outcome(refused)["expression"] == ["Bundle.entry[1]"]
    doctor = server.staff("team-doctor")
    assert doctor.get(criteria(server, "undone-beside")).json()["total"] == 0
    assert doctor.get(f"Observation/{id_}").headers["etag"] == 'W/"1"'


def test_a_patch_of_an_entry_is_traced_as_a_read_and_a_write(server: Served) -> None:
    id_ = made(server, "traced")
    assert statuses(post(server, entry(kilos(4), "PATCH", f"Observation/{id_}"))) == ["200"]
    proving, me = server.installation.house.proving, server.installation.as_patient()
    trail = run(proving.trail(me, server.record()))[:3]
    acts = [(one.event.interaction.value, one.event.resources) for one in trail]
    assert ("update", (f"Observation/{id_}/_history/2",)) in acts
    assert ("read", (f"Observation/{id_}/_history/1",)) in acts


@pytest.mark.parametrize(
    "url", ["//[", "http://[::1", "Observation?%", "Observation/?_id", "?", "#", "/", "Observation/1/2"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_strange_address_is_refused(server: Served, url: str, method: str, kind: str) -> None:
    sent = {"GET": None, "DELETE": None, "PATCH": kilos(1)}.get(method, weight(server.record()))
    answer = post(server, entry(sent, method, url), kind=kind)
    if kind == "batch" or method == "GET":
        assert statuses(answer)[0] in {"400", "404", "412", "422"}
    else:
        assert 400 <= answer.status_code < 500


def test_a_placeholder_names_an_item_that_an_entry_updates(server: Served) -> None:
    id_ = made(server, "placeholder")
    answer = post(
        server,
        {
            "fullUrl": MEASURE,
            **entry(weight(server.record(), id=id_), "PUT", f"Observation/{id_}", ifMatch='W/"1"'),
        },
        entry(weight(server.record(), derivedFrom=[{"reference": MEASURE}])),
    )
    assert statuses(answer) == ["200", "201"]
    read = server.staff("team-doctor").get(answer.json()["entry"][1]["response"]["location"]).json()
    assert read["derivedFrom"] == [{"reference": f"Observation/{id_}"}]
