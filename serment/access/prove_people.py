"""Those near the patient, tried: every mandate, consent and ground against every class of items.

`prove` walks abstract cases; here the facts of a record are made and read as a request reads them, so that
what `patient_side` answers is proved with the rule. In this order: the classes, the records, the theorems,
`prove_people`. Nobody stands behind the names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from msgspec import structs

from serment.access import record_facts as rf
from serment.access.decide import decide
from serment.access.facts import NO_RECORD, NO_REQUEST, Facts
from serment.access.policy import Policy
from serment.access.prove import CounterExample, Decision, ProofReport
from serment.access.record_facts import Choice, Mandate, RecordFacts
from serment.access.relations import Standing
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    HeirGround,
    Instant,
    ItemClass,
    Label,
    Permit,
    Purpose,
    Reason,
    Regime,
)

NOW: Final = Instant(1_795_000_000_000)  # 18 November 2026
DAY: Final = 24 * 3600 * 1000
HOLDER: Final = "patient:one"
PROXY: Final = Actor(ActorId("proxy:one"), ActorKind.PROXY)
YOUNG, OLD = "2012-05-01", "1950-05-01"

LABELS: Final = ("N", Label.MINOR_SECRET, Label.VIOLENCE, Label.PSYCHIATRY, Label.THIRD_PARTY)
CATEGORIES: Final = tuple(one for one in Category if one is not Category.DIRECTORY)
UNITS: Final = tuple(
    ItemClass(category, category, ("N",) if label == "N" else ("N", label), masked=masked)
    for category, label, masked in product(CATEGORIES, LABELS, (False, True))
)
"""Every category, plain, masked and under each label that a veto or a cell reads."""

PRESENT: Final = RecordFacts(structure="practice", holders=(HOLDER,), birth_date=OLD)


@dataclass(frozen=True, slots=True)
class Tried:
    """One proxy before one record: what makes them one, and the ground that they name."""

    facts: RecordFacts
    reasons: frozenset[Reason] = frozenset()
    granted: frozenset[str] = frozenset()

    @property
    def dead(self) -> bool:
        """Tell whether the person has died."""
        return self.facts.deceased is not None


def _mandate(kind: str, basis: str = rf.PARENTAL, *categories: str) -> Mandate:
    return Mandate(PROXY.id, kind, NOW - DAY, None, tuple(categories), basis)


def _named(category: str) -> Choice:
    """Make the holder's word that somebody near them may read a category until tomorrow."""
    return Choice(category, rf.CONSENT, PROXY.id, category, "", NOW - DAY, NOW + DAY, HOLDER)


def _carers() -> Iterator[Tried]:
    for regime, category, death in product(Regime, CATEGORIES, (None, NOW - DAY)):
        facts = structs.replace(PRESENT, regime=regime.value, deceased=death).with_choice(_named(category))
        yield Tried(facts, granted=frozenset({category}))


def _representatives() -> Iterator[Tried]:
    bases = (*sorted(rf.BASES), "property", "safeguard", "unknown")
    for regime, basis, born, death in product(Regime, bases, (YOUNG, OLD), (None, NOW - DAY)):
        base = structs.replace(PRESENT, regime=regime.value, birth_date=born, deceased=death)
        named = base.with_mandate(_mandate(rf.REPRESENTATIVE, basis))
        yield Tried(named)
        yield Tried(named.with_choice(_lasting(_named(""))))


def _lasting(choice: Choice) -> Choice:
    """Let a consent last: that to whoever assists an adult names neither category nor end."""
    return structs.replace(choice, end=None)


def _heirs() -> Iterator[Tried]:
    named: list[frozenset[Reason]] = [
        frozenset(),
        *(frozenset({one}) for one in HeirGround),
        frozenset(HeirGround),
    ]
    objected = Choice("heirs", rf.HEIRS_OPPOSED, start=NOW - DAY, recorded_by=HOLDER)
    for regime, reasons, death, word in product(Regime, named, (None, NOW - DAY), (False, True)):
        facts = structs.replace(PRESENT, regime=regime.value, deceased=death).with_mandate(_mandate(rf.HEIR))
        yield Tried(facts.with_choice(objected) if word else facts, reasons)


Theorem = Callable[[Tried, Facts], bool]


def _reads(facts: Facts) -> bool:
    return facts.act in {Act.LIST, Act.READ, Act.PRINT}


def _within(tried: Tried, facts: Facts) -> bool:
    """Tell whether a carer has no more than the holder gave: the category, unmasked, while they live."""
    unit = facts.unit
    return not tried.granted or (
        _reads(facts) and unit.category in tried.granted and not unit.masked and not tried.dead
    )


def _inherited(tried: Tried, facts: Facts) -> bool:
    """Tell whether an heir stands on one ground, after death, against no objection."""
    heir = any(one.kind == rf.HEIR for one in tried.facts.mandates)
    objected = any(one.kind == rf.HEIRS_OPPOSED for one in tried.facts.choices)
    return not heir or (_reads(facts) and tried.dead and len(tried.reasons) == 1 and not objected)


def _represented(tried: Tried, facts: Facts) -> bool:
    """Tell whether a representative stands on a basis that holds: age, death and the adult's own word."""
    held = [one.basis for one in tried.facts.mandates if one.kind == rf.REPRESENTATIVE]
    if not held:
        return True
    young, said = tried.facts.birth_date == YOUNG, bool(tried.facts.choices)
    if tried.dead:
        return held == [rf.PARENTAL] and young and _reads(facts)
    assisting = held == [rf.ASSISTANCE] and said and _reads(facts)
    return held == [rf.REPRESENTATION] or (held == [rf.PARENTAL] and young) or assisting


PEOPLE: Final[dict[str, Theorem]] = {
    "theorem.proxy-secret": lambda _, f: Label.MINOR_SECRET not in f.unit.labels,
    "theorem.proxy-abuse": lambda _, f: Label.VIOLENCE not in f.unit.labels,
    "theorem.carer": _within,
    "theorem.heir": _inherited,
    "theorem.representative": _represented,
}
"""What must be true of all that somebody near the patient is permitted, by the sentence that says it."""


def _asked(tried: Tried, policy: Policy) -> Iterable[Facts]:
    purpose = Purpose.FAMILY_REQUEST
    standing = Standing(PROXY, purpose, tried.reasons, NO_RECORD, tried.facts, NOW, NO_REQUEST, policy)
    for unit, act in product(UNITS, (Act.READ, Act.WRITE)):
        yield standing.facts(unit, act, existing=False if act is Act.WRITE else None)


def prove_people(policy: Policy, rule: Decision = decide) -> ProofReport:
    """Try every proxy against every class; the report keeps one counter-example for each broken theorem."""
    count, broken = 0, dict[str, CounterExample]()
    for tried in (*_carers(), *_representatives(), *_heirs()):
        for facts in _asked(tried, policy):
            count += 1
            answer = rule(facts)
            if isinstance(answer, Permit):
                _check(tried, facts, answer, broken)
    return ProofReport(count, tuple(PEOPLE), tuple(broken.values()))


def _check(tried: Tried, facts: Facts, answer: Permit, broken: dict[str, CounterExample]) -> None:
    for name, holds in PEOPLE.items():
        if name not in broken and not holds(tried, facts):
            case = f"{facts.act} {facts.unit.category} {' '.join(facts.unit.labels)} dead={tried.dead}"
            broken[name] = CounterExample(name, case, answer.rule)
