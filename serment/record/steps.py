"""Entries of a bundle made ready: addresses, links between entries, resources read and checked.

Order: what is asked, links, one entry, versions, blame. Nothing is looked up, decided or written here:
`resolving` has asked already what a criterion of a change means, `bundling` does the steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from serment.errors import (
    ConflictError,
    EntryError,
    InvalidResourceError,
    MalformedError,
    NotFoundError,
    NotSupportedError,
    RefusedError,
    RequestError,
    TooLargeError,
)
from serment.fhir.binary_json import contents_of
from serment.fhir.owner import ADDRESSED_ALONE
from serment.fhir.transaction import PLACEHOLDERS, BundleEntry, relink
from serment.record import incoming, writing
from serment.record.incoming import Incoming, Sheet

MOST_CONDITIONS = 200
"""Criteria and patches in one transaction: each opens index packs, most while the store is held."""

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
_IF_MATCH = re.compile(r'W/"(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class Address:
    """What `request.url` names: a type, an item of it, or those that a query finds."""

    type: str
    id: str = field(repr=False)
    query: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry made ready: its place in the bundle, what it asks, and on what.

    `condition` is that of a creation (`ifNoneExist`) or of a conditional update, "" without one.
    """

    place: int
    method: str
    type: str
    id: str
    incoming: Incoming | None = field(repr=False)
    if_match: int | None = None
    condition: str = field(default="", repr=False)


def address(entry: BundleEntry, base: str) -> Address:
    """Read the address of an entry, relative or below `base`; one that is none names nothing."""
    path, _, query = entry.url.removeprefix(base).lstrip("/").partition("#")[0].partition("?")
    type_, _, id_ = path.partition("/")
    return Address(type_, id_, query)


def condition(entry: BundleEntry, base: str) -> str:
    """Give the criteria of a conditional creation, update, patch or deletion, "" for any other entry."""
    criteria = entry.if_none_exist if entry.method == "POST" else address(entry, base).query
    return "" if entry.method == "GET" else criteria.removeprefix("?")


def may_create(entry: BundleEntry, base: str) -> bool:
    """Say whether an entry needs an id: it creates, unless something meets its condition."""
    return entry.method == "POST" or (entry.method == "PUT" and bool(condition(entry, base)))


def prepared(
    asked: Sequence[BundleEntry], base: str, ids: Mapping[int, str], found: Mapping[str, str] | None = None
) -> list[Step]:
    """Resolve the links between entries, read and check every resource.

    `ids` are those of the entries that may create; `found` is what conditional references lead to.
    Raises `EntryError`: an entry's own fault with its place; an internal link that leads to no entry
    refuses the whole.
    """
    links = {**(found or {}), **_links(asked, base, ids)}
    if sum(1 for entry in asked if condition(entry, base)) > MOST_CONDITIONS:
        raise TooLargeError("bundling.conditions", most=MOST_CONDITIONS)
    steps: dict[int, Step] = {}
    sheets: dict[str, Sheet] = {}
    for place, entry in sorted(enumerate(asked), key=_content_last):
        if entry.method != "GET":
            with blaming(place):
                step = steps[place] = _step(place, entry, ids, links, base, sheets)
            if step.incoming is not None and step.type == "DocumentReference":
                sheet = step.incoming, f"{step.type}/{step.id}"
                sheets |= dict.fromkeys(contents_of(step.incoming.document.value, base), sheet)
    return [steps[place] for place in sorted(steps)]


def _links(asked: Sequence[BundleEntry], base: str, ids: Mapping[int, str]) -> dict[str, str]:
    """Say what stands for each entry in the links of the others: its `fullUrl`, or its own condition."""
    links: dict[str, str] = {}
    for place, entry in enumerate(asked):
        with blaming(place):
            named = _named(entry, address(entry, base), ids.get(place, ""), place)
            if named and entry.full_url:
                if entry.full_url in links:
                    raise ConflictError("record.twice")
                links[entry.full_url] = named
            if named and condition(entry, base):
                links[meant(entry, base)] = named
    return links


def _named(entry: BundleEntry, at: Address, id_: str, place: int) -> str:
    """Give the reference of what an entry leaves behind, "" when its `fullUrl` is a link already."""
    if id_ and not at.type.isalpha():
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].request.url")
    placeholder = entry.method == "PUT" and entry.full_url.startswith(PLACEHOLDERS)
    named = id_ or (at.id if placeholder else "")
    return f"{at.type}/{named}" if named else ""


def meant(entry: BundleEntry, base: str) -> str:
    """Write the condition of an entry as a conditional reference to it would be written."""
    return f"{address(entry, base).type}?{condition(entry, base)}"


def _content_last(placed: tuple[int, BundleEntry]) -> bool:
    """Put Binaries after what may point to them."""
    return "Binary" in placed[1].url


def _step(
    place: int,
    entry: BundleEntry,
    ids: Mapping[int, str],
    links: Mapping[str, str],
    base: str,
    sheets: Mapping[str, Sheet],
) -> Step:
    at = _checked(entry, base, place)
    version = version_of(entry.if_match)
    if entry.method == "DELETE":
        return Step(place, "DELETE", at.type, at.id, None, version)
    if entry.resource is None:
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].resource")
    raw, unresolved = relink(entry.resource, links)
    if unresolved and entry.method != "PATCH":
        raise InvalidResourceError("record.link-unresolved", f"Bundle.entry[{place}]")
    id_ = ids.get(place, at.id)
    resource = incoming.read(raw, at.type, base, sheets.get(f"{at.type}/{id_}"))
    if place not in ids:
        writing.same_id(resource, id_)
    return Step(place, entry.method, at.type, id_, resource, version, condition(entry, base))


def _checked(entry: BundleEntry, base: str, place: int) -> Address:
    """Read an address that is one for its method. Raises `NotSupportedError`, `NotFoundError`."""
    if entry.method not in ORDER:
        raise NotSupportedError("bundling.method", entry=place + 1)
    at = address(entry, base)
    named = [part for part in (at.id, at.query) if part]
    posted = entry.method == "POST"
    if len(named) != (0 if posted else 1) or (entry.if_none_exist and not posted):
        raise NotSupportedError("bundling.address")
    if at.type in ADDRESSED_ALONE:
        raise NotFoundError("api.unknown-type")
    return at


def version_of(if_match: str) -> int | None:
    """Read an If-Match, None when there is none. Raises `MalformedError`."""
    if not if_match:
        return None
    match = _IF_MATCH.fullmatch(if_match.strip())
    if match is None:
        raise MalformedError("api.malformed-if-match")
    return int(match[1])


@contextmanager
def blaming(place: int) -> Iterator[None]:
    """Say of what is raised inside which entry of the bundle it was."""
    try:
        yield
    except EntryError:
        raise
    except (RequestError, RefusedError) as error:
        raise EntryError(place, error) from error
