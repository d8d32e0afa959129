"""A fact edited by hand: the epoch in clear, a team forged, a permission given to oneself by SQL."""

from __future__ import annotations

import pytest

from serment.access import record_facts
from serment.access.record_facts import RecordFacts
from serment.errors import IntegrityError, NotFoundError
from serment.keys.envelope import NO_RECORD
from serment.keys.installation import Installation as Secrets
from serment.keys.material import Secrets as Material
from tests.attacks.sql import Thief, found, items, read_all, stopped
from tests.installation import Installation, run


@pytest.mark.parametrize("step", [1, -1, 1_000_000])
def test_an_epoch_moved_by_sql_closes_the_record(made: Installation, thief: Thief, step: int) -> None:
    before = read_all(made)
    put = "UPDATE record SET epoch = epoch + ? WHERE record = ?"
    with thief.changed("record", put, step, thief.record()):
        assert stopped(made, before)
        assert found(made)
    assert read_all(made) == before


def test_forged_facts_in_clear_open_nothing(made: Installation, thief: Thief) -> None:
    forged = record_facts.pack(RecordFacts(regime="own", structure="", holders=("rpps:10000000000",)))
    before = read_all(made)
    with thief.changed("record", "UPDATE record SET facts = ? WHERE record = ?", forged, thief.record()):
        assert stopped(made, before)
        assert found(made)


def test_facts_sealed_under_another_installation_s_key_open_nothing(made: Installation, thief: Thief) -> None:
    other = Secrets(Material(bytes(16), *[bytes([n]) * 32 for n in range(6)]))
    forged = other.seal_session(NO_RECORD, record_facts.pack(RecordFacts(regime="own", structure="")))
    before = read_all(made)
    with thief.changed("record", "UPDATE record SET facts = ? WHERE record = ?", forged, thief.record()):
        assert stopped(made, before)
        assert found(made)


@pytest.mark.capability("0-11", "refuses")
def test_a_doctor_who_gives_themselves_the_facts_of_their_own_patient_reads_nothing(
    made: Installation, thief: Thief
) -> None:
    """Facts and epoch copied together from a record where the thief is welcome."""
    put = "UPDATE record SET (epoch, facts) = (SELECT epoch, facts FROM record WHERE record = ?)"
    with thief.changed("record", f"{put} WHERE record = ?", thief.record("other"), thief.record()):
        for item in items(made):
            type_, _, id_ = item.partition("/")
            with pytest.raises((IntegrityError, NotFoundError)):
                run(made.house.reading.read(made.as_staff("attending"), type_, id_))
        assert found(made)
