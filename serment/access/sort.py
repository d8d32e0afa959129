"""Who sorts identities: sees suspected duplicates, merges two records, undoes it, reports a collision.

The structure's own staff whose function finds people and works for the whole team (its secretary; a
structure gives that function to its identity officer). Sorting gives no right on what the records hold:
each of their Patients is read and written by the rules of any other item. Pure.
"""

from __future__ import annotations

from typing import Final

from serment.access.decide import Finding, decide_find
from serment.access.policy import Policy
from serment.model import Actor, ActorKind, Denial, Permit

RULE: Final = "I1.sort"
REFUSED: Final = Denial("I0.sorter", "function")


def sorts(actor: Actor, finding: Finding, policy: Policy) -> Permit | Denial:
    """Say whether somebody sorts the identities of the structure that the finding is about."""
    function = policy.function(actor.function)
    if actor.kind is not ActorKind.STAFF or not (function.finds and function.delegated):
        return REFUSED
    return decide_find(finding)
