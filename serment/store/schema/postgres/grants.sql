-- What the role that Serment runs as may do: what the contract asks, and no more. Its name is told by the
-- setting serment.role. Nothing lets it change or delete an entry of the ledger, a migration or a record.
DO $$
DECLARE
    role text := current_setting('serment.role');
    line text;
BEGIN
    FOREACH line IN ARRAY ARRAY[
        'USAGE ON SCHEMA serment',
        'SELECT ON migration',
        'SELECT, INSERT ON entry',
        'SELECT, INSERT ON body',
        'SELECT, INSERT, UPDATE ON meta, record, locator, imported, chain, checkpoint',
        'SELECT, INSERT, UPDATE, DELETE ON pack, session, retry',
        'SELECT, INSERT, DELETE ON chunk, person, quarantine',
        'SELECT, UPDATE ON ledger_head',
        'SELECT, USAGE, UPDATE ON SEQUENCE pack_number, body_number, quarantine_number'
    ] LOOP
        EXECUTE format('GRANT %s TO %I', line, role);
    END LOOP;
END $$;
