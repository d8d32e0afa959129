"""The people of the rule tables, and one record in each regime. Plain values; nothing real."""

from __future__ import annotations

from typing import Final

from serment.access.decide import decide
from serment.access.facts import Facts
from serment.access.policy import shipped_policy
from serment.access.record_facts import (
    APPOINTMENT,
    CONSENT,
    ENCOUNTER,
    REPRESENTATIVE,
    Attending,
    Choice,
    Mandate,
    RecordFacts,
    TeamFact,
)
from serment.access.relations import facts_for
from serment.access.scopes import Scope, parse
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    Denial,
    EmergencyReason,
    Function,
    Instant,
    ItemClass,
    Permit,
    Purpose,
    Reason,
    RecordToken,
    RequestId,
)

NOW: Final = Instant(1_795_000_000_000)  # 18 November 2026
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
RECORD: Final = RecordToken(b"r" * 16)
REQUEST: Final = RequestId("act-1")
PRACTICE: Final = "practice"
HOSPITAL: Final = "hospital"


def professional(
    name: str,
    profession: str,
    function: Function,
    structure: str = PRACTICE,
    supervisor: ActorId | None = None,
    *,
    regulation: bool = False,
) -> Actor:
    """Sign a professional in."""
    return Actor(
        ActorId(f"rpps:{name}"),
        ActorKind.PROFESSIONAL,
        profession=profession,
        function=function,
        structure=structure,
        supervisor=supervisor,
        regulation=regulation,
    )


DOCTOR: Final = professional("doctor", "10", Function.TREATING_DOCTOR)
ASSOCIATE: Final = professional("associate", "10", Function.ASSOCIATE)
LOCUM: Final = professional("locum", "10", Function.LOCUM)
TRAINEE: Final = professional("trainee", "10", Function.TRAINEE, supervisor=DOCTOR.id)
ALONE: Final = professional("trainee", "10", Function.TRAINEE)
NURSE: Final = professional("nurse", "60", Function.NURSE)
DENTIST: Final = professional("dentist", "40", Function.DENTIST)
PHARMACIST: Final = professional("pharmacist", "21", Function.PHARMACIST)
PSYCHOLOGIST: Final = professional("psychologist", "93", Function.PSYCHOLOGIST)
STRANGER: Final = professional("stranger", "10", Function.TREATING_DOCTOR, "other-practice")
REGULATOR: Final = professional("regulator", "10", Function.REGULATING_DOCTOR, "call-centre", regulation=True)
OCCUPATIONAL: Final = professional("occupational", "10", Function.OCCUPATIONAL_PHYSICIAN, "works")
SECRETARY: Final = Actor(
    ActorId("staff:secretary"), ActorKind.STAFF, function=Function.SECRETARY, structure=PRACTICE
)
OFFICER: Final = Actor(
    ActorId("staff:officer"), ActorKind.OFFICER, function=Function.SECURITY_OFFICER, structure=PRACTICE
)
OPERATOR: Final = Actor(
    ActorId("staff:operator"), ActorKind.OPERATOR, function=Function.OPERATOR, structure=PRACTICE
)
RESEARCHER: Final = Actor(
    ActorId("staff:researcher"), ActorKind.RESEARCHER, function=Function.RESEARCHER, structure=PRACTICE
)
INSURER: Final = Actor(ActorId("staff:insurer"), ActorKind.THIRD_PARTY, function=Function.INSURER)
IMPORTER: Final = Actor(ActorId("service:import"), ActorKind.SERVICE, structure=PRACTICE)
PATIENT: Final = Actor(ActorId("patient:one"), ActorKind.PATIENT)
OTHER_PATIENT: Final = Actor(ActorId("patient:two"), ActorKind.PATIENT)
MOTHER: Final = Actor(ActorId("proxy:mother"), ActorKind.PROXY)
CARER: Final = Actor(ActorId("proxy:carer"), ActorKind.PROXY)
HEIR: Final = Actor(ActorId("proxy:heir"), ActorKind.PROXY)


def scoped(*scopes: str, record: RecordToken | None = None) -> Scope:
    """Give what a token with these scopes carries."""
    return Scope(tuple(one for one in map(parse, scopes) if one is not None), record=record)


UNIT: Final = ItemClass(Category.LABS, "Observation", ("N",))
LETTER: Final = ItemClass(Category.REPORT, "11488-4", ("N",))

OWN: Final = RecordFacts(regime="own", structure=PRACTICE, holders=(PATIENT.id,))
SHARED: Final = RecordFacts(
    regime="shared",
    structure=HOSPITAL,
    holders=(PATIENT.id,),
    choices=(Choice("c0", CONSENT, start=NOW - DAY, recorded_by=PATIENT.id),),
)


def seen(actor: Actor, kind: str = ENCOUNTER, *, days: float = 1, structure: str = "") -> TeamFact:
    """Make a dated act of care that began some days ago."""
    start = int(NOW - days * DAY)
    return TeamFact(actor.id, kind, start, start + HOUR, structure, source=f"{kind}/{actor.id}")


def attended_by(actor: Actor, confirmed_by: str = PATIENT.id) -> Attending:
    """Declare an attending physician since last year."""
    return Attending(actor.id, NOW - 365 * DAY, confirmed_by=confirmed_by)


def mandate(actor: Actor, kind: str = REPRESENTATIVE) -> Mandate:
    """Give a mandate since last year."""
    return Mandate(actor.id, kind, NOW - 365 * DAY)


def delegated(actor: Actor, category: str, *, days: float = 30, by: str = PATIENT.id) -> Choice:
    """Record the holder's word that a carer may read a category, for some days."""
    return Choice(
        f"c-carer-{actor.id}-{category}",
        CONSENT,
        actor.id,
        category,
        start=NOW - DAY,
        end=int(NOW + days * DAY),
        recorded_by=by,
    )


def chosen(kind: str, actor: Actor | None = None, category: str = "", item: str = "") -> Choice:
    """Record a choice of the patient, in force since yesterday."""
    name = "" if actor is None else actor.id
    return Choice(f"c-{kind}-{name}", kind, name, category, item, NOW - DAY, recorded_by=PATIENT.id)


TEAM: Final = OWN.with_team(seen(DOCTOR)).with_team(seen(NURSE)).with_team(seen(ASSOCIATE, APPOINTMENT))
SHARED_TEAM: Final = SHARED.with_team(seen(DOCTOR)).with_team(seen(NURSE))

USUAL: Final = {
    ActorKind.PROFESSIONAL: Purpose.TREAT,
    ActorKind.STAFF: Purpose.PATIENT_ADMINISTRATION,
    ActorKind.PATIENT: Purpose.PATIENT_REQUEST,
    ActorKind.PROXY: Purpose.FAMILY_REQUEST,
    ActorKind.OFFICER: Purpose.COMPLIANCE,
    ActorKind.OPERATOR: Purpose.SYSTEM_ADMINISTRATION,
    ActorKind.RESEARCHER: Purpose.RESEARCH,
    ActorKind.THIRD_PARTY: Purpose.COVERAGE,
    ActorKind.SERVICE: Purpose.RECORD_MANAGEMENT,
}
"""The purpose that each kind of actor names when a row says nothing."""


def asked(
    actor: Actor,
    facts: RecordFacts = TEAM,
    unit: ItemClass = UNIT,
    act: Act = Act.READ,
    *,
    purpose: Purpose | None = None,
    reasons: frozenset[Reason] = frozenset(),
    now: Instant = NOW,
    existing: bool | None = None,
    scope: Scope | None = None,
) -> Facts:
    """Answer the questions of one request."""
    return facts_for(
        actor,
        purpose or USUAL[actor.kind],
        reasons,
        RECORD,
        facts,
        unit,
        act,
        now,
        REQUEST,
        shipped_policy(),
        existing=existing,
        scope=scope,
    )


def in_emergency(
    actor: Actor,
    facts: RecordFacts = TEAM,
    unit: ItemClass = UNIT,
    *reasons: EmergencyReason,
    act: Act = Act.READ,
    scope: Scope | None = None,
) -> Facts:
    """Answer the questions of one request by an emergency door (both vital reasons when none is named)."""
    coded = frozenset(reasons) or frozenset({EmergencyReason.UNCONSCIOUS, EmergencyReason.LIFE_THREAT})
    return asked(actor, facts, unit, act, purpose=Purpose.BREAK_GLASS, reasons=coded, scope=scope)


def rule_of(facts: Facts) -> str:
    """Decide and give the rule that spoke."""
    return decide(facts).rule


def opens(facts: Facts) -> bool:
    """Decide and tell whether a permit came out."""
    answer: Permit | Denial = decide(facts)
    return isinstance(answer, Permit)
