"""The register: what the installation keeps of its own people and programs, sealed and traced.

A record of the installation's own, made at `init`, sealed and chained like any other, with no content of
any patient: accounts, credentials, clients, grants. One entry for each *file* of a *drawer* (`account`,
`credential`, `client`…); its value is the caller's own MessagePack and stands in the entry. A file may be
found by further names, unique in its drawer: a login, an identifier at an identity provider. Names are
files of their own, so that nothing but a keyed token of them stands in clear.

The register decides nothing about people: who may change what is decided by the caller
(`access/administer`). Reading a file is part of an act whose own trace the caller writes (`traced`, or the
entry of a sign-in); changing one is an entry of the register's chain, by the actor who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from serment.errors import ConflictError, IntegrityError
from serment.ledger.entry import Interaction
from serment.model import Act, Category, ItemClass, Label, Permit
from serment.record import gate, trace, writing
from serment.record.asking import Asking
from serment.record.draft import Draft
from serment.record.gate import Item, View
from serment.record.index import Entry
from serment.record.passage import PEOPLE, Passage
from serment.record.today import KEEPER, of_installation
from serment.store.contract import Snapshot

if TYPE_CHECKING:
    from serment.record.pen import Pen

TYPE: Final = "Register"
"""Type of the entries; no resource of FHIR has this name."""

_NAME: Final = "~"
"""What begins the id of a further name: no file's own id may."""

T = TypeVar("T")

Edit = Callable[[bytes | None], bytes | None]
"""From what stands in a file, None for nothing, to what shall stand; None to take the file out."""

Naming = Callable[[bytes], Iterable[str]]
"""From what shall stand in a file to its further names."""


class Registry:
    """The passage to the register. Calls may come from any thread; `change` waits until it is durable."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def get(self, asking: Asking, drawer: str, id_: str) -> bytes | None:
        """Read one file; None when there is none."""
        with self._passage.store.snapshot() as snapshot:
            return _value(self._item(snapshot, self._look(snapshot, asking), drawer, id_))

    def find(self, asking: Asking, drawer: str, name: str) -> tuple[str, bytes] | None:
        """Find a file by one of its further names: its id and value; None when no file has that name."""
        with self._passage.store.snapshot() as snapshot:
            view = self._look(snapshot, asking)
            named = _value(self._item(snapshot, view, drawer, _NAME + name))
            if named is None:
                return None
            id_ = named.decode()
            value = _value(self._item(snapshot, view, drawer, id_))
            return None if value is None else (id_, value)

    def all(self, asking: Asking, drawer: str) -> dict[str, bytes]:
        """Read every file of a drawer, by id."""
        unit = unit_of(drawer)
        with self._passage.store.snapshot() as snapshot:
            view = self._look(snapshot, asking)
            permits = gate.permitted(view, Act.WRITE, lambda one: one == unit)
            items = [item for _, pack in gate.packs(snapshot, view, permits) for item in pack]
        found = {item.entry.id.partition("/")[2]: _value(item) for item in items}
        return {id_: value for id_, value in sorted(found.items()) if value is not None and id_[0] != _NAME}

    def change(
        self,
        asking: Asking,
        drawer: str,
        id_: str,
        edit: Edit,
        *,
        names: Naming | None = None,
        interaction: Interaction = Interaction.ACCOUNT,
    ) -> bytes | None:
        """Change one file in one transaction, traced as an act of the asker; give what stands now.

        `names` gives the further names of the file from now on; left at None they stay. `edit` runs inside
        the transaction, on what stands there, and may raise: nothing is changed then. Raises `ConflictError`
        for a name of another file.
        """

        def job(pen: Pen) -> bytes | None:
            return edited(pen, drawer, id_, edit, names=names, interaction=interaction)

        passage = self._passage
        return passage.store.submit(lambda txn: writing.written(passage, txn, asking, job)).result()

    def act(self, asking: Asking, job: Callable[[Pen], T]) -> T:
        """Do several changes in one transaction, each by `edited`; waits until it is durable."""
        passage = self._passage
        return passage.store.submit(lambda txn: writing.written(passage, txn, asking, job)).result()

    def find_or(self, asking: Asking, drawer: str, name: str, decoy: tuple[str, str]) -> tuple[str, bytes]:
        """Find a file by a further name; when no file has it, give the decoy (its id and name) in its place.

        The same statements either way: whoever asks by a name learns nothing from the work. Raises
        `IntegrityError` when the decoy is not there.
        """
        with self._passage.store.snapshot() as snapshot:
            view = self._look(snapshot, asking)
            named = _value(self._either(snapshot, view, drawer, (_NAME + name, _NAME + decoy[1])))
            id_ = decoy[0] if named is None else named.decode()
            value = _value(self._either(snapshot, view, drawer, (id_, decoy[0])))
            if value is None:
                raise IntegrityError("record.altered")
            return id_, value

    def get_or(self, asking: Asking, drawer: str, id_: str, decoy: str) -> bytes | None:
        """Read one file, or the decoy's where there is none, by the same statements."""
        with self._passage.store.snapshot() as snapshot:
            return _value(self._either(snapshot, self._look(snapshot, asking), drawer, (id_, decoy)))

    def traced(self, asking: Asking, interaction: Interaction, references: Iterable[str]) -> None:
        """Write down that files were read, before what they say is told. Waits until it is durable."""
        with self._passage.store.snapshot() as snapshot:
            view = self._look(snapshot, asking)
        said = trace.event(self._passage, asking, interaction, rule="", references=list(references))
        entry = trace.pending(view.keys, view.record, trace.chain_for(unit_of(""), asking), said)
        trace.durable(self._passage, [entry]).result()

    def _look(self, snapshot: Snapshot, asking: Asking) -> View:
        return look(self._passage, snapshot, asking)

    def _either(self, snapshot: Snapshot, view: View, drawer: str, ids: tuple[str, str]) -> Item | None:
        """Give one file, or the other where there is no first: one statement says where both stand."""
        names = [f"{TYPE}/{drawer}/{id_}".replace("#", "/") for id_ in ids]
        first, second = snapshot.locate_two(*(self._passage.installation.locator(name) for name in names))
        id_, located = (ids[0], first) if first is not None else (ids[1], second)
        if located is None or located.record != view.record:
            return None
        item = gate.current(snapshot, view, located.pack, (TYPE, f"{drawer}/{id_}", ""), Act.WRITE)
        return item if isinstance(item, Item) else None

    def _item(self, snapshot: Snapshot, view: View, drawer: str, id_: str) -> Item | None:
        located, known = self._passage.resolve(snapshot, f"{TYPE}/{drawer}/{id_}")
        if not known or located.record != view.record:
            return None
        item = gate.current(snapshot, view, located.pack, (TYPE, f"{drawer}/{id_}", ""), Act.WRITE)
        return item if isinstance(item, Item) else None


def look(passage: Passage, snapshot: Snapshot, asking: Asking) -> View:
    """Look at the register as its keeper, within the same act. Raises `IntegrityError` when there is none."""
    located = snapshot.locate(passage.installation.locator(PEOPLE))
    if located is None:
        raise IntegrityError("record.row-missing")
    view = passage.view(snapshot, of_installation(asking), located.record)
    view.depositing = True
    return view


def edited(
    pen: Pen,
    drawer: str,
    id_: str,
    edit: Edit,
    *,
    names: Naming | None = None,
    interaction: Interaction = Interaction.ACCOUNT,
) -> bytes | None:
    """Do what `Registry.change` does, inside a transaction that changes other things too."""
    draft = draft_of(pen)
    old = _current(draft, drawer, id_)
    before = None if old is None else _read(old)
    value = edit(None if before is None else before.value)
    after = _File(value, _named(before, value, names))
    if after != (before or NO_FILE):
        _rename(pen, draft, (drawer, id_), before or NO_FILE, after)
        _put(draft, drawer, id_, after, old, pen.asking.now)
        _keep(pen, draft, interaction, f"{TYPE}/{drawer}/{id_}")
    return value


def in_pen(pen: Pen, drawer: str, id_: str) -> bytes | None:
    """Read one file inside a transaction that is about to change it; None when there is none."""
    return _value(_current(draft_of(pen), drawer, id_))


def _named(before: _File | None, value: bytes | None, names: Naming | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if names is None:
        return before.names if before is not None else ()
    return tuple(sorted(set(names(value))))


def draft_of(pen: Pen) -> Draft:
    """Open the register for writing, once for each transaction."""
    view = look(pen.passage, pen.txn, pen.asking)
    return pen.drafts.get(view.record) or Draft(pen.passage, pen.txn, view)


def unit_of(drawer: str) -> ItemClass:
    """Give the class of one drawer: each stands in packs of its own."""
    return ItemClass(Category.UNMAPPED, f"{TYPE} {drawer}", (Label.VERY_RESTRICTED.value,), KEEPER.id)


class _File(msgspec.Struct, array_like=True, frozen=True):
    """One file: what its owner wrote (None: taken out), and its further names."""

    value: bytes | None
    names: tuple[str, ...] = ()


NO_FILE: Final = _File(None)


def _rename(pen: Pen, draft: Draft, file: tuple[str, str], before: _File, after: _File) -> None:
    """Give a file its new further names for the old ones. Raises `ConflictError` for one of another file."""
    drawer, whose = file[0], file[1].encode()
    coming = set(after.names) - set(before.names)
    for name in sorted(coming ^ (set(before.names) - set(after.names))):
        item = _current(draft, drawer, _NAME + name)
        standing = None if item is None else _read(item).value
        if name in coming and standing not in {None, whose}:
            raise ConflictError("record.name-taken")
        _put(draft, drawer, _NAME + name, _File(whose if name in coming else None), item, pen.asking.now)


def _current(draft: Draft, drawer: str, id_: str) -> Item | None:
    item = draft.current((TYPE, f"{drawer}/{id_}", ""), Act.WRITE)
    return item if isinstance(item, Item) else None


def _put(draft: Draft, drawer: str, id_: str, file: _File, old: Item | None, now: int) -> None:
    version = 1
    if old is not None:
        draft.take(old)
        version = old.entry.version + 1
    values = msgspec.Raw(msgspec.msgpack.encode(file))
    entry = Entry(TYPE, f"{drawer}/{id_}", version, "", now, True, 0, b"", None, values)
    draft.place(unit_of(drawer), entry)


def _keep(pen: Pen, draft: Draft, interaction: Interaction, reference: str) -> None:
    """Have the pen write the draft and its trace. Raises `IntegrityError` when its keeper may not."""
    verdict = draft.view.decide(unit_of(""), Act.WRITE)
    if not isinstance(verdict, Permit):
        raise IntegrityError("record.altered")
    pen.drafts[draft.record] = draft
    touched = trace.of_facts(verdict.rule)
    pen.did(draft, interaction, trace.Touched(reference, touched.chain, verdict.rule))


def _read(item: Item) -> _File:
    try:
        return msgspec.msgpack.decode(bytes(item.entry.values), type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None


def _value(item: Item | None) -> bytes | None:
    return None if item is None else _read(item).value
