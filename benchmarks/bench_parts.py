"""The price list: the decision, the envelope, custody, the standard, each on its own.

Nothing is fake here: the decision reads the facts of a demo record, custody answers over its socket.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from time import perf_counter

from benchmarks import Row, median_row, quickly
from benchmarks.installation import Installation, installation
from serment.access.decide import decide
from serment.access.relations import facts_for
from serment.fhir import document, search
from serment.fhir.validate import check
from serment.keys.envelope import NO_RECORD, Coordinates, RowKind, SubKey, seal, unseal
from serment.model import Act, Denial, RequestId
from serment.record import incoming
from serment.record.gate import View

RUNS = quickly(7, 2)


def bench() -> list[Row]:
    """Price every part on one small installation."""
    with installation(10) as made:
        return [*decision(made), *envelope(), custody(made), *standard(made)]


def each(name: str, act: Callable[[], object], times: int, note: str = "", scale: int = 1) -> Row:
    """Time `times` calls, several runs over; `scale` is how many things one call does."""
    act()
    prices = []
    for _ in range(RUNS):
        start = perf_counter()
        for _ in range(times):
            act()
        prices.append((perf_counter() - start) / (times * scale) * 1e6)
    return median_row(name, prices, "µs", note)


def seen(made: Installation) -> View:
    """Look at the first record as the doctor of the team."""
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{made.patient(0)}")
        return passage.view(snapshot, made.asking(), located.record)


def decision(made: Installation) -> list[Row]:
    """Price facts and decision for one class, and the decision alone."""
    view, asking = seen(made), made.asking()
    unit = next(unit for unit in view.head.classes() if not isinstance(view.decide(unit, Act.READ), Denial))
    answer = partial(
        facts_for, asking.actor, asking.purpose, asking.reasons, view.record, view.facts, unit, Act.READ,
        asking.now, asking.request, view.policy,
    )  # fmt: skip
    facts = answer()
    note = f"{len(view.facts.team)} acts of care, {len(view.facts.choices)} choices"
    return [
        each("decision: facts of the case and decide", lambda: decide(answer()), 5_000, note),
        each("decision: decide alone", lambda: decide(facts), 20_000, "a permit, no veto stands"),
    ]


def envelope() -> list[Row]:
    """Price sealing and opening 2 KB."""
    key, at = SubKey(bytes(range(32))), Coordinates(bytes(16), NO_RECORD, RowKind.BODY, "Observation", "1", 1)
    sealed = seal(key, at, bytes(2_048))
    return [
        each("seal 2 KB", lambda: seal(key, at, bytes(2_048)), 5_000),
        each("open 2 KB", lambda: unseal(key, at, sealed), 5_000),
    ]


def custody(made: Installation) -> Row:
    """Price the keys of one record over custody's socket, within its budget."""
    view, keyring = seen(made), made.house.passage.keyring
    year = view.keys.year.year
    return each(
        "keys of one record over the socket",
        lambda: keyring.custody.unwrap(view.record, RequestId("bench"), year),
        50,
        "custody is another process",
    )


def standard(made: Installation) -> list[Row]:
    """Price reading, checking and indexing one resource of the demo's charts."""
    raw = [
        json.dumps(entry["resource"], ensure_ascii=False).encode()
        for patient in made.people.patients[:4]
        for entry in patient.bundle["entry"]
    ]
    read = [document.read(one) for one in raw]
    note = f"{len(raw)} resources, {sum(map(len, raw)) // len(raw):,} B on average"
    return [
        each("fhir: read", lambda: [document.read(one) for one in raw], 3, note, len(raw)),
        each("fhir: check", lambda: all_checked(read), 3, note, len(raw)),
        each("fhir: index values", lambda: [search.index(one.value) for one in read], 3, note, len(raw)),
        each(
            "incoming: read, check, own, classify", lambda: [incoming.read(o) for o in raw], 3, note, len(raw)
        ),
    ]


def all_checked(read: list[document.Document]) -> None:
    """Check every document."""
    for one in read:
        check(one)
