"""Paper tells nothing of what is hidden, carries nothing active, and proves nothing that is not so."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pypdfium2
import pytest

from serment.demo.store import CARE_PURPOSES
from serment.errors import ConflictError, NotFoundError
from serment.exits import prescribing, printing, signing
from serment.fhir import prescribed
from serment.model import Actor
from serment.paper import slip
from serment.paper.prescription import Line
from serment.paper.press import Picture, Text
from serment.paper.seal import Verdict
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.house import House
from serment.server import application
from tests.attacks.test_chart_hidden import _MADE, SHEET, masked, watched_house, write
from tests.attacks.watching import Log
from tests.installation import Installation, installation, run

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil.example";"x")',
    "{{ 7*7 }}{% raw %}",
    "abc\u202egnp.exe",
    "</para><a href='javascript:x'>y</a>",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("paper-attacks")) as one:
        yield one


async def no_drawing(_type: str, _content: bytes) -> list[Picture | Text]:
    return [Text("page")]


NOTE = {**SHEET, "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]}}

Sent = tuple[str, dict[str, str] | None]
"""A path, and the form that is posted to it (None: it is looked at)."""


async def sent(house: House, log: Log, reader: Actor, asks: list[Sent]) -> list[tuple[int, str, Log]]:
    """Ask as one browser; give status, text without what is made anew, and the work behind it."""
    transport = httpx.ASGITransport(application(lambda: house, lambda: None))
    code = house.sessions.issue(
        reader, CARE_PURPOSES[reader.kind], house.passage.clock(), once=True, to="/home"
    )
    answers = []
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        await browser.get(f"/enter/{code}")
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', (await browser.get("/home")).text)
        assert found is not None
        for path, form in asks:
            log.clear()
            if form is None:
                answer = await browser.get(path)
            else:
                answer = await browser.post(path, data={"csrf": found[1], **form})
            answers.append((answer.status_code, _MADE.sub("<made>", answer.text), list(log)))
    return answers


def asks(made: Installation, item: str) -> list[Sent]:
    base, id_ = f"/record/{made.record()}", item.partition("/")[2]
    shared = {"item": item, "days": "7", "uses": "1", "agreed": "1"}
    return [
        (f"{base}/print", {"item": item}),
        (f"{base}/share", shared),
        (f"{base}/sign/{id_}", None),
        (f"{base}/sign/{id_}", {}),
        (f"{base}/prescription/{id_}", None),
        (f"{base}/prescription/{id_}/paper", {}),
        (f"{base}/prescription/{id_}/revoke", {}),
    ]


@pytest.mark.capability("3-01", "refuses")
@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("place", range(7))
def test_a_paper_of_what_is_hidden_and_of_what_is_not_there_are_one(made: Installation, place: int) -> None:
    hidden, absent = masked(made, SHEET), f"DocumentReference/{uuid.uuid4()}"
    house, log = watched_house(made)
    house = replace(house, base="https://dossier.cabinet.example/fhir")
    wanted = [asks(made, item)[place] for item in (absent, hidden, absent, hidden)]
    _, _, one, other = asyncio.run(sent(house, log, made.staff("team-doctor"), wanted))
    assert one == other
    assert one[0] == 404


@pytest.mark.capability("3-01", "refuses")
def test_one_hidden_item_among_others_prints_none_and_says_what_absence_says(made: Installation) -> None:
    shown, hidden = write(made, SHEET), masked(made, SHEET)
    asking = made.as_staff("team-doctor")
    for item in (hidden, f"DocumentReference/{uuid.uuid4()}"):
        with pytest.raises(NotFoundError) as refused:
            run(printing.items(made.house, asking, made.record(), [shown, item], no_drawing))
        assert refused.value.sentence == "record.not-found"


@pytest.mark.capability("3-01", "refuses")
def test_an_item_of_another_patient_is_not_printed_through_ones_own_record(made: Installation) -> None:
    asking = made.as_patient()
    other = next(one for one in made.store.ids.values() if one != made.record())
    with pytest.raises(NotFoundError):
        run(printing.items(made.house, asking, made.record(), [f"Patient/{other}"], no_drawing))
    with pytest.raises(NotFoundError):
        run(printing.items(made.house, asking, other, [], no_drawing))


def content_of(made: Installation, role: str) -> str:
    """Deposit a content in the record of a patient; give its reference."""
    binary = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "securityContext": {"reference": f"Patient/{made.record(role)}"},
        "data": "c2VjcmV0",
    }
    sent = incoming.read(json.dumps(binary).encode())
    return f"Binary/{run(made.house.writing.create(made.as_staff('attending'), sent)).id}"


def pointing(content: str) -> dict[str, object]:
    return {**NOTE, "content": [{"attachment": {"contentType": "text/plain", "url": content}}]}


@pytest.mark.capability("3-01", "refuses")
def test_a_document_that_points_into_another_record_prints_nothing_of_it(made: Installation) -> None:
    """The doctor may read both; the person to whom the paper is handed may not."""
    asking = made.as_staff("attending")
    own = write(made, pointing(content_of(made, "patient")))
    assert run(printing.items(made.house, asking, made.record(), [own], no_drawing)).pdf
    other = write(made, pointing(content_of(made, "waiting")))
    with pytest.raises(NotFoundError):
        run(printing.items(made.house, asking, made.record(), [other], no_drawing))


@pytest.mark.capability("3-01", "refuses")
def test_no_document_leaves_as_it_came_in_by_the_way_of_a_prescription(made: Installation) -> None:
    """What a secretary prints without reading is a marked paper, never the file itself."""
    house, log = watched_house(made)
    item = write(made, pointing(content_of(made, "patient")))
    base, id_ = f"/record/{made.record()}", item.partition("/")[2]
    asked: list[Sent] = [(f"{base}/print", {"item": item}), (f"{base}/prescription/{id_}/paper", {})]
    for role in ("attending", "secretary"):
        printed, raw = asyncio.run(sent(house, log, made.staff(role), asked))
        assert (printed[0], raw[0]) == (200, 404), role


@pytest.mark.capability("3-01", "refuses")
def test_no_print_leaves_without_its_trace(made: Installation) -> None:
    """The receipts of the trace are what opens a body: with no ledger to write to, there is no print."""
    shown = write(made, SHEET)
    broken = replace(made.house.passage, ledger=None)  # type: ignore[arg-type]  # on purpose
    house = House.of(broken, made.house.custody, made.house.kind, made.house.base)
    with pytest.raises(AttributeError):
        run(house.leaving.items(made.as_staff("team-doctor"), made.record(), [shown]))


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_strings_in_a_record_are_inert_on_a_print_and_on_a_prescription(
    made: Installation, attack: str
) -> None:
    asking = made.as_staff("attending")
    item = write(made, {"resourceType": "Condition", "code": {"text": attack}})
    printed = run(printing.items(made.house, asking, made.record(), [item], no_drawing)).pdf
    asked = prescribing.Asked((Line(attack, attack, attack),))
    issued = run(prescribing.issue(made.house, asking, made.record(), asked))
    paper = run(_content(made.house, asking, issued.content))
    for raw in (printed, paper):
        assert not [one for one in (b"/JavaScript", b"/URI", b"/Launch", b"/EmbeddedFile") if one in raw]
        with pypdfium2.PdfDocument(raw) as document:
            text = "".join(page.get_textpage().get_text_bounded() for page in document)
        assert "\u202e" not in text


async def _content(house: House, asking: Asking, id_: str) -> bytes:
    return await printing.whole(await house.serving.open(asking, id_))


@pytest.mark.capability("0-07", "refuses")
def test_a_code_of_one_paper_does_not_vouch_for_another(made: Installation) -> None:
    """A code that was copied names another number, date or prescriber: the page shows them."""
    asking = made.as_staff("attending")
    issued = run(prescribing.issue(made.house, asking, made.record(), prescribing.Asked((Line("A", "1"),))))
    seal = made.house.sealing.seal(asking, "x")
    code = slip.written(slip.Slip(slip.Kind.PRESCRIPTION, issued.number, "2026-01-01", "1", "x", b""), seal)
    answered = prescribing.check(made.house, asking, code)
    assert answered.checked.slip is not None
    assert answered.checked.slip.number == issued.number


@pytest.mark.capability("0-07", "refuses")
def test_nobody_takes_back_a_prescription_by_writing_its_number_elsewhere(made: Installation) -> None:
    """The number stands on the paper: a document in another record that bears it takes back nothing."""
    asking = made.as_staff("attending")
    issued = run(prescribing.issue(made.house, asking, made.record(), prescribing.Asked((Line("A", "1"),))))
    number = {"system": prescribed.SYSTEM, "value": issued.number}
    forged = {**NOTE, "identifier": [number], "subject": {"reference": f"Patient/{made.record('waiting')}"}}
    sent = incoming.read(json.dumps(forged).encode())
    document = run(made.house.writing.create(asking, sent)).id
    with pytest.raises(ConflictError):
        run(prescribing.revoke(made.house, asking, document))
    assert made.house.revoking.since(asking, issued.number) is None
    run(prescribing.revoke(made.house, asking, issued.document))
    assert made.house.revoking.since(asking, issued.number) is not None


def test_a_number_is_looked_up_for_nobody_who_guesses_it(made: Installation) -> None:
    house, log = watched_house(made)
    asking = made.as_staff("attending")
    issued = run(prescribing.issue(made.house, asking, made.record(), prescribing.Asked((Line("A", "1"),))))
    run(prescribing.revoke(made.house, asking, issued.document))
    forged = f"SERMENT1:{made.house.sealing.seals(asking)[0].id}:{issued.number}:{'A' * 103}"
    unknown = f"SERMENT1:{made.house.sealing.seals(asking)[0].id}:{'A' * 16}:{'A' * 103}"
    works = []
    for code in (forged, unknown):
        log.clear()
        assert prescribing.check(house, asking, code).revoked is None
        works.append(list(log))
    assert works[0] == works[1]


@pytest.mark.capability("0-08", "refuses")
def test_the_seals_key_stands_nowhere_in_clear_on_the_disk(made: Installation) -> None:
    asking = made.as_staff("attending")
    seal = made.house.sealing.seal(asking, "x")
    # The last 40 bytes of PKCS #8 hold the public half; the scalar stands before, after its own header.
    start = seal.key.index(b"\x04\x20") + 2
    secret = seal.key[start : start + 32]
    for path in made.settings.directory.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert secret not in raw, path.name
            assert secret.hex().encode() not in raw, path.name


@pytest.mark.capability("0-08", "refuses")
def test_a_proof_of_one_document_proves_no_other(made: Installation) -> None:
    """The Provenance of a sealed document is written again about another one, by somebody who may write."""
    import msgspec

    from serment.fhir.provenance import Sealed, provenance, seals_of, targets
    from serment.record import incoming
    from serment.record.everything import Wanted

    asking, house = made.as_staff("attending"), made.house
    sealed, other = write(made, NOTE), write(made, {**NOTE, "description": "autre"})
    run(signing.seal(house, asking, sealed.partition("/")[2]))
    page = run(house.everything.page(asking, Wanted(made.record(), ("Provenance",), count=1000)))
    proofs = [msgspec.json.decode(one.body) for one in page.served]
    (jws,) = [text for one in proofs if targets(one) == [sealed] for text in seals_of(one)]
    forged = provenance(Sealed(other, asking.now, ("s", "1", "x"), "x", jws))
    run(house.writing.create(asking, incoming.read(forged, "Provenance")))
    told = run(signing.check(house, asking, other.partition("/")[2]))
    assert told.document is Verdict.ALTERED
    assert not told.whole
