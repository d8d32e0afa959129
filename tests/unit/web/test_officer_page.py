"""What the officer's status page says, on plain values, and what is never shown as passing."""

from __future__ import annotations

import pytest
from markupsafe import escape
from starlette.requests import Request

from serment.model import Instant
from serment.record import alarms
from serment.record.probes.probing import PERIODS, Finding, Level, Probe, Result, standing_of
from serment.web.officer.status import alarm_said, finding_said, probe_said
from serment.web.shell import page
from serment.words import Language, catalogue, say

NOW = Instant(1_795_000_000_000)
IDS = sorted(
    sentence.removeprefix("officer.found-")
    for sentence in catalogue()
    if sentence.startswith("officer.found-") and not sentence.endswith(("-means", "-do"))
)
COUNTS = dict.fromkeys(
    (
        "size",
        "faults",
        "rows",
        "files",
        "megabytes",
        "names",
        "found",
        "count",
        "wrong",
        "alarms",
        "gigabytes",
        "passed",
    ),
    3,
)


def officer_page(said: list[str], strangers: int = 0, probes: list[dict[str, object]] | None = None) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/officer", "headers": []})
    shown = page(
        request,
        "officer/status.html",
        alarms=said,
        strangers=strangers,
        probes=probes or [],
        ran=False,
        tabs=[],
    )
    return bytes(shown.body).decode()


DO = {
    Language.FR: (
        "Lancez",
        "Libérez",
        "Voyez",
        "Prenez",
        "Ouvrez",
        "prenez",
        "Rétablissez",
        "N'arrêtez",
        "faites",
        "demandez",
    ),
    Language.EN: (
        "Run",
        "Make room",
        "See",
        "Get in touch",
        "Open ",
        "Open ",
        "get in touch",
        "Bring",
        "Do not stop",
        "have them",
        "ask",
    ),
}
ALARMS = (
    "store.full",
    "store.reserve-spent",
    *(value for name, value in vars(alarms).items() if name.isupper() and isinstance(value, str)),
)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_of_the_store_is_said_as_an_alert(alarm: str) -> None:
    shown = officer_page([say(alarm, Language.FR)])
    assert 'role="alert"' in shown
    assert escape(say(alarm, Language.FR)) in shown


def test_strangers_are_counted_and_nothing_else_is_said_of_them() -> None:
    assert say("officer.strangers-none", Language.FR) in officer_page([])
    assert escape(say("officer.strangers-some", Language.FR, count=41)) in officer_page([], strangers=41)


def test_without_an_alarm_nothing_alerts() -> None:
    assert 'role="alert"' not in officer_page([])


@pytest.mark.capability("1-26", "lets")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("id_", [one for one in IDS if one.endswith(("-attention", "-failed"))])
def test_what_needs_an_act_is_said_as_fact_consequence_and_act(id_: str, language: Language) -> None:
    name, _, level = id_.rpartition("-")
    said = finding_said(Finding(name, Level(level), COUNTS), language)
    assert said["fact"]
    assert said["means"]
    assert said["do"]


@pytest.mark.capability("1-26", "refuses")
def test_no_finding_alerts_without_an_act() -> None:
    for id_ in IDS:
        if id_.endswith(("-attention", "-failed")):
            assert f"officer.found-{id_}-do" in catalogue()
            assert f"officer.found-{id_}-means" in catalogue()


@pytest.mark.capability("1-26", "refuses")
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("alarm", ALARMS)
def test_no_alarm_stands_without_what_to_do(alarm: str, language: Language) -> None:
    """An imperative of each language, in the alarm or beside it."""
    said = alarm_said(alarm, language)
    assert any(word in said for word in DO[language])


@pytest.mark.capability("2-11", "refuses")
@pytest.mark.parametrize("probe", Probe)
def test_what_a_stale_probe_found_is_not_on_the_page(probe: Probe) -> None:
    old = Result(NOW - PERIODS[probe] - 1, 5, (Finding("ledger", Level.GOOD, COUNTS),))
    said = probe_said(standing_of(probe, old, NOW), Language.FR)
    assert said["findings"] == []
    assert said["kind"] == "warn"
    shown = officer_page([], probes=[said])
    assert "tout va bien" not in shown
    assert "trop ancien" in shown


def test_a_probe_that_never_ran_says_how_to_run_it() -> None:
    said = probe_said(standing_of(Probe.INTEGRITY, None, NOW), Language.EN)
    assert (said["run"], said["status"]) == ({}, "never checked")
    assert say("officer.status-never-do", Language.EN) in officer_page([], probes=[said])
