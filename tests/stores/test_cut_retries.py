"""A creation whose line to PostgreSQL fails anywhere, with nobody left to ask: the retry doubles nothing.

The server is gone when the fault strikes and stays away, so that the client reads an error that may mean
either; then it comes back, and the same request comes again with the same key.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from serment.errors import DependencyError
from serment.record import incoming
from serment.record.asking import Asking, Retry
from serment.record.incoming import Incoming
from serment.record.write import Written
from serment.record.writing import Writing
from serment.store.pg_failure import UNKNOWN
from serment.store.postgres import PostgresStore
from tests.doors.samples import weight
from tests.fakes.cutting import CuttingLine, Fault
from tests.installation import Installation, installation, run
from tests.stores.server import server
from tests.stores.test_cuts import PATIENCE, SOCKET


@dataclass
class Clinic:
    """An installation, and a passage for writes whose store is behind a line."""

    made: Installation
    proxy: CuttingLine
    behind: Writing
    asked: int = 0

    def rows(self) -> int:
        database = str(conninfo_to_dict(self.made.settings.store)["dbname"])
        ((count,),) = server().run("SELECT count(*) FROM serment.body", database)
        assert isinstance(count, int)
        return count

    def create(self, fault: Fault, *, from_server: bool, place: int) -> tuple[bool, str]:
        """Create an item while the line fails, then retry; whether it failed, and what was told first."""
        self.asked += 1
        retry = Retry(b"token %d" % self.asked, b"digest")
        asking = replace(self.made.as_staff("team-doctor"), retry=retry)
        sent = incoming.read(json.dumps(weight(self.made.record(), self.asked)).encode(), "Observation", "")
        self.proxy.arm(fault, from_server=from_server, after=place, stay=True)
        first, told = None, ""
        try:
            first = run(self.behind.create(asking, sent))
        except DependencyError as error:
            told = error.sentence
        struck = not self.proxy.disarm()
        self.proxy.back()
        assert first in {None, self._heard(asking, sent)}
        return struck, told

    def _heard(self, asking: Asking, sent: Incoming) -> Written:
        """Send the request until it is answered, as a client does: a busy machine is slow by itself."""
        for _ in range(20):
            with suppress(DependencyError):
                return run(self.behind.create(asking, sent))
        raise AssertionError("never answered")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with ExitStack() as ending:
        made = ending.enter_context(installation(tmp_path_factory.mktemp("cut"), store="postgresql"))
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="pg-")))
        proxy = ending.enter_context(CuttingLine(folder, server().folder / SOCKET))
        url = made.settings.store.replace(str(server().folder), str(folder))
        behind = PostgresStore(url, patience=PATIENCE)
        ending.callback(behind.close)
        yield Clinic(made, proxy, Writing(replace(made.house.passage, store=behind)))


def fail_every(clinic: Clinic, step: int, fault: Fault, *, from_server: bool) -> set[str]:
    """Create one item for each place of the fault, until one is over before it strikes."""
    before, asked, told = clinic.rows(), clinic.asked, set()
    for place in range(1, 1_000_000, step):
        struck, sentence = clinic.create(fault, from_server=from_server, place=place)
        told.add(sentence)
        if not struck:
            assert place > 500
            break
    assert clinic.rows() - before == clinic.asked - asked
    return told


@pytest.mark.parametrize("from_server", [False, True])
def test_a_creation_cut_anywhere_and_sent_again_with_its_key_stands_once(
    clinic: Clinic, from_server: bool
) -> None:
    told = fail_every(clinic, 67, Fault.CUT, from_server=from_server)
    assert len(told - {""}) >= 1


def test_a_creation_on_a_line_that_falls_silent_and_sent_again_stands_once(clinic: Clinic) -> None:
    fail_every(clinic, 997, Fault.SILENCE, from_server=True)


@pytest.mark.campaign
@pytest.mark.parametrize("from_server", [False, True])
def test_a_creation_cut_at_each_byte_and_sent_again_with_its_key_stands_once(
    clinic: Clinic, from_server: bool
) -> None:
    told = fail_every(clinic, 1, Fault.CUT, from_server=from_server)
    if from_server:
        assert UNKNOWN in told
