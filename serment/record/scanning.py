"""Content that comes in is shown to a scanner before it counts as received (capability 0-17).

A port: `Scanner` is somebody outside who looks at bytes and says whether they carry something known to
do harm. None is set by default; the verdict on types and active content (`fhir.binary`) stands anyway.
One that is set and does not answer stops every write with content: what could not be looked at is not
kept (`DependencyError`, 503). Content in pieces is shown as it passes and judged before its manifest is
written; content inside a resource is shown before the write begins, so no transaction waits for it.

What stands in a resource: `data` of a Binary and of every Attachment. What is stored is never shown again.
Order: the port, no scanner, pieces that pass, contents of a resource.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, Protocol

from serment.errors import InvalidResourceError, RequestError
from serment.fhir import document as documents
from serment.record.incoming import Incoming


class Scan(Protocol):
    """One content under examination."""

    def feed(self, piece: bytes) -> None:
        """Show the next bytes. Raises `DependencyError`, `TooLargeError`."""
        ...

    def verdict(self) -> None:
        """Say nothing when nothing was found.

        Raises `InvalidResourceError` for harmful content, `TooLargeError` for more than the scanner looks
        at, `DependencyError` when there is no verdict.
        """
        ...

    def close(self) -> None:
        """End the examination, with a verdict or without. Never raises."""
        ...


class Scanner(Protocol):
    """Whoever examines contents."""

    def begin(self) -> Scan:
        """Begin one examination. Raises `DependencyError`."""
        ...


def examine(scanner: Scanner, content: bytes) -> None:
    """Show one whole content. Raises what `Scan` raises."""
    scan = scanner.begin()
    try:
        scan.feed(content)
        scan.verdict()
    finally:
        scan.close()


class Watch:
    """One upload that passes in pieces, shown to the scanner if there is one."""

    def __init__(self, scanner: Scanner | None) -> None:
        self._scan = None if scanner is None else scanner.begin()

    async def passing(self, first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Show the first bytes, then each piece before it goes on."""
        if self._scan is None:
            async for piece in rest:
                yield piece
            return
        await asyncio.to_thread(self._scan.feed, first)
        async for piece in rest:
            await asyncio.to_thread(self._scan.feed, piece)
            yield piece

    async def cleared(self) -> None:
        """Wait for the verdict. Raises what `Scan.verdict` raises."""
        if self._scan is not None:
            await asyncio.to_thread(self._scan.verdict)

    def close(self) -> None:
        """End the examination."""
        if self._scan is not None:
            self._scan.close()


async def screen(scanner: Scanner | None, incoming: Incoming) -> None:
    """Show every content of a resource before it is written.

    Raises what `Scan` raises, `InvalidResourceError` for content that readers would decode differently.
    """
    if scanner is None:
        return
    for content in contents(incoming):
        await asyncio.to_thread(examine, scanner, content)


def fault_of(scanner: Scanner | None, raw: bytes) -> str:
    """Show every content of a resource that an import takes in; give the sentence of what was found, or "".

    Raises `DependencyError`: an import waits rather than take in what nobody looked at.
    """
    if scanner is None or b'"data"' not in raw:
        return ""
    try:
        for content in _inside(documents.read(raw).value):
            examine(scanner, content)
    except RequestError as found:
        return found.sentence
    return ""


def contents(incoming: Incoming) -> Iterator[bytes]:
    """Give every content that stands in a resource, decoded."""
    if isinstance(incoming.content, bytes):
        yield incoming.content
    if '"data"' in incoming.document.text:
        yield from _inside(incoming.document.value)


def _inside(resource: dict[str, Any]) -> Iterator[bytes]:
    """Walk the attachments of a resource: objects with `data` and a type of content."""
    waiting: list[Any] = [resource]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            data = node.get("data")
            if isinstance(data, str) and data and "contentType" in node:
                yield _decoded(data)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _decoded(data: str) -> bytes:
    """Decode base64 that every reader decodes alike: another spelling may hide what it holds.

    Raises `InvalidResourceError`.
    """
    content = b""
    with suppress(ValueError, binascii.Error):
        content = base64.b64decode("".join(data.split()), validate=True)
    if not content:
        raise InvalidResourceError("scanning.unreadable")
    return content
