"""The tree grows by its right edge and proves what it holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(str(number).encode()) for number in range(70)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 70))
def test_a_frontier_gives_the_root_of_the_definition(size: int) -> None:
    frontier = Frontier()
    frontier.append(LEAVES[:size])
    assert (frontier.size, frontier.root()) == (size, recursive_root(LEAVES[:size]))


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_frontier_that_is_taken_up_again_goes_on_alike(first: int, second: int) -> None:
    first, second = min(first, second), max(first, second)
    frontier = Frontier()
    frontier.append(LEAVES[:first])
    again = Frontier(frontier.size, frontier.peaks)
    again.append(LEAVES[first:second])
    assert again.root() == root_of(LEAVES, 0, second)


def test_a_copy_grows_apart() -> None:
    frontier = Frontier()
    frontier.append(LEAVES[:3])
    frontier.copy().append(LEAVES[3:9])
    assert frontier.root() == root_of(LEAVES, 0, 3)


def test_a_frontier_with_the_wrong_number_of_peaks_is_refused() -> None:
    with pytest.raises(ValueError, match="one peak"):
        Frontier(3, LEAVES[:1])


@given(st.data())
def test_every_leaf_is_proved_in_every_tree_and_in_no_other_place(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(LEAVES, index, size), root_of(LEAVES, 0, size)
    assert verify_inclusion(LEAVES[index], index, size, proof, root)
    for other in range(size):
        assert verify_inclusion(LEAVES[index], other, size, proof, root) is (other == index)


@given(st.data())
def test_every_earlier_tree_is_proved_to_begin_a_later_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(LEAVES, old, new)
    before, after = root_of(LEAVES, 0, old), root_of(LEAVES, 0, new)
    assert verify_consistency(old, new, before, after, proof)
    assert not verify_consistency(old, new, leaf_hash(b"forged"), after, proof)
    assert not verify_consistency(old, new, before, leaf_hash(b"forged"), proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 71)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(LEAVES, index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (1, 71)])
def test_there_is_no_consistency_between_impossible_sizes(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no consistency"):
        consistency_proof(LEAVES, old, new)
