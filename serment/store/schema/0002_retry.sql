-- What a request with an Idempotency-Key wrote, for a day: by keyed hash of its author and key. `hour` says
-- which rows are over.
CREATE TABLE retry (
    token  BLOB    NOT NULL PRIMARY KEY,
    hour   INTEGER NOT NULL,
    sealed BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX retry_of_hour ON retry (hour);
