"""Real installers, each with a project of private signed and public hash-pinned packages in the sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from interop.stack import python_programs
from interop.stack.install import TOOLS
from interop.stack.places import PYTHON
from pip_warden.sandbox import File, Forwarding, Sandbox

OURS = Path(sys.executable).parent
_MADE = {"RECORD", "METADATA", "WHEEL", "INSTALLER", "REQUESTED"}
_KEPT = ("PATH", "TMPDIR", "LANG")


class Registries:
    """A GitLab with a group's private, signed packages, and a public index whose files are on another host.

    All of them are https on ``localhost``, with the sandbox's own certificate authority. ``acme-*`` is
    private and ``open-*`` public; what is called ``-stranger`` is pinned by nobody. They are empty at first.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        sandbox.settings.forwarding = Forwarding.OFF
        self.sandbox = sandbox
        self.token = sandbox.token(scopes=("api",))
        self.private = sandbox.group_simple_url("acme")
        self.public = sandbox.pypi_url
        self._pins: list[str] = []

    def stock(self) -> None:
        """Publish and offer what the tests of all installers need."""
        tool = {
            "acme_tool/__init__.py": "def main():\n    print('acme-tool runs')\n",
            "acme_tool-{}.dist-info/entry_points.txt": "[console_scripts]\nacme-tool = acme_tool:main\n",
        }
        self.publish("acme-core", "1.0")
        self.publish("acme-widgets", "1.0", requires=("acme-core>=1", "open-pad"))
        self.publish("acme-extra", "1.0", requires=("open-more",))
        for version in ("1.0", "2.0"):
            files = {path.format(version): text for path, text in tool.items()}
            self.publish("acme-tool", version, requires=("acme-core",), files=files)
        self.publish("acme-stranger", "1.0", pinned=False)
        for name in ("open-pad", "open-more"):
            self.offer(name, "1.0")
        self.offer("open-stranger", "1.0", pinned=False)

    def publish(self, name: str, version: str, *, pinned: bool = True, **options: Any) -> None:
        """Publish a signed wheel, and pin who signed it."""
        self.put(name, self.sandbox.wheel(name, version, **options), pinned=pinned)

    def put(self, name: str, file: File, *, pinned: bool = True) -> None:
        """Publish a file, signed, and pin who signed it."""
        project = self.sandbox.project(f"acme/{name}", visibility="private")
        self.sandbox.publish(project, [file])
        subject = f"https://{project.url.partition('://')[2]}//.gitlab-ci.yml@refs/tags/v{{version}}"
        pin = (
            f'[[package]]\nname = "{name}"\nsource = "acme"\nproject = "{project.path}"\n'
            f'  [[package.identity]]\n  issuer = "{self.sandbox.issuer}"\n  subject = "{subject}"'
        )
        if pinned and pin not in self._pins:
            self._pins.append(pin)

    def offer(self, name: str, version: str, *, pinned: bool = True, **options: Any) -> File:
        """Offer a public wheel, and pin its digest."""
        file = self.sandbox.wheel(name, version, **options)
        self.sandbox.upstream.add(name, [file])
        if pinned:
            self._pins.append(
                f'[[package]]\nname = "{name}"\nsource = "pypi"\nversion = "{version}"\nreason = "reviewed"\n'
                f'sha256 = {{ "{file.name}" = "{file.sha256}" }}'
            )
        return file

    def offer_pip(self) -> None:
        """Offer the pip that runs here, which pipx installs for itself."""
        installed = distribution("pip")
        content = {
            path.as_posix(): Path(str(path.locate())).read_bytes()
            for path in installed.files or ()
            if path.parts[0] != ".." and "__pycache__" not in path.parts and path.name not in _MADE
        }
        self.offer("pip", installed.version, files=content)

    @property
    def other_url(self) -> str:
        """Return a host's URL that is no source's, and serves what the public index's file host does."""
        return self.sandbox.files_url.replace("localhost", "127.0.0.1")

    @property
    def pad_elsewhere(self) -> str:
        """Return the URL of ``open-pad``'s wheel on that host."""
        return self.other_url + self.sandbox.upstream.file("open_pad-1.0-py3-none-any.whl").path

    @contextmanager
    def exchanged(self, name: str) -> Iterator[None]:
        """Have an index serve another wheel of a package that needs nothing, with the digest to match."""
        good = self.sandbox.wheel(name, "1.0")
        evil = {f"{name.replace('-', '_')}/__init__.py": "raise SystemExit('bad')\n"}
        self._serve(name, self.sandbox.wheel(name, "1.0", files=evil))
        try:
            yield
        finally:
            self._serve(name, good)

    def _serve(self, name: str, file: File) -> None:
        if name.startswith("acme-"):
            project = self.sandbox.project(f"acme/{name}")
            self.sandbox.tamper(project, file.name, data=file.data, keep_claimed_hash=False)
        else:
            served = self.sandbox.upstream.file(file.name)
            served.data, served.claimed_sha256 = file.data, file.sha256

    def write_trust(self, directory: Path) -> None:
        """Write the trust file of a project."""
        root = self.sandbox.write_trust(directory)
        digest = hashlib.sha256(root.read_bytes()).hexdigest()
        blocks = [
            "version = 1",
            (
                f'[sigstore]\ntrusted-root = "{root.name}"\ntrusted-root-sha256 = "{digest}"\n'
                f'issuers = ["{self.sandbox.issuer}"]'
            ),
            f'[source.acme]\ntype = "gitlab"\nurl = "{self.sandbox.gitlab_url}"',
            f'[source.pypi]\ntype = "simple"\nurl = "{self.public}"',
            *self._pins,
        ]
        (directory / "pytrust.toml").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Sandbox(tls=True, host="localhost") as sandbox:
        made = Registries(sandbox)
        made.stock()
        yield made


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    output: str


@dataclass(kw_only=True)
class Place:
    """A project's directory with an environment in it, and who works there.

    Attributes:
        registries: Where packages are.
        directory: The project.
        home: The home directory.
        gated: Whether commands are run behind the gate, with its token; else they have the user's ``.netrc``.
    """

    registries: Registries
    directory: Path
    home: Path
    gated: bool = False
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Path:
        """Return the Python environment."""
        return self.directory / ".venv"

    def lay(self, empty: Path) -> None:
        """Make the directories, with an environment that is a copy of an empty one."""
        self.directory.mkdir()
        self.home.mkdir(exist_ok=True)
        shutil.copytree(empty, self.environment, symlinks=True)
        self.registries.write_trust(self.directory)

    def run(self, words: Sequence[str], *options: str) -> Ended:
        """Run a command, as the user types it; behind the gate, with its options, where it is to be there."""
        ca = str(self.registries.sandbox.ca_file)
        if self.gated:
            words = [str(OURS / "pip-warden"), "run", *options, "--cert", ca, "--", *words]
        return self.start(words)

    def start(self, words: Sequence[str]) -> Ended:
        """Start a program."""
        ca = str(self.registries.sandbox.ca_file)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment = kept | {"HOME": str(self.home), "NO_COLOR": "1"} | self.extra
        netrc = self.home / ".netrc"
        if self.gated:
            netrc.unlink(missing_ok=True)
            environment |= {
                "PIP_WARDEN_CACHE_DIR": str(self.home / "warden"),
                "GITLAB_URL": self.registries.sandbox.gitlab_url,
                "GITLAB_TOKEN": self.registries.token,
            }
        else:
            netrc.write_text(f"machine localhost login __token__ password {self.registries.token}\n")
            netrc.chmod(0o600)
            environment |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"), ca)
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=120,
        )
        return Ended(code=done.returncode, output=done.stdout)

    def ok(self, *commands: Sequence[str]) -> None:
        """Run commands; each must succeed."""
        for words in commands:
            done = self.run(words)
            assert done.code == 0, f"{' '.join(words)} ended with {done.code}:\n{done.output}"

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.directory / name).write_text(text, encoding="utf-8")

    def read(self, name: str) -> bytes:
        """Read a file of the project."""
        return (self.directory / name).read_bytes()

    def installed(self) -> set[str]:
        """Return ``NAME-VERSION`` of what is in the environment, as its folders spell it."""
        return {folder.name.removesuffix(".dist-info") for folder in self.site.glob("*.dist-info")}

    @property
    def site(self) -> Path:
        """Return the environment's site-packages."""
        return next(self.environment.glob("lib/python*/site-packages"))

    def snapshot(self) -> dict[str, str]:
        """Return every file of the environment and its digest, but uv's lock, which is empty."""
        return {
            str(path.relative_to(self.environment)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.environment.rglob("*"))
            if path.is_file() and not path.is_symlink() and path != self.environment / ".lock"
        }


class Installer:
    """What is typed to have a project's packages installed by one tool.

    Attributes:
        name: The tool's name.
        lock_file: What it locks into.
        at_once: Whether it has every file before it installs the first one.
    """

    name = ""
    lock_file = ""
    at_once = True

    def lay(self, place: Place, *requirements: str) -> None:
        """Write the files of a project that requires something."""
        raise NotImplementedError

    def lock(self) -> list[list[str]]:
        """Return what locks."""
        raise NotImplementedError

    def install(self) -> list[list[str]]:
        """Return what installs from the lock."""
        raise NotImplementedError

    def add(self, requirement: str) -> list[list[str]]:
        """Return what adds a requirement, locks and installs it."""
        raise NotImplementedError

    def led_away(self, lock: str, registries: Registries) -> str:
        """Return a lock that takes ``open-pad`` from another host, which serves the same file."""
        return lock.replace(registries.sandbox.files_url, registries.other_url)


def _project(requirements: Sequence[str]) -> str:
    return (
        '[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(list(requirements))}\n"
    )


class Pip(Installer):
    """``pip lock`` and ``pip install -r pylock.toml``; both are experimental in pip 26."""

    name = "pip"
    lock_file = "pylock.toml"

    def lay(self, place: Place, *requirements: str) -> None:
        indexes = (
            f"--index-url {place.registries.private}",
            f"--extra-index-url {place.registries.public}",
        )
        place.write("requirements.txt", "\n".join((*indexes, *requirements, "")))

    def lock(self) -> list[list[str]]:
        return [[*self._pip, "lock", "-r", "requirements.txt"]]

    def install(self) -> list[list[str]]:
        return [[*self._pip, "install", "-r", "pylock.toml"]]

    def add(self, requirement: str) -> list[list[str]]:
        return [[*self.lock()[0], requirement], *self.install()]

    @property
    def _pip(self) -> list[str]:
        return [str(OURS / "pip"), "--python", ".venv/bin/python", "--disable-pip-version-check"]


class Uv(Installer):
    """``uv lock``, ``uv sync --frozen`` and ``uv add``."""

    name = "uv"
    lock_file = "uv.lock"

    def lay(self, place: Place, *requirements: str) -> None:
        text = _project(requirements)
        text += f'\n[[tool.uv.index]]\nname = "acme"\nurl = "{place.registries.private}"\n'
        text += f'\n[[tool.uv.index]]\nname = "open"\nurl = "{place.registries.public}"\ndefault = true\n'
        place.write("pyproject.toml", text)
        place.extra["UV_PYTHON_DOWNLOADS"] = "never"

    def lock(self) -> list[list[str]]:
        return [[str(OURS / "uv"), "lock"]]

    def install(self) -> list[list[str]]:
        return [[str(OURS / "uv"), "sync", "--frozen"], [str(OURS / "uv"), "sync", "--locked"]]

    def add(self, requirement: str) -> list[list[str]]:
        return [[str(OURS / "uv"), "add", requirement]]


class Poetry(Installer):
    """``poetry lock``, ``poetry install`` and ``poetry add``; its lock has indexes, and no file's URL."""

    name = "poetry"
    lock_file = "poetry.lock"
    at_once = False

    def lay(self, place: Place, *requirements: str) -> None:
        text = _project(requirements) + "\n[tool.poetry]\npackage-mode = false\n"
        for name, url in (("acme", place.registries.private), ("open", place.registries.public)):
            text += f'\n[[tool.poetry.source]]\nname = "{name}"\nurl = "{url}"\npriority = "primary"\n'
        place.write("pyproject.toml", text)
        place.write("poetry.toml", "[virtualenvs]\nin-project = true\n")

    def lock(self) -> list[list[str]]:
        return [[program("poetry"), "lock", "--no-interaction"]]

    def install(self) -> list[list[str]]:
        return [[program("poetry"), "install", "--no-interaction"]]

    def add(self, requirement: str) -> list[list[str]]:
        return [[program("poetry"), "add", "--no-interaction", requirement]]

    def led_away(self, lock: str, registries: Registries) -> str:
        before, name, after = lock.partition('name = "open-pad"')
        source = f'type = "legacy"\nurl = "{registries.public}"\nreference = "open"\n'
        assert source in after
        return before + name + after.replace(source, f'type = "url"\nurl = "{registries.pad_elsewhere}"\n', 1)


class Pdm(Installer):
    """``pdm lock``, ``pdm sync`` and ``pdm add``."""

    name = "pdm"
    lock_file = "pdm.lock"
    at_once = False

    def lay(self, place: Place, *requirements: str) -> None:
        text = _project(requirements) + "\n[tool.pdm]\ndistribution = false\n"
        sources = (
            ("acme", place.registries.private, '["acme-*"]'),
            ("pypi", place.registries.public, '["open-*"]'),
        )
        for name, url, names in sources:
            text += f'\n[[tool.pdm.source]]\nname = "{name}"\nurl = "{url}"\ninclude_packages = {names}\n'
        place.write("pyproject.toml", text)
        place.extra["PDM_CHECK_UPDATE"] = "0"

    def lock(self) -> list[list[str]]:
        return [[program("pdm"), "lock"]]

    def install(self) -> list[list[str]]:
        return [[program("pdm"), "sync"]]

    def add(self, requirement: str) -> list[list[str]]:
        return [[program("pdm"), "add", requirement]]

    def led_away(self, lock: str, registries: Registries) -> str:
        return lock.replace('name = "open-pad"\n', f'name = "open-pad"\nurl = "{registries.pad_elsewhere}"\n')


class PdmUrls(Pdm):
    """The same with a lock that says where each file is."""

    name = "pdm-urls"

    def lock(self) -> list[list[str]]:
        return [[program("pdm"), "lock", "--static-urls"]]

    def led_away(self, lock: str, registries: Registries) -> str:
        return Installer.led_away(self, lock, registries)


class Pipx:
    """``pipx``, which installs applications, and for itself the newest pip that it finds."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.bin = place.home / "bin"
        self._more = f"--pip-args=--extra-index-url {place.registries.public}"
        place.extra |= {"PIPX_HOME": str(place.home / "pipx"), "PIPX_BIN_DIR": str(self.bin)}

    def install(self, requirement: str) -> list[str]:
        """Return what installs an application."""
        index = ["--index-url", self.place.registries.private, self._more]
        return [program("pipx"), "install", *index, requirement]

    def upgrade(self, name: str) -> list[str]:
        """Return what upgrades one, by the indexes that it was installed from."""
        return [program("pipx"), "upgrade", name]

    def venv(self, name: str) -> Path:
        """Return the environment of an application."""
        return self.place.home / "pipx" / "venvs" / name


INSTALLERS: tuple[Installer, ...] = (Pip(), Uv(), Poetry(), Pdm(), PdmUrls())


def program(name: str) -> str:
    """Return the path of a foreign program."""
    return str(python_programs.program(PYTHON, name, TOOLS["python"][name]))
