"""Bytes in, bytes out: the server writes three values, every other byte stands."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import InvalidResourceError
from serment.fhir.document import Document, read, spans_of_array

ID, UPDATED = "new-1", "2026-03-01T08:00:00.000Z"
NAMES = st.sampled_from(["id", "meta", "name", "_birthDate", "é", 'a"b', "telecom", "contact", "_address"])
LEAVES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)
    | st.booleans()
    | st.none()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
META = st.dictionaries(st.sampled_from(["profile", "versionId", "lastUpdated", "tag"]), VALUES, max_size=4)
RESOURCES = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Patient", "Observation"])},
    optional={"id": VALUES, "meta": META, "name": VALUES, "telecom": VALUES, "x": VALUES, "_contact": VALUES},
)


def written(value: Any, random: Random) -> str:
    """Write JSON with arbitrary white space, escapes and member order."""
    blank = "".join(random.choices(" \t\r\n", k=random.choice([0, 0, 1, 3])))
    if isinstance(value, dict):
        members = [f"{written(key, random)}:{written(value[key], random)}" for key in value]
        random.shuffle(members)
        return f"{blank}{{{','.join(members)}{blank}}}{blank}"
    if isinstance(value, list):
        return f"{blank}[{','.join(written(item, random) for item in value)}{blank}]{blank}"
    if isinstance(value, str):
        return f"{blank}{json.dumps(value, ensure_ascii=random.random() < 0.3)}{blank}"
    return f"{blank}{json.dumps(value) if value is None or isinstance(value, bool) else value}{blank}"


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]] = RESOURCES) -> bytes:
    return written(draw(values), draw(st.randoms(use_true_random=False))).encode()


def without_server_values(document: Document) -> dict[str, Any]:
    value = {name: child for name, child in document.value.items() if name != "id"}
    meta = value.pop("meta", {})
    value["meta"] = {key: child for key, child in meta.items() if key not in {"versionId", "lastUpdated"}}
    return value


@given(texts())
def test_only_the_servers_three_values_change(raw: bytes) -> None:
    before = read(raw)
    after = read(before.spliced(ID, 3, UPDATED))
    assert after.value["id"] == ID
    assert after.value["meta"]["versionId"] == "3"
    assert after.value["meta"]["lastUpdated"] == UPDATED
    assert without_server_values(after) == without_server_values(before)


@given(texts())
def test_every_other_byte_stands_where_the_three_were_present(raw: bytes) -> None:
    once = read(raw).spliced("first-mark", 111111, "first-instant")
    twice = read(once).spliced("second-mark", 222222, "second-instant")
    for old, new in ((b"first-mark", b"second-mark"), (b"111111", b"222222"), (b"first-in", b"second-in")):
        once = once.replace(b'"' + old, b'"' + new)
    assert twice == once


@given(texts(RESOURCES.filter(lambda value: "id" not in value and "meta" not in value)))
def test_every_byte_stands_where_the_three_were_absent(raw: bytes) -> None:
    added = f',"id":"{ID}","meta":{{"versionId":"3","lastUpdated":"{UPDATED}"}}'.encode()
    assert read(raw).spliced(ID, 3, UPDATED).replace(added, b"") == raw


@given(texts())
def test_splicing_twice_is_splicing_once(raw: bytes) -> None:
    once = read(raw).spliced(ID, 3, UPDATED)
    assert read(once).spliced(ID, 3, UPDATED) == once


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            '{"resourceType":"Basic"}',
            '{"resourceType":"Basic","id":"new-1","meta":{"versionId":"3","lastUpdated":"@"}}',
        ),
        (
            '{ "x" : 1.00, "resourceType" : "Basic" , "y":2 }',
            '{ "x" : 1.00, "resourceType" : "Basic","id":"new-1",'
            '"meta":{"versionId":"3","lastUpdated":"@"} , "y":2 }',
        ),
        (
            '{"resourceType":"Basic","meta":{},"id":"old"}',
            '{"resourceType":"Basic","meta":{"versionId":"3","lastUpdated":"@"},"id":"new-1"}',
        ),
        (
            '{"resourceType":"Basic","id" : "old","meta":{ "tag":[{"code":"é"}], "versionId":"1" }}',
            '{"resourceType":"Basic","id" : "new-1",'
            '"meta":{"lastUpdated":"@", "tag":[{"code":"é"}], "versionId":"3" }}',
        ),
    ],
)
def test_where_the_three_values_are_written(raw: str, expected: str) -> None:
    assert read(raw.encode()).spliced(ID, 3, UPDATED).decode() == expected.replace("@", UPDATED)


def test_meta_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        read(b'{"resourceType":"Basic","meta":[]}').spliced(ID, 1, UPDATED)
    assert refusal.value.expression == "Basic.meta"


def test_items_of_an_array_are_the_bytes_sent() -> None:
    document = read(b'{"resourceType":"Bundle","entry":[ {"a":1.0} ,{"b":"]"}]}')
    spans = spans_of_array(document, "entry")
    assert [document.text[start:end] for start, end in spans] == ['{"a":1.0}', '{"b":"]"}']
    assert spans_of_array(document, "link") == []
    with pytest.raises(InvalidResourceError):
        spans_of_array(document, "resourceType")


def test_a_document_shows_nothing_of_its_content() -> None:
    assert (
        repr(read(b'{"resourceType":"Patient","name":[{"family":"Dupont"}]}')) == "Document(type='Patient')"
    )
