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
from time import perf_counter, thread_time
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
from serment.model import Actor, PatientId, Purpose, RecordToken, RequestId
from serment.record import incoming, trace
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.duplicates import meeting
from serment.record.duplicates.meeting import MOST, MOST_OF_A_KEY
from serment.record.house import House
from serment.record.incoming import Incoming
from serment.record.pen import Pen
from serment.record.persons import register
from serment.record.writing import conceive, first_facts, new_id, written
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
    twins: int = 0

    @property
    def recall(self) -> float:
        """Share of the second records that are suspected."""
        return len(self.suspected & self.true) / len(self.true)

    @property
    def precision(self) -> float:
        """Share of the suspected pairs that are one person's."""
        return len(self.suspected & self.true) / len(self.suspected)

    @property
    def sure(self) -> float:
        """Share of the certain pairs that are one person's: twins are none of them."""
        return len(self.certain & self.true) / max(1, len(self.certain))

    def rows(self) -> list[Row]:
        """Write the figures."""
        of = f"{self.count:,} records, {len(self.true):,} of them second ones; {self.met:,} pairs compared"
        return [
            Row("suspected duplicates, recall", self.recall, "share", 1, of),
            Row("suspected duplicates, precision", self.precision, "share", 1, of),
            Row("twins suspected", self.twins, "pairs", 1, "same sex, given names alike: a person looks"),
            Row("certain duplicates that are one person", self.sure, "share", 1, f"of {len(self.certain):,}"),
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
            if verdict == CERTAIN:
                found.certain.add((other, place))
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
        checks = [_checked(house, secretary, entry) for entry in entries[:CREATED]]
        times = asyncio.run(_entering(house, secretary, entries[:CREATED]))
    among = f"among {len(entries):,}"
    whole = f"keys, search, comparison, sealing and trace; {among}"
    return [
        Row("search before create", median(checks), "ms", len(checks), f"of processor; {among}"),
        Row(
            "search before create: p99",
            quantiles(checks, n=100)[98],
            "ms",
            len(checks),
            f"of processor; {among}",
        ),
        Row("registering somebody", median(times), "ms", len(times), whole),
    ]


class _Undone(Exception):  # noqa: N818 - it ends a transaction on purpose
    """Carries what a check took, in ms of processor."""


def _checked(house: House, actor: Actor, entry: Entry) -> float:
    """Look for others of one person inside a transaction that is undone."""
    passage, asking = house.passage, _asking(house, actor)
    sent, patient = _sent(entry), PatientId(new_id())
    birth = conceive(passage, asking, patient)

    def job(pen: Pen) -> None:
        facts = first_facts(passage, asking, patient, sent)
        draft = pen.born(birth.record, birth.keys, patient, facts)
        began = thread_time()
        meeting.created(pen, draft, sent, patient)
        raise _Undone((thread_time() - began) * 1e3)

    try:
        passage.store.submit(lambda txn: written(passage, txn, asking, job)).result()
    except _Undone as undone:
        return float(undone.args[0])
    raise AssertionError("the check was not undone")


def _sent(entry: Entry) -> Incoming:
    patient = {name: value for name, value in entry.patient.items() if name != "identifier"}
    return incoming.read(json.dumps(patient).encode(), "Patient")


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
        sent = _sent(entry)
        began = perf_counter()
        await house.writing.create(_asking(house, actor), sent)
        times.append((perf_counter() - began) * 1e3)
    return times


def _asking(house: House, actor: Actor) -> Asking:
    return Asking(actor, Purpose.PATIENT_ADMINISTRATION, RequestId(new_id()), house.passage.clock())
