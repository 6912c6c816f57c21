"""``docs/self-managed.md`` from top to bottom: its commands, typed into bash as they stand there.

Only addresses, ports and directories are the test's. GitLab is the sandbox's, the Sigstore is the one that
the page sets up: another one than the stack's, beside it.
"""

from __future__ import annotations

import hashlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interop.stack import services, supervisor
from interop.stack.operated import EXAMPLE, filled
from interop.stack.places import BIN, FILES, HOST, ROOT
from pip_warden.sandbox import Project, Sandbox

pytestmark = pytest.mark.interop

VENV = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "self-managed.md").read_text(encoding="utf-8")
SETTINGS, KEYS, SERVERS, TRUST, CONSUMER, SECOND_ROOT, NEXT, SWITCH, BACKUP = re.findall(
    r"```sh\n(.*?)```", PAGE, re.DOTALL
)
(PIPELINE,) = re.findall(r"```yaml\n(sign:.*?)```", PAGE, re.DOTALL)
(UPDATE,) = re.findall(r"`(pip-warden root update [^`\n]*new_root[^`\n]*)`", PAGE)


def _script(job: str) -> list[str]:
    """Return the commands of a job of the page's pipeline."""
    (block,) = re.findall(rf"(?m)^{job}:\n((?:  .*\n)+)", PIPELINE)
    return re.findall(r"(?m)^    - (.*)$", block)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """Whoever follows the page, and the jobs and consumers of their GitLab.

    Attributes:
        home: Their home, with the clone of this repository in it.
        gitlab: Their GitLab.
        project: A project of it.
        token: What a consumer reads it with.
    """

    home: Path
    gitlab: Sandbox
    project: Project
    token: str

    @property
    def directory(self) -> Path:
        """Return ``DIR`` of the settings."""
        return self.home / "lib"

    def types(
        self, script: str, *, where: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type commands with the test's directories and addresses in them, and answer yes to all questions.

        What it starts in the background goes on, in the test's session.
        """
        for theirs, ours in {
            "/opt/sigstore": str(self.home / "opt"),
            "/var/lib/sigstore": str(self.directory),
            "https://gitlab.example.com": self.gitlab.gitlab_url,
            "GITLAB_TOKEN=…": f"GITLAB_TOKEN={self.token}",
        }.items():
            script = script.replace(theirs, ours)
        person, terminal = pty.openpty()
        os.write(person, b"y\n" * 4)
        log = self.home / "said" / str(len(list((self.home / "said").iterdir())))
        try:
            with log.open("w", encoding="utf-8") as said:  # a pipe would be kept open by the servers
                done = subprocess.run(
                    ["bash", "-e", "-c", script],
                    cwd=where or self.home / "opt" / "self-managed",
                    env=self.environment | more,
                    stdin=terminal,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=300,
                    check=False,
                )
        finally:
            os.close(person)
            os.close(terminal)
        done.stdout = log.read_text(encoding="utf-8", errors="replace")
        return done

    @property
    def environment(self) -> dict[str, str]:
        """Return what is set in their shell."""
        return {
            "PATH": f"{self.home / 'bin'}:{self.home / 'env' / 'bin'}:{VENV}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "EDITOR": str(self.home / "bin" / "editor"),
            "VIRTUAL_ENV": str(self.home / "env"),
            "NO_COLOR": "1",
        }

    def must(self, script: str, *, where: Path | None = None, **more: str) -> str:
        """Type a block that must succeed, and return what it said."""
        done = self.types(script, where=where, **more)
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def job(
        self, version: str, *, config: Path, is_signed_only: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run the page's pipeline for a release, with the variable as GitLab would set it."""
        script = _script("sign") + ([] if is_signed_only else _script("publish"))
        where = self.home / "checkouts" / f"{version}-{len(list(self.home.glob('checkouts/*')))}"
        (where / "dist").mkdir(parents=True)
        wheel = self.gitlab.wheel("acme-widgets", version)
        (where / "dist" / wheel.name).write_bytes(wheel.data)
        job = self.gitlab.job(self.project, tag=f"v{version}")
        given = job.variables() | {"SIGSTORE_TRUST_CONFIG": str(config), "CI_PROJECT_DIR": str(where)}
        return self.types("\n".join(script), where=where, **given)

    def verifies(self, where: Path, version: str) -> subprocess.CompletedProcess[str]:
        """Judge a release as a consumer who keeps nothing between runs."""
        words = f"pip-warden verify-release acme-widgets=={version} --cache-dir {where / 'cache'}"
        shutil.rmtree(where / "cache", ignore_errors=True)
        return self.types(words, where=where, GITLAB_URL=self.gitlab.gitlab_url, GITLAB_TOKEN=self.token)

    def restarts(self, block: str, *names: str) -> None:
        """Do what the block's ``systemctl restart`` does, which reached no systemd."""
        asked = (self.home / "asked").read_text(encoding="utf-8").splitlines()
        assert asked == ["systemctl restart " + " ".join(f"sigstore@{name}" for name in names)], block
        (self.home / "asked").unlink()
        for name in names:
            self.ends(name)
            self.must(f"./sigstore.sh serve {name} &\n./sigstore.sh await {name}")

    def ends(self, name: str) -> None:
        """End a server, and wait until it has."""
        (pid,) = [pid for pid, words in self.running() if re.search(_PROGRAMS[name], words[0])]
        handle = os.pidfd_open(pid)
        try:
            os.kill(pid, signal.SIGTERM)
            assert select.select([handle], [], [], 30)[0], f"{name} does not end"
        finally:
            os.close(handle)

    def running(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every process that names the test's directory, with its command line."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if any(str(self.directory) in word for word in words):
                yield int(entry.name), words


_PROGRAMS = {
    "mysql": r"mariadbd$",
    "trillian-server": r"trillian_log_server$",
    "trillian-signer": r"trillian_log_signer$",
    "ct-log": r"ct_server$",
    "fulcio": r"fulcio$",
    "timestamps": r"timestamp-server$",
    "rekor-v1": r"rekor-server$",
    "rekor-v2": r"posix$",
}


@pytest.fixture
def operator(gitlab: Sandbox, tmp_path: Path) -> Iterator[Operator]:
    """Somebody with a clone, an editor, and no systemd; the stack's time stamps make room for theirs."""
    project = gitlab.project("acme/widgets")
    made = Operator(home=tmp_path, gitlab=gitlab, project=project, token=gitlab.token(scopes=("read_api",)))
    shutil.copytree(EXAMPLE, tmp_path / "pip-warden" / "examples" / "self-managed")
    for name in ("bin", "opt", "lib", "checkouts", "said"):
        (tmp_path / name).mkdir()
    (tmp_path / "written").write_text(_settings(made), encoding="utf-8")
    for name, text in (
        ("editor", f'cp "{tmp_path}/written" "$1"'),
        ("sudo", f'echo "$@" >> "{tmp_path}/asked"'),
    ):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    supervisor.stop("timestamps")  # its counters have a fixed port
    try:
        yield made
    finally:
        for name in reversed(_PROGRAMS):
            if any(re.search(_PROGRAMS[name], words[0]) for _, words in made.running()):
                made.ends(name)
        supervisor.start(services.timestamps())


def _settings(made: Operator) -> str:
    """Return the page's settings with free ports, and the addresses that follow from them."""
    text = (EXAMPLE / "settings").read_text(encoding="utf-8")
    names = re.findall(r"(?m)^(\w+_PORT)=", text)
    ports = dict(zip(names, _free(len(names)), strict=True))
    urls = {
        f"{name}_URL": f"http://{HOST}:{ports[f'{name}_PORT']}"
        for name in ("FULCIO", "REKOR1", "REKOR2", "TIMESTAMPS")
    }
    places = {"DIR": made.directory, "BIN": BIN, "SCHEMA": FILES / "trillian.sql"}
    return filled(text, {"GITLAB": made.gitlab.gitlab_url, **ports, **urls, **places})


def _free(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def test_every_command_from_top_to_bottom(operator: Operator) -> None:
    """One test, since each step needs those before it."""
    for block in (SETTINGS, KEYS, SERVERS):
        operator.must(block, where=operator.home if block == SETTINGS else None)
    said = operator.must(TRUST)
    trust = operator.directory / "trust"
    digest = hashlib.sha256((trust / "trusted_root.json").read_bytes()).hexdigest()
    assert digest in said
    _no_secret_is_seen(operator)

    for version, log in (("1.0", "v2"), ("1.1", "v1")):
        done = operator.job(version, config=trust / log / "trust_config.json")
        assert done.returncode == 0, done.stdout
    early, first, second = (_consumer(operator, name) for name in ("early", "first", "second"))
    for consumer in (early, first):
        operator.must(CONSUMER, where=consumer)
    installed = list((operator.home / "env").glob("lib/python*/site-packages/acme_widgets-1.1.dist-info"))
    assert len(installed) == 1
    _second_root(operator, second)
    stale = shutil.copyfile(trust / "v2" / "trust_config.json", operator.home / "stale.json")

    operator.must(NEXT)
    operator.restarts(NEXT, "ct-log")
    for consumer, more in ((first, ""), (second, " --sigstore internal")):
        shutil.copyfile(trust / "trusted_root.json", consumer / "new_root.json")
        operator.must(f"{UPDATE}{more}", where=consumer)
    between = operator.job("1.2", config=trust / "v2" / "trust_config.json")
    operator.must(SWITCH)
    operator.restarts(SWITCH, "ct-log", "fulcio")
    refused = operator.job("1.3", config=stale, is_signed_only=True)
    after = operator.job("1.3", config=trust / "v2" / "trust_config.json")

    assert (between.returncode, after.returncode) == (0, 0), between.stdout + after.stdout
    assert (refused.returncode, "[unverifiable-signature]" in refused.stdout) == (3, True), refused.stdout
    for version, code in (("1.0", 0), ("1.2", 0), ("1.3", 0)):
        for consumer in (first, second):
            done = operator.verifies(consumer, version)
            assert done.returncode == code, done.stdout
    unheard = operator.verifies(early, "1.3")
    assert (unheard.returncode, "[bad-certificate-chain]" in unheard.stdout) == (1, True), unheard.stdout

    operator.must(BACKUP)
    with tarfile.open(operator.home / "sigstore-keys.tar") as kept:
        assert {"keys/ca.key", "keys/ca.pem", "secrets/ca", "trees/ct"} <= set(kept.getnames())
    _what_fails(operator, trust, first)


def _consumer(operator: Operator, name: str) -> Path:
    """Return the directory of a consumer who was handed the root."""
    made = operator.home / name
    made.mkdir()
    shutil.copyfile(operator.directory / "trust" / "trusted_root.json", made / "trusted_root.json")
    return made


def _second_root(operator: Operator, where: Path) -> None:
    """Add the root to a trust file that has one already: here the stack's, of which nothing is asked."""
    from interop.stack.places import TRUST as OTHER

    (where / "trusted_root.json").rename(where / "internal_root.json")
    public = (OTHER / "trusted_root.json").read_bytes()
    (where / "trusted_root.json").write_bytes(public)
    (where / "pytrust.toml").write_text(
        'version = 1\n\n[sigstore]\ntrusted-root = "trusted_root.json"\n'
        f'trusted-root-sha256 = "{hashlib.sha256(public).hexdigest()}"\nissuers = ["https://gitlab.com"]\n',
        encoding="utf-8",
    )
    url = {"GITLAB_URL": operator.gitlab.gitlab_url, "GITLAB_TOKEN": operator.token}
    operator.must(SECOND_ROOT, where=where, **url)
    assert 'sigstore = "internal"' in (where / "pytrust.toml").read_text(encoding="utf-8")


def _no_secret_is_seen(operator: Operator) -> None:
    """No command line, environment or log has a password in it."""
    secrets = [
        path.read_text(encoding="ascii").strip() for path in (operator.directory / "secrets").iterdir()
    ]
    seen = "".join(
        path.read_text(encoding="utf-8", errors="replace") for path in (operator.home / "said").iterdir()
    )
    found = list(operator.running())
    for pid, words in found:
        seen += "\0".join(words) + Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")

    assert len(found) == len(_PROGRAMS)
    assert len(secrets) == 4
    assert [secret for secret in secrets if secret in seen] == []
    private = [*(operator.directory / "conf").iterdir(), *(operator.directory / "keys").iterdir()]
    assert [path for path in private if path.stat().st_mode & 0o077] == []


def _what_fails(operator: Operator, trust: Path, consumer: Path) -> None:
    """Check the page's table of failures: strangers, and then one server after the other."""
    config = trust / "v2" / "trust_config.json"
    with Sandbox() as other:
        stranger = replace(operator, gitlab=other, project=other.project("acme/widgets"))
        done = stranger.job("1.4", config=config, is_signed_only=True)
    assert (done.returncode, "[signing-failed]" in done.stdout) == (3, True), done.stdout
    done = operator.types("pip-warden sign *.whl", where=_last(operator), **_token(operator))
    assert (done.returncode, "[unknown-issuer]" in done.stdout) == (2, True), done.stdout
    theirs = operator.home / "theirs"
    theirs.mkdir()
    operator.gitlab.write_trust(theirs)
    done = operator.job("1.5", config=theirs / "trust_config.json")
    assert done.returncode == 0, done.stdout
    done = operator.verifies(consumer, "1.5")
    assert (done.returncode, "[bad-certificate-chain]" in done.stdout) == (1, True), done.stdout
    for name, code in (
        ("timestamps", "no-timestamp"),
        ("fulcio", "signing-failed"),
        ("rekor-v2", "signing-failed"),
    ):
        operator.ends(name)
        done = operator.job("1.4", config=config)
        assert (done.returncode, f"[{code}]" in done.stdout) == (3, True), (name, done.stdout)
        operator.must(f"./sigstore.sh serve {name} &\n./sigstore.sh await {name}")
    for name in reversed(_PROGRAMS):
        operator.ends(name)
    offline = operator.verifies(consumer, "1.3")
    assert offline.returncode == 0, offline.stdout
    with (consumer / "trusted_root.json").open("ab") as root:
        root.write(b"\n")
    changed = operator.verifies(consumer, "1.3")
    assert (changed.returncode, "[trusted-root-digest]" in changed.stdout) == (3, True), changed.stdout


def _last(operator: Operator) -> Path:
    """Return the directory of the last job's files: checkouts are counted."""
    return max(operator.home.glob("checkouts/*/dist"), key=lambda path: int(path.parent.name.split("-")[-1]))


def _token(operator: Operator) -> dict[str, str]:
    return {"SIGSTORE_ID_TOKEN": operator.gitlab.job(operator.project, tag="v1.4").id_token()}


def test_the_claims_are_those_of_fulcios_own_template() -> None:
    """Only where the text is written differs: what a certificate says of a job is the same."""
    stock = (FILES / "fulcio.yaml").read_text(encoding="utf-8")
    (theirs,) = re.findall(r"(?ms)^  \*gitlab-type:\n(.*?)(?=^  \*)", stock)
    ours = (EXAMPLE / "fulcio.yaml").read_text(encoding="utf-8").partition("  gitlab-pipeline:\n")[2]
    theirs = re.sub(r"(?m)^ *#.*\n", "", theirs).replace("https://gitlab.com", "${GITLAB}")

    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())


@pytest.mark.parametrize(
    ("words", "changed", "said"),
    [
        ("serve fulcio", "GITLAB", "expected a value of GITLAB for fulcio.yaml, found none"),
        ("serve ct-log", "", "expected a value of CT_TREE for ctlog.cfg, found none"),
        ("serve rekor-v3", "", "or rekor-v2, found rekor-v3"),
        ("next rekor1", "", "expected ca or tsa, found rekor1"),
        ("switch ca", "", "expected a next ca in "),
        ("next ca && ./sigstore.sh next ca", "", "expected no next ca yet, found one in "),
        ("", "", "switch KIND, found nothing"),
    ],
)
def test_what_the_script_refuses(words: str, changed: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "self-managed")
    places = {"DIR": tmp_path / "lib", "BIN": tmp_path / "nothing"} | ({changed: ""} if changed else {})
    text = filled((EXAMPLE / "settings").read_text(encoding="utf-8"), places)
    (tmp_path / "self-managed" / "settings").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["bash", "-c", f"./sigstore.sh keys && ./sigstore.sh {words}"],
        cwd=tmp_path / "self-managed",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("sigstore.sh: expected ")
    assert said in done.stderr.splitlines()[-1]


def test_keys_are_made_once(tmp_path: Path) -> None:
    """Another run would begin another Sigstore, and lose this one."""
    text = filled((EXAMPLE / "settings").read_text(encoding="utf-8"), {"DIR": tmp_path / "lib"})
    (tmp_path / "settings").write_text(text, encoding="utf-8")
    words, given = [str(EXAMPLE / "sigstore.sh"), "keys"], {"SIGSTORE_SETTINGS": str(tmp_path / "settings")}
    states = []
    for _ in range(2):
        subprocess.run(words, env=os.environ | given, check=True, capture_output=True)
        files = [path for path in sorted((tmp_path / "lib").rglob("*")) if path.is_file()]
        states.append({str(path): path.read_bytes() for path in files})

    assert states[0] == states[1]
