-- Where a locator token leads, and the rows that stand there: three lookups in one round trip. Not a join,
-- which would be planned for every part of each table. What leads nowhere is looked up like anything else.
CREATE FUNCTION lead_of(named bytea)
RETURNS TABLE (record bytea, pack bigint, epoch bigint, head bytea, facts bytea, sealed bytea)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    SELECT l.record, l.pack INTO lead_of.record, lead_of.pack FROM serment.locator l WHERE l.token = lead_of.named;
    SELECT r.epoch, r.head, r.facts INTO lead_of.epoch, lead_of.head, lead_of.facts FROM serment.record r
        WHERE r.record = coalesce(lead_of.record, '\x00000000000000000000000000000000');
    SELECT p.sealed INTO lead_of.sealed FROM serment.pack p
        WHERE p.number = coalesce(lead_of.pack, -1)
        AND p.record = coalesce(lead_of.record, '\x00000000000000000000000000000000');
    RETURN NEXT;
END $$;
