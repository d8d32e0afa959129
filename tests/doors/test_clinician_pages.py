"""A clinician's day over HTTP: today, the first page of a record, why, an act declared, an emergency."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from serment.model import Actor, ActorId, ActorKind
from serment.record.care.urgent import LASTS
from tests.doors.served import Served, page_text, served

TERMS = "http://terminology.hl7.org/CodeSystem"
ATTACK = '"><img src=x onerror=alert(1)>\u202etxt'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("clinician")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def arrived(server: Served, role: str) -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/today"))
    return page


def key(page: httpx.Client, path: str = "/today") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.get(path).text)
    assert found is not None
    return found[1]


def send(page: httpx.Client, path: str, headers: dict[str, str] | None = None, **form: Any) -> httpx.Response:
    return page.post(path, data={"csrf": key(page), **form}, headers=headers or {})


def read(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


def alike(server: Served, answer: httpx.Response, id_: str) -> str:
    """Give a page without its nonce and without the id that was asked for."""
    return page_text(answer).replace(id_, "{id}")


def write(server: Served, resource: dict[str, Any], role: str = "attending") -> str:
    answer = server.staff(role).post(resource["resourceType"], json=resource)
    assert answer.status_code == 201, answer.text
    return f"{resource['resourceType']}/{answer.json()['id']}"


def allergy(server: Served, text: str, role: str = "patient", **more: Any) -> dict[str, Any]:
    patient = {"reference": f"Patient/{server.record(role)}"}
    active = {"coding": [{"system": f"{TERMS}/allergyintolerance-clinical", "code": "active"}]}
    kind = {"resourceType": "AllergyIntolerance", "clinicalStatus": active}
    return {**kind, "code": {"text": text}, "patient": patient, **more}


# Today.


def test_a_clinician_arrives_on_today_with_the_cursor_in_the_search(server: Served) -> None:
    page = arrived(server, "attending")
    page.get(server.code(server.installation.staff("attending"), "/"))
    assert page.get("/").headers["location"] == "/today"
    shown = page.get("/today")
    assert re.search(r'<input id="typed"[^>]* autofocus', shown.text)
    assert "Aujourd'hui" in read(shown)


def test_three_letters_and_enter_open_the_one_person_found(server: Served) -> None:
    traits = server.installation.patient("celebrity").traits
    typed = f"{traits.used_name[:4]} {traits.given[0][:3]}"
    answer = send(arrived(server, "attending"), "/today/find", typed=typed)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/record/{server.record('celebrity')}")


def test_several_people_are_a_list_and_what_was_typed_stays(server: Served) -> None:
    typed = server.installation.patient().traits.used_name[:4]
    answer = send(arrived(server, "attending"), "/today/find", typed=typed)
    assert answer.status_code == 200
    assert answer.text.count('href="/record/') > 1
    assert f'value="{typed}"' in answer.text


def test_as_somebody_types_only_the_list_is_sent(server: Served) -> None:
    typed = server.installation.patient("celebrity").traits.used_name[:4]
    answer = send(arrived(server, "attending"), "/today/find", {"hx-request": "true"}, typed=typed)
    assert server.record("celebrity") in answer.text
    assert "<html" not in answer.text
    assert "<h1" not in answer.text


def test_what_is_typed_about_a_person_stands_in_no_address(server: Served) -> None:
    page = arrived(server, "attending")
    assert page.get("/today/find", params={"typed": "Valm"}).status_code == 405
    assert server.record() not in page.get("/today", params={"typed": "Valm"}).text


@pytest.mark.parametrize("typed", ["", "zq", "Zyxwv"])
def test_nobody_found_says_what_to_do(server: Served, typed: str) -> None:
    answer = send(arrived(server, "attending"), "/today/find", typed=typed)
    assert re.search("trois lettres|Trois lettres|Personne que vous puissiez", read(answer))
    assert "<h1>" in answer.text


def test_a_patient_has_no_day_at_work(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    assert page.get("/today").headers["location"] == "/home"


def test_a_record_opened_is_on_today_until_it_may_be_opened_no_more(server: Served) -> None:
    page, record = arrived(server, "second-associate"), server.record("husband")
    assert f"/record/{record}" not in page.get("/today").text
    assert send(page, f"/record/{record}/declare", reason="visit-today").status_code == 303
    assert page.get(f"/record/{record}").status_code == 200
    assert f"/record/{record}" in page.get("/today").text
    number = server.installation.staff("second-associate").id.removeprefix("rpps:")
    asking = server.installation.as_patient("husband")
    blocked = asyncio.run(server.house.choosing.block(asking, server.installation.record("husband"), number))
    assert f"/record/{record}" not in page.get("/today").text
    server.patient("husband").delete(f"Consent/{blocked.id}")


def test_the_day_s_appointments_show_time_and_person_and_no_reason(server: Served) -> None:
    attending = server.installation.staff("attending").id.removeprefix("rpps:")
    number = {"identifier": {"system": "urn:oid:1.2.250.1.71.4.2.1", "value": attending}}
    start = datetime.now(UTC).astimezone().replace(hour=15, minute=20, second=0, microsecond=0)
    write(
        server,
        {
            "resourceType": "Appointment",
            "status": "booked",
            "description": "motif secret",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=15)).isoformat(),
            "participant": [
                {"actor": {"reference": f"Patient/{server.record('masking')}"}, "status": "accepted"},
                {"actor": number, "status": "accepted"},
            ],
        },
    )
    shown = read(arrived(server, "attending").get("/today"))
    assert "15:20" in shown
    assert server.record("masking") in shown
    assert "motif secret" not in shown
    assert "15:20" not in read(arrived(server, "team-doctor").get("/today"))


# The first page of a record.


@pytest.mark.capability("2-07", "lets")
def test_the_first_page_shows_what_care_needs_and_leads_to_the_rest(server: Served) -> None:
    write(server, allergy(server, "Pénicilline"))
    shown = read(arrived(server, "attending").get(f"/record/{server.record()}"))
    for title in ("Allergies", "Traitements en cours", "Dernière note", "Nouveau pour vous"):
        assert f">{title}<" in shown
    assert shown.index(">Allergies<") < shown.index(">Traitements en cours<") < shown.index(">Dernière note<")
    assert "Pénicilline" in shown


@pytest.mark.capability("2-07", "refuses")
def test_a_first_page_never_shows_a_whole_life_at_once(server: Served) -> None:
    for place in range(30):
        write(server, allergy(server, f"Allergène {place:02}", "celebrity"))
    shown = read(arrived(server, "attending").get(f"/record/{server.record('celebrity')}"))
    assert len(re.findall(r"Allergène \d\d", shown)) == 20
    assert re.search(r"et 1\d de plus que vous pouvez voir", shown)
    assert "Glycémie" not in shown


@pytest.mark.capability("0-02", "lets")
def test_the_identity_and_its_status_stand_on_every_page_of_a_record(server: Served) -> None:
    page, traits = arrived(server, "attending"), server.installation.patient().traits
    for path in ("", "/why"):
        shown = read(page.get(f"/record/{server.record()}{path}"))
        bar = shown[shown.index('class="identity"') : shown.index("</section>")]
        assert traits.used_name.upper() in bar.upper()
        assert "Identité qualifiée" in bar
        assert "INS obtenu et pièce d'identité contrôlée" in bar
        assert f"{traits.birth_date:%d/%m/%Y}" in bar


@pytest.mark.capability("0-02", "refuses")
def test_an_identity_that_is_not_qualified_is_never_said_to_be(server: Served) -> None:
    person = {"resourceType": "Patient", "name": [{"family": "NOUVEAU"}], "gender": "female"}
    record = write(server, person).partition("/")[2]
    shown = read(arrived(server, "attending").get(f"/record/{record}"))
    assert "Identité provisoire" in shown
    assert "pièce d'identité et INS à contrôler" in shown
    assert "qualifiée" not in shown


def test_an_empty_list_reads_none_that_you_may_see(server: Served) -> None:
    shown = read(arrived(server, "attending").get(f"/record/{server.record('masking')}"))
    assert "Rien d'enregistré que vous puissiez voir." in shown


def test_what_is_new_since_the_last_look_is_what_others_wrote(server: Served) -> None:
    page, record = arrived(server, "attending"), server.record("waiting")
    assert "première visite" in read(page.get(f"/record/{record}"))
    assert "Depuis votre passage du" in read(page.get(f"/record/{record}"))
    colleague = arrived(server, "team-doctor")
    send(colleague, f"/record/{record}/declare", reason="covering-colleague")
    write(server, allergy(server, "Nouvelle allergie", "waiting"), "team-doctor")
    new = read(page.get(f"/record/{record}")).partition(">Nouveau pour vous<")[2].partition("</section>")[0]
    assert "Nouvelle allergie" in new


def test_a_masked_item_and_no_item_give_the_same_first_page(server: Served) -> None:
    page, record = arrived(server, "team-doctor"), server.record()

    def shown() -> str:
        text = alike(server, page.get(f"/record/{record}"), record)
        return re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d", "", text)

    page.get(f"/record/{record}")
    before = shown()
    item = write(server, allergy(server, "Latex"))
    assert shown() != before
    asking = server.installation.as_patient()
    asyncio.run(server.house.choosing.mask(asking, server.installation.record(), item))
    assert shown() == before


def test_what_an_item_says_is_shown_as_text(server: Served) -> None:
    write(server, allergy(server, ATTACK, "masking", reaction=[{"manifestation": [{"text": ATTACK}]}]))
    shown = arrived(server, "attending").get(f"/record/{server.record('masking')}").text
    assert "<img src=x" not in shown
    assert f"<bdi>{html.escape(ATTACK, quote=True).replace('&quot;', '&#34;')}</bdi>" in shown


# Why, and the ways out.


@pytest.mark.capability("4-10", "lets")
def test_whoever_sees_a_record_reads_on_what_ground(server: Served) -> None:
    shown = read(arrived(server, "team-doctor").get(f"/record/{server.record()}/why"))
    assert "vous faites partie de son équipe de soins" in shown
    assert re.search(r"Consultation, le \d+ \w+ \d{4}", shown)
    assert re.search(r"il se ferme pour vous le \d\d/\d\d/\d{4}", shown)


@pytest.mark.capability("3-02", "lets")
def test_the_regime_of_a_record_is_said_and_why(server: Served) -> None:
    shown = read(arrived(server, "attending").get(f"/record/{server.record()}/why"))
    assert "Dossier de votre structure." in shown
    assert "L1110-4" in shown


@pytest.mark.capability("4-10", "refuses")
def test_blocked_without_a_relation_and_unknown_read_the_same(server: Served) -> None:
    blocked, none = server.record("masking"), "0" * 36
    page = arrived(server, "second-associate")  # whom the patient of this record blocked
    for path in ("", "/why"):
        pages = {alike(server, page.get(f"/record/{id_}{path}"), id_) for id_ in (blocked, none)}
        pages.add(
            alike(server, page.get(f"/record/{server.record('celebrity')}{path}"), server.record("celebrity"))
        )
        assert len(pages) == 1
    assert page.get(f"/record/{none}").status_code == 404


@pytest.mark.capability("1-09", "lets")
@pytest.mark.capability("1-26", "lets")
def test_a_record_that_is_not_open_says_calmly_what_can_be_done(server: Served) -> None:
    shown = read(arrived(server, "second-associate").get(f"/record/{server.record('celebrity')}"))
    assert "Ce dossier ne vous est pas ouvert" in shown
    for way in ("Déclarer un acte de soins", "Accès en urgence"):
        assert way in shown
    assert not re.search(r"interdit|violation|sanction|poursuites", shown, re.IGNORECASE)


def test_a_person_who_is_no_professional_is_offered_no_way_that_is_not_theirs(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    shown = read(page.get(f"/record/{server.record('celebrity')}"))
    assert "Déclarer" not in shown
    assert "urgence" not in shown


def mother(server: Served) -> httpx.Client:
    """Come in as who represents the adolescent."""
    house, record = server.house, server.record("adolescent")
    with house.passage.store.snapshot() as snapshot:
        located, _ = house.passage.resolve(snapshot, f"Patient/{record}")
        asking = server.installation.as_patient("adolescent")
        facts = house.passage.view(snapshot, asking, located.record).facts
    page = server.browser()
    actor = Actor(ActorId(facts.mandates[0].actor), ActorKind.PROXY, "Solène")
    page.get(server.code(actor, f"/record/{record}"))
    return page


def test_who_represents_somebody_reads_the_same_page_in_words_for_them(server: Served) -> None:
    page, record = mother(server), server.record("adolescent")
    shown = read(page.get(f"/record/{record}"))
    assert "ce que la loi ou la personne elle-même vous confie" in shown
    assert "contraception" not in shown.lower()
    for path in ("consultation", "prescription", "deposit"):
        assert f"/record/{record}/{path}" not in shown
    assert "vous représentez cette personne" in read(page.get(f"/record/{record}/why"))
    other = page.get(f"/record/{server.record()}")
    assert other.status_code == 404
    assert "Rien d'enregistré que vous puissiez voir." in read(other)


# An act of care, declared.


def test_one_gesture_declares_an_act_of_care_and_opens_the_record(server: Served) -> None:
    page, record = arrived(server, "locum"), server.record("adolescent")
    assert page.get(f"/record/{record}").status_code == 404
    answer = send(page, f"/record/{record}/declare", reason="visit-today")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/record/{record}")
    shown = read(page.get(f"/record/{record}/why"))
    assert "Acte de soins que vous avez déclaré" in shown


@pytest.mark.capability("1-09", "refuses")
@pytest.mark.capability("1-26", "refuses")
@pytest.mark.parametrize("reason", ["", "curiosity"])
def test_no_act_without_a_reason_of_the_list(server: Served, reason: str) -> None:
    page, record = arrived(server, "locum"), server.record("mother")
    answer = send(page, f"/record/{record}/declare", reason=reason)
    assert answer.status_code in {400, 403}
    assert 'id="reason-error"' in answer.text
    assert 'aria-describedby="reason-error"' in answer.text
    assert page.get(f"/record/{record}").status_code == 404


@pytest.mark.capability("3-02", "refuses")
def test_declaring_on_a_record_of_another_structure_and_on_none_reads_the_same(server: Served) -> None:
    page = arrived(server, "unrelated-doctor")
    answers = [
        (one := send(page, f"/record/{id_}/declare", reason="visit-today"), alike(server, one, id_))
        for id_ in (server.record(), "0" * 36)
    ]
    assert answers[0][0].status_code == answers[1][0].status_code == 403
    assert answers[0][1] == answers[1][1]


# Emergency access.


@pytest.mark.capability("1-23", "lets")
def test_two_gestures_open_a_record_in_an_emergency_and_it_says_so_until_it_ends(server: Served) -> None:
    page, record = arrived(server, "locum"), server.record("father")
    assert page.get(f"/record/{record}").status_code == 404
    asked = page.get(f"/record/{record}/urgent")
    assert "Pourquoi maintenant\u00a0?" in read(asked)
    opened = send(page, f"/record/{record}/urgent", reason="immediate-risk")
    assert (opened.status_code, opened.headers["location"]) == (303, f"/record/{record}")
    until = datetime.fromtimestamp((server.house.passage.clock() + LASTS) / 1000, UTC).astimezone()
    for path in ("", "/why"):
        shown = read(page.get(f"/record/{record}{path}"))
        assert re.search(
            rf"Accès en urgence jusqu'à {until:%H}:\d\d \(risque immédiat pour la santé\)", shown
        )
    me = server.browser()
    me.get(server.code(server.patient_actor("father"), "/me"))
    assert server.installation.staff("locum").name in me.get("/me").text
    assert send(page, f"/record/{record}/urgent/end").headers["location"] == "/today"
    assert page.get(f"/record/{record}").status_code == 404


@pytest.mark.capability("1-23", "refuses")
def test_no_emergency_without_a_coded_reason(server: Served) -> None:
    page, record = arrived(server, "locum"), server.record("father")
    for reason in (None, "because", ""):
        answer = send(page, f"/record/{record}/urgent", reason=reason)
        assert answer.status_code == 400
        assert 'id="reason-error"' in answer.text
    assert page.get(f"/record/{record}").status_code == 404


def test_an_emergency_that_opens_nothing_reads_as_no_record(server: Served) -> None:
    page = arrived(server, "unrelated-doctor")
    pages = [
        (answer := send(page, f"/record/{id_}/urgent", reason="immediate-risk")).status_code
        and alike(server, answer, id_)
        for id_ in (server.record(), "0" * 36)
    ]
    assert pages[0] == pages[1]
    asked = {alike(server, page.get(f"/record/{id_}/urgent"), id_) for id_ in (server.record(), "0" * 36)}
    assert len(asked) == 1


def test_an_emergency_lifts_no_mask(server: Served) -> None:
    record = server.record("husband")
    item = write(server, allergy(server, "Secret de santé", "husband"))
    asking = server.installation.as_patient("husband")
    asyncio.run(server.house.choosing.mask(asking, server.installation.record("husband"), item))
    page = arrived(server, "locum")
    send(page, f"/record/{record}/urgent", reason="immediate-risk")
    shown = page.get(f"/record/{record}")
    assert shown.status_code == 200
    assert "Secret de santé" not in read(shown)


def test_a_form_of_another_site_opens_nothing(server: Served) -> None:
    page, record = arrived(server, "locum"), server.record("mother")
    for path in ("declare", "urgent", "urgent/end"):
        answer = page.post(f"/record/{record}/{path}", data={"csrf": "0" * 64, "reason": "visit-today"})
        assert answer.status_code == 400
    assert page.get(f"/record/{record}").status_code == 404


# Results to read.


def test_a_result_waits_for_the_attending_doctor_and_for_whoever_ordered_it(server: Served) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Ferritine"},
        "subject": {"reference": f"Patient/{server.record()}"},
    }
    ordered = write(server, order, "team-doctor")
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [{"coding": [{"system": f"{TERMS}/v2-0074", "code": "LAB"}]}],
        "code": {"text": "Ferritine"},
        "basedOn": [{"reference": ordered}],
        "subject": {"reference": f"Patient/{server.record()}"},
    }
    nurse = "nurse"
    send(arrived(server, nurse), f"/record/{server.record()}/declare", reason="result-received")
    item = write(server, report, "locum" if _declares(server, "locum") else nurse)
    for reader in ("attending", "team-doctor"):
        assert f"/record/{server.record()}/item/{item}" in arrived(server, reader).get("/today").text
    assert item not in arrived(server, "second-associate").get("/today").text
    page = arrived(server, "attending")
    assert page.get(f"/record/{server.record()}/item/{item}").status_code == 200
    assert item not in page.get("/today").text
    assert item in arrived(server, "team-doctor").get("/today").text


def _declares(server: Served, role: str) -> bool:
    answer = send(arrived(server, role), f"/record/{server.record()}/declare", reason="result-received")
    return answer.status_code == 303


# Keys.


@pytest.mark.parametrize(
    "tail",
    ["", "/why", "/timeline", "/problems", "/treatments", "/labs", "/documents", "/consultation", "/deposit"],
)
def test_a_key_opens_one_thing_on_a_page_of_a_record(server: Served, tail: str) -> None:
    shown = arrived(server, "attending").get(f"/record/{server.record()}{tail}").text
    keys = re.findall(r'data-key="([^"]+)"', shown)
    assert len(keys) > 10
    assert sorted(set(keys)) == sorted(keys)


def test_a_key_opens_one_thing_on_the_page_of_an_item(server: Served) -> None:
    page = arrived(server, "attending")
    listed = re.findall(r'href="(/record/[^"]+/item/[^"]+)"', page.get(f"/record/{server.record()}").text)
    for address in listed[:6]:
        keys = re.findall(r'data-key="([^"]+)"', page.get(address).text)
        assert sorted(set(keys)) == sorted(keys), address


def test_who_may_not_prescribe_is_led_to_no_prescription(server: Served) -> None:
    led = f'href="/record/{server.record()}/prescription"'
    assert led in read(arrived(server, "attending").get(f"/record/{server.record()}"))
    assert led not in read(arrived(server, "nurse").get(f"/record/{server.record()}"))


def test_the_holder_is_not_told_of_a_structure_where_they_work(server: Served) -> None:
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    for tail in ("", "/why"):
        said = read(page.get(f"/record/{server.record()}{tail}"))
        assert [one for one in ("où vous exercez", "Demandez au patient", "L1110-4") if one in said] == []
