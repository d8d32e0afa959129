"""The policy's tables: what ships, what is refused, which cell judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.access.policy import CONTENT_FREE, GRID, MATRIX, Policy, shipped_policy, shipped_tables
from serment.access.record_facts import CARE_TEAM, TeamFact
from serment.access.tables import LOOKING, PROTECTED, WRITING, rows
from serment.errors import SettingsError
from serment.model import Act, Category, Function, Instant, ItemClass, Purpose, Regime
from tests.rules.cast import DAY, HOUR, NOW
from tests.vectors import MISSING, REFERENCE

POLICY = shipped_policy()


def unit(category: Category, document_type: str = "Observation", *labels: str) -> ItemClass:
    return ItemClass(category, document_type, labels or ("N",))


def test_every_function_and_every_purpose_has_its_line() -> None:
    assert {str(function) for function in Function} == set(POLICY.functions)
    assert {str(purpose) for purpose in Purpose} == set(POLICY.purposes)


def test_every_category_of_the_grid_exists_and_every_cell_says_what_it_rests_on() -> None:
    assert {category for _, category in POLICY.grid} <= {str(category) for category in Category}
    assert all(cell.basis and cell.verified for cell in POLICY.grid.values())


def test_the_digest_changes_with_any_cell() -> None:
    texts = shipped_tables()
    texts[GRID] += "dentist,60,file,,test,no\n"
    assert Policy.from_tables(texts).digest != POLICY.digest
    assert Policy.from_tables(shipped_tables()).digest == POLICY.digest


@pytest.mark.parametrize(
    "missing", sorted(shipped_tables().keys() - {"categories.csv", "sensitive.csv", "professions.csv"})
)
def test_a_policy_without_one_of_its_tables_is_refused(missing: str) -> None:
    texts = shipped_tables()
    del texts[missing]
    with pytest.raises(SettingsError):
        Policy.from_tables(texts)


@pytest.mark.parametrize(
    "line",
    [
        "dentist,60,devour,,test,no",
        "dentist,60,read,SOMETHING,test,no",
        "dentist,60,read",
        "dentist,nowhere,read,,t,no",
    ],
)
def test_a_malformed_cell_refuses_the_whole_policy(line: str) -> None:
    texts = shipped_tables()
    texts[GRID] += line + "\n"
    with pytest.raises(SettingsError):
        Policy.from_tables(texts)


@pytest.mark.parametrize("row", CONTENT_FREE)
def test_a_grid_that_opens_content_to_who_cares_for_nobody_is_refused(row: str) -> None:
    texts = shipped_tables()
    texts[GRID] += f"{row},labs,list,,test,no\n"
    with pytest.raises(SettingsError):
        Policy.from_tables(texts)


def test_an_empty_partial_cell_refuses() -> None:
    cells = [row for row in rows(shipped_tables()[MATRIX]) if row["read"] == "partial"]
    empty = [row for row in cells if not row["excluded_types"]]
    assert len(empty) > 20
    for row in empty:
        assert not POLICY.matrix[row["profession_code"], row["category_code"]].acts & LOOKING


def test_as_another_profession_reads_that_professions_cell() -> None:
    assert POLICY.matrix["ACT_TRAVAIL", "95"].excluded == POLICY.matrix["10", "95"].excluded
    assert POLICY.matrix["ACT_TRAVAIL", "10"].acts == LOOKING | WRITING


def test_never_and_as_profession_open_nothing_by_themselves() -> None:
    assert not POLICY.matrix["ACT_ASSUREUR", "10"].acts
    assert not POLICY.matrix["ACT_URGENCE", "10"].acts & LOOKING


@pytest.mark.parametrize("code", ["75496-0", "83981-1", "83901-9", "68599-0", "80788-3"])
def test_a_dentist_is_refused_the_types_that_the_order_names(code: str) -> None:
    dmp_class = Category(POLICY.types[code].dmp_class)
    assert not POLICY.shared_cell("40", unit(dmp_class, code))


def test_a_document_type_without_a_class_is_refused_in_shared() -> None:
    assert POLICY.class_of(unit(Category.REPORT, "PIECE-IDENTITE")) == ""
    assert not POLICY.shared_cell("10", unit(Category.REPORT, "PIECE-IDENTITE"))


@pytest.mark.parametrize("category", [Category.UNMAPPED, Category.CHOICES])
def test_unmapped_and_choices_have_no_dmp_class(category: Category) -> None:
    assert POLICY.class_of(unit(category)) == ""


def test_every_other_category_names_the_class_it_reads_as() -> None:
    named = set(Category) - {Category.UNMAPPED, Category.CHOICES, Category.DIRECTORY}
    assert all(POLICY.class_of(unit(category)) for category in named)


@pytest.mark.capability("2-06", "lets")
@pytest.mark.parametrize("category", [Category.LABS, Category.IMAGING, Category.TREATMENTS, Category.REPORT])
def test_results_images_and_medicines_have_a_cell_for_the_doctor(category: Category) -> None:
    assert Act.READ in POLICY.own_cell("treating-doctor", unit(category, "x", "N", "GDIS"))


@pytest.mark.capability("2-06", "refuses")
@pytest.mark.parametrize("label", sorted(PROTECTED))
@pytest.mark.parametrize("row", ["nurse", "secretary", "dentist", "physiotherapist"])
def test_genetics_and_the_like_are_not_opened_by_an_ordinary_cell(row: str, label: str) -> None:
    assert not POLICY.own_cell(row, unit(Category.LABS, "Observation", "N", label)) & LOOKING


def test_an_item_with_two_protected_labels_needs_a_cell_that_names_both() -> None:
    assert POLICY.own_cell("biologist", unit(Category.LABS, "x", "N", "GDIS", "HIV")) & LOOKING
    assert not POLICY.own_cell("biologist", unit(Category.LABS, "x", "N", "GDIS", "PSY")) & LOOKING


@pytest.mark.capability("4-01", "refuses")
def test_an_item_without_a_label_or_with_an_unknown_one_is_the_most_protected() -> None:
    assert not POLICY.own_cell("nurse", ItemClass(Category.LABS, "Observation")) & LOOKING
    assert not POLICY.own_cell("treating-doctor", unit(Category.LABS, "x", "N", "whatever")) & LOOKING


def test_a_label_never_stops_writing() -> None:
    assert Act.WRITE in POLICY.own_cell("associate", unit(Category.LABS, "x", "V", "GDIS"))


def test_a_secretary_reads_no_clinical_body() -> None:
    readable = {c for (row, c), cell in POLICY.grid.items() if row == "secretary" and Act.READ in cell.acts}
    assert readable == {"identity", "contact", "administrative", "directory"}


@pytest.mark.parametrize("kind", ["stay", "encounter", "appointment", "care-team", "declared", "on-call"])
def test_an_act_of_care_opens_nothing_before_it_begins(kind: str) -> None:
    later = TeamFact("rpps:x", kind, NOW + DAY)
    assert not POLICY.opens(later, Regime.OWN, NOW)


def test_an_appointment_opens_on_its_own_day() -> None:
    assert POLICY.opens(TeamFact("rpps:x", "appointment", NOW + 8 * HOUR), Regime.OWN, NOW)


def test_an_on_call_without_an_end_lasts_a_day() -> None:
    shift = TeamFact("rpps:x", "on-call", NOW - 25 * HOUR)
    assert not POLICY.opens(shift, Regime.OWN, NOW)
    assert POLICY.opens(shift, Regime.OWN, Instant(NOW - 2 * HOUR))
    assert not POLICY.opens(TeamFact("rpps:x", "on-call", NOW - 49 * HOUR, NOW + DAY), Regime.OWN, NOW)


def test_declared_and_registered_acts_count_in_own_only() -> None:
    for kind in ("declared", "registration"):
        fact = TeamFact("rpps:x", kind, NOW - HOUR)
        assert POLICY.opens(fact, Regime.OWN, NOW)
        assert not POLICY.opens(fact, Regime.SHARED, NOW)


KINDS = sorted(POLICY.windows)
INSTANTS = st.integers(NOW - 4000 * DAY, NOW + 30_000 * DAY)


def test_a_window_without_a_cap_refuses_the_whole_policy() -> None:
    texts = shipped_tables()
    texts["windows.csv"] = texts["windows.csv"].replace("stay,0,720,8760,8760,", "stay,0,720,8760,,")
    with pytest.raises(SettingsError) as refused:
        Policy.from_tables(texts)
    assert refused.value.sentence == "access.window-endless"


@given(
    st.sampled_from([kind for kind in KINDS if kind != CARE_TEAM]),
    INSTANTS,
    st.none() | INSTANTS,
    st.integers(NOW - 4000 * DAY, NOW),
    st.booleans(),
    st.integers(0, 40_000 * DAY),
)
def test_no_dated_act_opens_longer_than_its_cap_after_it_began_or_was_written(
    kind: str, start: int, end: int | None, said: int, provisional: bool, later: int
) -> None:
    fact = TeamFact("rpps:x", kind, start, end, said=said, provisional=provisional)
    cap = POLICY.windows[kind].cap
    assert cap is not None
    closed = Instant(max(start, said) + cap + later)
    assert not POLICY.opens(fact, Regime.OWN, closed)
    assert POLICY.over(fact, closed)


@given(st.sampled_from(KINDS), INSTANTS, st.none() | INSTANTS, INSTANTS, INSTANTS)
def test_an_act_that_is_over_never_opens_again(
    kind: str, start: int, end: int | None, said: int, now: int
) -> None:
    fact = TeamFact("rpps:x", kind, start, end, said=said)
    if POLICY.over(fact, Instant(now)):
        assert not POLICY.opens(fact, Regime.OWN, Instant(now))


@given(st.sampled_from(KINDS), INSTANTS, st.none() | INSTANTS, INSTANTS)
def test_a_provisional_act_never_opens_more_than_the_act_itself(
    kind: str, start: int, end: int | None, now: int
) -> None:
    fact = TeamFact("rpps:x", kind, start, end)
    provisional = TeamFact("rpps:x", kind, start, end, provisional=True)
    if POLICY.opens(provisional, Regime.OWN, Instant(now)):
        assert POLICY.opens(fact, Regime.OWN, Instant(now))


@pytest.mark.skipif(not REFERENCE.exists(), reason=MISSING)
@pytest.mark.parametrize(
    ("shipped", "reference"),
    [
        (MATRIX, "dmp_matrix.csv"),
        ("professions.csv", "professions.csv"),
        ("document-types.csv", "document_types.csv"),
    ],
)
def test_the_national_tables_are_those_of_the_reference(shipped: str, reference: str) -> None:
    assert shipped_tables()[shipped] == (REFERENCE / reference).read_text("utf-8")
