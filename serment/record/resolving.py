"""What entries of a bundle mean that do not say it themselves, asked before anything is written.

A patch becomes the update that it amounts to; a deletion by a criterion, that of the one visible item; a
conditional reference, the item that it leads to. Each is a read or a search of its own, decided and
traced as its single form is, so that nothing hidden is ever met. The versions that were read are the
ones that the transaction must find again. Conditional creations and updates are asked inside it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from serment.errors import (
    InvalidResourceError,
    NotFoundError,
    NotSupportedError,
    TooLargeError,
)
from serment.fhir import bundle, document, patch
from serment.fhir.owner import NEVER_WRITTEN
from serment.fhir.search import resource_types
from serment.fhir.transaction import BundleEntry, conditional, links
from serment.record.asking import Asking
from serment.record.patching import Change, Patching
from serment.record.steps import MOST_CONDITIONS, address, blaming, condition, meant, version_of


@dataclass(frozen=True, slots=True)
class Resolved:
    """Entries that say what they mean: conditional references → `Type/id`, and where versions were read."""

    entries: list[BundleEntry] = field(repr=False)
    references: dict[str, str] = field(repr=False)
    unnamed: frozenset[int]


class Resolving:
    """The passage for what bundles leave to be found out."""

    def __init__(self, patching: Patching) -> None:
        self._patching = patching

    async def resolve(
        self, asking: Asking, asked: Sequence[BundleEntry], base: str, *, linked: bool
    ) -> Resolved:
        """Resolve the entries of a transaction, their conditional references only when `linked`.

        Raises `EntryError` with the place of what leads nowhere, `TooLargeError` above `MOST_CONDITIONS`.
        """
        searched = _searched(asked, base) if linked else {}
        costly = sum(1 for entry in asked if entry.method == "PATCH" or condition(entry, base))
        if costly + len(searched) > MOST_CONDITIONS:
            raise TooLargeError("bundling.conditions", most=MOST_CONDITIONS)
        references = {link: await self._led(asking, link, place, base) for link, place in searched.items()}
        entries = [await self._plain(asking, entry, place, base) for place, entry in enumerate(asked)]
        pairs = enumerate(zip(asked, entries, strict=True))
        unnamed = frozenset(
            place for place, (sent, plain) in pairs if plain is not sent and not sent.if_match
        )
        return Resolved(entries, references, unnamed)

    async def _led(self, asking: Asking, link: str, place: int, base: str) -> str:
        """Follow a conditional reference: to exactly one visible item (R4 http.html#trules)."""
        type_, _, query = link.partition("?")
        with blaming(place):
            try:
                found = await self._patching.only(asking, type_, query, base)
            except NotFoundError:
                raise InvalidResourceError("record.link-unresolved", f"Bundle.entry[{place}]") from None
        return f"{type_}/{found.id}"

    async def _plain(self, asking: Asking, entry: BundleEntry, place: int, base: str) -> BundleEntry:
        by_criterion = entry.method == "DELETE" and condition(entry, base)
        if not by_criterion and entry.method != "PATCH":
            return entry
        with blaming(place):
            at = address(entry, base)
            if bool(at.id) == bool(at.query):
                raise NotSupportedError("bundling.address")
            if at.type in NEVER_WRITTEN:
                raise NotFoundError("api.unknown-type")
            change = _change(entry, place, base) if entry.method == "PATCH" else None
            id_, version = at.id, entry.if_match
            if at.query:
                found = await self._patching.only(asking, at.type, at.query, base)
                id_, version = found.id, entry.if_match or bundle.etag(found.version)
            if change is None:
                return replace(entry, url=f"{at.type}/{id_}", if_match=version)
            served, sent = await self._patching.amount(asking, at.type, id_, change)
            raw = sent.document.text.encode()
            return replace(entry, url=f"{at.type}/{id_}", if_match=bundle.etag(served.version), resource=raw)


def _searched(asked: Sequence[BundleEntry], base: str) -> Mapping[str, int]:
    """List the conditional references that no entry of the bundle answers: each with its first place."""
    own = {meant(entry, base) for entry in asked if condition(entry, base)}
    found: dict[str, int] = {}
    for place, entry in enumerate(asked):
        if entry.method not in {"POST", "PUT"} or b"?" not in (entry.resource or b""):
            continue
        for link in links(entry.resource or b""):
            parts = conditional(link)
            if parts is not None and parts[0] in resource_types() - NEVER_WRITTEN and link not in own:
                found.setdefault(link, place)
    return found


def _change(entry: BundleEntry, place: int, base: str) -> Change:
    """Read the JSON Patch of a PATCH entry: the data of a Binary (R4 http.html#3.1.0.10.2).

    Raises `NotSupportedError` for anything else, a FHIRPath Patch included, and what `patch.read` raises.
    """
    if entry.resource is None:
        raise InvalidResourceError("bundling.no-resource", f"Bundle.entry[{place}].resource")
    sent = document.read(entry.resource)
    data = sent.value.get("data")
    plain = sent.type == "Binary" and sent.value.get("contentType") == patch.MEDIA_TYPE
    if not plain or not isinstance(data, str) or address(entry, base).type == "Binary":
        raise NotSupportedError("bundling.patch")
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise NotSupportedError("bundling.patch") from None
    return Change(patch.read(raw), version_of(entry.if_match), base=base)
