"""What a browser was asked to remember for its person: language, single keys, size of text. One cookie.

It exists only after somebody chose on the preferences page, opens nothing and names nobody; what it says that
is not known is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from serment.door import browser
from serment.words import Language

COOKIE: Final = "serment-preferences"
COOKIE_SECONDS: Final = 400 * 24 * 3600
NO_KEYS: Final = "no-keys"
LARGE: Final = "large"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody chose; `language` None: as the browser prefers. `keys`: single keys act (WCAG 2.1.4)."""

    language: Language | None = None
    keys: bool = True
    large: bool = False

    def written(self) -> str:
        """Write them as the cookie holds them: words between dots."""
        words = [self.language.value] if self.language else []
        words += [] if self.keys else [NO_KEYS]
        words += [LARGE] if self.large else []
        return ".".join(words)


def preferences_of(request: Request) -> Preferences:
    """Read what the browser remembers; the usual where it says nothing."""
    words = browser.cookie(request, COOKIE).split(".")
    language = next((Language(word) for word in words if word in {one.value for one in Language}), None)
    return Preferences(language, NO_KEYS not in words, LARGE in words)
