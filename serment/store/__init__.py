"""Bytes at rest: ciphertext and tokens in, the same bytes out. No rule, no key, no plaintext.

`contract.py` is what the house asks of a store; `sqlite.py` keeps it on one SQLite file. `ballast.py`
and `spool_file.py` are the two files that keep traces going when that one cannot grow.
"""
