"""A source of files that a program brings: it proves nothing."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

import pip_warden
from library.consumer import Given
from library.signed import Signed, names
from pip_warden import InstallRequest, Settings, UndecidedError


class Lying(Given):
    """A supply of which one answer is another one."""

    def __init__(self, signed: Signed, **lies: Callable[..., Any]) -> None:
        super().__init__({signed.wheel.name: signed.wheel.data}, {signed.wheel.name: signed.bundle})
        self._lies = lies

    def page(self, project: str) -> Iterable[str]:
        return self._lies.get("page", super().page)(project)  # type: ignore[no-any-return]

    def file(self, name: str) -> BinaryIO:
        return self._lies.get("file", super().file)(name)  # type: ignore[no-any-return]

    def evidence(self, name: str, sha256: str) -> Iterable[bytes]:
        return self._lies.get("evidence", super().evidence)(name, sha256)  # type: ignore[no-any-return]


def _released(signed: Signed, supply: pip_warden.Supply) -> pip_warden.Report:
    with pip_warden.open_session(
        signed.trust, settings=Settings.from_environment(), supply=supply
    ) as session:
        return session.judge_release("acme-widgets", "1.0")


def test_a_supply_that_is_honest(signed: Signed) -> None:
    """The registry is not asked at all."""
    signed.sandbox.clear_requests()
    for _ in range(2):
        assert _released(signed, Lying(signed)).exit_code == 0
    assert signed.sandbox.requests == ()


def test_a_supply_with_other_bytes_is_refused(signed: Signed, target: Path) -> None:
    evil = signed.sandbox.wheel("acme-widgets", "1.0", files={"evil.py": ""})
    supply = Lying(signed, file=lambda _name: io.BytesIO(evil.data))
    report = _released(signed, supply)
    assert (report.exit_code, report.lines[0].code) == (1, "bad-signature")

    # Not either where the cache has the right bytes of that name.
    assert _released(signed, Lying(signed)).exit_code == 0
    with pip_warden.open_session(
        signed.trust, settings=Settings.from_environment(), supply=supply
    ) as session:
        report = session.install(InstallRequest(packages=("acme-widgets",), python=target))
    assert (report.exit_code, report.lines[0].code) == (1, "bad-signature")
    assert "acme_widgets" not in names(target)


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("acme_widgets-1.0-py2-none-any.whl", "tags-inside-differ"),
        ("acme_widgets-1.0-1-py3-none-any.whl", ""),
        ("other-1.0-py3-none-any.whl", ""),
    ],
)
def test_a_supply_with_another_name_is_refused(signed: Signed, filename: str, code: str) -> None:
    """The good bytes, under a name that is not theirs."""
    supply = Lying(
        signed,
        page=lambda _project: [filename],
        file=lambda _name: io.BytesIO(signed.wheel.data),
        evidence=lambda _name, _sha256: [signed.bundle],
    )
    report = _released(signed, supply)

    assert report.exit_code == 1
    assert all(line.outcome != "accepted" for line in report.lines)
    assert not code or report.lines[0].code == code


@pytest.mark.parametrize(
    "page",
    [
        [],
        ["README.md", "../acme_widgets-1.0-py3-none-any.whl", "acme_widgets-1.0.zip", ""],
    ],
)
def test_a_supply_with_nothing_is_no_success(signed: Signed, page: list[str]) -> None:
    report = _released(signed, Lying(signed, page=lambda _project: page))

    assert report.error is not None
    assert (report.exit_code, report.error.code) == (1, "no-release")


def test_a_supply_with_no_evidence_or_garbage_is_refused(signed: Signed) -> None:
    for pieces, code in (([], "no-evidence"), ([b"{}"], "bad-bundle")):
        report = _released(signed, Lying(signed, evidence=lambda _name, _sha256, given=pieces: given))
        assert (report.exit_code, report.lines[0].code) == (1, code)


def test_a_supply_with_two_spellings_of_a_name_is_refused(signed: Signed) -> None:
    twice = [signed.wheel.name, signed.wheel.name.replace("acme_widgets", "Acme_Widgets")]
    supply = Lying(signed, page=lambda _project: twice, file=lambda _name: io.BytesIO(signed.wheel.data))
    report = _released(signed, supply)

    assert report.exit_code == 1
    assert {line.code for line in report.lines} == {"same-name-other-bytes"}


def test_a_file_that_is_too_large_is_undecided(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pip_warden.supply.offered.LARGEST_FILE", len(signed.wheel.data) - 1)
    report = _released(signed, Lying(signed))

    assert (report.exit_code, report.lines[0].code) == (3, "too-large")


class Sick(io.BytesIO):
    """A file that breaks off, or cannot be closed."""

    def __init__(self, data: bytes, fails: str) -> None:
        super().__init__(data)
        self._fails = fails

    def read(self, size: int | None = -1, /) -> bytes:
        if self._fails == "read" and self.tell() > 0:
            raise OSError("gone")
        return super().read(10 if self._fails == "read" else size)

    def close(self) -> None:
        super().close()
        if self._fails == "close":
            raise OSError("gone")


def _raising(*_given: object) -> Any:
    raise KeyError("no such bucket")


def _undecided(*_given: object) -> Any:
    raise UndecidedError("bucket-down", "expected a bucket, found none")


def _later(*_given: object) -> Iterator[Any]:
    yield from ()
    raise ValueError("no such bucket")


BROKEN: dict[str, tuple[str, Callable[..., Any]]] = {
    "page raises": ("page", _raising),
    "page raises later": ("page", _later),
    "page is a string": ("page", lambda _project: "acme_widgets-1.0-py3-none-any.whl"),
    "page is nothing": ("page", lambda _project: None),
    "page has a path": ("page", lambda _project: [Path("x")]),
    "page never ends": ("page", lambda _project: iter(lambda: "x", "")),
    "file raises": ("file", _raising),
    "file is bytes": ("file", lambda _name: b"x"),
    "file is nothing": ("file", lambda _name: None),
    "file is text": ("file", lambda _name: io.StringIO("x")),
    "file breaks off": ("file", lambda _name: Sick(b"x" * 100, "read")),
    "file cannot be closed": ("file", lambda _name: Sick(b"x", "close")),
    "evidence raises": ("evidence", _raising),
    "evidence raises later": ("evidence", _later),
    "evidence is bytes": ("evidence", lambda _name, _sha256: b"{}"),
    "evidence is nothing": ("evidence", lambda _name, _sha256: None),
    "evidence has text": ("evidence", lambda _name, _sha256: ["{}"]),
    "evidence has nothing": ("evidence", lambda _name, _sha256: [None]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_supply_that_fails_is_undecided(signed: Signed, name: str) -> None:
    method, lie = BROKEN[name]
    report = _released(signed, Lying(signed, **{method: lie}))
    said = report.lines[0].undecided

    assert (report.exit_code, [line.outcome for line in report.lines]) == (3, ["undecided"])
    assert said is not None
    assert (said.code, isinstance(said.__cause__, Exception)) == ("supply-failed", True)


@pytest.mark.parametrize("method", ["page", "file", "evidence"])
def test_a_supply_may_say_itself_that_it_cannot_tell(signed: Signed, method: str) -> None:
    report = _released(signed, Lying(signed, **{method: _undecided}))

    assert (report.exit_code, report.lines[0].code) == (3, "bucket-down")


@pytest.mark.parametrize("method", ["page", "file", "evidence"])
def test_an_installation_from_a_supply_that_fails(signed: Signed, target: Path, method: str) -> None:
    supply = Lying(signed, **{method: _raising})
    with pip_warden.open_session(
        signed.trust, settings=Settings.from_environment(), supply=supply
    ) as session:
        report = session.install(InstallRequest(packages=("acme-widgets",), python=target))

    assert report.exit_code == 3
    assert "supply-failed" in {line.code for line in report.lines}
    assert "acme_widgets" not in names(target)


def test_every_file_of_a_supply_is_closed(signed: Signed) -> None:
    opened: list[io.BytesIO] = []

    def file(_name: str) -> BinaryIO:
        opened.append(io.BytesIO(signed.wheel.data))
        return opened[-1]

    _released(signed, Lying(signed, file=file))
    gc.collect()

    assert [stream.closed for stream in opened] == [True]
