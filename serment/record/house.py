"""The parts of an open installation, as doors are given them. Built once, by `app`; no logic."""

from __future__ import annotations

from dataclasses import dataclass

from serment.keys.custody.contract import Custody, StoreKind
from serment.model import Instant
from serment.record.acting import Acting
from serment.record.alarms import Lookout
from serment.record.auditing import Auditing
from serment.record.between.errands import Errands
from serment.record.between.inbox import Inbox
from serment.record.between.permitting import Permitting
from serment.record.between.questioning import Questioning
from serment.record.between.worklists import Worklists
from serment.record.bundling import Bundling
from serment.record.care.duty import Duty
from serment.record.care.emergency import Emergency
from serment.record.care.urgent import Urgent
from serment.record.choosing import Choosing
from serment.record.disclosing import Disclosing
from serment.record.duplicates.merging import Merging
from serment.record.duplicates.splitting import Splitting
from serment.record.entrance.sessions import DEFAULTS, Entrance, Sessions
from serment.record.entrance.strangers import Strangers
from serment.record.everything import Everything
from serment.record.finding import Finding
from serment.record.outward.attesting import Attesting
from serment.record.outward.exporting import Exporting
from serment.record.outward.leaving import Leaving
from serment.record.outward.links import Links
from serment.record.outward.revoking import Revoking
from serment.record.outward.sealing import Sealing
from serment.record.pages.charting import Charting
from serment.record.pages.chosen import Chosen
from serment.record.pages.leafing import Leafing
from serment.record.pages.papers import Papers
from serment.record.pages.retracing import Retracing
from serment.record.pages.showing import Showing
from serment.record.passage import Passage
from serment.record.patching import Patching
from serment.record.persons.as_typed import AsTyped
from serment.record.persons.identifying import Identifying
from serment.record.persons.registering import Registering
from serment.record.persons.telling import Telling
from serment.record.probes.probing import Probing
from serment.record.proving import Proving
from serment.record.reading import Reading
from serment.record.retrying import Retrying
from serment.record.searching import Searching
from serment.record.streaming import Depositing, Serving
from serment.record.subscriptions.notifying import Notifying
from serment.record.subscriptions.subscribing import Subscribing
from serment.record.summarising import Summarising
from serment.record.visits.consulting import Consulting
from serment.record.visits.drafting import Drafting
from serment.record.visits.protecting import Protecting
from serment.record.visits.scheduling import Scheduling
from serment.record.visits.stationery import Stationery
from serment.record.warming import Warming
from serment.record.writing import Writing


@dataclass(frozen=True, slots=True)
class House:
    """An open installation. `base` is its FHIR address, `started` the instant it was opened."""

    kind: StoreKind
    base: str
    started: Instant
    passage: Passage
    custody: Custody
    sessions: Sessions
    reading: Reading
    searching: Searching
    finding: Finding
    writing: Writing
    choosing: Choosing
    bundling: Bundling
    showing: Showing
    proving: Proving
    depositing: Depositing
    serving: Serving
    warming: Warming
    strangers: Strangers
    lookout: Lookout
    patching: Patching
    everything: Everything
    auditing: Auditing
    disclosing: Disclosing
    emergency: Emergency
    duty: Duty
    exporting: Exporting
    summarising: Summarising
    retrying: Retrying
    subscribing: Subscribing
    notifying: Notifying
    acting: Acting
    identifying: Identifying
    as_typed: AsTyped
    merging: Merging
    splitting: Splitting
    telling: Telling
    inbox: Inbox
    permitting: Permitting
    errands: Errands
    questioning: Questioning
    charting: Charting
    urgent: Urgent
    worklists: Worklists
    leaving: Leaving
    links: Links
    sealing: Sealing
    revoking: Revoking
    attesting: Attesting
    retracing: Retracing
    chosen: Chosen
    leafing: Leafing
    protecting: Protecting
    drafting: Drafting
    consulting: Consulting
    stationery: Stationery
    scheduling: Scheduling
    registering: Registering
    papers: Papers
    probing: Probing
    entrance: Entrance

    @classmethod
    def of(
        cls, passage: Passage, custody: Custody, kind: StoreKind, base: str, entrance: Entrance = DEFAULTS
    ) -> House:
        """Build every part over one passage."""
        reading, searching, writing = Reading(passage), Searching(passage), Writing(passage)
        finding, proving = Finding(passage, searching), Proving(passage, custody)
        everything, serving = Everything(passage), Serving(passage)
        bundling = Bundling(passage, reading, finding, writing)
        emergency = Emergency(passage)
        merging = Merging(passage, reading, writing)
        return cls(
            kind, base, passage.clock(), passage, custody, Sessions(passage, kind, entrance), reading,
            searching, finding, writing, Choosing(writing), bundling, Showing(passage), proving,
            Depositing(passage, writing), serving, Warming(passage), Strangers(passage), Lookout(passage),
            Patching(reading, finding, writing), everything, Auditing(passage, proving),
            Disclosing(passage, proving), emergency, Duty(passage), Exporting(passage, everything, serving),
            Summarising(passage), Retrying(passage), Subscribing(passage, writing), Notifying(passage),
            Acting(passage), Identifying(passage, reading, writing), AsTyped(passage), merging,
            Splitting(merging, reading, writing), Telling(passage), Inbox(passage),
            Permitting(passage, writing), Errands(passage, reading, writing, Inbox(passage)),
            Questioning(passage, Retracing(passage, custody), Inbox(passage)), Charting(passage),
            Urgent(passage, emergency), Worklists(passage), Leaving(passage),
            Links(passage, Leaving(passage)), Sealing(passage), Revoking(passage, writing),
            Attesting(passage, writing), Retracing(passage, custody), Chosen(passage),
            Leafing(passage, Charting(passage)), Protecting(passage, writing), Drafting(passage, writing),
            Consulting(Charting(passage), bundling), Stationery(passage),
            Scheduling(passage, writing, Patching(reading, finding, writing)),
            Registering(passage, writing), Papers(passage, reading, writing),
            Probing(passage, proving, custody, kind), entrance,
        )  # fmt: skip

    def close(self) -> None:
        """Finish writing, close the store, the spool and the way to custody."""
        self.as_typed.register.close()
        self.passage.store.close()
        self.passage.spooling.close()
        self.custody.close()
