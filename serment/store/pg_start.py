"""How a database of PostgreSQL is reached, and what is checked before one row of it is believed.

`target` (the address) → `Sessions` (connections) → `check_server`, `check_schema` at each start. `prepare`
makes or upgrades the schema as the role that owns it, and grants the role that Serment runs as what it
needs. A password never stands in an address: libpq finds it in a password file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from serment.errors import DependencyError, IntegrityError, SermentError, SettingsError
from serment.store import pg_statements as sql
from serment.store.migration import Step, read_steps
from serment.store.pg_wire import Wire
from serment.store.sqlite import STORE_ID

OLDEST: Final = 150_000
"""The oldest server that is taken, as `server_version_num` says it."""

READ_SECONDS: Final = 10.0
SCAN_SECONDS: Final = 3_600.0
"""How long one exchange may take before its connection counts as lost."""

WRITERS_PATIENCE: Final = 3
"""A writer waits so many times longer than a reader: it may stand behind the writer of another process."""

_CHECKED_TLS = {"verify-full", "verify-ca"}
_HERE = ("/", "@", "localhost", "127.", "::1")

# Plans are made once, not for each value: every statement has its index, whatever the statistics say.
SESSION: Final[Mapping[str, str]] = {
    "search_path": "serment",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "jit": "off",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}

_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    number bigint NOT NULL PRIMARY KEY,
    name   text   NOT NULL,
    sha256 bytea  NOT NULL
);
"""


def target(url: str, *, standby: bool = False) -> str:
    """Give the connection string for the address `url` (`postgresql://…`), with what the house asks of it.

    Another machine is reached by TLS with its certificate checked. Raises `SettingsError`.
    """
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        raise SettingsError("store.pg-address") from None
    if "password" in given:
        raise SettingsError("store.pg-password")
    hosts = (given.get("host") or given.get("hostaddr") or "/").split(",")
    if not all(host.startswith(_HERE) or not host for host in hosts):
        given.setdefault("sslmode", "verify-full")
        if given["sslmode"] not in _CHECKED_TLS:
            raise SettingsError("store.pg-tls")
    given.setdefault("application_name", "serment")
    fixed: dict[str, str | int] = {
        # Epochs are read on the primary, wherever it is among the hosts given.
        "target_session_attrs": "standby" if standby else "read-write",
        "client_encoding": "UTF8",
        "gssencmode": "disable",
        "keepalives_idle": 30,
        "tcp_user_timeout": int(READ_SECONDS * 1_000),
    }
    return make_conninfo("", **{**given, **fixed})


def role_of(url: str) -> str:
    """Give the role that an address names. Raises `SettingsError` where it names none."""
    role = conninfo_to_dict(target(url)).get("user")
    if not role:
        raise SettingsError("store.pg-address")
    return str(role)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Makes connections to one database. `patience` is how long an exchange may take, in seconds."""

    target: str
    patience: float = READ_SECONDS

    def reader(self) -> Wire:
        """Connect for point reads."""
        return self._wire(self.patience)

    def writer(self) -> Wire:
        """Connect for the writer thread."""
        return self._wire(self.patience * WRITERS_PATIENCE)

    def scanner(self) -> Wire:
        """Connect for long reads."""
        return self._wire(SCAN_SECONDS)

    def owner(self) -> Wire:
        """Connect to change the schema."""
        return self._wire(SCAN_SECONDS)

    def _wire(self, seconds: float) -> Wire:
        # The server gives up a little before we do, and says so.
        limit = {"statement_timeout": f"{int(seconds * 900)}ms"}
        for host in self._hosts[:-1]:
            with suppress(DependencyError):
                return Wire(host, {**SESSION, **limit}, seconds)
        return Wire(self._hosts[-1], {**SESSION, **limit}, seconds)

    @property
    def _hosts(self) -> list[str]:
        """Give the connection string of each host: a silent one does not use up the time of the next."""
        given = conninfo_to_dict(self.target)
        hosts, ports = (str(given.get(name) or "").split(",") for name in ("host", "port"))
        ports = ports * len(hosts) if len(ports) == 1 else ports
        pairs = zip(hosts, ports, strict=False)
        return [make_conninfo(self.target, host=host, port=port) for host, port in pairs]


def check_server(wire: Wire) -> None:
    """Refuse a server that is too old or that would lose what it acknowledged. Raises `SettingsError`."""
    version = int(wire.ask(sql.ANSWERS, "server_version_num")[0][0])
    if version < OLDEST:
        raise SettingsError("store.pg-too-old", known=OLDEST // 10_000)
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if wire.ask(sql.ANSWERS, name)[0][0] == "off":
            raise SettingsError("store.pg-not-durable", name=name)


def stands(wire: Wire) -> bool:
    """Say whether Serment's schema is there."""
    return bool(wire.ask(sql.STANDS)[0][0])


def check_schema(wire: Wire) -> None:
    """Refuse a database that is not ours, or not at this version's step.

    Raises `SettingsError` (none here, a newer one, one to be upgraded), `IntegrityError` (changed).
    """
    if not stands(wire):
        raise SettingsError("store.missing")
    if missing(wire):
        raise SettingsError("store.pg-upgrade")
    for catch_up in sql.CATCH_UP:
        wire.ask(catch_up)


def missing(wire: Wire, known: Sequence[Step] | None = None) -> list[Step]:
    """Give the steps that have not run yet. Raises `SettingsError`, `IntegrityError` as `check_schema`."""
    steps = pg_steps() if known is None else known
    expected = {step.number: step.sha256 for step in steps}
    recorded: dict[int, bytes] = {row[0]: row[1] for row in wire.ask(sql.MIGRATED)}
    if recorded.keys() - expected.keys():
        raise SettingsError("store.newer", number=max(recorded), known=max(expected, default=0))
    if any(expected[number] != digest for number, digest in recorded.items()):
        raise IntegrityError("store.migration-changed")
    return [step for step in steps if step.number not in recorded]


def pg_steps() -> tuple[Step, ...]:
    """Read the steps of the schema that this version knows, in order."""
    return read_steps(files("serment.store.schema.postgres"))


def prepare(sessions: Sessions, role: str = "") -> None:
    """Make or upgrade the schema as its owner; grant `role`, when it is another one, what it needs.

    Raises `SettingsError` (no right to it, a newer schema), `IntegrityError`.
    """
    wire = sessions.owner()
    try:
        check_server(wire)
        if not stands(wire):
            wire.run_script("CREATE SCHEMA IF NOT EXISTS serment;" + _TABLE)
        for step in missing(wire):
            wire.run_script(_recording(step))
        if role:
            wire.run_script(f"SET serment.role = {_quoted(role)};" + _grants())
    except SermentError as error:
        raise SettingsError("store.pg-not-owner") if error.sentence == "store.pg-role" else error from None
    finally:
        wire.close()


def ready_for_a_store(sessions: Sessions) -> Wire:
    """Make the tables where there are none, and give a connection to a database that holds no store yet.

    Raises `SettingsError` (a store stands, no right to make tables, not durable), `DependencyError`.
    """
    with ExitStack() as refused:
        wire = sessions.scanner()
        refused.callback(wire.close)
        check_server(wire)
        if not stands(wire):
            prepare(sessions)
        check_schema(wire)
        if wire.ask(sql.META, STORE_ID):
            raise SettingsError("store.exists")
        refused.pop_all()
        return wire


def _recording(step: Step) -> str:
    """Give the script of a step that notes itself; two at once wait for each other, and the later fails."""
    note = f"INSERT INTO migration VALUES ({step.number}, {_quoted(step.name)}, '\\x{step.sha256.hex()}');"  # noqa: S608 - our own file
    return note + step.script


def _grants() -> str:
    return files("serment.store.schema.postgres").joinpath("grants.sql").read_text("utf-8")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
