"""The servers of a Sigstore, in the order in which they need each other."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from interop.stack import keys
from interop.stack.install import found
from interop.stack.places import BIN, FILES, HOST, KEYS, STATE, TRUST, Port
from interop.stack.supervisor import Service, StackError

ISSUER = Port.GITLAB.url
CT_PREFIX = "stack"
_MYSQL, _SOCKET, _TREES = STATE / "mysql", STATE / "mysql.sock", STATE / "trees"
_USER = "stack:stack"
_TRILLIAN = (
    "--storage_system=mysql",
    "--quota_system=noop",
    f"--mysql_uri={_USER}@tcp({HOST}:{Port.MYSQL})/trillian",
)


def services() -> tuple[Service, ...]:
    """Return every service, in the order in which to start them."""
    return (
        _mysql(),
        _trillian_server(),
        _trillian_signer(),
        _ct_log(),
        gitlab(),
        _fulcio(),
        # Before any Rekor v1: both want port 2112 for metrics, and only Rekor can do without.
        _timestamps(),
        rekor_v1("rekor-v1", Port.REKOR1),
        rekor_v2("rekor-v2", Port.REKOR2, Port.REKOR2_GRPC, Port.REKOR2_METRICS),
        _tuf(),
    )


def gitlab() -> Service:
    """Return the sandbox's GitLab: the issuer that Fulcio knows. A test replaces it by its own."""
    command = ("sandbox", f"--port={Port.GITLAB.value}", f"--directory={STATE / 'sandbox'}")
    return Service(
        name="gitlab",
        command=lambda: [str(Path(sys.executable).with_name("pip-warden")), *command],
        ready=_answers(f"{ISSUER}/.well-known/openid-configuration"),
    )


def rekor_v1(name: str, port: Port) -> Service:
    """Return a Rekor v1 with a tree of its own."""

    def command() -> list[str]:
        return [
            str(BIN / "rekor-server"),
            "serve",
            f"--rekor_server.address={HOST}",
            f"--rekor_server.hostname={HOST}",
            f"--rekor_server.signer={KEYS / 'rekor1.key'}",
            f"--port={port.value}",
            f"--trillian_log_server.address={HOST}",
            f"--trillian_log_server.port={Port.TRILLIAN.value}",
            f"--trillian_log_server.tlog_id={_tree(name)}",
            "--search_index.storage_provider=mysql",
            f"--search_index.mysql.dsn={_USER}@tcp({HOST}:{Port.MYSQL})/rekor_index",
            "--enable_retrieve_api=true",
        ]

    return Service(name=name, command=command, ready=_answers(f"{port.url}/api/v1/log"))


def rekor_v2(name: str, port: Port, grpc: Port, metrics: Port) -> Service:
    """Return a Rekor v2 with a storage of its own."""
    command = [
        str(BIN / "posix"),
        "serve",
        f"--http-port={port.value}",
        f"--grpc-port={grpc.value}",
        f"--http-metrics-port={metrics.value}",
        f"--hostname={HOST}",  # the checkpoint's origin; Go clients expect the host of the log's URL
        f"--storage-dir={STATE / name}",
        f"--signer-filepath={KEYS / 'rekor2.key'}",
        "--checkpoint-interval=200ms",
        "--batch-max-age=50ms",
    ]
    return Service(
        name=name,
        command=lambda: command,
        ready=_answers(f"{port.url}/healthz"),
        before=lambda: (STATE / name).mkdir(exist_ok=True),
    )


def fresh(name: str) -> Service:
    """Return the second Rekor of a version, ``fresh-v1`` or ``fresh-v2``, for tests that need an empty log.

    It has the keys of the first.
    """
    if name == "fresh-v1":
        return rekor_v1(name, Port.FRESH_REKOR1)
    return rekor_v2(name, Port.FRESH_REKOR2, Port.FRESH_REKOR2_GRPC, Port.FRESH_REKOR2_METRICS)


def forget(name: str) -> None:
    """Delete a stopped log's entries, so that the next one of its name begins empty."""
    (_TREES / name).unlink(missing_ok=True)
    shutil.rmtree(STATE / name, ignore_errors=True)


def _mysql() -> Service:
    me = getpass.getuser()
    where = ("--no-defaults", f"--datadir={_MYSQL}")

    def before() -> None:
        if not (_MYSQL / "mysql").exists():
            shutil.rmtree(_MYSQL, ignore_errors=True)
            install = ("--auth-root-authentication-method=normal", "--skip-test-db", f"--user={me}")
            _run(_program("mariadb-install-db"), *where, *install)

    def ready() -> bool:
        return _sql("SELECT 1").returncode == 0

    def after() -> None:
        if "Trees" in _sql("SHOW TABLES FROM trillian").stdout:
            return
        statements = [
            f"CREATE DATABASE IF NOT EXISTS {name}; "
            f"GRANT ALL ON {name}.* TO 'stack'@'{HOST}' IDENTIFIED BY 'stack';"
            for name in ("trillian", "rekor_index")
        ]
        schema = (FILES / "trillian.sql").read_text(encoding="utf-8")
        result = _sql("\n".join([*statements, "USE trillian;", schema]))
        if result.returncode:
            raise StackError(f"the databases cannot be made: {result.stderr}")

    return Service(
        name="mysql",
        command=lambda: [
            _program("mariadbd"),
            *where,
            f"--socket={_SOCKET}",
            f"--port={Port.MYSQL.value}",
            f"--bind-address={HOST}",
            f"--user={me}",
        ],
        ready=ready,
        before=before,
        after=after,
    )


def _trillian_server() -> Service:
    rpc, http = Port.TRILLIAN, Port.TRILLIAN_HTTP
    return Service(
        name="trillian-server",
        command=lambda: [str(BIN / "trillian_log_server"), *_TRILLIAN, *_endpoints(rpc, http)],
        ready=_answers(f"{http.url}/healthz"),
    )


def _trillian_signer() -> Service:
    rpc, http = Port.SIGNER, Port.SIGNER_HTTP
    pace = ("--force_master", "--sequencer_interval=100ms", "--batch_size=200")
    return Service(
        name="trillian-signer",
        command=lambda: [str(BIN / "trillian_log_signer"), *_TRILLIAN, *_endpoints(rpc, http), *pace],
        ready=_answers(f"{http.url}/healthz"),
    )


def _endpoints(rpc: Port, http: Port) -> tuple[str, str]:
    return f"--rpc_endpoint={HOST}:{rpc.value}", f"--http_endpoint={HOST}:{http.value}"


def _ct_log() -> Service:
    config = STATE / "ctfe.cfg"

    def before() -> None:
        key = (
            "[type.googleapis.com/keyspb.PEMKeyFile] "
            f'{{ path: "{KEYS / "ct.key"}" password: "{keys.PASSWORD}" }}'
        )
        config.write_text(
            f'config {{ log_id: {_tree("ct")} prefix: "{CT_PREFIX}" roots_pem_file: "{KEYS / "ca.pem"}"\n'
            f'  private_key {{ {key} }}\n  ext_key_usages: "CodeSigning" }}\n',
            encoding="utf-8",
        )

    return Service(
        name="ct-log",
        command=lambda: [
            str(BIN / "ct_server"),
            f"--log_config={config}",
            f"--log_rpc_server={HOST}:{Port.TRILLIAN.value}",
            f"--http_endpoint={HOST}:{Port.CT.value}",
        ],
        ready=_answers(f"{Port.CT.url}/{CT_PREFIX}/ct/v1/get-sth"),
        before=before,
    )


def _fulcio() -> Service:
    config, socket = STATE / "fulcio.yaml", STATE / "fulcio.sock"

    def before() -> None:
        socket.unlink(missing_ok=True)  # a stale one stops Fulcio
        config.write_text(
            _fulcio_config((FILES / "fulcio.yaml").read_text(encoding="utf-8")), encoding="utf-8"
        )

    return Service(
        name="fulcio",
        command=lambda: [
            str(BIN / "fulcio"),
            "serve",
            f"--host={HOST}",
            f"--port={Port.FULCIO.value}",
            f"--grpc-host={HOST}",
            f"--grpc-port={Port.FULCIO_GRPC.value}",
            f"--metrics-port={Port.FULCIO_METRICS.value}",
            "--ca=fileca",
            f"--fileca-cert={KEYS / 'ca.pem'}",
            f"--fileca-key={KEYS / 'ca.key'}",
            f"--fileca-key-passwd={keys.PASSWORD}",
            "--fileca-watch=false",
            f"--ct-log-url={Port.CT.url}/{CT_PREFIX}",
            f"--ct-log-public-key-path={KEYS / 'ct.pub'}",
            f"--config-path={config}",
            f"--legacy-unix-domain-socket={socket}",
        ],
        ready=_answers(f"{Port.FULCIO.url}/api/v2/configuration"),
        before=before,
    )


def _fulcio_config(stock: str) -> str:
    """Return Fulcio's own configuration with our one issuer instead of the public ones; templates stay."""
    issuer = (
        "oidc-issuers:\n"
        f"  {ISSUER}:\n"
        f"    issuer-url: {ISSUER}\n"
        "    client-id: sigstore\n"
        "    type: ci-provider\n"
        "    ci-provider: *gitlab-type\n"
    )
    text, issuers = re.subn(
        r"^oidc-issuers:.*?(?=^ci-issuer-metadata:)", issuer, stock, flags=re.DOTALL | re.MULTILINE
    )
    text, urls = re.subn(r'url: "https://gitlab\.com"', f'url: "{ISSUER}"', text)
    if (issuers, urls) != (1, 1):
        raise StackError("Fulcio's stock configuration is not as expected")
    return text


def _timestamps() -> Service:
    return Service(
        name="timestamps",
        command=lambda: [
            str(BIN / "timestamp-server"),
            "serve",
            f"--host={HOST}",
            f"--port={Port.TSA.value}",
            "--timestamp-signer=file",
            f"--file-signer-key-path={KEYS / 'tsa.key'}",
            f"--certificate-chain-path={KEYS / 'tsa-chain.pem'}",
            "--disable-ntp-monitoring",
            f"--socket-path={STATE / 'timestamps.sock'}",
        ],
        ready=_answers(f"{Port.TSA.url}/ping"),
    )


def _tuf() -> Service:
    """Return the TUF server of the trust root, for the one client that takes it in no other way."""
    from interop.stack import trust

    serve = ("-m", "http.server", "--bind", HOST, "--directory", str(TRUST / "tuf"), str(Port.TUF.value))
    return Service(
        name="tuf",
        command=lambda: [sys.executable, *serve],
        ready=_answers(f"{Port.TUF.url}/1.root.json"),
        before=trust.make,
    )


def _tree(name: str) -> str:
    """Return the id of a tree in Trillian, created on first use."""
    file = _TREES / name
    if not file.exists():
        _TREES.mkdir(exist_ok=True)
        file.write_text(
            _run(str(BIN / "createtree"), f"--admin_server={HOST}:{Port.TRILLIAN.value}").strip(),
            encoding="ascii",
        )
    return file.read_text(encoding="ascii")


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own loopback URLs
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return ready


def _sql(statements: str) -> subprocess.CompletedProcess[str]:
    client = [_program("mariadb"), "--no-defaults", f"--socket={_SOCKET}", "--user=root"]
    return subprocess.run(client, input=statements, capture_output=True, text=True, check=False)


def _program(name: str) -> str:
    where = found(name)
    if where is None:
        raise StackError(f"{name} is not there")
    return where


def _run(*words: str) -> str:
    result = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)
    if result.returncode:
        raise StackError(f"{' '.join(words)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout
