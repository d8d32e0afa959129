"""What a practice installs: an explicit list with licences, pinned and hashed, from whatever index it trusts.

`distributions.tsv` is the allow-list. A distribution that comes in through somebody else's new dependency
stops here until a person has read its licence and written why it is there.
"""

from __future__ import annotations

import csv
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source import ROOT

LISTED = Path(__file__).with_name("distributions.tsv")
LICENCES = {
    "Apache-2.0",
    "Apache-2.0 AND MIT",
    "Apache-2.0 OR BSD-3-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-3-Clause AND Apache-2.0",
    "ISC",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
    "any-OSI",
}
COPYLEFT = re.compile(r"\bA?GPL|Affero|GNU General Public|SSPL|Commons Clause|BUSL", re.IGNORECASE)
WEAK_COPYLEFT = {"LGPL-3.0-only"}
"""Taken unchanged, in a distribution of its own, by an option that nobody needs (ADR 35)."""
ELSEWHERE = {"atheris", "colorama", "tzdata"}
"""Locked for some machines only: libFuzzer for Linux on x86-64, two for Windows."""
LOCKS = ("requirements.lock", "requirements-postgres.lock", "requirements-dev.lock")


def listed(extra: str) -> dict[str, str]:
    """Give the allow-list: name → licence."""
    with LISTED.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", strict=True)
        return {row["name"]: row["licence"] for row in rows if row["extra"] == extra}


def closure(extra: str) -> set[str]:
    """Give what installing `serment[extra]` brings on this machine, Serment itself left out."""
    found: set[str] = set()
    todo = [("serment", extra)]
    while todo:
        name, wanted = todo.pop()
        for line in distribution(name).requires or []:
            requirement = Requirement(line)
            needed = canonicalize_name(requirement.name)
            if requirement.marker and not requirement.marker.evaluate({"extra": wanted}):
                continue
            if needed not in found:
                found.add(needed)
                todo += [(needed, inner) for inner in {"", *requirement.extras}]
    return found


def pins(lock: str) -> dict[str, str]:
    """Read the pins of one lock: name → version."""
    text = (ROOT / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def test_what_runs_is_what_is_listed() -> None:
    assert closure("") == set(listed(""))


def test_what_the_demo_adds_is_what_is_listed() -> None:
    assert closure("demo") - closure("") == set(listed("demo"))


def test_what_postgresql_adds_is_what_is_listed() -> None:
    assert closure("postgres") - closure("") == set(listed("postgres"))
    assert set(listed("postgres").values()) <= LICENCES | WEAK_COPYLEFT


def test_every_licence_is_one_that_was_accepted() -> None:
    assert set(listed("").values()) | set(listed("demo").values()) <= LICENCES


@pytest.mark.parametrize("name", sorted({**listed(""), **listed("demo")}))
def test_no_distribution_calls_itself_copyleft(name: str) -> None:
    about = metadata(name).json
    said = [about.get("license_expression", ""), about.get("license", "")[:200]]
    said += [line for line in about.get("classifier", []) if line.startswith("License")]
    assert not COPYLEFT.search(" ".join(map(str, said)))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_is_exact_and_hashed(lock: str) -> None:
    entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text("utf-8").strip())
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==[0-9][\w.]*( ; [^\\]+)? \\\n", entry), entry[:60]
        assert re.fullmatch(r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n?)+", entry.split("\n", 1)[1]), entry[
            :60
        ]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place_to_fetch_from(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|@ |^-", text, re.MULTILINE)


def test_the_locks_agree() -> None:
    run, larger, develop = (pins(lock) for lock in LOCKS)
    assert {name: larger.get(name) for name in run} == run
    assert {name: develop.get(name) for name in larger} == larger


def test_the_locks_hold_the_pins_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    asked += [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    locked = pins("requirements-dev.lock")
    read = map(Requirement, asked)
    assert {str(one) for one in read if f"=={locked.get(one.name)}" != str(one.specifier)} == set()


def test_what_is_installed_here_is_what_the_locks_say() -> None:
    """A test run on other versions than those shipped proves something else."""
    other = {}
    for name, version in pins("requirements-dev.lock").items():
        try:
            if (installed := distribution(name).version) != version:
                other[name] = installed
        except PackageNotFoundError:
            assert name in ELSEWHERE, f"{name} is locked and not installed"
    assert other == {}
