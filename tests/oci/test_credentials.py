"""Which registry gets which credentials: each is for its own host and port, and none is shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import WardenError
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.docker_config import place_of
from pip_warden.oci.names import parse_repository

HOST = "registry.example.com:5050"
IMAGE = parse_repository(f"{HOST}/group/project/image")
SECRET = "very-secret-0123"
Written = Callable[..., dict[str, str]]


def _auth(text: str = f"me:{SECRET}") -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a config.json, and return an environment that leads there."""

    def write(content: object) -> dict[str, str]:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        return {"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path / "bin")}

    return write


@pytest.fixture
def helper(tmp_path: Path) -> Callable[[str], None]:
    """Write ``docker-credential-good``, which finds nothing on PATH but itself."""

    def write(script: str) -> None:
        path = tmp_path / "bin" / "docker-credential-good"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    return write


def _held(environ: dict[str, str], **token_files: Path) -> str | None:
    """Return ``USER:PASSWORD``, None where nothing is held."""
    held = RegistryCredentials(environ=environ, token_files=token_files).login(IMAGE)
    assert SECRET not in repr(held)
    if held is None:
        return None
    return base64.b64decode(held.header.value.reveal().removeprefix("Basic ")).decode()


def _failure(environ: dict[str, str]) -> WardenError:
    with pytest.raises(WardenError) as caught:
        _held(environ)
    shown = f"{caught.value}{caught.value.hint}{caught.value.__cause__}"
    assert SECRET not in shown
    assert base64.b64encode(SECRET.encode()).decode()[:12] not in shown
    assert "\x1b" not in shown
    return caught.value


def test_nothing_is_read_but_what_is_passed_in(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in written({"auths": {HOST: _auth()}}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CI_REGISTRY", HOST)
    monkeypatch.setenv("CI_JOB_TOKEN", SECRET)

    assert _held({}) is None


@pytest.mark.parametrize("registry", [HOST, HOST.upper()])
def test_a_job_token_is_for_ci_registry(registry: str) -> None:
    assert _held({"CI_REGISTRY": registry, "CI_JOB_TOKEN": SECRET}) == f"gitlab-ci-token:{SECRET}"


@pytest.mark.parametrize(
    "registry",
    [
        "",
        "registry.example.com",
        "registry.example.com:5051",
        "example.com:5050",
        "x.registry.example.com:5050",
        f"{HOST}/group",
        f"{HOST}.evil.example",
        f"evil.example/{HOST}",
    ],
)
def test_a_job_token_and_a_deploy_token_are_for_ci_registry_alone(registry: str) -> None:
    assert _held({"CI_REGISTRY": registry, "CI_JOB_TOKEN": SECRET}) is None
    assert _held({"CI_REGISTRY": registry, "CI_DEPLOY_USER": "u", "CI_DEPLOY_PASSWORD": SECRET}) is None
    credentials = RegistryCredentials(
        environ={"CI_REGISTRY": registry, "CI_SERVER_URL": "https://example.com"}
    )
    assert credentials.server(IMAGE.registry) is None


def test_the_usual_port_may_be_named_or_not() -> None:
    environ = {"CI_REGISTRY": "registry.example.com:443", "CI_JOB_TOKEN": SECRET}
    held = RegistryCredentials(environ=environ).login(parse_repository("registry.example.com/a"))

    assert held is not None


def test_on_this_machine_port_443_is_another_than_the_usual_one() -> None:
    credentials = RegistryCredentials(environ={"CI_REGISTRY": "localhost:443", "CI_JOB_TOKEN": SECRET})

    assert credentials.login(parse_repository("localhost:443/a")) is not None
    assert credentials.login(parse_repository("localhost/a")) is None


def test_a_deploy_token_is_used_where_there_is_no_job_token() -> None:
    deploy = {"CI_REGISTRY": HOST, "CI_DEPLOY_USER": "gitlab+deploy-token-1", "CI_DEPLOY_PASSWORD": SECRET}

    assert _held(deploy) == f"gitlab+deploy-token-1:{SECRET}"
    assert _held(deploy | {"CI_JOB_TOKEN": "job"}) == "gitlab-ci-token:job"
    assert _held(deploy | {"CI_DEPLOY_USER": ""}) is None


def test_a_job_token_that_is_none() -> None:
    err = _failure({"CI_REGISTRY": HOST, "CI_JOB_TOKEN": f"{SECRET}\n{SECRET}"})

    assert (err.code, err.exit_code) == ("bad-token", 2)


def test_the_server_of_a_job_has_a_url() -> None:
    credentials = RegistryCredentials(environ={"CI_REGISTRY": HOST, "CI_SERVER_URL": "http://example.com"})
    with pytest.raises(WardenError) as caught:
        credentials.server(HOST)
    assert (caught.value.code, caught.value.exit_code) == ("bad-server-url", 2)


@pytest.mark.parametrize(
    ("content", "expected"), [("me:tok", "me:tok"), ("tok", "__token__:tok"), ("me:tok\n", "me:tok")]
)
def test_a_token_file_comes_first(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "token"
    path.write_text(content, encoding="utf-8")
    job = {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": SECRET}

    assert _held(job, **{HOST: path}) == expected
    assert _held(job, **{"registry.example.com": path}) == f"gitlab-ci-token:{SECRET}"


@pytest.mark.parametrize(
    "key",
    [
        HOST,
        HOST.upper(),
        f"https://{HOST}",
        f"https://{HOST}/v1/",
        f"https://{HOST}/any/path",
        f"{HOST}/",
        f"{HOST}/v2/",
        f"{HOST}/group",
        f"{HOST}/group/project/image",
    ],
)
def test_docker_s_file_has_keys_in_several_spellings(written: Written, key: str) -> None:
    assert _held(written({"auths": {key: _auth()}, "unknown": [1]})) == f"me:{SECRET}"


@pytest.mark.parametrize(
    "key",
    [
        "registry.example.com",
        "https://registry.example.com",
        "registry.example.com:443",
        "example.com:5050",
        f"{HOST}0",
        f"{HOST}/gro",
        f"{HOST}/group/other",
        f"{HOST}/group/project/image/more",
        f"https://evil.example/{HOST}",
        f"https://evil.example://{HOST}",
        f"me@{HOST}",
        f".{HOST}",
        "",
    ],
)
def test_another_host_or_port_or_path_gets_nothing(written: Written, key: str) -> None:
    assert _held(written({"auths": {key: _auth()}})) is None


def test_the_narrowest_entry_counts(written: Written) -> None:
    entries = {HOST: _auth("wide:x"), f"{HOST}/group": _auth("narrow:y"), f"{HOST}/group/project": {}}

    assert _held(written({"auths": entries})) == "narrow:y"


def test_an_empty_entry_is_none(written: Written) -> None:
    assert _held(written({"auths": {HOST: {}}})) is None
    assert _held(written({"auths": {HOST: {"auth": ""}, f"https://{HOST}": _auth()}})) == f"me:{SECRET}"
    assert _held(written({"auths": None, "credHelpers": None, "credsStore": None})) is None


def test_a_password_may_have_colons_and_a_null_at_its_end(written: Written) -> None:
    assert _held(written({"auths": {HOST: _auth("me:a:b\0")}})) == "me:a:b"


def test_podman_s_file_comes_before_docker_s(written: Written, tmp_path: Path) -> None:
    environ = written({"auths": {HOST: _auth("docker:x")}}) | {
        "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")
    }
    assert _held(environ) == "docker:x"

    (tmp_path / "auth.json").write_text(json.dumps({"auths": {HOST: _auth("podman:x")}}), encoding="utf-8")
    assert _held(environ) == "podman:x"


def test_docker_s_file_is_at_home(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(
        json.dumps({"auths": {HOST: _auth()}}), encoding="utf-8"
    )

    assert _held({"HOME": str(tmp_path)}) == f"me:{SECRET}"
    assert _held({"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}) is None


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f'"{SECRET}"',
        "[]",
        f'{{"{SECRET}": 1, "{SECRET}": 2}}',
        '{"auths": {}} ' + " " * (1 << 20),
        {"auths": []},
        {"auths": {"other.example.com": SECRET}},
        {"auths": {HOST: {"auth": SECRET + "!"}}},
        {"auths": {HOST: {"auth": 5}}},
        {"auths": {HOST: {"auth": [SECRET]}}},
        {"auths": {HOST: _auth(SECRET)}},
        {"auths": {HOST: _auth(f":{SECRET}")}},
        {"auths": {HOST: _auth("me:")}},
        {"auths": {HOST: _auth(f"me:{SECRET}\x1b[31m")}},
        {"auths": {HOST: _auth(f"me\n:{SECRET}")}},
        {"auths": {HOST: {"auth": base64.b64encode(b"me:\xff").decode()}}},
        {"auths": {HOST: _auth() | {"identitytoken": SECRET}}},
        {"auths": {HOST: {"registrytoken": SECRET}}},
        {"credHelpers": "good"},
        {"credHelpers": {HOST: "../good"}},
        {"credHelpers": {HOST: "good good"}},
        {"credHelpers": {HOST: ["good"]}},
        {"credHelpers": {HOST: "good\n"}},
        {"credsStore": "Good"},
        {"credsStore": 5},
    ],
)
def test_a_faulty_file_is_told_without_its_contents(written: Written, content: object) -> None:
    err = _failure(written(content))

    assert (err.code, err.exit_code) == ("docker-config", 2)
    assert "config.json" in str(err)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()

    assert _failure({"DOCKER_CONFIG": str(tmp_path)}).code == "docker-config"


@pytest.mark.parametrize("configuration", [{"credHelpers": {HOST: "good"}}, {"credsStore": "good"}])
def test_a_helper_is_asked_for_the_host(
    written: Written, helper: Callable[[str], None], configuration: dict[str, object], tmp_path: Path
) -> None:
    environ = written(configuration | {"auths": {HOST: _auth("file:x")}}) | {"SEEN": str(tmp_path / "seen")}
    helper(
        'read -r host; echo "$1 $host" > "$SEEN"\n'
        f'echo \'{{"ServerURL": "x", "Username": "me", "Secret": "{SECRET}"}}\''
    )

    assert _held(environ) == f"me:{SECRET}"
    assert (tmp_path / "seen").read_text(encoding="utf-8") == f"get {HOST}\n"


def test_a_helper_of_another_host_is_not_run(written: Written, helper: Callable[[str], None]) -> None:
    helper("exit 1")

    assert _held(written({"credHelpers": {"registry.example.com": "good"}, "auths": {HOST: _auth()}})) == (
        f"me:{SECRET}"
    )


def test_a_helper_that_holds_nothing(written: Written, helper: Callable[[str], None]) -> None:
    helper("echo credentials not found in native keychain; exit 1")

    assert _held(written({"credsStore": "good"})) is None
    assert _held(written({"credsStore": "good", "auths": {HOST: _auth()}})) == f"me:{SECRET}"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (r"printf 'locked \033[31m' >&2; exit 2", "exit code 2: locked \\u001b[31m"),
        ("echo no keychain; exit 1", "exit code 1: no keychain"),
        (f'echo \'{{"Secret": "{SECRET}"}}\'; exit 1', "exit code 1"),
        (f"echo {SECRET}", "another answer"),
        ('echo \'{"Username": "me"}\'', "another answer"),
        ('echo \'{"Username": "me", "Secret": 5}\'', "another answer"),
        ('echo \'{"Username": "a:b", "Secret": "c"}\'', "another answer"),
        (f'echo \'{{"Username": "<token>", "Secret": "{SECRET}"}}\'', "an identity token"),
        (f'echo \'{{"Username": "{SECRET}", "Username": "b", "Secret": "c"}}\'', "another answer"),
    ],
)
def test_a_helper_that_fails(
    written: Written, helper: Callable[[str], None], script: str, found: str
) -> None:
    helper(script)

    err = _failure(written({"credsStore": "good"}))

    assert (err.code, err.exit_code) == ("credential-helper", 3)
    assert f"docker-credential-good get`, found {found}" in str(err)


def test_a_helper_that_is_missing_or_lies_in_the_working_directory(
    written: Written, helper: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(f'echo \'{{"Username": "me", "Secret": "{SECRET}"}}\'')
    environ = written({"credsStore": "good"})
    monkeypatch.chdir(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    without = {name: value for name, value in environ.items() if name != "PATH"}
    for elsewhere in (
        without,
        environ | {"PATH": "."},
        environ | {"PATH": ":"},
        environ | {"PATH": "/nowhere"},
    ):
        assert _failure(elsewhere).code == "credential-helper"


def test_a_helper_that_cannot_be_started(written: Written, tmp_path: Path) -> None:
    path = tmp_path / "bin" / "docker-credential-good"
    path.parent.mkdir()
    path.write_bytes(b"\x7fELF nothing")
    path.chmod(0o755)

    assert _failure(written({"credsStore": "good"})).code == "credential-helper"


def test_a_helper_that_never_answers(
    written: Written, helper: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper("read -r host; while :; do :; done")
    monkeypatch.setattr("pip_warden.oci.docker_config._PATIENCE", 0.1)

    assert "no answer" in str(_failure(written({"credsStore": "good"})))


@given(st.text(max_size=30))
def test_what_is_no_host_is_no_host_of_a_registry(text: str) -> None:
    assert place_of(text) != HOST or HOST in text.lower()


@pytest.mark.parametrize("host", ["localhost:443", "127.0.0.1:80", "Registry.Example.com:443", "[::1]:5000"])
def test_an_entry_is_of_the_registry_that_its_host_names(host: str) -> None:
    """Port 443 of this machine is another registry than its usual one, which is asked by http."""
    assert place_of(host) == place_of(f"https://{host}/v2/") == parse_repository(f"{host}/app").registry
