"""What a program's token opens: what its holder may, for the purposes of that holder, until it ends.

A token of a partner with scopes of its own does not exist yet; these are the bounds that every token has.
"""

from __future__ import annotations

import httpx
import pytest

from serment.demo.store import CARE_PURPOSES
from serment.model import Instant, Purpose
from serment.record.entrance.sessions import SESSION_MS
from tests.doors.served import Served, outcome, sentence

NOT_FOR_CARE = (
    Purpose.INSURANCE,
    Purpose.LENDING,
    Purpose.MARKETING,
    Purpose.RESEARCH,
    Purpose.PAYMENT,
    Purpose.SYSTEM_ADMINISTRATION,
)


def reading(server: Served, bearer: str, **headers: str) -> httpx.Response:
    sent = {"authorization": f"Bearer {bearer}", **{name.replace("_", "-"): v for name, v in headers.items()}}
    return server.calling(f"{server.address}/fhir/", sent).get(f"Patient/{server.record()}")


def issued(server: Served, ago: int) -> str:
    """Give a token of a doctor of the team that was issued `ago` milliseconds ago."""
    doctor, now = server.installation.staff("team-doctor"), server.house.passage.clock()
    return server.house.sessions.issue(doctor, CARE_PURPOSES[doctor.kind], Instant(now - ago))


@pytest.mark.capability("1-16", "lets")
def test_a_token_opens_what_its_holder_may_until_it_ends(server: Served) -> None:
    assert reading(server, issued(server, 0)).status_code == 200
    assert reading(server, issued(server, SESSION_MS - 60_000)).status_code == 200


@pytest.mark.capability("1-16", "refuses")
@pytest.mark.parametrize("ago", [SESSION_MS, SESSION_MS + 1, 30 * SESSION_MS])
def test_a_token_whose_time_is_over_opens_nothing(server: Served, ago: int) -> None:
    answer = reading(server, issued(server, ago))
    assert (answer.status_code, sentence(answer)) == (401, "record.signed-out")


@pytest.mark.capability("1-16", "refuses")
@pytest.mark.parametrize("purpose", NOT_FOR_CARE)
def test_a_token_used_out_of_its_purpose_opens_nothing(server: Served, purpose: Purpose) -> None:
    """The partner that was let in for care asks with the same token for something else."""
    doctor = server.installation.staff("team-doctor")
    said = reading(server, issued(server, 0), serment_purpose=purpose.value)
    standing = reading(server, server.token(doctor, purpose))
    assert said.status_code == standing.status_code >= 403
    assert outcome(said) == outcome(standing)


@pytest.mark.capability("1-16", "refuses")
@pytest.mark.parametrize("role", ["secretary", "officer", "unrelated-doctor"])
def test_a_token_opens_no_more_than_its_holder_may(server: Served, role: str) -> None:
    client = server.staff(role)
    asked = {"patient": server.record(), "_count": "0"}
    answer = client.get("Observation", params=asked)
    assert answer.status_code >= 400 or answer.json()["total"] == 0


@pytest.mark.capability("1-16", "refuses")
def test_a_token_that_was_ended_or_made_up_opens_nothing(server: Served) -> None:
    ended, cut = issued(server, 0), issued(server, 0)[:-1]
    server.house.sessions.end(ended)
    code = server.code(server.installation.staff("team-doctor"), "/").rpartition("/")[2]
    answers = [reading(server, one) for one in (ended, cut, code, "?", "x" * 5000)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
