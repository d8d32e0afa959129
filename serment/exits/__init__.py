"""Ways out, one module each: they carry what `record` gives them, to registered addresses only."""
