"""The trace of an act: what is written to the ledger before anything leaves.

One act is one entry for each record and chain that it touched, tied by the request's number.
Order: the event of an act, durable traces of reads and refusals, room for content. Writes trace
inside `pen`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from serment.errors import CustodyError, DependencyError, LockedError, SettingsError, StorageFullError
from serment.keys.record_keys import RecordKeys
from serment.ledger.append import Pending, Trail
from serment.ledger.chains import Chain, HeadMark, chain_of
from serment.ledger.entry import Decision, Event, Interaction, bounded
from serment.model import Denial, ItemClass, Label, Receipt, RecordToken
from serment.record.asking import Asking
from serment.record.gate import Item, View, look_again
from serment.record.passage import Passage
from serment.store.contract import Transaction

_REPORTS = frozenset({Label.THIRD_PARTY, Label.VIOLENCE})
"""Labels of what somebody else told, and of reports of abuse: no proxy follows what was done with them."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One item that an act touched: its reference with version, its class, the rule that spoke."""

    reference: str
    chain: Chain
    rule: str


def chain_for(unit: ItemClass, asking: Asking) -> Chain:
    """Say which chain the trace of an item goes to."""
    timer = unit.timer_end is not None and unit.timer_end > asking.now
    return chain_of(
        timer_running=timer,
        minor_secret=Label.MINOR_SECRET in unit.labels,
        abuse_report=not _REPORTS.isdisjoint(unit.labels),
    )


def touched(item: Item, asking: Asking) -> Touched:
    """Say what an act on an item touched."""
    entry = item.entry
    reference = f"{entry.type}/{entry.id}/_history/{entry.version}"
    return Touched(reference, chain_for(item.unit, asking), item.permit.rule)


def of_facts(rule: str) -> Touched:
    """Say that the facts of the record were touched, and no item."""
    return Touched("", Chain.ORDINARY, rule)


def event(
    passage: Passage,
    asking: Asking,
    interaction: Interaction,
    *,
    rule: str,
    references: Sequence[str] = (),
    denied: bool = False,
) -> Event:
    """Write down who did what and why. Codes and references only."""
    actor = asking.actor
    shown, count = bounded([reference for reference in references if reference])
    said = Event(
        t=asking.now,
        request=asking.request,
        interaction=interaction,
        decision=Decision.DENIAL if denied else Decision.PERMIT,
        rule=rule,
        actor=actor.id,
        actor_name=actor.name,
        function=actor.function.value,
        profession=actor.profession,
        structure=actor.structure,
        supervisor=actor.supervisor or "",
        replaces=actor.replaces or "",
        purpose=asking.purpose.value,
        reason=",".join(sorted(reason.value for reason in asking.reasons)),
        resources=shown,
        count=count,
        policy=passage.policy.digest,
        recipient=asking.scope.program if asking.scope is not None else "",
    )
    passage.acts.note(actor.kind, said)
    return said


def by_chain(items: Iterable[Touched]) -> dict[Chain, list[Touched]]:
    """Sort what was touched by chain, in the chains' order."""
    chains: dict[Chain, list[Touched]] = defaultdict(list)
    for item in items:
        chains[item.chain].append(item)
    return dict(sorted(chains.items()))


def pending(
    keys: RecordKeys, record: RecordToken, chain: Chain, what: Event, head: HeadMark | None = None
) -> Pending:
    """Make a ledger entry ready: its event, its chain and the keys that seal it."""
    return Pending(Trail(record, keys.trail, keys.year), chain, what, head)


def of_access(
    passage: Passage, view: View, interaction: Interaction, items: Sequence[Touched], rule: str = ""
) -> list[Pending]:
    """Make the entries of one access to one record; an access that shows nothing still has its entry."""
    asking = view.asking
    chains = by_chain(items) or {Chain.ORDINARY: []}
    return [
        pending(
            view.keys,
            view.record,
            chain,
            event(
                passage,
                asking,
                interaction,
                rule=group[0].rule if group else rule,
                references=[item.reference for item in group],
            ),
        )
        for chain, group in chains.items()
    ]


def of_refusal(
    passage: Passage, view: View, interaction: Interaction, denial: Denial, unit: ItemClass | None = None
) -> list[Pending]:
    """Make the entry of a refusal. The rule goes to the ledger, never to whoever was refused.

    A refusal on an item goes to that item's chain: a line in the ordinary one would tell a
    representative that there is something to be refused. `reading.settled` counts it before it is placed.
    """
    look_again(view)
    what = event(passage, view.asking, interaction, rule=denial.rule, denied=True)
    chain = Chain.ORDINARY if unit is None else chain_for(unit, view.asking)
    return [pending(view.keys, view.record, chain, what)]


def append(passage: Passage, txn: Transaction, entries: Sequence[Pending]) -> list[Receipt]:
    """Append inside the caller's transaction."""
    return passage.ledger.append(txn, entries)


def durable(passage: Passage, entries: Sequence[Pending]) -> Future[list[Receipt]]:
    """Make the traces of one access durable: in the ledger, else in the spool, else owed by an emergency.

    The one place where that is chosen (HOUSE promise 3). The future is done once they are durable; it
    carries `DependencyError` when no disk takes them and the access is not an emergency.
    """
    if passage.spooling.waiting:
        return passage.spooling.submit(entries)
    settled: Future[list[Receipt]] = Future()
    settled.set_running_or_notify_cancel()
    stored = passage.store.submit(lambda txn: append(passage, txn, entries))
    stored.add_done_callback(lambda future: _placed(passage, entries, future, settled))
    return settled


def together(passage: Passage, entries: Sequence[Pending]) -> asyncio.Future[list[Receipt]]:
    """Do what `durable` says, on an event loop: with what other requests there have to trace."""
    if passage.spooling.waiting:
        return asyncio.wrap_future(passage.spooling.submit(entries))
    return passage.traces.place(entries, lambda act: durable(passage, act))


def _placed(
    passage: Passage,
    entries: Sequence[Pending],
    stored: Future[list[Receipt]],
    settled: Future[list[Receipt]],
) -> None:
    """Pass the ledger's receipts on, or go to the spool. Runs in the writer thread."""
    error = stored.exception()
    if error is None:
        settled.set_result(stored.result())
    elif not _takes_no_trace(error):
        settled.set_exception(error)
    else:
        passage.spooling.submit(entries).add_done_callback(lambda kept: _passed_on(kept, settled))


def _passed_on(kept: Future[list[Receipt]], settled: Future[list[Receipt]]) -> None:
    error = kept.exception()
    if error is None:
        settled.set_result(kept.result())
    else:
        settled.set_exception(error)


def _takes_no_trace(error: BaseException) -> bool:
    """Say whether the store cannot write (full, read-only, dead), rather than disagree with what it holds."""
    if isinstance(error, LockedError | CustodyError):
        return False
    writable = isinstance(error, DependencyError | SettingsError)
    return writable and getattr(error, "sentence", "") != "store.closed"


def room_for_content(passage: Passage) -> None:
    """Refuse new content while only the reserve is left, or while traces wait for their place.

    Raises `StorageFullError`: what is left is for the traces of readings (ADR 21).
    """
    if passage.store.low_on_space or passage.spooling.waiting:
        raise StorageFullError("store.low-on-space")
