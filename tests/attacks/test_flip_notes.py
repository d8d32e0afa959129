"""Rows that no head lists, changed by hand: the installation's own, and what an import notes of itself.

Every table is named here or in `test_flip`. What is changed is found at the start, at the next import or by
the verification; and where an import only begins again, nothing is lost, doubled in silence or served wrong.
"""

# ruff: noqa: S608 - tables and columns of the test's own tables

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from serment.errors import IntegrityError, SermentError, SettingsError
from serment.intake import import_
from serment.intake.import_.report import ImportProgress, ImportReport
from serment.ledger.spool import LAST_MERGED
from serment.model import Act, Actor, ActorId, ActorKind
from serment.record import gate
from serment.record.imports.importing import NOTE_MISSING, OWNER_MISSING, Importing
from tests.attacks.sql import Thief, flipped, found
from tests.attacks.test_flip import CELLS
from tests.installation import STORE, Installation, bare_installation, on_a_file, run

STRUCTURE = "cabinet-des-tilleuls"
SOURCE = "former-software"
PEOPLE = 12

ELSEWHERE = {
    "session": "test_flip: test_a_flipped_session_opens_nothing",
    "retry": "test_retries: test_a_row_of_another_key_answers_no_retry",
    "counter": "test_flip: test_a_counter_put_back_never_overwrites_a_row; here",
    "ledger_head": "of PostgreSQL: the row that writers of the ledger lock, it says nothing",
    "meta": "here",
    "migration": "here",
    "imported": "here",
    "quarantine": "here",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with bare_installation(tmp_path / "data") as made:
        yield made


@pytest.fixture
def hands(house: Installation) -> Iterator[Thief]:
    thief = Thief(house)
    yield thief
    thief.close()


def test_every_table_is_attacked_somewhere(hands: Thief) -> None:
    tables = set(hands.tables())
    only = {"ledger_head"} if STORE == "postgresql" else {"counter"}
    assert tables - only == (set(CELLS) | set(ELSEWHERE)) - {"counter", "ledger_head"}
    assert only <= tables


# What the installation says of itself.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = zeroblob(16) WHERE name = 'store-id'",
        "UPDATE meta SET name = 'store-ie' WHERE name = 'store-id'",
        "DELETE FROM meta",
        "UPDATE migration SET sha256 = zeroblob(32)",
        "UPDATE migration SET number = number + 64",
        "DELETE FROM migration",
    ],
)
def test_a_row_of_the_installation_changed_by_hand_keeps_it_closed(
    house: Installation, hands: Thief, statement: str
) -> None:
    saved = {table: hands.saved(table) for table in ("meta", "migration")}
    house.house.close()
    hands.rows(statement)
    with pytest.raises((IntegrityError, SettingsError)):
        house.reopen()
    for table, rows in saved.items():
        hands.rows(f"DELETE FROM {table}")
        hands.put(table, rows)
    house.reopen()
    assert not found(house)


def test_a_mark_of_a_merge_made_up_by_hand_changes_nothing(house: Installation, hands: Thief) -> None:
    """It says which spooled traces have their place already, by a commitment that only their key opens."""
    hands.put("meta", [(LAST_MERGED, bytes(32))])
    house.house.close()
    house.reopen()
    assert not found(house)


@on_a_file
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM counter",
        "UPDATE counter SET name = name || 'x'",
        f"UPDATE counter SET last = {2**63 - 1}",
    ],
)
def test_without_its_counters_nothing_is_written_and_nothing_lost(
    house: Installation, hands: Thief, tmp_path: Path, statement: str
) -> None:
    source = written(tmp_path, 2)
    with hands.changed("counter", statement), pytest.raises(SermentError):
        imported(house, source)
    assert not found(house)
    assert all_stands(house, imported(house, source), 2)


# What an import notes of itself.


def written(folder: Path, people: int = PEOPLE) -> Path:
    """Write a bundle of people with two flags each, and one that belongs to nobody, for the quarantine."""
    entries = [{"resource": one} for n in range(people) for one in person(n)]
    entries.append({"resource": flag("lost", "nobody")})
    path = folder / "source.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return path


def person(number: int) -> list[dict[str, Any]]:
    key = f"p{number}"
    return [
        {"resourceType": "Patient", "id": key, "birthDate": "1950-02-03"},
        flag(f"{key}-a", key),
        flag(f"{key}-b", key),
    ]


def flag(key: str, of: str) -> dict[str, Any]:
    subject = {"reference": f"Patient/{of}"}
    return {"resourceType": "Flag", "id": key, "status": "active", "code": {"text": key}, "subject": subject}


def imported(made: Installation, source: Path, progress: Any = lambda _: None) -> ImportReport:
    asking = import_.service(made.house, STRUCTURE)
    return import_.run(made.house, source, asking, name=SOURCE, progress=progress)


def items(made: Installation) -> list[str]:
    """Give every entry that stands in a current pack, twice when it stands there twice."""
    passage, asking = made.house.passage, import_.service(made.house, STRUCTURE)
    names: list[str] = []
    with passage.store.snapshot() as snapshot:
        for n in range(PEOPLE):
            id_ = Importing(passage).id_of(SOURCE, "Patient", f"p{n}")
            located, known = passage.resolve(snapshot, f"Patient/{id_}")
            if known:
                view = passage.view(snapshot, asking, located.record)
                view.depositing = True
                permits = gate.permitted(view, Act.WRITE, lambda _: True)
                packs = gate.packs(snapshot, view, permits)
                names += [item.entry.reference for _, pack in packs for item in pack]
    return names


def all_stands(made: Installation, report: ImportReport, people: int = PEOPLE) -> bool:
    """Say whether each resource stands once, the report adds up, and the quarantine holds what it counts."""
    names = items(made)
    held = import_.listed(made.house, import_.service(made.house, STRUCTURE))
    tokens = [one.name for one in held]
    return (
        len(names) == len(set(names)) == 3 * people
        and report.received == report.stored + report.quarantined == 3 * people + 1
        and len(set(tokens)) == len(tokens)
        and OWNER_MISSING in {one.reason for one in held}
        and not found(made)
    )


class CutError(Exception):
    """The import was cut here."""


def cut(progress: ImportProgress) -> None:
    raise CutError


def test_every_number_of_a_cut_import_moved_by_hand_leaves_nothing_out(
    house: Installation, hands: Thief, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place put at the end of the file, where a cut import would go on: it begins again instead."""
    whole = written(tmp_path)
    monkeypatch.setattr(import_module("serment.intake.import_.run"), "LOT", 5)
    with pytest.raises(CutError):
        imported(house, whole, cut)
    house.house.close()
    house.reopen()
    done = 1 << 62
    hands.rows("UPDATE imported SET position = ? WHERE position < 100 AND position > 0", done)
    report = imported(house, whole)
    assert all_stands(house, report)


def test_a_note_taken_away_doubles_nothing_and_is_said(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    source = written(tmp_path)
    imported(house, source)
    hands.rows("DELETE FROM imported")
    report = imported(house, source)
    assert report.reasons == {NOTE_MISSING: 3 * PEOPLE, OWNER_MISSING: 1}
    assert all_stands(house, report)


def test_a_note_changed_by_hand_makes_a_counted_version_and_no_second_item(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    source = written(tmp_path)
    imported(house, source)
    before = bodies(house)
    hands.rows("UPDATE imported SET position = position + (1 << 30) WHERE position > (1 << 40)")
    report = imported(house, source)
    assert report.updated + report.already + report.quarantined == report.received
    assert report.updated == 3 * PEOPLE
    assert all_stands(house, report)
    assert bodies(house) == before


def bodies(made: Installation) -> list[tuple[str, str]]:
    """Read the flags of the people as they hold them: type and text, without version and instant."""
    importing, found_ = Importing(made.house.passage), []
    for n in range(PEOPLE):
        for part in "ab":
            patient = importing.id_of(SOURCE, "Patient", f"p{n}")
            id_ = importing.id_of(SOURCE, "Flag", f"p{n}-{part}")
            asking = made.store.asking(holder(patient))
            body = json.loads(run(made.house.reading.read(asking, "Flag", id_)).body)
            found_.append((body["id"], body["code"]["text"]))
    return found_


def holder(patient: str) -> Actor:
    return Actor(ActorId(f"patient:{patient}"), ActorKind.PATIENT, "A patient")


@pytest.mark.capability("0-05", "refuses")
def test_flips_in_the_notes_of_an_import_lose_and_double_nothing(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    source = written(tmp_path)
    imported(house, source)
    dice = random.Random(2026)  # noqa: S311 - dice for a test
    for round_ in range(8):
        for token, position in dice.sample(hands.saved("imported"), 6):
            if round_ % 2:
                changed = flipped(token, dice.randrange(128))
                hands.rows("DELETE FROM imported WHERE source = ?", changed)
                hands.rows("UPDATE imported SET source = ? WHERE source = ?", changed, token)
            else:
                changed_ = position ^ 1 << dice.randrange(62)
                hands.rows("UPDATE imported SET position = ? WHERE source = ?", changed_, token)
        assert all_stands(house, imported(house, source))


# The quarantine.


def test_a_row_of_the_quarantine_changed_by_hand_is_found_and_never_filed(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    source = written(tmp_path)
    imported(house, source)
    ((number, sealed),) = hands.saved("quarantine")
    asking = import_.service(house.house, STRUCTURE)
    for statement, values in (
        ("UPDATE quarantine SET sealed = ? WHERE number = ?", (flipped(sealed, 300), number)),
        ("UPDATE quarantine SET sealed = ? WHERE number = ?", (flipped(sealed, 50), number)),
        ("UPDATE quarantine SET number = number + 1 WHERE number = ?", (number,)),
        ("DELETE FROM quarantine WHERE number = ?", (number,)),
    ):
        with hands.changed("quarantine", statement, *values):
            assert found(house)
            with pytest.raises(IntegrityError):
                import_.retry(house.house, asking)
    assert not found(house)
    assert import_.retry(house.house, asking).reasons == {OWNER_MISSING: 1}


def test_two_rows_of_the_quarantine_in_each_others_place_are_found(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    path = tmp_path / "two.ndjson"
    path.write_text("\n".join(json.dumps(flag(key, "nobody")) for key in ("one", "two")))
    imported(house, path)
    (one, first), (two, second) = hands.saved("quarantine")
    hands.rows("UPDATE quarantine SET sealed = ? WHERE number = ?", second, one)
    hands.rows("UPDATE quarantine SET sealed = ? WHERE number = ?", first, two)
    assert found(house)
    with pytest.raises(IntegrityError):
        import_.retry(house.house, import_.service(house.house, STRUCTURE))


def test_a_row_put_into_the_quarantine_is_listed_and_filed_by_nobody(
    house: Installation, hands: Thief, tmp_path: Path
) -> None:
    imported(house, written(tmp_path))
    hands.rows("INSERT INTO quarantine VALUES (9000, zeroblob(300))")
    asking = import_.service(house.house, STRUCTURE)
    assert [one.reason for one in import_.listed(house.house, asking)] == [OWNER_MISSING]
    assert import_.retry(house.house, asking).tried == 1
