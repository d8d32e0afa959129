"""A file that breaks its reader reaches nothing: no file, no network, no program, no time, no memory.

What runs is a process as the viewer starts it, and in it what an attacker would run there.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
import time
import zlib

import pytest

from serment.errors import TooManyError
from serment.exits import apart
from serment.paper import raster
from serment.paper.raster import Sheet
from serment.paper.seal import Verdict
from serment.web import sandbox
from tests.unit.paper.test_raster import pdf

linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter is the kernel's")


def confined(code: str) -> str:
    """Run code in a process that has given everything up; say what became of it."""
    program = f"""
import ctypes, os, resource, signal, socket, subprocess, sys
from serment.paper import confinement
libc = ctypes.CDLL(None, use_errno=True)
confinement.limited()
assert confinement.confine().whole
try:
{textwrap.indent(code, "    ")}
    said = "done"
except OSError as error:
    said = f"refused {{error.errno}}"
except MemoryError:
    said = "no memory"
os.write(1, said.encode())
os._exit(0)
"""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, check=False, timeout=60
    )
    return ended.stdout.decode() or f"killed {ended.returncode}"


@linux
@pytest.mark.capability("3-11", "refuses")
@pytest.mark.parametrize(
    "code",
    [
        "os.open('/etc/passwd', os.O_RDONLY)",
        "os.open('/tmp/left-behind', os.O_WRONLY | os.O_CREAT)",
        "os.listdir('/')",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "os.execv('/bin/true', ['true'])",
        "os.fork()",
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.unlink('/etc/passwd')",
        "os.chdir('/')",
        "os.memfd_create('x')",
        "os.pipe()",
    ],
)
def test_code_in_a_broken_reader_reaches_nothing(code: str) -> None:
    assert confined(code) == "refused 1"


@linux
@pytest.mark.parametrize("call", [101, 62, 310, 311, 321, 425])
def test_code_in_a_broken_reader_traces_no_other_process(call: int) -> None:
    """Calls by number on x86-64: ptrace, kill, process_vm_readv and writev, bpf, io_uring_setup."""
    raised = "raise OSError(ctypes.get_errno(), 'refused')"
    assert confined(f"if libc.syscall({call}, 0, 0, 0, 0, 0, 0) == -1: {raised}") == "refused 1"


@linux
def test_code_in_a_broken_reader_fills_no_memory() -> None:
    assert confined("bytearray(3 << 30)") == "no memory"


def test_a_reader_that_never_ends_is_killed() -> None:
    started = time.monotonic()
    found = sandbox.sheet(b"", 1, command=(sys.executable, "-c", "while True: pass"), deadline=0.5)
    assert found == Sheet(raster.BROKEN)
    assert time.monotonic() - started < 30


def test_a_reader_that_takes_nothing_in_and_says_too_much_is_cut_short() -> None:
    shout = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    assert sandbox.sheet(b"x" * 1_000_000, 1, command=(sys.executable, "-c", shout)) == Sheet(raster.BROKEN)


def test_a_reader_that_dies_is_a_broken_file() -> None:
    died = (sys.executable, "-c", "import os; os.abort()")
    assert sandbox.sheet(pdf("Bonjour"), 1, command=died) == Sheet(raster.BROKEN)


def bomb(stream: bytes) -> bytes:
    packed = zlib.compress(zlib.compress(stream, 9), 9)
    return (
        b"%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length " + str(len(packed)).encode() + b"/Filter[/FlateDecode/FlateDecode]>>stream\n"
        + packed + b"\nendstream endobj\ntrailer<</Root 1 0 R>>"
    )  # fmt: skip


def test_a_bomb_in_a_pdf_harms_its_own_process_only() -> None:
    """Two hundred megabytes of drawing in a few hundred bytes: drawn, broken or killed, and said so."""
    found = sandbox.sheet(bomb(b"0 0 m 600 800 l S\n" * 11_000_000), 1)
    assert found.fault in {"", raster.BROKEN}
    assert sandbox.sheet(pdf("Bonjour"), 1, drawn=False).words == "Bonjour"


def test_a_pdf_is_drawn_by_the_process_that_has_nothing() -> None:
    found = sandbox.sheet(pdf("Bonjour"), 1)
    assert (found.fault, found.words, found.picture[:4]) == ("", "Bonjour", b"\x89PNG")


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    assert sandbox.sheet(b"%PDF-" + bytes(raster.MOST_BYTES), 1, command=("/no/such",)) == Sheet(
        raster.BROKEN
    )


def test_who_finds_no_room_is_told_to_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "PATIENCE", 0.01)
    taken = [sandbox._room.acquire(blocking=False) for _ in range(sandbox.AT_ONCE)]
    try:
        with pytest.raises(TooManyError):
            sandbox.sheet(pdf("Bonjour"), 1)
    finally:
        for _ in filter(None, taken):
            sandbox._room.release()


# The check of a seal.


def unfolding(megabytes: int) -> bytes:
    """Make a PDF whose cross-reference table is so much of nothing, compressed a thousand times."""
    packed = zlib.compress(bytes(megabytes << 20), 9)
    head = b"%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    table = b"3 0 obj<</Type/XRef/Size %d/W[1 2 1]/Root 1 0 R/Length %d/Filter/FlateDecode>>stream\n"
    body = table % (megabytes << 18, len(packed)) + packed + b"\nendstream endobj\n"
    return head + body + b"startxref\n%d\n%%%%EOF\n" % len(head)


def test_a_file_that_unfolds_without_end_is_unreadable_and_is_not_unfolded_beside_the_keys() -> None:
    """Anybody may have a file checked: 64 KB of this took the server a minute, and gigabytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert apart.check(unfolding(64), ()).verdict is Verdict.UNREADABLE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
    assert apart.check(pdf("Bonjour"), ()).verdict is Verdict.UNSEALED


@pytest.mark.parametrize("said", ["", "print(1)", "import sys; sys.stdout.buffer.write(b'x' * 2_000_000)"])
def test_a_child_that_checks_and_says_anything_else_has_read_nothing(said: str) -> None:
    command = (sys.executable, "-c", said)
    assert apart.check(pdf("Bonjour"), (), command).verdict is Verdict.UNREADABLE
