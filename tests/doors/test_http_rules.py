"""What R4 says of every read and search, over HTTP: conditions, wishes, formats, counts, orders."""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import pytest

from tests.doors.samples import Json, bundle, entry, weight
from tests.doors.served import Served, outcome, sentence

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def mark(name: str) -> Json:
    return {"identifier": [{"system": "urn:regles", "value": name}]}


def made(server: Served, name: str, kilograms: float = 70.5, **more: Any) -> Json:
    sent = weight(server.record(), kilograms, **mark(name), **more)
    answer = server.staff("team-doctor").post("Observation", json=sent)
    assert answer.status_code == 201, answer.text
    one: Json = answer.json()
    return one


def where(server: Served, name: str, more: str = "") -> str:
    return f"Observation?patient={server.record()}&identifier=urn:regles|{name}{more}"


def values(answer: Any) -> list[float]:
    assert answer.status_code == 200, answer.text
    found = [one["resource"] for one in answer.json().get("entry", []) if one["search"]["mode"] == "match"]
    return [one["valueQuantity"]["value"] for one in found]


# Conditional reads (http.html#cread).


@pytest.mark.parametrize("tail", ["", "/_history/1"])
def test_who_has_the_version_already_gets_304(server: Served, tail: str) -> None:
    doctor, one = server.staff("team-doctor"), made(server, "fresh")
    address = f"Observation/{one['id']}{tail}"
    plain = doctor.get(address)
    later = formatdate(parsedate_to_datetime(plain.headers["last-modified"]).timestamp() + 60, usegmt=True)
    for name, value in (
        ("if-none-match", 'W/"1"'),
        ("if-none-match", 'W/"7", W/"1"'),
        ("if-none-match", "*"),
        ("if-modified-since", plain.headers["last-modified"]),
        ("if-modified-since", later),
    ):
        for method in ("GET", "HEAD"):
            answer = doctor.request(method, address, headers={name: value})
            assert (answer.status_code, answer.content) == (304, b""), (name, value)
            assert answer.headers["etag"] == 'W/"1"'
            assert answer.headers["cache-control"] == "no-store"


def test_who_has_another_version_gets_the_item(server: Served) -> None:
    doctor, one = server.staff("team-doctor"), made(server, "stale")
    for name, value in (
        ("if-none-match", 'W/"2"'),
        ("if-modified-since", "Sat, 01 Jan 2000 00:00:00 GMT"),
        ("if-modified-since", "yesterday"),
    ):
        assert doctor.get(f"Observation/{one['id']}", headers={name: value}).json() == one


def test_a_condition_tells_nothing_of_what_is_hidden(server: Served) -> None:
    stranger, one = server.staff("unrelated-doctor"), made(server, "hidden-fresh")
    for name, value in (("if-none-match", "*"), ("if-modified-since", formatdate(usegmt=True))):
        answers = [stranger.get(f"Observation/{id_}", headers={name: value}) for id_ in (one["id"], UNKNOWN)]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content


def test_a_condition_is_traced_as_the_reading_that_it_is(server: Served) -> None:
    doctor, one = server.staff("team-doctor"), made(server, "traced-fresh")
    with server.house.passage.store.snapshot() as snapshot:
        before = snapshot.ledger_size()
    assert doctor.get(f"Observation/{one['id']}", headers={"if-none-match": "*"}).status_code == 304
    with server.house.passage.store.snapshot() as snapshot:
        assert snapshot.ledger_size() == before + 1


def test_content_that_is_known_already_is_not_sent_again(server: Served) -> None:
    doctor = server.staff("team-doctor")
    headers = {"content-type": "text/plain", "x-security-context": f"Patient/{server.record()}"}
    stored = doctor.post("Binary", content=b"un texte", headers=headers)
    address = stored.headers["location"].partition("/_history")[0]
    again = doctor.get(address, headers={"if-none-match": stored.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_reading_inside_a_bundle_has_its_conditions_too(server: Served) -> None:
    one = made(server, "bundle-fresh")
    asked: list[dict[str, str]] = [
        {"ifNoneMatch": 'W/"1"'},
        {"ifNoneMatch": 'W/"2"'},
        {"ifModifiedSince": "2999-01-01T00:00:00Z"},
        {"ifModifiedSince": "2000-01-01T00:00:00Z"},
    ]
    sent = bundle(*[entry(None, "GET", f"Observation/{one['id']}", **said) for said in asked], kind="batch")
    answers = server.staff("team-doctor").post("", json=sent).json()["entry"]
    assert [answer["response"]["status"] for answer in answers] == ["304", "200", "304", "200"]
    assert ["resource" in answer for answer in answers] == [False, True, False, True]


# Wishes (search.html#errors, http.html#ops).


def test_an_unknown_parameter_is_left_aside_only_for_who_asks_so(server: Served) -> None:
    doctor = server.staff("team-doctor")
    made(server, "lenient", 11)
    asked = where(server, "lenient", "&colour=red&_text=x&_total=accurate")
    assert doctor.get(asked).status_code == 400
    assert doctor.get(asked, headers={"prefer": "handling=strict"}).status_code == 400
    answer = doctor.get(asked, headers={"prefer": "return=minimal, handling=lenient"})
    assert values(answer) == [11]
    said = [one["resource"] for one in answer.json()["entry"] if one["search"]["mode"] == "outcome"]
    assert said[0]["issue"][0]["details"]["coding"][0]["code"] == "api.left-aside"
    assert "colour" not in answer.text  # the self link says what was understood
    posted = doctor.post(
        "Observation/_search",
        data=dict(pair.split("=", 1) for pair in asked.partition("?")[2].split("&")),
        headers={"content-type": "application/x-www-form-urlencoded", "prefer": "handling=lenient"},
    )
    assert posted.content == answer.content


@pytest.mark.parametrize("wrong", ["date=yesterday", "date:exact=2020", "_sort=colour", "_count=x"])
def test_leniency_is_for_unknown_parameters_not_for_wrong_values(server: Served, wrong: str) -> None:
    answer = server.staff("team-doctor").get(
        where(server, "lenient", f"&{wrong}"), headers={"prefer": "handling=lenient"}
    )
    assert answer.status_code == 400


def test_leniency_never_drops_the_patient_nor_a_condition_of_a_write(server: Served) -> None:
    doctor = server.staff("team-doctor", prefer="handling=lenient")
    assert sentence(doctor.get("Observation?patien=1&code=x")) == "record.one-patient"
    made(server, "lenient-write")
    assert doctor.delete(where(server, "lenient-write", "&colour=red")).status_code == 400


# Formats and methods.


@pytest.mark.parametrize("more", ["&_format=json", "&_pretty=true", "&_format=application/fhir%2Bjson"])
def test_layout_is_no_criterion(server: Served, more: str) -> None:
    one = made(server, "layout", 12)
    assert values(server.staff("team-doctor").get(where(server, "layout", f"&_id={one['id']}{more}"))) == [12]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/fhir+json; fhirVersion=4.0", 201),
        ("application/fhir+json; fhirVersion=3.0", 415),
        ("application/fhir+json; fhirVersion=5.0", 415),
    ],
)
def test_a_body_of_another_fhir_version_is_refused(server: Served, kind: str, status: int) -> None:
    sent = server.staff("team-doctor").post(
        "Observation", json=weight(server.record()), headers={"content-type": kind}
    )
    assert sent.status_code == status


@pytest.mark.parametrize("tail", ["metadata", "Observation?patient={}", "Patient/{}", "Patient/{}/_history"])
def test_head_answers_what_get_would(server: Served, tail: str) -> None:
    doctor = server.staff("team-doctor")
    address = tail.format(server.record())
    got, head = doctor.get(address), doctor.head(address)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


# What rules an answer (search.html#return).


def test_a_count_of_nothing_is_a_summary_of_the_count(server: Served) -> None:
    made(server, "count"), made(server, "count")
    doctor = server.staff("team-doctor")
    for more in ("&_count=0", "&_summary=count"):
        answer = doctor.get(where(server, "count", more)).json()
        assert (answer["total"], "entry" in answer) == (2, False)
        assert [link["relation"] for link in answer["link"]] == ["self"]


@pytest.mark.parametrize(
    ("total", "said"), [("none", False), ("estimate", True), ("accurate", True), ("", None), ("many", None)]
)
def test_a_total_is_said_as_asked(server: Served, total: str, said: bool | None) -> None:
    made(server, "total")
    answer = server.staff("team-doctor").get(where(server, "total", f"&_total={total}&_count=1"))
    assert answer.status_code == (400 if said is None else 200)
    assert said is None or ("total" in answer.json()) is said


def test_several_keys_order_one_after_the_other(server: Served) -> None:
    days = [("2020-01-02", 1), ("2020-01-01", 2), ("2020-01-01", 3), ("2020-01-03", 4)]
    for day, value in days:
        made(server, "sorted", value, effectiveDateTime=day)
    doctor = server.staff("team-doctor")
    assert values(doctor.get(where(server, "sorted", "&_sort=date,-value-quantity"))) == [3, 2, 1, 4]
    assert values(doctor.get(where(server, "sorted", "&_sort=-date,value-quantity"))) == [4, 1, 2, 3]
    assert doctor.get(where(server, "sorted", "&_sort=date,-date")).status_code == 400
    assert doctor.get(where(server, "sorted", "&_sort=date&_sort=code")).status_code == 400


def test_the_last_change_is_asked_with_every_prefix(server: Served) -> None:
    one = made(server, "changed", 13)
    when = one["meta"]["lastUpdated"].replace("+", "%2B")
    doctor = server.staff("team-doctor")
    for prefix, found in (
        ("", [13]), ("eq", [13]), ("ge", [13]), ("le", [13]), ("gt", []), ("lt", []), ("ne", []),
        ("sa", []), ("eb", []), ("ap", [13]),
    ):  # fmt: skip
        assert values(doctor.get(where(server, "changed", f"&_lastUpdated={prefix}{when}"))) == found, prefix
    assert values(doctor.get(where(server, "changed", "&_lastUpdated=gt2020&_lastUpdated=lt2999-12-31"))) == [
        13
    ]


def test_a_list_of_ids_finds_those_of_them_that_may_be_seen(server: Served) -> None:
    doctor = server.staff("team-doctor")
    ids = [made(server, "ids", value)["id"] for value in (1, 2, 3)]
    listed = where(server, "ids", f"&_id={ids[0]},{ids[2]},{UNKNOWN}&_sort=value-quantity")
    assert values(doctor.get(listed)) == [1, 3]
    assert values(doctor.get(where(server, "ids", f"&_id={ids[0]}&_id={ids[1]}"))) == []


def test_a_search_by_post_takes_the_address_and_the_form_together(server: Served) -> None:
    made(server, "posted", 14)
    answer = server.staff("team-doctor").post(
        f"Observation/_search?patient={server.record()}",
        data={"identifier": "urn:regles|posted", "_format": "json"},
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert values(answer) == [14]


def test_an_operation_outcome_is_the_answer_of_every_refusal(server: Served) -> None:
    doctor = server.staff("team-doctor")
    for answer in (
        doctor.get(f"Observation/{UNKNOWN}"),
        doctor.get("Observation?patient=1&_sort=x"),
        doctor.get("Nothing/1"),
        doctor.post("Observation", content="{"),
        doctor.request("PUT", "Patient", content="{}"),
    ):
        assert outcome(answer)["severity"] == "error"
        assert answer.headers["content-type"].startswith("application/fhir+json")
