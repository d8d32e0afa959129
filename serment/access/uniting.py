"""The facts of two records that are one person's: the stricter word of both rules each (ADR 46).

Two records that were merged stay two, each under its own keys. What forbids in one forbids in the other: its
oppositions, blocks and closures are repeated there, whoever is accused in one is in the other, and a death or
an emancipation, which end mandates, is of both. Of what grants, only the dated acts of care of the same
structure are: the team that treats the person treats them under both numbers. Consents, mandates, the
attending physician and the holders' logins stay where they were given: a merge by mistake opens nothing on
them. A mask of one item stays with its item.

What is repeated is named after the record that it comes from, so that it can be said anew whenever that
record changes, and taken away, all of it and nothing else, when the merge is undone. Pure.
"""

from __future__ import annotations

from typing import Final

import msgspec

from serment.access.record_facts import CHOICE_KINDS, CONSENT, Choice, RecordFacts, TeamFact, United

PREFIX: Final = "Merge/"
"""What begins the name of every repeated fact."""


def united(facts: RecordFacts, other: RecordFacts, other_id: str, *, away: bool) -> RecordFacts:
    """Give the facts of a record with those of the other repeated, anew when they were before.

    `away` says that the other is the one that is kept and this one is left.
    """
    bare, said = parted(facts, other_id), own(other)
    added = tuple(who for who in other.accused if who not in bare.accused)
    died = said.deceased if bare.deceased is None else None
    freed = "" if bare.emancipated else said.emancipated
    return msgspec.structs.replace(
        bare,
        deceased=bare.deceased if died is None else died,
        emancipated=bare.emancipated or freed,
        choices=(*bare.choices, *(_repeated(one, other_id) for one in said.choices if _forbids(one))),
        team=(*bare.team, *(_acted(one, other_id) for one in said.team)),
        accused=(*bare.accused, *added),
        united=(*bare.united, United(other_id, away, added, died, freed)),
    )


def parted(facts: RecordFacts, other_id: str) -> RecordFacts:
    """Take away what a merge with another record has added, and nothing that was said since."""
    mark = f"{PREFIX}{other_id}/"
    links = [one for one in facts.united if one.other == other_id]
    added = {who for one in links for who in one.accused}
    died = {one.deceased for one in links}
    freed = {one.emancipated for one in links}
    return msgspec.structs.replace(
        facts,
        deceased=None if facts.deceased in died else facts.deceased,
        emancipated="" if facts.emancipated in freed else facts.emancipated,
        choices=tuple(one for one in facts.choices if not one.id.startswith(mark)),
        team=tuple(one for one in facts.team if not one.source.startswith(mark)),
        accused=tuple(who for who in facts.accused if who not in added),
        united=tuple(one for one in facts.united if one.other != other_id),
    )


def own(facts: RecordFacts) -> RecordFacts:
    """Give what the record says itself, without what any merge has added."""
    for one in facts.united:
        facts = parted(facts, one.other)
    return facts


def lived(facts: RecordFacts, birth_date: str, freed: str, died: int | None) -> RecordFacts:
    """Give the facts with what the record's own Patient says of a life; what a merge has added stays."""
    others = [one.deceased for one in facts.united if one.deceased is not None]
    return msgspec.structs.replace(
        facts,
        birth_date=birth_date,
        emancipated=freed or next((one.emancipated for one in facts.united if one.emancipated), ""),
        deceased=min(others, default=None) if died is None else died,
    )


def left_for(facts: RecordFacts) -> str:
    """Name the Patient that this record was merged into, "" when it was not."""
    return next((one.other for one in facts.united if one.away), "")


def _forbids(choice: Choice) -> bool:
    """Say whether a choice is repeated; a kind that is not known forbids everything, there too."""
    return choice.kind != CONSENT and not (choice.item and choice.kind in CHOICE_KINDS)


def _repeated(choice: Choice, other_id: str) -> Choice:
    return msgspec.structs.replace(choice, id=f"{PREFIX}{other_id}/{choice.id}")


def _acted(fact: TeamFact, other_id: str) -> TeamFact:
    return msgspec.structs.replace(fact, source=f"{PREFIX}{other_id}/{fact.source}")
