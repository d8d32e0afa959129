"""The papers of a record as somebody may list them: what kind, of when, filed by whom; no body is opened.

For who files and prints what they do not read (HOUSE section 2): `list` in a cell shows that a document is
there, `print` lets it be printed through a traced route (`leaving`), neither opens its text on a screen. A
document's own title is part of what is not read here: it may say what was found.

A paper filed in the wrong record is taken back by who filed it, with its content, in one act.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from serment.errors import NotFoundError
from serment.fhir import binary, dated, errand, paper_scan
from serment.fhir import document as documents
from serment.fhir.binary_json import contents_of
from serment.fhir.paper_scan import Scan
from serment.ledger.append import Pending
from serment.ledger.entry import Interaction
from serment.model import Act, ActorId, Permit
from serment.record import gate, incoming, scanning, trace, writing
from serment.record.asking import Asking
from serment.record.gate import View
from serment.record.pages.showing import REFUSED_UNIT, main_rule
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.reading import Reading, settled, with_keys
from serment.record.shelf import may_hold
from serment.record.write import Written
from serment.record.writing import Writing
from serment.store.contract import Snapshot

TYPE = "DocumentReference"


@dataclass(frozen=True, slots=True)
class Paper:
    """One document: its kind (JDV_J07 code, "" when no table names it), the instant it speaks of (ms).

    `prints` says that the asker may print it, `mine` that they filed it.
    """

    id: str = field(repr=False)
    kind: str
    at: int
    prints: bool
    mine: bool


@dataclass(slots=True)
class _Seen:
    view: View
    papers: list[Paper]
    entries: list[Pending]
    any: bool


class Papers:
    """The passage for lists of documents, and for taking one back."""

    def __init__(self, passage: Passage, reading: Reading, writes: Writing) -> None:
        self._passage = passage
        self._reading = reading
        self._writing = writes

    async def listed(self, asking: Asking, patient: str) -> list[Paper]:
        """List the documents that the asker may list, newest first.

        Raises `NotFoundError` when nothing of the record may be listed.
        """
        seen = await with_keys(self._passage, asking, lambda snapshot: self._look(snapshot, asking, patient))
        await settled(self._passage, seen.entries, again=True)
        if not seen.any:
            raise NotFoundError("record.not-found")
        return sorted(seen.papers, key=lambda one: (-one.at, one.id))

    async def file(self, asking: Asking, patient: str, scan: Scan, base: str = "") -> Written:
        """File a scanned paper, its content with it, in one act.

        Raises `InvalidResourceError` for a content that is not what it says it is, `TooLargeError`,
        `RefusedError`.
        """
        binary.checked(scan.media_type, scan.content[: binary.LOOKED_AT])
        sheet_id, content_id = writing.new_id(), writing.new_id()
        made = paper_scan.scanned(patient, scan, f"Binary/{content_id}")
        sheet = incoming.read(made, TYPE, base)
        data = base64.b64encode(scan.content).decode()
        body = errand.content(patient, scan.media_type, data)
        content = incoming.read(body, "Binary", base, sheet=(sheet, f"{TYPE}/{sheet_id}"))
        await scanning.screen(self._writing.scanner, content)

        def job(pen: Pen) -> Written:
            first = writing.put(pen, sheet, sheet_id, {}, asking.actor.id)
            writing.put(pen, content, content_id, {}, asking.actor.id)
            return first

        return await self._writing.run(asking, [f"Patient/{patient}"], job)

    async def take_back(self, asking: Asking, patient: str, id_: str) -> None:
        """Take a document that the asker filed out of a record, and its content with it.

        Its versions stay in the history, as of whatever is deleted. Raises `NotFoundError`, `RefusedError`.
        """
        served = await self._reading.read(asking, TYPE, id_)
        sheet = documents.read(served.body).value
        if sheet.get("subject", {}).get("reference") != f"Patient/{patient}":
            raise NotFoundError("record.not-found")
        contents = contents_of(sheet, "")

        def job(pen: Pen) -> None:
            pen.reason = "misfiled"
            writing.remove(pen, TYPE, id_, served.version)
            for one in contents:
                type_, _, name = one.partition("/")
                writing.remove(pen, type_, name)

        await self._writing.run(asking, [f"{TYPE}/{id_}"], job)

    def _look(self, snapshot: Snapshot, asking: Asking, patient: str) -> _Seen:
        passage = self._passage
        lead = passage.lead(snapshot, f"Patient/{patient}")
        view = passage.view_of(snapshot, asking, lead.located.record, lead.row, at_hand=True)
        permits = gate.permitted(view, Act.LIST)
        if not permits:
            denial = gate.denied(view.decide(REFUSED_UNIT, Act.LIST))
            entries = trace.of_refusal(passage, view, Interaction.LIST, denial)
            return _Seen(view, [], entries, any=False)
        units, papers, touched = view.head.classes(), [], []
        few = {place: permit for place, permit in permits.items() if may_hold(units[place], TYPE)}
        for _, permit, unit, found in gate.opened(snapshot, view, few):
            for entry in found:
                if entry.type != TYPE or entry.deleted:
                    continue
                touched.append(trace.touched(gate.Item(permit, unit, entry), asking))
                kind = "" if unit.document_type == TYPE else unit.document_type
                at = dated.moment(entry.type, entry.updated, bytes(entry.values))
                prints = isinstance(view.decide(unit, Act.PRINT), Permit)
                papers.append(Paper(entry.id, kind, at, prints, _mine(unit.author, asking)))
        rule = main_rule([permit.rule for permit in permits.values()])
        entries = trace.of_access(passage, view, Interaction.LIST, touched, rule)
        return _Seen(view, papers, entries, any=True)


def _mine(author: ActorId, asking: Asking) -> bool:
    return bool(author) and author == asking.actor.id
