"""Every abstract case, tried: the theorems of access and their counter-examples.

In this order: the cases (regime × what the actor is × what stands in the way × act and cell), the
theorems on one case, the theorem on two cases (adding a veto never grants), the theorems on the
tables ("nobody sees all", the unit is the document type in `shared` and the category in `own`), and
`prove`, which runs them and keeps the first counter-example of each.

What an actor is, in one case, is what `facts_for` can make of one signed-in role: somebody of the
patient's side, or somebody else with any set of relations. The proof takes the decision as
an argument, so that a test can hand it a broken one and see it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Final

from msgspec.structs import replace

from serment.access.decide import decide
from serment.access.facts import Facts
from serment.access.policy import Policy
from serment.access.tables import LOOKING, NOTHING
from serment.model import Act, Category, Denial, ItemClass, Label, Permit, Regime

Decision = Callable[[Facts], Permit | Denial]
Theorem = Callable[[Facts], bool]

STANDING: Final = (
    "third_party_purpose",
    "closed",
    "blocked",
    "timer_running",
    "minor_secret",
    "third_party",
    "withheld",
    "opposed",
    "masked",
)
"""What may stand in the way; bit i of a case's number says that the i-th does."""

CARING: Final = ("author", "attending", "emergency", "regulation", "team", "consent")
PATIENT_SIDE: Final = (
    frozenset({"holder"}),
    frozenset({"representative"}),
    frozenset({"carer", "consent"}),
    frozenset({"representative", "carer", "consent"}),
    frozenset({"heir"}),
    frozenset({"representative", "heir"}),
)


@dataclass(frozen=True, slots=True)
class CounterExample:
    """A case that breaks a theorem, a sentence. `case` names what is true in it; nobody stands behind it."""

    theorem: str
    case: str
    answer: str


@dataclass(frozen=True, slots=True)
class ProofReport:
    """How many cases were tried, which theorems, and what broke them (empty: proved)."""

    cases: int
    theorems: tuple[str, ...]
    counter_examples: tuple[CounterExample, ...]

    @property
    def proved(self) -> bool:
        """Tell whether no theorem was broken."""
        return not self.counter_examples

    def __str__(self) -> str:
        lines = [f"{self.cases} cases, {len(self.theorems)} theorems"]
        lines += [f"BROKEN {c.theorem}: {c.case} -> {c.answer}" for c in self.counter_examples]
        return "\n".join(lines)


def _relation_sets() -> Iterator[frozenset[str]]:
    """Walk what one signed-in role can be."""
    yield from PATIENT_SIDE
    for size in range(len(CARING) + 1):
        yield from (frozenset(chosen) for chosen in combinations(CARING, size))


def _frames() -> Iterator[dict[str, Any]]:
    """Walk what a case is beside its vetoes: regime, act and cell, place, relations."""
    read, write = {"act": Act.READ}, {"act": Act.WRITE}
    acts: tuple[dict[str, Any], ...] = (
        {**read, "cell": LOOKING},
        {**read, "cell": NOTHING},
        {**write, "cell": frozenset({Act.WRITE})},
        {**write, "cell": NOTHING},
        {**write, "cell": frozenset({Act.WRITE}), "creating": True},
        {**write, "cell": NOTHING, "creating": True},
    )
    for regime, act, patient_only, relations in product(Regime, acts, (False, True), _relation_sets()):
        # A choice of the patient has no author beside the patient (`facts_for`).
        if not (patient_only and "author" in relations):
            yield {"regime": regime, "patient_only": patient_only, **act, **dict.fromkeys(relations, True)}
    for act, care in product(acts[:2], (False, True)):
        yield {"in_directory": True, "care_purpose": care, **act}
    for regime, act in product(Regime, acts):
        yield {"regime": regime, "depositing": True, **act}
        yield {"regime": None, "holder": True, "team": True, **act}
        yield {"regime": regime, "purpose_misfit": True, "team": True, **act}


def _standing(number: int) -> dict[str, Any]:
    return {name: True for bit, name in enumerate(STANDING) if number >> bit & 1}


def _lifted(facts: Facts, *, emergency: bool) -> bool:
    four = facts.holder or facts.representative or facts.author or facts.attending
    return four or (emergency and facts.regime is Regime.OWN and (facts.emergency or facts.regulation))


def _blocked_rightly(facts: Facts) -> bool:
    open_door = (facts.emergency or facts.regulation) and not facts.masked
    return not facts.blocked or (facts.regime is Regime.OWN and (facts.author or open_door))


def _in_cell_or_lifted(facts: Facts) -> bool:
    if facts.act in facts.cell:
        return True
    if facts.act is Act.WRITE:
        return False
    return (
        facts.holder or facts.representative or (not facts.patient_only and _lifted(facts, emergency=False))
    )


def _grounded(facts: Facts) -> bool:
    personal = facts.holder or facts.representative or facts.attending or facts.team or facts.consent
    written = facts.author and not facts.creating
    directory = facts.in_directory and facts.care_purpose
    deposit = facts.depositing and facts.creating
    return personal or written or facts.emergency or facts.regulation or directory or deposit or facts.heir


THEOREMS: Final[dict[str, Theorem]] = {
    "theorem.insurer": lambda f: not f.third_party_purpose,
    "theorem.closed": lambda f: not (f.closed and f.regime is Regime.SHARED) or f.holder or f.heir,
    "theorem.blocked": _blocked_rightly,
    "theorem.announcement": lambda f: not (f.timer_running and f.patient_side),
    "theorem.minor-secret": lambda f: not (f.minor_secret and f.proxy),
    "theorem.abuse-report": lambda f: not f.withheld or f.author,
    "theorem.third-party": lambda f: not (f.third_party and f.patient_side),
    "theorem.opposed": lambda f: not f.opposed or _lifted(f, emergency=True),
    "theorem.masked": lambda f: not f.masked or _lifted(f, emergency=False),
    "theorem.cell": _in_cell_or_lifted,
    "theorem.ground": _grounded,
    "theorem.regime": lambda f: f.regime is not None or f.in_directory,
    "theorem.purpose": lambda f: not f.purpose_misfit,
    "theorem.scope": lambda f: not f.outside_scope,
}
"""What must be true of every case that is permitted, by the sentence that says it."""

MONOTONE: Final = "theorem.monotone"
SILENCE: Final = "theorem.silence"
NOBODY: Final = "theorem.nobody-sees-all"


def _describe(facts: Facts) -> str:
    said = [
        f"regime={facts.regime}",
        f"act={facts.act}",
        f"cell={'yes' if facts.act in facts.cell else 'no'}",
    ]
    said += [name for name in Facts.__struct_fields__ if getattr(facts, name) is True]
    return " ".join(said)


def _try_cases(rule: Decision) -> tuple[int, dict[str, CounterExample]]:
    """Decide every abstract case and check every theorem on those that are permitted."""
    tried, broken = 0, dict[str, CounterExample]()
    for frame in _frames():
        permitted = bytearray(1 << len(STANDING))
        for number, standing in enumerate(_ALL_STANDING):
            facts = Facts(**frame, **standing)
            answer = rule(facts)
            tried += 1
            if isinstance(answer, Permit):
                permitted[number] = 1
                _check(facts, answer, broken)
                _check_scope(facts, rule, broken)
        _check_monotone(frame, permitted, broken)
    return tried, broken


_ALL_STANDING: Final = tuple(_standing(number) for number in range(1 << len(STANDING)))


def _check(facts: Facts, answer: Permit, broken: dict[str, CounterExample]) -> None:
    for name, holds in THEOREMS.items():
        if name not in broken and not holds(facts):
            broken[name] = CounterExample(name, _describe(facts), answer.rule)


def _check_scope(facts: Facts, rule: Decision, broken: dict[str, CounterExample]) -> None:
    """Check that what is permitted to a person is refused to a program whose scope does not name it."""
    outside = replace(facts, outside_scope=True)
    answer = rule(outside)
    if isinstance(answer, Permit):
        _check(outside, answer, broken)


def _check_monotone(frame: dict[str, Any], permitted: bytearray, broken: dict[str, CounterExample]) -> None:
    """Check that no permitted case becomes refused when one thing less stands in the way."""
    for number, answer in enumerate(permitted):
        if not answer:
            continue
        for bit, name in enumerate(STANDING):
            if number >> bit & 1 and not permitted[number ^ (1 << bit)]:
                facts = Facts(**frame, **_standing(number))
                broken.setdefault(
                    MONOTONE, CounterExample(MONOTONE, _describe(facts), f"refused without {name}")
                )


# Nobody sees all: the tables.

OWN_UNITS: Final = tuple(
    ItemClass(category, category, (Label.NORMAL,))
    for category in Category
    if category not in {Category.CHOICES, Category.DIRECTORY}
)
OWN_EXEMPT: Final = frozenset({"holder", "representative", "regulation"})
SHARED_EXEMPT: Final = frozenset({"ACT_PATIENT", "ACT_REPLEGAL", "ACT_MT", "ACT_SAMU"})
"""Whom the law lets see everything: holder, representative, attending physician, regulating doctor
during a call (CSP L1111-16, L1111-19, R1111-48, R1111-50)."""


def shared_units(policy: Policy) -> tuple[ItemClass, ...]:
    """Give every document type that has a DMP class, as an item without a protected label."""
    return tuple(
        ItemClass(Category(known.dmp_class), known.code, (Label.NORMAL,))
        for known in policy.types.values()
        if known.dmp_class
    )


def _sees_all(cells: Iterable[Callable[[ItemClass], frozenset[Act]]], units: tuple[ItemClass, ...]) -> bool:
    readers = tuple(cells)
    return all(any(Act.READ in cell(unit) or Act.PRINT in cell(unit) for cell in readers) for unit in units)


def _unions(policy: Policy) -> Iterator[tuple[str, Regime, tuple[str, ...]]]:
    """Walk the sets of rows that one person may hold: each row, each group, all of `shared`."""
    own = sorted({row for row, _ in policy.grid} - OWN_EXEMPT)
    shared = sorted({row for row, _ in policy.matrix} - SHARED_EXEMPT)
    yield from ((row, Regime.OWN, (row,)) for row in own)
    yield from ((row, Regime.SHARED, (row,)) for row in shared)
    groups: dict[str, list[str]] = {}
    for function, rule in policy.functions.items():
        groups.setdefault(rule.held_with, []).append(function)
    for group, members in groups.items():
        yield f"group {group}", Regime.OWN, (*members, "emergency")
    yield "every row of the matrix", Regime.SHARED, tuple(shared)


def _try_tables(policy: Policy) -> tuple[int, dict[str, CounterExample]]:
    tried, broken = 0, dict[str, CounterExample]()
    types = shared_units(policy)
    for name, regime, rows in _unions(policy):
        choose = policy.own_cell if regime is Regime.OWN else policy.shared_cell
        units = OWN_UNITS if regime is Regime.OWN else types
        cells = [lambda unit, row=row, choose=choose: choose(row, unit) for row in rows]
        tried += len(rows) * len(units)
        if _sees_all(cells, units):
            broken.setdefault(NOBODY, CounterExample(NOBODY, f"{regime}: {name}", "reads every unit"))
    return tried, broken


def prove_tables(policy: Policy) -> ProofReport:
    """Try every row of the grid and of the matrix, and the rows that one person may hold together."""
    tried, broken = _try_tables(policy)
    return ProofReport(tried, (NOBODY,), tuple(broken.values()))


def prove_cases(rule: Decision = decide) -> ProofReport:
    """Try every abstract case of both regimes against every theorem."""
    tried, broken = _try_cases(rule)
    if not isinstance(rule(Facts()), Denial):
        broken[SILENCE] = CounterExample(SILENCE, "nothing", "permit")
    return ProofReport(tried + 1, (*THEOREMS, MONOTONE, SILENCE), tuple(broken.values()))


def prove(policy: Policy, rule: Decision = decide) -> ProofReport:
    """Try every abstract case of both regimes and every row of the tables.

    The report keeps one counter-example for each broken theorem; printing it prints them.
    """
    return together(prove_cases(rule), prove_tables(policy))


def together(*reports: ProofReport) -> ProofReport:
    """Join the reports of several proofs."""
    return ProofReport(
        sum(one.cases for one in reports),
        tuple(theorem for one in reports for theorem in one.theorems),
        tuple(found for one in reports for found in one.counter_examples),
    )
