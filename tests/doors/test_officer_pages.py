"""The pages of officer and DPO over HTTP: what they show, who may come, and that no content stands there."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from serment.access.policy import GRID, shipped_tables
from serment.demo.enrolled import PROGRAM, enrol, let_in, provider_for
from serment.model import Actor, Purpose, RequestId
from serment.people.accounts import by_actor
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.probes.probing import Probe, Status
from serment.record.probes.training import ANSWERS, Training
from serment.record.today import KEEPER
from serment.record.writing import new_id
from serment.web import officer
from serment.web.officer.contracts import DAY, state_of
from serment.web.officer.sessions import staff_of
from tests.doors.served import Served, served

ADDRESSES = [
    route.path.replace("{name}", GRID) for route in officer.ROUTES if "GET" in (route.methods or set())
]
MARKER = "zyxwvut-marqueur"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("officer")) as running:
        store, people = running.installation.store, _people(running)
        with provider_for(running.house.kind, store) as provider:
            enrol(store, people, provider, running.address)
        let_in(store, people)
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def signed_in(server: Served, actor: Actor) -> httpx.Client:
    page = server.browser()
    page.get(server.code(actor, "/home"))
    return page


def as_officer(server: Served) -> httpx.Client:
    return signed_in(server, server.installation.staff("officer"))


def text(page: httpx.Client, address: str) -> str:
    answer = page.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return html.unescape(answer.text)


def key(page: httpx.Client, address: str = "/officer") -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get(address).text)
    assert found is not None
    return found[1]


def as_keeper(server: Served) -> Asking:
    now = server.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("role", ["team-doctor", "secretary", "patient"])
@pytest.mark.capability("4-10", "refuses")
def test_nobody_but_an_officer_comes_to_these_pages(server: Served, address: str, role: str) -> None:
    actor = server.patient_actor() if role == "patient" else server.installation.staff(role)
    assert signed_in(server, actor).get(address).status_code == 403


@pytest.mark.parametrize("address", ["/officer/probes", "/officer/sessions/end"])
def test_nobody_but_an_officer_acts_there(server: Served, address: str) -> None:
    page = signed_in(server, server.installation.staff("secretary"))
    assert page.post(address, data={"csrf": key(page, "/training")}).status_code == 403


@pytest.mark.capability("4-10", "refuses")
def test_no_care_content_and_no_patient_stands_on_any_page_of_the_officer(server: Served) -> None:
    """Markers planted in a record, and every name of every patient, are looked for on each page."""
    sent = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"text": MARKER},
        "patient": {"reference": f"Patient/{server.record()}"},
    }
    assert server.staff("team-doctor").post("AllergyIntolerance", json=sent).status_code == 201
    signed_in(server, server.patient_actor()).get("/me")
    page = as_officer(server)
    page.post("/officer/probes", data={"csrf": key(page)})
    everything = "\n".join(text(page, address) for address in ADDRESSES)
    assert MARKER not in everything
    assert server.record() not in everything
    working = " ".join(one.name for one in staff_of(_people(server), as_keeper(server)))
    names = server.installation.store.names
    assert len(names) > 10
    assert [name for name in names if name in everything and name not in working] == []


def _people(server: Served) -> People:
    people: People = server.app.state.reception.of(server.house)
    return people


@pytest.mark.capability("2-11", "lets")
def test_the_status_shows_three_probes_with_their_last_run(server: Served) -> None:
    page = as_officer(server)
    ran = page.post("/officer/probes", data={"csrf": key(page)})
    assert (ran.status_code, ran.headers["location"]) == (303, "/officer?ran")
    shown = text(page, "/officer")
    for title in ("Intégrité", "Confidentialité", "Disponibilité"):
        assert title in shown
    assert shown.count("Dernière vérification") == 3
    assert "lignes vérifiées une à une" in shown
    assert "noms de patients n'y est lisible" in shown
    assert "ne sait pas encore faire de sauvegarde" in shown


def test_looking_at_the_status_runs_nothing(server: Served) -> None:
    page = as_officer(server)
    before = {one.probe: one.result for one in server.house.probing.standing(as_keeper(server))}
    page.get("/officer")
    assert {one.probe: one.result for one in server.house.probing.standing(as_keeper(server))} == before


@pytest.mark.capability("2-11", "refuses")
def test_a_form_of_another_site_runs_no_probe(server: Served) -> None:
    page = as_officer(server)
    assert page.post("/officer/probes", data={"csrf": "0" * 64}).status_code == 400


def test_the_policy_says_what_each_row_may_do(server: Served) -> None:
    page = as_officer(server)
    shown = text(page, "/officer/policy?row=own.secretary")
    assert "classer sans lire" in shown
    assert "Aucune loi ne fixe ces cases" in shown
    shared = text(page, "/officer/policy?row=shared.21")
    assert "Pharmacien" in shared
    assert page.get("/officer/policy?row=own.king").status_code == 404
    assert page.get("/officer/policy?row=%00").status_code == 404


def test_a_table_in_force_is_kept_as_a_file_and_no_other_file_is(server: Served) -> None:
    page = as_officer(server)
    answer = page.get(f"/officer/policy/tables/{GRID}")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text == shipped_tables()[GRID]
    for name in ("windows.csv", "..%2fpolicy.py", "absent"):
        assert page.get(f"/officer/policy/tables/{name}").status_code == 404


def previewed(page: httpx.Client, table: str, **fields: str) -> httpx.Response:
    data = {"csrf": key(page, "/officer/policy/preview"), **fields}
    return page.post("/officer/policy/preview", data=data, files={"file": ("grid.csv", table.encode())})


@pytest.mark.capability("1-27", "lets")
def test_a_preview_says_who_would_gain_what_before_anything_applies(server: Served) -> None:
    page = as_officer(server)
    table = f"{shipped_tables()[GRID].rstrip()}\nsecretary,notes,read,,ours,no\n"
    shown = html.unescape(previewed(page, table).text)
    assert "Ce qui s'ouvrirait (1)" in shown
    assert "secrétariat" in shown
    assert "Rien n'est appliqué" in shown
    assert server.house.passage.policy.grid.get(("secretary", "notes")) is None or (
        "read" not in server.house.passage.policy.grid["secretary", "notes"].acts
    )


@pytest.mark.capability("1-27", "refuses")
def test_a_file_that_opens_more_than_the_agreed_preview_is_refused(server: Served) -> None:
    page = as_officer(server)
    agreed = f"{shipped_tables()[GRID].rstrip()}\nsecretary,notes,list,,ours,no\n"
    digest = re.search(r"[0-9a-f]{64}", html.unescape(previewed(page, agreed).text).split("accord")[1])
    assert digest is not None
    assert "donne bien la politique" in html.unescape(previewed(page, agreed, agreed=digest[0]).text)
    refused = previewed(page, agreed.replace("notes,list,", "notes,list read,"), agreed=digest[0])
    assert refused.status_code == 422
    assert "pourrait ouvrir davantage" in html.unescape(refused.text)


@pytest.mark.parametrize(
    "table", ["", "\x00", "a,b\n1,2\n", "=cmd|' /C calc'!A0", "<script>alert(1)</script>"]
)
def test_what_is_no_table_is_refused_with_what_to_do_and_stays_typed(server: Served, table: str) -> None:
    page = as_officer(server)
    data = {"csrf": key(page, "/officer/policy/preview"), "table": table}
    answer = page.post(
        "/officer/policy/preview", data=data, files={"file": ("", b"", "application/octet-stream")}
    )
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.capability("3-12", "lets")
def test_processors_are_listed_with_their_clauses_and_no_secret(server: Served) -> None:
    shown = text(as_officer(server), "/officer/processors")
    client = _people(server).programs.clients.get(as_keeper(server), PROGRAM)
    for said in (client.name, client.processor.name, client.processor.clauses, client.processor.contact):
        assert said in shown
    for provider in _people(server).providers.all(as_keeper(server)):
        assert provider.issuer in shown
        assert provider.secret not in shown


def test_keys_and_ledger_are_shown_without_a_key(server: Served) -> None:
    server.house.proving.checkpoint()
    shown = text(as_officer(server), "/officer/keys")
    assert "Aucun témoin extérieur" in shown
    assert "Une seule phrase de passe" in shown
    remembered = server.house.custody.remembered()
    assert remembered is not None
    assert remembered.root.hex() in shown


def test_sessions_are_counted_by_role_and_patients_are_counted_together(server: Served) -> None:
    signed_in(server, server.patient_actor())
    shown = text(as_officer(server), "/officer/sessions")
    assert "patients et proches" in shown
    assert server.patient_actor().name not in shown


def test_the_sessions_of_a_patient_are_not_the_officers_to_end(server: Served) -> None:
    page = as_officer(server)
    people, asking = _people(server), as_keeper(server)
    mine = people.accounts.find(asking, by_actor(server.patient_actor().id))
    assert mine is not None
    patient = signed_in(server, server.patient_actor())
    for who in (mine.id, "nobody", ""):
        data = {"csrf": key(page, "/officer/sessions"), "who": who}
        assert page.post("/officer/sessions/end", data=data).status_code == 404
    assert patient.get("/home").status_code == 200


def test_the_officer_ends_every_session_of_a_colleague(server: Served) -> None:
    doctor = server.installation.staff("team-doctor")
    account = _people(server).accounts.find(as_keeper(server), by_actor(doctor.id))
    assert account is not None
    theirs, page = signed_in(server, doctor), as_officer(server)
    assert doctor.name in text(page, "/officer/sessions")
    assert theirs.get("/home").status_code == 200
    data = {"csrf": key(page, "/officer/sessions"), "who": account.id}
    assert page.post("/officer/sessions/end", data=data).headers["location"] == "/officer/sessions?ended"
    assert theirs.get("/home").status_code == 401


@pytest.mark.capability("1-09", "lets")
def test_the_register_of_training_says_who_is_trained_and_until_when(server: Served) -> None:
    page, theirs = as_officer(server), signed_in(server, server.installation.staff("secretary"))
    name = server.installation.staff("secretary").name
    before = text(page, "/officer/training")
    assert name in before
    theirs.post("/training", data={"csrf": key(theirs, "/training"), **ANSWERS})
    after = text(page, "/officer/training")
    assert after.count("valable") > before.count("valable")
    proof = Training(_people(server).registry).all(as_keeper(server))
    assert any(one.request[:12] in after for one in proof.values())


def test_declared_acts_are_counted_by_professional_and_never_by_record(server: Served) -> None:
    sent = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueCode": "visit-today"}]}
    declares = server.staff("second-associate").post(f"Patient/{server.record()}/$declare-act", json=sent)
    assert declares.status_code in {200, 201}
    shown = text(as_officer(server), "/officer/declared")
    assert server.installation.staff("second-associate").name in shown
    assert server.record() not in shown


def test_the_register_of_processing_has_what_article_30_asks(server: Served) -> None:
    shown = text(as_officer(server), "/officer/privacy")
    for aspect in ("Base", "Destinataires", "Durée", "Protection"):
        assert shown.count(f"<dt>{aspect}</dt>") == 5


def test_what_is_not_known_is_never_shown_as_well(server: Served) -> None:
    stood = {one.probe: one.status for one in server.house.probing.standing(as_keeper(server))}
    assert set(stood) == set(Probe)
    assert Status.STALE not in stood.values()


@pytest.mark.parametrize(
    ("until", "reviewed", "state"),
    [
        (400, 10, "well"),
        (30, 10, "soon"),
        (400, 400, "review"),
        (0, 10, "over"),
    ],
)
@pytest.mark.capability("3-12", "refuses")
def test_a_program_says_when_its_contract_ends_or_is_to_be_read_again(
    server: Served, until: int, reviewed: int, state: str
) -> None:
    now = server.house.passage.clock()
    client = _people(server).programs.clients.get(as_keeper(server), PROGRAM)
    contract = msgspec.structs.replace(
        client.processor, until=now + until * DAY, reviewed=now - reviewed * DAY
    )
    assert state_of(msgspec.structs.replace(client, processor=contract), now)[1] == state
