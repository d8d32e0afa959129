"""What the operations tell of a record: whole, its histories by type, changes by a criterion.

Each gives lines for `twins.told`: equal records, one of them with more that is hidden, tell the same. The
order of a whole record is that of its ids, which differ between twins: it is given on one page, whose
lines are sorted without them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from serment.errors import SermentError
from serment.record.asking import Asking
from serment.record.everything import CHRONICLE, MOST_ITEMS, WHOLE, Page, Wanted
from serment.record.house import House

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TYPES = ("Observation", "Condition", "AllergyIntolerance", "Procedure", "Consent")


async def operations(house: House, asking: Asking, patient: str, say: Any) -> None:
    """Say what every reading operation gives of a record, page by page."""
    everything = house.everything
    for types, since in (((), 0), (("Observation", "Consent"), 0), ((), asking.now - 150_000)):
        wanted = Wanted(patient, types, since, MOST_ITEMS)
        await _pages(say, ("everything", types), wanted, asking, house, WHOLE, everything.page)
    await _summary(house, asking, patient, say)
    for type_ in TYPES:
        wanted = Wanted(patient, (type_,), 0, 2)
        await _pages(say, ("versions", type_), wanted, asking, house, CHRONICLE, everything.chronicle)


async def _summary(house: House, asking: Asking, patient: str, say: Any) -> None:
    say("? ", "summary")
    try:
        made = json.loads(await house.summarising.summary(asking, patient, ""))
    except SermentError as error:
        say("summary", type(error).__name__, error)
        return
    say("summary", _ID.sub("…", json.dumps(made, sort_keys=True)))


async def _pages(
    say: Any, what: tuple[Any, ...], wanted: Wanted, asking: Asking, house: House, kind: str, door: Any
) -> None:
    told: list[str] = []
    say("? ", *what)
    try:
        for _ in range(40):
            page: Page = await door(asking, wanted)
            say(*what, page.total, page.first, len(page.served))
            told += [f"  {one.version} {one.updated} {one.deleted} {_plain(one.body)}" for one in page.served]
            if not page.next:
                break
            wanted = house.everything.follow(asking, kind, wanted.patient, (), page.next)
    except SermentError as error:
        say(*what, type(error).__name__, error)
    for line in sorted(_ID.sub("…", line) for line in told) if kind == WHOLE else told:
        say(line)


def _plain(body: bytes) -> str:
    return json.dumps(json.loads(body), sort_keys=True) if body else ""
