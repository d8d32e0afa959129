"""Whether an upload is what it claims to be, and nothing that runs (FHIR R4 2.39; capability 0-17).

`verdict` judges a file by its declared type and its first bytes; `checked` raises what it says. Nothing
here stores, decides or serves anything.

What is active (a page, a script, a program) is never kept as a document: whatever opens it would run
somebody else's code. What is mistyped is refused too: a reader chooses its viewer by the type.
Only the beginning is looked at: a program inside a PDF or an archive is not found here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from serment.errors import InvalidResourceError

LOOKED_AT: Final = 4096
"""Bytes from the beginning that `verdict` reads at most."""

OCTETS: Final = "application/octet-stream"

_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_PARAMETERS: Final = re.compile(
    r'(?:[ \t]*;[ \t]*[A-Za-z0-9_.-]+=(?:[A-Za-z0-9_.:+/-]+|"[A-Za-z0-9_.:+/ -]*"))*'
)

_SIGNATURES: Final = (
    (0, b"%PDF-", "pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (0, b"II+\x00", "tiff"),
    (0, b"MM\x00+", "tiff"),
    (128, b"DICM", "dicom"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jpeg2000"),
    (8, b"WEBP", "webp"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"{\\rtf", "rtf"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (8, b"WAVE", "wave"),
    (0, b"MZ", "program"),
    (0, b"\x7fELF", "program"),
    (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\xfe\xed\xfa\xce", "program"),
    (0, b"\xfe\xed\xfa\xcf", "program"),
    (0, b"\xce\xfa\xed\xfe", "program"),
    (0, b"\xcf\xfa\xed\xfe", "program"),
    (0, b"\x00asm", "program"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "program"),
    (0, b"FWS", "program"),
    (0, b"CWS", "program"),
    (0, b"ITSF", "program"),
    (0, b"#!", "script"),
    (0, b"<?php", "script"),
)
"""Offset, bytes that stand there, kind. The first that agrees names the kind."""

_KINDS: Final = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/tiff": "tiff",
    "image/jp2": "jpeg2000",
    "image/webp": "webp",
    "application/dicom": "dicom",
    "application/zip": "zip",
    "application/epub+zip": "zip",
    "application/msword": "ole",
    "application/vnd.ms-excel": "ole",
    "application/vnd.ms-powerpoint": "ole",
    "application/vnd.ms-outlook": "ole",
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/gzip": "gzip",
    "video/mp4": "mp4",
    "audio/mp4": "mp4",
    "video/quicktime": "mp4",
    "image/heic": "mp4",
    "video/webm": "matroska",
    "audio/ogg": "ogg",
    "video/ogg": "ogg",
    "audio/wav": "wave",
    "audio/x-wav": "wave",
}
"""Types that have one signature: the content begins with it or is not of the type."""

_ZIPPED: Final = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")

_ACTIVE_TYPES: Final = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/javascript",
        "application/javascript",
        "application/ecmascript",
        "application/x-javascript",
        "text/vbscript",
        "text/xsl",
        "application/xslt+xml",
        "application/hta",
        "application/x-sh",
        "application/x-shellscript",
        "application/x-httpd-php",
        "application/x-msdownload",
        "application/x-msi",
        "application/x-dosexec",
        "application/x-executable",
        "application/x-elf",
        "application/vnd.microsoft.portable-executable",
        "application/java-archive",
        "application/java-vm",
        "application/wasm",
        "application/x-shockwave-flash",
        "application/vnd.android.package-archive",
        "multipart/related",
        "message/rfc822",
    }
)
_FORMS: Final = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
_ACTIVE_KINDS: Final = frozenset({"html", "svg", "script", "program"})
_PAGE: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|iframe|frameset|object|embed|meta|base|link|style|img|a|form)\b",
    re.IGNORECASE,
)
_ROOT: Final = re.compile(
    r"(?:\s|<\?(?!xml-stylesheet)[^>]*\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[[^\]]*\])?>)*<(?:[\w.-]+:)?([\w.-]+)",
    re.IGNORECASE | re.DOTALL,
)
_STYLED: Final = "<?xml-stylesheet"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the beginning of a file says. `sentence` is "" when it may be kept, else why it may not.

    `kind` is what the bytes look like: a word of the table above, `text`, `xml`, or "" for nothing known.
    """

    sentence: str
    kind: str

    @property
    def accepted(self) -> bool:
        """Whether the file may be kept as a document."""
        return self.sentence == ""


def verdict(content_type: str, first: bytes) -> Verdict:
    """Judge a file by its declared type and its first `LOOKED_AT` bytes (fewer when it is shorter)."""
    head = first[:LOOKED_AT]
    kind = kind_of(head)
    media = media_type(content_type)
    if not media:
        return Verdict("binary.type-malformed", kind)
    if media in _FORMS:
        return Verdict("binary.form", kind)
    if _is_active(media) or kind in _ACTIVE_KINDS:
        return Verdict("binary.active", kind)
    if media.startswith("text/") and media != "text/xml" and kind == "text" and _PAGE.search(_text(head)):
        return Verdict("binary.active", "html")
    return Verdict("" if _agrees(media, kind) else "binary.mistyped", kind)


def checked(content_type: str, first: bytes) -> None:
    """Raise `InvalidResourceError` unless the verdict is good."""
    found = verdict(content_type, first)
    if not found.accepted:
        raise InvalidResourceError(found.sentence, "Binary.contentType")


def checked_type(content_type: str) -> None:
    """Raise `InvalidResourceError` for a declared type that is refused whatever the bytes are."""
    media = media_type(content_type)
    if not media or media in _FORMS or _is_active(media):
        raise InvalidResourceError(verdict(content_type, b"").sentence, "Binary.contentType")


def _is_active(media: str) -> bool:
    return media in _ACTIVE_TYPES or "macroenabled" in media


def media_type(content_type: str) -> str:
    """Give `type/subtype` in lower case, without parameters; "" when it is malformed (RFC 9110 8.3.1)."""
    name, semicolon, _ = content_type.partition(";")
    media = name.strip().lower()
    if _TYPE.fullmatch(media) is None or len(content_type) > 256:
        return ""
    parameters = content_type[len(name) :]
    return media if not semicolon or _PARAMETERS.fullmatch(parameters.rstrip()) else ""


def kind_of(first: bytes) -> str:
    """Say what the bytes look like, whatever they claim."""
    for offset, signature, kind in _SIGNATURES:
        if first.startswith(signature, offset):
            return kind
    text = _text(first)
    if not text:
        return "" if first else "text"
    trimmed = text.lstrip("\ufeff \t\r\n")
    if not trimmed.startswith("<"):
        return "text"
    root = _ROOT.match(trimmed)
    name = root[1].lower() if root else ""
    if name == "svg":
        return "svg"
    if _PAGE.match(trimmed) or name == "html" or _STYLED in trimmed.lower():
        return "html"
    return "xml"


def _text(first: bytes) -> str:
    """Read the bytes as text of any common encoding; "" when they are not text."""
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        return first[: len(first) // 2 * 2].decode("utf-16", "replace")
    if b"\x00" in first:
        return ""
    return first.decode("utf-8", "replace")


def _agrees(media: str, kind: str) -> bool:
    """Say whether bytes of a kind may be of a declared type."""
    if media == OCTETS:
        return True
    wanted = "zip" if media.startswith(_ZIPPED) else _KINDS.get(media)
    if wanted is not None:
        return kind == wanted
    if media.startswith("text/") or media.endswith(("+xml", "/xml", "+json", "/json")):
        return kind in {"text", "xml"}
    return kind in {"", "text", "xml", "mp3"}
