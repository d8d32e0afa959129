"""Pages that anybody may read, preferences without a banner, the training, and errors that say what to do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from serment.door.preferences import COOKIE
from serment.errors import LockedError
from serment.record.probes.training import ANSWERS, Training
from serment.record.registry import Registry
from serment.web.everyone.preferences import COOKIES
from tests.doors.served import Served, served

OPEN = ("/accessibility", "/words", "/what-leaves", "/preferences")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("everyone")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def staff(server: Served, role: str) -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/home"))
    return page


def text(page: httpx.Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def key(page: httpx.Client, address: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get(address).text)
    assert found is not None
    return found[1]


def chosen(page: httpx.Client, **fields: str) -> httpx.Response:
    return page.post("/preferences", data=fields, headers={"sec-fetch-site": "same-origin"})


@pytest.mark.parametrize("address", OPEN)
def test_anybody_reads_these_pages_signed_in_or_not(server: Served, address: str) -> None:
    stranger, patient = server.browser(), server.browser()
    patient.get(server.code(server.patient_actor(), "/me"))
    for page in (stranger, patient):
        assert text(page, address).count("<h1>") == 1
    assert server.patient_actor().name in text(patient, address)
    assert server.patient_actor().name not in text(stranger, address)


@pytest.mark.parametrize("address", OPEN)
def test_they_are_read_while_the_server_waits_locked(server: Served, address: str) -> None:
    good = server.app.state.open

    def locked() -> None:
        raise LockedError("custody.locked")

    try:
        server.app.state.open = locked
        assert server.browser().get(address).status_code == 200
    finally:
        server.app.state.open = good


@pytest.mark.parametrize("address", OPEN)
def test_pages_for_patients_leave_the_machinery_out(server: Served, address: str) -> None:
    shown = re.sub(r"<[^>]+>|meta .*", " ", text(server.browser(), address)).lower()
    for word in ("hash", "token", "merkle", "fhir"):
        assert not re.search(rf"\b{word}\b", shown)


def test_who_is_registered_is_told_to_who_is_signed_in_only(server: Served) -> None:
    assert "Connectez-vous pour voir les noms" in text(server.browser(), "/what-leaves")
    patient = server.browser()
    patient.get(server.code(server.patient_actor(), "/me"))
    shown = text(patient, "/what-leaves")
    assert "Services d'identité" in shown
    assert "Connectez-vous pour voir les noms" not in shown


@pytest.mark.capability("2-13", "lets")
def test_a_choice_is_kept_shown_again_and_forgotten(server: Served) -> None:
    page = server.browser()
    answer = chosen(page, language="en", large="1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/preferences?saved")
    assert page.cookies[COOKIE] == "en.no-keys.large"
    shown = page.get("/preferences").text
    assert '<html lang="en">' in shown
    assert 'data-keys="off"' in shown
    assert 'class="large"' in shown
    assert chosen(page, forget="1").status_code == 303
    assert COOKIE not in page.cookies


@pytest.mark.capability("2-13", "refuses")
def test_no_cookie_comes_before_somebody_chose_or_signs_in(server: Served) -> None:
    page = server.browser()
    for address in (*OPEN, "/sign-in"):
        page.get(address)
    assert set(page.cookies) <= {"serment-device"}
    chosen(page, language="", keys="1")
    assert COOKIE not in page.cookies


@pytest.mark.capability("2-13", "refuses")
def test_every_cookie_that_is_set_is_listed_and_nothing_is_ticked_for_somebody(server: Served) -> None:
    shown = text(server.browser(), "/preferences")
    for name, _, _ in COOKIES:
        assert f"<code>{name}</code>" in shown
    assert shown.count("checked") == 2  # the browser's language, and the keys as they are
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    assert {name.removeprefix("__Host-") for name in page.cookies} <= {name for name, _, _ in COOKIES}


@pytest.mark.parametrize("said", ["tlh", "<script>", "fr.en", "x" * 5000])
def test_a_choice_that_is_none_is_left_out(server: Served, said: str) -> None:
    page = server.browser()
    chosen(page, language=said, large="1", keys="1")
    assert page.cookies[COOKIE] == "large"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_another_site_changes_no_preference(server: Served, site: str) -> None:
    answer = server.browser().post("/preferences", data={"language": "en"}, headers={"sec-fetch-site": site})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "en", "fr.large", "....", "en" * 4000, "no-keys.no-keys", "é"])
def test_a_cookie_that_says_nonsense_says_nothing(server: Served, cookie: str) -> None:
    headers = {b"cookie": f"{COOKIE}={cookie}".encode()}
    assert server.browser().get("/words", headers=headers).status_code in {200, 431}


@pytest.mark.capability("1-09", "lets")
def test_the_training_ends_in_a_dated_proof(server: Served) -> None:
    page = staff(server, "secretary")
    answer = page.post("/training", data={"csrf": key(page, "/training"), **ANSWERS})
    assert (answer.status_code, answer.headers["location"]) == (303, "/training")
    shown = text(page, "/training")
    assert "Attestation" in shown
    assert server.installation.staff("secretary").name in shown
    proofs = Training(Registry(server.house.passage)).all(server.installation.as_staff("secretary"))
    assert any(proof.request in shown for proof in proofs.values())


@pytest.mark.capability("1-09", "refuses")
def test_a_wrong_answer_is_explained_and_makes_no_proof(server: Served) -> None:
    page = staff(server, "team-doctor")
    answers = {**ANSWERS, "curious": "a"}
    answer = page.post("/training", data={"csrf": key(page, "/training"), **answers})
    shown = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "1 réponse(s) à revoir" in shown
    assert "Elle verrait votre nom" in shown
    assert shown.count(" checked") == len(ANSWERS)
    assert "Attestation" not in shown


def test_who_has_yet_to_follow_the_training_is_reminded_where_they_arrive(server: Served) -> None:
    page = staff(server, "officer")
    assert "Cinq minutes de formation" in text(page, "/home")
    page.post("/training", data={"csrf": key(page, "/training"), **ANSWERS})
    assert "Cinq minutes de formation" not in text(page, "/home")
    assert "Cinq minutes de formation" in text(staff(server, "locum"), "/today")
    patient = server.browser()
    patient.get(server.code(server.patient_actor(), "/me"))
    assert "Cinq minutes de formation" not in text(patient, "/home")


def test_a_patient_is_not_trained(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    assert page.get("/training").status_code == 403


def test_the_researchers_page_promises_nothing_and_is_theirs(server: Served) -> None:
    shown = text(staff(server, "researcher"), "/research")
    assert "aucune donnée n'est disponible" in shown
    assert staff(server, "team-doctor").get("/research").status_code == 403


@pytest.mark.capability("1-26", "lets")
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "Rien n'a été enregistré"),
        (401, "Reconnectez-vous"),
        (403, "Rien n'a été ouvert"),
        (404, "adresse"),
    ],
)
def test_an_error_says_what_became_of_it_and_what_to_do(server: Served, status: int, says: str) -> None:
    page = staff(server, "secretary")
    answer = {
        400: lambda: page.post("/training", data={"csrf": "0"}),
        401: lambda: server.browser().get("/training"),
        403: lambda: page.get("/officer"),
        404: lambda: page.get("/nowhere"),
    }[status]()
    assert answer.status_code == status
    assert says in html.unescape(answer.text)
    assert 'class="bad"' not in answer.text
