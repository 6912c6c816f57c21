"""Credentials belong to origins, and each route gets the header it accepts."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.display import escape_text
from pip_warden.errors import NetworkError, UsageError
from pip_warden.transport import (
    Credentials,
    credentials_from_environment,
    origin_of,
    settings_from_environment,
)
from pip_warden.transport.secret import Credential, CredentialKind, Secret

CI = {"CI_JOB_TOKEN": "job-s3cret", "CI_API_V4_URL": "https://gitlab.example.com/api/v4"}
API = "https://gitlab.example.com/api/v4/projects/acme%2Fwidgets"


def _sent(credentials: Credentials, url: str) -> str:
    header = credentials.for_request(url)
    if header is None:
        return ""
    value = header.value.reveal()
    if header.name == "Authorization":
        value = "Basic " + base64.b64decode(value.removeprefix("Basic ")).decode()
    return f"{header.name}: {value}"


def _from(environ: dict[str, str], **more: object) -> Credentials:
    return credentials_from_environment(environ, use_keyring=False, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (f"{API}/packages/pypi/simple/x", "Authorization: Basic gitlab-ci-token:job-s3cret"),
        (f"{API}/packages/generic/x/1/f", "JOB-TOKEN: job-s3cret"),
        (f"{API}/packages/7/package_files", "JOB-TOKEN: job-s3cret"),
        (f"{API}/packages", "JOB-TOKEN: job-s3cret"),
        ("https://gitlab.example.com/api/v4/groups/acme/packages", ""),
        ("https://gitlab.example.com/acme/widgets", ""),
        ("https://gitlab.example.com:8443/api/v4/projects/1", ""),
        ("https://gitlab.com/api/v4/projects/1", ""),
        ("https://gitlab.example.com.evil.example/api/v4/projects/1", ""),
        ("https://pypi.org/simple/x/", ""),
    ],
)
def test_t31_a_job_token_goes_to_its_own_instance_in_the_right_dress(url: str, sent: str) -> None:
    assert _sent(_from(CI), url) == sent


def test_a_personal_token_is_basic_for_pypi_and_a_header_elsewhere() -> None:
    held = _from(CI | {"GITLAB_TOKEN": "glpat-x", "CI_SERVER_URL": "https://gitlab.example.com"})

    assert _sent(held, f"{API}/packages/pypi/simple/x") == "Authorization: Basic __token__:glpat-x"
    assert _sent(held, f"{API}/packages/generic/x/1/f") == "PRIVATE-TOKEN: glpat-x"
    assert _sent(held, "https://gitlab.example.com/api/v4/groups/a/packages") == "PRIVATE-TOKEN: glpat-x"


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, "gitlab.com"),
        ({"CI_SERVER_URL": "https://ci.example"}, "ci.example"),
        ({"CI_SERVER_URL": "https://ci.example", "GITLAB_URL": "https://own.example/gitlab"}, "own.example"),
    ],
)
def test_t31_a_personal_token_goes_to_one_instance_only(environ: dict[str, str], host: str) -> None:
    held = _from(environ | {"GITLAB_TOKEN": "glpat-x"})

    reached = {
        each
        for each in ("gitlab.com", "ci.example", "own.example")
        if _sent(held, f"https://{each}/api/v4/projects/1")
    }
    assert reached == {host}


def test_b14_a_token_file_belongs_to_one_host(tmp_path: Path) -> None:
    for name, text in {"bare": "gldt-1\n", "login": "deploy:gldt-2"}.items():
        (tmp_path / name).write_text(text)
    sources = {"acme": "https://gitlab.example.com", "internal": "https://pypi.internal/simple"}
    token_files = {"gitlab.example.com": tmp_path / "login", "pypi.internal:443": tmp_path / "bare"}
    held = _from({}, sources=sources, token_files=token_files)

    assert _sent(held, f"{API}/packages/pypi/simple/x") == "Authorization: Basic deploy:gldt-2"
    assert _sent(held, f"{API}/packages/generic/x/1/f") == "Authorization: Basic deploy:gldt-2"
    assert _sent(held, f"{API}/packages") == ""
    assert _sent(held, "https://pypi.internal/simple/x/") == "Authorization: Basic __token__:gldt-1"
    assert _sent(held, "https://pypi.org/simple/x/") == ""
    assert _sent(held, "https://gitlab.example.com:8443/api/v4/projects/1/packages/pypi/simple/x") == ""


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("https://gitlab.example.com", "https://gitlab.example.com"),
        ("GitLab.Example.com", "https://gitlab.example.com/gitlab"),
        ("gitlab.example.com:8443", "https://gitlab.example.com:8443"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("localhost", "http://localhost"),
        ("gitlab", "https://gitlab"),
        ("acme:443", "https://acme"),
    ],
)
def test_b14_how_a_host_is_named(tmp_path: Path, named: str, url: str) -> None:
    (tmp_path / "t").write_text("glpat-1")
    sources = {"acme": url, "other": "https://elsewhere.example"}

    held = _from({}, sources=sources, token_files={named: tmp_path / "t"})

    assert _sent(held, f"{url}/api/v4/projects/1/packages") == "PRIVATE-TOKEN: glpat-1"
    assert _sent(held, "https://elsewhere.example/api/v4/projects/1/packages") == ""


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("acme", "token-file"),
        ("pypi", "token-file"),
        ("gitlab.example.com", "unknown-source"),
        ("evil.example:8443", "unknown-source"),
        ("evil.example.", "unknown-source"),
        ("sub.evil.example", "unknown-source"),
        ("example", "unknown-source"),
        ("https://gitlab.example.com", "unknown-source"),
        ("http://evil.example", "bad-server-url"),
        ("https://evil.example@gitlab.example.com", "bad-server-url"),
        ("evil.example/x", "token-file"),
        ("user@evil.example", "token-file"),
        ("evil.example:", "token-file"),
        ("evil.example:99999", "bad-server-url"),
        ("evil.example?", "token-file"),
        ("evil.example\\", "token-file"),
        ("*", "token-file"),
        ("", "token-file"),
        (" evil.example", "token-file"),
    ],
)
def test_b14_a_changed_url_moves_no_token(tmp_path: Path, named: str, code: str) -> None:
    """A merge request moves the source's URL to a foreign host: the token goes there under no spelling."""
    (tmp_path / "t").write_text("glpat-1")
    sources = {"acme": "https://evil.example", "pypi": "https://pypi.org/simple"}

    with pytest.raises(UsageError) as caught:
        _from({}, sources=sources, token_files={named: tmp_path / "t"})

    assert caught.value.code == code


def test_b14_the_old_form_is_answered_with_the_new_one(tmp_path: Path) -> None:
    sources = {"acme": "https://gitlab.example.com/gitlab", "here": "http://127.0.0.1:8080"}
    said = []
    for name in sources:
        with pytest.raises(UsageError) as caught:
            _from({}, sources=sources, token_files={name: tmp_path / "t"})
        said.append(caught.value.message)

    assert f"`--token-file gitlab.example.com={tmp_path}/t`" in said[0]
    assert f"`--token-file 127.0.0.1:8080={tmp_path}/t`" in said[1]


def test_b14_a_source_that_is_named_like_a_host_is_none(tmp_path: Path) -> None:
    """A source named like a host, with a URL elsewhere, does not get the token of that host."""
    (tmp_path / "t").write_text("glpat-1")
    good, evil = "https://gitlab.example.com", "https://evil.example"
    held = _from(
        {},
        sources={"gitlab.example.com": evil, "acme": good},
        token_files={"gitlab.example.com": tmp_path / "t"},
    )

    assert _sent(held, f"{good}/api/v4/projects/1/packages") == "PRIVATE-TOKEN: glpat-1"
    assert _sent(held, f"{evil}/api/v4/projects/1/packages") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "unreadable-token-file"),
        ("a\nb", "unreadable-token-file"),
        ("a b", "bad-token"),
        ("u:", "bad-token"),
        ("é", "bad-token"),
    ],
)
def test_a_bad_token_file_is_told_without_its_contents(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "t").write_text(text)

    with pytest.raises(UsageError) as caught:
        _from({}, sources={"a": "https://a.example"}, token_files={"a.example": tmp_path / "t"})

    assert caught.value.code == code


def test_a_token_needs_a_source_and_a_secure_server(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as unknown:
        _from({}, token_files={"gitlab.example.com": tmp_path})
    with pytest.raises(UsageError) as insecure:
        _from({"GITLAB_TOKEN": "x", "GITLAB_URL": "http://gitlab.example.com"})

    assert (unknown.value.code, insecure.value.code) == ("unknown-source", "bad-server-url")


def test_netrc_is_read_but_not_its_default(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(
        "machine gitlab.example.com login me password glpat-n\nmachine Pypi.Internal login u password p\n"
        "default login d password for-everyone\n"
    )
    held = _from({"HOME": str(tmp_path)})

    assert _sent(held, f"{API}/packages/pypi/simple/x") == "Authorization: Basic me:glpat-n"
    assert _sent(held, f"{API}/packages") == "PRIVATE-TOKEN: glpat-n"
    assert _sent(held, "https://pypi.internal/simple/x/") == "Authorization: Basic u:p"
    assert _sent(held, "https://elsewhere.example/") == ""


def test_a_faulty_netrc_is_told_without_its_contents(tmp_path: Path) -> None:
    (tmp_path / "n").write_text("machine a login b password c hunter2\n")

    with pytest.raises(UsageError) as caught:
        _from({"NETRC": str(tmp_path / "n")})

    assert caught.value.code == "bad-netrc"
    assert "hunter2" not in caught.value.message
    assert caught.value.__cause__ is None


def test_the_keyring_is_asked_last_and_only_for_known_sources() -> None:
    asked: list[str] = []

    def look_up(host: str) -> Credential:
        asked.append(host)
        return Credential(kind=CredentialKind.LOGIN, secret=Secret("k"), user="u")

    held = Credentials(lookup=look_up, known=frozenset({origin_of("https://pypi.internal/simple")}))

    assert _sent(held, "https://pypi.internal/simple/x/") == "Authorization: Basic u:k"
    assert _sent(held, "https://files.example/x") == ""
    assert asked == ["pypi.internal"]


def test_t31_nothing_prints_a_secret() -> None:
    held = _from(CI)
    header = held.for_request(f"{API}/packages/pypi/simple/x")

    for text in (repr(held), repr(header), str(Secret("job-s3cret")), f"{Secret('job-s3cret')}"):
        assert "job-s3cret" not in text
        assert base64.b64encode(b"gitlab-ci-token:job-s3cret").decode() not in text


@pytest.mark.parametrize("url", ["https://gitlab.example.com:0/x", "https://gitlab.example.com:00/x"])
def test_b14_port_zero_is_no_port(url: str) -> None:
    """It must not be read as the default port: a token would be held for an origin that was never named."""
    with pytest.raises(NetworkError) as caught:
        origin_of(url)
    assert (caught.value.code, caught.value.exit_code) == ("insecure-url", 3)


@given(st.text())
def test_t14_any_text_is_an_origin_or_an_error_of_ours(url: str) -> None:
    error: NetworkError | None = None
    try:
        origin = origin_of(url)
        assert origin.scheme == "https" or origin.is_loopback
    except NetworkError as err:
        error = err

    if error is not None:
        assert error.code == "insecure-url"
        assert escape_text(error.message, 10_000) == error.message


def test_settings_come_from_both_spellings(tmp_path: Path) -> None:
    settings = settings_from_environment(
        {
            "https_proxy": "http://u:pw@proxy:3128",
            "HTTP_PROXY": "proxy2:80",
            "NO_PROXY": ".internal, 10.0.0.0/8,host:81",
        }
    )

    assert settings.proxies_for(origin_of("https://a.example")) == {"https": "http://u:pw@proxy:3128"}
    assert settings.proxies_for(origin_of("https://a.internal")) == {}
    assert settings.proxies_for(origin_of("https://internal")) == {}
    assert settings.proxies_for(origin_of("https://xinternal")) != {}
    assert settings.proxies_for(origin_of("https://10.1.2.3")) == {}
    assert settings.proxies_for(origin_of("https://host:81")) == {}
    assert settings.proxies_for(origin_of("https://host")) != {}
    assert settings.proxies_for(origin_of("http://localhost")) == {}
    assert "pw" not in repr(settings)


@pytest.mark.parametrize("value", ["socks5://a:1", "http://", "http://a:x"])
def test_a_proxy_is_http(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_from_environment({"HTTPS_PROXY": value})

    assert caught.value.code == "bad-proxy"


def test_the_header_called_proxy_is_no_proxy() -> None:
    assert settings_from_environment({"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}).proxies == ()


def test_the_runners_authority_is_trusted_beside_the_usual_ones() -> None:
    runner = {"CI_SERVER_TLS_CA_FILE": "/ci.pem"}

    assert settings_from_environment(runner).extra_ca_file == Path("/ci.pem")
    assert settings_from_environment(runner | {"SSL_CERT_FILE": "/s.pem"}).extra_ca_file is None
    assert settings_from_environment(
        {"SSL_CERT_FILE": "/s.pem", "REQUESTS_CA_BUNDLE": "/r.pem"}
    ).ca_file == Path("/r.pem")
    assert settings_from_environment({"SSL_CERT_FILE": "/s.pem"}, cert=Path("/c.pem")).ca_file == Path(
        "/c.pem"
    )
