"""May they: record facts, facts of one case, vetoes and grounds, grid and matrix, categories, proof.

`facts_for` answers the questions, `decide` decides, `classify` says what an item is. Pure: no
database, network, asyncio or clock; time is a fact that is passed in.
"""

from serment.access.decide import Finding, decide, decide_find
from serment.access.facts import Facts
from serment.access.find import finding_for
from serment.access.policy import Policy, shipped_policy
from serment.access.record_facts import RecordFacts
from serment.access.relations import facts_for

__all__ = [
    "Facts",
    "Finding",
    "Policy",
    "RecordFacts",
    "decide",
    "decide_find",
    "facts_for",
    "finding_for",
    "shipped_policy",
]
