"""Two halves of a person: neither holds the other's, and together they are the bytes received."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError
from serment.fhir.document import read
from serment.fhir.halves import CONTACT_MEMBERS, HALF_OF, cut, join
from tests.unit.fhir.test_document import RESOURCES, VALUES, texts

PEOPLE = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Patient", "RelatedPerson"])},
    optional=dict.fromkeys(("id", "name", "_birthDate", *sorted(CONTACT_MEMBERS)), VALUES),
)


@given(texts(PEOPLE))
def test_joined_halves_are_the_bytes_received(raw: bytes) -> None:
    identity, contact = cut(read(raw))
    assert (identity if contact is None else join(identity, contact)) == raw


@given(texts(PEOPLE))
def test_the_identity_half_is_a_resource_without_contact(raw: bytes) -> None:
    whole, (identity, contact) = read(raw).value, cut(read(raw))
    assert read(identity).value == {name: whole[name] for name in whole if name not in CONTACT_MEMBERS}
    assert (contact is None) == CONTACT_MEMBERS.isdisjoint(whole)


@given(texts(RESOURCES.filter(lambda value: value["resourceType"] not in HALF_OF)))
def test_other_types_are_not_cut(raw: bytes) -> None:
    assert cut(read(raw)) == (raw, None)


@pytest.mark.parametrize(
    ("raw", "identity"),
    [
        (
            '{"telecom":[{"value":"06"}],"photo":[],"resourceType":"Patient"}',
            '{"resourceType":"Patient"}',
        ),
        (
            '{ "resourceType":"Patient" , "address":[] , "_address":[] , "gender":"female" , "contact":[] }',
            '{ "resourceType":"Patient" , "gender":"female" }',
        ),
        (
            '{"address":[],"resourceType":"RelatedPerson","active":true,"photo":[]}',
            '{"resourceType":"RelatedPerson","active":true}',
        ),
    ],
)
def test_what_the_identity_half_looks_like(raw: str, identity: str) -> None:
    assert cut(read(raw.encode()))[0].decode() == identity


def test_a_contact_written_with_escapes_is_cut_too() -> None:
    identity, contact = cut(read(b'{"resourceType":"Patient","tele\\u0063om":[{"value":"0601020304"}]}'))
    assert identity == b'{"resourceType":"Patient"}'
    assert contact is not None
    assert b"0601020304" in contact


def halves(number: str) -> tuple[bytes, bytes]:
    text = f'{{"resourceType":"Patient","id":"{number}","telecom":[{{"value":"{number}"}}]}}'
    identity, contact = cut(read(text.encode()))
    assert contact is not None
    return identity, contact


def test_halves_of_two_people_are_not_joined() -> None:
    with pytest.raises(IntegrityError):
        join(halves("1")[0], halves("22")[1])


@pytest.mark.parametrize("contact", [b"", b"\xc0", b"\x92\x00", b"\x92\x05\x91\x92\xff\xc4\x00"])
def test_a_broken_contact_half_is_not_joined(contact: bytes) -> None:
    with pytest.raises(IntegrityError):
        join(b"{}", contact)


def test_a_place_outside_the_identity_half_is_not_used() -> None:
    identity, contact = halves("1")
    with pytest.raises(IntegrityError):
        join(identity[:-1], contact)
