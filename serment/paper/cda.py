"""A CDA document (HL7 CDA R2) made safe to show: what it says, in a few elements that we write ourselves.

The XML is read by expat: a document type or an entity ends the reading, no instruction is followed and no
address fetched. Of the narrative block a short list of elements is taken, without one attribute but the span
of a cell; nothing of the file is passed through as it is. What a document holds whole instead of sections (a
PDF in `nonXMLBody`) is given as bytes, to be shown as any file of its type.

Order: what comes out, reading, the tree, narrative, the header. Pure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

SPACE: Final = "urn:hl7-org:v3"
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_NODES: Final = 60_000
MOST_DEPTH: Final = 60

ELEMENTS: Final = {
    "paragraph": "p",
    "list": "ul",
    "item": "li",
    "table": "table",
    "caption": "caption",
    "thead": "thead",
    "tbody": "tbody",
    "tfoot": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "br": "br",
    "sub": "sub",
    "sup": "sup",
    "content": "span",
    "footnote": "small",
    "linkHtml": "span",
}
"""Elements of the narrative block (CDA R2 4.3.5), and those of a page that stand for them."""

_BOLD: Final = frozenset({"bold", "emphasis"})


@dataclass(frozen=True, slots=True)
class Node:
    """An element of a page: its name, one of the list above; its children, texts and elements.

    `span` is how many columns a cell takes, 1 for the rest.
    """

    name: str
    children: tuple[Node | str, ...] = field(repr=False)
    span: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its title, its narrative, those inside it."""

    title: str = field(repr=False)
    text: tuple[Node | str, ...] = field(repr=False)
    inside: tuple[Section, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What a CDA document says of itself. `day` is `YYYYMMDD…` as written, or "".

    `content` and `media_type`: what it holds in the place of sections, empty when it has some.
    """

    title: str = field(repr=False)
    day: str
    authors: tuple[str, ...] = field(repr=False)
    patient: str = field(repr=False)
    sections: tuple[Section, ...] = field(repr=False)
    content: bytes = field(default=b"", repr=False)
    media_type: str = ""


class NotCdaError(Exception):
    """A file is no CDA document that we read: not XML, another root, active or too large."""


def read(raw: bytes) -> Document:
    """Read a document. Raises `NotCdaError`."""
    root = _tree(raw)
    if root.name != "ClinicalDocument":
        raise NotCdaError
    body = next(iter(_steps(root, "component", "nonXMLBody", "text")), None)
    content = b"" if body is None else _content(body)
    return Document(
        _words(_first(root, "title")),
        _attribute(_first(root, "effectiveTime"), "value"),
        tuple(filter(None, map(_author, root.of("author")))),
        _name(next(iter(_steps(root, "recordTarget", "patientRole", "patient", "name")), None)),
        tuple(_sections(_steps(root, "component", "structuredBody", "component", "section"))),
        content,
        _attribute(body, "mediaType") if content else "",
    )


# Reading.


@dataclass(slots=True)
class _Element:
    """One element as it was read; a name of another space is ""."""

    name: str
    attributes: dict[str, str] = field(repr=False)
    children: list[_Element | str] = field(default_factory=list, repr=False)

    def of(self, name: str) -> Iterator[_Element]:
        """Give the children of a name."""
        return (one for one in self.children if isinstance(one, _Element) and one.name == name)


class _Reader:
    """Builds the tree; stops at what no document needs."""

    def __init__(self) -> None:
        self.open = [_Element("", {})]
        self.count = 0
        parser = expat.ParserCreate(None, " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refused
        parser.EntityDeclHandler = self._refused
        parser.ExternalEntityRefHandler = self._refused
        self.parser = parser

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self.count += 1
        if self.count > MOST_NODES or len(self.open) > MOST_DEPTH:
            raise NotCdaError
        made = _Element(local if space == SPACE else "", attributes)
        self.open[-1].children.append(made)
        self.open.append(made)

    def _end(self, _name: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        self.open[-1].children.append(text)

    def _refused(self, *_declared: object) -> int:
        raise NotCdaError


def _tree(raw: bytes) -> _Element:
    if len(raw) > MOST_BYTES:
        raise NotCdaError
    reader = _Reader()
    try:
        reader.parser.Parse(raw, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise NotCdaError from None
    for one in reader.open[0].children:
        if isinstance(one, _Element):
            return one
    raise NotCdaError


def _steps(start: _Element, *names: str) -> Iterator[_Element]:
    """Give the elements that a path of names leads to."""
    if not names:
        yield start
        return
    for one in start.of(names[0]):
        yield from _steps(one, *names[1:])


def _first(element: _Element, name: str) -> _Element | None:
    return next(element.of(name), None)


def _attribute(element: _Element | None, name: str) -> str:
    return "" if element is None else element.attributes.get(name, "")


def _words(element: _Element | None) -> str:
    """Give all the text below an element, blanks folded."""
    return "" if element is None else " ".join("".join(_texts(element)).split())


def _texts(element: _Element) -> Iterator[str]:
    for one in element.children:
        if isinstance(one, str):
            yield one
        else:
            yield from _texts(one)


# Sections and their narrative.


def _sections(found: Iterable[_Element]) -> Iterator[Section]:
    for one in found:
        text = _first(one, "text")
        narrative = () if text is None else tuple(_narrative(text))
        yield Section(
            _words(_first(one, "title")), narrative, tuple(_sections(_steps(one, "component", "section")))
        )


def _narrative(element: _Element) -> Iterator[Node | str]:
    """Take what is on the list; of anything else its text stays, its element goes."""
    for one in element.children:
        if isinstance(one, str):
            yield one
        elif one.name == "caption" and element.name == "list":
            yield Node("li", tuple(_narrative(one)))  # a list of a page has no caption
        elif one.name in ELEMENTS:
            yield _node(one)
        elif one.name != "renderMultiMedia":
            yield from _narrative(one)


def _node(element: _Element) -> Node:
    name = ELEMENTS[element.name]
    if element.name == "content" and _BOLD & set(element.attributes.get("styleCode", "").lower().split()):
        name = "strong"
    if element.name == "list" and element.attributes.get("listType") == "ordered":
        name = "ol"
    span = element.attributes.get("colspan", "1") if name in {"td", "th"} else "1"
    wide = int(span) if span.isdecimal() and len(span) < 3 else 1
    return Node(name, () if name == "br" else tuple(_narrative(element)), max(1, wide))


# The header.


def _author(element: _Element) -> str:
    """Name an author: the person with the structure, else the device."""
    person = next(iter(_steps(element, "assignedAuthor", "assignedPerson", "name")), None)
    device = next(iter(_steps(element, "assignedAuthor", "assignedAuthoringDevice", "softwareName")), None)
    place = next(iter(_steps(element, "assignedAuthor", "representedOrganization", "name")), None)
    return ", ".join(part for part in (_name(person) or _words(device), _words(place)) if part)


def _name(element: _Element | None) -> str:
    """Write a name: its parts in their order, else its text."""
    if element is None:
        return ""
    parts = [_words(one) for kind in ("prefix", "given", "family", "suffix") for one in element.of(kind)]
    return " ".join(part for part in parts if part) or _words(element)


def _content(body: _Element) -> bytes:
    """Give what stands in `nonXMLBody`: bytes in base64, or text."""
    text = "".join(_texts(body))
    if body.attributes.get("representation") != "B64":
        return text.strip().encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise NotCdaError from None
