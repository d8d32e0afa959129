"""A minor's secret hides the whole chain of acts, not one item of it (CSP R1111-33, R1111-50; ADR 43).

What names a secret item is as secret as it: the prescription of a secret visit, its dispensation, the claim.
What a secret item names is drawn along when it is an act (`ACTS`): the order behind a secret result, its
visit. What lasts beside the act (a problem, a plan, an account) is not, unless it names the secret itself.
Inside one record, at each write, in the order: what is as secret as what it names, what a secret draws
along, how an item remembers.

Nobody hears of a secret by writing: a proxy's item joins none, and who may not read the secret draws
nothing along. Once an item was made visible again it stays so: nothing hides it a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec

from serment.access.categories import labelled
from serment.errors import RequestError
from serment.fhir.references import LOGICAL
from serment.model import Act, ActorKind, Category, ItemClass, Label, Permit
from serment.record import filing, gate, today
from serment.record.draft import Draft
from serment.record.gate import Item, View
from serment.record.incoming import Incoming
from serment.record.index import Entry
from serment.record.pen import Pen
from serment.record.subscriptions.subscribers import seen_by

SECRET: Final = Label.MINOR_SECRET.value
NAMES: Final = "$names"
"""In an entry's values: the acts that the item names where no search parameter says so."""

CHAINED: Final = "$chained"
"""In an entry's values: that the secret came by the chain; the resource itself does not state it."""

SHOWN: Final = "$shown"
"""In an entry's values: that the item was secret once and was made visible again, for good."""

APART: Final = frozenset({Category.IDENTITY, Category.CONTACT, Category.CHOICES, Category.DIRECTORY})
"""Categories that join no chain: who the person is, their own words (`choices`), the directory."""

ACTS: Final = frozenset(
    {
        "Appointment",
        "AppointmentResponse",
        "Binary",
        "ChargeItem",
        "Claim",
        "ClaimResponse",
        "ClinicalImpression",
        "Communication",
        "CommunicationRequest",
        "Composition",
        "CoverageEligibilityRequest",
        "CoverageEligibilityResponse",
        "DeviceRequest",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ExplanationOfBenefit",
        "ImagingStudy",
        "Immunization",
        "Invoice",
        "Media",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "Observation",
        "Procedure",
        "QuestionnaireResponse",
        "RequestGroup",
        "ServiceRequest",
        "Specimen",
        "SupplyDelivery",
        "SupplyRequest",
        "Task",
    }
)
"""Types that are acts of care or their cost: a secret item draws along those that it names."""


# What is as secret as what it names.


def joined(draft: Draft, incoming: Incoming, before: Item | None = None, reason: str = "") -> Incoming:
    """Give what is written under the secret of what it names, or that it has by the chain already.

    With a `reason` an item that does not state the secret is made visible, and stays so. Raises
    `RequestError` when one that was made visible states it again.
    """
    marks = _marks(before)
    if SHOWN in marks:
        if SECRET in incoming.labels:
            raise RequestError("record.secret-shown")
        return incoming
    if SECRET in incoming.labels or incoming.category in APART:
        return incoming
    if before is not None and SECRET in before.unit.labels:
        return as_secret(incoming) if CHAINED in marks and not reason else incoming
    if draft.view.asking.actor.kind is ActorKind.PROXY or not _keeps_secrets(draft):
        return incoming
    return as_secret(incoming) if _names_secret(draft, incoming.named) else incoming


def as_secret(incoming: Incoming) -> Incoming:
    """Put what is written under a minor's secret."""
    return replace(incoming, labels=labelled(incoming.labels, Label.MINOR_SECRET))


def _keeps_secrets(draft: Draft) -> bool:
    """Tell whether the record holds a secret at all: most hold none, and look nothing up."""
    return any(SECRET in unit.labels for unit in (*draft.view.head.classes(), *draft.placed))


def _names_secret(draft: Draft, named: Sequence[str]) -> bool:
    """Tell whether one of these is secret, be it named by its identifier."""
    logical = _logical(named)
    literal = [one for one in named if one not in logical]
    if any(_secret(draft, one) for one in literal):
        return True
    meant = _Looking(draft, _keeper(draft)).bearing(logical) if logical else ()
    return any(_secret(draft, one) for one in meant)


def _secret(draft: Draft, reference: str) -> bool:
    unit = filing.class_of(draft, reference)
    return unit is not None and SECRET in unit.labels


# What a secret draws along.


def keep(
    pen: Pen, draft: Draft, stated: Incoming, incoming: Incoming, id_: str, before: Item | None = None
) -> None:
    """Remember on what was just written how it came by the secret, and draw its chain along at the end.

    `stated` is what was sent, `incoming` what `joined` made of it.
    """
    reference = f"{incoming.type}/{id_}"
    at = filing.placed(draft, reference)
    if at is None:
        return
    secret = SECRET in incoming.labels
    was = before is not None and SECRET in before.unit.labels
    marks: dict[str, Any] = {}
    if secret and SECRET not in stated.labels:
        marks[CHAINED] = True
    if not secret and (was or SHOWN in _marks(before)):
        marks[SHOWN] = True
    kept = (*_acts(incoming.named), *_logical(incoming.named))
    unsaid = [one for one in kept if _needle(one) not in bytes(at.entry.values)]
    if unsaid:
        marks[NAMES] = unsaid
    if marks:
        filing.move(draft, at, at.unit, marks)
    if secret and _may_draw(draft, stated, incoming):
        pen.later.append(partial(_draw, pen, draft, reference, stood=before is not None and not was))


def _may_draw(draft: Draft, stated: Incoming, incoming: Incoming) -> bool:
    """Tell whether the writer knows of the secret: they state it, or may read an item that it comes from."""
    if SECRET in stated.labels:
        return True
    sources = (filing.class_of(draft, one) for one in incoming.named)
    return any(
        unit is not None and SECRET in unit.labels and isinstance(draft.view.decide(unit, Act.READ), Permit)
        for unit in sources
    )


@dataclass(frozen=True, slots=True)
class _Looking:
    """A look through the record: who writes, and the structure's own service beside them.

    Whoever writes the visit may not hold the claim: the service, which deposits what is received, does.
    """

    draft: Draft
    keeper: View

    def permit(self, unit: ItemClass) -> Permit | None:
        """Give a permit that holds a class: the writer's by whatever act, else the service's."""
        verdicts = (self.draft.view.decide(unit, act) for act in filing.HOLDING)
        verdict = filing.first_permit((*verdicts, self.keeper.decide(unit, Act.WRITE)))
        return verdict if isinstance(verdict, Permit) and unit.category not in APART else None

    def find(self, reference: str) -> filing.Standing | None:
        """Find an item of the record that may be held; None for any other."""
        here = filing.placed(self.draft, reference)
        if here is not None:
            return here
        unit = filing.class_of(self.draft, reference)
        permit = None if unit is None else self.permit(unit)
        item = None if permit is None else self.draft.held(filing.name_of(reference), permit)
        return None if item is None else filing.Standing(item.unit, item.entry, item)

    def named_by(self, reference: str) -> list[str]:
        """Name the acts that an item of the record refers to, as its entry says it."""
        at = self.find(reference)
        if at is None:
            return []
        values = _read(at.entry)
        meant = _acts(self.bearing(_means(values)))
        return [*_acts(_strings(values)), *(one for one in meant if one != reference)]

    def names_of(self, references: Sequence[str]) -> list[str]:
        """Give every name by which these items are referred to: their own, and by identifier."""
        found = [at for at in map(self.find, references) if at is not None]
        return [*references, *(name for at in found for name in _borne(_read(at.entry)))]

    def naming(self, drawn: Sequence[str], older: Sequence[str]) -> Iterator[str]:
        """Name what refers to these: in this transaction to any, among what stands to the `older` ones."""
        drawn, older = self.names_of(drawn), self.names_of(older)
        for entries in list(self.draft.placed.values()):
            yield from (one.reference for one in entries if _refers(one, drawn))
        for entries in self._standing(older) if older else ():
            yield from (one.reference for one in entries if _refers(one, older))

    def bearing(self, logical: Sequence[str]) -> Iterator[str]:
        """Name the items of the record that bear one of these identifiers."""
        if not logical:
            return
        for entries in [*self.draft.placed.values(), *self._standing(logical)]:
            for one in entries:
                if not one.deleted and _share(_borne(_read(one)), logical):
                    yield one.reference

    def _standing(self, wanted: Sequence[str]) -> Iterator[list[Entry]]:
        """Give the entries of the packs that may be held and whose bytes hold one of these names."""
        draft, needles = self.draft, [[_needle(one) for one in wanted]]
        held = {place: self.permit(unit) for place, unit in enumerate(draft.view.head.classes())}
        permits = {place: permit for place, permit in held.items() if permit is not None}
        packs = gate.listing(draft.txn, draft.view, permits)
        yield from (draft.opened[one.number] for one in packs if one.number in draft.opened)
        closed = [one for one in packs if one.number not in draft.opened]
        for _, _, _, entries in gate.opened_of(draft.txn, draft.view, closed, needles):
            yield entries


@dataclass(frozen=True, slots=True)
class _Drawing(_Looking):
    """A secret that draws its chain along."""

    pen: Pen

    def hide(self, reference: str) -> bool:
        """Put an item under the secret. Says False of what joins no chain, or may not be held."""
        at = self.find(reference)
        if at is None or at.unit.category in APART:
            return False
        if SECRET in at.unit.labels or SHOWN in _read(at.entry):
            return False
        unit = replace(at.unit, labels=labelled(at.unit.labels, Label.MINOR_SECRET))
        filing.protect(self.pen, self.draft, at, unit, {CHAINED: True})
        return True


def _draw(pen: Pen, draft: Draft, reference: str, *, stood: bool) -> None:
    """Draw along what a secret item names and, of one that stood before (`stood`), what names it."""
    drawing = _Drawing(draft, _keeper(draft), pen)
    drawn, seen = [reference], {reference}
    older = [reference] if stood else []
    while drawn:
        near = {one for each in drawn for one in drawing.named_by(each)}
        near.update(drawing.naming(drawn, older))
        drawn = older = [one for one in sorted(near - seen) if drawing.hide(one)]
        seen |= near


def _keeper(draft: Draft) -> View:
    """Look at the record as the service of its structure, within the same act."""
    facts = draft.facts or draft.view.facts
    asking = today.of_installation(draft.view.asking)
    service = replace(asking, actor=replace(today.KEEPER, structure=facts.structure))
    view = seen_by(draft.view, facts, service)
    view.depositing = True
    return view


def _refers(entry: Entry, wanted: Sequence[str]) -> bool:
    """Tell whether an entry that stands names one of these in its values."""
    raw = bytes(entry.values)
    if entry.deleted or not any(_needle(one) in raw for one in wanted):
        return False
    values = _read(entry)
    return not set(wanted).isdisjoint(_strings(values)) or _share(_means(values), _logical(wanted))


# What is named by an identifier (`references.named_as`).


def _logical(names: Iterable[str]) -> list[str]:
    return [one for one in names if one.startswith(LOGICAL)]


def _needle(name: str) -> bytes:
    """Give the bytes that the values of an entry hold when it may bear or mean a name."""
    return name.rpartition("\n")[2].encode()


def _borne(values: dict[str, Any]) -> list[str]:
    """Name an item by the identifiers that its index says it bears: `[system, value, …]`."""
    return [_name(one[0], one[1]) for one in values.get("identifier", ()) if isinstance(one[1], str)]


def _means(values: dict[str, Any]) -> list[str]:
    """Name what an item refers to by identifier; the index says `[literal, type, system, value]`."""
    said = [one for found in values.values() if isinstance(found, list) for one in found]
    indexed = [one for one in said if isinstance(one, list) and len(one) == 4 and isinstance(one[3], str)]
    return [*_logical(values.get(NAMES, ())), *(_name(one[2], one[3]) for one in indexed)]


def _name(system: Any, folded: str) -> str:
    return f"{LOGICAL}{system or ''}\n{folded}"


def _share(some: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether two lists name one thing; who leaves the system out means any: more is hidden."""
    ends = [one.partition("\n")[::2] for one in others]
    return any(
        value == other and (system == whose or LOGICAL in {system, whose})
        for system, value in (one.partition("\n")[::2] for one in some)
        for whose, other in ends
    )


# How an item remembers.


def _marks(before: Item | None) -> dict[str, Any]:
    return {} if before is None else _read(before.entry)


def _read(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.msgpack.decode(entry.values)
    return found


def _strings(values: dict[str, Any]) -> Iterator[str]:
    waiting = list(values.values())
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list | tuple):
            waiting += one


def _acts(references: Iterable[str]) -> list[str]:
    return [one for one in references if one.partition("/")[0] in ACTS and one.count("/") == 1]
