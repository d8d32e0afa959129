"""What an identity rests on: the INSi answer that somebody compared, the proof that somebody checked.

The status of an identity is what follows from its evidence, never what a resource claims. An edit of a
strict trait takes away the surest part of it (rule 4: QUAL to VALI, RECUP to PROV; what was validated by
the document alone falls to PROV). A doubtful or fictitious identity has none. `settled` holds a Patient
that somebody writes against its evidence and refuses what says more; `received` sets aside what another
system says. Numbers of the person that stand on nothing yet are kept `aside`: the person is found by them,
and they leave through no door.

Order: the evidence, what follows from it, writes, gestures. A time is a fact that is passed in (ms).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from serment.errors import ConflictError, InvalidResourceError
from serment.identity import ins, status, traits
from serment.identity.traits import Traits

Number = tuple[str, str]
"""An authority's OID and the matricule that it gave."""


class Retrieval(msgspec.Struct, array_like=True, frozen=True):
    """An INSi answer that a person has compared: the active number, the past ones, by whom, when, how.

    `method` is a code of FR Core's collection methods (`INSI`, `CV`, `AV`, `CB`).
    """

    number: Number
    past: tuple[Number, ...]
    method: str
    at: int
    by: str

    def __repr__(self) -> str:
        return "Retrieval(…)"


class Proof(msgspec.Struct, array_like=True, frozen=True):
    """A proof that a person has checked: its kind (never a copy), that of the parent beside it.

    `trusted` says whether it was of high trust for this person that day.
    """

    kind: str
    companion: str
    trusted: bool
    at: int
    by: str

    def __repr__(self) -> str:
        return "Proof(…)"


class Evidence(msgspec.Struct, array_like=True, frozen=True):
    """All that an identity rests on. `traits` are the strict traits at the last gesture."""

    retrieval: Retrieval | None = None
    proof: Proof | None = None
    traits: Traits = Traits()
    aside: tuple[Number, ...] = ()

    @property
    def status(self) -> str:
        """The status that follows (`ins_statuses.csv`)."""
        proved = self.proof is not None and self.proof.trusted
        return status.of(retrieved=self.retrieval is not None, proof=proved)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number under which the person may be found."""
        own = () if self.retrieval is None else (self.retrieval.number, *self.retrieval.past)
        return tuple(dict.fromkeys((*own, *self.aside)))

    @property
    def qualified(self) -> tuple[Number, ...]:
        """The numbers that may leave, the active one first: none unless the identity is qualified."""
        may = self.retrieval is not None and status.may_leave(self.status)
        return (self.retrieval.number, *self.retrieval.past) if may and self.retrieval else ()

    def __repr__(self) -> str:
        return "Evidence(…)"


NONE = Evidence()


# What follows from a write.


def settled(before: Evidence, patient: Mapping[str, Any]) -> Evidence:
    """Hold a Patient that somebody writes against its evidence, and give what the evidence is then.

    Raises `InvalidResourceError`: DOUT and FICT together, several statuses, one that says more than the facts
    allow, a matricule with a wrong key, of another person, or without a qualified identity.
    """
    said = status.attributes(patient)
    if {"DOUT", "FICT"} <= said:
        raise InvalidResourceError("identity.attributes", "Patient.extension")
    after = doubted(before) if status.forced(said) else fallen(before, traits.of(patient))
    claimed = _claimed(patient)
    if not status.within(claimed, after.status):
        fell = status.within(claimed, before.status)
        sentence = "identity.status-falls" if fell else "identity.status-claimed"
        raise InvalidResourceError(sentence, "Patient.extension", status=after.status)
    fit(after.qualified if status.may_leave(claimed) else (), ins.carried(patient), "Patient")
    return after


def fallen(before: Evidence, now: Traits) -> Evidence:
    """Take away the surest part of the evidence when a strict trait is no longer what it was."""
    if before.status == status.PROVISIONAL or not traits.differences(before.traits, now):
        return before
    kept = before.proof if before.retrieval is not None else None
    return Evidence(None, kept, now, before.numbers)


def doubted(before: Evidence) -> Evidence:
    """Take all of the evidence away: whose it was is not known any more; the numbers are kept aside."""
    return Evidence(aside=before.numbers)


def received(before: Evidence, numbers: Iterable[Number]) -> Evidence:
    """Keep aside the numbers that another system says of the person."""
    return msgspec.structs.replace(before, aside=tuple(dict.fromkeys((*before.aside, *numbers))))


def _claimed(patient: Mapping[str, Any]) -> str:
    """Give the one status that a Patient claims; silence claims provisional."""
    claims = status.claims(patient)
    if len(claims) > 1 or any(
        status.facts_of(one) == (False, False) for one in claims - {status.PROVISIONAL}
    ):
        raise InvalidResourceError("identity.status-several", "Patient.extension")
    return next(iter(claims), status.PROVISIONAL)


def fit(may_leave: tuple[Number, ...], named: Iterable[Number], where: str) -> None:
    """Refuse every matricule but those that may leave; a slip of the key has its own sentence.

    Raises `InvalidResourceError`; `where` is the type of the resource that names them.
    """
    for number in named:
        if number in may_leave:
            continue
        if not ins.is_matricule(number[1]):
            raise InvalidResourceError("identity.ins-key", where)
        sentence = "identity.ins-other" if may_leave else "identity.ins-unqualified"
        raise InvalidResourceError(sentence, where)


# Gestures.


def retrieved(before: Evidence, answer: Retrieval, now: Traits) -> Evidence:
    """Put an answer that a person has compared in the evidence; `now` are its traits.

    A number that the new one follows becomes a past one. Raises `ConflictError` when INSi names somebody else
    than before: two different INS are two people until somebody has looked (a collision).
    """
    old = before.retrieval
    past = answer.past
    if old is not None and old.number != answer.number:
        if not ins.follows(old.number, answer.number) and old.number not in answer.past:
            raise ConflictError("identity.ins-other")
        past = tuple(dict.fromkeys((*answer.past, old.number)))
    new = msgspec.structs.replace(answer, past=tuple(one for one in past if one != answer.number))
    aside = tuple(one for one in before.aside if one not in (new.number, *new.past))
    return Evidence(new, before.proof, now, aside)


def proved(before: Evidence, proof: Proof, now: Traits) -> Evidence:
    """Put a checked proof in the evidence; one of low trust never takes the place of one of high trust."""
    kept = before.proof if before.proof is not None and before.proof.trusted and not proof.trusted else proof
    return Evidence(before.retrieval, kept, now, before.aside)
