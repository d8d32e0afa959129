"""Which chain a trace goes to, and the one row that says where the chains stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import LedgerError
from serment.ledger.chains import (
    CHAIN_ROW_SIZE,
    NO_HEAD,
    Chain,
    ChainState,
    HeadMark,
    Link,
    chain_of,
    head_hash,
    state_from,
)

COUNTS = st.integers(0, 2**64 - 1)
HASHES = st.binary(min_size=32, max_size=32)
LINKS = st.builds(Link, COUNTS, HASHES, COUNTS)


@pytest.mark.parametrize("timer", [False, True])
@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("abuse", [False, True])
@pytest.mark.parametrize("study", [False, True])
def test_a_timer_defers_and_a_secret_protects(timer: bool, minor: bool, abuse: bool, study: bool) -> None:
    chain = chain_of(timer_running=timer, minor_secret=minor, abuse_report=abuse, study=study)
    if timer:
        assert chain is Chain.DEFERRED
    elif minor or abuse or study:
        assert chain is Chain.PROTECTED
    else:
        assert chain is Chain.ORDINARY


@given(LINKS, LINKS, LINKS, HASHES, COUNTS, st.binary(min_size=16, max_size=16))
def test_a_state_comes_back_from_its_row_and_every_row_has_one_size(
    one: Link, two: Link, three: Link, head: bytes, epoch: int, token: bytes
) -> None:
    state = ChainState(one, two, three, HeadMark(head, epoch), token)
    assert len(state.to_bytes()) == CHAIN_ROW_SIZE
    assert state_from(state.to_bytes()) == state


@pytest.mark.parametrize("row", [b"", bytes(CHAIN_ROW_SIZE), b"\x01" * (CHAIN_ROW_SIZE + 1)])
def test_a_row_that_is_not_ours_is_refused(row: bytes) -> None:
    with pytest.raises(LedgerError):
        state_from(row)


@pytest.mark.parametrize("chain", list(Chain))
def test_moving_one_chain_leaves_the_others(chain: Chain) -> None:
    link = Link(1, bytes(range(32)), 9)
    moved = ChainState().moved(chain, link, b"t" * 16)
    assert {other: moved.link(other) for other in Chain} == {
        other: link if other is chain else Link() for other in Chain
    }
    assert moved.newest() == link
    assert moved.head == NO_HEAD
    assert moved.moved(chain, link, b"t" * 16, HeadMark(bytes(32), 4)).head.epoch == 4


@pytest.mark.parametrize(
    "state", [ChainState(token=b"short"), ChainState(head=HeadMark(b"short", 1))], ids=["token", "head"]
)
def test_a_state_that_does_not_fit_its_row_is_not_written(state: ChainState) -> None:
    with pytest.raises(LedgerError):
        state.to_bytes()


def test_two_heads_have_two_marks() -> None:
    assert head_hash(b"one") != head_hash(b"two")
