"""Going out, in a real browser: the button closes the page, and no script ever sees the cookie."""

from __future__ import annotations

import pytest

from tests.doors.served import Served
from tests.pages.conftest import Opening


@pytest.mark.parametrize("script", [True, False])
def test_signing_out_by_the_button_closes_the_page(opening: Opening, server: Served, script: bool) -> None:
    window = opening(script=script).enter(server.patient_actor(), "/me")
    window.page.click('header form[action="/sign-out"] button:not([type=button])')
    window.page.wait_for_url("**/sign-in**")
    assert window.go("/me").status == 401
    assert "pas connecté" in window.text


def test_no_script_reads_the_cookie_of_a_session(opening: Opening, server: Served) -> None:
    window = opening().enter(server.patient_actor(), "/me")
    assert window.page.evaluate("document.cookie") == ""
