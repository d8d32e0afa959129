"""A simulator of the national service of prescriptions, for demonstrations: numbers that exist nowhere else.

It keeps the contract of `exits/prescribing.National`: one number for each prescription, none twice; what was
dispensed is not taken back. Its numbers begin with `DEMO`, so that nobody takes one for a real one.
"""

from __future__ import annotations

from hashlib import sha256
from threading import Lock

from serment.errors import ConflictError, RequestError


class SimulatedNational:
    """The service, in memory. Calls may come from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._given: dict[str, str] = {}
        self.dispensed: set[str] = set()
        self.cancelled: set[str] = set()

    def register(self, number: str, prescriber: str, matricule: str) -> str:
        """Give the national number of a prescription; the same one when it is asked again."""
        if not number or not prescriber or not matricule:
            raise RequestError("paper.national-refused")
        with self._lock:
            made = "DEMO" + sha256(number.encode()).hexdigest()[:16].upper()
            self._given[made] = number
            return made

    def cancel(self, national: str) -> None:
        """Take a number back, unless it was dispensed."""
        with self._lock:
            if national not in self._given:
                raise RequestError("paper.national-refused")
            if national in self.dispensed:
                raise ConflictError("paper.national-dispensed")
            self.cancelled.add(national)
