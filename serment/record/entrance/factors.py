"""The primitives of sign-in, as rooms above `record` reach them: `keys` has no other door for them."""

from serment.keys.factors import (
    COST,
    STEP_MS,
    Cost,
    code_secret,
    one_time_code,
    outgrown,
    password_hash,
    password_matches,
    unmatched,
)

__all__ = [
    "COST",
    "STEP_MS",
    "Cost",
    "code_secret",
    "one_time_code",
    "outgrown",
    "password_hash",
    "password_matches",
    "unmatched",
]
