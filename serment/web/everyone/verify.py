"""Checking a paper or a file without an account: was it sealed here, is it as it was, was it taken back.

What is checked is not kept and opens nothing. Of a code that our seal does not vouch for nothing is shown.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import house_of, language_of, nobody_yet
from serment.exits import apart, prescribing
from serment.paper.prescription import spaced
from serment.paper.seal import Verdict
from serment.web.forms import form_of, unsigned_upload
from serment.web.shell import page
from serment.web.written import day_of, instant

MOST_TEXT: Final = 4 * 1024


async def verify(request: Request) -> Response:
    """Show the page; on a POST, the answer on it."""
    if request.method == "GET":
        return _page(request, {})
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _page(request, await _file(request))
    form = await form_of(request, most=MOST_TEXT)
    house = house_of(request)
    code = form.get("code", "")
    found = await run_in_threadpool(prescribing.check, house, nobody_yet(request, house), code)
    answer: dict[str, Any] = {"verdict": found.checked.verdict.value, "of": "code", "code": code}
    slip = found.checked.slip
    if slip is not None:
        answer["slip"] = {
            "number": spaced(slip.number),
            "date": day_of(slip.date, language_of(request)),
            "prescriber": slip.prescriber,
            "owner": slip.owner,
        }
    if found.revoked is not None:
        answer["revoked"] = instant(found.revoked, language_of(request))
    return _page(request, answer)


async def _file(request: Request) -> dict[str, Any]:
    """Check a PDF that somebody holds, in a process that holds no key."""
    house = house_of(request)
    _, files = await unsigned_upload(request)
    if not files:
        return {"verdict": Verdict.UNREADABLE.value, "of": "file"}
    seals = await run_in_threadpool(house.sealing.seals, nobody_yet(request, house))
    found = await run_in_threadpool(apart.check, files[0].content, seals)
    last = found.last
    answer: dict[str, Any] = {"verdict": found.verdict.value, "of": "file"}
    if last is not None and last.whole:
        at = instant(last.at, language_of(request)) if last.at else ""
        answer["seal"] = {"owner": last.name, "reason": last.reason, "at": at}
    return answer


def _page(request: Request, answer: dict[str, Any]) -> Response:
    whole = {**dict.fromkeys(("verdict", "of", "code", "slip", "revoked", "seal")), **answer}
    return page(request, "everyone/verify.html", answer=whole)
