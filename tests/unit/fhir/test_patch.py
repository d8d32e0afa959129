"""JSON Patch over the text: every operation, bytes that stand, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import InvalidResourceError, MalformedError, SermentError, TooLargeError
from serment.fhir import document
from serment.fhir.patch import MOST_OPERATIONS, patched, read

TEXT = b'{ "resourceType" : "X", "a":[1.00, 2 , 3],\t"b":{"c":1.50}, "d~/e":"x" }'


def done(*operations: dict[str, Any], to: bytes = TEXT) -> bytes:
    return patched(to, read(json.dumps(operations).encode()))


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **more}


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (op("remove", "/a/0"), b'{ "resourceType" : "X", "a":[2 , 3],\t"b":{"c":1.50}, "d~/e":"x" }'),
        (op("remove", "/a/2"), b'{ "resourceType" : "X", "a":[1.00, 2],\t"b":{"c":1.50}, "d~/e":"x" }'),
        (op("remove", "/b"), b'{ "resourceType" : "X", "a":[1.00, 2 , 3],\t"d~/e":"x" }'),
        (op("remove", "/d~0~1e"), b'{ "resourceType" : "X", "a":[1.00, 2 , 3],\t"b":{"c":1.50} }'),
        (op("replace", "/b/c", value=7), TEXT.replace(b"1.50", b"7")),
        (op("add", "/a/-", value=4), TEXT.replace(b" , 3", b" , 3,4")),
        (op("add", "/a/0", value=0), TEXT.replace(b"[1.00", b"[0,1.00")),
        (op("add", "/a/3", value=4), TEXT.replace(b" , 3", b" , 3,4")),
        (op("add", "/b/c", value="y"), TEXT.replace(b"1.50", b'"y"')),
        (op("add", "/b/z", value=[]), TEXT.replace(b"1.50", b'1.50,"z":[]')),
        (op("copy", "/b/z", **{"from": "/a/0"}), TEXT.replace(b"1.50", b'1.50,"z":1.00')),
        (op("move", "/a/0", **{"from": "/a/0"}), TEXT),
        (op("test", "/a/0", value=1), TEXT),
        (op("test", "/b", value={"c": 1.5}), TEXT),
    ],
)
def test_an_operation_changes_its_place_and_no_other_byte(operation: dict[str, Any], text: bytes) -> None:
    assert done(operation) == text


def test_a_moved_number_keeps_its_digits() -> None:
    assert json.loads(done(op("move", "/a/0", **{"from": "/b/c"}))) == {
        "resourceType": "X", "a": [1.5, 1.0, 2, 3], "b": {}, "d~/e": "x",
    }  # fmt: skip
    assert b"[1.50,1.00," in done(op("move", "/a/0", **{"from": "/b/c"}))


def test_a_sent_number_keeps_its_digits() -> None:
    sent = b'[{"op":"replace","path":"/b/c","value": 12345678901234567.8901000}]'
    assert b"12345678901234567.8901000" in patched(TEXT, read(sent))


def test_each_operation_sees_what_the_one_before_made() -> None:
    made = done(op("add", "/n", value=[]), op("add", "/n/-", value=1), op("test", "/n/0", value=1))
    assert json.loads(made)["n"] == [1]


def test_the_whole_may_be_tested_and_replaced() -> None:
    assert done(op("add", "", value={"resourceType": "Y"})) == b'{"resourceType": "Y"}'
    assert done(op("test", "", value=json.loads(TEXT))) == TEXT


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/nothing"),
        op("remove", ""),
        op("remove", "/a/3"),
        op("remove", "/a/-"),
        op("remove", "/a/01"),
        op("replace", "/a/x", value=1),
        op("add", "/a/4", value=1),
        op("add", "/a/0/deeper", value=1),
        op("add", "/nothing/deeper", value=1),
        op("copy", "/z", **{"from": "/nothing"}),
        op("move", "/b/c/d", **{"from": "/b"}),
        op("test", "/nothing", value=None),
        op("test", "/a/0", value=True),
        op("test", "/a/0", value="1.00"),
        op("test", "/a", value=[1, 2]),
    ],
)
def test_what_cannot_be_done_refuses_the_whole(operation: dict[str, Any]) -> None:
    with pytest.raises(InvalidResourceError) as refused:
        done(op("add", "/z", value=1), operation)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[", b"{}", b"[]", b"null", b'[],"more":[]', b"[1]", b'[{"op":"add"}]',
        b'[{"op":"add","path":"/a"}]', b'[{"op":"add","path":"a","value":1}]',
        b'[{"op":"add","path":"/a~2","value":1}]', b'[{"op":"move","path":"/a"}]',
        b'[{"op":"merge","path":"/a","value":1}]', b'[{"op":"add","path":"/a","value":1,"value":2}]',
        b'[{"op":"add","path":"/a","value":NaN}]', b'[{"op":"add","path":7,"value":1}]',
        b'[{"op":"copy","path":"/a","from":7}]', b'[{"op":["add"],"path":"/a","value":1}]',
    ],
)  # fmt: skip
def test_what_is_no_patch_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        read(raw)


def test_a_patch_that_doubles_itself_is_stopped() -> None:
    text = b'{"resourceType":"X","a":["' + b"x" * 100_000 + b'"]}'
    doubling = [op("copy", "/a/-", **{"from": "/a"})] * MOST_OPERATIONS
    with pytest.raises(TooLargeError):
        done(*doubling, to=text)


def test_a_list_of_operations_without_end_is_refused() -> None:
    with pytest.raises(TooLargeError):
        read(json.dumps([op("test", "", value=1)] * (MOST_OPERATIONS + 1)).encode())


PATHS = st.lists(st.sampled_from(["a", "b", "c", "0", "1", "-", "d~0~1e", ""]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": PATHS,
        "from": PATHS,
        "value": st.sampled_from([1, 1.5, "y", None, [], {"c": [1]}, {"resourceType": "X"}]),
    }
)


@given(st.lists(OPERATIONS, min_size=1, max_size=6))
def test_what_comes_out_is_json_or_an_error_of_ours(operations: list[dict[str, Any]]) -> None:
    try:
        made = done(*operations)
    except SermentError:
        return
    json.loads(made)
    if json.loads(made).__class__ is dict and "resourceType" in json.loads(made):
        document.read(made)
