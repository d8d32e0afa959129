"""Pages of words alone: accessibility, the glossary. They are the same for everybody, signed in or not."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door.asking import language_of
from serment.web.everyone.visitor import around
from serment.web.shell import page
from serment.words import say

TERMS: Final = (
    "record",
    "access",
    "ledger",
    "emergency",
    "mask",
    "block",
    "oppose",
    "team",
    "attending",
    "representative",
    "carer",
    "ins",
    "key",
    "officer",
    "dpo",
)
"""The terms of the glossary, each with its meaning in the catalogue."""

TESTED: Final = ("axe", "width", "keys", "script")
MISSING: Final = ("people", "documents", "contrast", "names")


async def accessibility(request: Request) -> Response:
    """Say what was tested of accessibility, what is missing, and whom to ask (WCAG 2.2, RGAA 4.1)."""
    language = language_of(request)
    return page(
        request,
        "everyone/accessibility.html",
        tested=[say(f"everyone.accessibility-tested-{one}", language) for one in TESTED],
        missing=[say(f"everyone.accessibility-missing-{one}", language) for one in MISSING],
        **around(request),
    )


async def words(request: Request) -> Response:
    """Say what each word of the pages means."""
    language = language_of(request)
    terms = [
        (say(f"everyone.word-{term}", language), say(f"everyone.word-{term}-means", language))
        for term in TERMS
    ]
    ordered = sorted(terms, key=lambda one: one[0].casefold())
    return page(request, "everyone/words.html", terms=ordered, **around(request))
