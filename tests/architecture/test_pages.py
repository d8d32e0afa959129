"""Every code block of the documentation runs, quotes what stands in the source, or names what exists."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.pages import (
    KNOWN,
    Block,
    blocks,
    kept,
    make_targets,
    pages,
    quotation,
    run,
    stands_in,
)
from tests.architecture.source import ROOT, name_of

PAGES = [pytest.param(page, id=name_of(page)) for page in pages()]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_fence_has_a_language_that_is_held(page: Path) -> None:
    unknown = [
        (block.line, block.language)
        for block in blocks(page.read_text("utf-8"))
        if block.language not in KNOWN
    ]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_as_the_page_says(page: Path, tmp_path: Path) -> None:
    for step, code, said in run(page.read_text("utf-8"), tmp_path):
        assert code == 0, f"{name_of(page)}:{step.line} {step.command}\n{said}"
        assert kept(step.promised, said), f"{name_of(page)}:{step.line} {step.command}\n{said}"


@pytest.mark.parametrize("page", PAGES)
def test_every_quotation_stands_in_the_source(page: Path) -> None:
    for block in blocks(page.read_text("utf-8")):
        quoted = quotation(block) if block.language == "python" else None
        if quoted:
            file, pieces = quoted
            source = (ROOT / file).read_text("utf-8")
            assert [piece for piece in pieces if not stands_in(piece, source)] == [], (
                f"{name_of(page)}:{block.line}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    for block in blocks(page.read_text("utf-8")):
        if block.language == "sh":
            assert unknown_commands(block) == [], f"{name_of(page)}:{block.line}"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    assert [target for target in LINK.findall(text) if not (page.parent / target).exists()] == []


def unknown_commands(block: Block) -> list[str]:
    unknown = []
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            targets = [w for w in words[1:] if "=" not in w and not w.startswith("-")]
            unknown += [f"make {target}" for target in targets if target not in make_targets()]
        if words[:1] == ["serment"] and not serment_knows(words[1:]):
            unknown.append(line)
    return unknown


def serment_knows(words: list[str]) -> bool:
    """Ask for the help of the longest run of words that can be command names."""
    names = []
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        names.append(word)
    for length in range(len(names), 0, -1):
        asked = [sys.executable, "-m", "serment", *names[:length], "--help"]
        if subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode == 0:
            return True
    return not names


def test_the_runner_sees_a_wrong_output_and_a_wrong_code(tmp_path: Path) -> None:
    console = "```console\n$ A=3; echo one; echo $A\none\n…\n$ echo $A\n4\n$ false\n```\n"
    page = console + "```python\nprint('six')\n```\n"
    ran = run(page, tmp_path)
    assert [code for _, code, _ in ran] == [0, 0, 1, 0]
    assert [kept(step.promised, said) for step, _, said in ran] == [True, False, True, True]
    assert [said for _, _, said in ran] == ["one\n3", "3", "", "six"]


def test_the_runner_ends_what_a_page_left_running(tmp_path: Path) -> None:
    ran = run("```console\n$ sleep 600 & echo $! > child\n$ cat child\n```\n", tmp_path)
    with contextlib.suppress(ProcessLookupError):
        child = os.pidfd_open(int(ran[1][2]))
        ended, _, _ = select.select([child], [], [], 5)
        os.close(child)
        assert ended


def test_a_quotation_with_a_gap_is_found_and_a_changed_one_is_not() -> None:
    source = "class A:\n    def f(self) -> int:\n        x = 1\n        return x\n"
    right = Block("python", "# serment/a.py\ndef f(self) -> int:\n    …\n    return x\n", 1)
    wrong = Block("python", "# serment/a.py\ndef f(self) -> int:\n    return x\n", 1)
    for block, expected in ((right, True), (wrong, False)):
        quoted = quotation(block)
        assert quoted is not None
        assert all(stands_in(piece, source) for piece in quoted[1]) is expected
