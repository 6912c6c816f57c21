"""The registries' own paths over the gate: what is pinned there, with what a registry says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from command.front import front
from flow.user import User
from pip_warden.command.backend import Demanded, GateRegistries
from pip_warden.errors import RefusedError, WardenError
from pip_warden.installer.model import FileQuestion, LinkRequest
from pip_warden.names import ProjectName
from pip_warden.report.model import Outcome
from pip_warden.sandbox import Answer, File, Project

UNPINNED = ProjectName("nobody-pinned-it")


def _name(project: Project) -> ProjectName:
    return ProjectName(project.record.name)


def _url(project: Project, file: File) -> str:
    return f"{project.pypi_url}/files/{file.sha256}/{file.name}"


def _asked(url: str, file: File, sha256: str = "") -> FileQuestion:
    return FileQuestion(filename=file.name, url=url, sha256=sha256)


def _public(user: User, name: str, version: str = "1.0", **options: Any) -> File:
    """Put a wheel on the public index and pin it by its digest."""
    file = user.sandbox.wheel(name, version, **options)
    user.sandbox.upstream.add(name, [file])
    user.pin_hash(file, name=name)
    return file


def test_a_project_is_listed_where_it_is_pinned_and_nowhere_else(user: User) -> None:
    project, other = user.published("1.0"), user.published("1.0")
    public = ProjectName("public-one")
    _public(user, public)
    name = _name(project)
    with front(user) as here:
        page = here.backend.page_at
        (file,) = page(name, "acme", project.path) or ()
        assert file.url == f"{project.pypi_url}/files/{file.sha256}/{file.filename}"
        assert (file.size, file.upload_time) == (None, None), "a page of GitLab says neither"
        assert page(name, "acme", str(project.id)) == (file,)
        assert page(name, "acme", project.path.upper()) == (file,)
        for registry in (other.path, str(other.id)):
            assert page(name, "acme", registry) is None
        assert page(name, "pypi", None) is None
        assert page(public, "acme", project.path) is None
        (listed,) = page(public, "pypi", None) or ()
        assert listed.size is not None
        assert listed.upload_time is not None
        assert here.ledger.lines() == (), "a listing judges no file"


def test_a_number_that_was_recorded_decides_before_anything_is_fetched(user: User) -> None:
    project = user.published("1.0", pinned=False)
    user.pin(project)
    user.blocks[-1] = user.blocks[-1].replace("project =", f"registry-id = {project.id}\nproject =")
    user.write("")
    user.sandbox.clear_requests()
    with front(user) as here:
        assert here.backend.page_at(_name(project), "acme", str(project.id + 1)) is None
        assert user.sandbox.requests == ()
        assert here.backend.page_at(_name(project), "acme", str(project.id)) is not None


def test_a_group_lists_its_projects_files_under_its_own_path(user: User) -> None:
    project = user.published("1.0")
    name, group = _name(project), project.record.namespace
    with front(user) as here:
        by_path = here.backend.page_at(name, "acme", None, group.path) or ()
        for file in (*by_path, *(here.backend.page_at(name, "acme", None, str(group.id)) or ())):
            base = f"{user.sandbox.gitlab_url}/api/v4/groups/{group.id}/-/packages/pypi"
            assert file.url == f"{base}/files/{file.sha256}/{file.filename}"
            assert dict(here.backend.seen.listed) == {file.url: file.sha256}
        assert here.backend.page_at(name, "acme", None, "another") is None
        (file,) = by_path
        question = FileQuestion(filename=file.filename, url=file.url, sha256=file.sha256)
        assert here.backend.file_at(question) is not None


def test_a_group_whose_page_does_not_say_its_number_keeps_the_name_it_was_asked_by(user: User) -> None:
    project = user.published("1.0")
    path = f"/api/v4/groups/acme/-/packages/pypi/simple/{project.record.name}"
    html = (("content-type", "text/html"),)
    empty = Answer(status=200, body=b"<!DOCTYPE html>", headers=html)
    for answer in (Answer(status=404), empty, Answer(status=200, body=b"{")):
        user.sandbox.faults.clear()
        user.sandbox.fault(answer, path, times=None)
        with front(user) as here:
            (file,) = here.backend.page_at(_name(project), "acme", None, "acme") or ()
        assert "/api/v4/groups/acme/-/packages/pypi/files/" in file.url


def test_an_unpinned_project_ends_the_run(user: User) -> None:
    user.published("1.0")
    file = user.sandbox.wheel(UNPINNED, "1.0")
    asks: tuple[Callable[[GateRegistries], object], ...] = (
        lambda backend: backend.page_at(UNPINNED, "pypi", None),
        lambda backend: backend.file_at(_asked(f"{user.sandbox.files_url}/{file.name}", file)),
        lambda backend: backend.release_at(UNPINNED, "1.0", "pypi"),
    )
    for ask in asks:
        with front(user) as here, pytest.raises(RefusedError) as caught:
            ask(here.backend)
        assert (caught.value.code, caught.value.exit_code) == ("not-pinned", 1)
        (line,) = here.ledger.lines()
        assert line.outcome is Outcome.REFUSED


def test_a_file_is_found_by_its_url_or_by_its_digest(user: User) -> None:
    project = user.project()
    file = user.wheel(project)
    user.sandbox.publish(project, [file])
    user.pin(project)
    public = _public(user, "public-two")
    elsewhere = f"{user.sandbox.files_url}/packages/elsewhere/{public.name}"
    own = user.sandbox.files_url + user.sandbox.upstream.file(public.name).path
    with front(user) as here:
        served = here.backend.file_at(_asked(own, public))
        assert served is not None
        assert served.path.read_bytes() == public.data
        in_project = here.backend.file_at(_asked(_url(project, file), file, file.sha256))
        assert in_project is not None
        assert b"Name: " in in_project.metadata
        assert here.backend.seen.served == {public.sha256, file.sha256}
        with pytest.raises(RefusedError) as caught:
            here.backend.file_at(_asked(elsewhere, public))
        assert (caught.value.code, caught.value.exit_code) == ("unknown-file", 1)
        with pytest.raises(RefusedError):
            here.backend.file_at(_asked(_url(project, file).replace(file.sha256, "0" * 64), file, "0" * 64))
    for demanded in (
        Demanded(by_url={elsewhere: public.sha256}),
        Demanded(by_name={public.name: frozenset({public.sha256, "1" * 64})}),
    ):
        with front(user, demanded) as here:
            assert here.backend.file_at(_asked(elsewhere, public)) is not None
    for demanded in (
        Demanded(by_url={elsewhere: "1" * 64}, by_name={public.name: frozenset({public.sha256})}),
        Demanded(by_name={public.name: frozenset({"1" * 64})}),
        Demanded(by_url={f"{elsewhere}x": public.sha256}),
    ):
        with front(user, demanded) as here, pytest.raises(RefusedError):
            here.backend.file_at(_asked(elsewhere, public))


def test_a_file_that_the_page_has_not_or_whose_bytes_are_others_ends_the_run(user: User) -> None:
    project = user.project()
    file = user.wheel(project)
    user.sandbox.publish(project, [file])
    user.pin(project)
    missing = user.wheel(project, "2.0")
    with front(user) as here, pytest.raises(WardenError) as caught:
        here.backend.file_at(_asked(_url(project, missing), missing, missing.sha256))
    assert (caught.value.code, caught.value.exit_code) == ("unknown-file", 1)
    user.sandbox.tamper(project, file.name, flip_bit=100)
    with front(user) as here, pytest.raises(WardenError) as caught:
        here.backend.file_at(_asked(_url(project, file), file, file.sha256))
    assert caught.value.exit_code == 1
    assert here.backend.seen.served == frozenset()


def test_without_a_digest_a_file_has_only_its_own_url(user: User) -> None:
    public = _public(user, "public-three")
    uploaded = user.sandbox.upstream.file(public.name)
    user.sandbox.upstream._projects["public-three"] = [replace(uploaded, claimed_sha256="")]
    user.blocks = [block for block in user.blocks if "public-three" not in block]
    user.write('[[package]]\nname = "public-three"\nsource = "pypi"\n' + _identity(user))
    elsewhere = f"{user.sandbox.files_url}/elsewhere/{public.name}"
    demanded = Demanded(by_url={elsewhere: ""}, by_name={public.name: frozenset({"", public.sha256})})
    with front(user, demanded) as here, pytest.raises(RefusedError) as caught:
        here.backend.file_at(_asked(elsewhere, public))
    assert caught.value.code == "unknown-file"


def _identity(user: User) -> str:
    return (
        f'  [[package.identity]]\n  issuer = "{user.sandbox.issuer}"\n'
        '  subject = "https://gitlab.example.com/a/b//.gitlab-ci.yml@refs/tags/v{version}"\n'
    )


def test_a_release_is_what_a_judged_file_says(user: User) -> None:
    name = ProjectName("public-four")
    wheel = user.sandbox.wheel(
        name,
        "1.0",
        requires=["beta>=1", "gamma ; extra == 'g'"],
        requires_python=">=3.9",
        extra_metadata=["Provides-Extra: g"],
    )
    other = user.sandbox.wheel(name, "1.0", requires=["delta"], tag="cp311-cp311-linux_x86_64")
    user.sandbox.upstream.add(name, [other, wheel])
    user.write(
        f'[[package]]\nname = "{name}"\nsource = "pypi"\nversion = "1.0"\nreason = "reviewed"\n'
        f'sha256 = {{ "{wheel.name}" = "{wheel.sha256}", "{other.name}" = "{other.sha256}" }}'
    )
    with front(user) as here:
        facts = here.backend.release_at(name, "1.0.0", "pypi")
        assert facts is not None
        assert facts.requires_dist == ("beta>=1", "gamma ; extra == 'g'")
        assert (facts.version, facts.requires_python) == ("1.0", ">=3.9")
        assert facts.summary == f"{name} of the sandbox"
        assert [file.filename for file in facts.files] == [other.name, wheel.name]
        assert {line.subject for line in here.ledger.lines()} == {wheel.name}
        assert here.backend.seen.served == {wheel.sha256}
        assert here.backend.release_at(name, "2.0", "pypi") is None
        assert here.backend.release_at(name, "1.0", "acme") is None


def test_what_an_sdist_requires_is_known_when_it_is_built(user: User) -> None:
    name = ProjectName("public-five")
    sdist = user.sandbox.sdist(name, "1.0", requires=["beta>=1"])
    user.sandbox.upstream.add(name, [sdist])
    user.pin_hash(sdist, name=name)
    with front(user) as here:
        facts = here.backend.release_at(name, "1.0", "pypi")
    assert facts is not None
    assert facts.requires_dist is None


def test_what_was_seen_is_kept_for_the_locks(user: User) -> None:
    project = user.published("1.0", "1.1")
    with front(user) as here:
        files = here.backend.page_at(_name(project), "acme", project.path) or ()
        seen = here.backend.seen
        assert dict(seen.listed) == {file.url: file.sha256 for file in files}
        assert dict(seen.listed_names) == {file.filename: frozenset({file.sha256}) for file in files}
        assert seen.served == frozenset()


def test_the_runs_own_index_is_the_same_gate(user: User) -> None:
    project = user.published("1.0")
    with front(user) as here:
        (file,) = here.backend.page(_name(project))
        assert here.backend.file(_name(project), file.filename).path.exists()
        assert here.backend.seen.served == {file.sha256}
        for ask in (
            lambda: here.backend.link(
                LinkRequest(name="x", url="https://u:secret@h.example/x", wanted_by="")
            ),
            lambda: here.backend.plan(()),
        ):
            with pytest.raises(RefusedError) as caught:
                ask()
            assert (caught.value.code, caught.value.exit_code) == ("not-through-gate", 1)
            assert "secret" not in str(caught.value)
