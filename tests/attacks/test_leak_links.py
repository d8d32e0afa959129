"""Searches that reach other items: a hidden item behind a chain, `_has` or an include is an absent one.

hapi-fhir #6065: results were filtered, but a forbidden resource still served as a criterion, and its
value was found by halving. microsoft/fhir-server #5683: `_include`, `_revinclude` and their continuation
pages left the compartment. LinuxForHealth/FHIR #1705: what a join may cost had no bound.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from serment.errors import SermentError, TooLargeError
from serment.fhir.query import parse
from serment.record import including
from serment.record.searching import Page
from tests.attacks.watching import Log, watched
from tests.doors.samples import weight
from tests.doors.served import Served, served
from tests.installation import run

UNKNOWN = f"Observation/{uuid.UUID(int=0x4000_8000_0000_0000_0000)}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Visible measures that refer each to one: hidden, unknown, another patient's, visible, a doctor."""

    server: Served
    patient: str
    hidden: str
    shown: str
    foreign: str
    doctor: str
    behind: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with served(tmp_path_factory.mktemp("links")) as server:
        made, patient = server.installation, server.record()
        doctor = server.staff("attending")
        hidden, shown = (_made(doctor, weight(patient, kilograms)) for kilograms in (91.25, 71.5))
        found = doctor.get("Practitioner", params={"family": "Vasselin"}).json()["entry"][0]["resource"]
        somebody = f"Practitioner/{found['id']}"
        other = _made(
            doctor, {"resourceType": "Patient", "name": [{"family": "Autre"}], "birthDate": "1980-01-01"}
        )
        foreign = _made(doctor, weight(other, 80))
        behind = {
            name: _made(doctor, weight(patient, 1, focus=[{"reference": reference}]))
            for name, reference in {
                "hidden": hidden,
                "unknown": UNKNOWN,
                "foreign": foreign,
                "shown": shown,
                "doctor": somebody,
            }.items()
        }
        run(made.house.choosing.mask(made.as_patient(), made.record(), hidden))
        yield Scene(server, patient, hidden, shown, foreign, somebody, behind)


def _made(doctor: httpx.Client, resource: dict[str, Any]) -> str:
    answer = doctor.post(resource["resourceType"], json=resource)
    assert answer.status_code == 201, answer.text
    return f"{resource['resourceType']}/{answer.json()['id']}"


def ask(who: httpx.Client, scene: Scene, *pairs: tuple[str, str]) -> Any:
    answer = who.get("Observation", params=[("patient", scene.patient), *pairs])
    assert answer.status_code == 200, answer.text
    return answer.json()


def included(bundle: Any) -> list[str]:
    """Give what a bundle brings, as `Type/id`."""
    found = [one for one in bundle.get("entry", []) if one["search"]["mode"] == "include"]
    return [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in found]


def one(scene: Scene, name: str) -> tuple[str, str]:
    return "_id", scene.behind[name].partition("/")[2]


@pytest.mark.capability("1-24", "refuses")
def test_a_hidden_value_is_not_found_by_halving_through_another_item(scene: Scene) -> None:
    """hapi-fhir #6065."""
    doctor = scene.server.staff("team-doctor")
    for bound in ("gt90", "lt91.3", "91.25", "ge0", "ne1", "sa91", "eb92"):
        for step in ("focus:Observation.value-quantity", "focus:Observation.code-value-quantity"):
            asked = f"29463-7${bound}" if "code" in step else bound
            assert ask(doctor, scene, one(scene, "hidden"), (step, asked))["total"] == 0
            seen = ask(
                doctor, scene, one(scene, "shown"), (step, "29463-7$gt71" if "code" in step else "gt71")
            )
            assert seen["total"] == 1


def test_a_hidden_item_makes_nobody_match_by_has(scene: Scene) -> None:
    doctor, holder = scene.server.staff("team-doctor"), scene.server.patient()
    for who, total in ((doctor, 0), (holder, 1)):
        found = who.get(
            "Patient", params={"_id": scene.patient, "_has:Observation:patient:value-quantity": "91.25"}
        )
        assert found.json()["total"] == total


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("target", ["hidden", "foreign"])
def test_an_include_of_what_may_not_be_seen_is_one_of_what_is_not_there(scene: Scene, target: str) -> None:
    """microsoft/fhir-server #5683: hidden here, or in the record of somebody else."""
    doctor = scene.server.staff("team-doctor")
    told = []
    for name in (target, "unknown"):
        bundle = ask(doctor, scene, one(scene, name), ("_include", "Observation:focus"))
        assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match"]
        told.append((bundle["total"], len(bundle["link"])))
    assert told[0] == told[1]


@pytest.mark.capability("1-30", "lets")
def test_an_include_of_what_may_be_seen_is_brought(scene: Scene) -> None:
    doctor = scene.server.staff("team-doctor")
    assert included(ask(doctor, scene, one(scene, "shown"), ("_include", "Observation:focus"))) == [
        scene.shown
    ]
    back = ask(doctor, scene, ("_id", scene.shown.partition("/")[2]), ("_revinclude", "Observation:focus"))
    assert included(back) == [scene.behind["shown"]]
    from_directory = ask(doctor, scene, one(scene, "doctor"), ("_include", "Observation:focus"))
    assert included(from_directory) == [scene.doctor]


def test_continuation_pages_bring_no_more_than_first_ones(scene: Scene) -> None:
    """microsoft/fhir-server #5683: each page is decided anew."""
    doctor = scene.server.staff("team-doctor")
    bundle = ask(
        doctor,
        scene,
        ("_include", "Observation:focus"),
        ("_count", "1"),
        ("code-value-quantity", "29463-7$1"),
    )
    brought, pages = included(bundle), 1
    while link := next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None):
        bundle = doctor.get("Observation", params=dict(parse_qsl(urlsplit(link).query))).json()
        brought += included(bundle)
        pages += 1
    assert pages == len(scene.behind)
    assert sorted(brought) == sorted([scene.shown, scene.doctor])


@pytest.mark.parametrize(
    "criterion",
    [
        ("_include", "Observation:focus"),
        ("focus:Observation.value-quantity", "gt1"),
        ("focus:Practitioner.name", "a"),
        ("_has:Observation:focus:code", "29463-7"),
        ("_summary", "true"),
    ],
)
@pytest.mark.parametrize("target", ["hidden", "foreign"])
def test_hidden_and_unknown_behind_a_link_leave_the_same_list(
    scene: Scene, criterion: tuple[str, str], target: str
) -> None:
    """What a clock or a load graph would show is the same list of statements, openings and appends."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("team-doctor")
    told: list[Log] = []
    for name in (target, "unknown") * 2:
        log.clear()
        query = parse("Observation", [("patient", scene.patient), one(scene, name), criterion])
        run(house.finding.search(asking, query))
        told.append(list(log))
    assert told[2]
    assert told[2] == told[3]


@pytest.mark.parametrize(
    "criterion", [("focus:Practitioner.name", "a"), ("_include", "Observation:performer"), ("code:not", "x")]
)
def test_a_closed_record_and_an_unknown_one_leave_the_same_list(
    scene: Scene, criterion: tuple[str, str]
) -> None:
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("unrelated-doctor")
    told: list[Log] = []
    for patient in (scene.patient, str(uuid.UUID(int=5))) * 2:
        log.clear()
        with suppress(SermentError):
            run(house.finding.search(asking, parse("Observation", [("patient", patient), criterion])))
        told.append(list(log))
    assert told[2]
    assert told[2] == told[3]


def test_the_list_tells_a_brought_item_from_one_that_is_not(scene: Scene) -> None:
    """The comparison can fail."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff("team-doctor")
    told: list[Log] = []
    for name in ("shown", "unknown") * 2:
        log.clear()
        pairs = [("patient", scene.patient), one(scene, name), ("_include", "Observation:focus")]
        run(house.finding.search(asking, parse("Observation", pairs)))
        told.append(list(log))
    assert told[2] != told[3]


def test_what_is_brought_is_traced(scene: Scene) -> None:
    """No trace, no data: an included item stands in the holder's list as what was asked does."""
    made = scene.server.installation
    pairs = [("patient", scene.patient), one(scene, "shown"), ("_include", "Observation:focus")]
    page: Page = run(made.house.finding.search(made.as_staff("team-doctor"), parse("Observation", pairs)))
    trail = run(made.house.proving.trail(made.as_patient(), made.record()))
    named = [{one.partition("/_history")[0] for one in body.event.resources} for body in trail]
    shown = {f"{item.type}/{item.id}" for item in (*page.served, *page.included)}
    assert shown == {scene.behind["shown"], scene.shown}
    assert shown in named


def test_a_page_that_would_bring_too_much_is_refused_and_leaves_its_trace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LinuxForHealth/FHIR #1705: a join without a bound. Refused whole: a part would look like all of it."""
    monkeypatch.setattr(including, "MOST_INCLUDED", 1)
    made = scene.server.installation
    before = len(run(made.house.proving.trail(made.as_patient(), made.record())))
    pairs = [("_id", scene.patient), ("_revinclude", "Observation:subject")]
    with pytest.raises(TooLargeError):
        run(made.house.finding.search(made.as_staff("team-doctor"), parse("Patient", pairs)))
    assert len(run(made.house.proving.trail(made.as_patient(), made.record()))) > before


@pytest.mark.parametrize("name", ["_elements", "_summary"])
def test_a_part_of_a_person_shows_no_contact_that_the_whole_does_not(scene: Scene, name: str) -> None:
    for role in ("team-doctor", "nurse", "unrelated-doctor"):
        who = scene.server.staff(role)
        whole = who.get("Patient", params={"_id": scene.patient}).json()
        part = who.get("Patient", params={"_id": scene.patient, name: "telecom" if "el" in name else "true"})
        assert part.status_code == 200
        members = [set(entry["resource"]) for entry in (whole, part.json())[0].get("entry", [])]
        shown = [set(entry["resource"]) for entry in part.json().get("entry", [])]
        assert all(some <= members[0] for some in shown)
