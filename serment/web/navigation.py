"""Where each kind of person may go from any page: the links of the header, and those of the foot.

A link opens a page that asks the decision like any other; nothing is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from serment.model import ActorKind, Function
from serment.record.asking import Asking


@dataclass(frozen=True, slots=True)
class Link:
    """One link: where, the sentence that it says, and the single key that opens it ("" for none)."""

    to: str
    sentence: str
    key: str = ""


ACTS: Final = Link("/acts", "web.acts.title")
HOME: Final = Link("/home", "web.home.title", "h")
TODAY: Final = Link("/today", "clinician.today", "h")
ROLE: Final = Link("/home", "clinician.role")
PRIVACY: Final = Link("/officer/privacy", "officer.privacy", "p")
REQUESTS: Final = Link("/officer/requests", "errands.officer-tab", "r")
INBOX: Final = Link("/inbox", "errands.inbox", "b")
TRAINING: Final = Link("/training", "everyone.training")
SECURITY: Final = Link("/officer", "officer.nav", "s")

RECEPTION: Final = Link("/reception", "secretary.reception", "h")
AGENDA: Final = Link("/reception/agenda", "secretary.agenda", "g")

DESK: Final[dict[ActorKind, str]] = {ActorKind.PROFESSIONAL: TODAY.to, ActorKind.STAFF: RECEPTION.to}
"""Where each kind of person arrives; who is not named here arrives at the home page."""

PATIENT: Final = (
    Link("/me", "web.me.title", "m"),
    Link("/me/record", "patient.nav-record", "r"),
    Link("/me/who", "patient.who-title", "w"),
    Link("/me/choices", "patient.choices-title", "c"),
    Link("/me/people", "patient.people-title", "p"),
    Link("/me/errands", "errands.title", "e"),
    Link("/me/where", "patient.nav-where"),
    Link("/me/download", "patient.download-title"),
)

OF_KIND: Final[dict[ActorKind, tuple[Link, ...]]] = {
    ActorKind.PROFESSIONAL: (TODAY, INBOX, ROLE, ACTS, TRAINING),
    ActorKind.STAFF: (HOME, ACTS, TRAINING),
    ActorKind.PATIENT: PATIENT,
    ActorKind.PROXY: (HOME,),
    ActorKind.OFFICER: (HOME, SECURITY, ACTS, TRAINING),
    ActorKind.OPERATOR: (HOME, ACTS, TRAINING),
    ActorKind.RESEARCHER: (HOME, Link("/research", "everyone.research", "r"), ACTS, TRAINING),
}
"""The links of the header, by kind of actor; who is not named here has the home page only."""

OF_FUNCTION: Final[dict[Function, tuple[Link, ...]]] = {
    Function.SECRETARY: (RECEPTION, AGENDA, ROLE, ACTS, TRAINING),
    Function.DPO: (HOME, REQUESTS, PRIVACY, SECURITY, ACTS, TRAINING),
}
"""Those of a function, in place of its kind's."""

FOOT: Final[tuple[Link, ...]] = (
    Link("/accessibility", "everyone.accessibility"),
    Link("/what-leaves", "everyone.what-leaves"),
    Link("/verify", "paper.verify-foot"),
    Link("/words", "everyone.words"),
    Link("/preferences", "everyone.preferences"),
)
"""At the foot of every page, for everyone."""


def links_of(asking: Asking) -> tuple[Link, ...]:
    """Give the links of the header for whoever is signed in."""
    actor = asking.actor
    return OF_FUNCTION.get(actor.function) or OF_KIND.get(actor.kind, (HOME,))
