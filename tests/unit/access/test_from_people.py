"""What RelatedPerson, Patient and reports say of people: plain values in, facts out."""

from __future__ import annotations

from typing import Any

import pytest

from serment.access.categories import classify
from serment.access.from_consent import choices, provision_of
from serment.access.from_people import alleged_authors, deceased, emancipated, mandate, proxy_of
from serment.access.record_facts import (
    ASSISTANCE,
    CONSENT,
    HEIR,
    HEIRS_OPPOSED,
    PARENTAL,
    REPRESENTATION,
    REPRESENTATIVE,
    Mandate,
)
from serment.fhir.consent import consent, naming_carer, opposing_heirs
from serment.fhir.document import read
from serment.model import Label
from tests.rules.cast import NOW

BASIS = "urn:serment:mandate-basis"
LIMIT = "urn:serment:mandate-category"


def related(*bases: str, role: str = "GUARD", **more: Any) -> dict[str, Any]:
    codings = [{"code": role}, *({"system": BASIS, "code": basis} for basis in bases)]
    return {"resourceType": "RelatedPerson", "relationship": [{"coding": codings}], **more}


@pytest.mark.parametrize(
    ("resource", "basis"),
    [
        (related(), PARENTAL),
        (related("parental", role="X"), PARENTAL),
        (related("representation"), REPRESENTATION),
        (related("assistance"), ASSISTANCE),
        (related("property"), None),
        (related("safeguard"), None),
        (related("withdrawn", role="MTH"), None),
        (related("of my own"), None),
        (related("representation", "property"), None),
        (related(role="FRND"), None),
        (related("representation", active=False), None),
        ({"resourceType": "RelatedPerson"}, None),
    ],
)
def test_a_mandate_says_upon_what_it_stands(resource: dict[str, Any], basis: str | None) -> None:
    made = mandate(resource, "1", NOW)
    assert (made and (made.kind, made.basis)) == (basis and (REPRESENTATIVE, basis))


def test_an_heir_is_no_representative() -> None:
    assert mandate(related("heir", role="CHILD"), "1", NOW) == Mandate("proxy:1", HEIR, NOW)
    assert mandate(related("heir", "parental", role="CHILD"), "1", NOW) is None


@pytest.mark.parametrize(
    ("extensions", "categories"),
    [
        ([{"url": LIMIT, "valueCode": "labs"}, {"url": LIMIT, "valueCode": "10"}], ("10", "labs")),
        ([{"url": "urn:other", "valueCode": "labs"}], ()),
    ],
)
def test_a_judge_leaves_some_categories(extensions: list[Any], categories: tuple[str, ...]) -> None:
    made = mandate(related(role="MTH", extension=extensions), "1", NOW)
    assert made is not None
    assert made.categories == categories


@pytest.mark.parametrize("value", [{"valueCode": "no such"}, {"valueString": "labs"}, {}])
def test_a_limit_that_is_not_read_leaves_nothing(value: dict[str, str]) -> None:
    assert mandate(related(role="MTH", extension=[{"url": LIMIT, **value}]), "1", NOW) is None


@pytest.mark.parametrize(
    ("patient", "before", "at"),
    [
        ({}, None, None),
        ({}, 5, None),
        ({"deceasedBoolean": False}, 5, None),
        ({"deceasedBoolean": True}, None, NOW),
        ({"deceasedBoolean": True}, 5, 5),
        ({"deceasedDateTime": "1970-01-02"}, None, 86_400_000),
        ({"deceasedDateTime": "2199"}, None, None),
        ({"deceasedDateTime": "soon"}, None, None),
    ],
)
def test_a_death_has_an_instant(patient: dict[str, Any], before: int | None, at: int | None) -> None:
    assert deceased(patient, before, NOW) == at


def test_an_emancipation_is_kept_as_it_is_written() -> None:
    url = "urn:serment:emancipated"
    assert emancipated({}) == ""
    assert emancipated({"extension": [{"url": url, "valueDate": "2026-01-01"}]}) == "2026-01-01"
    assert emancipated({"extension": [{"url": url, "valueString": "once"}]}) == "?"


def test_who_is_said_to_have_done_harm_makes_an_item_a_report() -> None:
    url = "urn:serment:alleged-author"
    named = [
        {"url": url, "valueReference": {"reference": "RelatedPerson/7"}},
        {"url": url, "valueReference": {"reference": "Practitioner/9"}},
        {"url": url, "valueReference": {"display": "somebody"}},
    ]
    item = {"resourceType": "Observation", "extension": named}
    assert alleged_authors(item, {"Practitioner/9": "rpps:9"}.__getitem__) == ["proxy:7", "rpps:9"]
    assert Label.VIOLENCE in classify(item).labels


@pytest.mark.parametrize(
    ("reference", "proxy"),
    [
        ("RelatedPerson/7", "proxy:7"),
        ("RelatedPerson/7/_history/2", "proxy:7"),
        ("https://here/fhir/RelatedPerson/7", "proxy:7"),
        ("https://elsewhere/fhir/RelatedPerson/7", ""),
        ("Patient/7", ""),
        ("RelatedPerson/", ""),
        ("", ""),
    ],
)
def test_a_reference_names_a_proxy_of_this_server_only(reference: str, proxy: str) -> None:
    assert proxy_of({"reference": reference}, "https://here/fhir") == proxy


def test_the_words_about_carers_and_heirs_are_read_back() -> None:
    carer = read(consent("1", naming_carer("7", ["labs", "vitals"], "2199-01-01"))).value
    made = choices(carer, "c", NOW, "patient:1", lambda _: "")
    assert [(one.kind, one.actor, one.category) for one in made] == [
        (CONSENT, "proxy:7", "labs"),
        (CONSENT, "proxy:7", "vitals"),
    ]
    assert all(one.end is not None for one in made)
    heirs = read(consent("1", opposing_heirs())).value
    (said,) = choices(heirs, "h", NOW, "patient:1", lambda _: "")
    assert said.kind == HEIRS_OPPOSED
    again = read(consent("1", provision_of(said))).value
    assert [one.kind for one in choices(again, "h", NOW, "patient:1", lambda _: "")] == [HEIRS_OPPOSED]
