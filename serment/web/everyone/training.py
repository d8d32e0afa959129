"""The five-minute training of who works here: a text, six questions, a dated proof.

A wrong answer is explained at once and kept nowhere; the answers typed stay on the page.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import cookie_of, house_of, people_of
from serment.errors import DependencyError, RefusedError
from serment.people.people import People, person_of
from serment.record.acts import WORKING
from serment.record.asking import Asking
from serment.record.probes.training import ANSWERS, Proof, Trained, Training, state_of
from serment.web.forms import Form, page_form
from serment.web.shell import go_to, page, who_of
from serment.web.written import long_day, number
from serment.words import say

READ: Final = ("care", "own", "closed", "phone", "doubt")
LETTERS: Final = ("a", "b", "c")


async def training(request: Request) -> Response:
    """Show text and questions, and take the answers. Raises `RefusedError` for who does not work here."""
    house = house_of(request)
    asking = cookie_of(request, house)
    if asking.actor.kind not in WORKING:
        raise RefusedError("everyone.training-staff")
    people, form, wrong = people_of(request), Form({}), tuple[str, ...]()
    if request.method == "POST":
        form = await page_form(request, house)
        graded = await run_in_threadpool(_answered, people, asking, form)
        if not graded:
            return go_to("/training")
        wrong = graded
    proof = await run_in_threadpool(_proof, people, asking)
    return page(
        request,
        "everyone/training.html",
        422 if wrong else 200,
        read=[say(f"everyone.training-read-{one}", asking.language) for one in READ],
        questions=[_question(name, form, wrong, asking) for name in ANSWERS],
        wrong=number(len(wrong), asking.language) if wrong else "",
        proof=None if proof is None else _said(proof, asking),
        **who_of(request, house, asking),
    )


async def reminder(request: Request, asking: Asking) -> str:
    """Remind who works here of the training that they have not followed, or that ends; "" for nobody else."""
    if asking.actor.kind not in WORKING:
        return ""
    try:
        proof = await run_in_threadpool(_proof, people_of(request), asking)
    except DependencyError:  # nothing keeps somebody from the page where they arrive
        return ""
    state = state_of(proof, asking.now)
    return "" if state is Trained.COUNTS else say(f"everyone.training-remind-{state.value}", asking.language)


def _answered(people: People, asking: Asking, form: Form) -> tuple[str, ...]:
    answers = {name: form.get(name, "") for name in ANSWERS}
    return Training(people.registry).answered(asking, person_of(people, asking), answers).wrong


def _proof(people: People, asking: Asking) -> Proof | None:
    return Training(people.registry).of(asking, person_of(people, asking))


def _question(name: str, form: Form, wrong: tuple[str, ...], asking: Asking) -> dict[str, Any]:
    language = asking.language
    return {
        "name": name,
        "asks": say(f"everyone.question-{name}", language),
        "options": [(letter, say(f"everyone.question-{name}-{letter}", language)) for letter in LETTERS],
        "chosen": form.get(name, ""),
        "why": say(f"everyone.question-{name}-why", language) if name in wrong else "",
    }


def _said(proof: Proof, asking: Asking) -> dict[str, Any]:
    language = asking.language
    return {
        "counts": proof.counts(asking.now),
        "soon": proof.ends_soon(asking.now),
        "name": asking.actor.name,
        "at": long_day(proof.at, language),
        "until": long_day(proof.until, language),
        "request": proof.request,
    }
