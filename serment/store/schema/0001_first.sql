-- Serment's database. Every BLOB named head, facts, sealed or body is ciphertext; everything else is a
-- random token, a number or a keyed hash. docs/explanation/leakage.md says what each column gives away.
-- No foreign keys between records and rows: a deferred check that fails at COMMIT would undo the whole
-- group; what belongs to a record is told by its sealed head, which is verified when it is opened.

-- Installation: store id, kind of store, sealed installation state.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Last number given, so that a number of a deleted row is never given again.
CREATE TABLE counter (
    name TEXT    NOT NULL PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO counter (name, last) VALUES ('pack', 0), ('body', 0), ('quarantine', 0);

-- One row for each record.
CREATE TABLE record (
    record BLOB    NOT NULL UNIQUE,
    epoch  INTEGER NOT NULL,
    head   BLOB    NOT NULL,
    facts  BLOB    NOT NULL
) STRICT;

-- Packs of index entries.
CREATE TABLE pack (
    number INTEGER PRIMARY KEY,
    record BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Where an id leads: HMAC of "Type/id" to record and pack.
CREATE TABLE locator (
    token  BLOB    NOT NULL PRIMARY KEY,
    record BLOB    NOT NULL,
    pack   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Bodies of resources.
CREATE TABLE body (
    number INTEGER PRIMARY KEY,
    record BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Chunks of blobs (PDF, images).
CREATE TABLE chunk (
    blob     BLOB    NOT NULL,
    position INTEGER NOT NULL,
    record   BLOB    NOT NULL,
    sealed   BLOB    NOT NULL,
    UNIQUE (blob, position)
) STRICT;

CREATE INDEX blob_of_record ON chunk (record, blob) WHERE position = 0;

-- Compound person tokens, truncated: several records may share one.
CREATE TABLE person (
    token  BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (token, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_of_record ON person (record);

-- Sessions, by hash of their bearer.
CREATE TABLE session (
    token  BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How far an import has come, by keyed hash of its source.
CREATE TABLE imported (
    source   BLOB    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an import could not file.
CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

-- The ledger. `sequence` counts from 1 without a hole: row s is leaf s - 1 of the tree.
CREATE TABLE entry (
    sequence   INTEGER PRIMARY KEY,
    kind       INTEGER NOT NULL,
    hour       INTEGER NOT NULL,
    commitment BLOB    NOT NULL,
    key_id     BLOB    NOT NULL,
    token      BLOB    NOT NULL,
    body       BLOB    NOT NULL
) STRICT;

-- In the order of sequence for each token (SQLite keeps the row number at the end of every index).
CREATE INDEX entry_of_token ON entry (token);

-- State of the chains of one record.
CREATE TABLE chain (
    token  BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest signed checkpoint.
CREATE TABLE checkpoint (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    size INTEGER NOT NULL,
    root BLOB    NOT NULL,
    note BLOB    NOT NULL
) STRICT;
