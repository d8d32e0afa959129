"""The keys of the installation: tokens that reach across records, and sealed rows of no record.

    locator    "Type/id" → 16 bytes: where a resource stands
    person     compound traits → 4 bytes: candidates, never an answer (the traits decide)
    imported   source, type and old id → 16 bytes: the id that an imported resource keeps
    session · page · spool · retry   sealed rows that belong to no patient

No patient's content is sealed here: an installation key cannot be destroyed for one patient.
"""

from __future__ import annotations

from typing import NoReturn

from serment.keys.derive import TokenKey, derive
from serment.keys.envelope import NO_RECORD, Coordinates, RowKind, SubKey, seal, unseal
from serment.keys.material import Secrets

PERSON_TOKEN_SIZE = 4
"""Short on purpose: two people may share a token, so that a token in the file proves nobody's presence."""


class Installation:
    """Everything that the installation's secrets can do."""

    __slots__ = ("_imported", "_locator", "_person", "_retry", "_rows", "_session", "store")

    def __init__(self, secrets: Secrets) -> None:
        self.store = secrets.store
        self._locator = TokenKey(derive(secrets.locator, "locator", self.store))
        self._person = TokenKey(derive(secrets.person, "person", self.store))
        self._imported = TokenKey(derive(secrets.imported, "import", self.store))
        self._session = TokenKey(derive(secrets.session, "session/token", self.store))
        self._retry = TokenKey(derive(secrets.session, "retry/token", self.store))
        self._rows = {
            RowKind.SESSION: SubKey(derive(secrets.session, "session", self.store)),
            RowKind.RETRY: SubKey(derive(secrets.session, "retry", self.store)),
            RowKind.PAGE: SubKey(derive(secrets.page, "page", self.store)),
            RowKind.SPOOL: SubKey(derive(secrets.spool, "spool", self.store)),
        }

    def __repr__(self) -> str:
        return "Installation(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse: keys are never pickled or copied."""
        raise TypeError("keys are not pickled")

    def locator(self, reference: str) -> bytes:
        """Give the locator token of "Type/id" (16 bytes)."""
        return self._locator.token(reference)

    def person(self, trait: str, *values: str) -> bytes:
        """Give the token of compound, already normalised traits, such as ("birth-name", date, phonetic)."""
        return self._person.token(trait, *values, size=PERSON_TOKEN_SIZE)

    def imported_id(self, source: str, type_: str, old: str) -> str:
        """Give the id that an imported resource keeps: 32 hexadecimal digits, equal at each import."""
        return self._imported.token(source, type_, old).hex()

    def session_token(self, secret: str) -> bytes:
        """Give the token under which a session or bearer secret is stored (16 bytes)."""
        return self._session.token(secret)

    def seal_session(self, token: bytes, plain: bytes) -> bytes:
        """Seal a session, bound to its token."""
        return self._seal(RowKind.SESSION, token.hex(), plain)

    def open_session(self, token: bytes, sealed: bytes) -> bytes:
        """Open a session. Raises `IntegrityError`."""
        return self._open(RowKind.SESSION, token.hex(), sealed)

    def retry_token(self, actor: str, key: str) -> bytes:
        """Give the token under which what an actor wrote with an idempotency key is kept (16 bytes)."""
        return self._retry.token(actor, key)

    def seal_retry(self, token: bytes, plain: bytes) -> bytes:
        """Seal what a request wrote, bound to its token."""
        return self._seal(RowKind.RETRY, token.hex(), plain)

    def open_retry(self, token: bytes, sealed: bytes) -> bytes:
        """Open what a request wrote. Raises `IntegrityError`."""
        return self._open(RowKind.RETRY, token.hex(), sealed)

    def seal_page(self, bound_to: str, plain: bytes) -> bytes:
        """Seal a page token, bound to what it may serve (caller and epoch, as one string)."""
        return self._seal(RowKind.PAGE, bound_to, plain)

    def open_page(self, bound_to: str, sealed: bytes) -> bytes:
        """Open a page token. Raises `IntegrityError`: altered, or bound to something else."""
        return self._open(RowKind.PAGE, bound_to, sealed)

    def seal_spooled(self, place: int, plain: bytes) -> bytes:
        """Seal one ledger entry for the spool, bound to its place."""
        return self._seal(RowKind.SPOOL, str(place), plain)

    def open_spooled(self, place: int, sealed: bytes) -> bytes:
        """Open one spooled entry. Raises `IntegrityError`."""
        return self._open(RowKind.SPOOL, str(place), sealed)

    def _at(self, kind: RowKind, name: str) -> Coordinates:
        return Coordinates(self.store, NO_RECORD, kind, id=name)

    def _seal(self, kind: RowKind, name: str, plain: bytes) -> bytes:
        return seal(self._rows[kind], self._at(kind, name), plain)

    def _open(self, kind: RowKind, name: str, sealed: bytes) -> bytes:
        return unseal(self._rows[kind], self._at(kind, name), sealed)
