"""Only the ledger makes a receipt, and whatever is undone or taken in turn, the chains hold."""

import ast
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import serment
from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.checkpoint import Growing, LogKey, keep, signed
from serment.ledger.verify import RecordTrail, verify
from tests.unit.ledger.memory import MemoryRows, MemorySigner, birth_event, ledger, new_trail, read_event

HOUSE = Path(serment.__file__).parent
SIGNER = MemorySigner()


def makers_of_receipts() -> set[str]:
    """Files in which `Receipt(…)` or `model.Receipt(…)` is called."""
    found = set()
    for path in HOUSE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Receipt":
                found.add(str(path.relative_to(HOUSE)))
    return found


def test_a_receipt_is_made_in_one_file_of_the_ledger() -> None:
    assert makers_of_receipts() == {"ledger/append.py"}


JOBS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(Chain),
        st.integers(1, 4),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)


@given(JOBS)
@settings(max_examples=60)
def test_jobs_undone_run_twice_or_taken_by_another_process_leave_a_ledger_that_verifies(
    jobs: list[tuple[int, Chain, int, bool, bool, bool]],
) -> None:
    rows, trails = MemoryRows(), [new_trail() for _ in range(3)]
    processes, trees = [ledger(), ledger()], [Growing(), Growing()]
    for trail in trails:
        processes[0].birth(rows, trail, birth_event())
    for who, chain, count, undone, second, checkpoint in jobs:
        entries = [Pending(trails[who], chain, read_event(n)) for n in range(count)]
        if undone:
            processes[second].append(rows.copy(), entries)
        processes[second].append(rows, entries)
        if checkpoint:
            size, root = trees[second].catch_up(rows)
            keep(rows, size, root, signed(SIGNER.name, size, root, SIGNER))
    size, root = trees[0].catch_up(rows)
    keep(rows, size, root, signed(SIGNER.name, size, root, SIGNER))
    report = verify(
        rows,
        LogKey(SIGNER.name, SIGNER.public_key),
        checkpoints=rows.checkpoints,
        trails=[RecordTrail(trail.record, trail.key, [trail.year]) for trail in trails],
    )
    assert report.faults == []
    assert report.opened == len(rows.entries)
