"""What the officer's page says of the store's alarms, on plain values."""

from __future__ import annotations

import pytest
from markupsafe import escape
from starlette.requests import Request

from serment.record import alarms
from serment.web.shell import page
from serment.words import Language, say


def officer_page(said: list[str], strangers: int = 0) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/officer", "headers": []})
    ledger = {"good": True, "size": 3, "faults": 0}
    shown = page(request, "officer/security.html", ledger=ledger, disk=None, alarms=said, strangers=strangers)
    return bytes(shown.body).decode()


ALARMS = (
    "store.full",
    "store.reserve-spent",
    *(value for name, value in vars(alarms).items() if name.isupper() and isinstance(value, str)),
)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_of_the_store_is_said_as_an_alert(alarm: str) -> None:
    shown = officer_page([say(alarm, Language.FR)])
    assert 'role="alert"' in shown
    assert escape(say(alarm, Language.FR)) in shown


def test_strangers_are_counted_and_nothing_else_is_said_of_them() -> None:
    assert say("web.officer.strangers-none", Language.FR) in officer_page([])
    assert escape(say("web.officer.strangers-some", Language.FR, count=41)) in officer_page([], strangers=41)


def test_without_an_alarm_nothing_alerts() -> None:
    assert 'role="alert"' not in officer_page([])
