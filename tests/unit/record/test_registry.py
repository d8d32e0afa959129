"""The register: files by drawer and by further names, in one transaction each, found when altered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from serment.errors import ConflictError, IntegrityError
from serment.model import Purpose, RequestId
from serment.record.asking import Asking
from serment.record.passage import PEOPLE
from serment.record.registry import Registry
from serment.record.today import KEEPER
from serment.record.writing import new_id
from serment.store.contract import RecordRow, Transaction
from tests.installation import Installation, bare_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("register")) as one:
        yield one


@pytest.fixture
def registry(made: Installation) -> Registry:
    return Registry(made.house.passage)


def asking(made: Installation) -> Asking:
    now = made.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def test_a_file_is_what_was_last_written_in_it(made: Installation, registry: Registry) -> None:
    who = asking(made)
    assert registry.get(who, "account", "a") is None
    registry.change(who, "account", "a", lambda _: b"one")
    registry.change(asking(made), "account", "a", lambda old: (old or b"") + b" two")
    assert registry.get(who, "account", "a") == b"one two"


def test_a_file_is_found_by_its_names_and_by_none_that_it_gave_up(
    made: Installation, registry: Registry
) -> None:
    registry.change(asking(made), "account", "b", lambda _: b"b", names=lambda _: ["doctor", "sub|1"])
    assert registry.find(asking(made), "account", "sub|1") == ("b", b"b")
    registry.change(asking(made), "account", "b", lambda _: b"b", names=lambda _: ["doctor"])
    assert registry.find(asking(made), "account", "sub|1") is None
    assert registry.find(asking(made), "client", "doctor") is None


def test_a_name_of_another_file_is_refused_and_nothing_changes(
    made: Installation, registry: Registry
) -> None:
    registry.change(asking(made), "account", "c", lambda _: b"c", names=lambda _: ["nurse"])
    with pytest.raises(ConflictError):
        registry.change(asking(made), "account", "d", lambda _: b"d", names=lambda _: ["nurse"])
    assert registry.get(asking(made), "account", "d") is None


def test_a_file_that_was_taken_out_leaves_its_names_to_others(made: Installation, registry: Registry) -> None:
    registry.change(asking(made), "account", "e", lambda _: b"e", names=lambda _: ["porter"])
    registry.change(asking(made), "account", "e", lambda _: None)
    registry.change(asking(made), "account", "f", lambda _: b"f", names=lambda _: ["porter"])
    assert registry.find(asking(made), "account", "porter") == ("f", b"f")
    assert "e" not in registry.all(asking(made), "account")


def numbered(place: int) -> Callable[[bytes], list[str]]:
    return lambda _: [f"n{place}"]


def test_a_drawer_lists_its_files_and_no_name(made: Installation, registry: Registry) -> None:
    for place in range(300):
        registry.change(asking(made), "grant", f"g{place:03}", lambda _: b"x", names=numbered(place))
    assert list(registry.all(asking(made), "grant")) == [f"g{place:03}" for place in range(300)]


def test_what_is_written_stands_after_a_restart(made: Installation, registry: Registry) -> None:
    registry.change(asking(made), "account", "z", lambda _: b"z", names=lambda _: ["zoe"])
    made.house.close()
    house = made.reopen()
    assert Registry(house.passage).find(asking(made), "account", "zoe") == ("z", b"z")


def test_an_edit_that_refuses_changes_nothing(made: Installation, registry: Registry) -> None:
    def refuse(_: bytes | None) -> bytes:
        raise ConflictError("record.name-taken")

    with pytest.raises(ConflictError):
        registry.change(asking(made), "account", "y", refuse)
    assert registry.get(asking(made), "account", "y") is None


def test_a_register_put_back_to_an_older_state_is_found(made: Installation) -> None:
    """Who restores by SQL the row that a leaver's account stood in opens nothing."""
    passage = made.house.passage
    registry = Registry(passage)
    registry.change(asking(made), "account", "leaver", lambda _: b"here")
    with passage.store.snapshot() as snapshot:
        located = snapshot.locate(passage.installation.locator(PEOPLE))
        assert located is not None
        before = snapshot.record(located.record)
    assert before is not None
    registry.change(asking(made), "account", "leaver", lambda _: b"gone")

    def back(txn: Transaction) -> None:
        row = RecordRow(before.record, before.epoch, before.head, before.facts)
        txn.put_record(row)

    passage.store.submit(back).result()
    with pytest.raises(IntegrityError):
        Registry(passage).get(asking(made), "account", "leaver")
