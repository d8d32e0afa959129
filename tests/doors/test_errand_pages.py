"""Errands as pages: asked by a doctor, answered by a patient, queued for the officers, at the counter."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from pypdfium2 import PdfDocument

from serment.model import Actor, ActorId, ActorKind, PatientId
from serment.record.writing import new_id
from tests.doors.served import Served, page_text, served
from tests.installation import run

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
ATTACK = "<script>alert(1)</script>\u202e{{7*7}}'\"><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("errand-pages")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def staff(server: Served, role: str) -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/"))
    return page


def patient(server: Served, role: str = "patient") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.patient_actor(role), "/me"))
    return page


def key(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def send(page: httpx.Client, at: str, to: str = "", **fields: str) -> httpx.Response:
    """Fill in the form of a page and send it."""
    shown = page.get(at)
    assert shown.status_code == 200, shown.text
    return page.post(to or at, data={"csrf": key(shown.text), **fields})


def text(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


# An access.


@pytest.mark.capability("1-09", "lets")
def test_a_doctor_who_is_refused_asks_and_the_patient_says_yes(server: Served) -> None:
    doctor, record = staff(server, "unrelated-doctor"), server.record()
    refused = doctor.get(f"/record/{record}")
    assert f'href="/record/{record}/ask"' in refused.text
    assert send(doctor, f"/record/{record}/ask", reason="opinion").status_code == 200
    holder = patient(server)
    shown = text(holder.get("/me/errands"))
    assert server.installation.staff("unrelated-doctor").name in shown
    assert "donner un avis" in shown
    id_ = value(shown, "id")
    done = send(holder, "/me/errands", "/me/errands/access", id=id_, say="yes", days="30")
    assert (done.status_code, done.headers["location"]) == (303, "/me/errands?did=agreed")
    assert "Vous avez dit oui" in text(holder.get("/me/errands?did=agreed"))
    assert doctor.get(f"/record/{record}").status_code == 200
    assert "accord" in text(doctor.get("/inbox")).lower()


@pytest.mark.capability("1-26", "refuses")
def test_the_page_of_asking_is_the_same_for_every_record_and_for_none(server: Served) -> None:
    doctor = staff(server, "second-associate")
    said = set()
    for record in (server.record("masking"), server.record("father"), PatientId(new_id())):
        for answer in (
            doctor.get(f"/record/{record}/ask"),
            send(doctor, f"/record/{record}/ask", reason="opinion"),
        ):
            said.add((answer.status_code, page_text(answer).replace(record, "").replace(answer.url.path, "")))
    assert len(said) == 2


def test_a_reason_that_is_not_of_the_list_comes_back_beside_the_choice(server: Served) -> None:
    answer = send(staff(server, "unrelated-doctor"), f"/record/{server.record()}/ask", reason="curious")
    assert answer.status_code == 400
    assert "Choisissez un motif" in text(answer)


def test_whoever_is_no_professional_asks_for_no_access(server: Served) -> None:
    for page in (staff(server, "secretary"), patient(server)):
        assert page.get(f"/record/{server.record()}/ask").status_code == 403


# A document.


@pytest.mark.capability("4-15", "lets")
def test_a_document_is_asked_for_deposited_and_opened(server: Served) -> None:
    doctor, record, holder = staff(server, "attending"), server.record(), patient(server)
    asked = send(
        doctor, f"/record/{record}/ask-document", kind="result", text="Votre prise de sang", days="7"
    )
    assert asked.status_code == 303
    shown = holder.get("/me/errands").text
    assert "Votre prise de sang" in html.unescape(shown)
    at = re.search(r"/me/errands/deposit/[\w-]+", shown)
    assert at is not None
    form = holder.get(at[0])
    assert 'enctype="multipart/form-data"' in form.text
    file = {"file": ("scan.pdf", PDF, "application/pdf")}
    lacking = holder.post(at[0], data={"csrf": key(form.text), "title": ""}, files=file)
    assert lacking.status_code == 400
    assert 'aria-describedby="title-hint title-error"' in lacking.text
    done = holder.post(at[0], data={"csrf": key(form.text), "title": "Prise de sang"}, files=file)
    assert (done.status_code, "est dans votre dossier" in text(done)) == (200, True)
    assert holder.get(at[0]).status_code == 404
    again = holder.post(at[0], data={"csrf": key(form.text), "title": "Encore"}, files=file)
    assert again.status_code == 404
    item = re.search(rf"/record/{record}/item/DocumentReference/[\w-]+", doctor.get("/inbox").text)
    assert item is not None
    assert doctor.get(item[0]).status_code == 200


@pytest.mark.capability("4-15", "refuses")
def test_a_deposit_page_opens_for_nobody_else(server: Served) -> None:
    doctor, record = staff(server, "attending"), server.record("husband")
    send(doctor, f"/record/{record}/ask-document", kind="photo", text="La cicatrice", days="3")
    at = re.search(r"/me/errands/deposit/[\w-]+", patient(server, "husband").get("/me/errands").text)
    assert at is not None
    assert patient(server).get(at[0]).status_code == 404
    assert doctor.get(at[0]).status_code == 404


def test_a_file_that_is_no_page_or_picture_is_refused_beside_its_field(server: Served) -> None:
    doctor, record, holder = staff(server, "attending"), server.record("husband"), patient(server, "husband")
    send(doctor, f"/record/{record}/ask-document", kind="photo", text="Une photo", days="3")
    at = re.search(r"/me/errands/deposit/[\w-]+", holder.get("/me/errands").text)
    assert at is not None
    form = key(holder.get(at[0]).text)
    for name, content, kind in (
        ("page.html", b"<script>", "text/html"),
        ("page.pdf", b"<script>alert(1)</script>", "application/pdf"),
        ("a.svg", b"<svg onload=alert(1)>", "image/svg+xml"),
    ):
        answer = holder.post(at[0], data={"csrf": form, "title": "x"}, files={"file": (name, content, kind)})
        assert answer.status_code in {400, 422}
        assert 'id="file-error"' in answer.text
        assert "alert(1)" not in answer.text


# A correction.


@pytest.mark.capability("3-13", "lets")
def test_a_correction_is_asked_for_and_answered(server: Served) -> None:
    holder, doctor = patient(server), staff(server, "attending")
    item = server.installation.item("laboratory")
    asked = send(holder, f"/me/correct/{item}", text="Ce n'est pas le mien")
    assert (asked.status_code, asked.headers["location"]) == (303, "/me/errands?did=sent")
    assert "Ce n'est pas le mien" in text(holder.get("/me/errands"))
    at = re.search(r"/inbox/correction/[\w-]+", doctor.get("/inbox").text)
    assert at is not None
    assert "Ce n'est pas le mien" in text(doctor.get(at[0]))
    lacking = send(doctor, at[0], text=" ", say="refuse")
    assert (lacking.status_code, 'id="text-error"' in lacking.text) == (400, True)
    assert send(doctor, at[0], text="Le prélèvement est bien le vôtre", say="refuse").status_code == 303
    answered = text(holder.get("/me/errands"))
    assert "Le prélèvement est bien le vôtre" in answered
    assert "CNIL" in answered
    assert doctor.get(at[0]).status_code == 404
    seen = send(holder, "/me/errands", "/me/errands/seen", id=value(answered, "id"))
    assert seen.status_code == 303
    assert "Le prélèvement" not in text(holder.get("/me/errands"))


# Questions to the officers.


def test_an_access_is_asked_about_from_the_list_and_answered_by_the_dpo(server: Served) -> None:
    staff(server, "attending").get(f"/record/{server.record('mother')}")
    holder, dpo = patient(server, "mother"), staff(server, "dpo")
    shown = holder.get("/me/who").text
    fields = {name: value(shown, name) for name in ("request", "at", "who")}
    form = holder.post("/me/ask-access", data={"csrf": key(shown), **fields})
    assert form.status_code == 200
    done = holder.post("/me/ask-access", data={"csrf": key(shown), **fields, "about": "why"})
    assert (done.status_code, done.headers["location"]) == (303, "/me/errands?did=sent")
    queue = dpo.get("/officer/requests").text
    assert server.patient_actor("mother").name in html.unescape(queue)
    id_ = value(queue, "id")
    refused = dpo.post("/officer/requests", data={"csrf": key(queue), "id": id_, "text": "Votre cancer"})
    assert (refused.status_code, "Votre cancer" in refused.text) == (400, True)
    said = "Votre médecin a préparé votre rendez-vous."
    assert (
        dpo.post("/officer/requests", data={"csrf": key(queue), "id": id_, "text": said}).status_code == 303
    )
    assert said in text(holder.get("/me/errands"))
    seen = send(holder, "/me/errands", "/me/errands/seen", id=id_, of="officer")
    assert seen.status_code == 303
    assert said not in text(holder.get("/me/errands"))


@pytest.mark.capability("4-19", "lets")
def test_a_call_back_is_asked_for_by_phone_and_hours(server: Served) -> None:
    holder = patient(server, "father")
    call = {"subject": "copy", "phone": "06 99 00 12 10", "hours": "le mardi après 18 h", "text": ""}
    assert send(holder, "/me/contact", **call).status_code == 303
    assert "06 99 00 12 10" in staff(server, "officer").get("/officer/requests").text


@pytest.mark.capability("4-19", "refuses")
def test_words_of_health_are_shown_and_the_form_is_sent_without_them(server: Served) -> None:
    holder = patient(server, "celebrity")
    call = {
        "subject": "access",
        "phone": "06 99 00 12 11",
        "hours": "le matin",
        "text": "Qui a lu ma Dépression ?",
    }
    warned = send(holder, "/me/contact", **call)
    assert warned.status_code == 400
    assert "Ces mots parlent de santé" in text(warned)
    assert "<strong>Dépression</strong>" in warned.text
    assert "Qui a lu ma Dépression ?</textarea>" in html.unescape(warned.text)
    queue = staff(server, "dpo")
    assert "06 99 00 12 11" not in queue.get("/officer/requests").text
    assert send(holder, "/me/contact", **call, send="without").status_code == 303
    shown = queue.get("/officer/requests").text
    assert "Qui a lu ma […] ?" in html.unescape(shown)
    assert "Dépression" not in html.unescape(shown)


def test_the_queue_is_for_officers_and_holds_no_content_of_a_record(server: Served) -> None:
    for page in (staff(server, "attending"), staff(server, "secretary"), patient(server)):
        assert page.get("/officer/requests").status_code == 403
    send(patient(server), f"/me/correct/{server.installation.item('prescription')}", text="Pas de metformine")
    assert "metformine" not in staff(server, "dpo").get("/officer/requests").text


def test_attack_strings_stay_text(server: Served) -> None:
    holder, doctor, record = patient(server), staff(server, "attending"), server.record()
    send(doctor, f"/record/{record}/ask-document", kind="other", text=ATTACK, days="7")
    send(holder, f"/me/correct/{server.installation.item('consultation')}", text=ATTACK)
    call = {"subject": "other", "phone": "06 99 00 12 10", "hours": "le soir", "text": ATTACK}
    send(holder, "/me/contact", **call)
    pages = [holder.get("/me/errands"), doctor.get("/inbox"), staff(server, "dpo").get("/officer/requests")]
    at = re.search(r"/inbox/correction/[\w-]+", pages[1].text)
    assert at is not None
    for answer in (*pages, doctor.get(at[0])):
        assert "<script>alert" not in answer.text
        assert "onerror=alert(2)>" not in answer.text.replace("&gt;", ">") or "&lt;img" in answer.text


# For somebody represented.


def test_a_parent_has_the_same_pages_for_their_child(server: Served) -> None:
    made = server.installation
    choice = next(one for one in made.store.people.choices if one.kind == "representative")
    related = made.store.items[choice.item].removeprefix("RelatedPerson/")
    parent = server.browser()
    parent.get(server.code(Actor(ActorId(f"proxy:{related}"), ActorKind.PROXY, "Parent"), "/"))
    child = made.record("adolescent")
    run(made.house.permitting.ask(made.as_staff("unrelated-doctor"), child, "follow-up"))
    shown = parent.get(f"/record/{child}/errands")
    assert shown.status_code == 200
    assert "continuer votre suivi" in text(shown)
    done = send(
        parent,
        f"/record/{child}/errands",
        f"/record/{child}/errands/access",
        id=value(shown.text, "id"),
        say="no",
    )
    assert done.status_code == 303
    assert parent.get(f"/record/{server.record()}/errands").status_code == 404
    assert parent.get("/me/errands").status_code == 404


# At the counter.


def tablet(server: Served, role: str = "patient") -> httpx.Client:
    """Have the secretary hand over a code, and type it on a tablet."""
    desk, at = staff(server, "secretary"), f"/record/{server.record(role)}/counter"
    assert server.patient_actor(role).name.split()[-1].upper() in text(desk.get(at)).upper()
    shown = send(desk, at, checked="document")
    assert shown.status_code == 200
    code = re.search(r"<code>([A-Z0-9-]+)</code>", shown.text)
    assert code is not None
    page = server.calling(server.address, {"accept": "text/html", "sec-fetch-site": "same-origin"})
    entered = page.post("/counter", data={"code": code[1].lower()})
    assert (entered.status_code, entered.headers["location"]) == (303, "/me")
    return page


@pytest.mark.capability("4-18", "lets")
def test_a_code_from_the_desk_opens_a_narrow_session_on_the_tablet(server: Served) -> None:
    page = tablet(server)
    for at in ("/me", "/me/record", "/me/who", "/me/choices", "/me/errands"):
        answer = page.get(at)
        assert answer.status_code == 200, at
        assert "J'ai terminé" in text(answer)
        assert answer.headers["refresh"] == "300; url=/counter/over"
        assert answer.headers["cache-control"] == "no-store"


def test_a_code_is_printed_without_the_name_of_whom_it_is_for(server: Served) -> None:
    desk = staff(server, "secretary")
    paper = send(desk, f"/record/{server.record()}/counter", checked="known", **{"as": "paper"})
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.headers["cache-control"] == "no-store"
    said = PdfDocument(paper.content)[0].get_textpage().get_text_range()
    assert re.search(r"[A-Z2-9]{5}-[A-Z2-9]{5}", said)
    assert server.patient_actor().name.split()[-1].upper() not in said.upper()


@pytest.mark.capability("4-18", "refuses")
@pytest.mark.parametrize(
    "at",
    [
        "/me/download",
        "/me/people",
        "/account",
        "/account/credentials",
        "/programs",
        "/home",
        "/me/contact",
        "/acts",
        "/today",
        "/officer",
        "/record/{record}",
        "/record/{record}/timeline",
        "/me/errands/deposit/1",
        "/preferences",
    ],
)
def test_a_session_at_the_counter_opens_nothing_else(server: Served, at: str) -> None:
    answer = tablet(server).get(at.replace("{record}", server.record()))
    assert answer.status_code in {403, 404}, answer.text
    assert "tablette" in text(answer)


def test_the_list_of_accesses_is_verified_and_printed_from_the_tablet(server: Served) -> None:
    page = tablet(server)
    csrf = {"csrf": key(page.get("/me/who").text)}
    assert page.post("/me/who/check", data=csrf).status_code == 200
    paper = page.post("/me/who/paper", data=csrf)
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert page.post("/me/who/proof", data=csrf).status_code == 403
    item = server.installation.item("maskable")
    assert page.post("/me/mask", data={**csrf, "item": item}).status_code == 303
    assert page.post("/me/unmask", data={**csrf, "item": item}).status_code == 303


def test_a_session_at_the_counter_opens_no_door_of_programs(server: Served) -> None:
    page = tablet(server)
    secret = page.cookies["serment"]
    answer = server.calling(server.address, {"authorization": f"Bearer {secret}"}).get("/fhir/Patient")
    assert answer.status_code == 401
    assert page.get("/me").status_code == 401


def test_i_have_finished_leaves_nothing(server: Served) -> None:
    page = tablet(server)
    secret = page.cookies["serment"]
    done = page.post("/counter/end", data={"csrf": key(page.get("/me").text)})
    assert done.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert "serment" not in page.cookies
    assert "serment-device" not in page.cookies
    page.cookies.set("serment", secret)
    assert page.get("/me").status_code == 401


def test_a_tablet_that_is_left_alone_goes_to_the_end_by_itself(server: Served) -> None:
    page = tablet(server)
    over = page.get("/counter/over")
    assert "La séance est fermée" in text(over)
    assert page.get("/me").status_code == 401


def test_whoever_works_there_is_not_signed_out_by_the_end_of_a_tablet(server: Served) -> None:
    desk = staff(server, "secretary")
    assert desk.get("/counter/over").status_code == 200
    assert desk.get(f"/record/{server.record()}/counter").status_code == 200


def test_a_wrong_code_is_said_beside_its_field_and_a_form_of_elsewhere_is_refused(server: Served) -> None:
    page = server.calling(server.address, {"accept": "text/html", "sec-fetch-site": "same-origin"})
    wrong = page.post("/counter", data={"code": "AAAAA-AAAAA"})
    assert (wrong.status_code, 'id="code-error"' in wrong.text) == (401, True)
    other = server.calling(server.address, {"accept": "text/html", "sec-fetch-site": "cross-site"})
    assert other.post("/counter", data={"code": "AAAAA-AAAAA"}).status_code == 403


def test_no_page_of_the_counter_advises_making_anything_reachable(server: Served) -> None:
    desk = staff(server, "secretary")
    pages = [server.browser().get("/counter"), desk.get(f"/record/{server.record()}/counter")]
    for answer in pages:
        assert not re.search(r"\bport\b|routeur|router|DNS|NAT\b", text(answer))
