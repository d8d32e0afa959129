"""A locum never gets more than a locum with an act of care of their own: tried case by case."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from serment.access.record_facts import BLOCKED, OPPOSED, RecordFacts
from serment.model import Act, ActorId, Category, ItemClass
from tests.rules.cast import DOCTOR, LOCUM, OWN, SHARED, asked, attended_by, chosen, opens, seen

REPLACING = replace(LOCUM, replaces=DOCTOR.id)
LABELS = (("N",), ("V",), ("N", "HIV"), ("N", "MASQUE_PS"), ())
UNITS = [
    ItemClass(category, category, labels, author, masked)
    for category, labels, author, masked in product(Category, LABELS, (ActorId(""), DOCTOR.id), (False, True))
]
WORDS = ((), (chosen(OPPOSED),), (chosen(BLOCKED, DOCTOR),), (chosen(BLOCKED, LOCUM),))


@pytest.mark.parametrize("base", [OWN, SHARED], ids=["own", "shared"])
@pytest.mark.parametrize("act", [Act.LIST, Act.READ, Act.PRINT, Act.WRITE])
def test_a_locum_gets_at_most_what_an_act_of_their_own_would_give(base: RecordFacts, act: Act) -> None:
    followed = base.with_team(seen(DOCTOR)).with_attending(attended_by(DOCTOR))
    themselves = followed.with_team(seen(LOCUM))
    tried = 0
    for unit, words in product(UNITS, WORDS):
        mine, own = followed, themselves
        for word in words:
            mine, own = mine.with_choice(word), own.with_choice(word)
        if opens(asked(REPLACING, mine, unit, act, existing=False)):
            assert opens(asked(LOCUM, own, unit, act, existing=False)), (unit, words)
            tried += 1
    assert tried > 20


def test_a_locum_reads_nothing_masked_whatever_the_doctor_replaced_may_read() -> None:
    attended = OWN.with_team(seen(DOCTOR)).with_attending(attended_by(DOCTOR))
    masked = [unit for unit in UNITS if unit.masked and unit.category is not Category.DIRECTORY]
    assert any(opens(asked(DOCTOR, attended, unit)) for unit in masked)
    assert not any(opens(asked(REPLACING, attended, unit)) for unit in masked)
