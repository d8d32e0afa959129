"""Custody: the process that alone opens the key file.

Order: what it promises (`contract`), the shape of calls and answers (`calls`, `frames`), passphrase
slots (`passphrase`), the key file (`keyfile`), the checkpoint signature (`note`), the budget
(`budget`), the vault that joins them (`vault`), the socket (`server`), and from outside `client`.

Never here: a rule about who may read, a patient's row, the network. Custody sees record tokens and
request numbers, never a name.
"""
