"""The grounds, in the order in which they are named; one is enough.

1. holder (CSP L1111-7, L1111-19)
2. representative (CSP L1111-7, R1111-33, R1111-50)
3. author of the item (CSP R1111-49); nobody is the author of what is being created
4. attending physician, confirmed by the holder and never self-declared (CSP L1111-16)
5. emergency doors, on coded reasons (CSP L1111-17 I, R1111-48)
6. care team by a dated act of care (CSP L1110-4 III, L1110-12)
7. explicit consent for this professional (CSP L1110-4 III, R1111-46)

Two more open nothing of a patient: 8. the directory, for a care purpose; 9. a service of the
structure that deposits what it received and reads nothing (ADR 0008). The last: 10. an heir or a partner
after death, on one of the three grounds of CSP L1110-4 V (ADR 42).

Silence is no ground: `decide` refuses when none of these speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from serment.access.facts import Facts

GROUNDS: Final[tuple[tuple[str, Callable[[Facts], bool]], ...]] = (
    ("G1.holder", lambda f: f.holder),
    ("G2.representative", lambda f: f.representative),
    ("G3.author", lambda f: f.author and not f.creating),
    ("G4.attending", lambda f: f.attending),
    ("G5.regulation", lambda f: f.regulation),
    ("G5.emergency", lambda f: f.emergency),
    ("G6.team", lambda f: f.team),
    ("G7.consent", lambda f: f.consent),
    ("G8.directory", lambda f: f.in_directory and f.care_purpose),
    ("G9.deposit", lambda f: f.depositing and f.creating),
    ("G10.heir", lambda f: f.heir),
)


def first_ground(facts: Facts) -> str | None:
    """Give the rule id of the first ground that holds, or None."""
    for rule, holds in GROUNDS:
        if holds(facts):
            return rule
    return None
