"""Inputs that look for code not reached yet: `python -m tests.fuzz.guided TARGET RUNS FOLDER SEED`.

Atheris (libFuzzer) watches which lines of `serment` an input reaches and keeps those that reach new ones in
FOLDER, beside the target's seeds. It ends with status 0 after RUNS inputs; an input that breaks the target
ends it at once, with its bytes in FOLDER and a traceback. It needs a process of its own: it never gives
back the one that it takes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["serment"]):
    from tests.fuzz.targets import TARGETS, survives

LONGEST = 8192
"""Bytes of one input: room for several seeds one after the other."""


def main(name: str, runs: int, folder: Path, seed: int) -> None:
    """Try `runs` inputs on one target, the same for the same `seed`. Does not return."""
    target = TARGETS[name]
    corpus = folder / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(raw)
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        "-len_control=10",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/{name}-",
        str(corpus),
    ]
    atheris.Setup(["guided", *options], lambda raw: survives(target, raw))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
