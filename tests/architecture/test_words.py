"""The catalogue against the source: no sentence missing, none unused, none raised with a blank left open.

An id stands in the source as a literal (`NotFoundError("record.not-found")`), or as the beginning of an
f-string (`f"access.rule-{rule}"`), which uses every sentence that begins so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from serment import errors
from serment.words import catalogue
from tests.architecture.source import calls_in, name_of, place, project_files, python_files, tree_of

RAISED = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.SermentError)
}
FILLED_BY_ITS_CLASS = {"InvalidResourceError": {"expression"}}
BEGINNING = re.compile(r"^[a-z][a-z_]*\.[a-z0-9.-]*$")


def spoken() -> Iterator[tuple[Path, str, ast.Call]]:
    """Give every call that takes a sentence: `say(…)` and the making of an error."""
    for path in python_files("serment"):
        for name, call in calls_in(tree_of(path)):
            last = name.split(".")[-1]
            if (last in RAISED or last == "say") and call.args:
                yield path, last, call


def blanks(sentence: str) -> set[str]:
    return {
        name for text in catalogue()[sentence].values() for _, name, _, _ in Formatter().parse(text) if name
    }


def literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def beginnings() -> set[str]:
    """Give the constant beginnings of f-strings that look like the id of a sentence."""
    found = set()
    for path in python_files("serment"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.JoinedStr) and node.values:
                start = literal(node.values[0])
                if start and BEGINNING.match(start):
                    found.add(start)
    return found


def test_every_sentence_that_is_said_is_in_the_catalogue() -> None:
    missing = [
        f"{place(path, call)} {sentence}"
        for path, _, call in spoken()
        if (sentence := literal(call.args[0])) is not None and sentence not in catalogue()
    ]
    assert missing == []


def test_every_blank_of_a_sentence_that_is_said_is_filled() -> None:
    left_open = []
    for path, name, call in spoken():
        sentence = literal(call.args[0])
        if sentence not in catalogue() or any(keyword.arg is None for keyword in call.keywords):
            continue
        filled = {keyword.arg for keyword in call.keywords} | FILLED_BY_ITS_CLASS.get(name, set())
        if blanks(sentence) - filled:
            left_open.append(f"{place(path, call)} {sentence}: {blanks(sentence) - filled}")
    assert left_open == []


def test_no_sentence_is_unused() -> None:
    sources = [
        path.read_text("utf-8")
        for path in project_files()
        if name_of(path).startswith("serment/")
        and not name_of(path).startswith("serment/words/")
        and path.suffix in {".py", ".html", ".toml", ".csv", ".tsv", ".json"}
    ]
    written = set(re.findall(r"[a-z][a-z_]*\.[a-z0-9]+(?:[.-][a-z0-9]+)*", "\n".join(sources)))
    families = {f"{word}-" for word in written if word not in catalogue()}
    begun = (*beginnings(), *families)
    assert sorted(s for s in catalogue() if s not in written and not (begun and s.startswith(begun))) == []


def test_no_error_is_raised_with_a_text_of_its_own() -> None:
    """A message that is not of the catalogue has no French, and may carry a person's data."""
    own = [
        place(path, call)
        for path, _, call in spoken()
        if isinstance(call.args[0], ast.JoinedStr) and not begins_a_sentence(call.args[0])
    ]
    assert own == []


def begins_a_sentence(text: ast.JoinedStr) -> bool:
    start = literal(text.values[0]) or ""
    return any(sentence.startswith(start) for sentence in catalogue()) if BEGINNING.match(start) else False
