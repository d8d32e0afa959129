"""`serment access`: why something is refused, the proof that nobody sees all, the tables in words.

`preview` compares a file with the table in force; nothing is applied by it.
"""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from serment.cli import opening
from serment.cli.options import Directory, Json, PassphraseFile, argument, chosen, group, option
from serment.cli.output import Output
from serment.cli.speech import told
from serment.errors import RefusedError, RequestError

if TYPE_CHECKING:
    from serment.access.preview import Change
    from serment.model import Category
    from serment.record.care.explaining import Explanation

UNPROVED = 1


def add(app: typer.Typer) -> None:
    """Add the group."""
    commands = group(told("cli.help-access"))
    commands.command("explain", help=told("cli.help-access-explain"))(explain)
    commands.command("prove", help=told("cli.help-access-prove"))(prove)
    commands.command("grid", help=told("cli.help-access-grid"))(grid)
    commands.command("matrix", help=told("cli.help-access-matrix"))(matrix)
    commands.command("preview", help=told("cli.help-access-preview"))(preview)
    app.add_typer(commands, name="access")


def explain(
    item: Annotated[str, argument("cli.argument-item", "cli.value-item")],
    as_: Annotated[str, option("cli.option-as", "cli.value-person", "--as")],
    act: Annotated[str, option("cli.option-act", "cli.value-act")] = "read",
    purpose: Annotated[str | None, option("cli.option-purpose", "cli.value-purpose")] = None,
    reason: Annotated[str | None, option("cli.option-reason", "cli.value-reason")] = None,
    directory: Directory = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Ask the decision as somebody of the demonstration, and tell what that person may be told."""
    import asyncio

    from serment.cli import actors
    from serment.model import Act
    from serment.record.care.explaining import Explaining

    if act not in set(Act):
        raise RequestError("cli.unknown-act", acts=", ".join(Act))
    out, settings = Output(json), chosen(directory)
    with opening.house(settings, passphrase_file, demo_only="cli.explain-on-demo") as house:
        asking = actors.asking(house, as_, purpose, reason)
        told_ = asyncio.run(Explaining(house.passage).explain(asking, item, Act(act)))
    _tell(out, told_)


def _tell(out: Output, answer: Explanation) -> None:
    """Say the answer. What the asker may not know is not there to be said."""
    out.say(answer.asker)
    if answer.rule:
        out.say("cli.explain-rule", rule=answer.rule)
    if answer.missing:
        out.say("cli.explain-missing", missing=answer.missing)
    if answer.lifted_by:
        out.say("cli.explain-lifted-by", who=", ".join(answer.lifted_by))
    for way in answer.offered:
        out.line(f"  {told(f'cli.way-{way}')}")
    out.result(
        permitted=answer.permitted,
        told=told(answer.asker),
        rule=answer.rule or None,
        missing=answer.missing or None,
        lifted_by=answer.lifted_by,
        offered=answer.offered,
    )


def prove(json: Json = False) -> None:
    """Try every abstract case of both regimes and every row of the tables."""
    from serment.access.policy import shipped_policy
    from serment.access.prove import prove as proof
    from serment.access.prove import together
    from serment.access.prove_people import prove_people

    out, policy = Output(json), shipped_policy()
    start = monotonic()
    report = together(proof(policy), prove_people(policy))
    seconds = round(monotonic() - start, 1)
    out.say("cli.prove-tried", cases=f"{report.cases:,}".replace(",", " "), seconds=seconds)
    for theorem in report.theorems:
        broken = [found for found in report.counter_examples if found.theorem == theorem]
        out.line(f"  {'✗' if broken else '✓'} {told(theorem)}")
        for found in broken:
            out.line(f"      {found.case} -> {found.answer}")
    out.say("cli.prove-holds" if report.proved else "cli.prove-broken", count=len(report.counter_examples))
    out.result(
        proved=report.proved,
        cases=report.cases,
        theorems=[{"theorem": theorem, "sentence": told(theorem)} for theorem in report.theorems],
        counter_examples=[
            {"theorem": found.theorem, "case": found.case, "answer": found.answer}
            for found in report.counter_examples
        ],
        policy={"date": policy.date, "digest": policy.digest},
        seconds=seconds,
    )
    if not report.proved:
        raise typer.Exit(UNPROVED)


def grid(
    function: Annotated[str, argument("cli.argument-function", "cli.value-function")],
    json: Json = False,
) -> None:
    """Show one row of the grid of `own`: what a function may do with each category."""
    from serment.access.policy import shipped_policy
    from serment.model import Act, Category

    out, policy = Output(json), shipped_policy()
    names = sorted({name for name, _ in policy.grid})
    if function not in names:
        raise RequestError("cli.unknown-function", functions=", ".join(names))
    rows = []
    for category in Category:
        cell = policy.grid.get((function, category))
        if cell is not None:
            acts = [act.value for act in Act if act in cell.acts]
            rows.append((_named(category), acts, sorted(cell.labels), cell.verified))
    titles = ("cli.title-category", "cli.title-acts", "cli.title-labels", "cli.title-verified")
    out.say("cli.grid-default", function=function, date=policy.date)
    out.table(
        [told(title) for title in titles],
        [(name, " ".join(acts) or "-", " ".join(labels), verified) for name, acts, labels, verified in rows],
    )
    cells = [
        {"category": name, "acts": acts, "labels": labels, "verified": verified}
        for name, acts, labels, verified in rows
    ]
    out.result(function=function, date=policy.date, cells=cells)


def _named(category: Category) -> str:
    """Name a category: a DMP class is a number, and says nothing alone."""
    return f"{category.value} {category.name.lower()}" if category.value.isdigit() else category.value


def matrix(
    profession: Annotated[str, argument("cli.argument-profession", "cli.value-profession")],
    json: Json = False,
) -> None:
    """Show one row of the matrix of `shared`, with what each cell rests on."""
    from serment.access.policy import MATRIX, shipped_policy, shipped_tables
    from serment.access.tables import rows

    out = Output(json)
    table = list(rows(shipped_tables()[MATRIX]))
    mine = [row for row in table if row["profession_code"] == profession]
    if not mine:
        known = dict.fromkeys(row["profession_code"] for row in table)
        raise RequestError("cli.unknown-profession", professions=", ".join(known))
    titles = (
        "cli.title-class",
        "cli.title-read",
        "cli.title-write",
        "cli.title-excluded",
        "cli.title-verified",
    )
    out.say("cli.matrix-caveat", profession=mine[0]["profession"], date=shipped_policy().date)
    out.table(
        [told(title) for title in titles],
        [
            (
                f"{row['category_code']} {row['category']}",
                row["read"],
                row["write"],
                row["excluded_types"] or "-",
                row["verified"],
            )
            for row in mine
        ],
    )
    wanted = ("category_code", "category", "read", "write", "excluded_types", "verified")
    out.result(profession=profession, cells=[{name: row[name] for name in wanted} for row in mine])


def preview(
    file: Annotated[Path, argument("cli.argument-table", "cli.value-file")],
    agreed: Annotated[str | None, option("cli.option-agreed", "cli.value-digest", "--agreed")] = None,
    json: Json = False,
) -> None:
    """Say which cells a grid or matrix would open and close. Raises `RefusedError` where it may not apply."""
    from serment.access import preview as previewing
    from serment.access.policy import shipped_tables

    out, texts, text = Output(json), shipped_tables(), _table(file)
    found = previewing.held(texts, text, agreed) if agreed else previewing.preview(texts, text)
    titles = ("effect", "regime", "row", "column", "acts", "labels")
    rows = [_change("opens", one) for one in found.opened] + [_change("closes", one) for one in found.closed]
    out.say("cli.preview-of", table=found.table, opened=len(found.opened), closed=len(found.closed))
    out.table([told(f"cli.title-{title}") for title in titles], rows)
    for one in found.broken:
        out.line(f"✗ {told(one.theorem)}: {one.case}")
    out.say("cli.preview-digest", digest=found.digest)
    out.result(
        table=found.table,
        before=found.before,
        digest=found.digest,
        acceptable=found.acceptable,
        opened=[_object(one) for one in found.opened],
        closed=[_object(one) for one in found.closed],
        broken=[{"theorem": one.theorem, "case": one.case} for one in found.broken],
    )
    if not found.acceptable:
        raise RefusedError("access.preview-unproved")


def _table(file: Path) -> str:
    """Read a table that somebody wrote. Raises `RequestError`."""
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise RequestError("cli.not-a-table", why=error.strerror or "") from None
    except UnicodeDecodeError:
        raise RequestError("cli.not-a-table", why="UTF-8") from None


def _change(effect: str, one: Change) -> tuple[str, ...]:
    labels = told("cli.preview-every") if one.every else " ".join(name or "-" for name in one.labels)
    return told(f"cli.preview-{effect}"), one.regime, one.row, one.column, " ".join(one.acts), labels


def _object(one: Change) -> dict[str, object]:
    return {
        "regime": one.regime,
        "row": one.row,
        "column": one.column,
        "acts": one.acts,
        "labels": one.labels,
    }
