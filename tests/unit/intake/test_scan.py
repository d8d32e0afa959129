"""The scanner behind its port: the fake and a real clamd, if this machine has one, keep one contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from serment.errors import DependencyError, InvalidResourceError, SermentError, TooLargeError
from serment.intake.scan import Clamd
from serment.record.scanning import examine
from tests.fakes.clamd import EICAR, FakeClamd

REAL = Path(os.environ.get("SERMENT_TEST_CLAMD", "/run/clamav/clamd.ctl"))


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeClamd]:
    clamd = FakeClamd(tmp_path / "clamd", most=1024 * 1024)
    yield clamd
    clamd.stop()


@pytest.fixture(params=["fake", "real"] if REAL.exists() else ["fake"])
def scanner(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clamd]:
    if request.param == "real":
        yield Clamd(REAL)
        return
    clamd = FakeClamd(tmp_path / "clamd")
    yield Clamd(clamd.path)
    clamd.stop()


@pytest.mark.parametrize("content", [b"", b"x", b"%PDF-1.7 " + bytes(300_000)])
def test_a_harmless_content_passes(scanner: Clamd, content: bytes) -> None:
    examine(scanner, content)


def test_a_harmful_content_is_told_without_its_name(scanner: Clamd) -> None:
    with pytest.raises(InvalidResourceError) as found:
        examine(scanner, EICAR)
    assert found.value.sentence == "scanning.found"
    assert "icar" not in str(found.value).lower()


def test_a_content_in_pieces_is_one_content(scanner: Clamd) -> None:
    scan = scanner.begin()
    for piece in (EICAR[:30], b"", EICAR[30:]):
        scan.feed(piece)
    with pytest.raises(InvalidResourceError):
        scan.verdict()
    scan.close()


def test_two_contents_are_examined_side_by_side(scanner: Clamd) -> None:
    one = scanner.begin()
    one.feed(b"harmless")
    one.verdict()
    two = scanner.begin()
    two.feed(EICAR)
    with pytest.raises(InvalidResourceError):
        two.verdict()
    one.close()
    two.close()


def test_more_than_the_scanner_takes_is_refused_as_too_large(fake: FakeClamd) -> None:
    with pytest.raises(TooLargeError):
        examine(Clamd(fake.path), bytes(8 * 1024 * 1024))


def test_a_scanner_that_is_not_there_gives_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(DependencyError):
        Clamd(tmp_path / "nobody").begin()


def test_a_scanner_that_hangs_up_gives_no_verdict(fake: FakeClamd) -> None:
    fake.broken = True
    with pytest.raises(DependencyError):
        examine(Clamd(fake.path), bytes(100_000))


def test_a_scanner_that_never_answers_gives_no_verdict(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        with pytest.raises(SermentError) as refusal:
            examine(Clamd(tmp_path / "silent", seconds=0.05), b"x")
    assert refusal.value.sentence == "scanning.away"
