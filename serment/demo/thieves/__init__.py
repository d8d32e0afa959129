"""The thieves of `serment demo attack`, and of the tests: what somebody who should not have it tries.

`rows` does by SQL what somebody with the file can do, `doors` what somebody with a session can; `traits`
says what a thief would look for. A thief only acts and says what he got; who calls him judges it.
"""
