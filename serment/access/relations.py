"""From a record's sealed facts to the abstract case that `decide` reads.

In this order: `facts_for`, which answers every question for one actor, one class of items and one
act; `Standing`, the same for many classes of one record; the professional's side. The patient's side is in
`patient_side`.
Nothing here decides: an ended, future or malformed fact never grants, and what is unknown is left at
"no".

One role rules a session: a doctor who is also a patient is one or the other (`Actor.kind`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from serment.access import record_facts as rf
from serment.access.case import NOBODY, Case, Relations, unsupervised
from serment.access.cells import cell_for, directory_cell
from serment.access.choices import Choices, read_choices
from serment.access.facts import Facts
from serment.access.patient_side import holder, proxy, withheld
from serment.access.policy import CLINICAL, Policy
from serment.access.record_facts import RecordFacts
from serment.access.scopes import Scope
from serment.access.tables import WRITING
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
    Reason,
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

NAMED_BY_OFFICERS: Final = frozenset({"CareTeam", "RelatedPerson"})
QUARANTINE: Final = "Quarantine"
"""Document type of what an import could not file; no resource of FHIR has this name."""

NO_CHOICE: Final = Choices()


def facts_for(
    actor: Actor,
    purpose: Purpose,
    reasons: frozenset[Reason],
    record: RecordToken,
    facts: RecordFacts,
    unit: ItemClass,
    act: Act,
    now: Instant,
    request: RequestId,
    policy: Policy,
    *,
    existing: bool | None = None,
    scope: Scope | None = None,
) -> Facts:
    """Answer every question of the abstract case for one actor, one class and one act.

    `existing` matters for writing: False for a creation, True for a change or a deletion of an item
    whose stored author is `unit.author`. Left at None, having written is no ground (nobody
    creates where only authorship would let them) and in `shared` only an author's item is written.
    Never raises: what is unknown grants nothing.
    """
    standing = Standing(actor, purpose, reasons, record, facts, now, request, policy, scope)
    return standing.facts(unit, act, existing=existing)


class Standing:
    """One actor before one record during one request: asked for each class of items and each act.

    What does not hang on the class is read once, what hangs on its category once for each. Bound to the
    facts, the instant and the request that it was made with; `facts` never raises.
    """

    __slots__ = (
        "_at",
        "_care_purpose",
        "_choices",
        "_kept",
        "_misfit",
        "_narrow",
        "_record",
        "_regime",
        "_relate",
        "_request",
        "_scope",
        "_third_party",
    )

    def __init__(
        self,
        actor: Actor,
        purpose: Purpose,
        reasons: frozenset[Reason],
        record: RecordToken,
        facts: RecordFacts,
        now: Instant,
        request: RequestId,
        policy: Policy,
        scope: Scope | None = None,
    ) -> None:
        rule = policy.purpose(purpose)
        self._at = (actor, purpose, reasons, facts, now, policy)
        self._record, self._request, self._scope = record, request, scope
        self._regime = _regime(facts)
        self._third_party = rule.third_party or _third_party(actor)
        self._misfit = actor.kind not in rule.kinds
        self._care_purpose = rule.care
        self._relate = _BY_KIND.get(actor.kind)
        self._narrow = any(choice.author or choice.labels for choice in facts.choices)
        self._choices: dict[tuple[Category, bool, str, tuple[str, ...]], Choices] = {}
        self._kept: dict[Callable[[Case], bool], bool] = {}

    def facts(self, unit: ItemClass, act: Act, *, existing: bool | None = None) -> Facts:
        """Answer every question of the abstract case for one class and one act, as `facts_for` does."""
        actor, purpose, reasons, facts, now, policy = self._at
        writing = act in WRITING
        case = Case(actor, purpose, reasons, facts, unit, act, now, policy, self._regime, existing, writing)
        in_directory = unit.category is Category.DIRECTORY
        choices, relations = (NO_CHOICE, NOBODY) if in_directory else self._about_patient(case)
        return Facts(
            regime=None if in_directory else self._regime,
            act=act,
            cell=directory_cell(case) if in_directory else cell_for(case, relations),
            third_party_purpose=self._third_party,
            purpose_misfit=self._misfit,
            care_purpose=self._care_purpose,
            creating=case.creating,
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
            outside_scope=self._scope is not None and not self._scope.covers(unit, act, self._record),
            closed=choices.closed,
            blocked=choices.blocked,
            timer_running=_timer_running(unit, now),
            minor_secret=not MINOR_SECRET_CODES.isdisjoint(unit.labels),
            third_party=Label.THIRD_PARTY in unit.labels,
            withheld=withheld(case),
            opposed=choices.opposed,
            masked=choices.masked,
            patient_only=unit.category is Category.CHOICES,
            in_directory=in_directory,
            record=self._record,
            unit=unit,
            request=self._request,
            now=now,
        )

    def once(self, question: Callable[[Case], bool], case: Case) -> bool:
        """Answer a question that reads neither the class nor the act: once, for the first case that asks."""
        answer = self._kept.get(question)
        if answer is None:
            answer = self._kept[question] = question(case)
        return answer

    def _about_patient(self, case: Case) -> tuple[Choices, Relations]:
        """Read the choices and the relations; the directory, which belongs to no patient, has neither."""
        unit = case.unit
        part = (unit.author, unit.labels) if self._narrow else ("", ())
        key = (unit.category, unit.masked or Label.MASKED in unit.labels, *part)
        choices = self._choices.get(key)
        if choices is None:
            choices = self._choices[key] = read_choices(case)
        return choices, NOBODY if self._relate is None else self._relate(case, choices, self)


def _third_party(actor: Actor) -> bool:
    """Tell whether an insurer, a lender or an employer asks, whatever purpose they name."""
    return actor.kind is ActorKind.THIRD_PARTY or actor.function in THIRD_PARTIES


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


# The professional's side.


def _professional(case: Case, choices: Choices, standing: Standing) -> Relations:
    actor = case.actor
    if unsupervised(actor):
        return NOBODY
    emergency, regulation = _doors(case, choices)
    return Relations(
        author=_authors(case),
        attending=standing.once(_attending, case),
        emergency=emergency,
        regulation=regulation,
        team=(case.regime is Regime.OWN or choices.team_consent) and standing.once(_on_team, case),
        consent=choices.consent,
    )


def _staff(case: Case, _: Choices, standing: Standing) -> Relations:
    return Relations(author=_authors(case), team=standing.once(_delegated_team, case))


def _officer(case: Case, _: Choices, standing: Standing) -> Relations:
    """Let an officer name the care team and the related persons, and nothing else."""
    naming = case.unit.document_type in NAMED_BY_OFFICERS and case.unit.category not in CLINICAL
    return Relations(team=naming and standing.once(_delegated_team, case))


def _service(case: Case, _: Choices, __: Standing) -> Relations:
    """Let a service of the structure deposit what was received, and nothing else (ADR 0008).

    What it put in quarantine, which is in nobody's record, it takes out again to file it.
    """
    managing = case.purpose is Purpose.RECORD_MANAGEMENT
    at_work = case.regime is Regime.OWN and case.at_home and case.creating
    sorting = managing and case.unit.document_type == QUARANTINE and _authors(case)
    return Relations(author=sorting, depositing=at_work and managing)


def _authors(case: Case) -> bool:
    """Tell whether the actor wrote the item, or is about to; a choice is the patient's own word."""
    about_to = case.writing and case.existing is False
    return case.unit.category is not Category.CHOICES and (case.mine or about_to)


def _attending(case: Case) -> bool:
    """Tell whether the actor is the attending physician; a trainee or a locum of theirs is not (ADR 40)."""
    actor = case.actor
    if actor.profession != DOCTOR or actor.function is Function.TRAINEE:
        return False
    if case.regime is Regime.OWN and not case.at_home:
        return False
    return _attends(actor.id, case)


def _attends(doctor: str, case: Case) -> bool:
    """Tell whether a doctor was confirmed as the attending physician, by another than themselves."""
    return any(
        a.actor == doctor
        and a.confirmed_by != doctor
        and _may_confirm(a, case.facts)
        and rf.grant_in_force(a.start, a.end, case.now)
        for a in case.facts.attending
    )


def _may_confirm(attending: rf.Attending, facts: RecordFacts) -> bool:
    """Tell whether who confirmed could: the holder, a representative, or the insurer's own service."""
    who = attending.confirmed_by
    if attending.insurer:
        return who == rf.INSURER_SERVICE
    return who in facts.holders or any(
        m.actor == who and m.kind == rf.REPRESENTATIVE and m.basis != rf.ASSISTANCE for m in facts.mandates
    )


def _replaces_attending(case: Case) -> bool:
    """Tell whether a locum replaces the attending physician: a place in the team, and no more (ADR 40)."""
    actor = case.actor
    replaced = actor.replaces if actor.function is Function.LOCUM else None
    return bool(replaced) and actor.profession == DOCTOR and _attends(str(replaced), case)


def _on_team(case: Case) -> bool:
    """Tell whether a dated act of care puts the actor in the team; `shared` asks for a consent beside it."""
    names = case.names
    own = [fact for fact in case.facts.team if fact.actor in names]
    if case.regime is Regime.OWN:
        seen = any(_counts_in_own(fact, case) for fact in own)
        return case.at_home and (seen or _replaces_attending(case))
    if case.regime is not Regime.SHARED:
        return False
    if case.actor.function is Function.OCCUPATIONAL_PHYSICIAN:
        return False
    return any(not fact.imported and case.policy.opens(fact, Regime.SHARED, case.now) for fact in own)


def _counts_in_own(fact: rf.TeamFact, case: Case) -> bool:
    if fact.structure not in {"", case.facts.structure}:
        return False
    if fact.kind == rf.DECLARED and fact.reason not in DECLARED_REASONS:
        return False
    return case.policy.opens(fact, Regime.OWN, case.now)


def _delegated_team(case: Case) -> bool:
    """Tell whether the structure's team is at work: its secretary and officer work for all of it."""
    return (
        case.regime is Regime.OWN
        and case.at_home
        and case.policy.function(case.actor.function).delegated
        and any(_counts_in_own(fact, case) for fact in case.facts.team)
    )


def _doors(case: Case, choices: Choices) -> tuple[bool, bool]:
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


_BY_KIND: Final[dict[ActorKind, Callable[[Case, Choices, Standing], Relations]]] = {
    ActorKind.PROFESSIONAL: _professional,
    ActorKind.PATIENT: holder,
    ActorKind.PROXY: proxy,
    ActorKind.STAFF: _staff,
    ActorKind.OFFICER: _officer,
    ActorKind.SERVICE: _service,
}
