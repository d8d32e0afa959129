"""Errands in a real browser: a yes by the keyboard, a document, a correction, a tablet at the counter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.doors.served import Served
from tests.pages.chrome import WIDTHS, Window
from tests.pages.conftest import Opening

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"


def staff(opening: Opening, server: Served, role: str, to: str, **options: object) -> Window:
    window: Window = opening(**options)
    return window.enter(server.installation.staff(role), to)


def holder(opening: Opening, server: Served, to: str, role: str = "patient", **options: object) -> Window:
    window: Window = opening(**options)
    return window.enter(server.patient_actor(role), to)


def is_well_made(window: Window) -> None:
    """Hold a page that only a journey meets against what the tour asks of each."""
    for dark in (False, True):
        window.theme(dark=dark)
        assert window.faults() == []
    for width in WIDTHS:
        window.width(width)
        assert window.too_wide() == []
    window.theme(dark=False)
    window.width(1200)


def test_a_doctor_asks_and_the_patient_says_yes_by_the_keyboard(opening: Opening, server: Served) -> None:
    record = server.record("father")
    doctor = staff(opening, server, "unrelated-doctor", f"/record/{record}")
    doctor.page.locator('a[href$="/ask"]').click()
    doctor.page.get_by_label("Donner un avis").check()
    doctor.page.get_by_role("button", name="Envoyer la demande").click()
    assert "Demande envoyée" in doctor.text
    patient = holder(opening, server, "/me", "father")
    patient.press("e")
    patient.page.wait_for_url("**/me/errands*")
    is_well_made(patient)
    patient.keep("errands")
    patient.page.locator("select[name=days]").focus()
    patient.press("ArrowUp", "Tab", "Enter")
    patient.page.get_by_text("Personne n'attend de réponse de vous").wait_for()
    doctor.go("/inbox")
    assert "accord" in doctor.text.lower()
    assert doctor.go(f"/record/{record}").status == 200


@pytest.mark.parametrize("script", [True, False])
def test_a_document_is_asked_for_and_deposited(
    opening: Opening, server: Served, tmp_path: Path, *, script: bool
) -> None:
    doctor = staff(opening, server, "attending", f"/record/{server.record()}/ask-document", script=script)
    doctor.page.select_option("#kind", "certificate")
    doctor.page.fill("#text", "Le certificat de votre club")
    doctor.page.get_by_role("button", name="Envoyer la demande").click()
    patient = holder(opening, server, "/me/errands", script=script)
    patient.page.get_by_role("link", name=re.compile("Déposer le document")).first.click()
    if script:
        is_well_made(patient)
        patient.keep("deposit")
    file = tmp_path / "certificat.pdf"
    file.write_bytes(PDF)
    patient.page.fill("#title", "Certificat du club")
    patient.page.set_input_files("#file", file)
    patient.page.get_by_role("button", name="Déposer").click()
    assert "est dans votre dossier" in patient.text
    doctor.go("/inbox")
    doctor.page.get_by_role("link", name=re.compile("ocument")).first.click()
    assert "Certificat du club" in doctor.text


def test_a_correction_is_asked_for_and_answered(opening: Opening, server: Served) -> None:
    item = server.installation.item("prescription")
    patient = holder(opening, server, f"/me/correct/{item}")
    patient.page.fill("#text", "La dose n'est plus celle-là")
    patient.page.get_by_role("button", name="Envoyer la demande").click()
    doctor = staff(opening, server, "attending", "/inbox")
    doctor.page.locator('a[href^="/inbox/correction/"]').first.click()
    is_well_made(doctor)
    doctor.page.fill("#text", "Corrigé dans la dernière ordonnance")
    doctor.page.get_by_role("button", name="J'ai corrigé").click()
    patient.go("/me/errands")
    assert "Votre demande de correction est acceptée" in patient.text


@pytest.mark.parametrize("script", [True, False])
def test_a_patient_reads_at_the_counter_and_the_tablet_forgets(
    opening: Opening, server: Served, *, script: bool
) -> None:
    desk = staff(opening, server, "secretary", f"/record/{server.record()}/counter", script=script)
    desk.page.locator("#checked-1").check()
    desk.page.get_by_role("button", name="Faire le code à l'écran").click()
    code = desk.page.inner_text("main code")
    tablet: Window = opening(script=script)
    tablet.go("/counter")
    tablet.page.fill("#code", code.lower())
    tablet.page.get_by_role("button", name="Ouvrir mon dossier").click()
    assert tablet.at == "/me"
    tablet.page.get_by_role("link", name="Qui a vu mes données").first.click()
    assert "Mireille Plantevin" in tablet.text
    if script:
        is_well_made(tablet)
        tablet.keep("counter")
    tablet.page.get_by_role("button", name="J'ai terminé").click()
    assert "La séance est fermée" in tablet.text
    assert tablet.page.context.cookies() == []
    tablet.page.go_back()
    assert "Mireille Plantevin" not in tablet.text
