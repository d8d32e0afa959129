"""What a program would keep of somebody after it should be over, or make of what it was given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from joserfc.jwk import ECKey

from serment.errors import OAuthError
from serment.model import ActorId, Instant
from serment.people.accounts import Exercise
from serment.people.clients import PUBLIC
from serment.people.people import People
from serment.people.signing import Proof
from serment.record.entrance.sessions import Program as Token
from tests.attacks.test_signin_races import at_once
from tests.doors.programs import Program, as_operator, error_of, programs_of, registered
from tests.doors.served import Served, served
from tests.installation import run

LABS = "patient/Observation.rs?category=urn:serment:category|labs"
NORMAL = "patient/Observation.rs?_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N"
LASTING = "patient/Observation.rs offline_access"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("leftovers")) as made:
        yield made


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    yield running
    running.hang_up()


@pytest.fixture
def program(server: Served) -> Program:
    return Program(server, registered(server, PUBLIC, "patient/*.cruds", "offline_access").id)


def reads(program: Program, token: str) -> int:
    at = program.server.record()
    return program.fhir(token, "GET", f"Observation?patient={at}&_count=1").status_code


@pytest.mark.capability("1-16", "refuses")
@pytest.mark.parametrize(
    ("agreed", "wider"),
    [
        (LABS, "patient/Observation.rs"),
        (NORMAL, "patient/Observation.rs"),
        (LABS, "patient/Observation.rs?category=urn:serment:category|vitals"),
        ("patient/*.r patient/Observation.cruds", "patient/*.cruds"),
        ("patient/*.r patient/Observation.rs", "patient/*.rs"),
        (f"{LABS} patient/Observation.r", "patient/Observation.rs"),
    ],
)
def test_a_refresh_gives_no_more_than_each_scope_that_was_agreed(
    server: Served, program: Program, agreed: str, wider: str
) -> None:
    program.key = ECKey.generate_key("P-256")
    issued = program.launched(server.patient_actor(), f"{agreed} offline_access")
    shown = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    assert error_of(program.token(**shown, scope=wider)) == (400, "invalid_scope")
    assert program.token(**shown).json()["scope"] == issued["scope"]


def test_letters_of_two_scopes_that_were_agreed_may_be_wished_together(
    server: Served, program: Program
) -> None:
    issued = program.launched(
        server.patient_actor(), "patient/Observation.r patient/Observation.s offline_access"
    )
    wished = "patient/Observation.rs"
    answer = program.token(grant_type="refresh_token", refresh_token=issued["refresh_token"], scope=wished)
    assert answer.json()["scope"] == wished


def test_a_code_replayed_while_it_is_exchanged_leaves_no_token(server: Served, program: Program) -> None:
    code = program.code(server.patient_actor(), LASTING)
    found, asking = programs_of(server), as_operator(server)
    client = found.clients.standing(asking, program.id)
    grant, refresh = found.grants.spend(asking, code, lambda _: None, "")
    assert error_of(program.exchanged(code)) == (400, "invalid_grant")
    with pytest.raises(OAuthError):
        run(found.tokens._of_grant(as_operator(server), client, grant, grant.scope, refresh))


def test_one_code_exchanged_by_two_at_the_same_moment_opens_nothing_to_either(
    server: Served, program: Program
) -> None:
    for _ in range(4):
        code = program.code(server.patient_actor(), LASTING)
        answers = at_once(*[partial(program.exchanged, code)] * 3)
        tokens = [one.json()["access_token"] for one in answers if one.status_code == 200]
        assert len(tokens) <= 1
        assert [reads(program, one) for one in tokens] == [401] * len(tokens)


def test_one_refresh_token_shown_by_two_at_the_same_moment_opens_nothing_to_either(
    server: Served, program: Program
) -> None:
    for _ in range(4):
        issued = program.launched(server.patient_actor(), LASTING)
        shown = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
        answers = at_once(*[partial(program.token, **shown)] * 3)
        tokens = [one.json()["access_token"] for one in answers if one.status_code == 200]
        assert len(tokens) <= 1
        assert [reads(program, one) for one in (*tokens, issued["access_token"])] == [401] * (len(tokens) + 1)


def test_a_token_asked_for_before_its_person_left_is_not_made_after(server: Served) -> None:
    asking = as_operator(server)
    sessions, leaver = server.house.sessions, server.installation.staff("attending")
    before = asking.now
    token = Token("app", "", "patient/*.rs", 600)
    made = sessions.made(leaver, asking.purpose, before, until=before + 60_000, program=token)
    # The leave was asked for earlier, and written after the token was made.
    sessions.end_all(leaver.id, asking.actor, Instant(before - 1000))
    server.house.passage.store.submit(lambda txn: sessions.keep(txn, made)).result()
    assert sessions.of_token(made.token, server.house.passage.clock()) is None


def test_a_code_that_was_not_exchanged_yet_is_over_when_somebody_was_hacked(
    server: Served, program: Program
) -> None:
    mine = server.patient_actor()
    code = program.code(mine, LASTING)
    programs_of(server).grants.end_of(as_operator(server), [ActorId(mine.id)])
    assert error_of(program.exchanged(code)) == (400, "invalid_grant")


@pytest.mark.capability("1-16", "refuses")
def test_no_act_of_care_is_declared_in_another_record_than_the_launch_patients(server: Served) -> None:
    operation = "urn:serment:operation:declare-act"
    client = registered(server, PUBLIC, "patient/*.rs", "user/*.rs", operation)
    program = Program(server, client.id, key=ECKey.generate_key("P-256"))
    doctor, home = server.installation.staff("team-doctor"), server.record()
    other, absent = server.record("celebrity"), "00000000-0000-4000-8000-000000000000"
    visit = {
        "resourceType": "Parameters",
        "parameter": [{"name": "reason", "valueCode": "visit-today"}],
    }

    def declared(token: str, record: str) -> tuple[int, str]:
        answer = program.fhir(token, "POST", f"Patient/{record}/$declare-act", json=visit)
        return answer.status_code, answer.text.replace(record, "")

    launched = program.launched(doctor, f"patient/*.rs {operation}", patient=home)["access_token"]
    assert declared(launched, other) == declared(launched, absent)
    assert declared(launched, home)[0] == 200
    of_the_person = program.launched(doctor, f"user/*.rs {operation}")["access_token"]
    assert declared(of_the_person, other)[0] == 200


def test_nobody_uses_two_roles_at_once_through_a_program(server: Served, program: Program) -> None:
    """A doctor who is a patient too: at work, their own application waits, and loses nothing."""
    people, asking = People.of(server.house), as_operator(server)
    patient, doctor = server.patient_actor(), server.installation.staff("team-doctor")
    roles = [
        Exercise("own", patient.id, "patient", patient=patient.patient),
        Exercise("work", doctor.id, "professional", doctor.function, "10", structure=doctor.structure),
    ]
    account = people.staff.enrol(asking, patient.name, "both", roles)
    issued = program.launched(patient, LASTING)
    at_work = as_operator(server)
    secret = people.signing_in.begin(at_work, account, "work", Proof(("hwk",), 2, at_work.now))
    assert reads(program, issued["access_token"]) == 401
    shown = {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]}
    assert error_of(program.token(**shown)) == (503, "temporarily_unavailable")
    server.house.sessions.end(secret)
    again = program.token(**shown)
    assert again.status_code == 200, again.text
    assert reads(program, again.json()["access_token"]) == 200
