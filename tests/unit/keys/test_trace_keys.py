"""The keys of a trace: beside the content keys, and of no use for content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.errors import IntegrityError
from serment.keys.envelope import padded_size
from serment.keys.material import YearMaterial
from serment.keys.record_keys import RecordKeys
from serment.keys.trace_keys import TraceKeys, YearKey
from serment.ledger.port import TrailKey as TrailKeyPort
from serment.ledger.port import YearKey as YearKeyPort
from tests.unit.keys.samples import ALICE, BRUNO, alice, bruno, material, trace_material


def test_the_ledger_finds_what_it_asks_for() -> None:
    year: YearKeyPort = alice().year
    trail: TrailKeyPort = alice().trail
    assert (len(year.id), len(year.token("x")), len(trail.token())) == (16, 16, 16)


def test_an_entry_body_opens_with_its_year_and_associated_data() -> None:
    sealed = alice().year.seal(b'{"act":"read"}', b"entry 7")
    assert alice().year.open(sealed, b"entry 7") == b'{"act":"read"}'
    assert len(sealed) == 46 + padded_size(14)


def test_an_entry_body_moved_to_another_place_does_not_open() -> None:
    sealed = alice().year.seal(b"{}", b"entry 7")
    with pytest.raises(IntegrityError):
        alice().year.open(sealed, b"entry 8")


def test_a_trace_opens_neither_for_another_record_nor_for_another_year() -> None:
    sealed = alice().year.seal(b"{}", b"")
    later = YearKey(ALICE, YearMaterial(2027, b"7" * 16, b"8" * 32))
    moved = YearKey(BRUNO, material(ALICE, 1).year)
    for key in (bruno().year, later, moved):
        with pytest.raises(IntegrityError):
            key.open(sealed, b"")


def test_the_chain_state_opens_with_the_trail_key_only() -> None:
    sealed = alice().trail.seal(b"state", b"place")
    assert alice().trail.open(sealed, b"place") == b"state"
    for key in (bruno().trail, alice().year):
        with pytest.raises(IntegrityError):
            key.open(sealed, b"place")
    with pytest.raises(IntegrityError):
        alice().trail.open(sealed, b"elsewhere")


def test_a_trace_key_with_the_bytes_of_a_content_root_opens_no_row() -> None:
    """The domains differ: even equal key bytes would not make a row pass for a trace."""
    care = material(ALICE, 1).care
    sealed = alice().seal_head(1, b"head")
    year = YearKey(ALICE, YearMaterial(2026, b"i" * 16, care))
    trail = RecordKeys(replace(material(ALICE, 1), trail=care)).trail
    for key in (year, trail):
        with pytest.raises(IntegrityError):
            key.open(sealed, alice().head_at(1).aad())


def test_trace_keys_know_each_year_by_its_id() -> None:
    keys = TraceKeys(trace_material(ALICE, 1))
    sealed = alice().year.seal(b"entry", b"")
    assert keys.years[alice().year.id].open(sealed, b"") == b"entry"
    assert keys.trail.token() == alice().trail.token()
    assert sorted(key.year for key in keys.years.values()) == [2026, 2027]
    assert repr(keys) == "TraceKeys(…)"
