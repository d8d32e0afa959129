"""What an attachment really is, whatever it says it is.

A file that runs, a page with a script, a PDF that is no PDF, an archive that swells: none of these is
filed beside a patient's care; an import puts it in quarantine. This is no virus scanner: it holds the
declared type against the first bytes, and looks for what a viewer would run.

Order: one resource, one attachment, active content, archives. Nothing is written or opened here.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MISTYPED = "importing.mistyped"
ACTIVE = "importing.active-content"
SWELLS = "importing.archive-swells"

MOST_UNPACKED = 256 * 1024 * 1024
MOST_RATIO = 200
"""An archive that unpacks to more bytes than this, or to so many times its size, is refused."""

_RUNS = (
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
)
_MAGIC = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/jpg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
    "image/bmp": (b"BM",),
    "image/webp": (b"RIFF",),
    "application/rtf": (b"{\\rtf",),
    "text/rtf": (b"{\\rtf",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/gzip": (b"\x1f\x8b",),
}
_MARKUP = ("text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml")
_SCRIPT = re.compile(
    rb"<\s*(?:[a-z]+:)?(?:script|iframe|object|embed|applet|foreignobject)\b|\bon[a-z]{3,20}\s*=|"
    rb"(?:java|vb)script\s*:|<!entity|data:text/html",
    re.IGNORECASE,
)
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype\s+(?:html|svg)|<html\b|<svg\b|<script\b)", re.IGNORECASE
)
_PDF_RUNS = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia)\b")
_BLANKS = re.compile(r"[ \t\r\n]+")


def fault(resource: dict[str, Any], text: str) -> str:
    """Give the sentence that says why a resource may not be filed as it is, "" when nothing was found.

    `text` is the resource as written: most carry no content, and are not walked.
    """
    if '"data"' in text or "\\u00" in text:
        for content_type, data in _attachments(resource):
            found = _fault_of(content_type, data)
            if found:
                return found
    narrative = resource.get("text")
    div = narrative.get("div") if isinstance(narrative, dict) else None
    if isinstance(div, str) and "<" in div and _SCRIPT.search(div.encode()):
        return ACTIVE
    return ""


def _attachments(value: Any) -> Iterator[tuple[str, str]]:
    """Walk every pair of `contentType` and `data`, contained resources included."""
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, str) and ("contentType" in value or value.get("resourceType") == "Binary"):
            yield str(value.get("contentType", "")), data
        for child in value.values():
            if isinstance(child, dict | list):
                yield from _attachments(child)
    elif isinstance(value, list):
        for child in value:
            yield from _attachments(child)


def _fault_of(content_type: str, data: str) -> str:
    try:
        content = base64.b64decode(_BLANKS.sub("", data), validate=True)
    except (ValueError, binascii.Error):
        return MISTYPED
    return fault_of_content(content_type, content)


def fault_of_content(content_type: str, content: bytes) -> str:
    """Hold a declared type against the bytes: "" or the sentence that says what is wrong."""
    kind = content_type.partition(";")[0].strip().lower()
    if _is_program(content):
        return ACTIVE
    magic = _MAGIC.get(kind)
    if magic is not None and not content.startswith(magic):
        return MISTYPED
    if kind.startswith("text/") and b"\x00" in content:
        return MISTYPED
    if _is_markup(kind) or _PAGE.match(content):
        return _fault_of_markup(kind, content)
    if content.startswith(b"%PDF-") and _PDF_RUNS.search(content):
        return ACTIVE
    return _fault_of_archive(content)


def _is_program(content: bytes) -> bool:
    """Say whether an operating system would run it."""
    if content.startswith(b"MZ"):
        return b"PE\x00\x00" in content[:4096] or b"This program" in content[:4096] or b"\x00" in content[:64]
    return content.startswith(_RUNS)


def _is_markup(kind: str) -> bool:
    return kind in _MARKUP or kind.endswith("+xml")


def _fault_of_markup(kind: str, content: bytes) -> str:
    if _SCRIPT.search(content):
        return ACTIVE
    return "" if _is_markup(kind) else MISTYPED


def _fault_of_archive(content: bytes) -> str:
    """Look into an archive without unpacking it whole."""
    if content.startswith(b"\x1f\x8b"):
        return _fault_of_gzip(content)
    if not content.startswith(b"PK\x03\x04"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return MISTYPED
    if any(member.filename.lower().endswith("vbaproject.bin") for member in members):
        return ACTIVE
    unpacked = sum(member.file_size for member in members)
    return SWELLS if unpacked > min(MOST_UNPACKED, MOST_RATIO * len(content) + 65536) else ""


def _fault_of_gzip(content: bytes) -> str:
    most = min(MOST_UNPACKED, MOST_RATIO * len(content) + 65536)
    unpacker = zlib.decompressobj(wbits=31)
    size, rest = 0, content
    try:
        while rest and not unpacker.eof:
            size += len(unpacker.decompress(rest, 1 << 20))
            rest = unpacker.unconsumed_tail
            if size > most:
                return SWELLS
    except zlib.error:
        return MISTYPED
    return ""
