"""What an exercise must be before anybody is enrolled in it, and which a person may hold together (pure).

A professional is named by an RPPS with a true check digit and acts in a structure; a trainee under a named
supervisor; a locum for a named doctor, from a date to a date, under their own name. The functions that one
person holds one after the other stay in one group of the policy (`held_with`): no person's roles together
read every document type (HOUSE promise 6). Anybody may be a patient besides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from serment.access.policy import Policy
from serment.errors import RequestError
from serment.identity import rpps
from serment.model import ActorKind, Function
from serment.people.accounts import Exercise

LOCUM_MS: Final = 366 * 24 * 3600 * 1000
"""A locum replaces somebody for a year at most, then somebody says so again."""

_NAMED_BY_REGISTER: Final = "rpps:"
_OFFICERS: Final = frozenset({Function.SECURITY_OFFICER, Function.DPO, Function.AUDITOR})
OFFICE: Final = _OFFICERS | {Function.SECRETARY, Function.OPERATOR, Function.RESEARCHER}
"""Functions of the house: nobody holds them by a number of the professionals' register."""
CARE: Final = (
    frozenset(Function) - OFFICE - {Function.NONE, Function.INSURER, Function.LENDER, Function.EMPLOYER}
)
"""Functions of care: held by professionals of the register only."""
_PREFIX: Final = {
    ActorKind.STAFF: ("staff:",),
    ActorKind.OFFICER: ("staff:",),
    ActorKind.OPERATOR: ("staff:",),
    ActorKind.RESEARCHER: ("staff:",),
    ActorKind.PROFESSIONAL: (_NAMED_BY_REGISTER,),
    ActorKind.PATIENT: ("patient:",),
    ActorKind.PROXY: ("proxy:",),
}
"""How the actor of an exercise is named; a kind that is not here is no person."""


def checked(exercise: Exercise) -> Exercise:
    """Refuse an exercise in which nobody may act. Raises `RequestError` with what is missing."""
    try:
        kind, function = ActorKind(exercise.kind), Function(exercise.function)
    except ValueError:
        raise RequestError("people.exercise-unknown") from None
    if not exercise.actor.startswith(_PREFIX.get(kind, ("\0",))):
        raise RequestError("people.exercise-name")
    if exercise.end is not None and exercise.end <= exercise.start:
        raise RequestError("people.exercise-dates")
    if kind is ActorKind.PROFESSIONAL:
        rpps.check(exercise.actor.removeprefix(_NAMED_BY_REGISTER))
        _professional(exercise, function)
    elif kind in {ActorKind.STAFF, ActorKind.OFFICER}:
        _of_structure(exercise, function, officer=kind is ActorKind.OFFICER)
    elif kind is ActorKind.PATIENT and exercise.actor != f"patient:{exercise.patient}":
        raise RequestError("people.exercise-name")
    return exercise


def _professional(exercise: Exercise, function: Function) -> None:
    if function not in CARE:
        raise RequestError("people.exercise-unknown")
    if not exercise.profession or not exercise.structure:
        raise RequestError("people.exercise-where")
    if (function is Function.TRAINEE) != (exercise.supervisor is not None):
        raise RequestError("people.trainee-supervisor")
    if (function is Function.LOCUM) != (exercise.replaces is not None):
        raise RequestError("people.locum-replaces")
    if exercise.actor in {exercise.supervisor, exercise.replaces}:
        raise RequestError("people.oneself")
    for other in (exercise.supervisor, exercise.replaces):
        if other is not None:
            rpps.check(other.removeprefix(_NAMED_BY_REGISTER))
    if function is Function.LOCUM and (exercise.end is None or exercise.end - exercise.start > LOCUM_MS):
        raise RequestError("people.locum-dates")


def _of_structure(exercise: Exercise, function: Function, *, officer: bool) -> None:
    if officer != (function in _OFFICERS) or function is Function.NONE:
        raise RequestError("people.exercise-unknown")
    if not exercise.structure:
        raise RequestError("people.exercise-where")


def together(exercises: Iterable[Exercise], policy: Policy) -> None:
    """Refuse functions that one person may not hold together. Raises `RequestError`.

    Exercises that have ended count: who changed sides yesterday remembers.
    """
    working = {Function(one.function) for one in exercises if one.kind not in {"patient", "proxy"}}
    if len({policy.function(function).held_with or function.value for function in working}) > 1:
        raise RequestError("people.not-together")
    ids = [one.id for one in exercises]
    if len(set(ids)) != len(ids):
        raise RequestError("people.exercise-unknown")
