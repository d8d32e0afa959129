"""The reception over HTTP, as a browser without script: people, appointments, papers, what is not shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest

from serment.demo.insi import Certified, LocalInsi
from serment.errors import RefusedError
from serment.identity import ins
from serment.identity.traits import Traits
from tests.attacks.test_reception import WHY, booked
from tests.doors.samples import Json
from tests.doors.served import Served, served
from tests.installation import run

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve an installation of its own: people are registered and merged here."""
    folder: Path = tmp_path_factory.mktemp("reception-pages")
    with served(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


class Desk:
    """Somebody at the desk with a browser: follows redirections, and sends the key of the page's forms."""

    def __init__(self, server: Served, role: str = "secretary") -> None:
        self.browser = server.browser()
        self.browser.get(server.code(server.installation.staff(role), "/reception"))
        self.key = ""

    def get(self, to: str) -> httpx.Response:
        answer = self.browser.get(to, follow_redirects=True)
        found = CSRF.search(answer.text)
        self.key = found[1] if found else self.key
        return answer

    def post(self, to: str, *, files: object = None, **said: str) -> httpx.Response:
        form = {name.replace("_", "-"): value for name, value in {"csrf": self.key, **said}.items()}
        return self.browser.post(to, data=form, files=files, follow_redirects=True)  # type: ignore[arg-type]  # httpx's own union


@pytest.fixture
def desk(server: Served) -> Desk:
    made = Desk(server)
    made.get("/reception")
    return made


def text(answer: httpx.Response) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


PERSON = {
    "birth_name": "Kerguénou",
    "given": "Solange Marie",
    "birth_date": "1948-06-17",
    "sex": "F",
    "birth_place": "29232",
}


def id_of(answer: httpx.Response) -> str:
    found = re.search(r"/reception/person/([\w-]+)", str(answer.url))
    assert found, (answer.status_code, text(answer))
    return found[1]


def registered(desk: Desk, family: str, born: str) -> str:
    return id_of(desk.post("/reception/new", **{**PERSON, "birth_name": family, "birth_date": born}))


def today(resource: Json) -> Json:
    day = datetime.now().astimezone().date().isoformat()
    return {**resource, **{name: day + resource[name][10:] for name in ("start", "end")}}


# People.


@pytest.mark.capability("0-04", "lets")
def test_nobody_is_registered_before_the_likely_ones_are_seen(server: Served, desk: Desk) -> None:
    first = desk.post("/reception/new", **PERSON)
    known = id_of(first)
    again = desk.post("/reception/new", **{**PERSON, "birth_name": "Kerguenou", "given": "Solange"})
    assert again.status_code == 409
    assert f"/reception/person/{known}" in again.text
    assert "KERGUENOU SOLANGE" in text(again).upper()
    assert 'value="Solange"' in again.text, "what was typed stands"
    silent = desk.post("/reception/new", seen="1", **{**PERSON, "given": "Solange"})
    assert silent.status_code == 409
    spite = desk.post("/reception/new", seen="1", in_spite="twin", **{**PERSON, "given": "Solange"})
    assert id_of(spite) != known


@pytest.mark.capability("0-04", "refuses")
def test_a_reason_for_a_second_record_is_no_line_of_anybodys_own_list(server: Served, desk: Desk) -> None:
    """The reader of a record may be somebody's parent: it says nothing of another one."""
    twin = {**PERSON, "birth_name": "Abgrallou", "birth_date": "1991-02-03"}
    one = id_of(desk.post("/reception/new", **twin))
    other = id_of(desk.post("/reception/new", seen="1", in_spite="twin", **{**twin, "given": "Solange"}))
    for patient in (one, other):
        told = server.staff("secretary").get("Patient/" + patient).text
        assert "twin" not in told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"birth_name": "123"}, "ne contient aucune lettre"),
        ({"birth_date": "1948-02-31"}, "doit exister au calendrier"),
        ({"sex": ""}, "est M ou F"),
        ({"birth_place": "29000"}, "code postal"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_the_rest_stands(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    answer = desk.post("/reception/new", **{**PERSON, **wrong})
    assert answer.status_code == 400
    assert said in text(answer)
    assert 'value="Solange Marie"' in answer.text


@pytest.mark.capability("0-02", "lets")
def test_an_identity_is_qualified_by_insi_a_comparison_and_a_document(server: Served, desk: Desk) -> None:
    strict = Traits("PLOUGONVEL", "SOLANGE MARIE", "1949-06-17", "F", "29232")
    stem = "2490629232117"
    number = (ins.NIR_TEST, stem + ins.key(stem))
    server.house.identifying.service = LocalInsi([Certified(number, strict)])
    known = {**PERSON, "birth_name": "Plougonvel", "birth_date": "1949-06-17"}
    made = desk.post("/reception/new", **known)
    id_ = id_of(made)
    assert "provisoire" in text(made).lower()
    answer = desk.post(f"/reception/person/{id_}/insi")
    assert answer.status_code == 200
    token = re.search(r'name="comparison" value="([^"]+)"', answer.text)
    assert token
    assert "PLOUGONVEL" in answer.text
    unread = desk.post(f"/reception/person/{id_}/insi/accept", comparison=token[1])
    assert unread.status_code == 400, "nobody compared"
    done = desk.post(f"/reception/person/{id_}/insi/accept", comparison=token[1], compared="1", proof="CN")
    assert "qualifiée" in text(done).lower()
    assert number[1] not in done.text


@pytest.mark.capability("0-02", "refuses")
def test_a_document_of_low_trust_makes_no_identity_surer(desk: Desk) -> None:
    id_ = id_of(
        desk.post("/reception/new", **{**PERSON, "birth_name": "Trémargat", "birth_date": "1950-01-02"})
    )
    answer = desk.post(f"/reception/person/{id_}/proof", proof="PC")
    assert "provisoire" in text(answer).lower()


def test_how_somebody_is_reached_changes_and_who_they_are_does_not(server: Served, desk: Desk) -> None:
    id_ = id_of(
        desk.post("/reception/new", **{**PERSON, "birth_name": "Lanrivoaré", "birth_date": "1951-01-02"})
    )
    before = server.staff("secretary").get(f"Patient/{id_}").json()
    desk.post(f"/reception/person/{id_}/reach", phone="06 39 98 12 34", city="Bourg-Tilleul")
    after = server.staff("secretary").get(f"Patient/{id_}").json()
    assert after["telecom"][0]["value"] == "06 39 98 12 34"
    assert after["address"][0]["city"] == "Bourg-Tilleul"
    assert {k: before[k] for k in ("name", "birthDate", "gender")} == {
        k: after[k] for k in ("name", "birthDate", "gender")
    }


@pytest.mark.capability("0-04", "lets")
def test_a_suspected_pair_is_compared_joined_and_parted(server: Served, desk: Desk) -> None:
    secretary = server.staff("secretary")
    names = [{"use": "official", "family": "Morbraz", "given": ["Capucine"]}]
    person = {"resourceType": "Patient", "name": names, "birthDate": "1961-02-03", "gender": "female"}
    one = secretary.post("Patient", json=person).json()["id"]
    other = secretary.post("Patient", json={**person, "birthDate": "1961-03-02"}).json()["id"]
    listed = desk.get("/reception/duplicates")
    to = next(
        one_ for one_ in re.findall(r'href="(/reception/duplicates/[^"]+)"', listed.text) if one in one_
    )
    assert other in to
    compared = desk.get(to)
    assert "différent" in text(compared)
    joined = desk.post(to, act="merge", kept=one)
    assert "sont réunis" in text(joined)
    assert secretary.get(f"Patient/{other}").json()["active"] is False
    parted = desk.post(to, act="undo", kept=one)
    assert "sont réunis" not in text(parted)
    assert secretary.get(f"Patient/{other}").json().get("active") is not False
    gone = desk.post(to, act="apart")
    assert other not in gone.text


def test_who_sorts_no_identity_is_shown_no_list_of_them(server: Served) -> None:
    doctor = Desk(server, "team-doctor")
    assert doctor.get("/reception/duplicates").status_code == 403
    assert "Doublons" not in text(doctor.get("/reception"))


# Appointments.


@pytest.mark.capability("4-11", "refuses")
def test_no_page_of_the_reception_shows_a_hidden_reason(server: Served, desk: Desk) -> None:
    patient = server.record()
    doctor = server.staff("team-doctor")
    made = doctor.post("Appointment", json=today(booked(server, patient, 17, comment=WHY)))
    assert made.status_code == 201
    pages = [
        "/reception",
        "/reception/agenda",
        f"/reception/person/{patient}/appointments",
        f"/reception/appointment/{made.json()['id']}",
    ]
    for one in pages:
        answer = desk.get(one)
        assert answer.status_code == 200, one
        assert WHY not in answer.text, one
    assert WHY in Desk(server, "team-doctor").get(f"/reception/person/{patient}/appointments").text


@pytest.mark.capability("4-11", "lets")
def test_a_secretary_books_moves_welcomes_and_calls_off(server: Served, desk: Desk) -> None:
    patient = server.record()
    page = desk.get(f"/reception/person/{patient}/appointments")
    whom = re.search(r'<option value="([\w-]{36})"', page.text)
    assert whom
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).date().isoformat()
    said = {"with_": whom[1], "day": tomorrow, "hour": "09:40", "minutes": "20"}
    form = {name.rstrip("_"): value for name, value in said.items()}
    made = desk.browser.post(
        f"/reception/person/{patient}/appointments", data={"csrf": desk.key, **form}, follow_redirects=True
    )
    assert "09:40" in text(made)
    day = desk.get(f"/reception/agenda?day={tomorrow}")
    id_ = re.search(r"/reception/appointment/([\w-]+)", day.text)
    assert id_
    assert "09:40" in text(day)
    moved = desk.post(f"/reception/appointment/{id_[1]}", day=tomorrow, hour="11:05", minutes="20")
    assert "11:05" in text(moved)
    assert "09:40" not in text(moved)
    back = f"/reception/agenda?day={tomorrow}"
    here = desk.post(f"/reception/appointment/{id_[1]}/turn", status="arrived", back=back)
    assert "arrivé" in text(here)
    off = desk.post(f"/reception/appointment/{id_[1]}/turn", status="cancelled", back=back)
    assert "Le rendez-vous est annulé" in text(off)
    assert "11:05" not in text(desk.get(back)), "who does not come is not expected"


@pytest.mark.capability("4-11", "refuses")
def test_a_secretary_writes_a_reason_only_when_the_person_shows_it(server: Served, desk: Desk) -> None:
    patient = server.record()
    page = desk.get(f"/reception/person/{patient}/appointments")
    whom = re.search(r'<option value="([\w-]{36})"', page.text)
    assert whom
    tomorrow = (datetime.now().astimezone() + timedelta(days=1)).date().isoformat()
    form = {"csrf": desk.key, "with": whom[1], "day": tomorrow, "hour": "08:10", "minutes": "15"}
    to = f"/reception/person/{patient}/appointments"
    refused = desk.browser.post(to, data={**form, "reason": "fauteuil roulant"})
    assert refused.status_code == 400
    assert 'value="fauteuil roulant"' in refused.text
    taken = desk.browser.post(to, data={**form, "reason": "fauteuil roulant", "shown": "1"})
    assert taken.status_code == 303
    assert "fauteuil roulant" in text(desk.get(f"/reception/agenda?day={tomorrow}"))


def test_a_form_leads_back_to_no_other_address(server: Served, desk: Desk) -> None:
    one = (
        server.staff("team-doctor").post("Appointment", json=booked(server, server.record(), 18)).json()["id"]
    )
    for back in ("https://example.org", "//example.org", "/officer", "/reception/agenda?day=<x>"):
        to = f"/reception/appointment/{one}/turn"
        form = {"csrf": desk.key, "status": "booked", "back": back}
        assert desk.browser.post(to, data=form).headers["location"] == "/reception"


def test_the_day_of_a_stranger_to_the_house_is_empty(server: Served) -> None:
    outside = Desk(server, "unrelated-doctor")
    answer = outside.get("/reception/agenda")
    assert answer.status_code == 200
    assert "Aucun rendez-vous enregistré que vous puissiez voir" in text(answer)


# Papers.


def scan(desk: Desk, patient: str, author: str = "Dr Maubert", content: bytes = PDF) -> httpx.Response:
    desk.get(f"/reception/person/{patient}/scan")
    files = {"file": ("IMG.pdf", content, "application/pdf")}
    form = {"kind": "11490-0", "author": author, "day": "2026-10-02"}
    return desk.post(f"/reception/person/{patient}/scan", files=files, **form)


@pytest.mark.capability("1-20", "lets")
@pytest.mark.capability("3-01", "lets")
def test_a_scanned_paper_keeps_its_source_its_author_and_who_filed_it(server: Served, desk: Desk) -> None:
    answer = scan(desk, server.record())
    assert answer.status_code == 200, text(answer)
    assert "classé par vous" in text(answer)
    asked = {"patient": f"Patient/{server.record()}", "type": "11490-0", "_sort": "-_lastUpdated"}
    sheet = server.staff("team-doctor").get("DocumentReference", params=asked).json()["entry"][0]["resource"]
    assert sheet["author"] == [{"display": "Dr Maubert"}]
    assert sheet["extension"] == [{"url": "urn:serment:source", "valueCode": "paper"}]
    url = sheet["content"][0]["attachment"]["url"]
    read = server.staff("team-doctor", accept="application/pdf").get(url)
    assert read.content == PDF


@pytest.mark.capability("1-20", "refuses")
def test_a_paper_without_author_or_that_is_no_paper_is_not_filed(server: Served, desk: Desk) -> None:
    assert scan(desk, server.record(), author=" ").status_code == 400
    assert scan(desk, server.record(), content=b"<html><script>1</script>").status_code >= 400


@pytest.mark.capability("3-01", "refuses")
def test_the_list_of_papers_shows_no_title_and_no_body(server: Served, desk: Desk) -> None:
    asked = {"patient": f"Patient/{server.record()}", "_count": "50"}
    found = server.staff("team-doctor").get("DocumentReference", params=asked).json()["entry"]
    titles = [one["resource"]["description"] for one in found if "extension" not in one["resource"]]
    answer = desk.get(f"/reception/person/{server.record()}/papers")
    labels = {one.label for one in server.house.passage.policy.types.values()}
    assert titles
    assert not [one for one in titles if one in text(answer) and one not in labels]


@pytest.mark.capability("3-01", "lets")
def test_a_secretary_prints_what_they_do_not_read_and_it_is_traced(server: Served, desk: Desk) -> None:
    patient = server.record()
    page = desk.get(f"/reception/person/{patient}/papers")
    items = re.findall(r'name="item" value="(DocumentReference/[\w-]+)"', page.text)
    assert items
    assert server.staff("secretary").get(items[0]).status_code == 404, "no body is read"
    made = desk.post(f"/record/{patient}/print", item=items[0])
    assert (made.status_code, made.headers["content-type"]) == (200, "application/pdf")
    told = server.patient()
    lines = told.get("AuditEvent", params={"patient": f"Patient/{patient}", "_count": "5"}).text
    assert "Mireille Plantevin" in lines
    assert items[0] in lines


@pytest.mark.capability("3-01", "refuses")
def test_a_secretary_prints_no_note_and_nothing_of_another_record(server: Served, desk: Desk) -> None:
    patient = server.record()
    asked = {"patient": f"Patient/{patient}", "_count": "1"}
    note = server.staff("team-doctor").get("Condition", params=asked).json()["entry"][0]["resource"]["id"]
    desk.get(f"/reception/person/{patient}/papers")
    for item in (f"Condition/{note}", "DocumentReference/0f0f0f0f-0000-4000-8000-00000000000f"):
        assert desk.post(f"/record/{patient}/print", item=item).status_code == 404


def test_a_paper_in_the_wrong_record_is_taken_back_by_who_filed_it(server: Served, desk: Desk) -> None:
    patient = server.record()
    answer = scan(desk, patient, author="Dr Erreur")
    before = re.findall(r"/papers/([\w-]+)/take-back", answer.text)
    back = desk.post(f"/reception/person/{patient}/papers/{before[0]}/take-back")
    assert "retiré de ce dossier" in text(back)
    after = re.findall(r"/papers/([\w-]+)/take-back", desk.get(f"/reception/person/{patient}/papers").text)
    assert set(before) - set(after) == {before[0]}
    doctor = server.staff("team-doctor")
    assert doctor.get(f"DocumentReference/{before[0]}").status_code == 410
    history = doctor.get(f"DocumentReference/{before[0]}/_history").json()
    assert history["total"] == 2, "that it was here stays written"


def test_attack_a_secretary_takes_back_what_a_doctor_filed(server: Served, desk: Desk) -> None:
    patient = server.record()
    asked = {"patient": f"Patient/{patient}", "type": "11488-4"}
    theirs = server.staff("team-doctor").get("DocumentReference", params=asked).json()["entry"][0]["resource"]
    answer = desk.post(f"/reception/person/{patient}/papers/{theirs['id']}/take-back")
    assert answer.status_code == 404
    assert server.staff("team-doctor").get(f"DocumentReference/{theirs['id']}").status_code == 200


# Who is at the desk.


@pytest.mark.parametrize("path", ["", "/appointments", "/papers", "/scan"])
def test_a_person_who_may_not_be_opened_and_one_who_is_not_there_give_one_page(
    server: Served, path: str
) -> None:
    outside = Desk(server, "unrelated-doctor")
    nowhere = "0f0f0f0f-0000-4000-8000-00000000000f"
    answers = [outside.get(f"/reception/person/{one}{path}") for one in (server.record(), nowhere)]
    plain = [
        re.sub(r'nonce="[\w-]+"|value="[\w-]{20,}"', "", one.text.replace(who, "<id>"))
        for one, who in zip(answers, (server.record(), nowhere), strict=True)
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert plain[0] == plain[1]


def test_a_patient_is_led_to_their_own_page(server: Served) -> None:
    browser = server.browser()
    browser.get(server.code(server.patient_actor(), "/me"))
    assert browser.get("/reception").headers["location"] == "/home"


def test_looking_for_the_likely_ones_is_traced_and_refused_to_who_finds_nobody(server: Served) -> None:
    made = server.installation
    person = {"resourceType": "Patient", "name": [{"family": "Quelconque", "given": ["Ana"]}]}
    assert run(made.house.registering.alike(made.as_staff("secretary"), person)) == []
    with pytest.raises(RefusedError):
        run(made.house.registering.alike(made.as_staff("officer"), person))
