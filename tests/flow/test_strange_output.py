"""B20: output of children and libraries is never passed on unfiltered."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.sandbox import Project
from pip_warden.sandbox.packages import backend_source

SAFE_INSTALL = str(Path(sys.executable).with_name("safe-install"))
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
COMMAND = re.compile(r"^\s*::|##[A-Za-z]*\[", re.MULTILINE)
OURS = re.compile(r"\x1b\[[0-9;]*m|\r\x1b\[K|\r(?=\n)")
"""What we send a terminal (colours, erasing a line that is redrawn), and its form of a line's end."""

FORGED = re.compile(r"^(?:\x1b\[[0-9;]*m)*(?:✓ other|9 packages|error: )", re.MULTILINE)

EVIL = (
    r"""
import os, socket
from urllib.parse import urlsplit

def _shout():
    proxy = urlsplit(os.environ["HTTP_PROXY"])
    with socket.create_connection((proxy.hostname, proxy.port)) as stranger:
        stranger.sendall(b"\x1b[2J no request at all \r\n\r\n")
        stranger.recv(1000)
    for number in (1, 2):
        os.write(number, b"\x1b]0;title\x07\x1b[2J\x1b[31mred\xe2\x80\xae\xff\r"""
    r"""\xe2\x9c\x93 other.whl accepted\n")
        os.write(number, b"section_start:1:x\r\x1b[0Khidden\nsection_end:1:x\r\x1b[0K\n")
        os.write(number, b"::error::x\n  ::add-mask::x\n##[group]x\n##vso[task.complete]x\n")
        os.write(number, "✓ other.whl accepted  signed by you\n9 packages: 9 signed by 1 identity\n".encode())
        os.write(number, b"A" * 100_000 + b"\r\r\r" + b"B" * 100_000)

def build_wheel(*args, _build=build_wheel):
    _shout()
    if FAILS:
        raise SystemExit("\x1b[2J\u202efailed")
    return _build(*args)
"""
)


def shouting(user: User, *, fails: bool) -> tuple[Project, int]:
    """Publish what prints hostile output in its accepted build; return it, and how installing it ends."""
    project = user.project()
    user.pin(project)
    source = backend_source(project.record.name, "1.0") + f"FAILS = {fails}\n" + EVIL
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": source})])
    return project, 4 if fails else 0


@parametrized(
    ("words", "environment", "fails"),
    [
        (("-v",), {}, False),
        (("-v",), {"FORCE_COLOR": "1"}, True),
        (("-vvv", "--format", "json"), {}, True),
        (("-v", "--debug"), {}, False),
    ],
    ids=["text", "coloured", "json", "debug"],
    ordinary={2},
)
def test_b20_what_a_build_prints_is_escaped(
    user: User, words: tuple[str, ...], environment: dict[str, str], fails: bool
) -> None:
    project, code = shouting(user, fails=fails)
    command = [SAFE_INSTALL, "--python", str(user.target), *words, project.record.name]
    ended = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False)
    out, err = ended.stdout.decode(), ended.stderr.decode()
    assert ended.returncode == code, out + err
    assert "title" in out + err, "the build was heard at all"
    for text in (out, err):
        bare = OURS.sub("", text) if environment else text
        assert not HIDDEN.search(bare)
        assert not COMMAND.search(bare)
        assert max(map(len, text.splitlines()), default=0) <= 4100
    assert ("Invalid HTTP request" in err) == ("--debug" in words)
    assert "9 packages" in out + err
    assert not FORGED.search(out + err), "no line of a build's looks like one of ours"
    if "json" in words:
        assert json.loads(out)["exit_code"] == code
    if environment:
        assert "\\u001b[1m" not in out + err, "pip was not asked for colours"


def test_b20_on_a_terminal_too(user: User) -> None:
    project, code = shouting(user, fails=True)
    ours, theirs = pty.openpty()
    command = [SAFE_INSTALL, "--python", str(user.target), "-v", project.record.name]
    environment = os.environ | {"TERM": "xterm-256color"}
    with subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        seen = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    text = OURS.sub("", seen.decode())
    assert child.returncode == code, text
    assert not HIDDEN.search(text), repr(HIDDEN.search(text))
    assert not COMMAND.search(text)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's EIO, where a pipe would report its end
        return b""


LIBRARIES = r"""
import asyncio, logging, sys, threading, warnings
import click
import pip_warden.cli.tree as tree

EVIL = "\x1b[2J\u202e\r::error::\n::set-output name=a::b"

@click.command()
@click.option("--debug", is_flag=True)
def evil(debug):
    logging.getLogger("urllib3").error(EVIL)
    logging.getLogger(EVIL).critical("%s", EVIL, exc_info=ValueError(EVIL))
    logging.getLogger("sigstore").warning("%d", EVIL)
    warnings.warn(EVIL)
    thread = threading.Thread(target=lambda: int(EVIL))
    thread.start()
    thread.join()

    async def main():
        asyncio.get_running_loop().create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    async def fail():
        raise ValueError(EVIL)
    asyncio.run(main())

    class Dying:
        def __del__(self):
            raise ValueError(EVIL)
    Dying()
    print(EVIL)
    raise RuntimeError(EVIL)

tree.pip_warden = evil
from pip_warden.cli import main
main()
"""


@pytest.mark.parametrize("flags", [[], ["-Wdefault"]], ids=["", "warnings"])
@pytest.mark.parametrize("words", [[], ["--debug"]], ids=["", "debug"])
def test_b20_what_libraries_say_is_escaped_or_not_said(words: list[str], flags: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, *flags, "-c", LIBRARIES, *words], capture_output=True, check=False
    )
    out, err = ended.stdout.decode(), ended.stderr.decode()
    assert ended.returncode == 70
    for text in (out, err):
        assert not HIDDEN.search(text), text
    assert not COMMAND.search(err), err
    assert "a thread of this process failed: ValueError" in err
    assert ("Traceback" in err, "urllib3: " in err, "never retrieved" in err) == (bool(words),) * 3
    assert ("py.warnings: " in err) == bool(flags)
    assert "Logging error" not in err
