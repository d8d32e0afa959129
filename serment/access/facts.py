"""From a record's sealed facts to the abstract case that `decide` reads.

In this order: `Facts`, the case, every question answered by yes or no; `facts_for`, which answers
them for one actor, one class of items and one act; the patient's side; the professional's side; the
patient's choices; the choice of the cell. Nothing here decides: an ended, future or malformed fact
never grants, a malformed choice still forbids, and what is unknown is left at "no".

One role rules a session: a doctor who is also a patient is one or the other (`Actor.kind`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from serment.access import record_facts as rf
from serment.access.policy import Policy
from serment.access.record_facts import RecordFacts
from serment.access.tables import NOTHING, WRITING
from serment.model import (
    Act,
    Actor,
    ActorKind,
    Category,
    EmergencyReason,
    Function,
    Instant,
    ItemClass,
    Label,
    Purpose,
    RecordToken,
    Regime,
    RequestId,
)

DOCTOR: Final = "10"
"""Code of the medical profession (TRE_G15)."""

EMERGENCY_PURPOSES: Final = frozenset({Purpose.EMERGENCY, Purpose.BREAK_GLASS, Purpose.EMERGENCY_ROOM})
VITAL_DOOR: Final = frozenset({EmergencyReason.UNCONSCIOUS, EmergencyReason.LIFE_THREAT})
OWN_DOOR: Final = VITAL_DOOR | {EmergencyReason.ON_CALL}

THIRD_PARTIES: Final = frozenset({Function.INSURER, Function.LENDER, Function.EMPLOYER})
DECLARED_REASONS: Final = frozenset(
    {
        "visit-today",
        "telephone-advice",
        "result-received",
        "renewal",
        "covering-colleague",
        "letter-received",
        "patient-registered",
        "care-coordination",
    }
)
"""Coded reasons of a declared act of care (ADR 0006); free text opens nothing."""

MINOR_SECRET_CODES: Final = frozenset({Label.MINOR_SECRET, "INVISIBLE_REP_LEGAUX"})
"""One notion, two codes: XDS, CDA and FHIR on one side, HL7 v2 on the other."""

MAJORITY: Final = 18

NO_RECORD: Final = RecordToken(b"")
NO_UNIT: Final = ItemClass(Category.UNMAPPED, "")
NO_REQUEST: Final = RequestId("")
EPOCH: Final = Instant(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One abstract case: what `decide` reads, and the binding of the permit it may give.

    Every boolean is `False` by default and the regime unknown, so that a case that says nothing is
    refused. `cell` holds the acts of the one cell of the grid or matrix that was chosen from the
    facts, with excluded document types and labels that the cell does not name already taken out.
    """

    regime: Regime | None = None
    act: Act = Act.READ
    cell: frozenset[Act] = frozenset()
    # What the request is.
    third_party_purpose: bool = False
    purpose_misfit: bool = False
    care_purpose: bool = False
    creating: bool = False
    # What the actor is to the record or to the item.
    holder: bool = False
    representative: bool = False
    carer: bool = False
    heir: bool = False
    author: bool = False
    attending: bool = False
    emergency: bool = False
    regulation: bool = False
    team: bool = False
    consent: bool = False
    depositing: bool = False
    # What stands in the way.
    closed: bool = False
    blocked: bool = False
    timer_running: bool = False
    minor_secret: bool = False
    third_party: bool = False
    opposed: bool = False
    masked: bool = False
    # What kind of place the item is in.
    patient_only: bool = False
    in_directory: bool = False
    # What a permit is bound to.
    record: RecordToken = NO_RECORD
    unit: ItemClass = NO_UNIT
    request: RequestId = NO_REQUEST
    now: Instant = EPOCH

    @property
    def patient_side(self) -> bool:
        """Tell whether somebody of the patient's side asks."""
        return self.holder or self.representative or self.carer or self.heir

    @property
    def unmasked_emergency(self) -> bool:
        """Tell whether an emergency door is open and the item is not masked (ADR 0002)."""
        return (self.emergency or self.regulation) and not self.masked


class _Case(NamedTuple):
    """One request, as `facts_for` received it."""

    actor: Actor
    purpose: Purpose
    reasons: frozenset[EmergencyReason]
    facts: RecordFacts
    unit: ItemClass
    act: Act
    now: Instant
    policy: Policy
    regime: Regime | None
    creating: bool

    @property
    def at_home(self) -> bool:
        """Tell whether the actor acts in the structure that holds the file."""
        return self.actor.structure == self.facts.structure

    @property
    def names(self) -> tuple[str, ...]:
        """Name the actor and, for a trainee, the supervisor."""
        actor = self.actor
        return (actor.id,) if actor.supervisor is None else (actor.id, actor.supervisor)


class _Relations(NamedTuple):
    """What an actor is to a record or an item."""

    holder: bool = False
    representative: bool = False
    carer: bool = False
    heir: bool = False
    author: bool = False
    attending: bool = False
    emergency: bool = False
    regulation: bool = False
    team: bool = False
    consent: bool = False
    depositing: bool = False


_NOBODY: Final = _Relations()


class _Choices(NamedTuple):
    """What the patient's choices say about one case."""

    closed: bool = False
    blocked: bool = False
    opposed: bool = False
    masked: bool = False
    emergency_opposed: bool = False
    regulation_opposed: bool = False
    team_consent: bool = False
    consent: bool = False


def facts_for(
    actor: Actor,
    purpose: Purpose,
    reasons: frozenset[EmergencyReason],
    record: RecordToken,
    facts: RecordFacts,
    unit: ItemClass,
    act: Act,
    now: Instant,
    request: RequestId,
    policy: Policy,
    *,
    existing: bool = True,
) -> Facts:
    """Answer every question of the abstract case for one actor, one class and one act.

    `existing` is false for the creation of an item, and for nothing else: its author is nobody yet,
    so that creating needs another ground, and the one who creates is not stopped by an opposition
    to looking at what they are about to write. Never raises: what is unknown grants nothing.
    """
    regime = _regime(facts)
    creating = not existing and act in WRITING
    case = _Case(actor, purpose, reasons, facts, unit, act, now, policy, regime, creating)
    rule = policy.purpose(purpose)
    third_party = rule.third_party or actor.kind is ActorKind.THIRD_PARTY or actor.function in THIRD_PARTIES
    misfit = actor.kind not in rule.kinds
    if unit.category is Category.DIRECTORY:
        return Facts(
            act=act,
            cell=_directory_cell(case),
            third_party_purpose=third_party,
            purpose_misfit=misfit,
            care_purpose=rule.care,
            in_directory=True,
            record=record,
            unit=unit,
            request=request,
            now=now,
        )
    choices = _choices(case)
    relations = _relations(case, choices)
    return Facts(
        regime=regime,
        act=act,
        cell=_cell(case, relations),
        third_party_purpose=third_party,
        purpose_misfit=misfit,
        care_purpose=rule.care,
        creating=creating,
        holder=relations.holder,
        representative=relations.representative,
        carer=relations.carer,
        heir=relations.heir,
        author=relations.author,
        attending=relations.attending,
        emergency=relations.emergency,
        regulation=relations.regulation,
        team=relations.team,
        consent=relations.consent,
        depositing=relations.depositing,
        closed=choices.closed,
        blocked=choices.blocked,
        timer_running=_timer_running(unit, now),
        minor_secret=not MINOR_SECRET_CODES.isdisjoint(unit.labels),
        third_party=Label.THIRD_PARTY in unit.labels,
        opposed=choices.opposed,
        masked=choices.masked,
        patient_only=unit.category is Category.CHOICES,
        record=record,
        unit=unit,
        request=request,
        now=now,
    )


def _regime(facts: RecordFacts) -> Regime | None:
    """Read the regime; an unknown one, or an unknown state of the record, is None (refused)."""
    if facts.status not in {rf.ACTIVE, rf.CLOSED}:
        return None
    if facts.regime == Regime.OWN:
        return Regime.OWN
    return Regime.SHARED if facts.regime == Regime.SHARED else None


def _timer_running(unit: ItemClass, now: Instant) -> bool:
    """Tell whether an announcement timer runs; the label with no end runs (CSP R1111-53)."""
    if unit.timer_end is not None:
        return now < unit.timer_end
    return Label.INVISIBLE_PATIENT in unit.labels


def _relations(case: _Case, choices: _Choices) -> _Relations:
    """Say what the actor is; operator, researcher and third party are nobody."""
    relate = _BY_KIND.get(case.actor.kind)
    return _NOBODY if relate is None else relate(case, choices)


# The patient's side.


def _holder(case: _Case, _: _Choices) -> _Relations:
    return _Relations(holder=case.actor.id in case.facts.holders)


def _proxy(case: _Case, _: _Choices) -> _Relations:
    """Read the mandates of a representative, a carer or an heir; an heir has no ground (ADR 0009)."""
    kinds = {m.kind for m in case.facts.mandates if m.actor == case.actor.id and _mandate_holds(m, case)}
    carer = rf.CARER in kinds
    return _Relations(
        representative=rf.REPRESENTATIVE in kinds, carer=carer, heir=rf.HEIR in kinds, consent=carer
    )


def _mandate_holds(mandate: rf.Mandate, case: _Case) -> bool:
    if not rf.grant_in_force(mandate.start, mandate.end, case.now):
        return False
    if mandate.categories and case.unit.category not in mandate.categories:
        return False
    if mandate.kind == rf.REPRESENTATIVE and mandate.basis == rf.PARENTAL:
        return _is_minor(case.facts.birth_date, case.now)
    return True


def _is_minor(birth_date: str, now: Instant) -> bool:
    """Tell whether somebody is under 18; no birth date leaves the mandate to its own dates.

    A partial date counts from its first day and an unreadable one grants nothing.
    """
    if not birth_date:
        return True
    try:
        born = date.fromisoformat((birth_date + "-01-01")[:10] if len(birth_date) < 10 else birth_date)
    except ValueError:
        return False
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age < MAJORITY


# The professional's side.


def _professional(case: _Case, choices: _Choices) -> _Relations:
    actor = case.actor
    if actor.function is Function.TRAINEE and actor.supervisor is None:
        return _NOBODY
    emergency, regulation = _doors(case, choices)
    return _Relations(
        author=_authors(case),
        attending=_attending(case),
        emergency=emergency,
        regulation=regulation,
        team=_team(case, choices),
        consent=choices.consent,
    )


def _staff(case: _Case, _: _Choices) -> _Relations:
    return _Relations(author=_authors(case), team=_delegated_team(case))


def _officer(case: _Case, _: _Choices) -> _Relations:
    """Let an officer name the care team, and nothing else."""
    naming_team = case.unit.category is Category.ADMINISTRATIVE
    return _Relations(team=naming_team and _delegated_team(case))


def _service(case: _Case, _: _Choices) -> _Relations:
    """Let a service of the structure deposit what was received, and nothing else (ADR 0008)."""
    at_work = case.regime is Regime.OWN and case.at_home and case.creating
    return _Relations(depositing=at_work and case.purpose is Purpose.RECORD_MANAGEMENT)


def _authors(case: _Case) -> bool:
    """Tell whether the actor wrote the item, or is about to; a choice is the patient's own word."""
    mine = bool(case.unit.author) and case.unit.author == case.actor.id
    return case.unit.category is not Category.CHOICES and (mine or case.creating)


def _attending(case: _Case) -> bool:
    """Tell whether the actor is the attending physician, confirmed by the holder or a representative."""
    actor, facts = case.actor, case.facts
    if actor.profession != DOCTOR or actor.function is Function.TRAINEE:
        return False
    if case.regime is Regime.OWN and not case.at_home:
        return False
    return any(
        a.actor == actor.id
        and a.confirmed_by != actor.id
        and _speaks_for_holder(a.confirmed_by, facts)
        and rf.grant_in_force(a.start, a.end, case.now)
        for a in facts.attending
    )


def _speaks_for_holder(who: str, facts: RecordFacts) -> bool:
    return who in facts.holders or any(m.actor == who and m.kind == rf.REPRESENTATIVE for m in facts.mandates)


def _team(case: _Case, choices: _Choices) -> bool:
    """Tell whether a dated act of care puts the actor in the team."""
    if case.regime is Regime.OWN:
        return case.at_home and any(
            fact.actor in case.names and _counts_in_own(fact, case) for fact in case.facts.team
        )
    if case.regime is not Regime.SHARED or not choices.team_consent:
        return False
    if case.actor.function is Function.OCCUPATIONAL_PHYSICIAN:
        return False
    return any(
        fact.actor in case.names and not fact.imported and case.policy.opens(fact, Regime.SHARED, case.now)
        for fact in case.facts.team
    )


def _counts_in_own(fact: rf.TeamFact, case: _Case) -> bool:
    if fact.structure not in {"", case.facts.structure}:
        return False
    if fact.kind == rf.DECLARED and fact.reason not in DECLARED_REASONS:
        return False
    return case.policy.opens(fact, Regime.OWN, case.now)


def _delegated_team(case: _Case) -> bool:
    """Tell whether the structure's team is at work: its secretary and officer work for all of it."""
    return (
        case.regime is Regime.OWN
        and case.at_home
        and case.policy.function(case.actor.function).delegated
        and any(_counts_in_own(fact, case) for fact in case.facts.team)
    )


def _doors(case: _Case, choices: _Choices) -> tuple[bool, bool]:
    """Tell which emergency doors are open: (vital or coded reason, regulation call).

    `own`: one coded reason, a care profession of the structure that holds the file. `shared`: the two
    doors of the law, each closed by its own prior opposition (CSP L1111-17 I, R1111-48).
    """
    if case.purpose not in EMERGENCY_PURPOSES:
        return False, False
    actor, reasons = case.actor, case.reasons
    call = actor.regulation and actor.profession == DOCTOR and EmergencyReason.REGULATION in reasons
    if case.regime is Regime.OWN:
        inside = case.at_home and case.policy.function(actor.function).care
        return inside and not OWN_DOOR.isdisjoint(reasons), inside and call
    if case.regime is Regime.SHARED:
        vital = reasons >= VITAL_DOOR and (actor.profession, "10") in case.policy.matrix
        return vital and not choices.emergency_opposed, call and not choices.regulation_opposed
    return False, False


_BY_KIND: Final[dict[ActorKind, Callable[[_Case, _Choices], _Relations]]] = {
    ActorKind.PROFESSIONAL: _professional,
    ActorKind.PATIENT: _holder,
    ActorKind.PROXY: _proxy,
    ActorKind.STAFF: _staff,
    ActorKind.OFFICER: _officer,
    ActorKind.SERVICE: _service,
}


# The patient's choices.


def _choices(case: _Case) -> _Choices:
    """Read every choice once. What this version does not know opposes the whole record."""
    closed = case.facts.status == rf.CLOSED
    blocked = opposed = emergency_opposed = regulation_opposed = team_consent = consent = False
    masked = case.unit.masked or Label.MASKED in case.unit.labels
    for choice in case.facts.choices:
        if choice.kind == rf.CONSENT:
            granted = _consent_counts(choice, case)
            team_consent = team_consent or (granted and not choice.actor)
            consent = consent or (granted and choice.actor == case.actor.id)
        elif rf.veto_in_force(choice, case.now):
            touches = _touches(choice, case)
            closed = closed or choice.kind == rf.CLOSURE
            blocked = blocked or (touches and choice.kind == rf.BLOCKED)
            masked = masked or (touches and choice.kind == rf.MASKED and not choice.item)
            emergency_opposed = emergency_opposed or choice.kind == rf.EMERGENCY_OPPOSED
            regulation_opposed = regulation_opposed or choice.kind == rf.REGULATION_OPPOSED
            opposed = opposed or (touches and _opposes(choice))
    return _Choices(
        closed, blocked, opposed, masked, emergency_opposed, regulation_opposed, team_consent, consent
    )


def _opposes(choice: rf.Choice) -> bool:
    return choice.kind in {rf.OPPOSED, rf.OPPOSED_CATEGORY} or choice.kind not in rf.CHOICE_KINDS


def _touches(choice: rf.Choice, case: _Case) -> bool:
    """Tell whether a forbidding choice speaks of this actor and this category."""
    named = not choice.actor or choice.actor in case.names
    return named and (not choice.category or choice.category == case.unit.category)


def _consent_counts(choice: rf.Choice, case: _Case) -> bool:
    """Tell whether a consent holds: in force, for the class asked, and not self-given."""
    return (
        rf.grant_in_force(choice.start, choice.end, case.now)
        and not choice.item
        and (not choice.category or choice.category == case.unit.category)
        and choice.recorded_by != case.actor.id
    )


# The cell: the row is chosen from the facts first.


def _cell(case: _Case, relations: _Relations) -> frozenset[Act]:
    if case.regime is None:
        return NOTHING
    row = _special_row(relations)
    if case.unit.category is Category.CHOICES:
        return _choices_cell(case, row)
    if case.regime is Regime.OWN:
        by_function = "service" if case.actor.kind is ActorKind.SERVICE else case.actor.function
        return case.policy.own_cell(row or by_function, case.unit)
    cell = _shared_cell(case, relations, row)
    # In `shared`, only the author changes or deletes (EEDS td3.3c).
    if case.act in WRITING and not case.creating and not relations.author:
        return cell - WRITING
    return cell


def _choices_cell(case: _Case, row: str) -> frozenset[Act]:
    """Read the grid in both regimes; a professional adds the patient's words and never changes them."""
    if row in {"holder", "representative"}:
        return case.policy.own_cell(row, case.unit)
    cell = case.policy.own_cell(case.actor.function, case.unit)
    return cell if case.creating else cell - WRITING


def _special_row(relations: _Relations) -> str:
    """Name the row that a relation or an open door chooses, "" for that of the function."""
    for name in ("holder", "representative", "carer", "regulation", "emergency"):
        if getattr(relations, name):
            return name
    return ""


_SHARED_ROWS: Final = {
    "holder": "ACT_PATIENT",
    "representative": "ACT_REPLEGAL",
    "regulation": "ACT_SAMU",
}


def _shared_cell(case: _Case, relations: _Relations, row: str) -> frozenset[Act]:
    if row == "carer":
        return NOTHING
    if row in {"holder", "representative"}:
        cell = case.policy.shared_cell(_SHARED_ROWS[row], case.unit)
        return cell if case.policy.patient_may_deposit(case.unit) else cell - WRITING
    if row == "regulation":
        return case.policy.shared_cell("ACT_SAMU", case.unit)
    if relations.attending:
        return case.policy.shared_cell("ACT_MT", case.unit)
    if case.actor.function is Function.OCCUPATIONAL_PHYSICIAN:
        return case.policy.shared_cell("ACT_TRAVAIL", case.unit)
    # The emergency row is "as the profession": the same row, in a special mode.
    return case.policy.shared_cell(case.actor.profession, case.unit)


def _directory_cell(case: _Case) -> frozenset[Act]:
    """Give what anybody signed in may do in the directory; writing is for those of the structure."""
    row = {ActorKind.PATIENT: "holder", ActorKind.PROXY: "representative", ActorKind.SERVICE: "service"}
    cell = case.policy.own_cell(row.get(case.actor.kind, case.actor.function), case.unit)
    return cell if case.at_home else cell - WRITING
