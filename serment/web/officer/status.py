"""The status: three probes with their age, what they found in words, and the alarms that stand.

A page shows what is kept and runs nothing; a button runs every probe now, in the name of who pressed it.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.record import alarms
from serment.record.probes.probing import Finding, Level, Standing, Status
from serment.web.forms import page_form
from serment.web.officer.office import around, officer_here
from serment.web.shell import go_to, page
from serment.web.written import ago, instant, lasting, number
from serment.words import Language, say

KINDS: Final = {
    Status.PASSING: "good",
    Status.ATTENTION: "warn",
    Status.FAILED: "bad",
    Status.STALE: "warn",
    Status.NEVER: "warn",
}
"""The colour that repeats what a status says in words."""

ASKS: Final = {
    alarms.CUSTODY_AWAY: "officer.found-custody-failed-do",
    alarms.CUSTODY_LOCKED: "officer.found-custody-failed-do",
    alarms.CLONED_PASSKEY: "officer.alarm-cloned-passkey",
    alarms.STOLEN_SESSION: "officer.alarm-stolen-session",
    alarms.DECLARED_OFTEN: "officer.alarm-declared",
}
"""What an alarm asks the officer to do, where its own words do not say it."""

CONCLUDES: Final = frozenset({Status.PASSING, Status.ATTENTION, Status.FAILED})
"""When what was found still says something."""


async def status(request: Request) -> Response:
    """Show where the probes stand, and the alarms. No care content."""
    house, asking = officer_here(request)
    language = asking.language
    standing = await run_in_threadpool(house.probing.standing, asking)
    rung = await run_in_threadpool(alarms.standing, house.passage)
    return page(
        request,
        "officer/status.html",
        probes=[probe_said(one, language) for one in standing],
        alarms=[alarm_said(alarm, language) for alarm in rung],
        strangers=house.strangers.all,
        ran="ran" in request.query_params,
        **around(request, house, asking),
    )


async def run(request: Request) -> Response:
    """Run every probe now, then show where they stand. Raises `ConflictError` while others run."""
    house, asking = officer_here(request)
    await page_form(request, house)
    await run_in_threadpool(house.probing.run, asking, request.app.state.search_disk)
    return go_to("/officer?ran")


def alarm_said(alarm: str, language: Language) -> str:
    """Say an alarm, and what to do."""
    said = say(alarm, language)
    return f"{said} {say(ASKS[alarm], language)}" if alarm in ASKS else said


def probe_said(one: Standing, language: Language) -> dict[str, Any]:
    """Say where a probe stands; what is too old to conclude from is not shown as what is."""
    findings = one.result.findings if one.result is not None and one.status in CONCLUDES else ()
    run = {} if one.result is None else {"when": instant(one.result.at, language)}
    if one.age is not None:
        run |= {"ago": ago(one.age, language), "period": lasting(one.period, language)}
    return {
        "title": say(f"officer.probe-{one.probe.value}", language),
        "status": say(f"officer.status-{one.status.value}", language),
        "kind": KINDS[one.status],
        "run": run,
        "unknown": "" if one.status in CONCLUDES else say(f"officer.status-{one.status.value}-do", language),
        "findings": [finding_said(finding, language) for finding in sorted(findings, key=_first)],
    }


def _first(one: Finding) -> int:
    """Order findings: what needs an act first, then the limits, then what is well."""
    return (Level.FAILED, Level.ATTENTION, Level.NOTE, Level.GOOD).index(one.level)


def finding_said(one: Finding, language: Language) -> dict[str, str]:
    """Say a finding: the fact, and where something is to be done what it means and what to do."""
    id_ = f"{one.id}-{one.level.value}"
    counted = {name: number(value, language) for name, value in one.values.items()}
    said = {
        "level": one.level.value,
        "fact": say(f"officer.found-{id_}", language, **counted),
        "means": "",
        "do": "",
    }
    if one.level in {Level.ATTENTION, Level.FAILED}:
        said["means"] = say(f"officer.found-{id_}-means", language)
        said["do"] = say(f"officer.found-{id_}-do", language)
    return said
