"""Who may prescribe medicines: a question of profession, apart from what somebody may write in a record.

Doctors (CSP L4161-1), dentists (L4141-2) and midwives (L4151-4), within their own lists; a trainee doctor
under a supervisor who is named on the paper (R6153-3). The limited rights of nurses, physiotherapists and
others (L4311-1, L4321-1) are not modelled: refused. Articles recalled, not read again (`verified` no).
"""

from __future__ import annotations

from typing import Final

from serment.model import Actor, ActorKind, Function

PROFESSIONS: Final = frozenset({"10", "40", "50"})
"""Codes of TRE_G15: doctor, dentist, midwife."""


def may_prescribe(actor: Actor) -> bool:
    """Say whether somebody may sign a prescription in the role in which they are signed in."""
    if actor.kind is not ActorKind.PROFESSIONAL or actor.profession not in PROFESSIONS:
        return False
    return actor.function is not Function.TRAINEE or bool(actor.supervisor)
