"""Stands in for buildah, which needs privileges: as many of its arguments as this project's pipelines use.

What is "built" is a tar layer of the checkout's Containerfile and commit. The push is by the specification
(OCI distribution 1.1, and the token exchange that the registry asks for), with none of pip-warden's client.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import sys
from pathlib import Path

import requests

from pip_warden.sandbox.images import Image, image

_LOGIN = Path(os.environ["HOME"]) / ".engine-login"


def install(directory: Path) -> Path:
    """Write a program ``buildah`` into a directory, and return the directory."""
    directory.mkdir()
    program = directory / "buildah"
    words = shlex.join([sys.executable, __file__])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return directory


def main(words: list[str]) -> None:
    """Do what buildah does with these arguments."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    login = commands.add_parser("login")
    login.add_argument("-u", required=True)
    login.add_argument("--password-stdin", action="store_true", required=True)
    login.add_argument("registry")
    build = commands.add_parser("build")
    for option in ("--format", "--secret", "--build-arg", "-t"):
        build.add_argument(option)
    build.add_argument("context")
    push = commands.add_parser("push")
    push.add_argument("--digestfile", type=Path)
    push.add_argument("image")
    given = parser.parse_args(words)
    if given.command == "login":
        _LOGIN.write_text(f"{given.u}\n{sys.stdin.read().strip()}", encoding="utf-8")
    elif given.command == "push":
        pushed = _push(given.image)
        if given.digestfile is not None:
            given.digestfile.write_text(pushed, encoding="utf-8")  # without an end of line, as buildah


def _push(name: str) -> str:
    registry, _, rest = name.partition("/")
    path, _, tag = rest.rpartition(":")
    made = _built()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {_token(session, registry, path)}"
    base = f"http://{registry}/v2/{path}"
    for blob in made.blobs:
        begun = session.post(f"{base}/blobs/uploads/", timeout=30)
        begun.raise_for_status()
        digest = {"digest": f"sha256:{hashlib.sha256(blob).hexdigest()}"}
        session.put(begun.headers["Location"], params=digest, data=blob, timeout=30).raise_for_status()
    headers = {"Content-Type": made.media_type}
    session.put(f"{base}/manifests/{tag}", data=made.manifest, headers=headers, timeout=30).raise_for_status()
    return made.digest


def _built() -> Image:
    files = {"Containerfile": Path("Containerfile").read_text(encoding="utf-8")}
    return image(files, labels={"org.opencontainers.image.revision": os.environ["CI_COMMIT_SHA"]})


def _token(session: requests.Session, registry: str, path: str) -> str:
    challenge = session.get(f"http://{registry}/v2/", timeout=30).headers["WWW-Authenticate"]
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    user, password = _LOGIN.read_text(encoding="utf-8").splitlines()
    wanted = {"service": said["service"], "scope": f"repository:{path}:pull,push"}
    answer = session.get(said["realm"], params=wanted, auth=(user, password), timeout=30)
    answer.raise_for_status()
    return str(answer.json()["token"])


if __name__ == "__main__":
    main(sys.argv[1:])
