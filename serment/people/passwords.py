"""What a password must be: long, unknown to others, none of one's names (NIST SP 800-63B rev. 4, ANSSI).

Twelve characters at least, any characters, no rule of composition and no date of expiry: it changes when it
is known to have leaked. It is never the only factor.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from serment.errors import RequestError
from serment.people.breached import Breached, folded

SHORTEST: Final = 12
LONGEST: Final = 256
_LEAST_LEFT: Final = 8
_LEAST_DIFFERENT: Final = 5
_LEAST_NAME: Final = 4


def acceptable(password: str, names: tuple[str, ...], breached: Breached) -> str:
    """Give a password as it is kept (NFC). `names` are the person's login, name, workplaces.

    Raises `RequestError` that says what is wrong with it, never quoting it.
    """
    typed = unicodedata.normalize("NFC", password)
    if not SHORTEST <= len(typed) <= LONGEST:
        raise RequestError("signin.password-length", shortest=SHORTEST, longest=LONGEST)
    if len(set(folded(typed))) < _LEAST_DIFFERENT or len(_without(typed, names)) < _LEAST_LEFT:
        raise RequestError("signin.password-guessed")
    if breached.knows(typed):
        raise RequestError("signin.password-known")
    return typed


def _without(password: str, names: tuple[str, ...]) -> str:
    """Give what is left of a password when the words that everybody knows of its owner are out."""
    left = folded(password)
    words = {word for name in names for word in re.split(r"[^a-z0-9]+", folded(name))}
    for word in sorted((one for one in words if len(one) >= _LEAST_NAME), key=len, reverse=True):
        left = left.replace(word, "")
    return left
