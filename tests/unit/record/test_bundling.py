"""Making a bundle ready: links, versions, blame; and what finding a person shows. Plain values only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serment.errors import (
    ConflictError,
    EntryError,
    MalformedError,
    RefusedError,
    RequestError,
    TooLargeError,
    TooManyError,
)
from serment.fhir.document import read
from serment.fhir.query import parse
from serment.fhir.transaction import entries
from serment.model import ActorId, Instant
from serment.record.budget import Budget
from serment.record.finding import only_who, person_keys_of, who
from serment.record.passage import SEARCHES, WINDOW
from serment.record.steps import MOST_CONDITIONS, blaming, prepared, version_of
from serment.words import Language
from tests.doors.samples import bundle, entry, person, weight

ME = ActorId("rpps:1")


def asked(*sent: dict[str, Any]) -> Any:
    return entries(read(json.dumps(bundle(*sent)).encode()))


def test_links_take_the_ids_given() -> None:
    sent = asked({"fullUrl": "urn:uuid:a", **entry(person())}, entry(weight("urn:uuid:a")))
    first, second = prepared(sent, "http://h/fhir", {0: "one", 1: "two"})
    assert (first.type, first.id, second.id) == ("Patient", "one", "two")
    assert second.incoming is not None
    assert second.incoming.document.value["subject"]["reference"] == "Patient/one"


def test_an_entry_s_own_fault_names_it() -> None:
    with pytest.raises(EntryError) as blamed:
        prepared(asked(entry(person()), entry({"resourceType": "Observation"})), "", {0: "a", 1: "b"})
    error = blamed.value
    assert (error.expression, error.status) == ("Bundle.entry[1]", 422)
    assert "entry 2" in error.said(Language.EN)
    assert "l'entrée 2" in error.said(Language.FR)


def test_blame_keeps_the_status_and_issue_of_the_cause() -> None:
    with pytest.raises(EntryError) as blamed, blaming(6):
        raise RefusedError("record.not-writable")
    assert (blamed.value.status, blamed.value.issue, blamed.value.exit_code) == (403, "forbidden", 3)
    with pytest.raises(EntryError) as again, blaming(7):
        raise blamed.value
    assert again.value.expression == "Bundle.entry[6]"


def test_two_entries_of_one_address_are_refused() -> None:
    one = {"fullUrl": "urn:uuid:a", **entry(person())}
    with pytest.raises(EntryError) as blamed:
        prepared(asked(one, one), "", {0: "a", 1: "b"})
    assert isinstance(blamed.value.cause, ConflictError)


def test_conditions_are_bounded() -> None:
    many = [entry(person(), ifNoneExist="identifier=a|b")] * (MOST_CONDITIONS + 1)
    with pytest.raises(TooLargeError):
        prepared(asked(*many), "", {place: str(place) for place in range(len(many))})


def test_an_if_match_of_an_entry_is_read_as_the_header_is() -> None:
    assert version_of("") is None
    assert version_of('W/"3"') == 3
    with pytest.raises(MalformedError):
        version_of("3")


def test_finding_shows_who_somebody_is_and_nothing_else() -> None:
    secret = {
        "meta": {
            "versionId": "3",
            "security": [{"code": "VIP"}],
            "tag": [{"code": "celebrity"}],
            "source": "x",
        },
        "telecom": [{"value": "06"}],
        "maritalStatus": {"text": "x"},
        "generalPractitioner": [{"display": "x"}],
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-religion"}],
        "text": {"div": "<div>x</div>"},
    }
    shown = json.loads(who(json.dumps({**person("Martin"), **secret}).encode()))
    assert set(shown) == {"resourceType", "name", "birthDate", "gender", "meta"}
    assert set(shown["meta"]) == {"versionId", "tag"}
    assert [one["code"] for one in shown["meta"]["tag"]] == ["SUBSETTED"]


@pytest.mark.parametrize(
    "pairs",
    [
        [("family", "Martin")],
        [("birthdate", "1970-01-01,1970-01-02"), ("family", "Martin")],
        [("birthdate", "lt1970-01-01"), ("family", "Martin")],
        [("birthdate", "1970"), ("family", "Martin")],
        [("identifier", "123")],
    ],
)
def test_a_person_is_searched_by_one_exact_compound(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(RequestError):
        person_keys_of(parse("Patient", pairs))


def test_a_criterion_beyond_who_somebody_is_needs_more_leave() -> None:
    compound = [("birthdate", "1970-01-01"), ("family", "Martin")]
    assert only_who(parse("Patient", [*compound, ("gender", "female")]))
    assert not only_who(parse("Patient", [*compound, ("deceased", "true")]))


def test_a_budget_says_when_it_opens_again() -> None:
    budget = Budget(SEARCHES, WINDOW, "record.too-many-searches")
    for _ in range(SEARCHES):
        budget.spend(ME, Instant(0))
    budget.spend(ActorId("rpps:2"), Instant(0))
    with pytest.raises(TooManyError) as spent:
        budget.spend(ME, Instant(1000))
    assert spent.value.parameters["seconds"] == (WINDOW - 1000) // 1000 + 1
    budget.spend(ME, Instant(WINDOW))
