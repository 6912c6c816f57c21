"""Mirrors as settings and environment name them: checked as a whole, and never part of a trust file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pytest

import pip_warden
from pip_warden.errors import UsageError
from pip_warden.events import SILENT
from pip_warden.session.mirrors import mirrored, mirrors_of, places_of
from pip_warden.session.opening import open_parts
from pip_warden.session.settings import Settings
from pip_warden.trust.editing.render import render_source
from pip_warden.trust.model import Source, TrustFile

PYPI = Source(name="pypi", type="simple", url="https://pypi.org/simple")
TOOLS = Source(name="our-tools", type="simple", url="https://tools.example.com/simple")
GITLAB = Source(name="gitlab", type="gitlab", url="https://gitlab.com")
SOURCES = (PYPI, TOOLS, GITLAB)
MIRROR = "https://mirror.example.com/simple"


class Nothing:
    """A supply that offers nothing."""

    def page(self, _project: str, /) -> Iterable[str]:
        return ()

    def file(self, _filename: str, /) -> BinaryIO:
        raise FileNotFoundError

    def evidence(self, _filename: str, _sha256: str, /) -> Iterable[bytes]:
        return ()


def refusal(sources: tuple[Source, ...] = SOURCES, **more: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        mirrors_of(sources, Settings(**more))  # type: ignore[arg-type]
    return caught.value


def test_the_variable_is_the_sources_name_in_capitals() -> None:
    environ = {
        "PIP_WARDEN_MIRROR_OUR_TOOLS": MIRROR + "/",
        "PIP_WARDEN_MIRROR_pypi": "https://no.example.com",
    }
    assert mirrors_of(SOURCES, Settings(environ=environ)) == {"our-tools": MIRROR}


def test_what_is_said_comes_before_the_environment() -> None:
    environ = {"PIP_WARDEN_MIRROR_PYPI": "https://other.example.com"}
    assert mirrors_of(SOURCES, Settings(environ=environ, mirrors={"pypi": MIRROR})) == {"pypi": MIRROR}


def test_settings_without_the_environment_name_no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_WARDEN_MIRROR_PYPI", MIRROR)
    assert mirrors_of(SOURCES, Settings()) == {}
    assert mirrors_of(SOURCES, Settings.from_environment()) == {"pypi": MIRROR}


def test_a_mirror_of_a_gitlab_is_a_mistake() -> None:
    assert refusal(mirrors={"gitlab": MIRROR}).code == "bad-mirror"
    assert refusal(environ={"PIP_WARDEN_MIRROR_GITLAB": MIRROR}).code == "bad-mirror"


def test_a_mirror_of_nothing_is_a_mistake_where_it_was_named_for_this_run() -> None:
    assert refusal(mirrors={"pipy": MIRROR}).code == "bad-mirror"
    assert mirrors_of(SOURCES, Settings(environ={"PIP_WARDEN_MIRROR_PIPY": MIRROR})) == {}


@pytest.mark.parametrize(
    "option",
    [
        "https://me:hunter2@example.com/simple?x=1",
        "https://me:hunter2=x@example.com/simple",
        "hunter2@example.com=x",
        "pypi=me:hunter2@example.com/simple",
        "pypi=//me:hunter2@example.com/simple",
        "pypi=https:/me:hunter2@example.com/simple",
        "pypi=https://me:hunter2@example.com/simple",
        "pypi=me:hunter2://x@example.com",
    ],
)
def test_no_message_repeats_what_may_be_a_password(option: str) -> None:
    name, _, url = option.partition("=")
    refused = refusal(mirrors={name: url})
    assert "hunter2" not in refused.message + (refused.hint or "")
    refused = refusal(environ={"PIP_WARDEN_MIRROR_PYPI": option.removeprefix("pypi=") + "?"})
    assert "hunter2" not in refused.message + (refused.hint or "")


def test_a_mistyped_name_of_a_source_is_shown() -> None:
    assert "found 'pipy'" in refusal(mirrors={"pipy": MIRROR}).message


def test_a_variable_is_of_one_source_alone() -> None:
    twins = (*SOURCES, Source(name="our_tools", type="simple", url="https://tools.example.org/simple"))
    assert refusal(twins, environ={"PIP_WARDEN_MIRROR_OUR_TOOLS": MIRROR}).code == "bad-mirror"
    assert mirrors_of(twins, Settings(environ={"PIP_WARDEN_MIRROR_PYPI": MIRROR})) == {"pypi": MIRROR}


@pytest.mark.parametrize(
    "url",
    [
        "http://mirror.example.com/simple",
        "https://me:hunter2@mirror.example.com/simple",
        "https://mirror.example.com/simple?token=hunter2",
        "file:///srv/hunter2",
        "mirror.example.com",
        "https://mirror.example.com/a/../b",
    ],
)
def test_a_mirror_is_a_plain_https_url_and_no_secret_is_repeated(url: str) -> None:
    fault = refusal(mirrors={"pypi": url})
    assert fault.code == "invalid-url"
    if "@" in url or "?" in url:
        assert "hunter2" not in f"{fault.message} {fault.hint}"


def test_a_mirror_changes_nothing_of_the_trust_file() -> None:
    trust = TrustFile(path=Path("x"), sources=SOURCES)
    there = mirrored(trust, {"pypi": MIRROR})
    assert there == trust
    assert (there.source("pypi").home, there.source("pypi").url) == (MIRROR, PYPI.url)
    assert there.source("our-tools").home == TOOLS.url
    assert render_source(there.source("pypi")) == render_source(PYPI)


def test_credentials_may_be_meant_for_every_place_that_is_asked() -> None:
    (there,) = mirrored(TrustFile(path=Path("x"), sources=(PYPI,)), {"pypi": MIRROR}).sources
    assert set(places_of([there, GITLAB]).values()) == {PYPI.url, MIRROR, PYPI.evidence[0], GITLAB.url}


@pytest.mark.parametrize("offline", [True, False])
def test_offline_the_vault_stands_in_for_the_source_itself(offline: bool, tmp_path: Path) -> None:
    trust = TrustFile(path=Path("x"), sources=SOURCES)
    settings = Settings(offline=offline, cache_dir=tmp_path, mirrors={"pypi": MIRROR})
    with open_parts(trust, settings, SILENT) as parts:
        assert parts.trust.source("pypi").home == (PYPI.url if offline else MIRROR)
    with (
        pytest.raises(UsageError),
        open_parts(trust, Settings(offline=offline, cache_dir=tmp_path, mirrors={"pipy": MIRROR}), SILENT),
    ):
        pass


def test_a_mirror_does_not_stand_in_for_what_a_program_offers(tmp_path: Path) -> None:
    trust = TrustFile(path=Path("x"), sources=SOURCES)
    settings = Settings(cache_dir=tmp_path, mirrors={"pypi": MIRROR})
    with open_parts(trust, settings, SILENT, supply=Nothing()) as parts:
        assert parts.trust.source("pypi").home == PYPI.url


@pytest.mark.parametrize("offline", [True, False])
def test_a_token_for_a_mirror_is_no_mistake_where_the_mirror_is_not_used(
    tmp_path: Path, offline: bool
) -> None:
    (tmp_path / "token").write_text("glpat-of-the-mirror\n")
    token = {"mirror.example.com": tmp_path / "token"}
    settings = Settings(cache_dir=tmp_path, mirrors={"pypi": MIRROR}, token_files=token, offline=offline)
    trust = TrustFile(path=Path("x"), sources=SOURCES)
    with open_parts(trust, settings, SILENT, supply=None if offline else Nothing()) as parts:
        assert parts.transport.has_credentials(f"{MIRROR}/acme/")
        assert not parts.transport.has_credentials(f"{PYPI.url}/acme/")


def test_mirrors_are_a_mapping() -> None:
    with pytest.raises(TypeError):
        pip_warden.Settings(mirrors=[("pypi", MIRROR)])  # type: ignore[arg-type]
