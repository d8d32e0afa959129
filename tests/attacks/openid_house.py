"""A served store whose people come in by identity providers, and a provider that can be made to lie.

`House` is a served demo store with the built-in provider registered for professionals, patients and the site;
`Liar` is that provider with one thing changed: what a token says, how it is signed, which keys are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from serment.app import StoreKind
from serment.demo.people import ATTENDING, HOSPITAL, LOCUM, OFFICER, PRACTICE, SECOND_ASSOCIATE, Person
from serment.demo.provider import IdentityProvider, Realm, Visitor, psc_visitor, subject_of
from serment.model import Purpose, RequestId
from serment.people.accounts import Account, Exercise
from serment.people.people import People
from serment.people.providers import Kind
from serment.record.asking import Asking
from serment.record.today import KEEPER
from serment.record.writing import new_id
from tests.doors.served import Served, served

Claims = dict[str, Any]
PATIENT_SUBJECT = "a-patient-at-their-provider"
OFFICER_SUBJECT = "the-officer-at-the-site"
STRANGER = psc_visitor(LOCUM)
"""A professional whom nobody enrolled."""


class Liar(IdentityProvider):
    """The built-in provider, which says otherwise when it is told to."""

    twist: Callable[[Claims], Claims] = staticmethod(lambda claims: claims)
    twist_token: Callable[[str], str] = staticmethod(lambda token: token)

    def honest(self) -> None:
        """Say the truth again."""
        for name in ("twist", "twist_token"):
            self.__dict__.pop(name, None)

    def id_token(self, realm: Realm, claims: Claims, kind: str = "JWT") -> str:
        return self.twist_token(super().id_token(realm, self.twist(claims), kind))


@dataclass(slots=True)
class House:
    """The served store, the provider, and who has an account."""

    server: Served
    provider: Liar
    people: People
    accounts: dict[str, Account] = field(default_factory=dict)

    def asking(self) -> Asking:
        now = self.server.house.passage.clock()
        return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)

    def enrol(self, key: str, account: Account) -> Account:
        self.accounts[key] = self.people.accounts.add(self.asking(), account)
        return self.accounts[key]

    def away(self, browser: httpx.Client, realm: str = "psc", **given: str) -> str:
        """Begin a sign-in; give the address at the provider."""
        answer = browser.get(f"/openid/{realm}", params=given)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def click(self, url: str, subject: str) -> str:
        """Be somebody at the provider; give the address to which it sends the browser back."""
        answer = httpx.get(url, params={**httpx.URL(url).params, "as": subject})
        return answer.headers["location"]

    def back(self, browser: httpx.Client, subject: str, realm: str = "psc", **given: str) -> httpx.Response:
        """Go away, be somebody, and come back."""
        return browser.get(self.click(self.away(browser, realm, **given), subject))

    def sign_in(
        self, browser: httpx.Client, subject: str, realm: str = "psc", **given: str
    ) -> httpx.Response:
        """Come in whole: the answer that gives the session."""
        answer = self.back(browser, subject, realm, **given)
        assert answer.status_code == 200, answer.text
        return browser.get("/openid/go-on")

    def new_browser(self) -> httpx.Client:
        return self.server.browser()


def doctor(person: Person, *exercises: Exercise) -> Account:
    """Make the account of a professional in the exercise of the demo, or in others."""
    only = Exercise("1", person.id, "professional", person.function.value, "10", structure=person.structure)
    return Account("", person.name, exercises or (only,), person.given.lower())


@contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Serve a store whose provider lists everybody; enrol four people."""
    two = psc_visitor(SECOND_ASSOCIATE, (PRACTICE.id, HOSPITAL.id))
    realms = [
        Realm("psc", [psc_visitor(ATTENDING), two, STRANGER], acr="eidas1"),
        Realm("patients", [Visitor(PATIENT_SUBJECT, "A patient"), Visitor("nobody", "Nobody")]),
        Realm("site", [Visitor(OFFICER_SUBJECT, "The officer")], algorithm="ES256"),
    ]
    with served(folder) as server, Liar(StoreKind.DEMO, realms) as provider:
        people = server.app.state.reception.of(server.app.state.open())
        house = House(server, provider, people)
        for name, kind in (("psc", Kind.PSC), ("patients", Kind.PATIENT), ("site", Kind.SITE)):
            described = provider.described(name, kind, name, server.address)
            people.providers.register(house.asking(), described)
        _enrol(house, provider)
        yield house


def _enrol(house: House, provider: Liar) -> None:
    second = SECOND_ASSOCIATE
    exercises = (
        Exercise(
            "1", second.id, "professional", "associate", "10", structure=PRACTICE.id, label=PRACTICE.name
        ),
        Exercise("2", second.id, "professional", "hospital-doctor", "10", structure=HOSPITAL.id),
    )
    house.enrol("attending", doctor(ATTENDING))
    house.enrol("two", doctor(second, *exercises))
    patient = house.server.patient_actor()
    own = Exercise("1", patient.id, "patient", patient=patient.patient)
    subjects = ((provider.issuer("patients"), PATIENT_SUBJECT),)
    house.enrol("patient", Account("", patient.name, (own,), "", subjects))
    watch = Exercise("1", OFFICER.id, "officer", "security-officer", structure=PRACTICE.id)
    subjects = ((provider.issuer("site"), OFFICER_SUBJECT),)
    house.enrol("officer", Account("", OFFICER.name, (watch,), "", subjects))


def hidden(page: str, name: str) -> str:
    """Give the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]


SUBJECT = subject_of(ATTENDING)
TWO = subject_of(SECOND_ASSOCIATE)
