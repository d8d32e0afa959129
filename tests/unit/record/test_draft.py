"""One record inside one write transaction: where a write may not go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from serment.errors import IntegrityError
from serment.ledger.chains import Chain
from serment.ledger.entry import Interaction
from serment.model import Category, ItemClass, Label
from serment.record.index import Entry
from serment.record.passage import DECOY
from serment.record.pen import Pen
from serment.record.trace import Touched
from serment.record.write import NOTHING
from serment.record.writing import draft_of
from serment.store.contract import Transaction
from tests.installation import Installation, small_installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with small_installation(tmp_path_factory.mktemp("draft")) as made:
        yield made


def test_a_write_that_was_led_to_the_decoy_is_refused_and_undone(made: Installation) -> None:
    passage, asking = made.house.passage, made.as_staff("attending")

    def job(txn: Transaction) -> None:
        pen = Pen(passage, txn, asking)
        draft = draft_of(pen, "Patient/nobody", {})
        entry = Entry("Observation", "lost", 1, "", asking.now, True, 0, b"", None, NOTHING)
        draft.place(ItemClass(Category.LABS, "", (Label.NORMAL.value,)), entry)
        pen.did(draft, Interaction.CREATE, Touched("Observation/lost/_history/1", Chain.ORDINARY, "G"))
        pen.finish()

    def head() -> bytes:
        with passage.store.snapshot() as snapshot:
            lead = passage.lead(snapshot, DECOY)
        assert lead.row is not None
        return lead.row.head

    before = head()
    with pytest.raises(IntegrityError):
        passage.store.submit(job).result()
    assert head() == before


def test_a_reference_without_an_id_leads_where_it_leads_elsewhere(made: Installation) -> None:
    """The installation's own records have names of one word: a pen must not lead them to the decoy."""
    passage, asking = made.house.passage, made.as_staff("attending")

    def job(txn: Transaction) -> None:
        pen = Pen(passage, txn, asking)
        for name in ("directory", "system", "decoy/decoy", f"Patient/{made.record()}", "Patient/nobody"):
            assert pen.located(name) == passage.resolve(txn, name)
            assert pen.located(name) is pen.located(name)

    passage.store.submit(job).result()
