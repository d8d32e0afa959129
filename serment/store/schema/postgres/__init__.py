"""The same tables for PostgreSQL, and who may do what to them."""
