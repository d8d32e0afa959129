"""A Subscription as it is asked for, and as it is shown (R4 subscription.html): pure.

Only what this server does is taken: `rest-hook` without payload, and criteria that are one plain search of
one type inside one record. An element that would not be honoured is refused, never dropped. Order: what is
asked, reading it, its criteria, writing it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from serment.errors import InvalidResourceError, MalformedError, RequestError
from serment.fhir import dates
from serment.fhir.dates import instant_text
from serment.fhir.owner import DIRECTORY_TYPES
from serment.fhir.query import PEOPLE, Query, parse

TYPE: Final = "Subscription"
DAY: Final = 24 * 3600 * 1000
LONGEST: Final = 31 * DAY
"""Milliseconds that a subscription lasts at most: who needs it longer asks again, in their role of then."""

MOST_REASON: Final = 200
MOST_CRITERIA: Final = 1000
TAKEN: Final = frozenset(
    {"resourceType", "id", "meta", "status", "end", "reason", "criteria", "error", "channel"}
)
RULING: Final = frozenset(
    {"_count", "_elements", "_include", "_page", "_revinclude", "_sort", "_summary", "_total", "_type"}
)
NEVER: Final = PEOPLE | DIRECTORY_TYPES | {"Binary", "AuditEvent", TYPE}
"""Types that are no criteria: people are cut in two, the directory is in no record, content has no search."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to be told. `criteria` as written, `pairs` as understood; `end` in ms.

    `off` says that it is to rest: by `status` off.
    """

    type: str
    patient: str = field(repr=False)
    criteria: str = field(repr=False)
    pairs: tuple[tuple[str, str], ...] = field(repr=False)
    endpoint: str
    reason: str = field(repr=False)
    end: int
    off: bool


def asked(resource: dict[str, Any], base: str, now: int) -> Asked:
    """Read a valid Subscription. Raises `InvalidResourceError`, and what the search's own parser raises.

    Without an end, or with one further away than `LONGEST`, it ends after `LONGEST`.
    """
    if not resource.keys() <= TAKEN or not resource.get("meta", {}).keys() <= {"versionId", "lastUpdated"}:
        raise InvalidResourceError("subscribing.element", TYPE)
    channel: dict[str, Any] = resource["channel"]
    if not channel.keys() <= {"type", "endpoint"} or channel.get("type") != "rest-hook":
        raise InvalidResourceError("subscribing.channel", f"{TYPE}.channel")
    if resource["status"] not in {"requested", "active", "off"}:
        raise InvalidResourceError("subscribing.status", f"{TYPE}.status")
    criteria, reason = str(resource["criteria"]), str(resource["reason"])
    if len(criteria) > MOST_CRITERIA or len(reason) > MOST_REASON:
        raise InvalidResourceError("subscribing.long", TYPE)
    query = criteria_of(criteria, base)
    return Asked(
        query.type,
        query.patients[0],
        criteria,
        tuple(query.to_pairs()),
        str(channel.get("endpoint", "")),
        reason,
        _end(resource, now),
        resource["status"] == "off",
    )


def criteria_of(text: str, base: str) -> Query:
    """Read criteria: `Type?…`, one record, nothing that reaches another item or rules an answer.

    Raises `InvalidResourceError`.
    """
    type_, _, asked_ = text.removeprefix(f"{base}/").partition("?")
    try:
        pairs = parse_qsl(asked_, keep_blank_values=True, errors="strict")
    except ValueError:
        raise MalformedError("api.malformed-query") from None
    if type_ in NEVER or any(name in RULING for name, _ in pairs):
        raise InvalidResourceError("subscribing.criteria", f"{TYPE}.criteria")
    try:
        query = parse(type_, pairs, base)
    except RequestError as error:
        raise InvalidResourceError(error.sentence, f"{TYPE}.criteria", **error.parameters) from None
    if len(query.patients) != 1 or query.links or query.includes:
        raise InvalidResourceError("subscribing.criteria", f"{TYPE}.criteria")
    return query


def _end(resource: dict[str, Any], now: int) -> int:
    last = now + LONGEST
    if "end" not in resource:
        return last
    end = dates.parse(str(resource["end"]))[0]
    if end <= now:
        raise InvalidResourceError("subscribing.over", f"{TYPE}.end")
    return min(end, last)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a subscription. `error` is a sentence for a person, "" when nothing went wrong."""

    id: str
    version: int
    updated: int
    status: str
    reason: str = field(repr=False)
    criteria: str = field(repr=False)
    endpoint: str
    end: int
    error: str = ""


def written(shown: Shown) -> bytes:
    """Write the resource."""
    said: dict[str, Any] = {
        "resourceType": TYPE,
        "id": shown.id,
        "meta": {"versionId": str(shown.version), "lastUpdated": instant_text(shown.updated)},
        "status": shown.status,
        "end": instant_text(shown.end),
        "reason": shown.reason,
        "criteria": shown.criteria,
        **({"error": shown.error} if shown.error else {}),
        "channel": {"type": "rest-hook", "endpoint": shown.endpoint},
    }
    return msgspec.json.encode(said)
