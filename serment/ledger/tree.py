"""The Merkle tree of RFC 6962 section 2.1 and RFC 9162 section 2.1: SHA-256, leaf 0x00, node 0x01.

Order: the two hashes, the frontier that grows, the proofs that a server makes, the proofs that
anybody checks. A leaf's index counts from 0. Nothing here knows what an entry is, and no check
raises: a proof that is malformed is a proof that does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry into a leaf (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent (RFC 9162 section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: one hash for each bit set in its size.

    It holds at most 64 hashes whatever the size, so it never proves inclusion; it gives roots.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Start empty, or go on from `peaks` (largest subtree first) of a tree of `size` leaves."""
        if size < 0 or len(peaks) != size.bit_count():
            raise ValueError("a frontier has one peak for each bit set in its size")
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """Roots of the complete subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        peaks, size = self._peaks, self._size
        for leaf in leaves:
            node, rest = leaf, size
            while rest & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                rest >>= 1
            peaks.append(node)
            size += 1
        self._size = size

    def root(self) -> bytes:
        """Root of the tree as it stands; the hash of nothing when it is empty."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Frontier:
        """Give a frontier that grows apart from this one."""
        return Frontier(self._size, self._peaks)


def root_of(leaves: Sequence[bytes], start: int, stop: int) -> bytes:
    """Root over leaf hashes `start` ≤ i < `stop`. Costs one pass over them."""
    frontier = Frontier()
    frontier.append(leaves[index] for index in range(start, stop))
    return frontier.root()


def _split(width: int) -> int:
    """Largest power of two smaller than `width` (RFC 9162: k < n ≤ 2k)."""
    return 1 << ((width - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` stands in the tree of the first `size` leaves (RFC 9162 section 2.1.3.1).

    `leaves` gives leaf hashes by index. Raises `ValueError` when no such leaf or tree exists.
    """
    if not 0 <= index < size <= len(leaves):
        raise ValueError("no such leaf in a tree of that size")
    proof: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(root_of(leaves, middle, stop))
            stop = middle
        else:
            proof.append(root_of(leaves, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(leaves: Sequence[bytes], old: int, new: int) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with that of `old` (RFC 9162 section 2.1.4.1).

    Raises `ValueError` when `old` is 0 or larger than `new`, or `new` larger than what `leaves` holds.
    """
    if not 0 < old <= new <= len(leaves):
        raise ValueError("no consistency to prove between those sizes")
    proof: list[bytes] = []
    start, stop, whole = 0, new, True
    while old - start != stop - start:
        middle = start + _split(stop - start)
        if old <= middle:
            proof.append(root_of(leaves, middle, stop))
            stop = middle
        else:
            proof.append(root_of(leaves, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(root_of(leaves, start, stop))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _hashes([leaf, root, *proof]):
        return False
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162 section 2.1.4.2).

    Nothing is shown by an empty old tree: size 0 never verifies.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if not proof or not _hashes(proof):
        return False
    # An old tree that is a complete subtree of the new one is its own first step.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return _climb(old - 1, new - 1, path) == (old_root, new_root)


def _climb(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Fold a consistency path into both roots (steps 4 to 7 of RFC 9162 section 2.1.4.2)."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place & 1 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _hashes(values: Sequence[bytes]) -> bool:
    """Say whether every value has the length of a hash."""
    return all(len(value) == HASH_SIZE for value in values)
