"""One connection to PostgreSQL: statements in, rows out, several in one round trip, never without an end.

It speaks through `psycopg.pq`, the thin layer of psycopg 3 over libpq, in pipeline mode with binary
values: a view of six statements costs two round trips and a sixth of the processor time that cursors
take (ADR 35). `later` keeps a statement that nobody waits for; `ask` sends what was kept and one more,
and gives the rows of the last; `flush` sends what was kept; `post` sends and leaves the answer unread
until the next time. Each exchange has an end: a server that stays silent is a lost connection.

A wire that was lost stays so: it is closed and never used again. One thread at a time uses a wire.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from struct import Struct
from time import monotonic
from typing import Any, Final

from psycopg import OperationalError, pq
from psycopg.conninfo import make_conninfo

from serment.errors import DependencyError, SermentError
from serment.store.pg_failure import lost, meaning
from serment.store.pg_statements import BYTES, NUMBER, REPLAN, TEXT, Statement

Value = bytes | int | str
Row = tuple[Any, ...]
Check = Callable[[int], SermentError | None]
"""Looks at how many rows a kept statement touched, and gives what is wrong with that."""

CONNECT_SECONDS: Final = 5.0
"""How long one host may take to let us in."""
PLANS_LAST: Final = 60.0
"""Seconds after which a connection plans its statements anew."""
_MOST_KEPT: Final = 1_000_000
_PIECE: Final = 65_536
_BINARY = pq.Format.BINARY
_NUMBER = Struct(">q")
_SMALL = Struct(">i")
_FIELDS = Struct(">h")
_COPY_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_INT4, _BOOL = 23, 16
_FAILED = {pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE}


def _number(value: bytes) -> int:
    number: int = _NUMBER.unpack(value)[0]
    return number


_READ: Final[dict[int, Callable[[bytes], Any]]] = {
    BYTES: bytes,
    NUMBER: _number,
    TEXT: bytes.decode,
    _INT4: lambda value: _SMALL.unpack(value)[0],
    _BOOL: lambda value: value == b"\x01",
}


class _Kept:
    """A statement that waits to be sent, then for its answer; `prepares` says that it has two."""

    __slots__ = ("check", "prepares", "statement", "values")

    def __init__(self, statement: Statement, values: tuple[Value, ...], check: Check | None = None) -> None:
        self.statement, self.values, self.check = statement, values, check
        self.prepares = False


class Wire:
    """A connection made with `target`, a connection string of libpq; `settings` are of the session.

    `seconds` is how long one exchange may take; `sent` counts exchanges. Raises `DependencyError` (no
    server, a refused role), what `meaning` says.
    """

    def __init__(self, target: str, settings: Mapping[str, str], seconds: float) -> None:
        self._seconds = seconds
        self._kept: list[_Kept] = []
        self._weight = 0
        self._unread: list[_Kept] = []
        self._until = 0.0
        self._planned = monotonic()
        self.sent = 0
        self._prepared: set[bytes] = set()
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._pg = _connected(make_conninfo(target, options=options))
        self._pg.nonblocking = 1
        self._poll = select.poll()
        self._poll.register(self._pg.socket, select.POLLIN)
        self._pg.enter_pipeline_mode()

    @property
    def closed(self) -> bool:
        """Whether the connection is lost or was closed."""
        return self._pg.status != pq.ConnStatus.OK

    @property
    def in_order(self) -> bool:
        """Whether a transaction is open in which no statement failed."""
        return self._pg.transaction_status == pq.TransactionStatus.INTRANS

    @property
    def server(self) -> int:
        """Number of the server's process behind this connection."""
        return self._pg.backend_pid

    @property
    def kept(self) -> int:
        """How many statements wait to be sent."""
        return len(self._kept)

    @property
    def socket(self) -> int:
        """Descriptor of the connection, to be polled."""
        return self._pg.socket

    def heard(self) -> list[str]:
        """Give what was said on the channels that this connection listens to. Raises `DependencyError`."""
        try:
            self._pg.consume_input()
        except OperationalError:
            raise self._gone() from None
        if self.closed:
            raise lost()
        return [notice.extra.decode() for notice in iter(self._pg.notifies, None)]

    def close(self) -> None:
        """End the connection; what was not committed is undone by the server."""
        self._kept.clear()
        with suppress(OperationalError):
            self._pg.finish()

    def idle(self) -> bool:
        """Say whether a wire that rested is still good: a server that went away has said so by now."""
        try:
            self._drain()
            return not self.closed and not self._poll.poll(0)
        except SermentError:
            return False

    def run_script(self, script: str) -> None:
        """Run statements written in one text, in one transaction of their own. For the schema only."""
        self._drain()
        self._pg.exit_pipeline_mode()
        self._pg.nonblocking = 0
        result = self._pg.exec_(script.encode())
        code = _code(result)
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        if result.status in _FAILED:
            raise self._gone() if self.closed else meaning(code)

    def later(self, statement: Statement, *values: Value, check: Check | None = None) -> None:
        """Keep a statement for the next exchange; its error is raised there."""
        self._kept.append(_Kept(statement, values, check))
        self._weight += sum(len(value) for value in values if not isinstance(value, int))
        if self._weight > _MOST_KEPT or len(self._kept) >= 256:
            self.flush()

    def begin(self, statement: Statement) -> None:
        """Keep the statement that begins a transaction.

        Plans are made once for each connection, on tables as large as they are then: now and again they are
        made anew, or those of the first day would serve for ever. Inside the transaction: before it, in the
        same exchange, the statement would begin one of its own, and ours be refused (25001).
        """
        self.later(statement)
        if monotonic() - self._planned > PLANS_LAST:
            self._planned = monotonic()
            self.later(REPLAN)

    def drop(self, mark: int = 0) -> None:
        """Forget the statements kept after the first `mark`."""
        del self._kept[mark:]

    def ask(self, statement: Statement, *values: Value) -> list[Row]:
        """Send what was kept and this, and give its rows. Raises the first error of them."""
        self._kept.append(_Kept(statement, values))
        return self.flush()[-1]

    def ask_all(self, asked: Sequence[tuple[Statement, tuple[Value, ...]]]) -> list[list[Row]]:
        """Send what was kept and these in one round trip, and give the rows of each of these."""
        self._kept += [_Kept(statement, values) for statement, values in asked]
        return self.flush()[-len(asked) :]

    def flush(self) -> list[list[Row]]:
        """Send what was kept, and give the rows of each. Raises the first error of them."""
        if not self._kept:
            return []
        self._drain()
        found: list[list[Row]] = []
        wrong: SermentError | None = None
        for each in self._send():
            rows, touched, error = self._answer(each)
            found.append(rows)
            if error is None and each.check is not None and wrong is None:
                error = each.check(touched)
            wrong = wrong or error
        self._end_of_exchange()
        if wrong is not None:
            raise wrong
        return found

    def copy(self, statement: bytes, stream: bytes) -> None:
        """Send what was kept, then a stream of rows (COPY … FROM STDIN): the pipeline takes none, and pauses.

        Raises what `meaning` says, `DependencyError`.
        """
        self.flush()
        self._drain()
        self.sent += 1
        self._until = monotonic() + self._seconds
        try:
            self._pg.exit_pipeline_mode()
            result = self._copied(statement, stream)
            self._pg.enter_pipeline_mode()
        except OperationalError:
            raise self._gone() from None
        if result is None or result.status in _FAILED:
            raise self._gone() if result is None or self.closed else meaning(_code(result))

    def _copied(self, statement: bytes, stream: bytes) -> pq.abc.PGresult | None:
        """Give the last word of the server on a stream."""
        self._pg.send_query(statement)
        self._push()
        result = self._result()
        if result is not None and result.status == pq.ExecStatus.COPY_IN:
            for start in range(0, len(stream), _PIECE):
                while not self._pg.put_copy_data(stream[start : start + _PIECE]):
                    self._push()
            while not self._pg.put_copy_end():
                self._push()
            self._push()
            result = self._result()
        while self._result() is not None:
            continue
        return result

    def post(self, statement: Statement) -> None:
        """Send what was kept and this without waiting; what it answers is read before the next exchange."""
        self._drain()
        self._kept.append(_Kept(statement, ()))
        self._unread = self._send()

    def _send(self) -> list[_Kept]:
        """Put everything kept on the wire, and give it back in the order of the answers."""
        sent, self._kept, self._weight = self._kept, [], 0
        self.sent += 1
        try:
            for each in sent:
                self._put(each)
            self._pg.pipeline_sync()
        except OperationalError:
            raise self._gone() from None
        self._until = monotonic() + self._seconds
        self._push()
        return sent

    def _put(self, kept: _Kept) -> None:
        statement = kept.statement
        kept.prepares = statement.name not in self._prepared
        if kept.prepares:
            self._pg.send_prepare(statement.name, statement.text, statement.types)
            self._prepared.add(statement.name)
        values = [_written(value) for value in kept.values]
        self._pg.send_query_prepared(statement.name, values, [_BINARY] * len(values), _BINARY)

    def _push(self) -> None:
        """Write until all is sent, reading meanwhile, so that neither side waits for the other."""
        try:
            while self._pg.flush():
                self._wait(writing=True)
                self._pg.consume_input()
        except OperationalError:
            raise self._gone() from None

    def _answer(self, kept: _Kept) -> tuple[list[Row], int, SermentError | None]:
        """Read what one statement answers: its rows, how many it touched, or what is wrong."""
        if kept.prepares and (error := self._wrong(self._next())) is not None:
            self._prepared.discard(kept.statement.name)
            self._next()
            return [], 0, error
        result = self._next()
        error = self._wrong(result)
        return (_rows(result), result.command_tuples or 0, None) if error is None else ([], 0, error)

    def _next(self) -> pq.abc.PGresult:
        """Read one answer and the mark that ends it."""
        result = self._result()
        if result is None:
            raise self._gone()
        while self._result() is not None:
            pass
        return result

    def _wrong(self, result: pq.abc.PGresult) -> SermentError | None:
        if result.status in _FAILED:
            if self.closed:
                raise self._gone()
            return meaning(_code(result))
        if result.status == pq.ExecStatus.PIPELINE_ABORTED:
            # The server skipped it: an error stands before it.
            return DependencyError("store.failed", code="SKIPPED")
        return None

    def _end_of_exchange(self) -> None:
        result = self._result()
        if result is None or result.status != pq.ExecStatus.PIPELINE_SYNC:
            raise self._gone()

    def _drain(self) -> None:
        """Read what an earlier `post` left. After an error there the wire goes: it only read."""
        if self.closed:
            raise lost()
        unread, self._unread = self._unread, []
        if unread:
            self._until = monotonic() + self._seconds
            wrong = [self._answer(each)[2] for each in unread]
            self._end_of_exchange()
            if any(wrong):
                raise self._gone()

    def _result(self) -> pq.abc.PGresult | None:
        try:
            while self._pg.is_busy():
                self._wait()
                self._pg.consume_input()
            return self._pg.get_result()
        except OperationalError:
            raise self._gone() from None

    def _wait(self, *, writing: bool = False) -> None:
        left = self._until - monotonic()
        if writing:
            self._poll.modify(self._pg.socket, select.POLLIN | select.POLLOUT)
        try:
            if left <= 0 or not self._poll.poll(left * 1_000):
                raise self._gone("SILENT")
        finally:
            if writing and not self.closed:
                self._poll.modify(self._pg.socket, select.POLLIN)

    def _gone(self, code: str = "GONE") -> DependencyError:
        self.close()
        return lost(code)


def _connected(target: str) -> pq.abc.PGconn:
    """Connect step by step: the blocking call of libpq would keep every thread of the process waiting."""
    connection = pq.PGconn.connect_start(target.encode())
    until = monotonic() + CONNECT_SECONDS
    while connection.status != pq.ConnStatus.BAD:
        wanted = connection.connect_poll()
        if wanted == pq.PollingStatus.OK:
            return connection
        if wanted == pq.PollingStatus.FAILED:
            break
        poll, left = select.poll(), until - monotonic()
        poll.register(
            connection.socket, select.POLLIN if wanted == pq.PollingStatus.READING else select.POLLOUT
        )
        if left <= 0 or not poll.poll(left * 1_000):
            break
    connection.finish()
    raise DependencyError("store.pg-away")


def _written(value: Value) -> bytes:
    if isinstance(value, int):
        return _NUMBER.pack(value)
    return value.encode() if isinstance(value, str) else value


def copy_stream(rows: Sequence[tuple[Value, ...]]) -> bytes:
    """Write rows in the binary format of COPY (PostgreSQL manual, COPY, Binary Format)."""
    parts = [_COPY_START]
    for row in rows:
        parts.append(_FIELDS.pack(len(row)))
        for value in map(_written, row):
            parts += (_SMALL.pack(len(value)), value)
    return b"".join([*parts, _FIELDS.pack(-1)])


def _rows(result: pq.abc.PGresult) -> list[Row]:
    """Read every row by the types of its columns."""
    if not result.ntuples:
        return []
    columns = [(place, _READ.get(result.ftype(place), bytes)) for place in range(result.nfields)]
    rows: list[Row] = []
    for line in range(result.ntuples):
        cells = [(read, result.get_value(line, place)) for place, read in columns]
        rows.append(tuple(None if cell is None else read(cell) for read, cell in cells))
    return rows


def _code(result: pq.abc.PGresult) -> str:
    return (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
