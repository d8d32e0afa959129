"""Write docs/reference/asvs.md: what of OWASP ASVS 5.0.0 is met at sign-in, and which test shows it.

`python -m tools.render_asvs` writes the page from `tools/asvs.tsv` and from the numbers that the code holds;
with `--check` it says whether the committed page is what they give, exit code 1 when it is not. A row of the
table: id of the requirement, level, what it asks in our words, how it stands (`STATES`), how it is met or
why it does not apply, what is missing, the tests that show it (`path::function`, blanks between).

Order: the rows, what is written down, the tables.
"""

from __future__ import annotations

import csv
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from serment import settings
from serment.people import grants, inviting, local, lockout, openid, passwords, signing, tokens
from serment.record.entrance import session_rows
from tools.generated import kept

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "asvs.md"
TABLE = ROOT / "tools" / "asvs.tsv"
WIDTH: Final = 140

MET: Final = "met"
PARTLY: Final = "partly"
NOT_DONE: Final = "not done"
NONE: Final = "does not apply"
STATES: Final = (MET, PARTLY, NOT_DONE, NONE)

CHAPTERS: Final = {
    "6": "Authentication",
    "7": "Session management",
    "9": "Self-contained tokens",
    "10": "OAuth and OpenID Connect",
}

OPENING: Final = """This page is made by `python -m tools.render_asvs` from `tools/asvs.tsv`; the build
fails when it is old, when a test that it names is not there, and when a requirement is missing. Ids and
levels are those of [OWASP Application Security Verification Standard
5.0.0](https://github.com/OWASP/ASVS/tree/v5.0.0), chapters V6, V7, V9 and V10; what each asks is said in
our own words, so read the standard for its own. Nobody but us has judged these rows, and only these four
chapters were gone through."""

READING: Final = """A row is **met** when tests show it, **partly** when they show some of it (what is
missing is said), **not done** when it is left out, and it **does not apply** where there is nothing of the
kind here."""


class Requirement(NamedTuple):
    """One row of the table, as it stands there."""

    id: str
    level: str
    asks: str
    state: str
    how: str
    missing: str
    tests: str

    @property
    def chapter(self) -> str:
        """Give the number of the chapter."""
        return self.id.partition(".")[0]


def requirements() -> list[Requirement]:
    """Read the table."""
    with TABLE.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        return [Requirement(**row) for row in rows]


# What the standard wants written down (6.1, 7.1): the numbers are the code's.

WAYS: Final = (
    ("a passkey", "whoever has an account", "two factors: the device, and the person whom it verified"),
    ("a password and a one-time or recovery code", "whoever has an account", "two factors"),
    ("Pro Santé Connect", "professionals, by RPPS", "two factors: only such values of `acr` are registered"),
    ("another identity provider", "whom an invitation bound to a subject there", "the same"),
    ("a program (OAuth)", "for whoever agreed; a backend for its structure", "PKCE, signed assertion, DPoP"),
    ("a one-time link", "**demonstration stores only**", "none: nobody real is behind it"),
)


def _written() -> Iterator[str]:
    yield "## What is written down\n"
    yield "### The ways in\n"
    yield from _rows(("way", "of whom", "strength"), WAYS)
    yield _paragraph("""Whatever the way, one place begins the session (`people/signing.py`) and asks two
        factors of every person. Which maker's device it is is not asked; passkeys may be synchronised, and
        a password with a code stays allowed, so that level 3 is not claimed where it asks for hardware.
        Why: ADR [48](../adr/0048-a-session-is-of-one-browser.md),
        [49](../adr/0049-a-wrong-login-works-as-hard.md), [50](../adr/0050-who-comes-in-by-a-provider.md),
        [51](../adr/0051-a-program-does-less-than-its-person.md).""")
    yield from _guessing()
    yield from _lasting()
    yield "### Sessions here and elsewhere\n"
    yield _paragraph("""All sessions of a person are in one exercise: choosing another ends them. One that
        begins at an identity provider is ours from then on: it lasts as long as any other, whatever becomes
        of the one there, and ends early when the provider says so (back-channel logout). Signing out here
        does not sign out there. Whoever must prove it again there does so anew (`prompt=login`), and the
        provider must say when (`auth_time`). Which `acr` counts as two factors is registered with the
        provider; a token without one, or with another, is refused: nothing weaker is supposed.""")


def _guessing() -> Iterator[str]:
    (login, network), (most, most_network) = lockout.FREE, lockout.MOST_WAIT_MS
    yield "### Against guessing\n"
    yield _paragraph(f"""A try is counted before anything is compared, alike for a login that nobody has. Of
        a login {login} tries are free; then the next one waits {_span(lockout.FIRST_WAIT_MS)}, doubled each
        time, up to {_span(most)}. Of a network {network} are free, then up to {_span(most_network)}. After
        {_span(lockout.FORGOTTEN_MS)} without a try nothing is counted. Nobody is locked out
        for good, and whoever tries a login from elsewhere slows only browsers that its person has not used
        yet: a known one is counted apart, and passkeys never wait. These numbers stand in
        `people/lockout.py`; there is nothing to configure.""")
    yield _paragraph(f"""A password has {passwords.SHORTEST} to {passwords.LONGEST} signs of any kind and no
        date. It is refused when it is known: a word of `people/common.toml` (the product's name among them)
        whatever stands around it, a row of keys, the person's own login, name and workplaces, and the list
        of leaked passwords that the site names (`SERMENT_BREACHED`). An invitation is good once, for
        {_span(inviting.LASTS_MS)}; a challenge to a passkey once, for {_span(local.CHALLENGE_MS)}.""")


def _lasting() -> Iterator[str]:
    idle, most_idle = _span(session_rows.IDLE_MS), f"up to {settings.MOST_IDLE} minutes (`SERMENT_IDLE`)"
    lines = (
        ("a session", f"{settings.MOST_HOURS} hours", "fewer (`SERMENT_SESSION`)"),
        ("until an unused one is locked", idle, most_idle),
        ("a proof counts as fresh", _span(session_rows.FRESH_MS), "-"),
        ("sessions of one person at a time", str(signing.MOST_SESSIONS), "the oldest ends"),
        ("an unfinished sign-in at a provider", _span(openid.FLOW_MS), "-"),
        ("an authorisation code", _span(grants.CODE_MS), "-"),
        ("an access token", _span(tokens.ACCESS_MS), "-"),
        (
            "what was agreed with a program",
            _span(grants.ONLINE_MS),
            f"{_span(grants.OFFLINE_MS)} if agreed so",
        ),
    )
    yield "### How long\n"
    yield from _rows(("what", "lasts", "otherwise"), lines)
    yield _paragraph("""NIST SP 800-63B-4 asks for another proof after 24 hours, or an hour unused, at AAL2;
        after 12 hours, or 15 minutes unused, at AAL3. The defaults are those of AAL3; a site may choose a
        longer pause, up to that of AAL2.""")


def _span(ms: int) -> str:
    """Say how long something lasts."""
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000)):
        if ms % size == 0 and ms > size:
            return f"{ms // size} {unit}s"
        if ms == size:
            return f"1 {unit}"
    raise ValueError


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


# The tables.


def page() -> str:
    """Write the page."""
    rows = requirements()
    parts = [
        "# Sign-in, held against ASVS 5.0\n",
        *map(_paragraph, (OPENING, READING)),
        *_counted(rows),
        *_written(),
        *_chapters(rows),
    ]
    return "\n".join(parts).rstrip("\n") + "\n"


def _counted(rows: list[Requirement]) -> Iterator[str]:
    lines = [(f"V{n} {title}", [row for row in rows if row.chapter == n]) for n, title in CHAPTERS.items()]
    counted = [(title, Counter(row.state for row in some)) for title, some in [*lines, ("together", rows)]]
    yield from _rows(
        ("chapter", *STATES), ((title, *(str(count[state]) for state in STATES)) for title, count in counted)
    )


def _chapters(rows: list[Requirement]) -> Iterator[str]:
    for number, title in CHAPTERS.items():
        yield f"## V{number} {title}\n"
        some = [row for row in rows if row.chapter == number]
        lines = ((row.id, row.level, row.asks, _stands(row), _shown(row)) for row in some)
        yield from _rows(("id", "level", "asks", "how it stands", "tests"), lines)


def _stands(row: Requirement) -> str:
    missing = f" *Missing:* {row.missing}" if row.missing else ""
    return f"**{row.state}**. {row.how}{missing}"


def _shown(row: Requirement) -> str:
    return "<br>".join(f"`{one.removeprefix('tests/')}`" for one in row.tests.split()) or "-"


def _rows(header: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"| {' | '.join(cells)} |" for cells in (header, tuple("---" for _ in header), *lines))
    yield ""


if __name__ == "__main__":
    raise SystemExit(kept({PAGE: page()}, sys.argv[1:]))
