"""THE passage: every read and write of a record goes through `gate`, in one order (HOUSE section 4)."""
