"""One bit changed on the disk: in a body, a pack, the facts, the head, a trace, a token, a number."""

# ruff: noqa: S608 - tables and columns of the test's own tables

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import apsw
import psycopg
import pytest

from serment.errors import IntegrityError, SignInError
from serment.record.streaming import Upload
from tests.attacks.sql import Thief, flipped, found, items, read_all, stopped
from tests.installation import Installation, installation, run, small_installation

FLIPS = 1_000
CAMPAIGN_FLIPS = 10_000
READ_EVERY = 20

SEALED = {"body": ("sealed", "number"), "pack": ("sealed", "number"), "record": ("facts", "record")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Lend a fuller one than the other attacks have: records of every kind, to be flipped at random."""
    with installation(tmp_path_factory.mktemp("flip")) as one:
        one.house.proving.checkpoint()
        yield one


@pytest.mark.parametrize(
    ("table", "column", "key"),
    [
        ("body", "sealed", "number"),
        ("pack", "sealed", "number"),
        ("record", "facts", "record"),
        ("record", "head", "record"),
    ],
)
@pytest.mark.parametrize("place", [5, 40, 200, -9], ids=["commitment", "nonce", "content", "tag"])
def test_a_bit_flipped_in_a_sealed_row_is_found_and_never_served(
    made: Installation, thief: Thief, table: str, column: str, key: str, place: int
) -> None:
    before = read_all(made)
    rows = thief.rows(f"SELECT {key}, {column} FROM {table} WHERE record = ?", thief.record())
    assert rows
    name, sealed = rows[len(rows) // 2]
    changed = flipped(sealed, place * 8)
    with thief.changed(table, f"UPDATE {table} SET {column} = ? WHERE {key} = ?", changed, name):
        assert found(made)
        refused = stopped(made, before)
        assert refused or table in {"body", "pack"}
    assert not found(made)
    assert read_all(made) == before


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with small_installation(tmp_path_factory.mktemp("flips")) as one:
        grow(one)
        one.house.proving.checkpoint()
        yield one


def grow(made: Installation) -> None:
    """Give the record a history (a mask made and lifted) and a blob of two chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF-1.7\n" + bytes(270_000)

    item = next(item for item in items(made) if item.startswith("Observation/"))
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    run(made.house.choosing.unmask(made.as_patient(), made.record(), item))
    doctor = made.store.asking(made.patient().attending.actor())
    upload = Upload("application/pdf", f"Patient/{made.record()}", made.house.base)
    run(made.house.depositing.create(doctor, upload, pieces()))


def test_every_body_of_a_record_flipped_is_refused_at_its_first_reading(small: Installation) -> None:
    """The first bodies are those of the items that are read here; then come a choice and a manifest.

    Before them stand both halves of the Patient as it was before its identity was checked.
    """
    thief = Thief(small)
    before = read_all(small)
    numbers = thief.rows("SELECT number FROM body WHERE record = ? ORDER BY number", thief.record())
    first_bodies = {number for (number,) in numbers[2 : len(before)]}
    for number, sealed in thief.rows("SELECT number, sealed FROM body WHERE record = ?", thief.record()):
        changed = flipped(sealed, 900)
        with thief.changed("body", "UPDATE body SET sealed = ? WHERE number = ?", changed, number):
            assert stopped(small, before) or number not in first_bodies
            assert found(small)
    thief.close()


CELLS = {
    "record": ("record", "epoch", "head", "facts"),
    "pack": ("number", "record", "sealed"),
    "locator": ("token", "record", "pack"),
    "body": ("number", "record", "sealed"),
    "chunk": ("blob", "position", "sealed"),
    "person": ("token", "record"),
    "entry": ("sequence", "kind", "hour", "commitment", "key_id", "token", "body"),
    "chain": ("token", "sealed"),
    "checkpoint": ("size", "root", "note"),
}
"""Every column that holds something of a record or of the ledger, sealed or in clear.

Not `chunk.record`: no reading asks it, the keys bind each chunk to its record.
"""


def flip_one(thief: Thief, dice: random.Random) -> tuple[str, str, str, tuple[object, ...]] | None:
    """Choose a column, a row and a bit; give table, column, statement and values."""
    table = dice.choice(sorted(CELLS))
    column = dice.choice(CELLS[table])
    rows = thief.saved(table)
    names = thief.columns(table)
    row = dice.choice(rows)
    value = row[names.index(column)]
    if isinstance(value, int):
        changed: object = value ^ 1 << dice.randrange(20)
    else:
        changed = flipped(value, dice.randrange(len(value) * 8))
    where = " AND ".join(f'"{name}" = ?' for name in names)
    return table, column, f"UPDATE {table} SET {column} = ? WHERE {where}", (changed, *row)


def flip_again_and_again(made: Installation, flips: int, seed: int) -> dict[str, int]:
    """Flip, ask both questions, put back. Gives how many flips each column had."""
    dice = random.Random(seed)  # noqa: S311 - dice for a test
    thief = Thief(made)
    role = "light"
    before = read_all(made, role)
    assert all(isinstance(body, bytes) for body in before.values())
    done: dict[str, int] = defaultdict(int)
    unseen: list[str] = []
    while sum(done.values()) < flips:
        chosen = flip_one(thief, dice)
        assert chosen
        table, column, statement, values = chosen
        try:
            with thief.changed(table, statement, *values):  # type: ignore[arg-type]  # cells as SQLite gave them
                if not found(made):
                    unseen.append(f"{table}.{column}")
                if sum(done.values()) % READ_EVERY == 0:
                    stopped(made, before, role)
        except (apsw.ConstraintError, psycopg.IntegrityError):
            continue
        done[f"{table}.{column}"] += 1
    assert unseen == []
    assert not found(made)
    assert read_all(made, role) == before
    thief.close()
    return done


@pytest.mark.capability("0-05", "refuses")
def test_a_thousand_random_flips_of_live_bytes_are_all_found(small: Installation) -> None:
    done = flip_again_and_again(small, FLIPS, 2026)
    assert set(done) == {f"{table}.{column}" for table, columns in CELLS.items() for column in columns}


@pytest.mark.campaign
def test_ten_thousand_random_flips_of_live_bytes_are_all_found(small: Installation) -> None:
    flip_again_and_again(small, CAMPAIGN_FLIPS, random.SystemRandom().randrange(1 << 30))


def test_a_flipped_session_opens_nothing(made: Installation, thief: Thief) -> None:
    sessions, now = made.house.sessions, made.house.passage.clock()
    secret = sessions.issue(made.staff("team-doctor"), made.as_staff("team-doctor").purpose, now)
    (token, sealed) = thief.rows("SELECT token, sealed FROM session")[-1]
    for statement, value in (
        ("UPDATE session SET sealed = ? WHERE token = ?", flipped(sealed, 500)),
        ("UPDATE session SET token = ? WHERE token = ?", flipped(token, 3)),
    ):
        with (
            thief.changed("session", statement, value, token),
            pytest.raises((IntegrityError, SignInError)),
        ):
            sessions.open(secret, now)
    assert sessions.open(secret, now).actor.id == made.staff("team-doctor").id


def test_a_counter_put_back_never_overwrites_a_row(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        thief = Thief(made)
        before = read_all(made)
        thief.restart_numbers()
        run(made.house.choosing.mask(made.as_patient(), made.record(), made.item("maskable")))
        run(made.house.choosing.unmask(made.as_patient(), made.record(), made.item("maskable")))
        assert read_all(made) == before
        assert not found(made)
        thief.close()
