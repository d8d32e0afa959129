"""What the officer's page says of the store's alarms, on plain values."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from serment.web.pages import page
from serment.words import Language, say


def officer_page(alarms: list[str]) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/officer", "headers": []})
    ledger = {"good": True, "size": 3, "faults": 0}
    return bytes(page(request, "officer.html", ledger=ledger, disk=None, alarms=alarms).body).decode()


@pytest.mark.parametrize("alarm", ["store.full", "store.reserve-spent"])
def test_an_alarm_of_the_store_is_said_as_an_alert(alarm: str) -> None:
    shown = officer_page([say(alarm, Language.FR)])
    assert 'role="alert"' in shown
    assert say(alarm, Language.FR).partition(",")[0].partition("'")[0] in shown


def test_without_an_alarm_nothing_alerts() -> None:
    assert 'role="alert"' not in officer_page([])
