"""A headless Chromium, spoken to over two pipes (DevTools protocol: JSON, each message ended by a zero byte).

It looks at one page as a person would: at a width, in light or dark, with the keyboard; and tells what the
page complains of and what it asks for.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from interop.stack.install import found

_READS, _WRITES = 3, 4
"""The descriptors on which Chromium reads commands and writes answers."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # which needs another user than root
    "--disable-gpu",
    "--hide-scrollbars",  # a picture is as wide as the window
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-extensions",
    "--remote-debugging-pipe",
)


@dataclass(slots=True)
class Browser:
    """One page of one browser.

    Attributes:
        complaints: What the page has written to the console, or has thrown.
        requests: URLs that it asked for.
    """

    commands: IO[bytes]
    answers: IO[bytes]
    session: str = ""
    number: int = 0
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; what happens meanwhile is noted."""
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        self.commands.write(json.dumps(command).encode() + b"\0")
        self.commands.flush()
        while (message := self._next()).get("id") != self.number:
            self._note(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return dict(message["result"])

    def open(self, page: Path, *, width: int, scheme: str) -> None:
        """Open a file at a width, in a colour scheme (``light`` or ``dark``); return when it is loaded."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=page.as_uri())
        while (message := self._next()).get("method") != "Page.loadEventFired":
            self._note(message)

    def tell(self, script: str) -> Any:
        """Return what a script comes to, as JSON would spell it."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"]["description"])
        return told["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key and let it go."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def picture(self, height: int = 0) -> bytes:
        """Return the page as PNG, from its top: the whole, or no more than a height in pixels."""
        box = self.call("Page.getLayoutMetrics")["cssContentSize"]
        high = min(height or box["height"], box["height"])
        clip = {"x": 0, "y": 0, "width": box["width"], "height": high, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium has ended")
            message += byte
        return dict(json.loads(message))

    def _note(self, message: dict[str, Any]) -> None:
        match message.get("method"):
            case "Log.entryAdded" | "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(message["params"]))
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case _:
                pass


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser with one empty page; it is ended afterwards.

    Raises:
        AssertionError: There is none; `interop.stack` installs it.
    """
    program = found("chromium")
    assert program, "expected chromium; `python -m interop.stack install` brings it"
    (reads, commands), (answers, writes) = os.pipe(), os.pipe()
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        os.fdopen(commands, "wb") as sent,
        os.fdopen(answers, "rb") as heard,
    ):
        # A shell puts the pipes where they are expected, whatever their numbers are here.
        moved = f'exec "$@" {_READS}<&{reads} {_WRITES}>&{writes}'
        process = subprocess.Popen(
            ["bash", "-c", moved, "-", program, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(reads, writes),
            stderr=subprocess.DEVNULL,
        )
        os.close(reads)
        os.close(writes)
        try:
            yield _attached(Browser(sent, heard))
        finally:
            process.kill()
            process.wait()


def _attached(made: Browser) -> Browser:
    target = made.call("Target.createTarget", url="about:blank")["targetId"]
    made.session = made.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        made.call(f"{domain}.enable")
    return made
