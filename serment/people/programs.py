"""The programs at the door: what each part of OAuth stands on, and what a token lets one request do.

At each request: the token stands (a session, read where it is decided), the key that it is bound to is shown,
the program's rate is not spent, and what is asked is named by its scope. What the scope leaves out inside a
record is not refused here: it is absent there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import Lock
from typing import Final

from serment.access.relations import EMERGENCY_PURPOSES
from serment.access.scopes import OPERATION, Scope
from serment.errors import PossessionError, ScopeError, SignInError, TooManyError
from serment.model import EmergencyReason, Instant, RecordToken
from serment.people import dpop
from serment.people.accounts import Accounts
from serment.people.authorising import Authorising, scope_of
from serment.people.clients import Clients
from serment.people.credentials import Drawer
from serment.people.dpop import Proofs
from serment.people.grants import Grants
from serment.people.tokens import Tokens
from serment.record.asking import Asking
from serment.record.entrance.launching import Launching
from serment.record.entrance.sessions import Program
from serment.record.entrance.tickets import Tickets
from serment.record.house import House
from serment.record.registry import Registry

EMERGENCY: Final = f"{OPERATION}emergency-access"
MINUTE: Final = 60 * 1000
LAUNCH_MS: Final = 5 * MINUTE


class Rates:
    """How many requests each program makes here in one minute. Calls may come from any thread."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def spend(self, program: Program, now: Instant) -> None:
        """Count a request. Raises `TooManyError`; what is refused so is not counted."""
        minute = now // MINUTE
        with self._lock:
            known, made = self._made.get(program.client, (minute, 0))
            made = made if known == minute else 0
            if made >= program.rate:
                raise TooManyError("oauth.too-many", seconds=(MINUTE - now % MINUTE) // 1000 + 1)
            self._made[program.client] = (minute, made + 1)


@dataclass(frozen=True, slots=True)
class Knock:
    """A request of a program, as it came: method, address, path below the FHIR address, scheme, proofs."""

    method: str
    address: str = field(repr=False)
    path: str | None = field(repr=False)
    scheme: str
    token: str = field(repr=False)
    proofs: tuple[str, ...] = field(default=(), repr=False)
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Programs:
    """Everything about programs over one open house. `origin` is its address without a slash at the end."""

    clients: Clients
    grants: Grants
    authorising: Authorising
    tokens: Tokens
    proofs: Proofs
    rates: Rates
    tickets: Tickets
    origin: str

    @classmethod
    def over(cls, house: House, registry: Registry, accounts: Accounts) -> Programs:
        """Build every part."""
        passage, sessions = house.passage, house.sessions
        clients, launching, proofs = Clients(registry, sessions), Launching(passage), Proofs()
        grants = Grants(registry, sessions, passage.alarms)
        origin = house.base.removesuffix("/fhir")
        return cls(
            clients,
            grants,
            Authorising(clients, grants, launching, house.base),
            Tokens(
                clients,
                grants,
                accounts,
                Drawer(registry, accounts),
                sessions,
                launching,
                proofs,
                f"{origin}/token",
            ),
            proofs,
            Rates(),
            Tickets(passage, sessions),
            origin,
        )

    def launch(self, asking: Asking, client: str, patient: str) -> str:
        """Give what a program is launched with on a record, from a page of that record (SMART EHR launch)."""
        until = Instant(asking.now + LAUNCH_MS)
        return self.tickets.issue(f"launch/{asking.actor.id}/{client}", patient.encode(), until)

    def launched(self, asking: Asking, client: str, launch: str) -> str:
        """Give the record that a program was launched on by this person, "" when it was not."""
        try:
            return self.tickets.read(f"launch/{asking.actor.id}/{client}", launch, asking.now).decode()
        except SignInError:
            return ""

    def let(self, asking: Asking, program: Program, knock: Knock) -> Scope:
        """Say within what a request of a program is answered.

        Raises `PossessionError`, `ScopeError`, `TooManyError`, and `SignInError` for a token that is shown by
        another scheme than its own.
        """
        self._shown(asking, program, knock)
        self.rates.spend(program, asking.now)
        scope = _scope(program.scope, program.record, program.client)
        coded = any(isinstance(one, EmergencyReason) for one in asking.reasons)
        if (coded or asking.purpose in EMERGENCY_PURPOSES) and not scope.lets(EMERGENCY):
            raise ScopeError("oauth.emergency")
        scope.check(knock.method, knock.path, conditional=knock.conditional)
        return scope

    def _shown(self, asking: Asking, program: Program, knock: Knock) -> None:
        """Hold a request against the key that its token is bound to, once."""
        if not program.key:
            if knock.scheme != "bearer":
                raise SignInError("api.no-token")
            return
        nonce = self.proofs.nonce(asking.now)
        if knock.scheme != "dpop" or len(knock.proofs) != 1:
            raise PossessionError("oauth.proof-needed", nonce=nonce)
        proof = dpop.verified(knock.proofs[0], knock.method, knock.address, asking.now, knock.token)
        if proof.key != program.key:
            raise dpop.refused()
        self.proofs.take(proof, asking.now)


@lru_cache(maxsize=1024)
def _scope(text: str, record: bytes, client: str) -> Scope:
    """Read a scope; the same few come at each request."""
    return replace(scope_of(text, RecordToken(record) if record else None), program=client)
