"""Entries as they came, and links replaced where they stand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import InvalidResourceError
from serment.fhir.document import read
from serment.fhir.transaction import BundleEntry, conditional, entries, references, relink
from tests.unit.fhir.test_document import NAMES, texts

PATIENT = "urn:uuid:6d23a95e-7e18-4201-90ec-9501fa89fbd2"
OTHER = "urn:uuid:00000000-7e18-4201-90ec-9501fa89fbd2"


def bundle(*written_entries: str, type_: str = "transaction") -> bytes:
    return f'{{"resourceType":"Bundle","type":"{type_}","entry":[{",".join(written_entries)}]}}'.encode()


def test_an_entry_keeps_its_resource_byte_for_byte() -> None:
    resource = '{ "resourceType":"Observation", "valueQuantity":{"value":1.00, "unit":"µg"} }'
    sent = (
        f'{{"fullUrl":"{PATIENT}","resource": {resource} ,'
        '"request":{"method":"PUT","url":"Observation/1","ifMatch":"W/\\"2\\"","ifNoneExist":"identifier=a",'
        '"ifNoneMatch":"*","ifModifiedSince":"2026-01-01T00:00:00Z"}}'
    )
    assert entries(read(bundle(sent))) == [
        BundleEntry(
            PATIENT,
            "PUT",
            "Observation/1",
            'W/"2"',
            "identifier=a",
            "*",
            "2026-01-01T00:00:00Z",
            resource.encode(),
        )
    ]


def test_an_entry_without_resource_or_request() -> None:
    deleted, bare = entries(read(bundle('{"request":{"method":"DELETE","url":"Patient/1"}}', "{}")))
    assert (deleted.method, deleted.url, deleted.resource) == ("DELETE", "Patient/1", None)
    assert bare == BundleEntry("", "", "", "", "", "", "", None)
    assert entries(read(b'{"resourceType":"Bundle","type":"batch"}')) == []


def test_an_entry_shows_nothing_of_its_content() -> None:
    (entry,) = entries(
        read(bundle('{"fullUrl":"http://x/Dupont","request":{"method":"GET","url":"Dupont"}}'))
    )
    assert "Dupont" not in repr(entry)


@pytest.mark.parametrize(
    ("raw", "expression"),
    [
        (b'{"resourceType":"Patient"}', "Bundle.type"),
        (bundle(type_="message"), "Bundle.type"),
        (b'{"resourceType":"Bundle","type":["batch"]}', "Bundle.type"),
        (bundle("{}", "1"), "Bundle.entry[1]"),
        (bundle('{"request":[]}'), "Bundle.entry[0].request"),
        (bundle('{"request":{"url":1}}'), "Bundle.entry[0].request.url"),
        (bundle('{"resource":[]}'), "Bundle.entry[0].resource"),
        (b'{"resourceType":"Bundle","type":"batch","entry":{}}', "Bundle.entry"),
    ],
)
def test_a_bundle_of_another_shape_is_refused_where_it_differs(raw: bytes, expression: str) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        entries(read(raw))
    assert refusal.value.expression == expression


def test_relinking_replaces_references_and_nothing_else() -> None:
    raw = (
        '{ "resourceType":"Observation", "subject" : { "reference" : "@" , "display":"@" },\n'
        '"performer":[{"reference":"http://a.example/Practitioner/1"}],'
        '"note":[{"text":"\\"reference\\": \\"@\\""}],'
        '"identifier":[{"system":"@"}], "valueQuantity":{"value":1.00} }'
    )
    linked, unresolved = relink(
        raw.replace("@", PATIENT).encode(),
        {PATIENT: "Patient/1", "http://a.example/Practitioner/1": "Practitioner/é"},
    )
    expected = raw.replace('"reference" : "@"', '"reference" : "Patient/1"').replace("@", PATIENT)
    assert linked.decode() == expected.replace("http://a.example/Practitioner/1", "Practitioner/é")
    assert unresolved == 0


@pytest.mark.parametrize(
    "written",
    [
        f'{{"reference":"{OTHER}"}}',
        '{"reference":"urn:oid:1.2.3"}',
        f'{{"reference":"{OTHER.replace("urn", "u" + chr(92) + "u0072n")}"}}',
        f'{{"r\\u0065ference":"{OTHER}"}}',
    ],
)
def test_what_stays_unresolved_is_counted(written: str) -> None:
    raw = f'{{"resourceType":"Basic","subject":{written}}}'.encode()
    assert relink(raw, {PATIENT: "Patient/1"}) == (raw, 1)


def test_a_reference_written_with_escapes_is_found() -> None:
    raw = b'{"resourceType":"Basic","subject":{"r\\u0065ference":"Patient\\/old"}}'
    assert relink(raw, {"Patient/old": "Patient/new"}) == (
        b'{"resourceType":"Basic","subject":{"r\\u0065ference":"Patient/new"}}',
        0,
    )


def test_an_attachment_finds_its_binary() -> None:
    raw = f'{{"content":[{{"attachment":{{"url":"{OTHER}"}}}}],"extension":[{{"url":"http://x"}}]}}'.encode()
    linked, unresolved = relink(raw, {OTHER: "Binary/1", "http://x": "never"})
    assert json.loads(linked)["content"][0]["attachment"]["url"] == "Binary/1"
    assert json.loads(linked)["extension"][0]["url"] == "http://x"
    assert unresolved == 0


LINKS = {PATIENT: "Patient/1", "Patient/old": "Patient/2", 'a"b\\c': "Patient/3"}
REFERENCES = st.dictionaries(
    st.sampled_from(["reference", "display", 'x"reference', "reference\\"]),
    st.sampled_from([*LINKS, OTHER, "Patient/x", '"reference":"Patient/old"']),
    max_size=4,
)


def relinked(value: Any) -> Any:
    """Say what relinking means, on values."""
    if isinstance(value, list):
        return [relinked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: LINKS.get(child, child) if key == "reference" and isinstance(child, str) else relinked(child)
        for key, child in value.items()
    }


@given(
    texts(
        st.fixed_dictionaries(
            {"resourceType": st.just("Basic")},
            optional={"a": REFERENCES, "b": st.lists(REFERENCES, max_size=3)},
        )
    )
)
def test_text_and_value_relink_alike(raw: bytes) -> None:
    linked, unresolved = relink(raw, LINKS)
    assert read(linked).value == relinked(read(raw).value)
    assert unresolved == sum(link == OTHER for link in references(read(raw).value))


@given(
    texts(
        st.fixed_dictionaries(
            {"resourceType": st.just("Basic")}, optional={"a": st.dictionaries(NAMES, REFERENCES)}
        )
    )
)
def test_relinking_with_no_links_changes_no_byte(raw: bytes) -> None:
    assert relink(raw, {})[0] == raw


def test_references_come_in_every_form() -> None:
    value = {
        "subject": {"reference": "Patient?identifier=http://x|1"},
        "performer": [{"reference": "#p"}, {"reference": PATIENT}],
        "provision": {"data": [{"reference": {"reference": "http://x/Observation/1"}}]},
    }
    found = list(references(value))
    assert found == ["Patient?identifier=http://x|1", "#p", PATIENT, "http://x/Observation/1"]
    assert [conditional(link) for link in found] == [("Patient", "identifier=http://x|1"), None, None, None]
