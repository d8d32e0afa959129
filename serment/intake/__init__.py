"""Ways in, one folder each."""
