"""The one cell that judges a case: its row is chosen from the facts first.

The row of the patient's side, else that of the open emergency door, else the function (`own`) or the
profession (`shared`). The patient's choices, the directory and what an heir may read are in Serment's own
grid in both regimes. Nothing here decides.
"""

from __future__ import annotations

from typing import Final

from serment.access.case import Case, Relations
from serment.access.patient_side import heir_ground
from serment.access.tables import NOTHING, WRITING
from serment.model import Act, ActorKind, Category, Function, Regime


def cell_for(case: Case, relations: Relations) -> frozenset[Act]:
    """Give the acts of the cell that judges this case; nothing when the regime is unknown."""
    if case.regime is None:
        return NOTHING
    if relations.heir and not relations.representative:
        return case.policy.own_cell(f"heir-{heir_ground(case.reasons)}", case.unit)
    row = _special_row(relations)
    if case.unit.category is Category.CHOICES:
        return _choices_cell(case, row)
    if case.regime is Regime.OWN:
        by_function = "service" if case.actor.kind is ActorKind.SERVICE else case.actor.function
        cell = case.policy.own_cell(row or by_function, case.unit)
    else:
        cell = _shared_cell(case, relations, row)
    return cell if _may_change(case, relations) else cell - WRITING


def _may_change(case: Case, relations: Relations) -> bool:
    """Tell whether what is written may be somebody else's item (ADR 0008).

    In `shared` only the author changes or deletes (EEDS td3.3c). In `own` a function's cell says, but the
    patient's side changes its own deposits and its contact half, never what a professional wrote.
    """
    if not case.writing or case.existing is False or case.mine:
        return True
    if relations.holder or relations.representative or relations.carer:
        return case.unit.category is Category.CONTACT
    return case.regime is Regime.OWN


def _choices_cell(case: Case, row: str) -> frozenset[Act]:
    """Read the grid in both regimes; a professional adds the patient's words and never changes them."""
    if row in {"holder", "representative"}:
        return case.policy.own_cell(row, case.unit)
    cell = case.policy.own_cell(case.actor.function, case.unit)
    adding = case.existing is False or (case.existing is None and case.mine)
    return cell if adding else cell - WRITING


def _special_row(relations: Relations) -> str:
    """Name the row that a relation or an open door chooses, "" for that of the function."""
    for name in ("holder", "representative", "carer", "regulation", "emergency"):
        if getattr(relations, name):
            return name
    return ""


_SHARED_ROWS: Final = {
    "holder": "ACT_PATIENT",
    "representative": "ACT_REPLEGAL",
    "regulation": "ACT_SAMU",
}


def _shared_cell(case: Case, relations: Relations, row: str) -> frozenset[Act]:
    if row == "carer":
        return NOTHING
    if row in {"holder", "representative"}:
        cell = case.policy.shared_cell(_SHARED_ROWS[row], case.unit)
        return cell if case.policy.patient_may_deposit(case.unit) else cell - WRITING
    if row == "regulation":
        return case.policy.shared_cell("ACT_SAMU", case.unit)
    if relations.attending:
        return case.policy.shared_cell("ACT_MT", case.unit)
    if case.actor.function is Function.OCCUPATIONAL_PHYSICIAN:
        return case.policy.shared_cell("ACT_TRAVAIL", case.unit)
    # The emergency row is "as the profession": the same row, in a special mode.
    return case.policy.shared_cell(case.actor.profession, case.unit)


def directory_cell(case: Case) -> frozenset[Act]:
    """Give what anybody signed in may do in the directory; writing is for those of the structure."""
    row = {ActorKind.PATIENT: "holder", ActorKind.PROXY: "representative", ActorKind.SERVICE: "service"}
    cell = case.policy.own_cell(row.get(case.actor.kind, case.actor.function), case.unit)
    local = not case.facts.structure or case.at_home
    return cell if local else cell - WRITING
