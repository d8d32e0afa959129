"""What a narrative may hold: XHTML that shows, and nothing that runs, calls or hides. Attacks by name."""

from __future__ import annotations

import pytest

from serment.errors import InvalidResourceError
from serment.fhir.narrative import MAX_DEPTH, MAX_LENGTH, check_narrative, fault_of

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def div(inner: str) -> str:
    return f"<div {XHTML}>{inner}</div>"


@pytest.mark.parametrize(
    "inner",
    [
        "Bonjour",
        "<p>a &amp; b &lt; c &#233; &#x20;</p>",
        '<table class="grid"><tbody><tr><td colspan="2" style="color: red">x</td></tr></tbody></table>',
        '<a href="https://example.org/x?y=z#t">x</a> <a name="t">y</a> <a href="Patient/1">z</a>',
        '<a href="mailto:a@example.org">x</a> <a href="#t">y</a>',
        f'<img src="{PIXEL}" alt="x"/>',
        '<img src="#photo" alt="x"/>',
        '<p xml:lang="fr" lang="fr" title="x" dir="ltr">x</p>',
        "<!-- a comment --><p>x</p>",
        "<ul><li>x</li></ul><br/><hr/><pre> x </pre>",
        "<![CDATA[<script>]]>",
    ],
)
def test_what_shows_is_taken(inner: str) -> None:
    assert fault_of(div(inner)) == ""
    check_narrative(div(inner))


ELEMENTS = (
    "script style iframe frame object embed applet form input button link base meta svg math video audio"
)


@pytest.mark.parametrize("name", ELEMENTS.split())
def test_an_element_that_runs_calls_or_asks_is_refused(name: str) -> None:
    assert fault_of(div(f"x<{name}/>")) == "fhir.narrative-element"


@pytest.mark.parametrize(
    "attribute",
    [
        'onclick="x()"',
        'onerror="x()"',
        'ONCLICK="x()"',
        'background="http://x/y.png"',
        'srcset="http://x/y.png 2x"',
        'formaction="x"',
        'data-x="1"',
        'href="javascript:alert(1)"',
        'href="JaVaScRiPt:alert(1)"',
        'href=" javascript:alert(1)"',
        'href="java&#10;script:alert(1)"',
        'href="&#106;avascript:alert(1)"',
        'href="vbscript:x"',
        'href="data:text/html,x"',
        'href="file:///etc/passwd"',
        'href="//evil.example"',
        'href="\\\\evil.example"',
        'style="background: url(http://x)"',
        'style="width: expression(alert(1))"',
        'style="behavior: x"',
        'style="u\\72l(x)"',
        'style="u/**/rl(x)"',
        'style="@import x"',
    ],
)
def test_an_attribute_that_runs_or_calls_is_refused(attribute: str) -> None:
    assert fault_of(div(f"<a {attribute}>x</a>")) == "fhir.narrative-attribute"


@pytest.mark.parametrize(
    "source",
    [
        "http://x/pixel.png",
        "https://x/pixel.png",
        "//x/pixel.png",
        "/pixel.png",
        "data:image/svg+xml;base64,AAAA",
        "data:text/html;base64,AAAA",
        "javascript:x",
        "\\\\x\\pixel.png",
    ],
)
def test_a_tracking_pixel_is_refused(source: str) -> None:
    assert fault_of(div(f'x<img src="{source}"/>')) == "fhir.narrative-attribute"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<div>x</div>",
        f"<p {XHTML}>x</p>",
        f"<div {XHTML}>x",
        f"<div {XHTML}>x</p></div>",
        f"<div {XHTML}>x</div><div {XHTML}>y</div>",
        f"<div {XHTML}>&nbsp;</div>",
        f"<div {XHTML}>x<p xmlns=''>y</p></div>",
        f"<div {XHTML} class='a' class='b'>x</div>",
        f"<div {XHTML}><?php x ?></div>",
        f"<?xml version='1.0'?><div {XHTML}>x</div>",
        f"<div {XHTML}><s:svg xmlns:s='http://www.w3.org/2000/svg'>x</s:svg></div>",
        '<h:div xmlns:h="http://evil">x</h:div>',
        f"<div {XHTML}>\ud800</div>",
    ],
)
def test_what_is_not_one_xhtml_div_is_refused(text: str) -> None:
    assert fault_of(text) == "fhir.narrative-not-xhtml"


def test_the_empty_narrative_is_refused() -> None:
    assert fault_of(div(" <p>\n</p> ")) == "fhir.narrative-empty"


_LAUGHS = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
BILLION_LAUGHS = f'<!DOCTYPE div [<!ENTITY a "ha">{_LAUGHS}]><div {XHTML}>&h;</div>'


@pytest.mark.parametrize(
    "text",
    [
        BILLION_LAUGHS,
        f'<!DOCTYPE div SYSTEM "http://evil/x.dtd"><div {XHTML}>x</div>',
        f'<!DOCTYPE div [<!ENTITY x SYSTEM "file:///etc/passwd">]><div {XHTML}>&x;</div>',
    ],
    ids=["billion laughs", "external subset", "external entity"],
)
def test_entity_attacks_are_refused_before_anything_is_expanded(text: str) -> None:
    assert fault_of(text) == "fhir.narrative-not-xhtml"


def test_nesting_and_length_are_bounded() -> None:
    deep = "<b>" * MAX_DEPTH + "x" + "</b>" * MAX_DEPTH
    assert fault_of(div(deep)) == "fhir.narrative-too-deep"
    assert fault_of(div("x" * MAX_LENGTH)) == "fhir.too-long"


def test_the_refusal_repeats_nothing_of_the_text() -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        check_narrative(div("<script>Dupont</script>"))
    assert "Dupont" not in repr(refusal.value) + str(refusal.value)
