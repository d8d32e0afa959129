"""What was done: entries, their tree, their chains, checkpoints, and the proof that nothing was altered.

`tree` is RFC 6962. `entry` is what an entry says and how it is committed. `chains` ties the entries of
one record together. `append` places entries inside the caller's transaction and is the only maker of
a `Receipt`. `checkpoint` is the signed head of the tree. `follow` reads the trace of one record, whole
or not at all; `verify` reads everything again. `spool` is the format of the second place. `sentences`
says an entry to a person. `port` lists what this room asks of a store and of the keys.

No database, network, asyncio or clock comes here: time is a fact passed in, bytes go through the port.
"""
