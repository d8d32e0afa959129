"""What somebody of the patient's side is to a record: the person, who represents them, a carer, an heir.

In this order: the person, the proxies, the mandates, age and death. Nothing here decides: an ended, future or
malformed fact never grants, and what is unknown is left at "no" (ADR 42).

Death ends every mandate save that of the parents of a minor who died (CSP L1110-4 V), and nobody writes on
behalf of the dead.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from serment.access import record_facts as rf
from serment.access.case import NOBODY, Case, Relations
from serment.access.choices import Choices, consent_counts
from serment.access.tables import LOOKING
from serment.model import ActorKind, Category, HeirGround, Instant, Label, Reason

MAJORITY: Final = 18


def holder(case: Case, _: Choices, __: object) -> Relations:
    """Tell whether the record is the asker's own; nobody signs in as a dead person."""
    return Relations(holder=case.actor.id in case.facts.holders and not died(case.facts, case.now))


def proxy(case: Case, _: Choices, __: object) -> Relations:
    """Read what a RelatedPerson may do: represent, care by the holder's consent, or inherit."""
    if died(case.facts, case.now):
        if case.act not in LOOKING:
            return NOBODY
        return Relations(representative=_represents(case), heir=_inherits(case))
    carer = _cares(case)
    return Relations(representative=_represents(case), carer=carer, consent=carer)


def withheld(case: Case) -> bool:
    """Tell whether a report of abuse is withheld: from every proxy, and from its alleged author.

    Code penal 226-14 lets a professional report; who may have done it hears of it from a judge.
    """
    if Label.VIOLENCE not in case.unit.labels:
        return False
    return case.actor.kind is ActorKind.PROXY or not set(case.names).isdisjoint(case.facts.accused)


# Mandates.


def _represents(case: Case) -> bool:
    return any(
        one.actor == case.actor.id and one.kind == rf.REPRESENTATIVE and _mandate_holds(one, case)
        for one in case.facts.mandates
    )


def _mandate_holds(mandate: rf.Mandate, case: Case) -> bool:
    if not _given(mandate, case):
        return False
    if mandate.basis == rf.PARENTAL:
        return _under_parents(case.facts, case.now)
    if died(case.facts, case.now):
        return False
    if mandate.basis == rf.ASSISTANCE:
        return _assists(case)
    return mandate.basis == rf.REPRESENTATION


def _given(mandate: rf.Mandate, case: Case) -> bool:
    """Tell whether a mandate rules at this instant, on this category."""
    wide = not mandate.categories or case.unit.category in mandate.categories
    return wide and rf.grant_in_force(mandate.start, mandate.end, case.now)


def _assists(case: Case) -> bool:
    """Tell whether the adult consents that who assists them reads: beside the person, never for them."""
    if case.unit.category is Category.CHOICES or case.act not in LOOKING:
        return False
    return any(_said_by_holder(one, case) for one in case.facts.choices)


def _cares(case: Case) -> bool:
    """Tell whether the holder named the asker as a carer: for this category, to an end."""
    return any(
        one.category and one.end is not None and _said_by_holder(one, case) for one in case.facts.choices
    )


def _said_by_holder(choice: rf.Choice, case: Case) -> bool:
    """Tell whether the holder, and nobody else, consented in force to this proxy for this class."""
    said = choice.kind == rf.CONSENT and choice.actor == case.actor.id
    return said and choice.recorded_by in case.facts.holders and consent_counts(choice, case)


def _inherits(case: Case) -> bool:
    """Tell whether an heir names one of the three grounds, to whom the dead person did not object."""
    if heir_ground(case.reasons) is None or _objected(case.facts, case.now):
        return False
    return any(
        one.actor == case.actor.id and one.kind == rf.HEIR and _given(one, case)
        for one in case.facts.mandates
    )


def heir_ground(reasons: frozenset[Reason]) -> HeirGround | None:
    """Give the one ground that a request names; none, or several, open nothing."""
    named = [reason for reason in reasons if isinstance(reason, HeirGround)]
    return named[0] if len(named) == 1 and len(reasons) == 1 else None


def _objected(facts: rf.RecordFacts, now: Instant) -> bool:
    return any(one.kind == rf.HEIRS_OPPOSED and rf.veto_in_force(one, now) for one in facts.choices)


# Age and death.


def died(facts: rf.RecordFacts, now: Instant) -> bool:
    """Tell whether the person has died."""
    return facts.deceased is not None and facts.deceased <= now


def _under_parents(facts: rf.RecordFacts, now: Instant) -> bool:
    """Tell whether somebody is, or died, under 18 and not emancipated.

    No birth date leaves the mandate to its own dates. A partial date counts from its first day, and an
    unreadable one grants nothing.
    """
    at = now if facts.deceased is None else Instant(min(now, facts.deceased))
    if facts.emancipated and _reached(facts.emancipated, 0, at):
        return False
    return not (facts.birth_date and _reached(facts.birth_date, MAJORITY, at))


def _reached(text: str, years: int, at: Instant) -> bool:
    """Tell whether so many years have passed since a date; an unreadable one has passed."""
    try:
        since = date.fromisoformat((text + "-01-01")[:10] if len(text) < 10 else text)
    except ValueError:
        return True
    today = datetime.fromtimestamp(at / 1000, UTC).date()
    passed = today.year - since.year - ((today.month, today.day) < (since.month, since.day))
    return passed >= years


__all__ = ["MAJORITY", "died", "heir_ground", "holder", "proxy", "withheld"]
