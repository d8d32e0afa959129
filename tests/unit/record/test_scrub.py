"""A scrub on a real installation: what it counts, what it leaves behind, and how it yields to care."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from serment.keys.custody.contract import Custody, State
from serment.ledger.entry import Kind
from serment.ledger.verify import Report
from serment.record.passage import Keyring
from serment.record.scrub import Scrub
from tests.attacks.sql import Thief
from tests.installation import Installation, small_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("scrub")
    with small_installation(folder, patients=30) as one:
        yield one


class BusyCustody:
    """The installation's own custody, whose budget care has spent for the first few looks."""

    def __init__(self, custody: Custody, busy: int) -> None:
        self._custody = custody
        self._busy = busy

    def __getattr__(self, name: str) -> object:
        return getattr(self._custody, name)

    def state(self) -> State:
        self._busy -= 1
        state = self._custody.state()
        return replace(state, spent=state.soft) if self._busy >= 0 else state


def test_a_scrub_waits_while_care_spends_the_budget(made: Installation) -> None:
    waited: list[float] = []
    custody: Custody = BusyCustody(made.house.custody, 3)  # type: ignore[assignment]  # the rest is passed on
    passage = replace(made.house.passage, keyring=Keyring(custody))
    report = Report()
    with passage.store.snapshot() as snapshot:
        Scrub(passage, custody, waited.append).run(snapshot, report)
    assert waited == [1.0] * 3
    assert report.ok
    assert report.rows > 30 * 5 * 2


def test_a_verification_leaves_its_probe_and_no_plaintext_behind(made: Installation) -> None:
    before = made.house.proving.examine()
    report = made.house.proving.verify()
    assert report.ok
    assert report.rows == before.rows
    thief = Thief(made)
    kinds = [kind for (kind,) in thief.rows("SELECT kind FROM entry WHERE sequence > ?", before.size)]
    thief.close()
    assert kinds == [Kind.SYSTEM]
