"""The pages behind the first page of a record, over HTTP: what is asked, what is shown, what stays hidden."""

from __future__ import annotations

import asyncio
import html
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serment.record import incoming
from tests.doors.served import Served, served

LOINC = "http://loinc.org"
TERMS = "http://terminology.hl7.org/CodeSystem"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("chart")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def doctor(server: Served, role: str = "team-doctor") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/home"))
    return page


def at(server: Served, tail: str = "") -> str:
    return f"/record/{server.record()}{tail}"


def words(answer: httpx.Response) -> str:
    """What a person reads in the page's own part."""
    main = answer.text.partition("<main")[2] or answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def key(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def write(server: Served, resource: dict[str, Any], role: str = "attending", patient: str = "patient") -> str:
    """Write an item of a patient's record; give its `Type/id`."""
    who = {"reference": f"Patient/{server.record(patient)}"}
    owner = "patient" if resource["resourceType"] in {"AllergyIntolerance", "Immunization"} else "subject"
    sent = incoming.read(json.dumps({**resource, owner: who}).encode())
    written = asyncio.run(server.house.writing.create(server.installation.as_staff(role), sent))
    return f"{resource['resourceType']}/{written.id}"


def problem(text: str, day: str = "2026-02-03", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": {"text": text}, "recordedDate": day, **more}


def result(text: str, value: float | None, day: str, unit: str = "g/L", **more: Any) -> dict[str, Any]:
    said = {} if value is None else {"valueQuantity": {"value": value, "unit": unit}}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": f"{TERMS}/observation-category", "code": "laboratory"}]}],
        "code": {"coding": [{"system": LOINC, "code": f"x-{text}"}], "text": text},
        "effectiveDateTime": day,
        **said,
        **more,
    }


def days(answer: httpx.Response) -> list[str]:
    shown = re.findall(r"<li><time>(\d\d)/(\d\d)/(\d{4})</time>", answer.text)
    return ["-".join(reversed(day)) for day in shown]


@pytest.mark.parametrize(
    "tail",
    [
        "/timeline",
        "/problems",
        "/treatments",
        "/allergies",
        "/vaccinations",
        "/vitals",
        "/labs",
        "/documents",
    ],
)
def test_each_page_opens_and_names_the_person(server: Served, tail: str) -> None:
    answer = doctor(server).get(at(server, tail))
    assert answer.status_code == 200
    assert 'class="identity"' in answer.text


@pytest.mark.parametrize("tail", ["/timeline", "/labs", "/problems", "/documents", "/vitals/000000000000"])
def test_a_record_that_is_not_open_answers_as_one_that_does_not_exist(server: Served, tail: str) -> None:
    page = doctor(server, "unrelated-doctor")
    hidden, absent = page.get(at(server, tail)), page.get(f"/record/{uuid.uuid4()}{tail}")
    assert (hidden.status_code, words(hidden)) == (absent.status_code, words(absent))
    assert hidden.status_code == 404


def test_an_empty_list_never_says_none(server: Served) -> None:
    answer = doctor(server).get(at(server, "/labs/000000000000"))
    assert "Rien d'enregistré que vous puissiez voir." in words(answer)


# The timeline.


def test_the_timeline_is_newest_first_and_its_pages_follow_each_other(server: Served) -> None:
    page = doctor(server)
    first = page.get(at(server, "/timeline"))
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older is not None
    second = page.get(html.unescape(older[1]))
    shown = days(first) + days(second)
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == 60


def test_a_kind_and_a_period_stand_in_the_address_and_rule_what_is_shown(server: Served) -> None:
    write(server, result("Ferritine", 80, "2025-03-05"))
    page = doctor(server)
    answer = page.get(at(server, "/timeline?kind=labs&since=2025-03-05&until=2025-03-05"))
    assert set(days(answer)) == {"2025-03-05"}
    assert "Ferritine" in words(answer)
    assert "Ferritine" not in words(page.get(at(server, "/timeline?kind=problems&since=2025-03-05")))


def test_an_author_is_a_token_in_the_address_and_never_a_name_or_a_number(server: Served) -> None:
    page = doctor(server)
    first = page.get(at(server, "/timeline"))
    links = re.findall(r'href="([^"]*author=([0-9a-f]{12}))"[^>]*><bdi>([^<]+)</bdi>', first.text)
    to, _, name = links[0]
    answer = page.get(html.unescape(to))
    assert f"Auteur : {html.unescape(name)}" in words(answer)
    assert len(days(answer)) < 30 or "sur" in words(answer)
    assert not re.search(r"author=\d{11}", first.text)


def test_a_date_that_cannot_be_read_says_what_to_write_beside_its_field(server: Served) -> None:
    answer = doctor(server).get(at(server, "/timeline?since=hier&kind=labs"))
    assert answer.status_code == 400
    assert 'id="since-error"' in answer.text
    assert 'value="hier"' in answer.text


@pytest.mark.parametrize(
    "asked", ["?page=0", "?page=9999", "?page=x", "?kind=nothing", "?author=%F0%9F%98%80"]
)
def test_whatever_stands_in_an_address_the_page_stands(server: Served, asked: str) -> None:
    assert doctor(server).get(at(server, f"/timeline{asked}")).status_code == 200


def test_words_are_looked_for_by_a_form_and_never_stand_in_an_address(server: Served) -> None:
    write(server, problem("Épicondylite droite", "2025-01-02"))
    page = doctor(server)
    form = {"csrf": key(page.get(at(server, "/timeline")).text), "words": "epicond droi"}
    answer = page.post(at(server, "/timeline"), data=form)
    assert "Épicondylite droite" in words(answer)
    assert 'value="epicond droi"' in answer.text
    assert not any(
        "epicond" in to for to in re.findall(r'(?:href|action|hx-post|src)="([^"]*)"', answer.text)
    )
    assert "Épicondylite" not in words(page.get(at(server, "/timeline?words=epicond&kind=labs")))


def test_who_types_is_given_the_list_alone(server: Served) -> None:
    page = doctor(server)
    form = {"csrf": key(page.get(at(server, "/timeline")).text), "words": "hemo"}
    answer = page.post(at(server, "/timeline"), data=form, headers={"hx-request": "true"})
    assert "Hémoglobine glyquée" in answer.text
    assert "<html" not in answer.text
    assert "<form" not in answer.text


def test_a_search_without_the_key_of_the_session_is_refused(server: Served) -> None:
    assert doctor(server).post(at(server, "/timeline"), data={"words": "hemo"}).status_code == 400


def test_what_is_masked_is_found_by_no_word_and_in_no_list(server: Served) -> None:
    page = doctor(server)
    before = page.get(at(server, "/timeline")).text
    hidden = write(server, problem("Zona ophtalmique", "2026-11-01"))
    asyncio.run(
        server.house.choosing.mask(server.installation.as_patient(), server.installation.record(), hidden)
    )
    form = {"csrf": key(before), "words": "zona"}
    nothing = {**form, "words": "inexistant"}
    found, none = (page.post(at(server, "/timeline"), data=sent) for sent in (form, nothing))
    assert words(found) == words(none)
    for tail in ("/timeline", "/problems"):
        assert "Zona" not in page.get(at(server, tail)).text
    shown = re.search(r"sur (\d+),", words(page.get(at(server, "/timeline"))))
    first = re.search(r"sur (\d+),", html.unescape(before))
    assert shown is not None
    assert first is not None
    assert shown[1] == first[1]


def acts(server: Served) -> int:
    """How many lines of the trace are about who asks here."""
    trail = asyncio.run(server.house.proving.trail(server.installation.as_patient(), server.record()))
    return sum(body.event.actor == server.installation.staff("team-doctor").id for body in trail)


@pytest.mark.parametrize("tail", ["/timeline", "/labs", "/treatments", "/documents"])
def test_one_page_is_one_line_of_the_trace(server: Served, tail: str) -> None:
    page, before = doctor(server), acts(server)
    assert page.get(at(server, tail)).status_code == 200
    assert acts(server) == before + 1


# Lists.


def test_what_stands_comes_before_what_is_over(server: Served) -> None:
    write(server, problem("Rhinite passée", clinicalStatus=_state("condition-clinical", "resolved")))
    write(server, problem("Asthme persistant", clinicalStatus=_state("condition-clinical", "active")))
    said = words(doctor(server).get(at(server, "/problems")))
    assert said.index("En cours") < said.index("Asthme persistant") < said.index("Terminés")
    assert said.index("Terminés") < said.index("Rhinite passée")


def _state(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{TERMS}/{system}", "code": code}]}


def test_an_allergy_says_its_reaction_and_whether_it_is_said_to_be_severe(server: Served) -> None:
    reaction = [{"manifestation": [{"text": "Œdème de Quincke"}]}]
    write(
        server,
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": _state("allergyintolerance-clinical", "active"),
            "code": {"text": "Latex"},
            "reaction": reaction,
        },
    )
    said = words(doctor(server).get(at(server, "/allergies")))
    assert "Latex" in said
    assert "Œdème de Quincke" in said


def test_a_treatment_stands_once_with_how_often_it_was_prescribed(server: Served) -> None:
    said = words(doctor(server).get(at(server, "/treatments")))
    assert said.count("Metformine") == 1
    assert re.search(r"prescrit \d+ fois", said)


# Curves.


def series(server: Served, title: str) -> httpx.Response:
    page = doctor(server)
    text = page.get(at(server, "/labs")).text
    found = re.search(rf'href="([^"]+/labs/[0-9a-f]{{12}})"><bdi>{re.escape(title)}', text)
    assert found is not None
    return page.get(found[1])


@pytest.mark.capability("2-04", "lets")
def test_a_curve_has_its_table_its_range_and_says_itself(server: Served) -> None:
    span = [{"low": {"value": 1, "unit": "g/L"}, "high": {"value": 2, "unit": "g/L"}}]
    for day, value in (("2025-01-05", 1.50), ("2025-02-05", 2.5), ("2025-03-05", 1.25)):
        write(server, result("Albumine", value, day, referenceRange=span))
    answer = series(server, "Albumine")
    svg = re.search(r"<svg.*?</svg>", answer.text, re.DOTALL)
    assert svg is not None
    for part in ('role="img"', "<title", "<desc", 'class="band"', 'class="out"', 'class="line"'):
        assert part in svg[0]
    assert "style=" not in svg[0]
    said = words(answer)
    for text in ("1,25 g/L", "2,5 g/L", "1 – 2", "élevé", "3 valeurs, de 1,25 à 2,5 g/L"):
        assert text in said, text


def test_a_long_silence_is_a_gap_and_the_page_says_the_rule(server: Served) -> None:
    for day in ("2023-01-05", "2023-02-05", "2023-03-05", "2023-04-05", "2025-04-05", "2025-05-05"):
        write(server, result("Zinc", 10, day, "µmol/L"))
    answer = series(server, "Zinc")
    assert 'class="gap"' in answer.text
    assert answer.text.count('class="line"') == 2
    assert "plus de trois fois l'intervalle habituel" in words(answer)


def test_two_units_of_one_code_never_share_a_curve(server: Served) -> None:
    write(server, result("Glucose", 5.5, "2025-01-05", "mmol/L"))
    write(server, result("Glucose", 0.99, "2025-02-05", "g/L"))
    answer = series(server, "Glucose")
    assert answer.text.count("<svg") == 2
    assert "Chaque unité a sa courbe" in words(answer)


def test_a_bound_a_missing_value_and_an_error_are_said_as_they_are(server: Served) -> None:
    bound = result(
        "Troponine", None, "2025-01-05", valueQuantity={"value": 5, "comparator": "<", "unit": "ng/L"}
    )
    absent = _state("data-absent-reason", "not-performed")
    write(server, bound)
    write(server, result("Troponine", None, "2025-02-05", dataAbsentReason=absent))
    write(server, result("Troponine", 900, "2025-03-05", "ng/L", status="entered-in-error"))
    answer = series(server, "Troponine")
    said = words(answer)
    for text in (
        "<5 ng/L",
        "pas de valeur (non réalisé)",
        "900 ng/L",
        "saisi par erreur",
        "1 valeurs, de 5 à 5",
    ):
        assert text in said, text


def test_a_pressure_is_two_lines_on_one_curve(server: Served) -> None:
    text = doctor(server).get(at(server, "/vitals")).text
    card = text.partition("Pression artérielle</bdi>")[2].partition("</section>")[0]
    assert "Systolique" in card
    assert "Diastolique" in card
    assert card.count("<svg") == 1


# One item.


@pytest.mark.capability("0-17", "lets")
@pytest.mark.capability("4-13", "lets")
def test_an_item_says_what_it_says_and_what_changed(server: Served) -> None:
    item = write(server, problem("Entorse", note=[{"text": "Cheville gauche"}]))
    change(server, item, {"note": [{"text": "Cheville droite"}]})
    said = words(doctor(server).get(at(server, f"/item/{item}")))
    for text in ("Intègre", "Entorse", "Retiré : Cheville gauche", "Ajouté : Cheville droite", "Version 2"):
        assert text in said, text


def change(server: Served, item: str, members: dict[str, Any]) -> None:
    asking = server.installation.as_staff("attending")
    type_, _, id_ = item.partition("/")
    now = asyncio.run(server.house.reading.read(asking, type_, id_))
    body = json.dumps({**json.loads(now.body), **members}).encode()
    asyncio.run(server.house.writing.update(asking, incoming.read(body), id_, now.version))


@pytest.mark.capability("0-17", "lets")
def test_an_earlier_version_comes_back_as_a_new_one(server: Served) -> None:
    item = write(server, problem("Fracture du radius"))
    change(server, item, {"code": {"text": "Fracture du cubitus"}})
    page = doctor(server, "attending")
    to = at(server, f"/item/{item}")
    form = {"csrf": key(page.get(to).text), "version": "1", "current": "2"}
    answer = page.post(f"{to}/restore", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    said = words(page.get(to))
    assert said.startswith(said[: said.index("Fracture du radius")] + "Fracture du radius")
    assert "Version 3" in said
    assert "Fracture du cubitus" in said


@pytest.mark.capability("0-17", "refuses")
def test_a_version_brought_back_overwrites_nobody(server: Served) -> None:
    item = write(server, problem("Otite"))
    page = doctor(server, "attending")
    to = at(server, f"/item/{item}")
    form = {"csrf": key(page.get(to).text), "version": "1", "current": "1"}
    change(server, item, {"code": {"text": "Otite moyenne"}})
    change(server, item, {"code": {"text": "Otite moyenne aiguë"}})
    answer = page.post(f"{to}/restore", data=form)
    assert answer.status_code in {409, 412}
    assert "Otite moyenne aiguë" in words(answer)


def test_an_item_of_another_record_is_not_shown_under_this_name(server: Served) -> None:
    other = write(server, problem("Secret d'un autre"), patient="husband")
    page = doctor(server, "attending")
    answer = page.get(at(server, f"/item/{other}"))
    absent = page.get(at(server, f"/item/Condition/{uuid.uuid4()}"))
    assert answer.status_code == absent.status_code == 404
    assert words(answer) == words(absent)


@pytest.mark.parametrize(
    "name", ["Binary/x", "Provenance/x", "Nothing/x", "Condition/..%2Fx", "Condition/%00"]
)
def test_what_is_no_item_is_not_there(server: Served, name: str) -> None:
    assert doctor(server).get(at(server, f"/item/{name}")).status_code == 404
