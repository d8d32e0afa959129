"""A real browser driven over its own protocol, on two pipes: no port, no driver, no extra package.

Chromium's `--remote-debugging-pipe` reads commands on file descriptor 3 and answers on 4, each message
one JSON text ended by a zero byte (Chrome DevTools Protocol). Only what the journeys need stands here.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
SECONDS = 60
LOADED = "Page.loadEventFired"
ONTO_3_AND_4 = (
    "import os, sys; from fcntl import F_DUPFD, fcntl;"
    " reads, writes = (fcntl(int(one), F_DUPFD, 10) for one in sys.argv[1:3]);"
    " os.dup2(reads, 3); os.dup2(writes, 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""What stands between us and the browser: our two pipes become its descriptors 3 and 4."""

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--accept-lang=fr-FR,fr",
    "--remote-debugging-pipe",
)


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._session = ""
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")
        self.call("Log.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            said = self._next()
            if said.get("id") == self._number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._events.append(said)

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self._loading(lambda: self.call("Page.navigate", url=address))

    def click(self, selector: str) -> None:
        """Click what a person would: scroll it into view, press and release the mouse on it; then wait."""
        place = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView();"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        at = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}

        def press() -> None:
            for kind in ("mousePressed", "mouseReleased"):
                self.call("Input.dispatchMouseEvent", type=kind, **at)

        self._loading(press)

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def follow(self) -> None:
        """Wait for the page to which this one leads by itself; it may have come already."""
        self._loaded()

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return str(self.value("document.body.innerText"))

    @property
    def address(self) -> str:
        """What stands in the address bar."""
        return str(self.value("location.href"))

    @property
    def complaints(self) -> list[str]:
        """What the browser complained about: refused by policy, not found, failed."""
        entries = [said["params"]["entry"] for said in self._events if said.get("method") == "Log.entryAdded"]
        return [str(entry["text"]) for entry in entries]

    def window(self, width: int, height: int = 844, *, dark: bool = False) -> None:
        """Take the size of a telephone or of a desk."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, file: Path) -> None:
        """Keep what the page looks like."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def _loading(self, act: Any) -> None:
        """Do something that loads a page, and wait for its load event."""
        self._events = [said for said in self._events if said.get("method") != LOADED]
        act()
        self._loaded()

    def _loaded(self) -> None:
        """Take one load event, waiting for it: a page that leads on by itself leaves the next one."""
        while not any(said.get("method") == LOADED for said in self._events):
            self._events.append(self._next())
        first = next(place for place, said in enumerate(self._events) if said.get("method") == LOADED)
        del self._events[first]

    def _next(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise EOFError("the browser has gone")
            text += byte
        said: dict[str, Any] = json.loads(text)
        return said


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium on a profile of its own below `folder`, and end it."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    command = [sys.executable, "-c", ONTO_3_AND_4, str(theirs_in), str(theirs_out), CHROMIUM, *OPTIONS]
    command += [f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(
        command, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        with os.fdopen(ours_out, "wb") as commands, os.fdopen(ours_in, "rb") as answers:
            window = Browser(commands, answers)
            yield window
    finally:
        process.terminate()
        process.wait(SECONDS)
