"""The people of an open installation: what the doors are given, over one house."""

from __future__ import annotations

from dataclasses import dataclass

from serment.people.accounts import Accounts
from serment.people.profile import Profiles
from serment.people.signing import SigningIn
from serment.people.staff import Staff
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

    @classmethod
    def of(cls, house: House) -> People:
        """Build every part over one open house."""
        registry = Registry(house.passage)
        accounts = Accounts(registry)
        staff = Staff(house.passage, accounts, house.sessions)
        return cls(registry, accounts, SigningIn(accounts, house.sessions), staff, Profiles(registry))


class Reception:
    """Who receives people at the doors: builds `People` once for each house that is opened."""

    def __init__(self) -> None:
        self._met: tuple[House, People] | None = None

    def of(self, house: House) -> People:
        """Give the people of this house."""
        met = self._met
        if met is None or met[0] is not house:
            met = self._met = (house, People.of(house))
        return met[1]
