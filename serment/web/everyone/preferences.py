"""What a person chose on this device, and every cookie with its purpose and life. No banner: all are needed.

The choices are one cookie, set by this form only. Nobody need be signed in: the browser itself says that the
form is ours.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serment.door import browser
from serment.door.asking import language_of
from serment.door.preferences import COOKIE, COOKIE_SECONDS, Preferences
from serment.people.arriving import CHOICE_MS
from serment.people.openid import FLOW_MS
from serment.record.entrance.sessions import SESSION_MS
from serment.web.entry.joining import INVITATION, KEPT_SECONDS
from serment.web.entry.openid import TICKET
from serment.web.entry.signing import ARRIVAL, ARRIVAL_MS
from serment.web.everyone.visitor import around
from serment.web.forms import Form, form_of
from serment.web.shell import go_to, page
from serment.words import Language, say

DAY_SECONDS: Final = 24 * 3600
MINUTE_MS: Final = 60 * 1000

COOKIES: Final = (
    (browser.SESSION, "session", {"hours": SESSION_MS // (60 * MINUTE_MS)}),
    (browser.DEVICE, "device", {"days": browser.DEVICE_SECONDS // DAY_SECONDS}),
    (INVITATION, "step", {"minutes": KEPT_SECONDS // 60}),
    (ARRIVAL, "step", {"minutes": ARRIVAL_MS // MINUTE_MS}),
    (TICKET, "step", {"minutes": max(FLOW_MS, CHOICE_MS) // MINUTE_MS}),
    (COOKIE, "preferences", {"days": COOKIE_SECONDS // DAY_SECONDS}),
)
"""Every cookie that this server sets: its name, the sentence that says what it is for, how long it lasts."""


async def preferences(request: Request) -> Response:
    """Show what is chosen, and take a new choice. Raises `RefusedError` for a form of another site."""
    if request.method == "POST":
        browser.from_our_page(request)
        return _kept(request, await form_of(request))
    saved, language = "saved" in request.query_params, language_of(request)
    cookies = [
        (
            name,
            say(f"everyone.cookie-{what}", language),
            say(
                "everyone.cookie-days" if "days" in life else f"everyone.cookie-{what}-life", language, **life
            ),
        )
        for name, what, life in COOKIES
    ]
    return page(request, "everyone/preferences.html", cookies=cookies, saved=saved, **around(request))


def chosen_of(form: Form) -> Preferences:
    """Read a choice from its form; what it does not know is left out."""
    said = form.get("language", "")
    language = Language(said) if said in {one.value for one in Language} else None
    return Preferences(language, keys="keys" in form, large="large" in form)


def _kept(request: Request, form: Form) -> Response:
    chosen = Preferences() if "forget" in form else chosen_of(form)
    if not chosen.written():
        answer: Response = go_to("/preferences")
        browser.drop(request, answer, COOKIE)
        return answer
    answer = go_to("/preferences?saved")
    browser.keep(request, answer, COOKIE, chosen.written(), age=COOKIE_SECONDS)
    return answer
