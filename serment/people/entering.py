"""The parts of local sign-in, built once over one open house; no logic."""

from __future__ import annotations

from dataclasses import dataclass

from serment.people.accounts import Accounts
from serment.people.breached import lists_of
from serment.people.credentials import Drawer
from serment.people.grants import Grants
from serment.people.inviting import Inviting
from serment.people.local import Local
from serment.people.lockout import Lockout
from serment.people.own_account import OwnAccount
from serment.people.passkeys import Party
from serment.record.entrance.tickets import Tickets
from serment.record.entrance.tries import Tries
from serment.record.house import House
from serment.record.registry import Registry


@dataclass(frozen=True, slots=True)
class Entering:
    """Credentials, invitations, the ways to prove oneself, and what a person does with their own account."""

    drawer: Drawer
    inviting: Inviting
    tickets: Tickets
    local: Local
    own: OwnAccount

    @classmethod
    def over(cls, house: House, registry: Registry, accounts: Accounts, drawer: Drawer) -> Entering:
        """Build every part. Raises `SettingsError` for a list of leaked passwords that is not there."""
        sessions, tickets = house.sessions, Tickets(house.passage, house.sessions)
        party = Party.at(house.base.removesuffix("/fhir"))
        breached = lists_of(house.entrance.breached)
        inviting = Inviting(registry, accounts, drawer)
        alarms = house.passage.alarms
        grants = Grants(registry, sessions, alarms)
        own = OwnAccount(
            accounts, drawer, inviting, sessions, tickets, breached, party, alarms, grants, house.links
        )
        lockout = Lockout(Tries(house.passage))
        local = Local(accounts, drawer, sessions, tickets, lockout, breached, party, own.cloned)
        return cls(drawer, inviting, tickets, local, own)
