"""What strict JSON takes and refuses, attack by attack."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import MalformedError, TooLargeError
from serment.fhir.document import read
from serment.fhir.json import MAX_DEPTH, array_items, object_members


def patient(members: str) -> bytes:
    return f'{{"resourceType":"Patient",{members}}}'.encode()


@pytest.mark.parametrize(
    ("attack", "raw", "sentence"),
    [
        ("a key twice at the top", patient('"id":"a","id":"b"'), "fhir.duplicate-key"),
        ("a key twice below", patient('"name":[{"family":"A","family":"B"}]'), "fhir.duplicate-key"),
        ("a key twice, once escaped", patient('"id":"a","\\u0069d":"b"'), "fhir.duplicate-key"),
        ("resourceType twice", b'{"resourceType":"Patient","resourceType":"Group"}', "fhir.duplicate-key"),
        ("a byte order mark", b"\xef\xbb\xbf" + patient('"id":"a"'), "fhir.not-utf8"),
        ("Latin-1", patient('"id":"a"').replace(b"a", b"\xe9", 1), "fhir.not-utf8"),
        ("UTF-16", patient('"id":"a"').decode().encode("utf-16-le"), "fhir.not-json"),
        ("an overlong slash", patient('"id":"x"').replace(b"x", b"\xc0\xaf"), "fhir.not-utf8"),
        ("an encoded surrogate", patient('"id":"x"').replace(b"x", b"\xed\xa0\x80"), "fhir.not-utf8"),
        ("an escaped lone surrogate", patient('"id":"\\ud800"'), "fhir.forbidden-character"),
        ("a lone surrogate in a key", patient('"\\uDC00":1'), "fhir.forbidden-character"),
        ("surrogates the wrong way round", patient('"id":"\\ude00\\ud83d"'), "fhir.forbidden-character"),
        ("an escaped NUL", patient('"id":"\\u0000"'), "fhir.forbidden-character"),
        ("an escaped backspace", patient('"id":"\\b"'), "fhir.forbidden-character"),
        ("a raw control character", patient('"id":"\x01"'), "fhir.not-json"),
        ("NaN", patient('"x":NaN'), "fhir.not-a-number"),
        ("NaN below", patient('"x":{"y":[NaN]}'), "fhir.not-a-number"),
        ("Infinity", patient('"x":-Infinity'), "fhir.not-a-number"),
        ("a leading zero", patient('"x":01'), "fhir.not-json"),
        ("a number of a million digits", patient(f'"x":{"9" * 1_000_000}'), "fhir.number-out-of-range"),
        ("an exponent that fills the memory", patient('"x":1e999999999'), "fhir.number-out-of-range"),
        ("a fraction of a million digits", patient(f'"x":{"9" * 1_000_000}.5'), "fhir.number-out-of-range"),
        ("an exponent past all", patient('"x":1e99999999999999999999'), "fhir.not-json"),
        ("single quotes", b"{'resourceType':'Patient'}", "fhir.not-json"),
        ("a comment", patient('"id":"a" /* x */'), "fhir.not-json"),
        ("a trailing comma", patient('"id":"a",'), "fhir.not-json"),
        ("text after the end", patient('"id":"a"') + b"{}", "fhir.not-json"),
        ("cut short", patient('"id":"a"')[:-1], "fhir.not-json"),
        ("cut in a string", patient('"id":"a"')[:-3], "fhir.not-json"),
        ("no colon", patient('"id" "a"'), "fhir.not-json"),
        ("a key that is no string", patient("1:2"), "fhir.not-json"),
        ("ten thousand members", patient(",".join(f'"a{n}":1' for n in range(10_000))), "fhir.not-json"),
        ("a list", b'[{"resourceType":"Patient"}]', "fhir.not-a-resource"),
        ("nothing", b"", "fhir.not-a-resource"),
        ("no type", b'{"id":"a"}', "fhir.not-a-resource"),
        ("a type that is no text", b'{"resourceType":["Patient"]}', "fhir.not-a-resource"),
    ],
)
def test_refused(attack: str, raw: bytes, sentence: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        read(raw)
    assert refusal.value.sentence == sentence


def test_a_refusal_says_nothing_of_the_text() -> None:
    with pytest.raises(MalformedError) as refusal:
        read(b'{"resourceType":"Patient","id":"Dupont" "Marie"}')
    assert "Dupont" not in repr(refusal.value) + str(refusal.value)
    assert refusal.value.__context__ is None
    assert refusal.value.parameters == {"position": 40}


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_nesting_bomb_is_refused(opening: str) -> None:
    with pytest.raises(TooLargeError):
        read(patient(f'"x":{opening * 100_000}'))


def test_nesting_is_counted_exactly() -> None:
    allowed = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert read(patient(f'"x":{allowed}')).type == "Patient"
    with pytest.raises(TooLargeError):
        read(patient(f'"x":[{allowed}]'))


def test_size_is_limited_in_bytes() -> None:
    raw = patient('"id":"é"')
    assert read(raw, limit=len(raw)).type == "Patient"
    with pytest.raises(TooLargeError):
        read(raw, limit=len(raw) - 1)


def test_numbers_keep_every_digit() -> None:
    value = read(patient('"a":1.00,"b":12345678901234567.8901,"c":1E+2,"d":7,"e":-0.0')).value
    assert [str(value[name]) for name in "abcde"] == ["1.00", "12345678901234567.8901", "1E+2", "7", "-0.0"]
    assert type(value["a"]) is Decimal
    assert type(value["d"]) is int


def test_plain_escapes_and_pairs_are_taken() -> None:
    value = read(patient(r'"a":"\ud83d\ude00 \"\\u0000 \\b \n\t\r\/"')).value
    assert value["a"] == '\U0001f600 "\\u0000 \\b \n\t\r/'


def test_members_and_items_say_where_they_stand() -> None:
    text = ' { "a" : [ 1.50 , {"b":[]} ,"x]" ] , "c":null } '
    members, end = object_members(text, 1)
    assert [text[m.start : m.end] for m in members] == ['"a" : [ 1.50 , {"b":[]} ,"x]" ]', '"c":null']
    assert text[end:] == " "
    assert [text[a:b] for a, b in array_items(text, members[0].value_start)] == ["1.50", '{"b":[]}', '"x]"']


def test_members_are_asked_of_an_object_only() -> None:
    with pytest.raises(MalformedError):
        object_members("[1]", 0)


VALID = patient(r'"name":[{"given":["A\n",null],"x":{}}],"n":-1.50e+2,"b":[true,false,[]],"s":"\u00e9"')


@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.binary(max_size=2)), max_size=3))
def test_bytes_changed_at_random_read_as_plain_json_reads_them_or_not_at_all(
    changes: list[tuple[int, bytes]],
) -> None:
    """Two readers, one meaning: what is taken is what the standard library understands."""
    raw = bytearray(VALID)
    for place, replacement in changes:
        raw[place : place + 1] = replacement
    try:
        document = read(bytes(raw))
    except MalformedError:
        return
    assert document.value == json.loads(bytes(raw), parse_float=Decimal)
    rebuilt = [document.text[start:end] for start, end in document.members.values()]
    assert json.loads("{" + ",".join(rebuilt) + "}", parse_float=Decimal) == document.value
