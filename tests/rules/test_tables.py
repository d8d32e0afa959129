"""Every row of the rule tables: the facts, and the rule that speaks."""

from __future__ import annotations

import pytest

from serment.access.decide import decide
from serment.access.grounds import GROUNDS
from serment.access.vetoes import VETOES
from serment.model import Permit
from tests.rules import tables
from tests.rules.tables import Row

ROWS = [pytest.param(row, id=f"{table.title}: {row.says}") for table in tables.ALL for row in table.rows]


@pytest.mark.parametrize("row", ROWS)
def test_the_rule_of_the_table_speaks(row: Row) -> None:
    answer = decide(row.facts)
    assert (answer.rule, isinstance(answer, Permit)) == (row.rule, row.permits)


def test_every_rule_has_a_row() -> None:
    known = {veto.rule for veto in VETOES} | {rule for rule, _ in GROUNDS}
    shown = {row.rule for table in tables.ALL for row in table.rows}
    assert known | {"D0.regime", "D0.purpose", "D0.silence"} == shown
