"""The people of an open installation: what the doors are given, over one house."""

from __future__ import annotations

from dataclasses import dataclass

from serment.people.accounts import Accounts, by_actor
from serment.people.arriving import Arriving
from serment.people.counter import Counter
from serment.people.credentials import Drawer
from serment.people.entering import Entering
from serment.people.openid import Line, Unplugged
from serment.people.profile import Profiles
from serment.people.programs import Programs
from serment.people.providers import Providers
from serment.people.signing import SigningIn
from serment.people.staff import Staff
from serment.record.asking import Asking
from serment.record.entrance.tickets import Tickets
from serment.record.house import House
from serment.record.registry import Registry


@dataclass(frozen=True, slots=True)
class People:
    """Accounts and the ways to sign in."""

    registry: Registry
    accounts: Accounts
    signing_in: SigningIn
    staff: Staff
    profiles: Profiles
    providers: Providers
    arriving: Arriving
    entering: Entering
    programs: Programs
    counter: Counter

    @classmethod
    def of(cls, house: House, line: Line | None = None) -> People:
        """Build every part over one open house. `line` carries calls to identity providers."""
        registry = Registry(house.passage)
        accounts = Accounts(registry)
        staff = Staff(house.passage, accounts, house.sessions)
        drawer = Drawer(registry, accounts)
        entering = Entering.over(house, registry, accounts, drawer)
        signing_in, providers = SigningIn(registry, drawer, house.sessions), Providers(registry)
        arriving = Arriving.over(
            (providers, accounts, signing_in),
            house.sessions,
            Tickets(house.passage, house.sessions),
            entering.inviting,
            line or Unplugged(),
            house.base.removesuffix("/fhir"),
        )
        return cls(
            registry,
            accounts,
            signing_in,
            staff,
            Profiles(registry),
            providers,
            arriving,
            entering,
            Programs.over(house, registry, accounts),
            Counter(house.passage, house.reading, house.writing, house.sessions),
        )


def person_of(people: People, asking: Asking) -> str:
    """Name who asks as registers of people do: by account, by actor where there is none."""
    account = people.accounts.find(asking, by_actor(asking.actor.id))
    return account.id if account is not None else asking.actor.id


class Reception:
    """Who receives people at the doors: builds `People` once for each house that is opened."""

    def __init__(self, line: Line | None = None) -> None:
        self._line = line
        self._met: tuple[House, People] | None = None

    def of(self, house: House) -> People:
        """Give the people of this house."""
        met = self._met
        if met is None or met[0] is not house:
            met = self._met = (house, People.of(house, self._line))
        return met[1]
