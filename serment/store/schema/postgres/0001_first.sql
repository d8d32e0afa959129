-- Serment's schema on PostgreSQL: the tables of ../0001_first.sql, column for column. What each column
-- gives away stands in docs/explanation/leakage.md. Run by the role that owns the schema, in one transaction.
--
-- Everything that belongs to a patient is cut in eight by a hash: by the record where a statement names the
-- record, by the token where it names a token, by the blob for content. No statement joins two tables, so
-- that each touches one part (ADR 35). No foreign keys between records and rows, as on SQLite.

-- Installation: store id, kind of store, sealed installation state.
CREATE TABLE meta (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

-- Numbers are never given twice. A process takes 32 at once and forgets those that it did not use.
CREATE SEQUENCE pack_number INCREMENT BY 32;
CREATE SEQUENCE body_number INCREMENT BY 32;
CREATE SEQUENCE quarantine_number;

-- One row for each record.
CREATE TABLE record (
    record bytea  NOT NULL PRIMARY KEY,
    epoch  bigint NOT NULL,
    head   bytea  NOT NULL,
    facts  bytea  NOT NULL
) PARTITION BY HASH (record);

-- Packs of index entries.
CREATE TABLE pack (
    number bigint NOT NULL,
    record bytea  NOT NULL,
    sealed bytea  NOT NULL,
    PRIMARY KEY (number, record)
) PARTITION BY HASH (record);

-- Where an id leads: HMAC of "Type/id" to record and pack.
CREATE TABLE locator (
    token  bytea  NOT NULL PRIMARY KEY,
    record bytea  NOT NULL,
    pack   bigint NOT NULL
) PARTITION BY HASH (token);

-- Bodies of resources.
CREATE TABLE body (
    number bigint NOT NULL,
    record bytea  NOT NULL,
    sealed bytea  NOT NULL,
    PRIMARY KEY (number, record)
) PARTITION BY HASH (record);

-- Chunks of blobs (PDF, images).
CREATE TABLE chunk (
    blob     bytea  NOT NULL,
    position bigint NOT NULL,
    record   bytea  NOT NULL,
    sealed   bytea  NOT NULL,
    PRIMARY KEY (blob, position)
) PARTITION BY HASH (blob);

CREATE INDEX blob_of_record ON chunk (record, blob) WHERE position = 0;

-- Compound person tokens, truncated: several records may share one.
CREATE TABLE person (
    token  bytea NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (token, record)
) PARTITION BY HASH (token);

CREATE INDEX person_of_record ON person (record);

-- Ciphertext does not shrink: no time is spent on trying, and a row of up to 8 KB stays in one piece.
ALTER TABLE record ALTER COLUMN head SET STORAGE EXTERNAL, ALTER COLUMN facts SET STORAGE EXTERNAL;
ALTER TABLE pack ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE body ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;

DO $$
DECLARE
    whole text;
    part  int;
BEGIN
    FOREACH whole IN ARRAY ARRAY['record', 'pack', 'locator', 'body', 'chunk', 'person'] LOOP
        FOR part IN 0..7 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 8, REMAINDER %s)'
                           ' WITH (toast_tuple_target = 8160)', whole || '_' || part, whole, part);
        END LOOP;
    END LOOP;
END $$;

-- Sessions, by hash of their bearer.
CREATE TABLE session (
    token  bytea NOT NULL PRIMARY KEY,
    sealed bytea NOT NULL
);

-- How far an import has come, by keyed hash of its source.
CREATE TABLE imported (
    source   bytea  NOT NULL PRIMARY KEY,
    position bigint NOT NULL
);

-- What an import could not file.
CREATE TABLE quarantine (
    number bigint NOT NULL PRIMARY KEY,
    sealed bytea  NOT NULL
);

-- Whoever writes holds this row until the commit: writers of all processes come one after the other, as
-- behind the write lock of SQLite.
CREATE TABLE ledger_head (
    "only" bigint NOT NULL PRIMARY KEY CHECK ("only" = 1)
);

INSERT INTO ledger_head ("only") VALUES (1);

-- The ledger. `sequence` counts from 1 without a hole: row s is leaf s - 1 of the tree.
CREATE TABLE entry (
    sequence   bigint NOT NULL PRIMARY KEY,
    kind       bigint NOT NULL,
    hour       bigint NOT NULL,
    commitment bytea  NOT NULL,
    key_id     bytea  NOT NULL,
    token      bytea  NOT NULL,
    body       bytea  NOT NULL
);

ALTER TABLE entry ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX entry_of_token ON entry (token, sequence);

-- State of the chains of one record.
CREATE TABLE chain (
    token  bytea NOT NULL PRIMARY KEY,
    sealed bytea NOT NULL
);

-- The newest signed checkpoint.
CREATE TABLE checkpoint (
    "only" bigint NOT NULL PRIMARY KEY CHECK ("only" = 1),
    size   bigint NOT NULL,
    root   bytea  NOT NULL,
    note   bytea  NOT NULL
);

-- Two locks on the ledger beside the grants (grants.sql). The policies know reading and adding only, for the
-- owner too: a statement that changes or deletes an entry touches no row. The trigger says so aloud, and
-- stands before TRUNCATE, which no policy sees.
ALTER TABLE entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE entry FORCE ROW LEVEL SECURITY;
CREATE POLICY entry_is_read ON entry FOR SELECT USING (true);
CREATE POLICY entry_is_added ON entry FOR INSERT WITH CHECK (true);

CREATE FUNCTION entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an entry of the ledger is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION entry_stays();
