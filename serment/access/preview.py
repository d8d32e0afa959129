"""What another table would change, before it applies: which acts it opens and closes, for whom, on what.

A structure replaces a table as a whole, so that reading the new file says little. Here both policies are
asked the same questions, every row on every unit under every protected label, and the answers are compared:
what a table changes through another one (labels, reading) is seen too. The theorems on tables are tried on
the new policy. A preview is bound to the digest of the policy that it makes: `held` refuses another file,
and the same file over other tables. Nothing is applied here.

Order: what a preview says, the comparison, making one, holding a file against one. Pure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from serment.access.policy import GRID, MATRIX, Policy
from serment.access.prove import CounterExample, prove_tables, shared_units
from serment.access.tables import PROTECTED, digest_of
from serment.errors import RefusedError, RequestError, SettingsError
from serment.model import Act, Category, ItemClass, Label, Regime

TABLES: Final = (GRID, MATRIX, "shared-labels.csv", "shared-reading.csv")
"""What is previewed: the tables that say which acts a cell allows. Any other is refused."""

ORDINARY: Final = ""
"""Stands for an item without a protected label."""

EVERY_LABEL: Final = (ORDINARY, *sorted(str(label) for label in PROTECTED))

MOST: Final = 1_000_000
"""Characters of a table; ours are below 100 000."""

_Asked = tuple[str, str, Act]
"""A row, a unit (category or document type) and an act."""


@dataclass(frozen=True, slots=True)
class Change:
    """Acts that one row gains or loses on one column.

    `row` is a function (`own`) or a profession (`shared`), `column` a category, a DMP class or a document
    type, `labels` the kinds of items concerned, `ORDINARY` among them.
    """

    regime: Regime
    row: str
    column: str
    acts: tuple[Act, ...]
    labels: tuple[str, ...]

    @property
    def every(self) -> bool:
        """Tell whether the change is the same under every label."""
        return self.labels == EVERY_LABEL


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change; `digest` is that of the policy with it, `broken` the theorems that fail."""

    table: str
    before: str
    digest: str
    opened: tuple[Change, ...]
    closed: tuple[Change, ...]
    broken: tuple[CounterExample, ...] = field(default=())

    @property
    def acceptable(self) -> bool:
        """Tell whether no theorem fails: a policy that breaks one is refused."""
        return not self.broken


def preview(texts: Mapping[str, str], candidate: str) -> Preview:
    """Compare the policy of `texts` with the one in which `candidate` stands for the table of its header.

    Raises `RequestError`: a table that is not previewed, a malformed one, or one that no policy may hold
    (clinical content for a function that cares for nobody).
    """
    table = table_of(texts, candidate)
    before, after = Policy.from_tables(texts), _compiled({**texts, table: candidate})
    opened: list[Change] = []
    closed: list[Change] = []
    for regime in Regime:
        was, will = _answers(before, after, regime), _answers(after, before, regime)
        opened += _changes(regime, _more(was, will), after, before)
        closed += _changes(regime, _more(will, was), after, before)
    broken = prove_tables(after).counter_examples
    return Preview(table, before.digest, after.digest, tuple(opened), tuple(closed), broken)


def held(texts: Mapping[str, str], candidate: str, agreed: str) -> Preview:
    """Preview a file that somebody agreed to under a digest.

    Raises `RefusedError` when it makes another policy than was previewed, or one that breaks a theorem,
    `RequestError` as `preview` does.
    """
    found = digest_of({**texts, table_of(texts, candidate): candidate})
    if found != agreed:
        raise RefusedError("access.preview-other")
    made = preview(texts, candidate)
    if not made.acceptable:
        raise RefusedError("access.preview-unproved")
    return made


def table_of(texts: Mapping[str, str], candidate: str) -> str:
    """Name the table that a file stands for, by its header. Raises `RequestError`."""
    header = _header(candidate[:MOST])
    for table in TABLES:
        if header and header == _header(texts[table]) and len(candidate) <= MOST:
            return table
    raise RequestError("access.preview-unknown")


def _header(text: str) -> tuple[str, ...]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(name.strip() for name in next(lines, "").split(","))


def _compiled(texts: Mapping[str, str]) -> Policy:
    """Compile a policy of somebody else's making. Raises `RequestError` that says what is wrong with it."""
    try:
        return Policy.from_tables(texts)
    except SettingsError as error:
        raise RequestError(error.sentence, **error.parameters) from None
    except (csv.Error, ValueError):
        raise RequestError("access.preview-malformed") from None


# The comparison.


def _units(policy: Policy, other: Policy, regime: Regime) -> Iterator[tuple[str, Category, str]]:
    """Walk what is asked about: a name, the category and the document type."""
    yield from ((one, one, one) for one in Category if regime is Regime.OWN or not one.value.isdigit())
    if regime is Regime.SHARED:
        both = {unit.document_type: unit for made in (policy, other) for unit in shared_units(made)}
        yield from ((code, unit.category, code) for code, unit in sorted(both.items()))


def _answers(policy: Policy, other: Policy, regime: Regime) -> dict[_Asked, set[str]]:
    """Ask a policy everything: row, unit and act → the labels under which it allows the act."""
    own = regime is Regime.OWN
    choose = policy.own_cell if own else policy.shared_cell
    rows = sorted({row for row, _ in (policy.grid if own else policy.matrix)})
    found: dict[_Asked, set[str]] = {}
    for name, category, type_ in _units(policy, other, regime):
        for label in EVERY_LABEL:
            unit = ItemClass(category, type_, (label or Label.NORMAL.value,))
            for row in rows:
                for act in choose(row, unit):
                    found.setdefault((row, name, act), set()).add(label)
    return found


def _more(was: Mapping[_Asked, set[str]], will: Mapping[_Asked, set[str]]) -> dict[_Asked, set[str]]:
    """Give what stands in the second and not in the first."""
    found = {asked: labels - was.get(asked, set()) for asked, labels in will.items()}
    return {asked: labels for asked, labels in found.items() if labels}


def _changes(
    regime: Regime, found: Mapping[_Asked, set[str]], after: Policy, before: Policy
) -> Iterator[Change]:
    """Put together the acts that change alike, and the document types of a class that all do."""
    alike: dict[tuple[str, str, tuple[str, ...]], set[Act]] = {}
    for (row, unit, act), under in found.items():
        alike.setdefault((row, unit, _ordered(under)), set()).add(act)
    columns: dict[tuple[str, tuple[Act, ...], tuple[str, ...]], set[str]] = {}
    for (row, unit, labels), changed in alike.items():
        columns.setdefault((row, tuple(act for act in Act if act in changed), labels), set()).add(unit)
    classes = _classes(after, before) if regime is Regime.SHARED else {}
    for (row, acts, labels), units in sorted(columns.items()):
        for column in _gathered(units, classes):
            yield Change(regime, row, column, acts, labels)


def _ordered(labels: set[str]) -> tuple[str, ...]:
    return tuple(label for label in EVERY_LABEL if label in labels)


def _classes(*policies: Policy) -> dict[str, frozenset[str]]:
    """Give the document types of each DMP class."""
    found: dict[str, set[str]] = {}
    for policy in policies:
        for unit in shared_units(policy):
            found.setdefault(unit.category.value, set()).add(unit.document_type)
    return {name: frozenset(types) for name, types in found.items()}


def _gathered(units: set[str], classes: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Say a class for all of its document types, and what is left one by one."""
    whole = {name for name, types in classes.items() if types <= units}
    said = units.difference(*(classes[name] for name in whole))
    yield from sorted(whole | said)
