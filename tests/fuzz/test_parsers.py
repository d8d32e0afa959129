"""Every parser takes anything: it ends, soon, within its means, or refuses with an error of our tree."""

from __future__ import annotations

import signal
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from tests.fuzz.mutating import inputs
from tests.fuzz.targets import TARGETS, XHTML, survives

SHORT = 24_000
LONG = 1_200_000
PATIENCE = 10.0
"""Seconds of processor time after which one input is a hang; inputs take microseconds."""


@contextmanager
def patience() -> Iterator[None]:
    """Raise in the middle of a hang, by a timer of processor time."""

    def hang(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError("an input that does not end")

    before = signal.signal(signal.SIGVTALRM, hang)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def fuzz(name: str, count: int, number: int) -> None:
    target = TARGETS[name]
    for raw in inputs(target.seeds, count, number):
        with patience():
            try:
                survives(target, raw)
            except Exception as defect:
                raise AssertionError(f"{name}: {type(defect).__name__} on {raw!r}") from defect


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_is_taken_as_it_is(name: str) -> None:
    for seed in TARGETS[name].seeds:
        survives(TARGETS[name], seed)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.capability("1-30", "refuses")
def test_any_input_ends_or_is_refused(name: str) -> None:
    fuzz(name, int(SHORT * TARGETS[name].share), 0)


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(1, 13))
@pytest.mark.parametrize("name", TARGETS)
def test_a_million_inputs_end_or_are_refused(name: str, part: int) -> None:
    fuzz(name, int(LONG * TARGETS[name].share) // 12, part)


MEGA = 1024 * 1024
MANY = 100_000
OBSERVATION = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},'
BOMBS: dict[str, tuple[str, bytes]] = {
    "deep arrays": ("resource", b'{"resourceType":"Patient","name":' + b"[" * MEGA),
    "deep objects": ("resource", b'{"a":' * 200_000),
    "deep extensions": (
        "resource",
        b'{"resourceType":"Patient","extension":[{"url":"x","extension":[' * 40 + b"]}]}" * 40,
    ),
    "a number of a million digits": ("resource", OBSERVATION + b'"valueInteger":' + b"9" * MEGA + b"}"),
    "a huge exponent": ("resource", OBSERVATION + b'"valueQuantity":{"value":1e999999999}}'),
    "a tiny exponent": ("resource", OBSERVATION + b'"valueQuantity":{"value":1e-999999999}}'),
    "many nulls": ("resource", b'{"resourceType":"Patient","name":[' + b"null," * MANY + b"null]}"),
    "many empty objects": ("resource", b'{"resourceType":"Patient","name":[' + b"{}," * MANY + b"{}]}"),
    "many members": (
        "resource",
        b'{"resourceType":"Patient",' + b",".join(b'"a%d":1' % n for n in range(300_000)) + b"}",
    ),
    "many periods": (
        "resource",
        b'{"resourceType":"Patient","identifier":['
        + b'{"period":{"start":"2024","end":"2023"}},' * 30_000
        + b"{}]}",
    ),
    "fragments that meet nothing": (
        "resource",
        b'{"resourceType":"Patient","generalPractitioner":[' + b'{"reference":"#a"},' * 20_000 + b"{}]}",
    ),
    "a long text for a pattern": (
        "resource",
        b'{"resourceType":"Patient","photo":[{"contentType":"' + b"a/" + b"a;" * 500_000 + b'!"}]}',
    ),
    "base64 with no end": (
        "resource",
        b'{"resourceType":"Binary","contentType":"image/png","data":"' + b"A   " * 500_000 + b'="}',
    ),
    "billion laughs": (
        "narrative",
        b'<!DOCTYPE div [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(20))
        + b"]>"
        + XHTML.encode()
        + b"&u;</div>",
    ),
    "quadratic blow-up": (
        "narrative",
        b'<!DOCTYPE div [<!ENTITY a "'
        + b"a" * 100_000
        + b'">]>'
        + XHTML.encode()
        + b"&a;" * 10_000
        + b"</div>",
    ),
    "a tall narrative": ("narrative", XHTML.encode() + b"<b>" * 300_000),
    "a wide narrative": ("narrative", XHTML.encode() + b"<b/>" * 100_000 + b"</div>"),
    "many attributes": (
        "narrative",
        XHTML.encode() + b"<p " + b" ".join(b'a%d=""' % n for n in range(80_000)) + b"/></div>",
    ),
    "a long style": ("narrative", XHTML.encode() + b'<p style="' + b"ur" * 200_000 + b'">x</p></div>'),
    "a long address": ("narrative", XHTML.encode() + b'<a href="' + b"a" * 500_000 + b':">x</a></div>'),
    "a search of a million values": ("search", b"patient=1&code=" + b"x," * 500_000),
    "a search of a million parameters": ("search", b"&".join([b"code=x"] * 200_000)),
    "a chain of a thousand": ("search", b"patient=1&subject" + b".subject" * 1000 + b".name=x"),
    "a search of one long word": ("search", b"patient=1&date=" + b"2" * MEGA),
    "a patch of many operations": (
        "patch",
        b"[" + b'{"op":"remove","path":"/x"},' * 50_000 + b'{"op":"x"}]',
    ),
    "a pointer of many steps": ("patch", b'[{"op":"remove","path":"' + b"/a" * 500_000 + b'"}]'),
    "a patch that doubles": (
        "patch",
        b"[" + b",".join([b'{"op":"copy","from":"/component","path":"/component/-"}'] * 60) + b"]",
    ),
    "a long date": ("date", b"2" * MEGA),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.capability("1-30", "refuses")
def test_a_bomb_does_not_go_off(bomb: str) -> None:
    name, raw = BOMBS[bomb]
    with patience():
        survives(TARGETS[name], raw)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_takes_memory_in_proportion(bomb: str) -> None:
    name, raw = BOMBS[bomb]
    tracemalloc.start()
    try:
        survives(TARGETS[name], raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * MEGA + 64 * len(raw)
