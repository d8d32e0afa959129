"""Who may see what, one row at a time, and what another table would change. Nothing is applied here.

What is shown is the policy that comes with the software, the one that every decision reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.access import preview
from serment.access.policy import MATRIX, Policy, shipped_policy, shipped_tables
from serment.access.prove import ProofReport, prove_tables
from serment.access.tables import Cell, rows
from serment.errors import NotFoundError, RefusedError, RequestError
from serment.model import Act, Category, Regime
from serment.web.forms import Form, Upload, upload_of
from serment.web.officer.office import around, officer_here
from serment.web.shell import HEADERS, page
from serment.web.written import number
from serment.words import Language, catalogue, say

MOST_TABLE: Final = 2 * 1024 * 1024
FIRST: Final = "own.treating-doctor"


async def policy(request: Request) -> Response:
    """Show one row of the grid or of the matrix; the choice of a row names nobody."""
    house, asking = officer_here(request)
    language, made = asking.language, shipped_policy()
    chosen = request.query_params.get("row", FIRST)
    regime, _, row = chosen.partition(".")
    proof = await run_in_threadpool(_proof)
    return page(
        request,
        "officer/policy.html",
        chosen=chosen,
        functions=_options(made, Regime.OWN, language),
        professions=_options(made, Regime.SHARED, language),
        regime=regime,
        name=row_said(row, language),
        cells=_cells(made, regime, row, language),
        date=made.date,
        digest=made.digest,
        proof={
            "cases": number(proof.cases, language),
            "broken": number(len(proof.counter_examples), language),
        },
        **around(request, house, asking),
    )


async def table(request: Request) -> Response:
    """Give a table in force, to start another one from."""
    officer_here(request)
    name = request.path_params["name"]
    if name not in preview.TABLES:
        raise NotFoundError("api.unknown-route")
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(shipped_tables()[name], media_type="text/csv; charset=utf-8", headers=headers)


async def previewing(request: Request) -> Response:
    """Say what a table would change, before it applies. Raises `MalformedError`, `TooLargeError`."""
    house, asking = officer_here(request)
    form, files = Form({}), list[Upload]()
    found, error = None, ""
    if request.method == "POST":
        form, files = await upload_of(request, house, most=MOST_TABLE)
        try:
            found = await run_in_threadpool(_previewed, form, files)
        except (RequestError, RefusedError) as refused:
            error = refused.said(asking.language)
    return page(
        request,
        "officer/preview.html",
        422 if error else 200,
        tables=preview.TABLES,
        typed={name: form.get(name, "") for name in ("table", "agreed")},
        error=error,
        found=None if found is None else preview_said(found, asking.language),
        held=bool(found is not None and form.get("agreed", "").strip()),
        **around(request, house, asking),
    )


def _previewed(form: Form, files: list[Upload]) -> preview.Preview:
    """Preview what came, a file before what was pasted. Raises `RequestError`, `RefusedError`."""
    text, texts = form.get("table", ""), shipped_tables()
    if files:
        try:
            text = files[0].content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RequestError("access.preview-malformed") from None
    if not text.strip():
        raise RequestError("officer.preview-nothing-given")
    agreed = form.get("agreed", "").strip()
    return preview.held(texts, text, agreed) if agreed else preview.preview(texts, text)


def preview_said(found: preview.Preview, language: Language) -> dict[str, Any]:
    """Say a preview in words."""
    broken = [
        say("officer.preview-broken", language, theorem=say(one.theorem, language), case=one.case)
        for one in found.broken
    ]
    return {
        "table": found.table,
        "digest": found.digest,
        "opened": [_change(one, language) for one in found.opened],
        "closed": [_change(one, language) for one in found.closed],
        "broken": broken,
    }


def row_said(row: str, language: Language) -> str:
    """Name a row of the grid or of the matrix; professions have their official name, in French."""
    for sentence in (f"ledger.function-{row}", f"officer.row-{row}"):
        if sentence in catalogue():
            return say(sentence, language)
    return _professions().get(row, row)


@cache
def _proof() -> ProofReport:
    return prove_tables(shipped_policy())


@cache
def _professions() -> dict[str, str]:
    return {row["profession_code"]: row["profession"] for row in rows(shipped_tables()[MATRIX])}


def _options(made: Policy, regime: Regime, language: Language) -> list[tuple[str, str]]:
    cells = made.grid if regime is Regime.OWN else made.matrix
    names = {row: row_said(row, language) for row, _ in cells}
    return [(f"{regime.value}.{row}", said) for row, said in sorted(names.items(), key=lambda one: one[1])]


def _cells(made: Policy, regime: str, row: str, language: Language) -> list[dict[str, str]]:
    """Say the cells of one row. Raises `NotFoundError` for a row that no table has."""
    cells = made.grid if regime == Regime.OWN else made.matrix
    if all(name != row for name, _ in cells):
        raise NotFoundError("api.unknown-route")
    found = ((category, cells.get((row, category))) for category in Category)
    return [_cell(category, cell, language) for category, cell in found if cell is not None]


def _cell(category: Category, cell: Cell, language: Language) -> dict[str, str]:
    return {
        "category": _column(category.value, language),
        "acts": acts_said(cell.acts, language) or say("officer.policy-nothing", language),
        "labels": ", ".join(
            say(f"officer.label-{label or 'ordinary'}", language) for label in sorted(cell.labels)
        ),
        "excluded": " ".join(sorted(cell.excluded)),
        "verified": say(f"officer.verified-{cell.verified.partition(' ')[0]}", language),
    }


def acts_said(acts: Iterable[Act], language: Language) -> str:
    """Name acts, in the order of the model."""
    wanted = set(acts)
    return ", ".join(say(f"officer.act-{act.value}", language) for act in Act if act in wanted)


def _change(one: preview.Change, language: Language) -> dict[str, str]:
    labels = ", ".join(say(f"officer.label-{label or 'ordinary'}", language) for label in one.labels)
    return {
        "who": row_said(one.row, language),
        "regime": say(f"officer.regime-{one.regime.value}", language),
        "what": _column(one.column, language),
        "acts": acts_said(one.acts, language),
        "items": say("officer.label-every", language) if one.every else labels,
    }


def _column(column: str, language: Language) -> str:
    """Name a category, a DMP class or a document type; a type has its official name, in French."""
    if column == Category.CHOICES:
        return say("officer.category-choices", language)
    if column in Category.__members__.values():
        return say(f"access.category.{column}", language)
    known = shipped_policy().types.get(column)
    return known.label if known is not None else column
