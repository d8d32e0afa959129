-- The table of ../0002_retry.sql, column for column.
CREATE TABLE retry (
    token  bytea  NOT NULL PRIMARY KEY,
    hour   bigint NOT NULL,
    sealed bytea  NOT NULL
);

CREATE INDEX retry_of_hour ON retry (hour);
