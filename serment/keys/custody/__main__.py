"""`python -m serment.keys.custody DIRECTORY`: run custody until SIGTERM.

Exit codes are those of the error tree: 4 when the key file is not what was written, 6 when another
custody already runs there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from serment.errors import SermentError
from serment.keys.custody.budget import Limits
from serment.keys.custody.hardening import harden
from serment.keys.custody.keyfile import KEY_FILE, KeyFile
from serment.keys.custody.passphrase import Cost
from serment.keys.custody.server import Server, alone
from serment.keys.custody.vault import Surroundings, Vault
from serment.words import Language


def _arguments() -> argparse.Namespace:
    limits, cost = Limits(), Cost()
    parser = argparse.ArgumentParser(prog="serment-custody", description="Keep the keys of one installation.")
    parser.add_argument("directory", type=Path, help="where the key file and the socket stand")
    parser.add_argument("--user", type=int, action="append", help="user id that may connect (default: ours)")
    parser.add_argument(
        "--soft", type=int, default=limits.soft, help="openings a minute before each is slowed"
    )
    parser.add_argument(
        "--hard", type=int, default=limits.hard, help="openings a minute before they are refused"
    )
    parser.add_argument("--memory", type=int, default=cost.memory, help="KiB for each new passphrase slot")
    parser.add_argument("--ready", type=int, help="file descriptor told once custody listens")
    parser.add_argument("--tied", action="store_true", help="end when standard input ends")
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Serve until told to stop. Raises `SermentError` when custody cannot start."""
    harden()
    directory: Path = arguments.directory
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = alone(directory)
    file = KeyFile(directory / KEY_FILE)
    limits, cost = Limits(arguments.soft, arguments.hard), Cost(memory=arguments.memory).bounded()
    vault = Vault(file, Surroundings(limits=limits, cost=cost))
    server = Server(directory, vault, frozenset(arguments.user or {os.getuid()}))
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: server.stop())
    if arguments.tied:
        threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    if arguments.ready is not None:
        os.write(arguments.ready, b"\n")
        os.close(arguments.ready)
    server.serve()
    server.close()
    vault.lock()
    file.close()
    os.close(lock)


def _stop_with_parent(server: Server) -> None:
    """Wait for the end of standard input, which comes when the parent ends, however it ends."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.stop()


def main() -> None:
    """Run, and end with the exit code of what went wrong."""
    try:
        run(_arguments())
    except SermentError as error:
        sys.stderr.write(f"{error.said(Language.FR)}\n{error.said(Language.EN)}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
