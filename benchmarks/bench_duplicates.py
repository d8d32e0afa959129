"""Suspected duplicates: what the table finds on people it was not fitted on, and what asking costs.

The population is generated (`identities`): another seed than the fitting, mistakes 1.3 times as often. Each
record meets those before it as at the front desk: by its keys, and with what the register of patients holds
of the others (no place of birth, no number). Order: the bars, the check at entry.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from statistics import median, quantiles
from time import perf_counter
from typing import Final

import msgspec

from benchmarks import Row, quickly
from benchmarks.identities import HELD_OUT, Entry, pairs, population
from benchmarks.installation import opened
from serment.demo import people
from serment.identity import duplicates
from serment.identity.duplicates import APART, CERTAIN
from serment.identity.keys import duplicate_keys, person_keys
from serment.identity.likeness import Person, person_of
from serment.identity.who import Who, who_of
from serment.ledger.entry import Interaction
from serment.model import Actor, Purpose, RecordToken, RequestId
from serment.record import incoming, register, trace
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates.meeting import MOST, MOST_OF_A_KEY
from serment.record.house import House
from serment.record.pen import Pen
from serment.record.writing import new_id, written
from serment.store.contract import Transaction

SEED: Final = "held out"
AT_ONCE: Final = 2_000
CREATED: Final = 200


def bench() -> list[Row]:
    """Judge the table on a hundred thousand records, then register people among as many."""
    count = quickly(100_000, 3_000)
    entries = population(SEED, count, HELD_OUT)
    return [*judged(entries).rows(), *entering(entries)]


# The bars.


@dataclass(slots=True)
class Judgement:
    """What was suspected, against the truth."""

    count: int
    true: set[tuple[int, int]] = field(repr=False)
    suspected: set[tuple[int, int]] = field(default_factory=set, repr=False)
    certain: set[tuple[int, int]] = field(default_factory=set, repr=False)
    met: int = 0
    wrong: int = 0
    twins: int = 0

    @property
    def recall(self) -> float:
        """Share of the second records that are suspected."""
        return len(self.suspected & self.true) / len(self.true)

    @property
    def precision(self) -> float:
        """Share of the suspected pairs that are one person's."""
        return len(self.suspected & self.true) / len(self.suspected)

    def rows(self) -> list[Row]:
        """Write the figures."""
        of = f"{self.count:,} records, {len(self.true):,} of them second ones; {self.met:,} pairs compared"
        return [
            Row("suspected duplicates, recall", self.recall, "share", 1, of),
            Row("suspected duplicates, precision", self.precision, "share", 1, of),
            Row("twins suspected", self.twins, "pairs", 1, "same sex, given names alike: a person looks"),
            Row("two people taken for certain", self.wrong, "pairs", 1, "twins among them"),
        ]


def judged(entries: list[Entry]) -> Judgement:
    """Let each record meet those before it."""
    index: dict[str, list[int]] = defaultdict(list)
    known: list[tuple[Person, Person]] = []
    found = Judgement(len(entries), pairs(entries))
    for place, entry in enumerate(entries):
        mine = person_of(entry.patient)
        for other in _candidates(index, entry):
            found.met += 1
            verdict = _verdict(known[other], mine)
            if verdict != APART:
                found.suspected.add((other, place))
                found.twins += entry.twin == entries[other].person
                found.wrong += verdict == CERTAIN and entry.person != entries[other].person
        known.append((_as_register(entry), mine))
        for key in person_keys(entry.patient):
            index[key].append(place)
    return found


def _verdict(other: tuple[Person, Person], mine: Person) -> str:
    """Compare as the product does: by the register's row, and by numbers where both have one."""
    row, whole = other
    if not (mine.matricules and whole.matricules):
        mine = replace(mine, matricules=frozenset())
    return duplicates.compare(
        replace(row, matricules=whole.matricules if mine.matricules else frozenset()), mine
    ).verdict


def _candidates(index: dict[str, list[int]], entry: Entry) -> Iterator[int]:
    found: dict[int, None] = {}
    for key in duplicate_keys(entry.patient):
        found |= dict.fromkeys(index.get(key, [])[:MOST_OF_A_KEY])
        if len(found) >= MOST:
            break
    yield from found


def _as_register(entry: Entry) -> Person:
    who = who_of(entry.patient, "", "", "")
    return Person.of((who.birth, who.used), [who.given], who.birth_date, who.sex)


# The check at entry.


def entering(entries: list[Entry]) -> list[Row]:
    """Register people at the front desk of a practice that has all the others already."""
    secretary = people.SECRETARY_OF_PRACTICE.actor()
    with opened() as (_, house, _custody):
        fill(house, entries[CREATED:], secretary)
        times = asyncio.run(_entering(house, secretary, entries[:CREATED]))
    p99 = quantiles(times, n=100)[98]
    note = f"search, comparison, keys, sealing and trace; among {len(entries):,}"
    return [
        Row("registering somebody, search before create", median(times), "ms", len(times), note),
        Row("registering somebody, search before create: p99", p99, "ms", len(times), note),
    ]


def fill(house: House, entries: Iterable[Entry], actor: Actor) -> None:
    """Write rows and person tokens, `AT_ONCE` in one transaction, without the records of their patients."""
    listed = iter(entries)
    while some := list(islice(listed, AT_ONCE)):
        asking = _asking(house, actor)
        house.passage.store.submit(partial(_written, house, asking, some)).result()


def _written(house: House, asking: Asking, some: list[Entry], txn: Transaction) -> None:
    written(house.passage, txn, asking, partial(_filled, some))


def _filled(some: list[Entry], pen: Pen) -> None:
    draft = Draft(pen.passage, pen.txn, register.look(pen.passage, pen.txn, pen.asking))
    regime = pen.passage.regime.value
    for entry in some:
        record = RecordToken(os.urandom(16))
        who: Who = who_of(entry.patient, new_id(), regime, pen.asking.actor.structure)
        register.put(draft, record, msgspec.msgpack.encode(who), None, pen.asking.now)
        for key in person_keys(entry.patient):
            pen.txn.put_person(pen.passage.installation.person(key), record)
    pen.drafts[draft.record] = draft
    pen.did(draft, Interaction.UPDATE, trace.of_facts(""))


async def _entering(house: House, actor: Actor, entries: list[Entry]) -> list[float]:
    """Give the time of each registration in ms: keys, search, comparison, sealing, durable trace."""
    times = []
    for entry in entries:
        patient = {name: value for name, value in entry.patient.items() if name != "identifier"}
        sent = incoming.read(json.dumps(patient).encode(), "Patient")
        began = perf_counter()
        await house.writing.create(_asking(house, actor), sent)
        times.append((perf_counter() - began) * 1e3)
    return times


def _asking(house: House, actor: Actor) -> Asking:
    return Asking(actor, Purpose.PATIENT_ADMINISTRATION, RequestId(new_id()), house.passage.clock())
