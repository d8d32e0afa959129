"""Conditional reads: which copy is fresh still."""

from __future__ import annotations

import pytest

from serment.fhir.freshness import fresh, http_date, instant

NOON = 1_795_262_400_000
"""2026-11-21T12:00:00Z, in ms."""


@pytest.mark.parametrize(
    ("none_match", "since", "said"),
    [
        ("", None, False),
        ('W/"3"', None, True),
        ('"3"', None, True),
        ('W/"2", W/"3"', None, True),
        ("*", None, True),
        ('W/"2"', None, False),
        ("3", None, False),
        ('W/"2"', NOON + 60_000, False),  # a tag is more exact than a date
        ("", NOON, True),
        ("", NOON - 1000, False),
        ("", NOON + 60_000, True),
    ],
)
def test_a_copy_is_fresh_by_its_tag_else_by_its_date(none_match: str, since: int | None, said: bool) -> None:
    assert fresh(3, NOON + 999, none_match, since) is said


def test_a_date_that_is_none_is_not_said() -> None:
    assert http_date("Sat, 21 Nov 2026 12:00:00 GMT") == NOON == instant("2026-11-21T12:00:00Z")
    for other in ("", "yesterday", "2026-11-21", "Sat, 99 Nov 2026 12:00:00 GMT", "0" * 400):
        assert http_date(other) is None
    for other in ("", "yesterday", "Sat, 21 Nov 2026 12:00:00 GMT"):
        assert instant(other) is None
