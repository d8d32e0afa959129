"""The inclusion and consistency vectors of transparency-dev, error cases included."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from serment.ledger.tree import verify_consistency, verify_inclusion
from tests.vectors import MISSING, VECTORS

FOLDER = VECTORS / "merkle"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=MISSING)


def cases(kind: str) -> list[Path]:
    return sorted((FOLDER / kind).rglob("*.json"))


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    case["proof"] = [base64.b64decode(node) for node in case["proof"] or []]
    for name in ("root", "leafHash", "root1", "root2"):
        if name in case:
            case[name] = base64.b64decode(case[name] or "")
    return case


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


@pytest.mark.parametrize("path", cases("inclusion"), ids=name)
def test_an_inclusion_proof_holds_only_when_the_vector_says_so(path: Path) -> None:
    case = read(path)
    held = verify_inclusion(case["leafHash"], case["leafIdx"], case["treeSize"], case["proof"], case["root"])
    assert held is not case["wantErr"], case["desc"]


@pytest.mark.parametrize("path", cases("consistency"), ids=name)
def test_a_consistency_proof_holds_only_when_the_vector_says_so(path: Path) -> None:
    case = read(path)
    held = verify_consistency(case["size1"], case["size2"], case["root1"], case["root2"], case["proof"])
    assert held is not case["wantErr"], case["desc"]


def test_the_whole_set_of_vectors_was_run() -> None:
    assert (len(cases("inclusion")), len(cases("consistency"))) == (98, 98)
