"""What is sealed per record and read by every decision: team, mandates, attending physician, choices.

In this order: the words of a fact, the facts, `RecordFacts` with its pure edits, `pack` and `unpack`
(MessagePack; fields are only ever added, with a default), and the two readings of time: what forbids
lasts when in doubt, what grants does not. Nothing here decides, reads a clock or touches a store.

Kinds are plain strings on purpose: a kind that this version does not know is kept, grants nothing
and, among the choices, forbids everything (HOUSE promise 5: unknown state, refused).
"""

from __future__ import annotations

from typing import Final

import msgspec

from serment.errors import IntegrityError
from serment.model import Instant

VERSION: Final = 1

ACTIVE: Final = "active"
CLOSED: Final = "closed"

STAY: Final = "stay"
APPOINTMENT: Final = "appointment"
ORDER: Final = "order"
REFERRAL: Final = "referral"
ON_CALL: Final = "on-call"
ENCOUNTER: Final = "encounter"
CARE_TEAM: Final = "care-team"
DECLARED: Final = "declared"
REGISTRATION: Final = "registration"

REPRESENTATIVE: Final = "representative"
HEIR: Final = "heir"

PARENTAL: Final = "parental"
REPRESENTATION: Final = "representation"
ASSISTANCE: Final = "assistance"
BASES: Final = frozenset({PARENTAL, REPRESENTATION, ASSISTANCE})
"""What a representative acts upon; guardians of property and safeguards of justice give none (ADR 42)."""

OPPOSED: Final = "opposed"
OPPOSED_CATEGORY: Final = "opposed-category"
BLOCKED: Final = "blocked"
MASKED: Final = "masked"
EMERGENCY_OPPOSED: Final = "emergency-opposed"
REGULATION_OPPOSED: Final = "regulation-opposed"
RESEARCH_OPPOSED: Final = "research-opposed"
OPPOSED_PART: Final = "opposed-part"
HEIRS_OPPOSED: Final = "heirs-opposed"
CONSENT: Final = "consent"
CLOSURE: Final = "closed"

INSURER_SERVICE: Final = "service:insurer"
"""The one service whose word that the health insurance confirmed an attending physician counts."""

CHOICE_KINDS: Final = frozenset(
    {
        OPPOSED,
        OPPOSED_CATEGORY,
        BLOCKED,
        MASKED,
        EMERGENCY_OPPOSED,
        REGULATION_OPPOSED,
        RESEARCH_OPPOSED,
        OPPOSED_PART,
        HEIRS_OPPOSED,
        CONSENT,
        CLOSURE,
    }
)


class TeamFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dated act of care that puts `actor` in the care team (CSP L1110-4 III, L1110-12).

    `start` and `end` are ms; `source` names the resource that says so; `reason` is the coded reason
    of a declared act. An imported fact counts in `own` only. `said` is the instant at which somebody
    last wrote that the act had ended or still ran (0: nobody did). A `provisional` one was
    written by somebody who stood on a declared act or an emergency (ADR 26).
    """

    actor: str
    kind: str
    start: int
    end: int | None = None
    structure: str = ""
    imported: bool = False
    source: str = ""
    reason: str = ""
    said: int = 0
    provisional: bool = False


class Mandate(msgspec.Struct, frozen=True, omit_defaults=True):
    """Leave to act for the person (representative), or to ask after their death (heir).

    `categories` narrows the mandate (empty: all), as a judge does. A mandate of `basis` parental ends by
    itself when the person comes of age or is emancipated (Code civil 388, 413-6); one of representation
    lasts as said; one of assistance opens nothing without the adult's own consent (CSP L1111-2 III).
    A carer has no mandate: the holder's consent names them (`Choice`).
    """

    actor: str
    kind: str
    start: int
    end: int | None = None
    categories: tuple[str, ...] = ()
    basis: str = PARENTAL


class Attending(msgspec.Struct, frozen=True, omit_defaults=True):
    """The declared attending physician (CSS L162-5-3); counts only once it is confirmed.

    `confirmed_by` is the holder or a representative; under `insurer`, the service that received the
    health insurance's confirmation.
    """

    actor: str
    start: int
    end: int | None = None
    confirmed_by: str = ""
    insurer: bool = False


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word of the patient: an opposition, a block, a mask, a consent.

    `actor` empty means everybody, `category` empty every category. A choice with no end lasts.
    A `consent` that names no actor is the initial consent to sharing in the care team, which
    `shared` needs (Conseil d'Etat, 15/10/2025).

    `author` and `labels` narrow an `opposed-part` to what somebody wrote or to labelled items, and a
    consent to what that author wrote and to items of no other label. `purposes` narrows a consent to
    requests of these purposes (empty: every purpose that the asker may name).
    """

    id: str
    kind: str
    actor: str = ""
    category: str = ""
    item: str = ""
    start: int = 0
    end: int | None = None
    recorded_by: str = ""
    author: str = ""
    labels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Name the resource that says it: `Consent/id`."""
        return self.id.partition("#")[0]


class United(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of the same person that this one was merged with (`access/uniting`).

    `other` is the id of its Patient. `away`: the other is kept, and nothing new is written here. `accused`
    are those whom the merge has added, `deceased` and `emancipated` what it has added of the person's life.
    """

    other: str
    away: bool = False
    accused: tuple[str, ...] = ()
    deceased: int | None = None
    emancipated: str = ""


class RecordFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything sealed per record that a decision reads.

    `emancipated` is the date of an emancipation, `deceased` the instant of a death (ms; None: alive).
    `accused` are the alleged authors of abuse that reports of this record name: it only grows.
    `subscriptions` are packed (`record/subscriptions/subscribers`): no decision reads them, every write looks
    whether there are any, and a reading decodes none. `united` are the records of the same person;
    `collision` is COLP or COLV while two people may stand in this one: nothing is written until it is split.
    """

    version: int = VERSION
    regime: str = ""
    structure: str = ""
    status: str = ACTIVE
    birth_date: str = ""
    emancipated: str = ""
    deceased: int | None = None
    accused: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    team: tuple[TeamFact, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    attending: tuple[Attending, ...] = ()
    choices: tuple[Choice, ...] = ()
    subscriptions: tuple[bytes, ...] = ()
    united: tuple[United, ...] = ()
    collision: str = ""

    def with_choice(self, choice: Choice) -> RecordFacts:
        """Add a choice; one of the same id is replaced."""
        return msgspec.structs.replace(
            self.without_choice(choice.id), choices=(*self._but(choice.id), choice)
        )

    def without_choice(self, choice_id: str) -> RecordFacts:
        """Take a choice away; an unknown id changes nothing."""
        return msgspec.structs.replace(self, choices=self._but(choice_id))

    def _but(self, choice_id: str) -> tuple[Choice, ...]:
        return tuple(choice for choice in self.choices if choice.id != choice_id)

    def with_team(self, fact: TeamFact) -> RecordFacts:
        """Add a dated act of care; one of the same actor and source is replaced."""
        kept = (
            old
            for old in self.team
            if (old.actor, old.kind, old.source) != (fact.actor, fact.kind, fact.source)
        )
        return msgspec.structs.replace(self, team=(*kept, fact))

    def without_team_source(self, source: str) -> RecordFacts:
        """Take away every act of care that `source` made (the resource was changed or deleted)."""
        return msgspec.structs.replace(self, team=tuple(fact for fact in self.team if fact.source != source))

    def with_mandate(self, mandate: Mandate) -> RecordFacts:
        """Add a mandate; one of the same actor and kind is replaced."""
        kept = (old for old in self.mandates if (old.actor, old.kind) != (mandate.actor, mandate.kind))
        return msgspec.structs.replace(self, mandates=(*kept, mandate))

    def without_mandate(self, actor: str, kind: str) -> RecordFacts:
        """Take a mandate away."""
        kept = tuple(old for old in self.mandates if (old.actor, old.kind) != (actor, kind))
        return msgspec.structs.replace(self, mandates=kept)

    def with_attending(self, attending: Attending) -> RecordFacts:
        """Name the attending physician: a person has one, so the ones before go."""
        return msgspec.structs.replace(self, attending=(attending,))

    def chose_attending(self, now: Instant) -> bool:
        """Tell whether the person's side has confirmed an attending physician: an insurer's word yields."""
        return any(not one.insurer and grant_in_force(one.start, one.end, now) for one in self.attending)

    def without_attending(self) -> RecordFacts:
        """Name no attending physician."""
        return msgspec.structs.replace(self, attending=())

    def opposes_research(self, now: Instant) -> bool:
        """Tell whether the person keeps their record out of research (loi 78-17, art. 74; CSP L1121-1).

        Who opposed all sharing or closed the record did, and so does a choice that this version does not
        know. What leaves for research asks this before anything is read.
        """
        stopping = {RESEARCH_OPPOSED, OPPOSED, CLOSURE}
        return self.status != ACTIVE or any(
            veto_in_force(c, now) and (c.kind in stopping or c.kind not in CHOICE_KINDS) for c in self.choices
        )

    def item_masked(self, ref: str, now: Instant) -> bool:
        """Tell whether a choice in force masks the item `ref` (`Type/id`).

        A mask that also names an actor masks the item for everybody: the class of an item cannot say
        "for one person", and hiding more is the safe reading (ADR 0003).
        """
        return any(c.kind == MASKED and c.item == ref and veto_in_force(c, now) for c in self.choices)


def pack(facts: RecordFacts) -> bytes:
    """Write facts as MessagePack."""
    return msgspec.msgpack.encode(facts)


_decoder = msgspec.msgpack.Decoder(RecordFacts)


def unpack(data: bytes) -> RecordFacts:
    """Read sealed facts; `IntegrityError` for other bytes or facts of a later version."""
    try:
        facts = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("access.facts-unreadable") from None
    if facts.version > VERSION:
        raise IntegrityError("access.facts-too-new")
    return facts


def veto_in_force(choice: Choice, now: Instant) -> bool:
    """Tell whether a forbidding choice rules at `now`.

    Only an end that has passed and that follows the start lifts it: a start in the future or an end
    before the start would otherwise let a wrong clock undo the patient's word.
    """
    return choice.end is None or choice.end > now or choice.end < choice.start


def grant_in_force(start: int, end: int | None, now: Instant) -> bool:
    """Tell whether a granting fact rules at `now`: begun, not ended, and not ended before it began."""
    return start <= now and (end is None or (start <= end and now < end))
