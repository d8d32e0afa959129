"""What a page of a record looks at: one decision, one trace, the few items that it shows."""
