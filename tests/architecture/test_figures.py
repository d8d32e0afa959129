"""What `make bench` and `make flames` keep is what the pages show: bars, figures, pictures."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict
from time import process_time

import pytest

from benchmarks import Row
from benchmarks.bars import BARS, Bar, held
from benchmarks.client import Mix, value_of
from benchmarks.meter import cpu_seconds, memory
from benchmarks.run import against
from benchmarks.sampling import Sampler, pruned
from tools.render_figures import BEGIN, END, block, page, readme
from tools.render_flames import boxes, picture, room, shares, table, tree

FASTER = Bar("reads", "reads", 2_000, "/s", holds="one lock")
SHORTER = Bar("p99", "reads: p99", 60, "ms", most=True)
LOAD = [
    Row("reads", 1_000, "/s", 3, "trace durable"),
    Row("reads: p50", 14.2, "ms", 3),
    Row("reads: p99", 30, "ms", 3),
    Row("reads: processor", 801, "µs each", 3, "besides: client 31 µs"),
    Row("reads: memory", 46.9, "MB", 1, "of the server's processes (PSS)"),
]
RESULTS = {
    "date": "2026-01-02T03:04:05Z",
    "machine": {
        "cpu": "Xeon",
        "cores": 2,
        "memory_mb": 24_105,
        "system": "Linux",
        "python": "3.11",
        "load": 0.1,
    },
    "rows": [asdict(row) for row in [*LOAD, Row("decision", 4.25, "µs", 7, "a permit")]],
}


def test_a_bar_is_met_from_its_own_side() -> None:
    assert (FASTER.met(2_000), FASTER.met(1_999), SHORTER.met(60), SHORTER.met(61)) == (
        True,
        False,
        True,
        False,
    )


def test_a_ratio_above_one_is_better_than_the_bar() -> None:
    assert (FASTER.ratio(1_000), SHORTER.ratio(30)) == (0.5, 2.0)


def test_a_missed_bar_says_what_holds_it_and_an_absent_one_that_nothing_was_measured() -> None:
    found = held(LOAD, [FASTER, SHORTER, Bar("writes", "writes", 1, "/s")])
    assert [one.verdict for one in found] == ["missed: one lock", "met", "not measured"]


def test_a_bar_may_be_on_the_ratio_of_two_figures() -> None:
    flat = Bar("flat", "p99", 3, "x", most=True, over="p50")
    rows = [Row("p50", 10, "ms", 1), Row("p99", 25, "ms", 1)]
    assert [one.value for one in held(rows, [flat])] == [2.5]
    assert [one.value for one in held(rows[1:], [flat])] == [None]


def test_each_bar_has_a_figure_of_its_own() -> None:
    assert [name for name, times in Counter(bar.figure for bar in BARS).items() if times > 1] == []


def test_bars_that_were_measured_are_printed_with_the_figures() -> None:
    assert against(held(LOAD, [FASTER, Bar("writes", "writes", 1, "/s")])) == (
        "1,000 /s of 2,000 (x 0.50)  reads: missed: one lock"
    )


def test_a_load_stands_on_one_line_of_the_page() -> None:
    text = page(RESULTS)
    assert "| reads | 1,000 | 14.2 | 30 | 801 | 46.9 | client 31 µs |" in text
    assert "| decision | 4.25 | µs | 7 | a permit |" in text
    assert text.count("reads: p99") == 0


def test_the_long_run_names_its_own_machine() -> None:
    long = RESULTS | {"date": "2026-02-03T03:04:05Z"}
    text = page(RESULTS, long)
    assert (
        text.index("Measured 2026-01-02") < text.index("## The long run") < text.index("Measured 2026-02-03")
    )


def test_the_readme_carries_the_figures_between_its_marks() -> None:
    text = readme(f"before\n{BEGIN}\nold\n{END}\nafter", RESULTS)
    assert text == f"before\n{block(RESULTS)}\nafter"


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for its figures"):
        readme("nothing here", RESULTS)


COLLAPSED = (
    "<frozen runpy>: main;serving serve;api/fhir read;record/reading Reading.read 600000\n"
    "<frozen runpy>: main;serving serve;api/fhir read 200000\n"
    "threading: Thread.run;store/writer Writer._serve 199900\n"
    "threading: Thread.run;store/writer Writer._serve;store/rare rare 100\n"
)


def test_a_function_is_charged_with_what_it_called() -> None:
    whole = tree(COLLAPSED)
    serve = whole.called["serving serve"]
    assert (whole.spent, serve.spent, serve.called["api/fhir read"].spent) == (1_000_000, 800_000, 800_000)
    assert sorted(whole.called) == ["serving serve", "store/writer Writer._serve"]


def test_boxes_stand_beside_each_other_below_their_caller_and_the_narrowest_is_left_out() -> None:
    laid = [(box.call.name, box.left, box.width, box.depth) for box in boxes(tree(COLLAPSED), 0.001)]
    assert laid == [
        ("all", 0, 1_000, 0),
        ("serving serve", 0, 800, 1),
        ("api/fhir read", 0, 800, 2),
        ("record/reading Reading.read", 0, 600, 3),
        ("store/writer Writer._serve", 800, 200, 1),
    ]


def test_the_same_samples_give_the_same_picture_whatever_their_order() -> None:
    turned = "\n".join(reversed(COLLAPSED.splitlines()))
    assert picture("One read", COLLAPSED) == picture("One read", turned)


def test_a_name_cannot_leave_its_text() -> None:
    drawn = picture("One", 'serving <b>&"serve" 10\n')
    assert "<b>" not in drawn
    assert "serving &lt;b&gt;&amp;" in drawn


def test_the_room_of_a_function_is_its_first_folder_and_others_have_none() -> None:
    names = ["record/gate View.decide", "serving serve", "asyncio: run", "<frozen runpy>: main", "all"]
    assert [room(name) for name in names] == ["record", "serving", "", "", ""]


def test_what_others_took_counts_for_the_room_that_called_them() -> None:
    assert shares(
        "serving serve;asyncio: run;api/fhir read;starlette: app 30\nserving serve;uvicorn: run 10\n"
    ) == {
        "api": 0.75,
        "serving": 0.25,
    }


def test_the_table_of_rooms_has_a_column_for_each_path() -> None:
    text = table({"read": "record/a A.b 90\nkeys/c C.d 10\n", "write": "record/a A.b 10\n"})
    assert "| | read by id | write of one resource |" in text
    assert "| `keys` | 10% | 0% |\n| `record` | 90% | 100% |" in text


def test_nothing_sampled_is_no_picture() -> None:
    with pytest.raises(ValueError, match="nothing was sampled"):
        picture("One read", "")


def test_what_is_rare_counts_for_its_caller() -> None:
    stacks = Counter({("a", "b", "c"): 1, ("a", "b", "d"): 50, ("a", "e", "f"): 1, ("g", "h"): 1})
    assert pruned(stacks, 10) == Counter({("a", "b"): 1, ("a", "b", "d"): 50, ("a",): 1, ("g",): 1})


def burnt() -> int:
    return sum(number * number for number in range(20_000))


def test_the_sampler_charges_the_function_that_spent() -> None:
    sampler, until = Sampler(), process_time() + 20
    sampler.start()
    try:
        while "burnt" not in sampler.collapsed() and process_time() < until:
            burnt()
    finally:
        sampler.stop()
    assert any(
        "burnt" in line and int(line.rpartition(" ")[2]) > 0 for line in sampler.collapsed().splitlines()
    )


def test_a_process_has_memory_and_processor_time_and_none_has_none() -> None:
    assert memory(os.getpid()) > 1
    assert cpu_seconds(os.getpid()) > 0
    assert cpu_seconds(0) == 0


PLAN = {
    "headers": {},
    "clients": 1,
    "template": '{"subject":"@patient","value":@value}',
    "own": [["Observation/1", 1, "p"]],
}


def test_the_client_updates_the_version_that_it_learnt() -> None:
    mix = Mix(PLAN | {"mix": {"update": 1}}, 0, iter(()))
    kind, sent = mix.ask()
    assert (kind, b'If-Match: W/"1"' in sent, b'{"id":"1","subject":"p"' in sent) == ("update", True, True)
    mix.hear(b"HTTP/1.1 200 OK")
    assert b"PUT /fhir/Observation/1" in (again := mix.ask()[1])
    assert b'If-Match: W/"2"' in again


def test_the_client_changes_what_it_created_and_never_again_what_it_deleted() -> None:
    mix = Mix(PLAN | {"own": [["Observation/1", 1, "p"]], "mix": {"delete": 1}}, 0, iter(()))
    assert mix.ask()[1].startswith(b"DELETE /fhir/Observation/1 ")
    mix.hear(b"HTTP/1.1 200 OK")
    kind, _ = mix.ask()
    assert kind == "create"
    mix.hear(b"HTTP/1.1 201 Created\r\nLocation: http://h/fhir/Observation/N7/_history/1")
    assert mix.ask()[1].startswith(b"DELETE /fhir/Observation/N7 ")


def test_a_header_is_found_whatever_its_case() -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nEtag: W/"1"'
    assert (value_of(head, b"content-length"), value_of(head, b"location")) == (b"12", b"")
