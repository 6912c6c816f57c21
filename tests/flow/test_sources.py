"""T29, T31, T36, T37: only the trust file names a source, and no credential leaves its origin."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flow.user import User
from ordinary import parametrized
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Hold
from pip_warden.sandbox.gitlab.settings import Forwarding

LONGEST_WAIT = 60.0


@pytest.fixture
def tempted(user: User) -> Project:
    """A package whose better version is on the public index and in a directory."""
    project = user.published("1.0")
    better = user.wheel(project, "9.0")
    user.sandbox.upstream.add(project.record.name, [better])
    (user.home / "links").mkdir()
    (user.home / "links" / better.name).write_bytes(better.data)
    user.sandbox.clear_requests()
    return project


@pytest.fixture
def storage(user: User) -> Iterator[User]:
    """A GitLab that redirects downloads to its object storage, on another origin."""
    user.sandbox.settings.object_storage = True
    yield user
    user.sandbox.settings.object_storage = False


def assert_untempted(user: User, project: Project, *words: str) -> None:
    result = user.install(*words, project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert {request.origin for request in user.sandbox.requests} == {"gitlab"}


@parametrized("variable", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"], ordinary={1})
def test_t29_pip_s_variables_add_no_source(user: User, tempted: Project, variable: str) -> None:
    user.patch.setenv(variable, str(user.home / "links") if "LINKS" in variable else user.sandbox.pypi_url)
    assert_untempted(user, tempted)


@pytest.mark.parametrize(
    "variable", ["--pass-env=PIP_INDEX_URL", "--pass-env=UV_INDEX", "--pass-env=HTTPS_PROXY"]
)
def test_t29_nor_can_they_be_passed_on(user: User, tempted: Project, variable: str) -> None:
    user.patch.setenv(variable.partition("=")[2], user.sandbox.pypi_url)
    user.refused(variable, tempted.record.name, code="secret-variable", exit_code=2)


@parametrized("place", ["user", "xdg", "legacy", "named", "site"], ordinary={0, 4})
def test_t29_pip_s_configuration_adds_no_source(user: User, tempted: Project, place: str) -> None:
    paths = {
        "user": user.home / ".config/pip/pip.conf",
        "xdg": user.home / "xdg/pip/pip.conf",
        "legacy": user.home / ".pip/pip.conf",
        "named": user.home / "named.conf",
        "site": user.target / "pip.conf",
    }
    path = paths[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"[global]\nindex-url = {user.sandbox.pypi_url}\nextra-index-url = {user.sandbox.pypi_url}\n"
        f"find-links = {user.home / 'links'}\n"
    )
    if place == "xdg":
        user.patch.setenv("XDG_CONFIG_HOME", str(user.home / "xdg"))
    if place == "named":
        user.patch.setenv("PIP_CONFIG_FILE", str(path))
    assert_untempted(user, tempted)


@pytest.mark.parametrize("option", ["--index-url", "-i", "--extra-index-url", "--find-links", "-f"])
def test_t29_requirements_files_add_no_source(user: User, tempted: Project, option: str) -> None:
    links = option in {"--find-links", "-f"}
    value = user.home / "links" if links else f"{user.sandbox.files_url}/simple"
    (user.home / "requirements.txt").write_text(f"{option} {value}\n{tempted.record.name}\n")
    user.refused("-r", "requirements.txt", code="refused-requirement", exit_code=2)
    assert user.sandbox.requests == ()


def test_t29_nested_requirements_files_add_no_source(user: User, tempted: Project) -> None:
    (user.home / "inner.txt").write_text(
        f"--extra-index-url {user.sandbox.files_url}/simple\n{tempted.record.name}\n"
    )
    (user.home / "requirements.txt").write_text("-r inner.txt\n")
    user.refused("-r", "requirements.txt", code="refused-requirement", exit_code=2)


@pytest.mark.parametrize(
    "words",
    [
        ("--index-url", "URL"),
        ("--index-url=URL",),
        ("-iURL",),
        ("--extra-index-url", "URL"),
        ("--find-links", "links"),
        ("-flinks",),
        ("--no-index",),
        ("--proxy", "URL"),
        ("--trusted-host", "127.0.0.1"),
    ],
)
def test_t29_options_add_no_source(user: User, tempted: Project, words: tuple[str, ...]) -> None:
    spelled = [word.replace("URL", user.sandbox.pypi_url) for word in words]
    user.refused(*spelled, tempted.record.name, code="refused-option", exit_code=2)


@pytest.mark.parametrize("word", ["--no-proxy", "--extra", "--find", "--index"])
def test_t29_abbreviations_are_unknown(user: User, tempted: Project, word: str) -> None:
    user.refused(word, "x", tempted.record.name, code="unknown-option", exit_code=2)


def test_t29_index_line_of_another_source_moves_no_package(user: User, tempted: Project) -> None:
    (user.home / "requirements.txt").write_text(f"--extra-index-url {user.sandbox.pypi_url}\n")
    assert_untempted(user, tempted, "-r", "requirements.txt")


def test_t29_index_line_of_a_source_is_dropped_with_its_credentials(user: User, tempted: Project) -> None:
    line = f"--index-url {tempted.index_url('glpat-in-the-file')}"
    (user.home / "requirements.txt").write_text(f"{line}\n{tempted.record.name}\n")
    result = user.install("-r", "requirements.txt")
    assert (result.code, user.installed()) == (0, {tempted.record.name: "1.0"}), result.output
    assert "glpat-in-the-file" not in result.output
    assert all("glpat-in-the-file" not in str(request) for request in user.sandbox.requests)


@pytest.mark.parametrize("word", ["URL#egg=x", "x @ URL", "git+URL"])
def test_t29_urls_are_no_requirements(user: User, tempted: Project, word: str) -> None:
    user.refused(word.replace("URL", user.sandbox.pypi_url), code="refused-requirement", exit_code=2)


@pytest.mark.parametrize(
    ("forwarding", "code"),
    [
        (Forwarding.REDIRECT, "foreign-index-page"),
        (Forwarding.OWN_ORIGIN, "foreign-file"),
        (Forwarding.UPSTREAM_URL, "foreign-file"),
    ],
)
def test_t37_name_that_gitlab_forwards(user: User, forwarding: Forwarding, code: str) -> None:
    """The package was never published here, or its last file was deleted: GitLab asks pypi.org."""
    project = user.project()
    user.pin(project)
    evil = user.wheel(project, "9.0")
    user.sandbox.upstream.add(project.record.name, [evil])
    user.sandbox.settings.forwarding = forwarding
    try:
        user.refused(project.record.name, code=code, files=[evil])
    finally:
        user.sandbox.settings.forwarding = Forwarding.REDIRECT


def test_t37_unpinned_name_is_looked_up_nowhere(user: User) -> None:
    user.sandbox.upstream.add("unpinned", [user.sandbox.wheel("unpinned", "1.0")])
    user.sandbox.clear_requests()
    user.refused("unpinned", code="not-pinned")
    assert user.sandbox.requests == ()


def test_t37_file_that_the_page_places_elsewhere(user: User) -> None:
    project = user.published()
    wheel = user.wheel(project)
    user.sandbox.lie(project, wheel.name, url=f"{user.sandbox.files_url}/packages/{wheel.name}")
    user.judged_bad(project, code="foreign-file", files=[wheel])


def test_t36_redirect_text_is_no_signature(user: User) -> None:
    project = user.published(forms=("detached",))
    text = b'<html><body>You are being <a href="https://storage.example.com/x">redirected</a>.</body></html>'
    user.sandbox.replace_evidence(project, f"{user.wheel(project).name}.sig", text)
    user.judged_bad(project, code="evidence-is-redirect-text", files=[user.wheel(project)])


@pytest.mark.parametrize("form", ["bundle", "detached"])
def test_t36_t31_redirects_to_object_storage_are_followed_without_credentials(
    storage: User, form: str
) -> None:
    project = storage.published(forms=("bundle",) if form == "bundle" else ("detached",))
    storage.sandbox.clear_requests()
    result = storage.install(project.record.name)
    assert result.code == 0, result.output
    there = [request for request in storage.sandbox.requests if request.origin == "storage"]
    assert there, "downloads were redirected"
    for request in storage.sandbox.requests:
        if request.origin != "gitlab":
            assert not {"authorization", "private-token", "job-token", "cookie"} & {
                k for k, _ in request.headers
            }
            assert storage.token not in str(request)


def test_t31_no_credential_goes_with_a_forwarded_name(user: User) -> None:
    project = user.project()
    user.pin(project)
    user.sandbox.upstream.add(project.record.name, [user.wheel(project)])
    user.sandbox.clear_requests()
    user.install(project.record.name)
    assert any(request.header("authorization") for request in user.sandbox.requests)
    for request in user.sandbox.requests:
        assert request.origin == "gitlab" or user.token not in str(request)
        assert request.origin == "gitlab" or request.header("authorization") is None


def test_t31_token_is_in_no_output_and_no_file(user: User) -> None:
    project = user.published()
    results = [user.install("-v", "--report", "report.json", project.record.name)]
    user.forget()
    user.sandbox.revoke(user.token)
    results.append(user.install("-v", "--force-reinstall", project.record.name))
    assert [result.code for result in results] == [0, 3]
    for result in results:
        assert user.token not in result.output
    for root in (user.home, user.target):
        for path in root.rglob("*"):
            if path.is_file():
                assert user.token.encode() not in path.read_bytes(), path


def test_t31_pip_sees_no_credential(user: User) -> None:
    """Neither in its arguments, which every user of the machine can read, nor in its environment."""
    project = user.published()
    user.patch.setenv("CI_JOB_TOKEN", "glcbt-seen-by-nobody")
    hold = Hold()
    user.sandbox.fault(hold, project.record.name + "-1.0", origin="gitlab")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(user.install, project.record.name)
        try:
            assert hold.reached.wait(LONGEST_WAIT)
            words, variables = the_pip_of_this_process()
        finally:
            hold.until.set()
        assert running.result(LONGEST_WAIT).code == 0
    assert b"HTTP_PROXY=" in variables
    password = variables.partition(b"HTTP_PROXY=http://")[2].partition(b"@")[0].partition(b":")[2]
    assert password
    for secret in (user.token.encode(), b"glcbt-seen-by-nobody", password):
        assert secret not in words
    for secret in (user.token.encode(), b"glcbt-seen-by-nobody"):
        assert secret not in variables


def the_pip_of_this_process() -> tuple[bytes, bytes]:
    """Return arguments and environment of the pip that we run, once it exists."""
    pause = threading.Event()
    for _ in range(int(LONGEST_WAIT / 0.02)):
        for place in descendants(Path("/proc/self")):
            words = (place / "cmdline").read_bytes()
            if b"guarded_pip" in words:
                return words, (place / "environ").read_bytes()
        pause.wait(0.02)
    raise AssertionError("no pip was started")


def descendants(process: Path) -> Iterator[Path]:
    """Yield every process below one, nearest first; of those that end meanwhile, what can be read."""
    children: list[Path] = []
    for task in (process / "task").iterdir():
        with contextlib.suppress(OSError):
            children += [Path("/proc", number) for number in (task / "children").read_text().split()]
    yield from children
    for child in children:
        with contextlib.suppress(OSError):
            yield from descendants(child)


def token_file(user: User, host: str) -> str:
    """Keep the token in a file only, and return the option for it."""
    user.patch.delenv("GITLAB_TOKEN")
    (user.home / "token").write_text(user.token)
    return f"--token-file={host}={user.home / 'token'}"


def test_b14_token_of_a_host_reads_its_registry(user: User) -> None:
    project = user.published()
    host = user.sandbox.gitlab_url.partition("://")[2]
    result = user.install(token_file(user, host), project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output


@pytest.mark.parametrize(("named", "code"), [("host", "unknown-source"), ("source", "token-file")])
def test_b14_token_does_not_follow_a_changed_url(user: User, named: str, code: str) -> None:
    """A merge request edits the trust file, and a pipeline runs it with another user's token."""
    project = user.published()
    host = user.sandbox.gitlab_url.partition("://")[2] if named == "host" else "acme"
    word = token_file(user, host)
    user.blocks[2] = user.blocks[2].replace(user.sandbox.gitlab_url, user.sandbox.files_url)
    user.write("")
    user.sandbox.clear_requests()
    result = user.refused(word, project.record.name, code=code, exit_code=2)
    assert user.sandbox.requests == ()
    assert user.token not in result.output


def test_b14_token_stays_with_its_host_where_another_source_is_added(user: User) -> None:
    project, other = user.published(), user.project()
    user.write(f'[source.evil]\ntype = "gitlab"\nurl = "{user.sandbox.files_url}"')
    user.pin(other)
    user.blocks[-1] = user.blocks[-1].replace('source = "acme"', 'source = "evil"')
    user.write("")
    user.sandbox.clear_requests()
    result = user.install(
        token_file(user, user.sandbox.gitlab_url.partition("://")[2]), project.record.name, other.record.name
    )
    assert (result.code, user.installed()) == (3, {}), result.output
    asked = {request.origin for request in user.sandbox.requests}
    assert len(asked) == 2, asked
    for request in user.sandbox.requests:
        assert request.origin == "gitlab" or (
            user.token not in str(request) and not request.header("authorization")
        )
