"""The frequency attack on person tokens: tried here on fewer people, and what the page says of it."""

from __future__ import annotations

import json

from tools.render_leakage import ALONE, KEPT, KINDS, PAGE, STORED_BITS, block, of_kind, of_length, records

FEW = 4_000
NEXT_TO_NOTHING = 0.001
"""Share of the tokens in records that a thief may recover."""


def test_the_page_carries_what_was_measured() -> None:
    kept = json.loads(KEPT.read_text("utf-8"))
    assert block(kept) in PAGE.read_text("utf-8")
    assert kept["people"] >= 100_000
    assert {one["kind"] for one in kept["kinds"]} == set(KINDS)


def test_stored_tokens_give_next_to_nothing_away_and_names_alone_would() -> None:
    kept = {one["kind"]: one for one in json.loads(KEPT.read_text("utf-8"))["kinds"]}
    names = kept.pop(ALONE)
    assert names["known"] > 50 * max(one["known"] for one in kept.values())
    assert all(max(one["known"], one["statistics"]) < NEXT_TO_NOTHING for one in kept.values())


def test_the_attack_works_where_there_is_something_to_recover() -> None:
    """It can succeed: on names alone, the thief who counts is right about the commonest."""
    patients, others = records("one", FEW), records("other", FEW)
    alone = of_kind(ALONE, patients, others)
    compound = of_kind("dob", patients, others)
    assert alone.known > 10 * compound.known
    assert compound.statistics < NEXT_TO_NOTHING


def test_every_kind_of_stored_key_was_attacked() -> None:
    """A key of a new kind must be tried before it is stored."""
    kinds = {key.partition("|")[0] for record in records("kinds", 200) for key in record}
    assert kinds == set(KINDS)


def test_shorter_tokens_are_equal_by_chance_more_often_and_lead_astray_more_often() -> None:
    patients = records("lengths", FEW)
    short, stored = of_length(16, patients), of_length(STORED_BITS, patients)
    assert short.chance > stored.chance
    assert short.astray > stored.astray
    assert short.reason == stored.reason
