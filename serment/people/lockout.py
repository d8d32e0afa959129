"""How often a password may be tried: a few times at once, then after waits that grow (NIST SP 800-63B 3.2.2).

A try is counted before anything is compared, under the login as typed, whether somebody has it or not, and
under the network that it comes from. A browser from which the person has signed in before is counted apart:
who tries a doctor's login from elsewhere does not lock the doctor out. Passkeys are not guessed: they never
wait.
"""

from __future__ import annotations

from typing import Final

from serment.errors import TooManyError
from serment.model import Instant
from serment.people.accounts import folded
from serment.record.entrance.tries import Count, Tries

FREE: Final = (5, 50)
"""Tries without a wait: of a login, of a network (a hospital may be behind one address)."""

MOST_WAIT_MS: Final = (15 * 60 * 1000, 60 * 1000)
FIRST_WAIT_MS: Final = 2000
FORGOTTEN_MS: Final = 3600 * 1000
"""After so long without a try, nothing is counted any more."""


class Lockout:
    """Counts tries. Calls may come from any thread and process."""

    def __init__(self, tries: Tries) -> None:
        self._tries = tries

    def count(self, login: str, source: str, device: bytes, now: Instant) -> None:
        """Count one try. `device` is b"" for a browser that the person has not used before.

        Raises `TooManyError` with the seconds to wait; such a try is not counted.
        """
        self._tries.counted(_names(login, source, device), now, lambda place, stood: _next(place, stood, now))

    def succeeded(self, login: str, source: str, device: bytes, now: Instant) -> None:
        """Forget the tries of a login; a network gets back the one that succeeded."""

        def less(place: int, stood: Count) -> Count:
            return (0, 0) if place == 0 else (max(0, stood[0] - 1), stood[1])

        self._tries.counted(_names(login, source, device), now, less)


def _names(login: str, source: str, device: bytes) -> list[str]:
    name = f"try|{folded(login)}|{device.hex()}"
    return [name] if device else [name, f"from|{source}"]


def _next(place: int, stood: Count, now: Instant) -> Count:
    tries, until = stood
    if now - until > FORGOTTEN_MS:
        tries = 0
    if tries >= FREE[place] and until > now:
        raise TooManyError("signin.slow-down", seconds=(until - now) // 1000 + 1)
    over = tries + 1 - FREE[place]
    wait = 0 if over < 0 else min(FIRST_WAIT_MS << min(over, 20), MOST_WAIT_MS[place])
    return tries + 1, now + wait
