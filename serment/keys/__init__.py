"""Seal and open.

Order: the envelope (`envelope`), key material (`material`), derivation (`derive`), the keys of one
record (`record_keys`), of its trace (`trace_keys`) and of the installation (`installation`), the
three openings (`openings`), and the process that alone opens the key file (`custody`).

Never here: a rule about who may read (`access`), a row of a database other than the key file, a log.
Memory is not wiped: Python copies bytes as it likes, so no function here promises that a key is gone
from memory before its process ends.
"""
