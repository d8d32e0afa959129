"""Who opens envelopes inside `keys`: the openings, the keys of traces and of the installation, custody."""

from __future__ import annotations

import ast
from pathlib import Path

import serment.keys

ROOM = Path(serment.keys.__file__).parent
MAY_UNSEAL = {
    "envelope.py",
    "openings.py",
    "trace_keys.py",
    "installation.py",
    "custody/wraps.py",
    "custody/passphrase.py",
}
MAY_DECRYPT = {"envelope.py"}


def users_of(name: str) -> set[str]:
    """Give the files of `keys` that name something, imported or as an attribute."""
    return {
        str(file.relative_to(ROOM))
        for file in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names})
    }


def test_envelopes_are_opened_in_the_named_files_only() -> None:
    assert users_of("unseal") == MAY_UNSEAL - {"envelope.py"}


def test_the_cipher_itself_is_called_by_the_envelope_only() -> None:
    assert users_of("AESGCM") | users_of("decrypt") == MAY_DECRYPT


def test_custody_alone_opens_the_key_file() -> None:
    assert {file for file in users_of("apsw") if not file.startswith("custody/")} == set()


def test_custody_never_opens_a_row_and_the_openings_never_reach_custody() -> None:
    assert users_of("RecordKeys") & {f"custody/{file.name}" for file in (ROOM / "custody").iterdir()} == set()
    imports = {
        node.module
        for node in ast.walk(ast.parse((ROOM / "openings.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert not [module for module in imports if module and "custody" in module]
