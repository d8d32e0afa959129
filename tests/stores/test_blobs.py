"""Large files: chunk by chunk in both directions, never whole in memory, gone when dropped."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from functools import partial

from serment.store.contract import Store, Transaction
from tests.stores.engines import token

CHUNK = 256 * 1024
SIZE = 20 * 1024 * 1024


def put(blob: bytes, index: int, chunk: bytes, t: Transaction) -> None:
    t.put_chunk(token(), blob, index, chunk)


def upload(store: Store, blob: bytes) -> str:
    seen = hashlib.sha256()
    for index in range(SIZE // CHUNK):
        chunk = os.urandom(CHUNK)
        seen.update(chunk)
        store.submit(partial(put, blob, index, chunk)).result()
    return seen.hexdigest()


def download(store: Store, blob: bytes) -> Iterator[bytes]:
    index = 0
    while True:
        with store.snapshot() as snapshot:
            chunk = snapshot.chunk(blob, index)
        if chunk is None:
            return
        yield chunk
        index += 1


def test_twenty_megabytes_stream_both_ways_in_little_memory(store: Store) -> None:
    blob = os.urandom(16)
    tracemalloc.start()
    sent = upload(store, blob)
    received = hashlib.sha256()
    length = 0
    for chunk in download(store, blob):
        received.update(chunk)
        length += len(chunk)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (length, received.hexdigest()) == (SIZE, sent)
    assert peak < 8 * CHUNK


def test_the_blobs_of_a_record_are_listed_until_dropped(store: Store) -> None:
    record, other = token(), token()
    blobs = sorted(os.urandom(16) for _ in range(3))

    def write(t: Transaction) -> None:
        for blob in blobs:
            for index in range(2):
                t.put_chunk(other if blob == blobs[2] else record, blob, index, b"chunk")

    store.submit(write).result()
    store.submit(lambda t: t.drop_blob(blobs[0])).result()
    with store.snapshot() as snapshot:
        assert snapshot.blobs(record) == [blobs[1]]
        assert [snapshot.chunk(blobs[0], index) for index in range(2)] == [None, None]
        assert snapshot.chunk(blobs[1], 1) == b"chunk"


def test_the_chunks_of_an_upload_that_failed_can_be_found_and_swept(store: Store) -> None:
    record, blob = token(), os.urandom(16)
    store.submit(lambda t: t.put_chunk(record, blob, 0, b"first, then the line was cut")).result()

    def sweep(t: Transaction) -> None:
        for each in t.blobs(record):
            t.drop_blob(each)

    store.submit(sweep).result()
    with store.snapshot() as snapshot:
        assert snapshot.blobs(record) == []


def test_a_blob_without_its_first_chunk_is_unfinished(store: Store) -> None:
    """The first chunk is written last, with the manifest: what lacks it is an upload that never ended."""
    record, whole, broken = token(), os.urandom(16), os.urandom(16)

    def write(t: Transaction) -> None:
        for index in (1, 2, 0):
            t.put_chunk(record, whole, index, b"chunk")
        for index in (1, 2):
            t.put_chunk(record, broken, index, b"chunk")

    store.submit(write).result()
    with store.snapshot() as snapshot:
        assert snapshot.unfinished_blobs(10) == [broken]
        assert (snapshot.chunks(whole), snapshot.chunks(broken), snapshot.chunks(token())) == (3, 2, 0)
    store.submit(lambda t: t.drop_blob(broken)).result()
    with store.snapshot() as snapshot:
        assert snapshot.unfinished_blobs(10) == []
