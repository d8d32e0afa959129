"""What a narrative may hold (FHIR R4 narrative.html, txt-1 and txt-2): XHTML that shows, and does nothing.

An allow-list of elements and attributes: whatever it does not name is refused. Nothing is ever repaired or
left out, because the bytes received are the bytes served. So a narrative that is kept holds no script, no
form, no frame, no event attribute, and makes no reader's machine ask anybody for anything: an image is
in the text, or a fragment of the resource; a style has no address. A link that somebody follows may
lead outside.

The text is read by expat without a document type, so no entity but the five of XML is ever expanded.
Order: the lists, the reader, its verdict. Nothing of the text is repeated in an answer.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from serment.errors import InvalidResourceError

XHTML: Final = "http://www.w3.org/1999/xhtml"
MAX_LENGTH: Final = 1024 * 1024
"""Characters of one narrative, as of any string of R4."""
MAX_DEPTH: Final = 100
"""Elements inside each other: a reader that draws them by recursion survives."""

# HTML 4.0 chapters 7 to 11 (without section 4 of chapter 9) and 15, links and images (R4 txt-1).
_ELEMENTS = """
a abbr acronym address b big bdo blockquote br caption center cite code col colgroup dd dfn dir div dl dt
em font h1 h2 h3 h4 h5 h6 hr i img kbd li menu ol p pre q s samp small span strike strong sub sup table
tbody td tfoot th thead tr tt u ul var
"""
_ATTRIBUTES = """
abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff
charset cite class clear color colspan compact coords dir face frame headers height href hreflang hspace
id lang longdesc name noshade nowrap rel rev rowspan rules scope shape size span src start style summary
tabindex target title type valign value vspace width xml:lang xml:space
"""
ELEMENTS: Final = frozenset(_ELEMENTS.split())
ATTRIBUTES: Final = frozenset(_ATTRIBUTES.split())
_ADDRESSES: Final = {"href", "cite", "longdesc"}
_LINK: Final = re.compile(
    r"(?:https?://|mailto:|tel:|urn:|#|(?![A-Za-z][A-Za-z0-9+.-]*:)(?!//))[^\x00-\x20\\]*"
)
_IMAGE: Final = re.compile(
    r"#[A-Za-z0-9.-]{1,64}|data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*"
    r"|(?![A-Za-z][A-Za-z0-9+.-]*:)(?!/)[^\x00-\x20\\:]*"
)
_ACTIVE_STYLE: Final = re.compile(
    r"url|import|expression|behavior|binding|javascript|[\\<@]|/\*", re.IGNORECASE
)


def check_narrative(div: str) -> None:
    """Refuse a narrative that is not on the allow-list. Raises `InvalidResourceError` without a place."""
    fault = fault_of(div)
    if fault:
        raise InvalidResourceError(fault)


def fault_of(div: str) -> str:
    """Give the sentence of the first fault of a narrative, "" when there is none."""
    if len(div) > MAX_LENGTH:
        return "fhir.too-long"
    reader = _Reader()
    return reader.verdict(div)


class _FaultError(Exception):
    """Stops the reading; its argument is the id of a sentence."""


class _Reader:
    """Reads one narrative; stops at the first fault."""

    def __init__(self) -> None:
        self.depth = 0
        self.shows = False
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refused
        parser.ProcessingInstructionHandler = self._refused
        parser.XmlDeclHandler = self._refused
        self.parser = parser

    def verdict(self, div: str) -> str:
        """Read the whole text and give the sentence of its fault, "" when there is none."""
        try:
            self.parser.Parse(div.encode(), True)
        except _FaultError as fault:
            return str(fault.args[0])
        except (expat.ExpatError, UnicodeEncodeError):
            return "fhir.narrative-not-xhtml"
        return "" if self.shows else "fhir.narrative-empty"

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        space, _, local = name.rpartition(" ")
        if space != XHTML or (self.depth == 1 and local != "div"):
            raise _FaultError("fhir.narrative-not-xhtml")
        if self.depth > MAX_DEPTH:
            raise _FaultError("fhir.narrative-too-deep")
        if local not in ELEMENTS:
            raise _FaultError("fhir.narrative-element")
        if local == "img":
            self.shows = True
        for attribute, value in attributes.items():
            if not _may_stand(attribute, value):
                raise _FaultError("fhir.narrative-attribute")

    def _end(self, _name: str) -> None:
        self.depth -= 1

    def _text(self, text: str) -> None:
        self.shows = self.shows or not text.isspace()

    def _refused(self, *_declared: object) -> None:
        raise _FaultError("fhir.narrative-not-xhtml")


_XML_SPACE: Final = "http://www.w3.org/XML/1998/namespace "


def _may_stand(attribute: str, value: str) -> bool:
    name = f"xml:{attribute.removeprefix(_XML_SPACE)}" if attribute.startswith(_XML_SPACE) else attribute
    if name not in ATTRIBUTES:
        return False
    if name in _ADDRESSES:
        return _LINK.fullmatch(value) is not None
    if name == "src":
        return _IMAGE.fullmatch(value) is not None
    return name != "style" or _ACTIVE_STYLE.search(value) is None
