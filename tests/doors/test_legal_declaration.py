"""`$legal-declaration`: a duty that no opposition stops, with the least content and a receipt."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.doors.samples import Json, consent, parameters
from tests.doors.served import Served, sentence, served

MEASLES = {
    "form": {"valueCode": "disease"},
    "disease": {"valueCode": "measles"},
    "certainty": {"valueCode": "confirmed"},
    "department": {"valueString": "35"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("declaration")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


def declare(server: Served, role: str, **more: Json) -> httpx.Response:
    address = f"Patient/{server.record()}/$legal-declaration"
    return server.staff(role).post(address, json=parameters(**{**MEASLES, **more}))


def part(answer: httpx.Response, name: str) -> dict[str, str]:
    found = next(one for one in answer.json()["parameter"] if one["name"] == name)
    return {one["name"]: str(next(v for k, v in one.items() if k != "name")) for one in found["part"]}


@pytest.mark.capability("4-05", "lets")
def test_a_doctor_declares_a_listed_disease_and_has_a_receipt(server: Served) -> None:
    answer = declare(server, "team-doctor")
    assert answer.status_code == 200, answer.text
    said, receipt = part(answer, "declaration"), part(answer, "receipt")
    assert set(said) == {
        "form",
        "declarant",
        "name",
        "birth-date",
        "sex",
        "disease",
        "certainty",
        "department",
    }
    assert part(answer, "recipient")["code"] == "regional-health-agency"
    assert receipt["digest"]
    assert int(receipt["entry"]) > 0


@pytest.mark.capability("4-05", "refuses")
def test_a_field_beyond_the_form_opens_nothing(server: Served) -> None:
    with server.house.passage.store.snapshot() as snapshot:
        before = snapshot.ledger_size()
    answer = declare(server, "team-doctor", treatment={"valueString": "…"})
    assert (answer.status_code, sentence(answer)) == (400, "declaration.beyond")
    with server.house.passage.store.snapshot() as snapshot:
        assert snapshot.ledger_size() == before


@pytest.mark.capability("4-05", "refuses")
def test_an_opposition_does_not_stop_a_legal_duty_and_opens_nothing_else(server: Served) -> None:
    holder = server.client(server.patient_actor())
    made = holder.post("Consent", json=consent(server.record()))
    assert made.status_code == 201, made.text
    assert server.staff("team-doctor").get(f"Patient/{server.record()}").status_code == 404
    assert declare(server, "team-doctor").status_code == 200
    assert server.staff("team-doctor").get(f"Patient/{server.record()}").status_code == 404
    holder.delete(f"Consent/{made.json()['id']}")


@pytest.mark.parametrize("role", ["unrelated-doctor", "secretary", "nurse", "officer", "locum"])
def test_who_owes_none_or_attends_nobody_is_answered_as_where_there_is_nobody(
    server: Served, role: str
) -> None:
    address = "Patient/00000000-0000-4000-8000-000000000000/$legal-declaration"
    absent = server.staff(role).post(address, json=parameters(**MEASLES))
    answer = declare(server, role)
    assert answer.status_code == absent.status_code
    assert sentence(answer) == sentence(absent)


def test_the_holder_reads_that_it_was_declared_and_to_whom(server: Served) -> None:
    assert declare(server, "team-doctor").status_code == 200
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    assert "une déclaration que la loi impose" in page.get("/me/who").text
