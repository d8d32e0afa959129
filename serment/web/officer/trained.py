"""The register of who has followed the training: for each who works here, when, and until when it counts."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import people_of
from serment.people.accounts import DRAWER, Account
from serment.people.people import People
from serment.record.asking import Asking
from serment.record.probes import training
from serment.record.probes.training import Proof, Trained, Training, state_of
from serment.web.officer.office import around, officer_here, read_of
from serment.web.officer.sessions import roles_of, staff_of
from serment.web.shell import page
from serment.web.written import long_day, number
from serment.words import say


async def trained(request: Request) -> Response:
    """Show who is trained, who is to be reminded, who has yet to begin."""
    house, asking = officer_here(request)
    lines = await run_in_threadpool(_lines, people_of(request), asking)
    count = sum(one["counts"] for one in lines)
    return page(
        request,
        "officer/training.html",
        lines=lines,
        trained=number(count, asking.language),
        all=number(len(lines), asking.language),
        missing=count < len(lines),
        **around(request, house, asking),
    )


def _lines(people: People, asking: Asking) -> list[dict[str, Any]]:
    read_of(people, asking, DRAWER, training.DRAWER)
    proofs = Training(people.registry).all(asking)
    present = [one for one in staff_of(people, asking) if not one.gone(asking.now)]
    return [_line(one, proofs.get(one.id), asking) for one in present]


def _line(account: Account, proof: Proof | None, asking: Asking) -> dict[str, Any]:
    language = asking.language
    state = state_of(proof, asking.now)
    return {
        "name": account.name,
        "roles": roles_of(account, language),
        "at": long_day(proof.at, language) if proof else say("officer.trained-never", language),
        "until": long_day(proof.until, language) if proof else "",
        "request": proof.request if proof else "",
        "counts": proof is not None and proof.counts(asking.now),
        "kind": "good" if state is Trained.COUNTS else "warn",
        "state": say(f"officer.trained-{state.value}", language),
    }
