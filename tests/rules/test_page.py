"""The reference page is what the tables give."""

from __future__ import annotations

from tools.render_access import PAGE, page


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tools.render_access"
