"""What a person reads of an entry: who, what, why, when. Words are in the catalogue, never here.

« Dr Martin a lu 3 documents de votre dossier, pour vos soins (équipe de soins) »

The reader is the holder or their representative, so the sentences say "your record". Nothing
clinical is said: kinds of items and how many, never a code, a text or a title. A refusal does not
say what was hidden. A code that has no sentence is left out, or told in general words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from serment.ledger.chains import Chain
from serment.ledger.entry import Body, Decision, Event, Interaction
from serment.model import ActorId, Instant
from serment.words import Language, catalogue, say

_ALONE = frozenset(
    {
        Interaction.BIRTH,
        Interaction.FIND,
        Interaction.EMERGENCY,
        Interaction.DECLARE,
        Interaction.CONSENT,
        Interaction.MASK,
        Interaction.TEAM,
        Interaction.MANDATE,
        Interaction.TRACE_READ,
        Interaction.SIGN_IN,
        Interaction.SIGN_OUT,
        Interaction.ACCOUNT,
        Interaction.UNLOCK,
        Interaction.PROBE,
        Interaction.DRILL,
        Interaction.KEYS,
        Interaction.ACTS,
        Interaction.TRAINING,
        Interaction.NOTIFY,
        Interaction.IDENTIFY,
        Interaction.ERRAND,
        Interaction.DRAFT,
        Interaction.PROPOSE,
    }
)
_COUNTED = frozenset({Interaction.STRANGERS, Interaction.GAP})
_WRITES = frozenset(
    {Interaction.CREATE, Interaction.UPDATE, Interaction.DELETE, Interaction.FILE, Interaction.IMPORT}
)
_THINGS = {
    "DocumentReference": "document",
    "Binary": "document",
    "Composition": "document",
    "DiagnosticReport": "report",
    "Observation": "result",
    "MedicationRequest": "prescription",
    "MedicationDispense": "dispensation",
    "Immunization": "vaccination",
    "Condition": "problem",
    "AllergyIntolerance": "allergy",
    "Appointment": "appointment",
    "Encounter": "encounter",
    "Procedure": "procedure",
    "Patient": "identity",
    "RelatedPerson": "contact",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trace. `who` is "" when nobody in particular acted; `role` and `why` may be ""."""

    when_ms: Instant
    who: str = field(repr=False)
    role: str
    what: str
    why: str
    emergency: bool
    denied: bool
    late: bool = False

    @property
    def said(self) -> str:
        """The whole line as one sentence, without its date."""
        act = f"{self.who} {self.what}".strip()
        return f"{act}, {self.why}" if self.why else act


def line(event: Event, language: Language, *, reader: ActorId | None = None, late: bool = False) -> Line:
    """Say one event to `reader` (who is "you" when they acted themselves).

    `late` says that the trace was entered after the act (`Body.late` is not empty).
    """
    own = reader is not None and event.actor == reader
    return Line(
        when_ms=Instant(event.t),
        who=_who(event, language, own=own),
        role=_optional("ledger.function", event.function, language),
        what=_what(event, language, own=own),
        why=_why(event, language),
        emergency=event.emergency,
        denied=event.decision is Decision.DENIAL,
        late=late,
    )


def lines(bodies: Iterable[Body], language: Language, *, reader: ActorId | None = None) -> list[Line]:
    """Say the entries of a trace, newest first when `bodies` are in the order of the ledger.

    The birth of a record is one act with an entry in each chain: it is told once.
    """
    return [
        line(body.event, language, reader=reader, late=bool(body.late))
        for body in reversed(list(bodies))
        if body.event.interaction is not Interaction.BIRTH or body.chain is Chain.ORDINARY
    ]


def _who(event: Event, language: Language, *, own: bool) -> str:
    """Name the actor; a person without a name is told by function, a service in general words."""
    if event.interaction in _COUNTED:
        return ""
    if own:
        return say("ledger.you", language)
    function = _optional("ledger.function", event.function, language)
    return event.actor_name or function or say("ledger.somebody", language)


def _what(event: Event, language: Language, *, own: bool) -> str:
    """Say what was done, or tried."""
    has = say("ledger.have" if own else "ledger.has", language)
    count = event.count or len(event.resources)
    if event.interaction in _COUNTED:
        return say(f"ledger.did-{event.interaction.value}", language, count=count)
    if event.decision is Decision.DENIAL:
        tried = "write" if event.interaction in _WRITES else "read"
        return say(f"ledger.refused-{tried}", language, has=has)
    if event.interaction is Interaction.FIND and event.rule.startswith("G"):
        return say("ledger.did-named", language, has=has)  # on a ground of care: a list of one's own
    if event.interaction in _ALONE:
        sentence = f"ledger.did-{event.interaction.value}"
        return say(sentence, language, has=has, recipient=event.recipient)
    if count == 0:
        return say("ledger.did-nothing", language, has=has)
    return say(
        f"ledger.did-{event.interaction.value}", language, has=has, things=_things(event, count, language)
    )


def _things(event: Event, count: int, language: Language) -> str:
    """Say how many items of which kind; several kinds together are items."""
    types = {_THINGS.get(reference.partition("/")[0], "item") for reference in event.resources}
    kind = types.pop() if len(types) == 1 else "item"
    return say(f"ledger.thing-{kind}-{'one' if count == 1 else 'many'}", language, count=count)


def _why(event: Event, language: Language) -> str:
    """Say the declared purpose, the ground on which it was granted, and by which program."""
    purpose = _optional("ledger.purpose", event.purpose, language)
    reasons = [_optional("ledger.reason", reason, language) for reason in event.reason.split(",")]
    ground = "" if event.decision is Decision.DENIAL else _ground(event.rule, language)
    through = ""
    if event.recipient and event.interaction not in _ALONE:
        through = _optional("ledger.recipient", event.recipient, language) or say(
            "ledger.through", language, name=event.recipient
        )
    about = ", ".join(part for part in (*reasons, ground, through) if part)
    return f"{purpose} ({about})" if purpose and about else purpose or about


def _ground(rule: str, language: Language) -> str:
    """Say the ground that a permit names (`G6.team`)."""
    return _optional("ledger.ground", rule.rpartition(".")[2], language) if rule.startswith("G") else ""


def _optional(family: str, code: str, language: Language) -> str:
    """Say a code of a family, or nothing when the catalogue has no word for it."""
    sentence = f"{family}-{code}"
    return say(sentence, language) if code and sentence in catalogue() else ""
