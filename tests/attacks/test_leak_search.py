"""What is hidden must not show through a search: as a criterion, a count, an order, a page or an include.

Cases of other servers: hapi-fhir #6065 (a forbidden resource still serves as a search criterion, so that
values are found by dichotomy), microsoft/fhir-server #5683 (`_include`, `_revinclude` and their
continuation pages left the compartment), medplum #4183 (a second query language with a policy of its own),
samply/blaze (an unknown parameter dropped shows more than was asked).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.doors.served import Served, served
from tests.installation import run

KIND = "Observation"


@dataclass(frozen=True, slots=True)
class Scene:
    """Every measurement of a patient as the holder sees them, and those that are masked."""

    server: Served
    patient: str
    all: tuple[dict[str, Any], ...]
    masked: tuple[str, ...]

    def search(self, who: httpx.Client, **parameters: str) -> httpx.Response:
        """Search the patient's measurements; `__` in a name stands for `:`."""
        named = {name.replace("__", ":"): value for name, value in parameters.items()}
        return who.get(KIND, params={"patient": f"Patient/{self.patient}", **named})


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with served(tmp_path_factory.mktemp("search")) as server:
        made, patient = server.installation, server.record()
        with server.patient() as me:
            found = me.get(KIND, params={"patient": f"Patient/{patient}", "_count": "500"}).json()
        everything = tuple(entry["resource"] for entry in found["entry"])
        masked = tuple(resource["id"] for resource in everything[::3])
        for id_ in masked:
            run(made.house.choosing.mask(made.as_patient(), made.record(), f"{KIND}/{id_}"))
        yield Scene(server, patient, everything, masked)


def ids(answer: httpx.Response) -> list[str]:
    """Give the ids of a page of answers, in its order."""
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]


@pytest.mark.capability("1-24", "refuses")
def test_totals_count_what_may_be_seen_and_nothing_else(scene: Scene) -> None:
    with scene.server.staff("team-doctor") as doctor:
        for parameters in ({"_count": "0"}, {"_total": "accurate"}, {"_count": "1"}):
            total = scene.search(doctor, **parameters).json()["total"]
            assert total == len(scene.all) - len(scene.masked)


def test_a_hidden_value_is_no_criterion(scene: Scene) -> None:
    """Each criterion that a hidden row alone meets answers as one that nothing meets."""
    hidden = [resource for resource in scene.all if resource["id"] in scene.masked]
    with scene.server.staff("team-doctor") as doctor:
        for resource in hidden:
            one = scene.search(doctor, _id=resource["id"]).json()
            date = scene.search(doctor, date=resource["effectiveDateTime"])
            assert one["total"] == 0
            assert resource["id"] not in ids(date)


def test_the_order_of_what_is_seen_is_that_of_a_record_without_the_rest(scene: Scene) -> None:
    with scene.server.staff("team-doctor") as doctor, scene.server.patient() as me:
        for sort in ("date", "-date", "_lastUpdated", "-_lastUpdated"):
            seen = ids(scene.search(doctor, _sort=sort, _count="500"))
            all_of_it = ids(scene.search(me, _sort=sort, _count="500"))
            assert seen == [id_ for id_ in all_of_it if id_ not in scene.masked]


def test_pages_are_full_and_end_where_the_visible_ends(scene: Scene) -> None:
    """A page with holes, or a last empty page, counts the hidden rows for whoever reads."""
    seen: list[str] = []
    with scene.server.staff("team-doctor") as doctor:
        answer = scene.search(doctor, _count="5", _sort="date")
        while True:
            page = ids(answer)
            seen += page
            following = [link["url"] for link in answer.json()["link"] if link["relation"] == "next"]
            if not following:
                break
            assert len(page) == 5
            answer = doctor.get(KIND, params=dict(parse_qsl(urlsplit(following[0]).query)))
    assert page
    assert seen == [id_ for id_ in dict.fromkeys(seen) if id_ not in scene.masked]
    assert len(seen) == len(scene.all) - len(scene.masked)


REFUSED = (
    "Patient?_has:Observation:patient:code=8867-4",
    "Patient?_has:Observation:patient:value-quantity=gt3",
    "Patient?_has:Condition:patient:code=E11.9",
    "Patient?birthdate=1972-01-10&family=Valmaud&_has:Condition:patient:code=E11.9",
    "Patient?birthdate=1972-01-10&family=Valmaud&_revinclude=Condition:patient",
    "Observation?patient.family=Valmaud",
    "Observation?patient.identifier=1",
    "Practitioner?_has:Observation:performer:code=8867-4",
    "Practitioner?_revinclude=Observation:performer",
    "PractitionerRole?practitioner._has:Observation:performer:code=8867-4",
    "Observation?patient={p}&_include=*",
    "Observation?patient={p}&_include:iterate=Observation:has-member",
    "Patient?_id={p}&_revinclude=*",
    "Patient?_id={p}&_revinclude=AuditEvent:patient",
    "Observation?patient={p}&_filter=value-quantity gt 3",
    "Observation?patient={p}&_contained=true",
    "Observation?patient={p}&_query=everything",
    "Observation?patient={p}&_content=HIV",
    "Observation?patient={p}&_text=HIV",
    "Observation?patient={p}&_list=42",
    "Observation?patient={p}&_type=Condition",
    "Observation?patient={p}&hidden=true",
    "Observation?patient={p}&code:above=8867-4",
    "Observation?patient={p}&code:in=http://example.org/vs",
    "Observation?_type=Observation",
    "?_type=Patient",
)


@pytest.mark.parametrize("search", REFUSED)
def test_no_way_round_the_decision_by_a_parameter(scene: Scene, search: str) -> None:
    """hapi-fhir #6065 and microsoft #5683: what could reach another resource is refused, never dropped."""
    with scene.server.staff("team-doctor") as doctor:
        answer = doctor.get(
            search.format(p=f"Patient/{scene.patient}" if "patient=" in search else scene.patient)
        )
    assert answer.status_code in {400, 404, 405}, (search, answer.text)
    assert "Valmaud" not in answer.text


@pytest.mark.parametrize("path", ["$export", "$graphql", "$lastn", "$everything", "_history"])
def test_no_second_way_to_the_data(scene: Scene, path: str) -> None:
    """medplum #4183: every way that is not the passage does not exist, and what is one shows no more."""
    with scene.server.staff("team-doctor") as doctor:
        for where in (f"Patient/{scene.patient}/{path}", f"Patient/{path}", path):
            answer = doctor.get(where)
            assert answer.status_code in {200, 400, 403, 404, 405}
            assert not any(masked in answer.text for masked in scene.masked)
            if path in {"$graphql", "$lastn"}:
                assert answer.status_code in {400, 404, 405}


@pytest.mark.capability("4-04", "refuses")
@pytest.mark.parametrize("change", ["mask", "block", "oppose"])
def test_the_next_page_is_gone_once_the_patient_has_spoken(scene: Scene, change: str) -> None:
    """A link to the next page holds no permission: it is decided again, on the facts of that moment."""
    made = scene.server.installation
    choosing, me, record = made.house.choosing, made.as_patient(), made.record()
    with scene.server.staff("team-doctor") as doctor, scene.server.patient() as patient:
        first = scene.search(doctor, _count="3")
        link = next(link["url"] for link in first.json()["link"] if link["relation"] == "next")
        token = dict(parse_qsl(urlsplit(link).query))
        if change == "mask":
            item = f"{KIND}/{ids(first)[0]}"
            run(choosing.mask(me, record, item))
        elif change == "block":
            run(choosing.block(me, record, made.staff("team-doctor").id.removeprefix("rpps:")))
        else:
            run(choosing.oppose(me, record))
        assert doctor.get(KIND, params=token).status_code == 410
        remaining = scene.search(doctor, _count="500").json()["total"]
        _take_back(patient, scene.patient, keep=set(scene.masked))
        assert remaining == (len(scene.all) - len(scene.masked) - 1 if change == "mask" else 0)
        assert scene.search(doctor, _count="500").json()["total"] == len(scene.all) - len(scene.masked)


def _take_back(patient: httpx.Client, id_: str, keep: set[str]) -> None:
    """Delete every choice but the masks of the scene."""
    found = patient.get("Consent", params={"patient": f"Patient/{id_}", "_count": "500"}).json()
    for entry in found["entry"]:
        resource = entry["resource"]
        data = resource["provision"].get("data", [])
        if not any(one["reference"]["reference"].partition("/")[2] in keep for one in data):
            assert patient.delete(f"Consent/{resource['id']}").status_code == 200


def test_a_page_of_somebody_else_is_no_page(scene: Scene) -> None:
    """A sealed token is bound to its caller; altered, it is nobody's."""
    with scene.server.staff("attending") as one, scene.server.staff("team-doctor") as other:
        answer = scene.search(one, _count="3")
        link = next(link["url"] for link in answer.json()["link"] if link["relation"] == "next")
        token = dict(parse_qsl(urlsplit(link).query))["_page"]
        assert scene.patient not in link
        assert other.get(KIND, params={"_page": token}).status_code == 400
        assert one.get(KIND, params={"_page": token[:-4] + "AAAA"}).status_code == 400
        assert one.get("Condition", params={"_page": token}).status_code == 400
        assert one.get(KIND, params={"_page": token}).status_code == 200


@pytest.mark.capability("0-21", "refuses")
@pytest.mark.parametrize("role", ["attending", "team-doctor", "secretary", "officer", "pharmacist", "intern"])
def test_contacts_are_never_listed_in_bulk(scene: Scene, role: str) -> None:
    """0-21: whoever asks for people in number gets a refusal, and no refusal names anybody."""
    searches = (
        "Patient",
        "Patient?_count=500",
        "Patient?family=Valmaud",
        "Patient?name=a",
        "Patient?birthdate=1972-01-10",
        "Patient?birthdate=gt1900&family=V",
        "Patient?birthdate=1972&family=Valmaud",
        "Patient?address-city=Bourg-Tilleul",
        "Patient?telecom=phone|06",
        "Patient?phone=0639989032",
        "Patient?email=p0001@courriel.example",
        "Patient?identifier=272013306372263",
        "Patient?identifier:missing=false",
        "Patient?active=true",
        "Patient?_lastUpdated=gt2020-01-01",
        "RelatedPerson",
        "RelatedPerson?_count=500",
        "RelatedPerson?phone=06",
        "Person",
        "Group",
        "List",
        "Observation",
        "Encounter?date=gt2000",
    )
    with scene.server.staff(role) as asker:
        for search in searches:
            answer = asker.get(search)
            assert answer.status_code in {400, 403, 404}, (search, answer.text)
            assert "Valmaud" not in answer.text


@pytest.mark.capability("0-21", "lets")
def test_contact_is_read_apart_from_care(scene: Scene) -> None:
    """Who attends the person reads how to reach them; who holds no right to the contact reads the rest."""
    with scene.server.staff("attending") as doctor:
        assert doctor.get(f"Patient/{scene.patient}").json()["telecom"]


def test_finding_a_person_answers_nothing_but_who_they_are(scene: Scene) -> None:
    """hapi-fhir #6065: with a right to find and no more, no criterion tells a hidden value."""
    with scene.server.patient() as me:
        whole = me.get(f"Patient/{scene.patient}").json()
    born, family = whole["birthDate"], whole["name"][0]["family"]
    with scene.server.staff("second-associate") as finder:
        found = finder.get("Patient", params={"birthdate": born, "family": family})
        assert found.json()["total"] in {0, 1}
        for entry in found.json().get("entry", []):
            if entry["search"]["mode"] == "match" and "tag" in entry["resource"].get("meta", {}):
                shown = set(entry["resource"])
                assert not shown & {"telecom", "address", "contact", "identifier", "generalPractitioner"}
        totals = [
            finder.get(
                "Patient", params={"birthdate": born, "family": family, "general-practitioner": practitioner}
            ).json()["total"]
            for practitioner in (whole["generalPractitioner"][0]["reference"], "Practitioner/nobody")
        ]
    assert totals[0] == totals[1]
