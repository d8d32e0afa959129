"""Finding people as somebody types: the register as it stands on the disk, opened, searched and traced.

Rows are written by the product's own draft, many in one transaction, without the records of their patients.
Queries are what is typed until the person wanted is shown: from the third letter on, some with a given name
or a year, some with a letter wrong. Each search is the whole passage: decision, register held against its
head, answer, trace durable.

Order: filling, opening, searching.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from random import Random
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Final

import msgspec

from benchmarks import Row, quickly
from benchmarks.installation import opened
from benchmarks.namesakes import rows
from serment.demo import people
from serment.demo.traits import draws
from serment.identity.who import Who
from serment.ledger.entry import Interaction
from serment.model import Actor, Purpose, RecordToken, RequestId
from serment.record import trace
from serment.record.asking import Asking
from serment.record.budget import Budget, Quota
from serment.record.draft import Draft
from serment.record.house import House
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.persons import register
from serment.record.persons.as_typed import AsTyped
from serment.record.writing import new_id, written
from serment.store.contract import Transaction

AT_ONCE: Final = 2_000
"""Rows of one transaction."""

SEARCHES: Final = 400
FREE: Final = 1 << 30
"""No budget: the bench is one person who types for an hour."""


def bench() -> list[Row]:
    """Measure a hundred thousand people."""
    return measured(quickly(100_000, 2_000), "100 000 people")


def measured(count: int, of: str) -> list[Row]:
    """Measure so many people."""
    secretary = people.SECRETARY_OF_PRACTICE.actor()
    with opened() as (_, house, _custody):
        fill(house, rows("a bench", count, secretary.structure), secretary)
        search = AsTyped(
            replace(
                house.passage,
                keystrokes=Budget(FREE, 1, "record.too-many-searches"),
                shown=Quota(FREE, 1, "record.too-many-shown"),
            )
        )
        return [
            *_opening(search, secretary, count, of),
            *asyncio.run(_searching(search, secretary, count, of)),
        ]


# Filling.


def fill(house: House, all_: Iterable[Who], actor: Actor) -> None:
    """Write rows, `AT_ONCE` in one transaction."""
    listed = iter(all_)
    passage = house.passage
    while some := list(islice(listed, AT_ONCE)):
        job = partial(_filled, some)
        asking = _asking(passage, actor)
        passage.store.submit(partial(_written, passage, asking, job)).result()


def _written(passage: Passage, asking: Asking, job: Callable[[Pen], None], txn: Transaction) -> None:
    written(passage, txn, asking, job)


def _filled(some: list[Who], pen: Pen) -> None:
    draft = Draft(pen.passage, pen.txn, register.look(pen.passage, pen.txn, pen.asking))
    for who in some:
        row = msgspec.msgpack.encode(who)
        register.put(draft, RecordToken(os.urandom(16)), row, None, pen.asking.now)
    pen.drafts[draft.record] = draft
    pen.did(draft, Interaction.UPDATE, trace.of_facts(""))


def _asking(passage: Passage, actor: Actor) -> Asking:
    return Asking(actor, Purpose.PATIENT_ADMINISTRATION, RequestId(new_id()), passage.clock())


# Opening.


def _opening(search: AsTyped, actor: Actor, count: int, of: str) -> list[Row]:
    """Open the register, as the first search after an unlocking does."""
    started, worked = perf_counter(), process_time()
    search.register.open(_asking(search.passage, actor)).result()
    whole, cpu = perf_counter() - started, process_time() - worked
    each = sum(shard.size for shard in search.register.shards) / count
    return [
        Row(f"opening the register, {of}", whole, "s", 1, f"beside the requests; {cpu:.1f} s of processor"),
        Row(f"the register in memory, {of}", each, "bytes a person", 1, "names, date, id, vocabularies"),
    ]


# Searching.


def typed(rng: Random, one: Who) -> Iterator[str]:
    """Give what somebody types, letter by letter from the third, until this person should be shown."""
    family, given = one.birth.lower(), one.given.partition(" ")[0]
    before = rng.choice(["", f"{given[:1]} ", f"{given} ", f"{one.birth_date[:4]} "])
    wrong = rng.random() < 0.1
    for end in range(3, len(family) + 1):
        yield before + family[:end]
    yield f"{family.replace('a', 'en') if wrong else family} {given}"
    day = "/".join(reversed(one.birth_date.split("-")))
    yield f"{family} {given} {day}"


async def _searching(search: AsTyped, actor: Actor, count: int, of: str) -> list[Row]:
    rng = draws("who is wanted")
    wanted = [who for who in rows("a bench", min(count, 5_000), actor.structure) if len(who.birth) > 2]
    queries = [text for who in rng.sample(wanted, 200) for text in typed(rng, who)]
    times, cpu = [], []
    for text in rng.sample(queries, quickly(SEARCHES, 20)):
        started, worked = perf_counter(), process_time()
        await search.search(_asking(search.passage, actor), text)
        times.append(1000 * (perf_counter() - started))
        cpu.append(1000 * (process_time() - worked))
    note = f"{len(times)} searches as somebody types, trace durable"
    name = f"finding people as somebody types, {of}"
    return [
        Row(f"{name}: p50", quantiles(times, n=100)[49], "ms", len(times), note),
        Row(f"{name}: p99", quantiles(times, n=100)[98], "ms", len(times), note),
        Row(f"{name}: processor", median(cpu), "ms each", len(cpu), f"at most {max(cpu):.0f} ms"),
    ]
