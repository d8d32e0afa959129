"""Records that may be one person's, and records that may hold two people (ADR 46).

`meeting` looks for them when somebody is written; `worklist` keeps what it finds; `merging` links two records
and undoes it; `splitting` takes a collision apart. `frozen` refuses writes meanwhile. The words: a
*suspicion* is a pair on the list, the record that is *kept* the one that goes on, the one that is *left* the
other. Nothing here weighs likeness (`identity.duplicates`) or opens content of care to find anybody.
"""
