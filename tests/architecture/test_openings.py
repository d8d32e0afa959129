"""Decrypted data is born in one place (HOUSE promise 1): who may make a permit, a receipt, or open a row.

The type checker asks for a `Permit` and a `Receipt`; these tests hold where the two come from, so that nobody
makes one on the way. They read the syntax tree of what exists: a new file is under them on its first day.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import calls_in, dotted, name_of, place, python_files, tree_of

GATE = "serment/record/gate"
OPENINGS = {
    "glance": (GATE, "serment/keys/"),
    "unseal": ("serment/keys/",),
    "unsealed": ("serment/keys/openings", "serment/keys/pack_check"),
    "check_pack": ("serment/record/scrub", "serment/keys/pack_check"),
}
KEYS = {"keys", "openings", "opener", "keyring"}
MAKERS = {"Permit": "serment/access/decide.py", "Receipt": "serment/ledger/"}


def product() -> list[Path]:
    return python_files("serment")


@pytest.mark.parametrize(("noun", "maker"), sorted(MAKERS.items()))
def test_proof_is_made_by_its_maker_only(noun: str, maker: str) -> None:
    """A value position other than a type or `isinstance` could hand the class to somebody who calls it."""
    made = [
        place(path, node)
        for path in product()
        if not name_of(path).startswith(maker) and name_of(path) != "serment/model.py"
        for node in values_of(noun, tree_of(path))
    ]
    assert made == []


@pytest.mark.parametrize("noun", sorted(MAKERS))
def test_proof_is_imported_under_its_own_name(noun: str) -> None:
    renamed = [
        place(path, node)
        for path in product()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == noun and alias.asname not in (None, noun)
    ]
    assert renamed == []


@pytest.mark.parametrize("proof", ["permit", "receipt"])
def test_no_proof_is_copied_with_changes(proof: str) -> None:
    changed = [
        place(path, call)
        for path in product()
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] in {"replace", "__replace__", "structure", "convert", "setattr", "__setattr__"}
        and any(proof in ast.unparse(argument).lower() for argument in call.args[:1])
    ]
    assert changed == []


def test_no_object_is_made_past_its_own_init() -> None:
    made = [
        place(path, call)
        for path in product()
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] in {"__new__", "_make", "__reduce__", "__setstate__"}
        or name.startswith("pickle.")
    ]
    assert made == []


@pytest.mark.parametrize(("opening", "rooms"), sorted(OPENINGS.items()))
def test_opening_is_called_in_its_room_only(opening: str, rooms: tuple[str, ...]) -> None:
    called = [
        place(path, call)
        for path in product()
        if not name_of(path).startswith(rooms)
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] == opening
    ]
    assert called == []


@pytest.mark.parametrize("opening", ["open", "check", "glance"])
def test_openings_of_keys_are_reached_from_record_only(opening: str) -> None:
    """`open` and `check` are common words: they count where they are asked of something named after keys."""
    called = [
        place(path, call)
        for path in product()
        if not name_of(path).startswith(("serment/record/", "serment/keys/"))
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] == opening and set(name.split(".")[:-1]) & KEYS
    ]
    assert called == []


def test_plaintext_is_opened_with_a_permit_and_a_receipt_in_hand() -> None:
    """Inside `record`, the calls of `open` on keys stand in the gate, which decides and traces first."""
    called = [
        place(path, call)
        for path in product()
        if name_of(path).startswith("serment/record/") and not name_of(path).startswith(GATE)
        for name, call in calls_in(tree_of(path))
        if name.split(".")[-1] == "open" and set(name.split(".")[:-1]) & KEYS
    ]
    assert called == []


def test_ciphers_are_used_in_keys_and_ledger_only() -> None:
    """No room makes its own way from bytes to plaintext. `demo` plays the thief and may try."""
    allowed = ("serment/keys/", "serment/ledger/", "serment/demo/", "serment/app.py")
    used = [
        place(path, node)
        for path in product()
        if not name_of(path).startswith(allowed)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Name | ast.Attribute)
        and dotted(node).split(".")[-1] in {"AESGCM", "AESGCMSIV", "ChaCha20Poly1305", "Cipher", "Fernet"}
    ]
    assert used == []


def values_of(noun: str, tree: ast.Module) -> Iterator[ast.AST]:
    """Give each use of `noun` as a value: not an annotation, type argument, `isinstance` or pattern."""
    types = {id(inner) for outer in type_positions(tree) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name | ast.Attribute)
            and dotted(node).split(".")[-1] == noun
            and id(node) not in types
        ):
            yield node


def type_positions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case (
                ast.FunctionDef(returns=ast.expr() as returns)
                | ast.AsyncFunctionDef(returns=ast.expr() as returns)
            ):
                yield returns
            case ast.AnnAssign(annotation=annotation):
                yield annotation
            case ast.Subscript(slice=inner):
                yield inner
            case ast.BinOp(op=ast.BitOr()):
                yield node
            case ast.MatchClass(cls=cls):
                yield cls
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass" | "cast"), args=args):
                yield from args


def test_the_reader_of_types_sees_a_value_and_lets_a_type_pass() -> None:
    """The tests above are worth what this reading is worth: shown on small programs."""
    lets = "def f(p: Permit | None) -> Permit: return p if isinstance(p, Permit) else p"
    sees = "def f(p: object) -> object: make = Permit; return make(p)"
    calls = "model.Permit('rule')"
    assert list(values_of("Permit", ast.parse(lets))) == []
    assert len(list(values_of("Permit", ast.parse(sees)))) == 1
    assert len(list(values_of("Permit", ast.parse(calls)))) == 1
