"""Files and folders into portions, portions into chunks: every line in one pass, and one only."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import RequestError
from serment.intake.import_ import bundles
from serment.intake.import_.sources import FIRST, Broken, Count, Line, Phase, chunks_of, lines_of, plan

TYPES = ["Patient", "Organization", "Observation", "Medication", "Flag"]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@st.composite
def resources(draw: st.DrawFn) -> bytes:
    type_ = draw(st.sampled_from(TYPES))
    inside = draw(st.lists(st.sampled_from(TYPES), max_size=2))
    contained = json.dumps([{"resourceType": one} for one in inside]).encode()
    key = draw(st.sampled_from([b'"resourceType"', b'"resource\\u0054ype"', b'"resourceType" ']))
    members = [key + b':"' + type_.encode() + b'"', b'"contained":' + contained]
    if draw(st.booleans()):
        members.reverse()
    cut = draw(st.sampled_from([0, 0, 1]))
    return (b"{" + b",".join(members) + b"}")[: None if not cut else -cut]


@given(st.lists(resources(), max_size=8))
def test_every_line_is_handled_in_exactly_one_pass(raws: list[bytes]) -> None:
    from serment.intake.import_.sources import _line

    for raw in raws:
        line = _line(raw)
        named = bundles.named(raw)
        type_ = named[0] if named else None
        first = line.speaks_of_first and line.is_of(Phase.FIRST_LINES, type_)
        other = line.speaks_of_others and line.is_of(Phase.OTHER_LINES, type_)
        assert first != other


def test_what_others_belong_to_comes_first(tmp_path: Path) -> None:
    patient = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient"}}],
    }
    written(tmp_path / "a.json", json.dumps(patient))
    written(tmp_path / "b.ndjson", '{"resourceType":"Patient"}\n')
    written(tmp_path / "c.json", json.dumps({"resourceType": "Bundle", "type": "collection"}))
    written(tmp_path / "d.txt", "not this one")
    assert [(one.path.name, one.phase) for one in plan(tmp_path)] == [
        ("c.json", Phase.SHARED_BUNDLES),
        ("b.ndjson", Phase.FIRST_LINES),
        ("a.json", Phase.BUNDLES),
        ("b.ndjson", Phase.OTHER_LINES),
    ]


def test_a_portion_is_named_by_what_the_file_holds(tmp_path: Path) -> None:
    one = plan(written(tmp_path / "one.ndjson", '{"resourceType":"Patient"}'))
    two = plan(written(tmp_path / "two.ndjson", '{"resourceType":"Patient"}'))
    other = plan(written(tmp_path / "three.ndjson", '{"resourceType":"Patient","id":"1"}'))
    assert [portion.mark for portion in one] == [portion.mark for portion in two]
    assert {portion.mark for portion in one}.isdisjoint(portion.mark for portion in other)


def test_an_empty_folder_or_no_file_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere.json"):
        with pytest.raises(RequestError):
            plan(source)


def test_a_json_file_of_lines_is_read_as_lines(tmp_path: Path) -> None:
    source = written(tmp_path / "export.json", '{"resourceType":"Patient"}\n{"resourceType":"Flag"}\n')
    assert [portion.phase for portion in plan(source)] == [Phase.FIRST_LINES, Phase.OTHER_LINES]


def test_lines_are_counted_blank_ones_are_none(tmp_path: Path) -> None:
    source = written(tmp_path / "x.ndjson", '\n{"resourceType":"Flag"}\n   \n{"resourceType":"Patient"}')
    count = Count()
    chunks = list(chunks_of(source, Phase.OTHER_LINES, count))
    assert count.lines == 2
    assert [[line.raw for line in chunk] for chunk in chunks if not isinstance(chunk, Broken)] == [
        [b'{"resourceType":"Flag"}']
    ]


def test_a_packed_file_that_is_cut_ends_with_what_is_wrong(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b'{"resourceType":"Flag","id":"%d"}\n' % n for n in range(9999)))
    (tmp_path / "x.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    found = list(lines_of(tmp_path / "x.ndjson.gz", Count()))
    assert found[-1] == Broken("importing.file-broken")
    assert all(isinstance(one, Line) for one in found[:-1])


def test_the_directory_and_patients_are_what_others_name() -> None:
    assert {"Patient", "Practitioner", "Organization", "Location"} <= FIRST
