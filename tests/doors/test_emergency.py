"""Purpose and coded reason: emergency access opens, is told, and lifts no mask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doors.samples import consent
from tests.doors.served import Served, sentence, served

UNCONSCIOUS = {"serment_purpose": "ETREAT", "serment_reason": "unable-to-consent"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("emergency")) as running:
        yield running


@pytest.fixture(autouse=True)
def _hang_up(server: Served) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.mark.parametrize("role", ["locum", "nurse"])
@pytest.mark.parametrize("purpose", ["ETREAT", "BTG", "ERTREAT"])
@pytest.mark.parametrize("reason", ["unable-to-consent", "immediate-risk", "unplanned-care"])
@pytest.mark.capability("1-23", "lets")
def test_a_care_profession_of_the_structure_opens_in_an_emergency(
    server: Served, role: str, purpose: str, reason: str
) -> None:
    assert server.staff(role).get(f"Patient/{server.record()}").status_code == 404
    opened = server.staff(role, serment_purpose=purpose, serment_reason=reason)
    assert opened.get(f"Patient/{server.record()}").status_code == 200


@pytest.mark.capability("1-23", "lets")
def test_the_patient_sees_that_emergency_marked(server: Served) -> None:
    locum = server.staff("locum", **UNCONSCIOUS)
    assert locum.get("AllergyIntolerance", params={"patient": server.record()}).status_code == 200
    page = server.browser()
    page.get(server.code(server.patient_actor(), "/me"))
    told = page.get("/me/who").text
    assert '<article class="card bad">' in told
    assert "personne hors d&#39;état de consentir" in told


@pytest.mark.parametrize(
    ("role", "headers"),
    [
        ("locum", {"serment_purpose": "ETREAT"}),
        ("locum", {"serment_reason": "unable-to-consent"}),
        ("locum", {"serment_purpose": "TREAT", "serment_reason": "unable-to-consent"}),
        ("locum", {"serment_purpose": "ETREAT", "serment_reason": "regulation-call"}),
        ("secretary", UNCONSCIOUS),
        ("officer", UNCONSCIOUS),
        ("unrelated-doctor", UNCONSCIOUS),
        ("emergency-doctor", UNCONSCIOUS),
    ],
)
@pytest.mark.capability("1-23", "refuses")
def test_without_reason_purpose_or_structure_it_stays_closed(
    server: Served, role: str, headers: dict[str, str]
) -> None:
    asked = server.staff(role, **headers).get("Condition", params={"patient": server.record()})
    assert (asked.status_code, asked.json()["total"]) == (200, 0)


@pytest.mark.capability("1-23", "refuses")
def test_a_masked_item_stays_hidden_in_an_emergency(server: Served) -> None:
    item = server.installation.item("maskable")
    locum = server.staff("locum", **UNCONSCIOUS)
    assert locum.get(item).status_code == 200
    page = server.patient()
    data = [{"meaning": "instance", "reference": {"reference": item}}]
    made = page.post("Consent", json=consent(server.record(), data=data))
    assert locum.get(item).status_code == 404
    page.delete(f"Consent/{made.json()['id']}")


@pytest.mark.capability("0-13", "refuses")
@pytest.mark.parametrize("purpose", ["CURIOSITY", "", "treat", "TREAT,ETREAT"])
def test_an_unknown_purpose_is_refused(server: Served, purpose: str) -> None:
    refused = server.staff("team-doctor", serment_purpose=purpose).get(f"Patient/{server.record()}")
    assert (refused.status_code, sentence(refused)) == (403, "record.purpose-unknown")


@pytest.mark.parametrize("reason", ["because", "unable-to-consent,because", "Unable-To-Consent"])
def test_an_unknown_reason_is_malformed(server: Served, reason: str) -> None:
    refused = server.staff("locum", serment_purpose="ETREAT", serment_reason=reason).get(
        f"Patient/{server.record()}"
    )
    assert (refused.status_code, sentence(refused)) == (400, "record.reason-unknown")


@pytest.mark.parametrize(
    "purpose", ["HMARKT", "SERMENT_INSURANCE", "SERMENT_LENDING", "SERMENT_EMPLOYMENT", "HRESCH"]
)
@pytest.mark.capability("2-12", "refuses")
def test_an_insurer_s_lender_s_or_employer_s_purpose_opens_nothing(server: Served, purpose: str) -> None:
    for client in (
        server.staff("team-doctor", serment_purpose=purpose),
        server.patient(serment_purpose=purpose),
    ):
        assert client.get(f"Patient/{server.record()}").status_code == 404
