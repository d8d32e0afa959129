"""The patient's own pages over HTTP: who came, what is there, what was chosen, what left; nobody else's."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from serment.ledger.evidence import hold
from serment.ledger.sentences import line
from serment.record.pages.retracing import Sought
from serment.words import Language
from tests.doors.served import Served, served
from tests.installation import run
from tests.unit.web.test_patient_words import BARRED, IN_ENGLISH

PAGES = (
    "/me",
    "/me/record",
    "/me/record/labs",
    "/me/who",
    "/me/where",
    "/me/choices",
    "/me/people",
    "/me/download",
)
AHEAD = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("patient-pages")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def come(server: Served, role: str = "patient") -> httpx.Client:
    page = server.browser()
    assert page.get(server.code(server.patient_actor(role), "/me")).status_code == 303
    return page


def opened_by(server: Served, role: str, record: str = "patient") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/"))
    page.get(f"/record/{server.record(record)}")
    return page


def key(page: httpx.Client, path: str = "/me/choices") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get(path).text)
    assert found is not None
    return found[1]


def post(page: httpx.Client, path: str, **fields: object) -> httpx.Response:
    return page.post(path, data={"csrf": key(page), **fields})


def words(answer: httpx.Response) -> str:
    """Give what a person reads of a page."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def number(server: Served, role: str) -> str:
    return server.installation.staff(role).id.removeprefix("rpps:")


# Whose they are.


@pytest.mark.parametrize("path", PAGES)
def test_a_patient_opens_each_page_in_both_languages(server: Served, path: str) -> None:
    page = come(server)
    for language in ("fr", "en"):
        answer = page.get(path, headers={"accept-language": language})
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text
        assert answer.text.count("<h1>") == 1


@pytest.mark.parametrize("role", ["attending", "secretary", "officer", "researcher"])
@pytest.mark.parametrize("path", PAGES)
def test_nobody_who_works_here_has_a_page_of_a_patient(server: Served, path: str, role: str) -> None:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/"))
    assert page.get(path).status_code == 404


@pytest.mark.parametrize("path", ["check", "paper", "proof"])
def test_a_form_of_another_site_checks_and_takes_nothing(server: Served, path: str) -> None:
    assert come(server).post(f"/me/who/{path}", data={"csrf": "0" * 64}).status_code == 400


# Who saw my data.


@pytest.mark.capability("0-11", "lets")
def test_the_first_sentence_says_who_came_since_when_and_why(server: Served) -> None:
    opened_by(server, "attending")
    opened_by(server, "team-doctor")
    shown = words(come(server).get("/me"))
    assert re.search(r"(Deux|Trois|Quatre) personnes ont ouvert votre dossier depuis \w+", shown)
    for role in ("attending", "team-doctor"):
        assert server.installation.staff(role).name in shown
    assert "pour vos soins" in shown


def test_a_newcomer_reaches_who_saw_my_data_in_two_clicks(server: Served) -> None:
    page = come(server)
    link = re.search(r'<a class="button first" href="(/me/who)"', page.get("/me").text)
    assert link is not None
    assert "Qui, et pourquoi" in words(page.get(link[1]))


@pytest.mark.capability("0-06", "lets")
def test_the_list_of_a_patient_is_what_the_ledger_holds(server: Served) -> None:
    opened_by(server, "attending")
    page = come(server)
    shown = html.unescape(page.get("/me/who?period=all").text)
    acts = [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<li><time>(.*?)</li>", shown, re.S)]
    asking = server.installation.as_patient()
    trail = run(server.house.proving.trail(asking, server.record()))[1:]  # the newest is this very reading
    told = [line(body.event, Language.FR, reader=asking.actor.id) for body in trail]
    assert len(acts) == len(told)
    for one in told:
        assert any(f"{one.who} {one.what}".strip() in act for act in acts)


def test_the_list_is_read_in_stretches_that_name_nobody_in_an_address(server: Served) -> None:
    page = come(server)
    for address in re.findall(r'href="(/me/who\?from=[^"]+)"', page.get("/me/who").text):
        assert not re.search(r"rpps|\d{11}", urlsplit(address).query)
        assert "Seulement :" in words(page.get(address))


def test_a_stretch_of_somebody_else_is_refused(server: Served) -> None:
    other = server.installation.as_patient("celebrity")
    token = server.house.retracing.sealed(other, server.record(), Sought())
    assert come(server).get(f"/me/who?from={token}").status_code == 400
    assert come(server).get("/me/where?from=nonsense").status_code == 400


def test_an_emergency_access_comes_first_and_is_said_on_the_first_page(server: Served) -> None:
    urgent = server.staff("emergency-doctor", serment_purpose="BTG", serment_reason="immediate-risk")
    record = server.record("celebrity")
    urgent.get(f"Patient/{record}")
    opened_by(server, "attending", "celebrity")
    page = come(server, "celebrity")
    first = page.get("/me/who").text.partition("<article")[2]
    if "accès en urgence" in words(page.get("/me")):  # the grid lets this function in by that door
        assert first.startswith(' class="card bad"')


@pytest.mark.capability("1-19", "lets")
def test_a_check_says_what_it_found_and_what_it_cannot_tell(server: Served) -> None:
    shown = words(post(come(server), "/me/who/check"))
    assert "Tout est en ordre" in shown
    assert "ce qui a été signé" in shown or "celui qui a été signé" in shown
    assert "Aucun témoin extérieur" in shown


@pytest.mark.capability("3-13", "lets")
def test_the_list_leaves_with_proofs_that_hold_without_the_server(server: Served) -> None:
    answer = post(come(server), "/me/who/proof")
    assert answer.headers["content-disposition"] == 'attachment; filename="liste-des-acces.json"'
    held = hold(answer.content, server.house.proving.key.public_key)
    assert held.entries > 5
    said = json.loads(answer.content)
    said["entries"][3]["body"] = said["entries"][3]["body"].replace('"actor_name":"', '"actor_name":"X')
    with pytest.raises(Exception, match="altered"):
        hold(json.dumps(said).encode())


# My record.


@pytest.mark.capability("1-19", "lets")
def test_each_kind_of_thing_is_explained_in_plain_words_with_its_state(server: Served) -> None:
    shown = words(come(server).get("/me/record"))
    assert "Ce que votre corps supporte mal" in shown
    assert "dans les valeurs habituelles" in shown or "au-dessus des valeurs habituelles" in shown
    assert "Visible" in shown
    assert "Rien d'enregistré que vous puissiez voir" in shown


@pytest.mark.capability("1-24", "lets")
def test_a_mask_is_said_in_words_warns_and_is_undone(server: Served) -> None:
    page, item = come(server), server.installation.item("maskable")
    assert "Un soin peut en être moins sûr" in words(page.get("/me/record"))
    assert post(page, "/me/mask", item=item).headers["location"] == f"/me/record#{item}"
    assert server.staff("team-doctor").get(item).status_code == 404
    kind = next(
        one for one in ("notes", "documents", "problems", "labs", "imaging", "vitals", "treatments")
        if f'id="{item}"' in page.get(f"/me/record/{one}").text
    )  # fmt: skip
    row = page.get(f"/me/record/{kind}").text.partition(f'id="{item}"')[2].partition("</li>")[0]
    assert "Masqué" in row
    assert "Montrer de nouveau" in row
    assert "Un élément est masqué" in words(page.get("/me/choices"))
    assert post(page, "/me/unmask", item=item, kind=kind).headers["location"] == f"/me/record/{kind}#{item}"
    assert server.staff("team-doctor").get(item).status_code == 200


@pytest.mark.capability("0-11", "lets")
def test_a_document_of_the_record_is_opened_from_its_list(server: Served) -> None:
    page = come(server)
    links = re.findall(r'href="(/record/[^"]+/document/[^"]+)"', page.get("/me/record/documents").text)
    assert links
    assert page.get(links[0]).status_code == 200


@pytest.mark.parametrize("path", ["/me/record/nothing", "/me/record/choices", "/me/record/identity"])
def test_a_kind_that_is_not_there_is_not_found(server: Served, path: str) -> None:
    assert come(server).get(path).status_code == 404


@pytest.mark.parametrize("place", ["-1", "x", "99999999", "3"])
def test_a_page_that_is_not_there_is_an_empty_one(server: Served, place: str) -> None:
    assert come(server).get("/me/record/labs", params={"page": place}).status_code == 200


# My choices.


@pytest.mark.capability("4-04", "lets")
@pytest.mark.capability("4-04", "refuses")
def test_a_colleague_is_blocked_at_once_and_let_in_again(server: Served) -> None:
    page, who = come(server), number(server, "team-doctor")
    colleague = server.staff("team-doctor")
    item = server.installation.item("maskable")
    assert colleague.get(item).status_code == 200
    told = post(page, "/me/choices", what="block", number=who)
    assert "Vos soins peuvent être moins sûrs" in words(told)
    assert colleague.get(item).status_code == 200  # told, not made yet
    assert post(page, "/me/choices", what="block", number=who, read="yes").status_code == 303
    assert colleague.get(item).status_code == 404
    shown = page.get("/me/choices").text
    assert server.installation.staff("team-doctor").name in shown
    choice = re.search(r'name="choice" value="([^"]+)"', shown.partition('id="c-blocked"')[2])
    assert choice is not None
    assert post(page, "/me/choices", what="back", choice=choice[1]).status_code == 303
    assert colleague.get(item).status_code == 200


@pytest.mark.parametrize(
    ("what", "fields", "state", "undone"),
    [
        ("oppose-category", {"category": "labs"}, "Vous ne partagez plus ceci", "c-opposed"),
        ("oppose", {}, "Tout mon dossier", "c-opposed"),
        ("research", {}, "Vous vous êtes opposé", "c-research"),
        ("heirs", {}, "Vos héritiers ne liront rien", "c-heirs"),
        ("emergency", {}, "Vous avez refusé l'accès en urgence", "c-emergency"),
    ],
)
@pytest.mark.capability("2-03", "lets")
def test_each_choice_has_its_state_in_words_and_its_undo(
    server: Served, what: str, fields: dict[str, str], state: str, undone: str
) -> None:
    page = come(server)
    assert "Ce que cela change" in words(post(page, "/me/choices", what=what, **fields))
    assert state not in words(page.get("/me/choices"))
    assert post(page, "/me/choices", what=what, read="yes", **fields).status_code == 303
    shown = page.get("/me/choices")
    assert state in words(shown)
    choice = re.search(r'name="choice" value="([^"]+)"', shown.text.partition(f'id="{undone}"')[2])
    assert choice is not None
    assert post(page, "/me/choices", what="back", choice=choice[1]).status_code == 303
    assert state not in words(page.get("/me/choices"))


@pytest.mark.capability("2-03", "refuses")
def test_research_is_opposed_apart_from_care(server: Served) -> None:
    page, item = come(server), server.installation.item("maskable")
    post(page, "/me/choices", what="research", read="yes")
    assert server.staff("team-doctor").get(item).status_code == 200
    shown = page.get("/me/choices").text.partition('id="c-research"')[2]
    choice = re.search(r'name="choice" value="([^"]+)"', shown)
    assert choice is not None
    post(page, "/me/choices", what="back", choice=choice[1])


def test_somebody_outside_the_team_is_let_in_until_a_day(server: Served) -> None:
    page, who = come(server), number(server, "unrelated-doctor")
    for until in ("", "2020-01-01", "tomorrow"):
        answer = post(page, "/me/choices", what="permit", number=who, until=until)
        assert answer.status_code == 400
        assert who in answer.text  # what was typed is not lost
        assert 'id="permit-error"' in answer.text
    assert post(page, "/me/choices", what="permit", number=who, until=AHEAD, read="yes").status_code == 303
    shown = page.get("/me/choices").text
    assert "Ces personnes peuvent lire votre dossier" in html.unescape(shown)
    choice = re.search(r'name="choice" value="([^"]+)"', shown.partition('id="c-permitted"')[2])
    assert choice is not None
    post(page, "/me/choices", what="back", choice=choice[1])
    assert "Vous n'avez autorisé personne" in words(page.get("/me/choices"))


@pytest.mark.capability("4-04", "lets")
def test_a_professional_is_found_by_name_and_one_of_several_is_chosen(server: Served) -> None:
    page, nurse = come(server), server.installation.staff("nurse")
    told = post(page, "/me/choices", what="block", number=nurse.name.split()[-1])
    assert nurse.name in words(told)
    assert "Ce que cela change" in words(told)
    doctors = post(page, "/me/choices", what="block", number="Dr ")
    assert doctors.status_code == 400
    many = post(page, "/me/choices", what="permit", number="Mar", until=AHEAD)
    if "De qui parlez-vous" in words(many):
        assert f'name="until" value="{AHEAD}"' in many.text


@pytest.mark.parametrize("typed", ["", "12", "99900001119", "<script>", "9" * 5000])
def test_a_number_that_is_none_is_said_beside_its_field(server: Served, typed: str) -> None:
    answer = post(come(server), "/me/choices", what="block", number=typed)
    assert answer.status_code == 400
    assert 'aria-describedby="block-error"' in answer.text
    assert "<script>" not in answer.text


def test_a_choice_of_nothing_known_is_refused(server: Served) -> None:
    page = come(server)
    assert post(page, "/me/choices", what="everything").status_code == 400
    assert post(page, "/me/choices", what="oppose-category", category="choices").status_code == 400
    assert post(page, "/me/choices", what="back", choice="Consent/none#0").status_code == 303


# Those near me.


@pytest.mark.capability("4-17", "lets")
def test_a_carer_is_named_in_two_screens_with_scope_and_end_and_dismissed(server: Served) -> None:
    page = come(server)
    form = {"name": "Zoé Amie", "tie": "FRND", "category": ["treatments", "allergies"], "until": AHEAD}
    told = words(post(page, "/me/people/carer", **form))
    assert "Zoé Amie pourra lire ceci" in told
    assert "Ne prêtez jamais votre mot de passe" in told
    assert post(page, "/me/people/carer", **form, read="yes").status_code == 303
    shown = page.get("/me/people")
    assert "Zoé Amie" in words(shown)
    assert "Traitements" in words(shown)
    related = re.search(r'name="related" value="([^"]+)"><button[^>]*>Retirer', shown.text)
    assert related is not None
    assert post(page, "/me/people/dismiss", related=related[1]).status_code == 303
    assert "Personne ne lit votre dossier pour vous aider" in words(page.get("/me/people"))


@pytest.mark.capability("4-17", "refuses")
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"category": []}, "category-error"),
        ({"category": ["choices"]}, "category-error"),
        ({"until": ""}, "until-error"),
        ({"until": "2020-01-01"}, "until-error"),
        ({"name": "  "}, "name-error"),
        ({"tie": "GUARD"}, "tie-error"),
    ],
)
def test_a_carer_without_scope_or_end_is_not_named_and_what_was_typed_stays(
    server: Served, changed: dict[str, object], field: str
) -> None:
    form: dict[str, object] = {"name": "Zoé", "tie": "FRND", "category": ["treatments"], "until": AHEAD}
    answer = post(come(server), "/me/people/carer", **{**form, **changed}, read="yes")
    assert answer.status_code == 400
    assert f'id="{field}"' in answer.text
    if "name" not in changed:
        assert 'value="Zoé"' in answer.text


def test_nobody_acts_for_somebody_by_a_role_that_is_not_theirs(server: Served) -> None:
    assert post(come(server), "/me/people/act-for", exercise="1").status_code == 404


# Taking a copy.


@pytest.mark.capability("3-13", "lets")
def test_everything_leaves_as_files_and_the_exit_is_in_the_list(server: Served) -> None:
    page = come(server)
    answer = post(page, "/me/download/files")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    lines = {name: archive.read(name).decode().splitlines() for name in archive.namelist()}
    assert json.loads(lines["Patient.ndjson"][0])["id"] == server.record()
    assert len(lines["Observation.ndjson"]) > 5
    assert "Copie" in words(page.get("/me/where"))


@pytest.mark.capability("3-13", "lets")
def test_the_record_and_the_list_leave_as_pdf_named_after_nobody(server: Served) -> None:
    page = come(server)
    for path, name in (("/me/download/paper", "mon-dossier"), ("/me/who/paper", "liste-des-acces")):
        answer = post(page, path)
        assert answer.content.startswith(b"%PDF-")
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.pdf"'


@pytest.mark.capability("3-13", "refuses")
def test_no_other_patients_data_is_in_a_copy(server: Served) -> None:
    answer = post(come(server, "celebrity"), "/me/download/files")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert server.record("celebrity").encode() in everything
    assert server.record().encode() not in everything


@pytest.mark.capability("4-18", "refuses")
def test_no_page_asks_for_a_secret_and_none_carries_one_in_a_link(server: Served) -> None:
    page = come(server)
    for path in PAGES:
        shown = page.get(path).text
        assert 'type="password"' not in shown
        for address in re.findall(r'href="([^"]+)"', shown):
            assert page.cookies["serment"] not in address
            assert not re.search(r"token|code=|ticket", address)
    assert "jamais de mot de passe" in words(page.get("/me"))


def test_what_a_resource_says_is_text_on_every_page_of_its_patient(server: Served) -> None:
    attack = "\u202e<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
    sent = {
        "resourceType": "Condition",
        "code": {"text": attack},
        "subject": {"reference": f"Patient/{server.record()}"},
        "recordedDate": datetime.now(UTC).date().isoformat(),
    }
    assert server.staff("attending").post("Condition", json=sent).status_code == 201
    page = come(server)
    for path in ("/me", "/me/record", "/me/record/problems"):
        shown = page.get(path).text
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "{{7*7}}" in shown
    assert post(page, "/me/download/paper").content.startswith(b"%PDF-")


@pytest.mark.capability("1-19", "refuses")
@pytest.mark.parametrize("path", PAGES)
def test_no_word_of_the_machine_is_read_on_a_rendered_page(server: Served, path: str) -> None:
    page = come(server)
    shown = words(page.get(path))
    assert not BARRED.search(shown), BARRED.search(shown)
    english = words(page.get(path, headers={"accept-language": "en"}))
    assert {one.lower() for one in BARRED.findall(english)} <= IN_ENGLISH
