"""The pages where somebody writes: a consultation and its draft, a deposit, a protected change, texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from tests.doors.served import Served, served
from tests.installation import run

Json = dict[str, Any]
TERMS = "http://terminology.hl7.org/CodeSystem"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("consultation")) as made:
        yield made


@pytest.fixture(autouse=True)
def _begin_anew(server: Served) -> Iterator[None]:
    yield
    for role in ("team-doctor", "attending"):
        run(server.house.drafting.discard(server.installation.as_staff(role), server.installation.record()))
    server.hang_up()


def browser(server: Served, role: str = "team-doctor") -> httpx.Client:
    page = server.browser()
    page.get(server.code(server.installation.staff(role), "/today"))
    return page


def here(server: Served, tail: str = "consultation") -> str:
    return f"/record/{server.record()}/{tail}"


def hidden(page: str) -> dict[str, str]:
    """Give the session's key and the id of the draft that a page carries."""
    found = dict(re.findall(r'name="(csrf|draft)" value="([0-9a-f]+)"', page))
    return {name: found[name] for name in ("csrf", "draft") if name in found}


def send(client: httpx.Client, server: Served, **fields: object) -> httpx.Response:
    page = client.get(here(server)).text
    return client.post(here(server), data={**hidden(page), **fields})


def items(server: Served, type_: str, **query: str) -> list[Json]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    client = server.staff("attending")
    found = client.get(f"{type_}?patient={server.record()}&_count=200&{asked}").json()
    listed = [entry["resource"] for entry in found.get("entry", [])]
    return [one for one in listed if one["resourceType"] == type_]


def test_one_save_writes_everything_with_author_source_and_time(server: Served) -> None:
    client = browser(server)
    before = {one["id"] for one in items(server, "MedicationRequest", status="active")}
    page = client.get(here(server)).text
    renewable = re.findall(r'name="renew" value="(MedicationRequest/[0-9a-f-]+)"', page)
    assert renewable
    answer = send(
        client,
        server,
        do="save",
        reason="Toux",
        note="Toux depuis trois jours.\n\nAuscultation libre.",
        weight="71,5",
        pressure="12/8",
        pulse="72",
        problem="Bronchite aiguë",
        renew=renewable[0],
        medicines="Paracétamol 1 g : 3 fois par jour",
        letter_to="Dr Martin",
        letter="Je vous adresse cette personne.",
        certificate="Je certifie.",
    )
    assert answer.status_code == 303, unescape(answer.text)
    saved = client.get(answer.headers["location"])
    assert saved.status_code == 200
    assert "Consultation enregistrée" in saved.text
    visit = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    reference = f"Encounter/{visit}"
    name = server.installation.staff("team-doctor").name
    (note,) = [one for one in items(server, "Composition") if one["encounter"]["reference"] == reference]
    assert note["author"][0]["display"] == name
    assert [part["title"] for part in note["section"]] == ["Motif", "Note"]
    measured = [
        one for one in items(server, "Observation") if one.get("encounter", {}).get("reference") == reference
    ]
    assert len(measured) == 3
    assert all(one["performer"][0]["display"] == name and one["effectiveDateTime"] for one in measured)
    renewed = [
        one
        for one in items(server, "MedicationRequest", status="active")
        if one.get("encounter", {}).get("reference") == reference
    ]
    assert {one.get("priorPrescription", {}).get("reference") for one in renewed} == {renewable[0], None}
    assert renewable[0].partition("/")[2] in before
    papers = [
        one
        for one in items(server, "DocumentReference")
        if {"reference": reference} in one.get("context", {}).get("encounter", [])
    ]
    assert {one["description"] for one in papers} == {"Lettre", "Certificat"}


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(server: Served) -> None:
    client = browser(server)
    before = len(items(server, "Composition"))
    answer = send(client, server, do="save", note="Toux & fièvre", weight="lourd", pressure="80/120")
    assert answer.status_code == 422
    shown = unescape(answer.text)
    assert "Toux & fièvre" in shown
    assert 'value="lourd"' in shown
    assert re.search(r'<input id="weight"[^>]*aria-describedby="weight-hint weight-error"', answer.text)
    assert "Écrivez un nombre, par exemple 36,8." in shown
    assert re.search(r'<input id="weight"[^>]* autofocus', answer.text)
    assert len(items(server, "Composition")) == before
    assert send(client, server, do="save").status_code == 422


def test_an_unlikely_value_warns_and_never_blocks(server: Served) -> None:
    answer = send(browser(server), server, do="save", weight="280")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("?waiting=0&look=weight")


def test_a_consultation_that_is_sent_twice_is_saved_once(server: Served) -> None:
    client = browser(server)
    before = len(items(server, "Composition"))
    page = client.get(here(server)).text
    fields = {**hidden(page), "do": "save", "note": "Une seule fois."}
    first = client.post(here(server), data=fields)
    assert "/consultation/" in first.headers["location"]
    again = client.post(here(server), data=fields)
    assert (again.status_code, again.headers["location"]) == (303, f"/record/{server.record()}")
    assert len(items(server, "Composition")) == before + 1


def test_a_transaction_that_fails_writes_nothing_and_keeps_the_text(server: Served) -> None:
    client = browser(server)
    before = len(items(server, "Composition"))
    answer = send(client, server, do="save", note="Reste là.", renew="MedicationRequest/inconnu")
    assert answer.status_code == 400
    assert "Reste là." in answer.text
    assert len(items(server, "Composition")) == before


def test_the_draft_is_kept_given_back_and_gone_once_saved(server: Served) -> None:
    """Without a script: the page's own button. With htmx: the fragment that says when."""
    client = browser(server)
    page = client.get(here(server)).text
    fields = {**hidden(page), "note": "Commencé <i>hier</i>"}
    assert client.post(here(server), data={**fields, "do": "draft"}).status_code == 303
    part = client.post(here(server, "consultation/draft"), data=fields, headers={"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "visible de vous seul" in part.text
    plain = client.post(here(server, "consultation/draft"), data=fields)
    assert plain.status_code == 303
    back = client.get(here(server)).text
    assert "Commencé &lt;i&gt;hier&lt;/i&gt;" in back
    assert "rien n&#39;est perdu" in back
    assert "Commencé" not in browser(server, "attending").get(here(server)).text
    assert client.post(here(server), data={**hidden(back), "do": "save", "note": "Fini"}).status_code == 303
    assert "Commencé" not in client.get(here(server)).text
    late = client.post(here(server, "consultation/draft"), data=fields, headers={"hx-request": "true"})
    assert late.status_code == 409
    assert "Commencé" not in client.get(here(server)).text


def test_a_session_that_has_ended_says_so_in_the_page_and_the_draft_waits(server: Served) -> None:
    client = browser(server)
    page = client.get(here(server)).text
    fields = {**hidden(page), "note": "Avant le verrou"}
    asked = {"hx-request": "true"}
    assert client.post(here(server, "consultation/draft"), data=fields, headers=asked).status_code == 200
    client.cookies.clear()
    away = client.post(here(server, "consultation/draft"), data=fields, headers=asked)
    assert away.status_code == 401
    assert "<html" not in away.text
    assert f'href="{here(server)}"' in away.text
    assert "Avant le verrou" in browser(server).get(here(server)).text


def test_a_form_without_the_key_of_the_session_does_nothing(server: Served) -> None:
    client = browser(server)
    page = client.get(here(server)).text
    for to in (here(server), here(server, "consultation/draft"), here(server, "deposit"), "/templates"):
        answer = client.post(to, data={"draft": hidden(page)["draft"], "note": "x", "do": "save"})
        assert answer.status_code in {400, 413}, to


def test_a_record_that_is_hidden_and_one_that_is_not_there_give_the_same_page(server: Served) -> None:
    client = browser(server, "unrelated-doctor")
    unknown = "00000000-0000-4000-8000-000000000000"
    for tail in ("consultation", "deposit", "proposals"):
        pages = [client.get(f"/record/{id_}/{tail}") for id_ in (server.record(), unknown)]
        assert [one.status_code for one in pages] == [404, 404]
        texts = [
            re.sub(r'nonce="[^"]+"', "", one.text).replace(id_, "")
            for one, id_ in zip(pages, (server.record(), unknown), strict=True)
        ]
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<svg/onload=alert(1)>",
        "=HYPERLINK(1)",
        "\u202egnp.exe",
        "{{7*7}}",
        "x" * 20_000,
    ],
)
def test_what_attacks_in_a_field_is_the_text_that_was_typed(server: Served, attack: str) -> None:
    client = browser(server)
    page = client.get(here(server)).text
    kept = client.post(
        here(server), data={**hidden(page), "do": "draft", "note": attack, "reason": attack[:200]}
    )
    assert kept.status_code == 303
    shown = client.get(here(server)).text
    assert attack in unescape(shown)
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "<svg/onload" not in shown
    answer = client.post(here(server), data={**hidden(shown), "do": "save", "note": attack})
    assert answer.status_code == 303
    after = client.get(f"/record/{server.record()}").text
    assert "<script>alert" not in after
    assert "<svg/onload" not in after


def test_a_text_of_the_practice_fills_its_blanks_and_keeps_what_was_there(server: Served) -> None:
    client = browser(server)
    assert client.get("/templates").status_code == 200
    answer = client.post(
        "/templates",
        data={
            **hidden(client.get("/templates").text),
            "do": "keep",
            "sort": "letter",
            "name": "Au cardiologue",
            "text": "Je vous adresse {patient} pour {motif}, {doctor}. {inconnu} {patient.__class__}",
        },
    )
    assert answer.status_code == 303
    page = client.get(here(server)).text
    which = re.search(r'name="do" value="(use:[0-9a-f-]+)"[^>]*>Au cardiologue<', page)
    assert which is not None
    used = client.post(
        here(server), data={**hidden(page), "do": which[1], "reason": "un souffle", "letter": "Bonjour."}
    )
    assert used.status_code == 303
    back = unescape(client.get(here(server)).text)
    letter = re.search(r'<textarea id="letter"[^>]*>(.*?)</textarea>', back, re.DOTALL)
    assert letter is not None
    assert letter[1].startswith("Bonjour.\n\nJe vous adresse ")
    name = server.installation.staff("team-doctor").name
    assert f"pour un souffle, {name}. {{inconnu}} {{patient.__class__}}" in letter[1]
    assert re.search(r'<textarea id="letter"[^>]*autofocus', back)
    secretary = browser(server, "secretary")
    assert "Au cardiologue" in secretary.get("/templates").text
    assert "Au cardiologue" not in browser(server, "unrelated-doctor").get("/templates").text


@pytest.mark.capability("1-20", "lets")
@pytest.mark.parametrize(
    ("source", "words"),
    [("paper", "Papier numérisé"), ("phone", "Appel téléphonique"), ("dictated", "Note dictée")],
)
def test_what_comes_from_elsewhere_keeps_its_source_its_author_and_its_time(
    server: Served, source: str, words: str
) -> None:
    client = browser(server)
    page = client.get(here(server, "deposit")).text
    fields = {
        "csrf": hidden(page)["csrf"],
        "source": source,
        "author": "Dr Ailleurs",
        "day": "2026-10-02",
        "time": "09:30",
        "sort": "letter",
        "title": f"Courrier {source}",
        "text": "" if source == "paper" else "Rappel demandé.",
    }
    files = {"file": ("scan.pdf", PDF, "text/html")} if source == "paper" else {"file": ("", b"", "")}
    answer = client.post(here(server, "deposit"), data=fields, files=files)
    assert answer.status_code == 303, unescape(answer.text)
    (paper,) = [
        one for one in items(server, "DocumentReference") if one["description"] == f"Courrier {source}"
    ]
    assert paper["author"] == [{"display": "Dr Ailleurs"}]
    assert paper["date"].startswith("2026-10-02T09:30:00")
    brought = server.staff("attending").get(
        f"DocumentReference?patient={server.record()}&_id={paper['id']}&_revinclude=Provenance:target"
    )
    (origin,) = [
        entry["resource"]
        for entry in brought.json()["entry"]
        if entry["resource"]["resourceType"] == "Provenance"
    ]
    who = {one["type"]["coding"][0]["code"]: one["who"]["display"] for one in origin["agent"]}
    assert who == {"author": "Dr Ailleurs", "enterer": server.installation.staff("team-doctor").name}
    assert origin["entity"][0]["what"]["display"] == words
    content = paper["content"][0]["attachment"]
    assert content["contentType"] == ("application/pdf" if source == "paper" else "text/plain; charset=utf-8")


@pytest.mark.capability("1-20", "refuses")
def test_nothing_enters_without_author_source_and_date(server: Served) -> None:
    client = browser(server)
    before = len(items(server, "DocumentReference"))
    page = client.get(here(server, "deposit")).text
    whole = {
        "csrf": hidden(page)["csrf"],
        "source": "phone",
        "author": "Dr Ailleurs",
        "day": "2026-10-02",
        "sort": "note",
        "title": "Appel",
        "text": "Rappeler.",
    }
    for name, value, said in (
        ("author", "", "rien n'entre sans auteur"),
        ("source", "", "rien n'entre sans source"),
        ("source", "ragot", "rien n'entre sans source"),
        ("day", "", "rien n'entre sans date"),
        ("day", "2999-01-01", "à venir"),
        ("text", "", "Écrivez un texte ou choisissez un fichier"),
    ):
        sent = client.post(
            here(server, "deposit"), data={**whole, name: value}, files={"file": ("", b"", "")}
        )
        assert sent.status_code == 422, name
        assert said in unescape(sent.text), name
        assert name == "text" or "Rappeler." in unescape(sent.text)
    assert len(items(server, "DocumentReference")) == before


@pytest.mark.capability("3-11", "refuses")
@pytest.mark.parametrize(
    "content",
    [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"MZ\x90\x00", EICAR],
)
def test_a_file_that_is_not_what_it_says_is_not_kept(server: Served, content: bytes) -> None:
    client = browser(server)
    before = len(items(server, "DocumentReference"))
    fields = {
        "csrf": hidden(client.get(here(server, "deposit")).text)["csrf"],
        "source": "received",
        "author": "Inconnu",
        "day": "2026-10-02",
        "sort": "letter",
        "title": "Fichier",
        "text": "",
    }
    files = {"file": ("lettre.pdf", content, "application/pdf")}
    answer = client.post(here(server, "deposit"), data=fields, files=files)
    assert answer.status_code == 422
    assert "ni un PDF ni une image" in unescape(answer.text)
    assert len(items(server, "DocumentReference")) == before


def test_what_is_announced_later_is_hidden_from_the_person_for_now(server: Served) -> None:
    client = browser(server)
    page = client.get(here(server, "deposit")).text
    fields = {
        "csrf": hidden(page)["csrf"],
        "source": "received",
        "author": "Laboratoire",
        "day": "2026-10-02",
        "sort": "result",
        "title": "Résultat à annoncer",
        "text": "À annoncer.",
        "patient": "hidden",
    }
    answer = client.post(here(server, "deposit"), data=fields, files={"file": ("", b"", "")})
    assert answer.status_code == 303
    titles = [one["description"] for one in items(server, "DocumentReference")]
    assert "Résultat à annoncer" in titles
    own = server.patient().get(f"DocumentReference?patient={server.record()}&_count=200").json()
    assert "Résultat à annoncer" not in str(own)


def test_the_page_of_proposals_confirms_in_one_gesture_by_another(server: Served) -> None:
    record = server.record()
    allergy = {
        "resourceType": "AllergyIntolerance",
        "criticality": "high",
        "clinicalStatus": {"coding": [{"system": f"{TERMS}/allergyintolerance-clinical", "code": "active"}]},
        "code": {"text": "Arachide"},
        "patient": {"reference": f"Patient/{record}"},
    }
    fhir = server.staff("team-doctor")
    before = fhir.post("AllergyIntolerance", json=allergy).json()
    changed = {**before, "criticality": "low"}
    reference = f"AllergyIntolerance/{before['id']}"
    assert fhir.put(reference, json=changed, headers={"if-match": 'W/"1"'}).status_code == 202
    mine = browser(server).get(here(server, "proposals")).text
    assert "Retirer ma proposition" in mine
    assert ">Confirmer<" not in mine
    client = browser(server, "attending")
    page = client.get(here(server, "proposals")).text
    assert "Arachide" in page
    to = re.search(r'action="(/record/[^"]+/proposals/[0-9a-f-]+)"', page)
    assert to is not None
    answer = client.post(to[1], data={**hidden(page), "do": "confirm"})
    assert answer.status_code == 303
    assert "C&#39;est confirmé" in client.get(answer.headers["location"]).text
    assert fhir.get(reference).json()["criticality"] == "low"
    again = client.post(to[1], data={**hidden(page), "do": "confirm"})
    assert again.status_code == 409
