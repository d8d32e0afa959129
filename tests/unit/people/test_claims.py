"""From claims to exercises: what PSC certifies and what the structure gave must agree."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from serment.demo.people import ASSOCIATE, ATTENDING, INTERN, PRACTICE, Person
from serment.demo.provider import psc_claims
from serment.errors import SignInError
from serment.model import Purpose, RequestId
from serment.people.accounts import Account, Exercise
from serment.people.claims import Recognised, recognised
from serment.people.openid import Known
from serment.people.people import People
from serment.people.providers import Kind, Provider, pro_sante_connect
from serment.record.asking import Asking
from serment.record.today import KEEPER
from serment.record.writing import new_id
from tests.installation import Installation, bare_installation

PSC = pro_sante_connect("psc", "serment", "secret")
SITE = Provider("site", Kind.SITE.value, "Site", "https://sso.example", "serment", "secret", "FR", ("mfa",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("claims")) as one:
        yield one


def exercise(id_: str, function: str, profession: str = "10", *, regulation: bool = False) -> Exercise:
    return Exercise(
        id_,
        ATTENDING.id,
        "professional",
        function,
        profession,
        structure=PRACTICE.id,
        regulation=regulation,
    )


def own(id_: str = "own") -> Exercise:
    return Exercise(id_, "patient:1", "patient", patient="1")


@pytest.fixture(scope="module")
def people(made: Installation) -> People:
    people = People.of(made.house)
    exercises = (
        exercise("1", "treating-doctor", regulation=True),
        exercise("2", "nurse", "60"),
        msgspec.structs.replace(exercise("3", "associate"), end=1),
        own(),
    )
    subjects = (("https://sso.example", "doctor"),)
    people.accounts.add(asking(made), Account("", ATTENDING.name, exercises, "", subjects))
    trainee = Exercise("1", INTERN.id, "professional", "hospital-doctor", "10", structure=PRACTICE.id)
    people.accounts.add(asking(made), Account("", INTERN.name, (trainee,)))
    other = Exercise("1", ASSOCIATE.id, "professional", "associate", "10", structure=PRACTICE.id)
    people.accounts.add(asking(made), Account("", ASSOCIATE.name, (other,)))
    return people


def asking(made: Installation) -> Asking:
    now = made.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def by_psc(
    made: Installation, people: People, person: Person, subject: str = "s", **claims: object
) -> Recognised:
    known = Known(PSC.issuer, subject, {**psc_claims(person), **claims})
    return recognised(people.accounts, asking(made), PSC, known)


def test_only_the_exercises_whose_profession_is_certified_are_offered(
    made: Installation, people: People
) -> None:
    assert [one.id for one in by_psc(made, people, ATTENDING).exercises] == ["1"]


def test_who_is_in_training_is_never_let_in_as_a_specialist(made: Installation, people: People) -> None:
    with pytest.raises(SignInError, match="current role"):
        by_psc(made, people, INTERN, "the intern's")


def test_a_subject_of_somebody_else_is_nobodys_second_number(made: Installation, people: People) -> None:
    by_psc(made, people, ATTENDING, "s")
    with pytest.raises(SignInError, match="no structure"):
        by_psc(made, people, ASSOCIATE, "s")


@pytest.mark.parametrize(("said", "may"), [("VRAI", True), ("FAUX", False)])
def test_regulation_is_open_when_both_say_so(
    made: Installation, people: People, said: str, may: bool
) -> None:
    found = by_psc(made, people, ATTENDING, Acces_Regulation_Medicale=said)
    assert found.proof.regulation is may
    secret = people.signing_in.begin(asking(made), found.account, "1", found.proof)
    assert made.house.sessions.open(secret, made.house.passage.clock()).actor.regulation is may


def test_the_subject_of_the_first_time_is_the_only_one(made: Installation, people: People) -> None:
    by_psc(made, people, ATTENDING, "s")
    with pytest.raises(SignInError, match="no structure"):
        by_psc(made, people, ATTENDING, "another")


def test_a_site_lets_nobody_in_as_a_patient(made: Installation, people: People) -> None:
    found = recognised(people.accounts, asking(made), SITE, Known(SITE.issuer, "doctor", {}))
    assert [one.id for one in found.exercises] == ["1", "2"]


def test_a_subject_that_nobody_bound_is_nobody(made: Installation, people: People) -> None:
    for provider, subject in ((SITE, "s"), (SITE, "stranger"), (SITE, "")):
        with pytest.raises(SignInError):
            recognised(people.accounts, asking(made), provider, Known(provider.issuer, subject, {}))
