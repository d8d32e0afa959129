"""What a preview of a table says: who gains, who loses, on what, under which labels; and what it refuses."""

from __future__ import annotations

import pytest

from serment.access.policy import GRID, MATRIX, shipped_policy, shipped_tables
from serment.access.preview import EVERY_LABEL, ORDINARY, Change, Preview, held, preview, table_of
from serment.access.prove import NOBODY
from serment.errors import RefusedError, RequestError
from serment.model import Act, Category, Regime

TEXTS = shipped_tables()
LOOKING = (Act.LIST, Act.READ, Act.PRINT)


def with_row(line: str, table: str = GRID) -> str:
    return f"{TEXTS[table].rstrip()}\n{line}\n"


def without(start: str, table: str = GRID) -> str:
    return "\n".join(line for line in TEXTS[table].splitlines() if not line.startswith(start)) + "\n"


@pytest.mark.parametrize("table", [GRID, MATRIX, "shared-labels.csv", "shared-reading.csv"])
def test_the_table_in_force_changes_nothing(table: str) -> None:
    same = preview(TEXTS, TEXTS[table])
    assert (same.table, same.opened, same.closed, same.broken) == (table, (), (), ())
    assert same.digest == same.before == shipped_policy().digest


@pytest.mark.capability("1-27", "lets")
def test_a_cell_that_opens_is_told_with_whom_it_opens_it_to() -> None:
    found = preview(TEXTS, with_row("secretary,notes,read,,our own choice,no"))
    assert found.opened == (Change(Regime.OWN, "secretary", "notes", (Act.READ,), (ORDINARY,)),)
    assert found.closed == ()
    assert found.acceptable


def test_a_cell_that_closes_is_told() -> None:
    found = preview(TEXTS, without("nurse,vitals,"))
    assert found.opened == ()
    assert {(one.row, one.column) for one in found.closed} == {("nurse", Category.VITALS)}


def test_writing_that_opens_is_told_for_every_item_since_no_label_takes_it_away() -> None:
    [change] = preview(TEXTS, with_row("secretary,notes,write,,our own choice,no")).opened
    assert change.every
    assert change.labels == EVERY_LABEL


def test_a_label_that_a_cell_names_from_now_on_opens_those_items_only() -> None:
    line = next(one for one in TEXTS[GRID].splitlines() if one.startswith("physiotherapist,10,"))
    named = line.split(",")
    named[3] = f"{named[3]} PSY".strip()
    changed = TEXTS[GRID].replace(line, ",".join(named))
    found = preview(TEXTS, changed)
    assert {(one.row, one.column, one.labels) for one in found.opened} == {
        ("physiotherapist", "10", ("PSY",))
    }
    assert found.closed == ()


def test_a_class_that_opens_whole_is_said_once_and_not_type_by_type() -> None:
    line = next(one for one in TEXTS[MATRIX].splitlines() if one.startswith("26,") and ",none," in one)
    code = line.split(",")[2]
    found = preview(TEXTS, TEXTS[MATRIX].replace(line, line.replace(",none,", ",all,", 1)))
    assert code in {one.column for one in found.opened if one.row == "26" and Act.READ in one.acts}
    assert len(found.opened) < 5


def test_what_a_table_changes_through_another_one_is_seen() -> None:
    labels = TEXTS["shared-labels.csv"].replace("21,HIV PSY ETH,", "21,HIV PSY ETH SEX,")
    found = preview(TEXTS, labels)
    assert {one.row for one in found.opened} == {"21"}
    assert {one.labels for one in found.opened} == {("SEX",)}


def test_who_would_read_everything_breaks_the_theorem_that_nobody_does() -> None:
    rows = "".join(f"biologist,{one},list read,,test,no\n" for one in Category)
    found = preview(TEXTS, f"{TEXTS[GRID].rstrip()}\n{rows}")
    assert not found.acceptable
    assert [one.theorem for one in found.broken] == [NOBODY]


@pytest.mark.parametrize("row", ["security-officer", "dpo", "operator", "researcher"])
def test_care_content_for_who_cares_for_nobody_is_refused_before_any_comparison(row: str) -> None:
    with pytest.raises(RequestError) as refused:
        preview(TEXTS, with_row(f"{row},notes,read,,test,no"))
    assert refused.value.sentence == "access.grid-opens-content"


@pytest.mark.parametrize(
    "text",
    ["", "a,b,c\n1,2,3\n", "\x00", "# only a comment\n", TEXTS["windows.csv"], "x" * 1_000_001],
    ids=["nothing", "another header", "a zero", "a comment", "a table of another kind", "too long"],
)
def test_what_is_none_of_the_compared_tables_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        table_of(TEXTS, text)
    assert refused.value.sentence == "access.preview-unknown"


@pytest.mark.parametrize(
    "line", ["secretary,notes", "secretary,notes,fly,,x,no", "secretary,notes,read,XYZ,x,no", 'a,"b,c,d\n']
)
def test_a_line_that_is_no_line_of_the_table_is_refused(line: str) -> None:
    with pytest.raises(RequestError):
        preview(TEXTS, with_row(line))


AGREED = with_row("secretary,notes,list,,our own choice,no")


@pytest.mark.capability("1-27", "lets")
def test_the_file_that_was_previewed_is_held() -> None:
    before = preview(TEXTS, AGREED)
    assert held(TEXTS, AGREED, before.digest) == before


@pytest.mark.capability("1-27", "refuses")
@pytest.mark.parametrize(
    "other",
    [AGREED.replace("notes,list,", "notes,list read,"), AGREED + "secretary,labs,read,,slipped in,no\n"],
    ids=["another act", "another line"],
)
def test_a_file_that_opens_more_than_was_previewed_is_refused(other: str) -> None:
    with pytest.raises(RefusedError) as refused:
        held(TEXTS, other, preview(TEXTS, AGREED).digest)
    assert refused.value.sentence == "access.preview-other"


@pytest.mark.capability("1-27", "refuses")
def test_the_same_file_over_other_tables_is_refused() -> None:
    agreed = preview(TEXTS, AGREED).digest
    changed = {
        **TEXTS,
        "shared-labels.csv": TEXTS["shared-labels.csv"].replace("93,PSY SDV,", "93,PSY SDV SEX,"),
    }
    with pytest.raises(RefusedError):
        held(changed, AGREED, agreed)


def test_a_policy_that_breaks_a_theorem_is_refused_even_as_it_was_previewed() -> None:
    rows = "".join(f"biologist,{one},list read,,test,no\n" for one in Category)
    text = f"{TEXTS[GRID].rstrip()}\n{rows}"
    with pytest.raises(RefusedError) as refused:
        held(TEXTS, text, preview(TEXTS, text).digest)
    assert refused.value.sentence == "access.preview-unproved"


def test_opening_and_closing_are_each_others_mirror() -> None:
    there: Preview = preview(TEXTS, AGREED)
    back = preview({**TEXTS, GRID: AGREED}, TEXTS[GRID])
    assert (there.opened, there.closed) == (back.closed, back.opened)
