"""The passage for subscriptions: asking to be told of what happens in one record (R4 subscription.html).

A subscription stands among the sealed facts of the record it is about, and is its owner's alone: to anybody
else, the record's other readers included, it is absent. It is asked, read, changed and ended with a decision
and a trace in the record's chain. Nothing is told here: `announcing` hears of writes, `notifying` tells.

Order: limits, asking, reading, changing, pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from serment.errors import (
    InvalidResourceError,
    NotFoundError,
    RequestError,
    TooManyError,
    VersionConflictError,
)
from serment.fhir import subscription as fhir
from serment.fhir.subscription import TYPE, Asked, Shown
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, Denial, Permit
from serment.record import choices, gate, trace, writing
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.entrance.signed import spelled
from serment.record.passage import OUTBOX, Passage
from serment.record.pen import DeniedError, Pen
from serment.record.reading import settled, warm, with_keys
from serment.record.searching import PERSON
from serment.record.subscriptions import outbox
from serment.record.subscriptions.outbox import Notice
from serment.record.subscriptions.subscribers import (
    Subscription,
    asking_of,
    lines,
    seen_by,
    unit_of,
    with_lines,
)
from serment.record.writing import Writing
from serment.store.contract import Snapshot
from serment.words import say

MOST_IN_RECORD: Final = 8
"""Subscriptions of one person on one record. It counts their own only: nobody learns of another's by it."""
MOST_OF_ACTOR: Final = 64


@dataclass(slots=True)
class _Found:
    """One subscription of the asker, or why there is none; `entries` wait for their place."""

    one: Subscription | None
    entries: list[Pending] = field(default_factory=list)


class Subscribing:
    """The passage for subscriptions."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage = passage
        self._writing = writes

    async def create(self, asking: Asking, asked: Asked) -> Shown:
        """Begin a subscription. Answers it as it stands: active, with an end.

        Raises `InvalidResourceError` (422) for an address that is not registered, `TooManyError`, and
        `RefusedError` alike for a record that is unknown and for one of which nothing may be seen.
        """
        one = _line(asking, asked, writing.new_id(), 1)

        def job(pen: Pen) -> None:
            waiting = outbox.draft_of(pen)
            _registered(pen, waiting, asked.endpoint)
            draft = writing.draft_of(pen, f"Patient/{asked.patient}", {})
            rule = _may_ask(draft, one, pen.asking)
            _room(pen, draft, waiting, asking.actor.id)
            _keep(draft, [*_kept(draft, pen.asking), one])
            pen.txn.put_locator(pen.passage.installation.locator(_place(one.id)), draft.record, 0)
            outbox.put_notice(waiting, _notice(one, asked.patient), asking.now)
            outbox.keep(pen, waiting)
            _did(pen, draft, Interaction.CREATE, one, rule)

        await self._writing.run(asking, [f"Patient/{asked.patient}", OUTBOX], job)
        return _shown(one, None, asking)

    async def read(self, asking: Asking, id_: str) -> Shown:
        """Read one's own subscription. Raises `NotFoundError`: not one's own, or not there."""
        found = await with_keys(self._passage, asking, lambda seen: self._find(seen, asking, id_))
        await settled(self._passage, found.entries, again=True)
        if found.one is None:
            raise NotFoundError("record.not-found")
        await warm(self._passage, asking, [OUTBOX])
        with self._passage.store.snapshot() as snapshot:
            view = outbox.look(self._passage, snapshot, asking)
            notice = outbox.notice(snapshot, self._passage, view, id_)
        return _shown(found.one, notice, asking)

    async def search(self, asking: Asking) -> list[Shown]:
        """List one's own subscriptions, newest first."""
        passage = self._passage
        await warm(passage, asking, [OUTBOX])
        with passage.store.snapshot() as snapshot:
            view = outbox.look(passage, snapshot, asking)
            own = [one for one in outbox.notices(snapshot, view) if one.actor == asking.actor.id]
        await warm(passage, asking, [f"Patient/{one.patient}" for one in own])
        with passage.store.snapshot() as snapshot:
            found = [(self._own(snapshot, asking, one), one) for one in own]
        await settled(passage, [entry for each, _ in found for entry in each.entries])
        shown = [_shown(each.one, notice, asking) for each, notice in found if each.one is not None]
        return sorted(shown, key=lambda one: (-one.updated, one.id))

    def _find(self, snapshot: Snapshot, asking: Asking, id_: str) -> _Found:
        passage = self._passage
        lead = passage.lead(snapshot, _place(id_))
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        one = _own(lines(view.facts), id_, asking.actor.id)
        verdict = view.decide(unit_of(asking.actor.id if one else ActorId("")), Act.READ)
        if one is None or isinstance(verdict, Denial):
            return _Found(None, trace.of_refusal(passage, view, Interaction.READ, gate.denied(verdict)))
        touched = [trace.Touched(_reference(one), Chain.ORDINARY, verdict.rule)]
        return _Found(one, trace.of_access(passage, view, Interaction.READ, touched))

    def _own(self, snapshot: Snapshot, asking: Asking, notice: Notice) -> _Found:
        """Find what one notice is about; nothing when its owner may read it no more."""
        passage = self._passage
        located, _ = passage.resolve(snapshot, f"Patient/{notice.patient}")
        view = passage.view(snapshot, asking, located.record)
        one = _own(lines(view.facts), notice.subscription, asking.actor.id)
        verdict = view.decide(unit_of(asking.actor.id), Act.READ)
        if one is None or isinstance(verdict, Denial):
            return _Found(None)
        touched = [trace.Touched(_reference(one), Chain.ORDINARY, verdict.rule)]
        return _Found(one, trace.of_access(passage, view, Interaction.SEARCH, touched))

    async def update(self, asking: Asking, id_: str, asked: Asked, if_match: int | None) -> Shown:
        """Let it rest, wake it, or give it another end: what it asks stays. Waking forgets what failed.

        Raises `NotFoundError`, `VersionConflictError`, `RequestError` without a version,
        `InvalidResourceError` when anything else differs.
        """

        def job(pen: Pen) -> Subscription:
            draft, before, rule = _mine(pen, id_, Interaction.UPDATE)
            _same_version(before, if_match, needed=True)
            if (asked.criteria, asked.endpoint, asked.reason) != (
                before.criteria,
                before.endpoint,
                before.reason,
            ):
                raise InvalidResourceError("subscribing.only-status", TYPE)
            after = _line(asking, asked, id_, before.version + 1)
            _may_ask(draft, after, pen.asking)
            _keep(draft, [*(one for one in lines(choices.facts_of(draft)) if one.id != id_), after])
            waiting = outbox.draft_of(pen)
            item, notice = outbox.standing(waiting, id_) or (None, _notice(after, asked.patient))
            outbox.put_notice(waiting, notice.changed(after.end), asking.now, item)
            outbox.keep(pen, waiting)
            _did(pen, draft, Interaction.UPDATE, after, rule)
            return after

        return _shown(await self._writing.run(asking, [_place(id_), OUTBOX], job), None, asking)

    async def delete(self, asking: Asking, id_: str, if_match: int | None = None) -> None:
        """End it. Raises `NotFoundError`, `VersionConflictError`."""

        def job(pen: Pen) -> None:
            draft, before, rule = _mine(pen, id_, Interaction.DELETE)
            _same_version(before, if_match, needed=False)
            _keep(draft, [one for one in lines(choices.facts_of(draft)) if one.id != id_])
            waiting = outbox.draft_of(pen)
            found = outbox.standing(waiting, id_)
            if found is not None:
                waiting.take(found[0])
                outbox.keep(pen, waiting)
            _did(pen, draft, Interaction.DELETE, before, rule)

        await self._writing.run(asking, [_place(id_), OUTBOX], job)


def _place(id_: str) -> str:
    """Name what leads to the record of a subscription.

    It is no `Type/id`: a reference that somebody writes leads here no more than one to nothing.
    """
    return f"subscription {id_}"


def _registered(pen: Pen, waiting: Draft, endpoint: str) -> None:
    """Refuse an address that the installation did not register, exactly as written."""
    if endpoint not in {one.url for one in outbox.addresses(pen.txn, waiting.view)}:
        raise InvalidResourceError("subscribing.unregistered", f"{TYPE}.channel.endpoint")


def _may_ask(draft: Draft, one: Subscription, asking: Asking) -> str:
    """Give the rule under which the subscriber reads something here, without any emergency."""
    view = seen_by(draft.view, choices.facts_of(draft), asking_of(one, asking.request, asking.now))
    permits = gate.permitted(view, Act.READ)
    if not permits:
        raise DeniedError(draft.view, gate.denied(view.decide(PERSON, Act.READ)), Interaction.CREATE)
    return next(iter(permits.values())).rule


def _room(pen: Pen, draft: Draft, waiting: Draft, actor: ActorId) -> None:
    here = [one for one in _kept(draft, pen.asking) if one.actor == actor]
    everywhere = [one for one in outbox.notices(pen.txn, waiting.view) if one.actor == actor]
    if len(here) >= MOST_IN_RECORD or len(everywhere) >= MOST_OF_ACTOR:
        raise TooManyError("subscribing.too-many", here=MOST_IN_RECORD, all=MOST_OF_ACTOR)


def _mine(pen: Pen, id_: str, interaction: Interaction) -> tuple[Draft, Subscription, str]:
    """Find the asker's own subscription for changing it. Raises `DeniedError`: absent and another's alike."""
    draft = writing.draft_of(pen, _place(id_), {})
    actor = pen.asking.actor.id
    one = _own(lines(choices.facts_of(draft)), id_, actor)
    verdict = draft.view.decide(unit_of(actor if one else ActorId("")), Act.READ)
    if one is None or not isinstance(verdict, Permit):
        raise DeniedError(draft.view, gate.denied(verdict), interaction)
    return draft, one, verdict.rule


def _same_version(one: Subscription, if_match: int | None, *, needed: bool) -> None:
    if if_match is None and needed:
        raise RequestError("record.if-match-needed")
    if if_match not in {None, one.version}:
        raise VersionConflictError("record.version-conflict", current=one.version)


def _own(found: Sequence[Subscription], id_: str, actor: ActorId) -> Subscription | None:
    return next((one for one in found if one.id == id_ and one.actor == actor), None)


def _kept(draft: Draft, asking: Asking) -> list[Subscription]:
    """Give the subscriptions of a record, those left out that ended more than a month ago."""
    return [one for one in lines(choices.facts_of(draft)) if one.end + fhir.LONGEST > asking.now]


def _keep(draft: Draft, kept: Sequence[Subscription]) -> None:
    choices.change(draft, with_lines(choices.facts_of(draft), kept))


def _did(pen: Pen, draft: Draft, interaction: Interaction, one: Subscription, rule: str) -> None:
    pen.did(draft, interaction, trace.Touched(_reference(one), Chain.ORDINARY, rule))


def _reference(one: Subscription) -> str:
    return f"{TYPE}/{one.id}/_history/{one.version}"


def _line(asking: Asking, asked: Asked, id_: str, version: int) -> Subscription:
    actor = asking.actor
    return Subscription(
        id_,
        version,
        asking.now,
        asked.end,
        asked.off,
        asked.type,
        asked.criteria,
        asked.pairs,
        asked.endpoint,
        asked.reason,
        asking.purpose.value,
        *spelled(actor),
        replaces=actor.replaces,
    )


def _notice(one: Subscription, patient: str) -> Notice:
    return Notice(one.id, patient, one.actor, one.endpoint, one.end)


def _shown(one: Subscription, notice: Notice | None, asking: Asking) -> Shown:
    failed = notice is not None and notice.state == outbox.FAILED
    status = "active" if one.live(asking.now) else "off"
    return Shown(
        one.id,
        one.version,
        one.updated,
        "error" if failed and status == "active" else status,
        one.reason,
        one.criteria,
        one.endpoint,
        one.end,
        say("subscribing.gave-up", asking.language) if failed else "",
    )
