"""THE decision: facts of one case in, a permit or a denial out.

    0. an unknown regime, or a purpose that this actor may not use: no
    1 to 9. the vetoes, in order (`vetoes.py`); the first that stands speaks
    then the grounds, in order (`grounds.py`); one is enough
    last: nothing spoke, no

Two other questions: `decide_find`, whether somebody may find a person by an exact token; `decide_duty`,
whether somebody may read who a person is to declare what the law demands.
`Permit` is built in this file and nowhere else. Nothing here reads a clock, a store or a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from serment.access.facts import EPOCH, NO_RECORD, NO_REQUEST, Facts
from serment.access.grounds import first_ground
from serment.access.vetoes import first_veto
from serment.model import (
    Act,
    Category,
    Denial,
    Instant,
    ItemClass,
    Label,
    Permit,
    RecordToken,
    Regime,
    RequestId,
)

PERMIT_MS: Final = 60_000
"""How long a permit opens rows: one request, slow exits included."""

IDENTITY_UNIT: Final = ItemClass(Category.IDENTITY, "Patient", (Label.NORMAL,))
"""What finding a person shows: name, birth date, sex, identity status; never contact."""


def decide(facts: Facts) -> Permit | Denial:
    """Say whether this case is permitted, and by which rule.

    Always answers; the permit is bound to the record, unit, act and request of the facts, and ends
    `PERMIT_MS` after their instant.
    """
    # 0. What we do not know, we refuse. The directory belongs to no patient, hence to no regime.
    if facts.regime is None and not facts.in_directory:
        return Denial("D0.regime", "regime")
    # 1 to 9. Vetoes first.
    veto = first_veto(facts)
    if veto is not None:
        return veto
    # After veto 1, so that an insurer's purpose is always named as such.
    if facts.purpose_misfit:
        return Denial("D0.purpose", "purpose")
    # Then one ground is enough.
    ground = first_ground(facts)
    if ground is not None:
        return Permit(
            ground, facts.act, facts.record, facts.unit, facts.request, Instant(facts.now + PERMIT_MS)
        )
    # Nothing spoke: no.
    return Denial("D0.silence", "ground", ("declared-act", "emergency", "consent"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The facts of one search for a person (issue: finding a person).

    `by_ins` and `by_compound` say by which exact token the person was asked for, `as_typed` that the
    beginning of a name was typed (a short answer, counted and traced: ADR 47). `finder` is a care
    professional or a secretary signed in with a care purpose; `same_structure` that they act in
    the structure that holds the file.
    """

    regime: Regime | None = None
    third_party_purpose: bool = False
    finder: bool = False
    same_structure: bool = False
    by_ins: bool = False
    by_compound: bool = False
    as_typed: bool = False
    closed: bool = False
    blocked: bool = False
    record: RecordToken = NO_RECORD
    unit: ItemClass = IDENTITY_UNIT
    request: RequestId = NO_REQUEST
    now: Instant = EPOCH


def decide_find(finding: Finding) -> Permit | Denial:
    """Say whether somebody may see who a person is, found by an exact token or, in `own`, as they type.

    A block does not hide the name inside the structure that holds the file: hiding it would make a
    second record of the same person. In `shared` a closed or blocking record is not found (ADR 0009).
    """
    refusal = _find_refused(finding)
    if refusal is not None:
        return refusal
    own = "F3.as-typed" if finding.as_typed else "F1.structure"
    rule = own if finding.regime is Regime.OWN else "F2.ins"
    until = Instant(finding.now + PERMIT_MS)
    return Permit(rule, Act.READ, finding.record, finding.unit, finding.request, until)


def _find_refused(finding: Finding) -> Denial | None:
    if finding.unit.category is not Category.IDENTITY:
        return Denial("F0.unit", "identity")
    if finding.third_party_purpose:
        return Denial("V1.third-party-purpose", "care-purpose")
    if not finding.finder:
        return Denial("F0.finder", "care-profession")
    if finding.regime is Regime.OWN:
        found = finding.same_structure and (finding.by_ins or finding.by_compound or finding.as_typed)
        return None if found else Denial("F0.structure", "structure")
    if finding.regime is Regime.SHARED:
        found = finding.by_ins and not finding.closed and not finding.blocked
        return None if found else Denial("F0.ins", "ins")
    return Denial("D0.regime", "regime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """The facts of one declaration that the law demands (CSP L3113-1; Code civil 55, 78).

    `declarant` is a professional who owes this form; `attends` that they stand before the person by a dated
    act of care or an open emergency door. What the patient chose is not among the questions, on purpose.
    """

    regime: Regime | None = None
    third_party_purpose: bool = False
    declarant: bool = False
    attends: bool = False
    record: RecordToken = NO_RECORD
    unit: ItemClass = IDENTITY_UNIT
    request: RequestId = NO_REQUEST
    now: Instant = EPOCH


def decide_duty(owing: Owing) -> Permit | Denial:
    """Say whether somebody may read who the person is, to declare what the law demands."""
    if owing.unit.category is not Category.IDENTITY:
        return Denial("L0.unit", "identity")
    if owing.third_party_purpose:
        return Denial("V1.third-party-purpose", "care-purpose")
    if owing.regime is None:
        return Denial("D0.regime", "regime")
    if not owing.declarant:
        return Denial("L0.declarant", "declarant")
    if not owing.attends:
        return Denial("L0.attends", "act-of-care", ("declared-act", "emergency"))
    until = Instant(owing.now + PERMIT_MS)
    return Permit("L1.duty", Act.READ, owing.record, owing.unit, owing.request, until)
