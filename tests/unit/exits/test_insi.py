"""The SOAP client of INSi: the same contract as the simulator, and answers that somebody made up."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.demo.insi import Certified, LocalInsi
from serment.errors import DependencyError, InvalidResourceError, SettingsError
from serment.exits.insi import Address, SoapInsi, envelope, read
from serment.identity import ins, insi
from serment.identity.evidence import Evidence
from serment.identity.insi import Answer, Insi, Query
from serment.identity.traits import Traits
from tests.fakes.insi import SoapServer, soap, soap_server
from tests.unit.exits.test_rest_hook import certificate

# Test identities of the public fixtures (CNAM), and twins and namesakes made for these tests.
ADRTROIS = Traits("ADRTROIS", "DOMINIQUE", "1997-02-26", "F", "2A020")
TCHITCHI = Traits("TCHITCHI", "CATARINA BELLA", "1936-06-21", "F", "63220")
ECETINSI = Traits("ECETINSI", "PIERRE-ALAIN MURIEL FLORIANT", "2009-07-14", "M", "63220")
TWIN = Traits("JUMEAU", "ANNE MARIE", "1980-01-01", "F", "51215")
OTHER_TWIN = Traits("JUMEAU", "ANNE CLAIRE", "1980-01-01", "F", "51215")
HERE = Traits("PAREIL", "JEAN", "1970-01-01", "M", "69381")
THERE = Traits("PAREIL", "JEAN", "1970-01-01", "M", "13201")
LUNAR = Traits("LUNE", "AWA", "1950-00-00", "F", "99999")


def numbered(stem: str) -> tuple[str, str]:
    return ins.NIR_TEST, stem + ins.key(stem)


PEOPLE = [
    Certified((ins.NIR, "297022A02077878"), ADRTROIS),
    Certified((ins.NIR, "236066322083656"), TCHITCHI),
    Certified(
        (ins.NIR, "109076322083489"),
        ECETINSI,
        ((ins.NIR, "209076322083439"), (ins.NIR, "209066322012355")),
    ),
    Certified(numbered("2800151215001"), TWIN),
    Certified(numbered("2800151215002"), OTHER_TWIN),
    Certified(numbered("1700169381001"), HERE),
    Certified(numbered("1700113201001"), THERE),
    Certified(numbered("2500099999001"), LUNAR),
]


@pytest.fixture(scope="module")
def server() -> Iterator[SoapServer]:
    with soap_server(PEOPLE) as serving:
        yield serving


@pytest.fixture(params=["local", "soap"])
def service(request: pytest.FixtureRequest, server: SoapServer) -> Insi:
    server.raw, server.status = None, 200
    if request.param == "local":
        return LocalInsi(PEOPLE)
    return SoapInsi(Address(server.address, emitter="10B0152872"), lambda: 0)


@pytest.mark.parametrize("person", [ADRTROIS, TCHITCHI, ECETINSI])
def test_one_person_is_found_with_past_numbers(service: Insi, person: Traits) -> None:
    known = next(one for one in PEOPLE if one.traits == person)
    assert insi.look_up(service, person) == Answer("00", known.number, known.past, person)


def test_nobody_and_several_have_their_codes(service: Insi) -> None:
    assert service.ask(Query("PERSONNE", "JEAN", "M", "1970-01-01")) == Answer("01")
    assert service.ask(Query("PAREIL", "JEAN", "M", "1970-01-01")) == Answer("02")


def test_the_next_given_name_is_asked_when_the_first_finds_nobody(service: Insi) -> None:
    local = Traits("TCHITCHI", "KATARINA BELLA", "1936-06-21", "F", "")
    assert insi.look_up(service, local).traits == TCHITCHI


@pytest.mark.capability("0-02", "lets")
def test_twins_are_told_apart_by_their_other_names(service: Insi) -> None:
    assert insi.look_up(service, TWIN).traits == TWIN
    assert insi.look_up(service, OTHER_TWIN).traits == OTHER_TWIN


@pytest.mark.capability("0-02", "refuses")
def test_homonyms_are_told_apart_by_the_place_or_not_at_all(service: Insi) -> None:
    assert insi.look_up(service, HERE).traits == HERE
    nowhere = Traits("PAREIL", "JEAN", "1970-01-01", "M", "")
    assert insi.look_up(service, nowhere) == Answer("02")


def test_a_lunar_date_is_adjusted_and_noted_when_it_is_compared(service: Insi) -> None:
    local = Traits("LUNE", "AWA", "1950-12-31", "F", "99999")
    answer = service.ask(Query("LUNE", "AWA", "F", "1950-00-00"))
    found = insi.compared(insi.checked(answer), local, Evidence())
    assert (found.differences, found.traits.birth_date) == ((), "1950-12-31")
    assert "identity.note-lunar" in found.notes


@pytest.mark.parametrize("missing", range(4))
def test_missing_traits_are_refused_before_anything_leaves(server: SoapServer, missing: int) -> None:
    said = ["ADRTROIS", "DOMINIQUE", "1997-02-26", "F"]
    said[missing] = ""
    before = len(server.received)
    with pytest.raises(InvalidResourceError):
        insi.look_up(SoapInsi(Address(server.address), lambda: 0), Traits(*said))
    assert len(server.received) == before


def test_few_calls_are_made_for_one_person() -> None:
    asked: list[Query] = []

    class Counting:
        def ask(self, query: Query) -> Answer:
            asked.append(query)
            return Answer("01")

    names = " ".join(f"{one}A" for one in "BCDFGHJKLMNPQRST")
    insi.look_up(Counting(), Traits("X", names, "1980-01-01", "F", "51215"))
    assert len(asked) == insi.MOST_CALLS


@pytest.mark.parametrize(
    "answer",
    [
        Answer("77"),
        Answer(""),
        Answer("00"),
        Answer("00", (ins.NIR, "297022A02077879"), (), ADRTROIS),
        Answer("00", ("1.2.250.1.213.1.4.2", "297022A02077878"), (), ADRTROIS),
        Answer("00", (ins.NIR, "297022A02077878"), (), Traits("ADRTROIS")),
    ],
)
def test_an_answer_that_contradicts_itself_is_not_kept(answer: Answer) -> None:
    with pytest.raises(DependencyError):
        insi.checked(answer)


def test_a_name_with_markup_stays_a_name_in_the_envelope() -> None:
    query = Query("</i:NomNaissance><x>&", "A", "F", "1980-01-01", "51215")
    sent = envelope(query, Address("https://insi.example"), 0, uuid.UUID(int=1)).decode()
    assert "<x>" not in sent
    assert "<i:LieuNaissance>51215</i:LieuNaissance>" in sent
    assert "1970-01-01T00:00:00.000Z" in sent


FOUND = soap(Answer("00", (ins.NIR, "297022A02077878"), (), ADRTROIS))


def test_the_fixture_shape_is_read() -> None:
    assert read(FOUND).traits == ADRTROIS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nothing",
        b"<a/>",
        FOUND[:200],
        FOUND.replace(b"?>\n", b'?>\n<!DOCTYPE x [<!ENTITY a "b">]>'),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>').encode("utf-16"),
        FOUND.replace(b"<RESULTAT", b"<OTHER").replace(b"</RESULTAT", b"</OTHER"),
        FOUND.replace(b"INSiResultat", b"Other"),
        FOUND.replace(b"</INSACTIF>", b"</INSACTIF><INSACTIF/>"),
        FOUND.replace(b"<INSACTIF>", b"<X>").replace(b"</INSACTIF>", b"</X>"),
        FOUND.replace(b"</INDIVIDU>", b"</INDIVIDU><INDIVIDU/>"),
        FOUND.replace(b"</TIQ>", b"</TIQ><TIQ><NomNaissance>AUTRE</NomNaissance></TIQ>"),
        FOUND.replace(b"</CR>", b"</CR><CR><CodeCR>01</CodeCR></CR>"),
        FOUND + b" " * 70_000,
        b"<a>" * 2_000 + b"</a>" * 2_000,
    ],
    ids=[
        "empty", "text", "other", "cut", "entity", "entity-utf16", "no-result", "namespace", "two-active",
        "no-active", "two-people", "two-sets-of-traits", "two-codes", "too-long", "too-deep",
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(DependencyError):
        insi.checked(read(raw))


def test_an_external_entity_reads_no_file() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
    with pytest.raises(DependencyError):
        read(bomb)


@pytest.mark.parametrize("status", [302, 403, 500])
def test_another_status_is_no_answer(server: SoapServer, status: int) -> None:
    server.raw, server.status = None, status
    with pytest.raises(DependencyError) as raised:
        SoapInsi(Address(server.address), lambda: 0).ask(Query("A", "B", "F", "1980-01-01"))
    assert raised.value.sentence == "identity.insi-unreachable"


def test_a_service_that_is_not_there_stops_nothing_else() -> None:
    with pytest.raises(DependencyError) as raised:
        SoapInsi(Address("http://127.0.0.1:9/"), lambda: 0).ask(Query("A", "B", "F", "1980-01-01"))
    assert raised.value.sentence == "identity.insi-unreachable"


@pytest.mark.parametrize("url", ["http://insi.example/", "ftp://insi.example/", "file:///etc/passwd"])
def test_traits_leave_under_tls_only(url: str) -> None:
    with pytest.raises(SettingsError):
        SoapInsi(Address(url), lambda: 0)


def test_the_structure_shows_its_certificate_and_the_service_its_name(tmp_path: Path) -> None:
    service, structure = certificate(tmp_path, "localhost"), certificate(tmp_path, "structure")
    stranger = certificate(tmp_path, "stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(service)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(structure)
    query = Query("ADRTROIS", "DOMINIQUE", "F", "1997-02-26")
    with soap_server(PEOPLE, context) as serving:
        right = Address(serving.address, structure, structure, service)
        assert SoapInsi(right, lambda: 0).ask(query).traits == ADRTROIS
        for wrong in (
            Address(serving.address, stranger, stranger, service),
            Address(serving.address, None, None, service),
            Address(serving.address, structure, structure, stranger),
            Address(serving.address.replace("localhost", "127.0.0.1"), structure, structure, service),
        ):
            with pytest.raises(DependencyError):
                SoapInsi(wrong, lambda: 0).ask(query)
        assert len(serving.received) == 1


def test_a_certificate_that_is_not_there_is_a_setting_to_mend(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    with pytest.raises(SettingsError):
        SoapInsi(Address("https://insi.example/", missing, missing), lambda: 0)
