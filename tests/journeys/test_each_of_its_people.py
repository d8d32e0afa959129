"""The demonstration signs in as each of its people, and each sees exactly what the rules say (issue 4).

`TABLE` is that sentence: a person a line, a thing a column, the answer of the rules in the cell. Programs
stand below it: whatever they ask, they get what their registration and their person let them have, and less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import httpx
import pytest
from joserfc.jwk import ECKey

from serment.demo import people as cast
from serment.demo.enrolled import PROGRAM
from serment.demo.population import DemoPatient
from serment.fhir.summary import person_name
from serment.model import Category
from serment.people.clients import PUBLIC
from serment.words import Language, say
from tests.doors.programs import Program, registered
from tests.doors.samples import Json, weight
from tests.journeys.house_of_people import Place, Visit, open_place

CARE: Final = (Category.PROBLEMS, Category.NOTES, Category.LABS, Category.VITALS)
PARTS: Final = (Category.TREATMENTS, Category.ALLERGIES)

PROFESSIONALS: Final = {
    "attending": cast.ATTENDING,
    "associate": cast.SECOND_ASSOCIATE,
    "at hospital": cast.SECOND_ASSOCIATE,
    "locum": cast.LOCUM,
    "trainee": cast.INTERN,
    "stranger": cast.UNRELATED_DOCTOR,
}
OF_SITE: Final = {
    "secretary": cast.SECRETARY_OF_PRACTICE,
    "officer": cast.OFFICER,
    "dpo": cast.DATA_PROTECTION,
    "researcher": cast.RESEARCHER,
}
EXERCISES: Final = {"associate": 1, "at hospital": 2, "herself": 1, "mother": 2, "carer": 2}
"""Who has two roles, and by which of them they come; the mother and "herself" are one person."""

TABLE: Final = """
             | own    | patient | adolescent | secret | masking | masked | waiting | result | trace  | officer | typed   | duplicates | acts
attending    | absent | whole   | whole      | read   | whole   | read   | whole   | read   | none   | refused | found   | refused    | own
associate    | absent | -       | -          | -      | absent  | absent | -       | -      | none   | refused | found   | refused    | own
at hospital  | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | refused | nobody  | refused    | own
locum        | absent | whole   | whole      | read   | whole   | absent | whole   | read   | none   | refused | found   | refused    | own
trainee      | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | refused | nobody  | refused    | own
stranger     | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | refused | nobody  | refused    | own
secretary    | absent | who     | who        | absent | who     | absent | who     | absent | none   | refused | found   | list       | own
officer      | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | page    | refused | refused    | own
dpo          | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | page    | refused | refused    | own
researcher   | absent | absent  | absent     | absent | absent  | absent | absent  | absent | none   | refused | refused | refused    | own
patient      | page   | whole   | absent     | absent | absent  | absent | absent  | absent | none   | refused | refused | refused    | refused
herself      | page   | absent  | absent     | absent | absent  | absent | absent  | absent | none   | refused | refused | refused    | refused
mother       | absent | absent  | whole      | absent | absent  | absent | absent  | absent | read   | refused | refused | refused    | refused
adolescent   | page   | absent  | whole      | read   | absent  | absent | absent  | absent | read   | refused | refused | refused    | refused
masking      | page   | absent  | absent     | absent | whole   | read   | absent  | absent | none   | refused | refused | refused    | refused
waiting      | page   | absent  | absent     | absent | absent  | absent | whole   | absent | none   | refused | refused | refused    | refused
carer        | absent | absent  | absent     | absent | absent  | absent | part    | absent | none   | refused | refused | refused    | refused
"""  # noqa: E501  # one person a line
"""`-`: it depends on who saw whom in the invented year, and `test_rules` says it of plain values.

`trace` is the list of accesses of the adolescent; `result` one that a doctor has not announced yet.
"""


def cells() -> Iterator[tuple[str, str, str]]:
    """Give (person, thing, answer) of each cell."""
    lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip("\n").splitlines()]
    for who, *answers in lines[1:]:
        yield from ((who, *one) for one in zip(lines[0][1:], answers, strict=True) if one[1] != "-")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("people")) as opened:
        yield opened


def name_of(place: Place, who: str) -> tuple[str, str]:
    """Give the realm and the name by which somebody of the table comes in."""
    if who in PROFESSIONALS:
        return "psc", PROFESSIONALS[who].name
    if who in OF_SITE:
        return "site", OF_SITE[who].name
    installation = place.server.installation
    of = {one.key: one for one in installation.store.people.patients}
    kin = {"mother": "adolescent", "herself": "adolescent", "carer": "waiting"}
    played = installation.patient(kin.get(who, who))
    return "patients", shown_name(of[played.kin[0].key] if who in kin else played)


def shown_name(patient: DemoPatient) -> str:
    return person_name(patient.bundle["entry"][0]["resource"])


def visit(place: Place, who: str) -> Visit:
    return place.known(*name_of(place, who), EXERCISES.get(who, 0))


def a_page(address: str) -> Callable[[Visit], str]:
    def ask(by: Visit) -> str:
        return {200: "page", 403: "refused", 404: "absent"}[by.browser.get(address).status_code]

    return ask


def a_record(role: str) -> Callable[[Visit], str]:
    def ask(by: Visit) -> str:
        shown = by.browser.get(f"/record/{by.place.server.record(role)}")
        if shown.status_code != 200:
            assert shown.status_code == 404
            return "absent"

        leafed = by.browser.get(f"/record/{by.place.server.record(role)}/timeline").text

        def has(categories: tuple[Category, ...]) -> bool:
            titles = [say(f"access.category.{one.value}", Language.FR) for one in categories]
            return any(f'class="chip">{title}</span>' in leafed for title in titles)

        return "whole" if has(CARE) else "part" if has(PARTS) else "who"

    return ask


def an_item(item: str, role: str) -> Callable[[Visit], str]:
    def ask(by: Visit) -> str:
        reference = by.place.server.installation.item(item, role)
        return {200: "read", 404: "absent"}[by.fhir("GET", reference).status_code]

    return ask


def matches(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", []) if one["search"]["mode"] == "match"]


def the_trace(by: Visit) -> str:
    asked = {"patient": by.place.server.record("adolescent")}
    return "read" if matches(by.fhir("GET", "AuditEvent", params=asked)) else "none"


def as_typed(by: Visit) -> str:
    typed = by.place.server.installation.patient().traits.birth_name[:4]
    body = {"resourceType": "Parameters", "parameter": [{"name": "typed", "valueString": typed}]}
    answer, shown = by.fhir("POST", "Patient/$find-as-typed", json=body), by.form("/home", typed=typed)
    assert shown.status_code == answer.status_code
    if answer.status_code == 403:
        return "refused"
    on_page = set(re.findall(r'href="/record/([^"]+)"', shown.text))
    assert on_page == {one["id"] for one in matches(answer)}
    return "found" if by.place.server.record() in on_page else "nobody"


def duplicates(by: Visit) -> str:
    return {200: "list", 403: "refused"}[by.fhir("GET", "Patient/$duplicates").status_code]


def acts(by: Visit) -> str:
    return {"page": "own"}.get(a_page("/acts")(by), "refused")


THINGS: Final = {
    "own": a_page("/me"),
    "patient": a_record("patient"),
    "adolescent": a_record("adolescent"),
    "secret": an_item("secret-prescription", "adolescent"),
    "masking": a_record("masking"),
    "masked": an_item("masked", "masking"),
    "waiting": a_record("waiting"),
    "result": an_item("announcement", "waiting"),
    "trace": the_trace,
    "officer": a_page("/officer"),
    "typed": as_typed,
    "duplicates": duplicates,
    "acts": acts,
}


@pytest.mark.capability("0-06", "lets")
@pytest.mark.parametrize("who", dict.fromkeys(who for who, _, _ in cells()))
def test_each_sees_exactly_what_the_rules_say(place: Place, who: str) -> None:
    by = visit(place, who)
    expected = {thing: answer for person, thing, answer in cells() if person == who}
    assert {thing: THINGS[thing](by) for thing in expected} == expected


ARRIVE: Final = {
    "attending": ("médecin · Cabinet des Tilleuls", "Retrouver une personne", "Mes actes"),
    "associate": ("médecin associé · Cabinet des Tilleuls", "Pour agir à un autre titre"),
    "at hospital": ("médecin hospitalier · Centre hospitalier de Bourg-Tilleul",),
    "locum": ("Vous remplacez Dr Hélène Vasselin du ", "Vos actes sont signés de votre nom"),
    "trainee": ("sous la responsabilité de Dr Karim Benzélir",),
    "secretary": ("secrétariat · Cabinet des Tilleuls", "n'ouvre aucun contenu de soin"),
    "officer": ('href="/officer"', "Votre fonction n'ouvre aucun dossier"),
    "dpo": ("délégué à la protection des données", "n'ouvre aucun dossier"),
    "researcher": ("chercheur", "La recherche n'ouvre aucun dossier nominatif"),
    "patient": ("Pour vous-même", 'href="/me"'),
    "mother": ("que vous représentez ou aidez", "Ouvrir le dossier\u00a0: "),
    "carer": ("que vous représentez ou aidez", "Ouvrir le dossier\u00a0: "),
}


@pytest.mark.parametrize("who", sorted(ARRIVE))
def test_each_arrives_where_it_is_said_who_they_are_and_what_opens(place: Place, who: str) -> None:
    by = visit(place, who)
    shown = by.home.replace("&#39;", "'")
    assert by.actor.name in shown
    for words in ARRIVE[who]:
        assert words in shown
    assert ("Retrouver une personne" in shown) == (who in PROFESSIONALS or who == "secretary")
    assert ("Mes actes" in shown) == (who in PROFESSIONALS or who in OF_SITE)


def test_whoever_acts_for_another_is_led_to_their_record_and_no_other(place: Place) -> None:
    for who, role in (("mother", "adolescent"), ("carer", "waiting")):
        led = re.findall(r'href="(/record/[^"]+)"', visit(place, who).home)
        assert led == [f"/record/{place.server.record(role)}"]


def test_a_locum_is_traced_as_themselves_and_a_trainee_under_their_supervisor(place: Place) -> None:
    assert visit(place, "locum").actor.id == cast.LOCUM.id
    assert visit(place, "locum").actor.replaces == cast.ATTENDING.id
    assert visit(place, "trainee").actor.supervisor == cast.HOSPITAL_DOCTOR.id


@pytest.mark.capability("0-06", "refuses")
def test_nobody_reads_or_ends_the_sessions_of_another(place: Place) -> None:
    by = visit(place, "adolescent")
    again = place.come_in(*name_of(place, "adolescent"))
    (hers,) = re.findall(r'name="which" value="([^"]+)"><button aria', again.browser.get("/account").text)
    for who in ("mother", "attending", "officer"):
        other = visit(place, who)
        assert hers not in other.browser.get("/account").text
        assert other.form("/account/sessions", which=hers).status_code == 404
    assert by.browser.get("/me").status_code == 200
    assert again.form("/account/sessions", which=hers).status_code == 303
    assert by.browser.get("/me").status_code == 401
    place.visits.pop(name_of(place, "adolescent"))


@pytest.mark.capability("0-06", "refuses")
def test_one_person_acts_in_one_role_at_a_time(place: Place) -> None:
    for first, then in (("associate", "at hospital"), ("mother", "herself")):
        before = visit(place, first)
        assert before.browser.get("/home").status_code == 200
        assert visit(place, then).browser.get("/home").status_code == 200
        assert before.browser.get("/home").status_code == 401


def test_ones_list_of_acts_holds_what_one_did_and_nothing_of_another(place: Place) -> None:
    by, other = visit(place, "locum"), visit(place, "stranger")
    assert by.browser.get(f"/record/{place.server.record()}").status_code == 200
    assert other.browser.get(f"/record/{place.server.record()}").status_code == 404
    opened, refused = by.browser.get("/acts").text, other.browser.get("/acts").text
    assert "Ouverture d&#39;un dossier" in opened
    assert "refusé" in refused
    assert place.server.installation.patient().traits.used_name not in opened
    english = by.browser.get("/acts", headers={"accept-language": "en"}).text
    assert "Opening of a record" in english


# Programs.


def let_in(place: Place, by: Visit, scope: str, *, patient: str = "", **asked: str) -> tuple[Program, Json]:
    """Have somebody who has come in let a program do what it asks; give it and its token's answer."""
    client = registered(place.server, PUBLIC, *scope.split())
    program = Program(place.server, client.id, browser=by.browser)
    shown = by.browser.get(program.asks(asked.pop("asks", scope)))
    brought = program.answered(shown, patient=patient) if patient else program.answered(shown)
    issued = program.exchanged(brought["code"])
    assert issued.status_code == 200, issued.text
    answer: Json = issued.json()
    return program, answer


@pytest.mark.capability("1-16", "refuses")
def test_a_program_that_asks_for_everything_gets_what_it_was_registered_for(place: Place) -> None:
    by = visit(place, "attending")
    program, issued = let_in(place, by, "user/Observation.rs", asks="user/*.cruds openid profile")
    assert issued["scope"] == "user/Observation.rs"
    token = issued["access_token"]
    record = place.server.record()
    assert matches(program.fhir(token, "GET", f"Observation?patient={record}"))
    assert program.fhir(token, "GET", f"Condition?patient={record}").status_code == 403
    assert program.fhir(token, "POST", "Observation", json=weight(record)).status_code == 403


@pytest.mark.capability("1-16", "refuses")
def test_a_program_of_the_mother_reads_no_secret_whatever_its_scope(place: Place) -> None:
    by, record = visit(place, "mother"), place.server.record("adolescent")
    program, issued = let_in(place, by, "patient/*.rs launch/patient", patient=record)
    token, secret = (
        issued["access_token"],
        place.server.installation.item("secret-prescription", "adolescent"),
    )
    assert program.fhir(token, "GET", f"Patient/{record}").status_code == 200
    assert program.fhir(token, "GET", secret).status_code == 404
    found = matches(program.fhir(token, "GET", f"MedicationRequest?patient={record}"))
    assert secret.partition("/")[2] not in {one["id"] for one in found}
    own, issued = let_in(place, visit(place, "adolescent"), "patient/MedicationRequest.rs launch/patient")
    assert own.fhir(issued["access_token"], "GET", secret).status_code == 200


@pytest.mark.parametrize("who", ["stranger", "researcher", "officer"])
def test_a_program_opens_nothing_for_whom_nothing_opens(place: Place, who: str) -> None:
    program, issued = let_in(place, visit(place, who), "user/*.rs")
    token, record = issued["access_token"], place.server.record()
    assert program.fhir(token, "GET", f"Patient/{record}").status_code == 404
    assert matches(program.fhir(token, "GET", f"Observation?patient={record}")) == []


@pytest.mark.capability("3-12", "lets")
def test_the_laboratorys_program_deposits_and_is_told_what_it_may_not(place: Place) -> None:
    program = Program(place.server, PROGRAM, key=ECKey.generate_key("P-256"), identity=place.key)
    issued = program.token(grant_type="client_credentials", scope="system/*.cruds").json()
    assert set(issued["scope"].split()) == {"system/Observation.c", "system/DiagnosticReport.c"}
    token, record = issued["access_token"], place.server.record()
    made = program.fhir(token, "POST", "Observation", json=weight(record, 64.0))
    assert made.status_code == 201
    kept = visit(place, "attending").fhir("GET", f"Observation/{made.json()['id']}")
    assert kept.status_code == 200
    for path in (f"Observation/{made.json()['id']}", f"Patient/{record}", f"Observation?patient={record}"):
        refused = program.fhir(token, "GET", path)
        assert refused.status_code == 403
        assert refused.json()["resourceType"] == "OperationOutcome"
