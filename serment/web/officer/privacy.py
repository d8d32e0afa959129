"""The register of processing (RGPD article 30), as far as this software knows it: for the DPO first."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.web.officer.office import around, officer_here
from serment.web.shell import page
from serment.words import say

PROCESSING: Final = ("care", "trace", "people", "portal", "research")
"""What is processed, each said by sentences of the catalogue."""

ASPECTS: Final = ("legal", "people", "recipients", "retention", "protection")
"""What article 30(1) asks of each: basis, people and data, recipients, retention, protection."""


async def privacy(request: Request) -> Response:
    """Show the register of processing, and where requests and processors stand."""
    house, asking = officer_here(request)
    register = [
        {
            "name": say(f"officer.processing-{one}", asking.language),
            "aspects": [
                (
                    say(f"officer.aspect-{aspect}", asking.language),
                    say(f"officer.processing-{one}-{aspect}", asking.language),
                )
                for aspect in ASPECTS
            ],
        }
        for one in PROCESSING
    ]
    return page(request, "officer/privacy.html", register=register, **around(request, house, asking))
