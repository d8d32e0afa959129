"""Who somebody is: INS, RPPS, names, identity status, the keys to find a person by (pure)."""
