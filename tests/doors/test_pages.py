"""The three pages over HTTP: French first, one-time codes, cookies that no other site can use."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from serment.errors import LockedError
from tests.doors.served import Served, page_text, served

TERMS = "http://terminology.hl7.org/CodeSystem"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def doctor(server: Served, role: str = "team-doctor") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), f"/record/{server.record()}"))
    return page


def patient(server: Served) -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    return page


def key(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_a_one_time_code_becomes_a_cookie_and_leaves_the_address(server: Served) -> None:
    answer = server.browser().get(server.code(server.patient_actor(), "/me"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/"):
        assert part in cookie


def test_a_code_is_spent_once(server: Served) -> None:
    code = server.code(server.patient_actor(), "/me")
    assert server.browser().head(code).status_code == 405
    assert server.browser().get(code).status_code == 303
    again = server.browser().get(code)
    assert again.status_code == 401
    assert "set-cookie" not in again.headers
    assert "déjà servi" in again.text


def test_a_code_is_no_session(server: Served) -> None:
    code = server.code(server.patient_actor(), "/me").rpartition("/")[2]
    assert server.browser().get("/me", headers={"cookie": f"serment={code}"}).status_code == 401


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("de,en;q=0.5", "en"),
        ("en;q=0.1,fr", "fr"),
        ("tlh", "fr"),
        ("en;q=high", "fr"),
    ],
)
def test_pages_speak_french_unless_english_is_preferred(
    server: Served, accepted: str | None, language: str
) -> None:
    headers = {} if accepted is None else {"accept-language": accepted}
    shown = patient(server).get("/me", headers=headers).text
    assert f'<html lang="{language}">' in shown
    assert ("Qui a vu mes données" in shown) == (language == "fr")


def test_the_page_says_that_items_may_be_hidden_whether_there_are_any_or_not(server: Served) -> None:
    said = "éléments que le patient a masqués"
    for role in ("patient", "masking"):
        page = server.browser()
        page.get(server.code(server.installation.staff("attending"), "/"))
        assert said in page.get(f"/record/{server.record(role)}").text


def test_dates_are_written_as_french_people_do(server: Served) -> None:
    shown = doctor(server).get(f"/record/{server.record()}").text
    assert re.search(r"né(e|\(e\))? le \d\d/\d\d/\d{4}", html.unescape(shown))
    assert re.search(r"<time>\d\d/\d\d/\d{4}</time>", shown)
    assert not re.search(r"<time>\d{4}-", shown)


def test_the_patient_reads_who_opened_the_record_in_one_sentence(server: Served) -> None:
    doctor(server).get(f"/record/{server.record()}")
    page = patient(server)
    before = page.get("/me").text
    doctor(server, "attending").get(f"/record/{server.record()}")
    after = page.get("/me").text
    said = r"(Une personne a|\w+ personnes ont) ouvert votre dossier depuis \w+\s:"
    assert re.search(said, before)
    assert re.search(said, after)
    assert server.installation.staff("attending").name in after


@pytest.mark.capability("4-04", "refuses")
def test_the_patient_masks_and_shows_again_by_a_button(server: Served) -> None:
    page = patient(server)
    item = server.installation.item("maskable")
    form = {"item": item, "csrf": key(page.get("/me").text)}
    assert page.post("/me/mask", data=form).status_code == 303
    assert server.staff("team-doctor").get(item).status_code == 404
    assert page.post("/me/unmask", data=form).status_code == 303
    assert server.staff("team-doctor").get(item).status_code == 200


@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
@pytest.mark.parametrize("path", ["/me/mask", "/me/unmask", "/sign-out"])
def test_a_form_of_another_site_does_nothing(server: Served, path: str, csrf: str) -> None:
    page = patient(server)
    refused = page.post(path, data={"item": server.installation.item("maskable"), "csrf": csrf})
    assert refused.status_code == 400
    assert server.staff("team-doctor").get(server.installation.item("maskable")).status_code == 200
    assert page.get("/me").status_code == 200


def test_the_key_of_one_session_does_not_serve_another(server: Served) -> None:
    form = {"item": server.installation.item("maskable"), "csrf": key(patient(server).get("/me").text)}
    assert patient(server).post("/me/mask", data=form).status_code == 400


@pytest.mark.parametrize("item", ["", "Observation/nothing", "Wizard", "../etc", "Observation/1?x=1"])
def test_masking_what_is_not_there_says_so(server: Served, item: str) -> None:
    page = patient(server)
    refused = page.post("/me/mask", data={"item": item, "csrf": key(page.get("/me").text)})
    assert refused.status_code in {400, 404, 422}
    assert "ne peut pas être montrée" in refused.text


def test_a_form_that_is_too_large_is_refused(server: Served) -> None:
    assert patient(server).post("/me/mask", content=b"x" * 100_000).status_code == 413


def test_signing_out_ends_the_session_for_good(server: Served) -> None:
    page = patient(server)
    secret = page.cookies["serment"]
    assert page.post("/sign-out", data={"csrf": key(page.get("/me").text)}).status_code == 303
    assert "serment" not in page.cookies
    shown = server.browser().get("/me", headers={"cookie": f"serment={secret}"})
    assert shown.status_code == 401
    assert 'href="/sign-in"' in shown.text


def test_a_stranger_s_page_tells_nothing_and_says_what_to_do(server: Served) -> None:
    page = doctor(server, "unrelated-doctor")
    asked = (server.record(), "0" * 36)
    hidden, unknown = (page.get(f"/record/{id_}") for id_ in asked)
    said = [page_text(one).replace(id_, "") for one, id_ in zip((hidden, unknown), asked, strict=True)]
    assert (hidden.status_code, said[0]) == (404, said[1])
    assert "accès en urgence" in hidden.text
    assert 'href="/"' in hidden.text


@pytest.mark.capability("4-10", "refuses")
def test_the_officer_opens_no_record(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.installation.staff("officer"), "/officer"))
    assert page.get(f"/record/{server.record()}").status_code == 404
    assert page.get("/me").status_code == 404


@pytest.mark.capability("4-10", "lets")
def test_the_officer_reads_that_the_ledger_is_whole_and_the_disk_mute(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.installation.staff("officer"), "/officer"))
    assert page.post("/officer/probes", data={"csrf": key(page.get("/officer").text)}).status_code == 303
    shown = html.unescape(page.get("/officer").text)
    assert "lignes vérifiées une à une" in shown
    assert "noms de patients n'y est lisible" in shown
    assert "Aucun témoin extérieur" in shown
    assert doctor(server).get("/officer").status_code == 403


def test_home_leads_everybody_to_their_page(server: Served) -> None:
    assert patient(server).get("/").headers["location"] == "/me"
    assert server.browser().get("/").headers["location"] == "/sign-in"


def test_a_locked_server_says_who_can_open_it_and_nothing_else(server: Served) -> None:
    good = server.app.state.open

    def locked() -> None:
        raise LockedError("custody.locked")

    signed = patient(server)
    token = server.token(server.installation.staff("team-doctor"))
    try:
        server.app.state.open = locked
        for path in ("/", "/me", f"/record/{server.record()}", "/officer", "/enter/x"):
            answer = signed.get(path)
            assert answer.status_code == 503
            assert "serment unlock" in answer.text
            assert "retry-after" in answer.headers
        program = httpx.get(
            f"{server.address}/fhir/Patient/{server.record()}", headers={"authorization": f"Bearer {token}"}
        )
        assert (program.status_code, program.json()["issue"][0]["code"]) == (503, "transient")
        assert server.browser().get("/livez").status_code == 200
        assert server.browser().get("/readyz").text == "custody.locked\n"
    finally:
        server.app.state.open = good


def test_what_a_resource_says_is_shown_as_text(server: Served) -> None:
    record = server.record()
    attack = "<script>alert(1)</script>"
    sent = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {"coding": [{"system": f"{TERMS}/allergyintolerance-clinical", "code": "active"}]},
        "code": {"text": attack},
        "patient": {"reference": f"Patient/{record}"},
        "recordedDate": "2026-01-02",
    }
    assert server.staff("team-doctor").post("AllergyIntolerance", json=sent).status_code == 201
    shown = doctor(server).get(f"/record/{record}").text
    assert attack not in shown
    assert html.escape(attack) in shown
