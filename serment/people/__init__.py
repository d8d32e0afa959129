"""People who sign in and programs that are let in: accounts, exercises, credentials, clients, sessions begun.

Everything stands in the register (`record/registry`), sealed and traced. A professional's right to a
record is never decided here: a session only says who acts, in which one exercise; `access.decide` says what
they may.
"""
