"""A CDA document made safe: a few elements of ours, no attribute of theirs, nothing fetched."""

from __future__ import annotations

import base64

import pytest

from serment.paper.cda import ELEMENTS, MOST_DEPTH, Node, NotCdaError, Section, read

HEAD = (
    '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Compte rendu</title><effectiveTime value="20260305"/>'
    "<recordTarget><patientRole><patient><name><given>Rose</given><family>BOIS</family></name></patient>"
    "</patientRole></recordTarget><author><assignedAuthor><assignedPerson><name><prefix>Dr</prefix>"
    "<given>Paul</given><family>LIN</family></name></assignedPerson><representedOrganization>"
    "<name>Hôpital</name></representedOrganization></assignedAuthor></author>"
)


def document(narrative: str, title: str = "Conclusion") -> bytes:
    section = f"<section><title>{title}</title><text>{narrative}</text></section>"
    body = f"<component><structuredBody><component>{section}</component></structuredBody></component>"
    return f"{HEAD}{body}</ClinicalDocument>".encode()


def narrative(text: str) -> tuple[Node | str, ...]:
    return read(document(text)).sections[0].text


def test_a_document_says_what_it_is_of_whom_and_by_whom() -> None:
    found = read(document("Rien"))
    assert (found.title, found.day, found.patient) == ("Compte rendu", "20260305", "Rose BOIS")
    assert found.authors == ("Dr Paul LIN, Hôpital",)
    assert found.sections == (Section("Conclusion", ("Rien",)),)


def test_a_table_is_a_table() -> None:
    row = '<table><tbody><tr><td colspan="2">a</td><td>b</td></tr></tbody></table>'
    cells = (Node("td", ("a",), 2), Node("td", ("b",)))
    assert narrative(row) == (Node("table", (Node("tbody", (Node("tr", cells),)),)),)


def test_sections_stand_inside_sections() -> None:
    inner = "<component><section><title>B</title><text>b</text></section></component>"
    raw = document("a").replace(b"</text></section>", f"</text>{inner}</section>".encode())
    assert read(raw).sections[0].inside == (Section("B", ("b",)),)


@pytest.mark.parametrize(
    "active",
    [
        "<script>alert(1)</script>",
        '<paragraph onclick="alert(1)" style="x" ID="a">',
        '<linkHtml href="javascript:alert(1)">',
        '<img src="http://a.example/x.png"/>',
        '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
        '<renderMultiMedia referencedObject="a"><caption>x</caption></renderMultiMedia>',
    ],
)
def test_nothing_of_a_file_passes_but_words_and_elements_of_the_list(active: str) -> None:
    closing = (
        "</paragraph>" if active.startswith("<paragraph") else "</linkHtml>" if "linkHtml" in active else ""
    )

    def check(one: Node | str) -> None:
        if isinstance(one, Node):
            assert one.name in {*ELEMENTS.values(), "strong", "ol"}
            for child in one.children:
                check(child)

    for one in narrative(f"avant {active}dedans{closing} après"):
        check(one)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html/>",
        b'<ClinicalDocument xmlns="urn:other"/>',
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]>' + document("&b;"),
        b'<!DOCTYPE a SYSTEM "http://a.example/a.dtd">' + document("a"),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + document("&b;"),
        document("<list>" * (MOST_DEPTH + 1) + "</list>" * (MOST_DEPTH + 1)),
        document("<br/>" * 60_001),
        b'<?xml version="1.0" encoding="no-such"?><a/>',
    ],
)
def test_what_is_active_too_deep_or_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(NotCdaError):
        read(raw)


def test_a_file_that_a_document_holds_is_given_as_bytes() -> None:
    text = (
        f'<text mediaType="application/pdf" representation="B64">{base64.b64encode(b"%PDF-").decode()}</text>'
    )
    raw = f"{HEAD}<component><nonXMLBody>{text}</nonXMLBody></component></ClinicalDocument>"
    found = read(raw.encode())
    assert (found.content, found.media_type, found.sections) == (b"%PDF-", "application/pdf", ())


def test_words_are_bold_where_the_document_says_so() -> None:
    assert narrative('<content styleCode="Bold">a</content>') == (Node("strong", ("a",)),)
