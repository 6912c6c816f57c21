"""What is asked for before pip asks: it may be faster, and changes nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

import pytest

from flow.user import Run, User
from ordinary import parametrized
from pip_warden.cli.verify import command as verify
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Hold, Reset, too_many_requests
from pip_warden.sandbox.signing import EvidenceForm
from pip_warden.transport.speculation import Allowance


def tree(user: User) -> tuple[Project, Project, Project]:
    """Publish a package that requires a second one, which requires a third one."""
    third = user.published("1.0")
    second = user.published("1.0", requires=(third.record.name,))
    first = user.published("1.0", requires=(second.record.name,))
    user.sandbox.clear_requests()
    return first, second, third


def installs(user: User, *words: str) -> Run:
    result = user.install(*words)
    assert result.code == 0, result.output
    return result


def page_of(project: Project) -> re.Pattern[str]:
    return re.compile(rf"/simple/{project.record.name}/?$")


def file_of(project: Project, version: str = "1.0") -> re.Pattern[str]:
    return re.compile(rf"/pypi/files/.*/{project.record.name}-{version}-")


def asked(user: User) -> list[str]:
    return [request.path for request in user.sandbox.requests]


def test_what_a_file_requires_is_asked_for_side_by_side(user: User) -> None:
    """Each of two pages is answered only when both were asked for."""
    pair = user.published("1.0"), user.published("1.0")
    root = user.published("1.0", requires=tuple(project.record.name for project in pair))
    held = Hold(), Hold()
    for project, mine, other in zip(pair, held, reversed(held), strict=True):
        user.sandbox.fault(Hold(until=other.reached, reached=mine.reached), page_of(project))
    installs(user, root.record.name)


def test_evidence_is_asked_for_beside_the_file(user: User) -> None:
    project = user.published("1.0")
    file, evidence = Hold(), Hold()
    user.sandbox.fault(Hold(until=evidence.reached, reached=file.reached), file_of(project))
    user.sandbox.fault(Hold(until=file.reached, reached=evidence.reached), ".whl.sigstore.json")
    installs(user, project.record.name)


def test_each_page_file_and_bundle_is_asked_for_once(user: User) -> None:
    first, *_ = tree(user)
    installs(user, first.record.name)
    assert len(asked(user)) == len(set(asked(user))) == 9
    user.sandbox.clear_requests()
    installs(user, "--force-reinstall", first.record.name)
    assert len(asked(user)) == 3, "the pages"


@parametrized("trouble", [too_many_requests(), Reset()], ordinary={1})
@pytest.mark.parametrize("what", [page_of, file_of])
def test_trouble_ahead_is_nobody_s(
    user: User, trouble: object, what: Callable[[Project], re.Pattern[str]]
) -> None:
    """Whoever asks next is answered: the fault is gone then, and no retry is needed."""
    first, second, third = tree(user)
    for project in (first, second, third):
        user.sandbox.fault(trouble, what(project))  # type: ignore[arg-type]
    installs(user, first.record.name)


def test_a_wrong_guess_is_not_reported(user: User) -> None:
    """The newest wheel is for another Python, is signed by another project, and wants an unpinned name."""
    project = user.published("1.0")
    other = user.wheel(project, "2.0", tag="cp399-cp399-any", requires=("never-pinned",))
    user.sandbox.publish(project, [other], job=user.sandbox.job(user.project(), tag="v2.0"))
    user.sandbox.clear_requests()
    result = installs(user, project.record.name)
    assert [line["file"] for line in result.document["files"]] == [
        f"{project.record.name}-1.0-py3-none-any.whl"
    ]
    assert result.document["unpinned"] == []


def test_nobody_waits_for_a_guess(user: User) -> None:
    """The registry never answers for what pip does not want."""
    project = user.published("1.0")
    user.sandbox.publish(project, [user.wheel(project, "2.0", tag="cp399-cp399-any")])
    never = Hold()
    user.sandbox.fault(never, file_of(project, "2.0"))
    installs(user, project.record.name)
    assert not never.until.is_set()


def test_without_a_budget_it_is_only_slower(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = tree(user)
    monkeypatch.setattr("pip_warden.transport.client.Allowance", partial(Allowance, max_bytes=0))
    installs(user, first.record.name)
    assert len(asked(user)) == 9


@pytest.mark.interop
def test_what_the_target_has_is_not_asked_for(user: User) -> None:
    first, second, third = tree(user)
    installs(user, second.record.name)
    user.sandbox.clear_requests()
    installs(user, first.record.name)
    for project in (second, third):
        assert not [target for target in asked(user) if page_of(project).search(target)]


@pytest.mark.interop
def test_what_the_last_run_took_is_asked_for_at_once(user: User) -> None:
    """The first page is answered only when the last one was asked for, which nobody knows of yet."""
    first, _, third = tree(user)
    installs(user, first.record.name)
    last = Hold()
    last.until.set()
    user.sandbox.fault(Hold(until=last.reached), page_of(first))
    user.sandbox.fault(last, page_of(third))
    installs(user, "--force-reinstall", first.record.name)


@pytest.mark.interop
def test_a_memory_that_cannot_be_read_is_none(user: User) -> None:
    first, *_ = tree(user)
    installs(user, first.record.name)
    (remembered,) = user.cache.glob("v1/runs/*.json")
    good = remembered.read_bytes()
    for content in (b'{"files": ["../x", 1]}', b"[" * 9999):  # what else none is, tests/test_vault.py says
        remembered.chmod(0o600)
        remembered.write_bytes(content)
        installs(user, "--force-reinstall", first.record.name)
        assert remembered.read_bytes() == good, content


def test_a_forged_memory_asks_for_nothing_that_is_not_pinned(user: User) -> None:
    first, *_ = tree(user)
    installs(user, first.record.name)
    (remembered,) = user.cache.glob("v1/runs/*.json")
    remembered.chmod(0o600)
    remembered.write_text(json.dumps({"files": ["never_pinned-1.0-py3-none-any.whl"]}))
    user.sandbox.clear_requests()
    result = installs(user, "--force-reinstall", first.record.name)
    assert len(asked(user)) == 3
    assert result.document["unpinned"] == []


@parametrized("forms", [("bundle",), ("detached",), ("pep740",)], ordinary={0})
def test_nothing_is_asked_for_twice_whatever_form_the_evidence_has(
    user: User, forms: tuple[EvidenceForm, ...]
) -> None:
    names = [user.published("1.0", forms=forms).record.name for _ in range(4)]
    root = user.published("1.0", forms=forms, requires=tuple(names))
    user.sandbox.clear_requests()
    installs(user, root.record.name)
    gets = [request.path for request in user.sandbox.requests if request.method == "GET"]
    single = [path for path in gets if "/package_files" not in path and not path.endswith("/packages")]
    assert len(single) == len(set(single))


def test_nobody_asks_for_what_a_file_requires_that_is_only_verified(user: User) -> None:
    wanted = user.published("1.0")
    files = []
    for _ in range(4):
        project = user.project()
        user.pin(project)
        files.append(user.wheel(project, requires=(wanted.record.name,)))
        evidence = user.sandbox.sign(files[-1], user.sandbox.job(project, tag="v1.0"))
        for name, data in {files[-1].name: files[-1].data, **evidence}.items():
            (user.home / name).write_bytes(data)
    user.sandbox.clear_requests()
    result = user.type(*(file.name for file in files), command=verify, name="pip-warden verify")
    assert (result.code, asked(user)) == (0, []), result.output
