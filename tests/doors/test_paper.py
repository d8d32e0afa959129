"""Papers over HTTP: prescriptions, prints, seals, one-time links; what each lets and what each refuses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import httpx
import pypdfium2
import pytest

from serment.demo.national import SimulatedNational
from tests.doors.served import Served, served

LINE = {
    "name": "Metformine 1 000 mg, comprimé",
    "dose": "1 comprimé matin et soir",
    "duration": "3 mois",
    "renewals": "2",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("paper")) as running:
        public = replace(running.house, base="https://dossier.cabinet.example/fhir")
        running.app.state.open = lambda: public
        running.house = public
        running.app.state.national = SimulatedNational()
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def signed_in(server: Served, role: str = "attending") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/home"))
    return page


def patient(server: Served, role: str = "patient") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.patient_actor(role), "/me"))
    return page


def key(page: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get("/home").text)
    assert found is not None
    return found[1]


def text_of(raw: bytes) -> str:
    with pypdfium2.PdfDocument(raw) as document:
        return "\n".join(one.get_textpage().get_text_bounded() for one in document)


def issued(server: Served, page: httpx.Client, **more: str) -> str:
    """Sign a prescription; give the address of its page."""
    form = {"csrf": key(page), "keep": "1", **LINE, **more}
    answer = page.post(f"/record/{server.record()}/prescription", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def paper(page: httpx.Client, address: str) -> bytes:
    answer = page.post(f"{address}/paper", data={"csrf": key(page)})
    assert answer.status_code == 200, answer.text
    return answer.content


def said(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


def number(page: httpx.Client, address: str) -> str:
    found = re.search(r"<code>([0-9A-Z ]{19})</code>", said(page.get(address)))
    assert found is not None
    return found[1].replace(" ", "")


# Prescriptions.


@pytest.mark.capability("0-07", "lets")
def test_a_prescriber_writes_signs_and_prints_a_prescription_that_the_patient_sees(server: Served) -> None:
    page = signed_in(server)
    address = issued(server, page)
    said = text_of(paper(page, address))
    for expected in ("Metformine 1 000 mg", "1 comprimé matin et soir", "Dr Hélène Vasselin", "99900001019"):
        assert expected in said
    assert "Cabinet des Tilleuls" in said
    assert "pas l'e-prescription nationale" in said.replace("\r\n", " ").replace("\n", " ")
    document = address.rpartition("/")[2]
    own = server.patient().get(f"DocumentReference/{document}")
    assert own.json()["description"] == "Ordonnance de Dr Hélène Vasselin"


@pytest.mark.capability("0-07", "lets")
def test_a_prescription_gets_its_national_number_once(server: Served) -> None:
    page = signed_in(server)
    address = issued(server, page)
    assert page.post(f"{address}/send", data={"csrf": key(page)}).status_code == 303
    shown = page.get(address).text
    found = re.search(r"DEMO[0-9A-F]{16}", shown)
    assert found is not None
    assert f"{address}/send" not in shown


def test_the_page_says_that_no_interaction_check_is_included(server: Served) -> None:
    page = signed_in(server).get(f"/record/{server.record()}/prescription").text
    assert "Aucun contrôle automatique des interactions" in page


def test_the_treatments_are_written_with_the_prescription(server: Served) -> None:
    page = signed_in(server)
    address = issued(server, page, name="Ramipril 5 mg")
    doctor = server.staff("attending")
    found = doctor.get("MedicationRequest", params={"patient": server.record(), "_count": 100}).json()
    mine = [
        one["resource"]
        for one in found["entry"]
        if one["resource"].get("groupIdentifier", {}).get("value") == number(page, address)
    ]
    assert [one["medicationCodeableConcept"]["text"] for one in mine] == ["Ramipril 5 mg"]


@pytest.mark.capability("0-07", "refuses")
@pytest.mark.parametrize("role", ["nurse", "secretary", "pharmacist"])
def test_a_role_without_the_right_to_prescribe_signs_nothing(server: Served, role: str) -> None:
    page = signed_in(server, role)
    form = {"csrf": key(page), **LINE}
    answer = page.post(f"/record/{server.record()}/prescription", data=form)
    assert answer.status_code in {403, 404}
    assert "Metformine" not in answer.text


def test_what_a_prescription_lacks_comes_back_beside_what_was_typed(server: Served) -> None:
    page = signed_in(server)
    form = {"csrf": key(page), "name": "Metformine", "dose": "", "duration": "1 an", "renewals": ""}
    answer = page.post(f"/record/{server.record()}/prescription", data=form)
    assert answer.status_code == 422
    assert 'value="Metformine"' in answer.text
    assert 'value="1 an"' in answer.text
    assert "posologie" in answer.text


@pytest.mark.capability("0-07", "refuses")
def test_a_revoked_prescription_is_not_sent_any_more(server: Served) -> None:
    page = signed_in(server)
    address = issued(server, page)
    assert page.post(f"{address}/revoke", data={"csrf": key(page)}).status_code == 303
    shown = said(page.get(address))
    assert "Révoquée" in shown
    assert f"{address}/send" not in shown
    answer = page.post(f"{address}/send", data={"csrf": key(page)})
    assert answer.status_code == 409
    again = page.post(f"{address}/revoke", data={"csrf": key(page)})
    assert again.status_code == 409


def test_the_treatments_of_a_revoked_prescription_are_cancelled(server: Served) -> None:
    page = signed_in(server)
    address = issued(server, page, name="Amlodipine 5 mg")
    mine = number(page, address)
    page.post(f"{address}/revoke", data={"csrf": key(page)})
    found = server.staff("attending").get(
        "MedicationRequest", params={"patient": server.record(), "_count": 100}
    )
    states = {
        one["resource"]["status"]
        for one in found.json()["entry"]
        if one["resource"].get("groupIdentifier", {}).get("value") == mine
    }
    assert states == {"cancelled"}


@pytest.mark.capability("0-07", "refuses")
def test_who_may_not_write_in_the_record_revokes_nothing(server: Served) -> None:
    address = issued(server, signed_in(server))
    stranger = signed_in(server, "unrelated-doctor")
    assert stranger.post(f"{address}/revoke", data={"csrf": key(stranger)}).status_code == 404
    assert "Valable" in signed_in(server).get(address).text


# Prints.


@pytest.mark.capability("3-01", "lets")
def test_a_print_says_who_when_and_under_which_act_and_the_patient_sees_it(server: Served) -> None:
    page = signed_in(server)
    item = f"DocumentReference/{issued(server, page).rpartition('/')[2]}"
    answer = page.post(f"/record/{server.record()}/print", data={"csrf": key(page), "item": item})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    said = text_of(answer.content)
    assert "Imprimé par Dr Hélène Vasselin" in said
    assert "signé du registre des accès" in said.replace("\r\n", " ").replace("\n", " ")
    assert "a imprimé" in patient(server).get("/me/who").text


def test_a_printed_document_is_pictures_of_its_pages_and_nothing_active(server: Served) -> None:
    page = signed_in(server)
    item = f"DocumentReference/{issued(server, page).rpartition('/')[2]}"
    answer = page.post(f"/record/{server.record()}/print", data={"csrf": key(page), "item": item})
    assert b"/Image" in answer.content
    for active in (b"/JavaScript", b"/JS ", b"/Launch", b"/URI", b"/AcroForm"):
        assert active not in answer.content


@pytest.mark.capability("3-01", "refuses")
def test_nothing_is_printed_without_a_choice_or_by_a_link(server: Served) -> None:
    page = signed_in(server)
    assert page.post(f"/record/{server.record()}/print", data={"csrf": key(page)}).status_code == 422
    shown = page.get(f"/record/{server.record()}/print")
    assert shown.headers["content-type"].startswith("text/html")


@pytest.mark.capability("3-01", "refuses")
@pytest.mark.parametrize("item", ["DocumentReference/00000000-0000-4000-8000-000000000000", "Patient/x", "x"])
def test_what_is_not_there_prints_nothing_of_the_rest_either(server: Served, item: str) -> None:
    page = signed_in(server)
    real = f"DocumentReference/{issued(server, page).rpartition('/')[2]}"
    form = {"csrf": key(page), "item": [real, item]}
    assert page.post(f"/record/{server.record()}/print", data=form).status_code == 404


def test_a_secretary_prints_a_document_that_they_cannot_read(server: Served) -> None:
    page = signed_in(server, "secretary")
    document = issued(server, signed_in(server)).rpartition("/")[2]
    assert server.staff("secretary").get(f"DocumentReference/{document}").status_code == 404
    form = {"csrf": key(page), "item": f"DocumentReference/{document}"}
    answer = page.post(f"/record/{server.record()}/print", data=form)
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")


def test_a_secretary_prints_no_note(server: Served) -> None:
    page = signed_in(server, "secretary")
    found = server.staff("attending").get("Condition", params={"patient": server.record()}).json()
    item = f"Condition/{found['entry'][0]['resource']['id']}"
    answer = page.post(f"/record/{server.record()}/print", data={"csrf": key(page), "item": item})
    assert answer.status_code == 404


# Seals.


@pytest.mark.capability("0-08", "lets")
def test_a_document_is_sealed_by_a_professional_and_checked_by_the_patient(server: Served) -> None:
    page = signed_in(server)
    document = issued(server, page).rpartition("/")[2]
    address = f"/record/{server.record()}/sign/{document}"
    assert page.post(address, data={"csrf": key(page)}).status_code == 303
    assert "n'a pas changé depuis" in said(page.get(address))
    own = patient(server).get(address)
    assert "n'a pas changé depuis" in said(own)
    assert "ni une signature qualifiée" in said(own)
    history = server.staff("attending").get(f"DocumentReference/{document}/_history").json()
    assert [one["resource"]["meta"]["versionId"] for one in history["entry"]] == ["2", "1"]


@pytest.mark.capability("0-08", "refuses")
def test_a_changed_document_no_longer_shows_as_sealed(server: Served) -> None:
    page = signed_in(server)
    document = issued(server, page).rpartition("/")[2]
    address = f"/record/{server.record()}/sign/{document}"
    page.post(address, data={"csrf": key(page)})
    doctor = server.staff("attending")
    body = doctor.get(f"DocumentReference/{document}").json()
    body["description"] = "Ordonnance, corrigée"
    answer = doctor.put(f"DocumentReference/{document}", json=body, headers={"if-match": 'W/"2"'})
    assert answer.status_code == 200, answer.text
    shown = said(page.get(address))
    assert "modifié après avoir reçu son cachet" in shown
    assert "n'a pas changé depuis" not in shown


@pytest.mark.capability("0-08", "refuses")
def test_who_may_not_read_a_document_neither_seals_nor_checks_it(server: Served) -> None:
    document = issued(server, signed_in(server)).rpartition("/")[2]
    stranger = signed_in(server, "unrelated-doctor")
    address = f"/record/{server.record()}/sign/{document}"
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, data={"csrf": key(stranger)}).status_code == 404


def test_a_patient_has_nothing_sealed(server: Served) -> None:
    own = patient(server)
    document = issued(server, signed_in(server)).rpartition("/")[2]
    address = f"/record/{server.record()}/sign/{document}"
    assert own.post(address, data={"csrf": key(own)}).status_code == 403


# Checking without an account.


def test_anybody_checks_a_file_that_they_hold(server: Served) -> None:
    page = signed_in(server)
    raw = paper(page, issued(server, page))
    stranger = server.browser()
    good = stranger.post("/verify", files={"file": ("x.pdf", raw, "application/pdf")})
    assert "porte notre cachet" in good.text
    bad = bytearray(raw)
    bad[len(raw) // 3] ^= 1
    answer = stranger.post("/verify", files={"file": ("x.pdf", bytes(bad), "application/pdf")})
    assert "porte notre cachet et" not in answer.text
    more = stranger.post("/verify", files={"file": ("x.pdf", raw + b"\n%%", "application/pdf")})
    assert "ajouté à ce fichier" in more.text


def test_a_code_answers_revoked_once_its_prescription_is(server: Served) -> None:
    from serment.paper import slip

    house, asking = server.house, server.installation.as_staff("attending")
    page = signed_in(server)
    address = issued(server, page)
    seal = house.sealing.seal(asking, "x")
    mine = slip.Slip(slip.Kind.PRESCRIPTION, number(page, address), "2026-11-22", "1", "Lilas", b"x" * 16)
    code = slip.written(mine, seal)
    stranger = server.browser()
    assert "n'est pas révoquée" in said(stranger.post("/verify", data={"code": code}))
    page.post(f"{address}/revoke", data={"csrf": key(page)})
    assert "a été révoquée le" in stranger.post("/verify", data={"code": code}).text
    forged = code[:-6] + ("A" if code[-6] != "A" else "B") + code[-5:]
    answer = stranger.post("/verify", data={"code": forged}).text
    assert "a été révoquée" not in answer


def test_no_text_of_a_stranger_shows_as_markup(server: Served) -> None:
    answer = server.browser().post("/verify", data={"code": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.text


# Links.


def shared(server: Served, page: httpx.Client, item: str, **more: str) -> httpx.Response:
    form = {"csrf": key(page), "item": item, "days": "7", "uses": "1", **more}
    return page.post(f"/record/{server.record()}/share", data=form)


def handed(answer: httpx.Response) -> tuple[str, str]:
    found = re.search(r"https://[^/]+(/shared/[A-Za-z0-9_-]+)</code>", answer.text)
    code = re.search(r"<code>(\d{8})</code>", answer.text)
    assert found is not None, answer.text[:2000]
    assert code is not None
    return found[1], code[1]


def document(server: Served) -> str:
    return f"DocumentReference/{issued(server, signed_in(server)).rpartition('/')[2]}"


@pytest.mark.capability("0-19", "lets")
@pytest.mark.capability("2-02", "lets")
def test_a_link_opens_once_with_its_passcode_and_the_patient_sees_it(server: Served) -> None:
    address, code = handed(shared(server, signed_in(server), document(server), agreed="1"))
    stranger = server.browser()
    assert stranger.get(address).status_code == 200
    opened = stranger.post(address, data={"passcode": code})
    assert opened.headers["content-type"] == "application/pdf"
    assert "lien à usage unique donné par Dr Hélène Vasselin" in text_of(opened.content)
    assert "n'est plus valable" in said(stranger.post(address, data={"passcode": code}))
    assert "lien à usage unique" in patient(server).get("/me/who").text


@pytest.mark.capability("2-02", "refuses")
@pytest.mark.parametrize("days", ["0", "", "32", "999", "-1", "x"])
def test_a_share_without_an_end_is_refused(server: Served, days: str) -> None:
    answer = shared(server, signed_in(server), document(server), agreed="1", days=days)
    assert answer.status_code == 422
    assert "Un lien a toujours une fin" in answer.text


@pytest.mark.capability("2-02", "refuses")
def test_a_professional_shares_nothing_without_the_patients_agreement(server: Served) -> None:
    answer = shared(server, signed_in(server), document(server))
    assert answer.status_code == 422
    assert "accord du patient" in answer.text


@pytest.mark.capability("0-19", "refuses")
def test_a_server_without_a_public_name_makes_no_link_and_says_why(server: Served) -> None:
    public = server.house
    server.app.state.open = lambda: replace(public, base="http://localhost:8080/fhir")
    try:
        page = signed_in(server)
        assert "pas de nom public" in page.get(f"/record/{server.record()}/share").text
        assert shared(server, page, document(server), agreed="1").status_code == 403
    finally:
        server.app.state.open = lambda: public


def test_a_holder_shares_what_is_theirs_and_ends_it(server: Served) -> None:
    own = patient(server)
    address, code = handed(shared(server, own, document(server)))
    page = own.get(f"/record/{server.record()}/share").text
    ends = re.findall(r'action="(/record/[^"]+/share/[^"]+/end)"', page)
    assert own.post(ends[0], data={"csrf": key(own)}).status_code == 303
    assert "n'est plus valable" in said(server.browser().post(address, data={"passcode": code}))


def test_the_holder_ends_a_link_that_a_professional_gave(server: Served) -> None:
    address, code = handed(shared(server, signed_in(server), document(server), agreed="1"))
    own = patient(server)
    page = own.get(f"/record/{server.record()}/share").text
    ends = re.findall(r'action="(/record/[^"]+/share/[^"]+/end)"', page)
    own.post(ends[0], data={"csrf": key(own)})
    assert "n'est plus valable" in said(server.browser().post(address, data={"passcode": code}))


def test_a_colleague_sees_and_ends_only_their_own_links(server: Served) -> None:
    shared(server, signed_in(server), document(server), agreed="1")
    page = signed_in(server, "team-doctor").get(f"/record/{server.record()}/share").text
    assert not re.findall(r"/share/[^\"]+/end", page)


def test_the_printed_file_name_says_nothing_of_anybody(server: Served) -> None:
    page = signed_in(server)
    answer = page.post(f"{issued(server, page)}/paper", data={"csrf": key(page)})
    assert answer.headers["content-disposition"] == 'attachment; filename="ordonnance.pdf"'
    assert BytesIO(answer.content).read(5) == b"%PDF-"


# Inside the house.


@pytest.mark.capability("0-19", "lets")
def test_a_professional_tells_a_colleague_of_a_document_without_opening_it_to_them(server: Served) -> None:
    page = signed_in(server)
    item = document(server)
    number = server.installation.staff("team-doctor").id.removeprefix("rpps:")
    form = {"csrf": key(page), "item": item, "days": "7", "number": number}
    answer = page.post(f"/record/{server.record()}/share/colleague", data=form)
    assert answer.status_code == 303
    assert "C'est signalé" in said(page.get(answer.headers["location"]))
    colleague = server.installation.as_staff("team-doctor")
    found = [one for one in server.house.inbox.waiting(colleague) if one.item == item]
    assert [one.kind.value for one in found] == ["shared"]
    assert found[0].until > 0


@pytest.mark.capability("2-02", "refuses")
@pytest.mark.parametrize(("days", "number"), [("0", "99900001027"), ("90", "99900001027"), ("7", "1")])
def test_a_share_inside_the_house_has_an_end_and_a_true_number(
    server: Served, days: str, number: str
) -> None:
    page = signed_in(server)
    form = {"csrf": key(page), "item": document(server), "days": days, "number": number}
    assert page.post(f"/record/{server.record()}/share/colleague", data=form).status_code == 422


@pytest.mark.capability("2-02", "lets")
def test_a_holder_lets_one_professional_read_until_a_day(server: Served) -> None:
    own, stranger = patient(server), signed_in(server, "unrelated-doctor")
    address = f"/record/{server.record()}/timeline"
    assert stranger.get(address).status_code == 404
    number = server.installation.staff("unrelated-doctor").id.removeprefix("rpps:")
    form = {"csrf": key(own), "days": "7", "number": number}
    assert own.post(f"/record/{server.record()}/share/colleague", data=form).status_code == 303
    assert stranger.get(address).status_code == 200


def test_a_professional_lets_nobody_read_in_the_patients_place(server: Served) -> None:
    page = signed_in(server)
    number = server.installation.staff("pharmacist").id.removeprefix("rpps:")
    form = {"csrf": key(page), "item": document(server), "days": "7", "number": number}
    page.post(f"/record/{server.record()}/share/colleague", data=form)
    pharmacist = signed_in(server, "pharmacist")
    assert pharmacist.get(f"/record/{server.record()}/timeline").status_code == 404


@pytest.mark.capability("3-01", "lets")
def test_a_letter_leaves_on_the_letterhead_of_who_wrote_it_and_of_nobody_else(server: Served) -> None:
    doctor = server.staff("attending")
    number = server.installation.staff("attending").id.removeprefix("rpps:")
    body = {
        "resourceType": "DocumentReference",
        "status": "current",
        "description": "Courrier à un confrère",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "subject": {"reference": f"Patient/{server.record()}"},
        "author": [{"identifier": {"system": "https://rpps.esante.gouv.fr", "value": number}}],
        "content": [{"attachment": {"contentType": "text/plain", "data": "Q2hlciBjb25mcsOocmU="}}],
    }
    id_ = doctor.post("DocumentReference", json=body).headers["location"].partition("/_history")[0]
    address = f"/record/{server.record()}/letter/{id_.rpartition('/')[2]}"
    page = signed_in(server)
    answer = page.post(address, data={"csrf": key(page)})
    assert answer.status_code == 200, answer.text
    for expected in ("Cher confrère", "Dr Hélène Vasselin", "Cabinet des Tilleuls", "secret médical"):
        assert expected in text_of(answer.content)
    colleague = signed_in(server, "team-doctor")
    assert colleague.post(address, data={"csrf": key(colleague)}).status_code == 403
