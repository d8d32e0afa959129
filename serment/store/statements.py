"""Every SQL statement of the store, by hand and in one place.

In the order of the contract: reads, then writes. Nothing here is built from parts at run time.
The subset is common to SQLite and PostgreSQL; what PostgreSQL says otherwise stands in `pg_statements.py`.
"""

from __future__ import annotations

from typing import Final

META: Final = "SELECT value FROM meta WHERE name = ?"
LOCATE: Final = "SELECT record, pack FROM locator WHERE token = ?"
LOCATE_TWO: Final = "SELECT token, record, pack FROM locator WHERE token IN (?, ?)"
LEAD_TWO: Final = (
    "SELECT locator.token, locator.record, locator.pack, record.epoch, record.head, record.facts, pack.sealed"
    " FROM locator LEFT JOIN record ON record.record = locator.record"
    " LEFT JOIN pack ON pack.number = locator.pack AND pack.record = locator.record"
    " WHERE locator.token IN (?, ?)"
)
RECORD: Final = "SELECT record, epoch, head, facts FROM record WHERE record = ?"
EPOCH: Final = "SELECT epoch FROM record WHERE record = ?"
PACK: Final = "SELECT number, sealed FROM pack WHERE number = ? AND record = ?"
BODY: Final = "SELECT number, sealed FROM body WHERE number = ? AND record = ?"
AT_ONCE: Final = 16
"""Rows that one of the next two statements reads, in no order; a number given twice is one row."""
PACKS: Final = (
    "SELECT number, sealed FROM pack WHERE record = ?"
    " AND number IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
BODIES: Final = (
    "SELECT number, sealed FROM body WHERE record = ?"
    " AND number IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
CHUNK: Final = "SELECT sealed FROM chunk WHERE blob = ? AND position = ?"
CHUNKS: Final = "SELECT count(*) FROM chunk WHERE blob = ?"
BLOBS: Final = "SELECT blob FROM chunk WHERE record = ? AND position = 0 ORDER BY blob"
UNFINISHED_BLOBS: Final = (
    "SELECT DISTINCT blob FROM chunk AS one WHERE NOT EXISTS"
    " (SELECT 1 FROM chunk WHERE blob = one.blob AND position = 0) LIMIT ?"
)
PERSONS: Final = "SELECT record FROM person WHERE token = ? ORDER BY record LIMIT ?"
PERSONS_OF: Final = "SELECT token FROM person WHERE record = ? ORDER BY token"
RECORDS: Final = "SELECT record FROM record WHERE record > ? ORDER BY record LIMIT ?"
SESSION: Final = "SELECT sealed FROM session WHERE token = ?"
SESSION_AND_NEWEST: Final = (
    "SELECT (SELECT sealed FROM session WHERE token = ?), (SELECT max(sequence) FROM entry WHERE token = ?)"
)
SESSIONS: Final = "SELECT token, sealed FROM session WHERE token > ? ORDER BY token LIMIT ?"
RETRY: Final = "SELECT sealed FROM retry WHERE token = ?"
OLD_RETRIES: Final = "SELECT token FROM retry WHERE hour < ? ORDER BY hour LIMIT ?"
IMPORTED: Final = "SELECT position FROM imported WHERE source = ?"
QUARANTINED: Final = "SELECT number, sealed FROM quarantine WHERE number > ? ORDER BY number LIMIT ?"

LEDGER_SIZE: Final = "SELECT coalesce(max(sequence), 0) FROM entry"
LEDGER_DAYS: Final = (
    "SELECT kind, hour / 24 AS day, count(*) FROM entry GROUP BY kind, hour / 24 ORDER BY day, kind"
)
ENTRIES: Final = (
    "SELECT sequence, kind, hour, commitment, key_id, token, body FROM entry"
    " WHERE sequence >= ? AND sequence < ? ORDER BY sequence"
)
ENTRIES_OF: Final = (
    "SELECT sequence, kind, hour, commitment, key_id, token, body FROM entry"
    " WHERE token = ? AND sequence > ? ORDER BY sequence"
)
ENTRIES_BEFORE: Final = (
    "SELECT sequence, kind, hour, commitment, key_id, token, body FROM entry"
    " WHERE token = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?"
)
LAST_OF: Final = "SELECT sequence, commitment FROM entry WHERE token = ? ORDER BY sequence DESC LIMIT 1"
CHAIN: Final = "SELECT sealed FROM chain WHERE token = ?"
CHAIN_END: Final = (
    "SELECT (SELECT sealed FROM chain WHERE token = ?), entry.sequence, entry.commitment"
    " FROM (SELECT max(sequence) AS newest FROM entry WHERE token = ?) AS last"
    " LEFT JOIN entry ON entry.sequence = last.newest"
)
CHECKPOINT: Final = 'SELECT size, root, note FROM checkpoint WHERE "only" = 1'

PUT_META: Final = (
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
ADD_RECORD: Final = "INSERT INTO record (record, epoch, head, facts) VALUES (?, ?, ?, ?)"
PUT_RECORD: Final = "UPDATE record SET epoch = ?, head = ?, facts = ? WHERE record = ?"
# A counter that was put back never gives the number of a row that stands.
NEXT: Final = {
    "pack": "UPDATE counter SET last = max(last, (SELECT coalesce(max(number), 0) FROM pack)) + 1"
    " WHERE name = 'pack' RETURNING last",
    "body": "UPDATE counter SET last = max(last, (SELECT coalesce(max(number), 0) FROM body)) + 1"
    " WHERE name = 'body' RETURNING last",
    "quarantine": "UPDATE counter SET last = max(last, (SELECT coalesce(max(number), 0) FROM quarantine)) + 1"
    " WHERE name = 'quarantine' RETURNING last",
}
PUT_PACK: Final = (
    "INSERT INTO pack (number, record, sealed) VALUES (?, ?, ?)"
    " ON CONFLICT (number) DO UPDATE SET sealed = excluded.sealed WHERE pack.record = excluded.record"
)
DROP_PACK: Final = "DELETE FROM pack WHERE number = ? AND record = ?"
PUT_LOCATOR: Final = (
    "INSERT INTO locator (token, record, pack) VALUES (?, ?, ?)"
    " ON CONFLICT (token) DO UPDATE SET pack = excluded.pack WHERE locator.record = excluded.record"
)
MOVE_LOCATOR: Final = "UPDATE locator SET pack = ? WHERE token = ?"
PUT_BODY: Final = "INSERT INTO body (number, record, sealed) VALUES (?, ?, ?)"
PUT_CHUNK: Final = "INSERT INTO chunk (record, blob, position, sealed) VALUES (?, ?, ?, ?)"
DROP_BLOB: Final = "DELETE FROM chunk WHERE blob = ?"
PUT_PERSON: Final = "INSERT INTO person (token, record) VALUES (?, ?) ON CONFLICT (token, record) DO NOTHING"
DROP_PERSONS: Final = "DELETE FROM person WHERE record = ?"
PUT_SESSION: Final = (
    "INSERT INTO session (token, sealed) VALUES (?, ?)"
    " ON CONFLICT (token) DO UPDATE SET sealed = excluded.sealed"
)
DROP_SESSION: Final = "DELETE FROM session WHERE token = ?"
PUT_RETRY: Final = (
    "INSERT INTO retry (token, hour, sealed) VALUES (?, ?, ?)"
    " ON CONFLICT (token) DO UPDATE SET hour = excluded.hour, sealed = excluded.sealed"
)
DROP_RETRY: Final = "DELETE FROM retry WHERE token = ?"
PUT_IMPORTED: Final = (
    "INSERT INTO imported (source, position) VALUES (?, ?)"
    " ON CONFLICT (source) DO UPDATE SET position = excluded.position"
)
ADD_QUARANTINED: Final = "INSERT INTO quarantine (number, sealed) VALUES (?, ?)"
DROP_QUARANTINED: Final = "DELETE FROM quarantine WHERE number = ?"

ADD_ENTRY: Final = (
    "INSERT INTO entry (sequence, kind, hour, commitment, key_id, token, body)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?1 = (SELECT coalesce(max(sequence), 0) + 1 FROM entry)"
)
PUT_CHAIN: Final = (
    "INSERT INTO chain (token, sealed) VALUES (?, ?)"
    " ON CONFLICT (token) DO UPDATE SET sealed = excluded.sealed"
)
PUT_CHECKPOINT: Final = (
    'INSERT INTO checkpoint ("only", size, root, note) VALUES (1, ?, ?, ?)'
    ' ON CONFLICT ("only") DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note'
    " WHERE excluded.size >= checkpoint.size"
)
