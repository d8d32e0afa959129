"""Whether a reader has a version already: conditional reads (R4 http.html#cread, RFC 9110 section 13).

Asked once the item has been decided, read and traced: a condition never answers in their place. Pure.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from serment.fhir import dates
from serment.fhir.bundle import etag


def fresh(version: int, updated_ms: int, none_match: str, since_ms: int | None) -> bool:
    """Say whether the reader's copy is this version still.

    `none_match` is an If-None-Match, compared weakly; while there is one, `since_ms` does not count
    (RFC 9110 section 13.1.3). A date in HTTP knows seconds only.
    """
    if none_match:
        tags = {tag.strip().removeprefix("W/") for tag in none_match.split(",")}
        return "*" in tags or etag(version).removeprefix("W/") in tags
    return since_ms is not None and updated_ms // 1000 <= since_ms // 1000


def http_date(said: str) -> int | None:
    """Read an HTTP date, in ms; None for what is none, which counts as not said (RFC 9110 13.1.3)."""
    try:
        return int(parsedate_to_datetime(said).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def instant(said: str) -> int | None:
    """Read an instant of a bundle's request, in ms; None for what is none."""
    try:
        return dates.parse(said)[0]
    except ValueError:
        return None
