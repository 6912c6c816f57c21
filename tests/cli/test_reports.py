"""``--format``, ``--output`` and ``--html``: what judges is told in any format, and into files."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import pytest

import samples
from pip_warden.cli.common import print_report
from pip_warden.cli.install import safe_install
from pip_warden.cli.output import Console
from pip_warden.cli.reports import report_options
from pip_warden.cli.run import run
from pip_warden.cli.tree import pip_warden
from pip_warden.errors import NetworkError, TrustFileError, UsageError
from pip_warden.report.formats import FORMATS, PRINTED, is_report, render
from pip_warden.report.model import Report, line_of
from pip_warden.trust.editing.edit import new_file_text
from pip_warden.verdict.model import Step

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports

JUDGING = (
    "run", "verify", "verify-release", "promote", "publish", "publish-evidence", "trust add", "trust sync",
    "trust update", "inspect", "image verify", "image promote",
)  # fmt: skip

REFUSED = Report(
    command="judge", exit_code=1, lines=(line_of(samples.refused("acme.whl", Step.SUBJECT, "wrong-subject")),)
)
GOOD = Report(command="judge", exit_code=0)


def judging(end: Callable[[], Report]) -> click.Command:
    """Return a command that judges, and what else it may name."""

    @click.command("judge")
    @click.argument("files", nargs=-1, type=click.Path(path_type=Path))
    @report_options
    def judge(*, files: tuple[Path, ...], reports: Reports) -> int:
        return print_report(end(), reports, Console())

    return judge


def failing(error: BaseException) -> Callable[[], Report]:
    def end() -> Report:
        raise error

    return end


def judge(*words: str, end: Callable[[], Report] = lambda: REFUSED) -> int:
    return run(judging(end), "judge", words)


def code_told(capsys: pytest.CaptureFixture[str]) -> str:
    return str(json.loads(capsys.readouterr().out)["error"]["code"])


def everything(folder: Path) -> list[str]:
    return [word for name in FORMATS for word in ("--output", f"{name}={folder / name}")]


@pytest.mark.parametrize("path", JUDGING)
def test_every_command_that_judges_has_the_options(path: str) -> None:
    command: click.Command | None = pip_warden
    for name in path.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    options = {name: param for param in command.params for name in param.opts}
    assert isinstance(options["--format"].type, click.Choice)
    assert tuple(options["--format"].type.choices) == PRINTED
    assert options["--output"].multiple
    assert "--html" in options


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "report", [GOOD, REFUSED, Report(command="verify", exit_code=2, error=UsageError("a", "b"))]
)
def test_every_format_is_known_again(name: str, report: Report) -> None:
    told = render(report, name)
    assert is_report(f"{told}\n".encode())
    assert not told.endswith("\n")


def test_another_format_is_none() -> None:
    with pytest.raises(ValueError, match="no format"):
        render(GOOD, "yaml")


@pytest.mark.parametrize(
    "begins",
    [
        "version = 1\n",
        "acme==1.0\n# pip-warden\n",
        "PK\3\4",
        "-----BEGIN PRIVATE KEY-----",
        '{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}',
        '{"version": 1, "verification_material": {}}',
        '{"schema_version": 1}',
        '{"$schema": "https://example.com/x.json"}',
        "<html>",
        " pip-warden: verify",
        "# acme",
        "# Trusted by pip-warden, which we all use\n",
        "## `pip-warden verify`\n\nHow we use it.\n",
    ],
)
def test_what_is_no_report_is_known_as_such(begins: str) -> None:
    assert not is_report(begins.encode())


def test_a_trust_file_of_our_own_making_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "pytrust.toml"
    path.write_text(new_file_text(), encoding="utf-8")
    assert "pip-warden" in new_file_text().splitlines()[0]
    assert judge("--output", f"json={path}") == 2
    assert path.read_text(encoding="utf-8") == new_file_text()


def test_a_refusal_is_written_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("--format", "json", *everything(tmp_path)) == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS)
    for name in FORMATS:
        assert (tmp_path / name).read_text(encoding="utf-8") == f"{render(REFUSED, name)}\n"


@pytest.mark.parametrize("name", PRINTED[1:])
def test_data_goes_to_standard_output_whatever_it_comes_to(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge("--format", name) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == (f"{render(REFUSED, name)}\n", "")


ERRORS: list[tuple[Exception, str, int]] = [
    (UsageError("option-value", "no"), "option-value", 2),
    (TrustFileError("trust-file", "no", faults=(("package[0]", "no"),)), "trust-file", 2),
    (NetworkError("unreachable", "no"), "unreachable", 3),
    (click.BadParameter("no"), "usage", 2),
    (RuntimeError("a bug"), "bug", 70),
]


@pytest.mark.parametrize(("error", "code", "exit_code"), ERRORS)
def test_a_fatal_error_is_written_in_every_format(
    error: Exception, code: str, exit_code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge("--format", "json", *everything(tmp_path), end=failing(error)) == exit_code
    assert code_told(capsys) == code
    document = json.loads((tmp_path / "json").read_text())
    assert (document["command"], document["exit_code"]) == ("judge", exit_code)
    assert document["error"]["code"] == code
    for name in FORMATS:
        assert code in (tmp_path / name).read_text(encoding="utf-8"), name


def test_what_is_the_value_of_another_option_is_no_file_of_ours(alone: Path) -> None:
    @click.command("judge")
    @click.argument("words", nargs=-1)
    @click.option("--note")
    @report_options
    def noting(**_: object) -> None:
        raise NetworkError("unreachable", "no")

    assert run(noting, "judge", ("--output", "text=said", "--note", "--output", "json=note")) == 3
    assert [each.name for each in alone.iterdir()] == ["said"]


@pytest.mark.parametrize("name", PRINTED[2:])
def test_a_fatal_error_is_printed_in_the_format_that_was_asked_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = NetworkError("unreachable", "no")
    assert judge("--format", name, end=failing(error)) == 3
    told = capsys.readouterr()
    assert told.out == f"{render(Report(command='judge', exit_code=3, error=error), name)}\n"
    assert told.err == ""


def test_an_error_of_which_no_report_can_be_made_is_told_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pip_warden.report import junit

    monkeypatch.setattr(junit, "render", lambda _report: 1 // 0)
    assert (
        judge(
            "--format", "json", "--output", f"junit={tmp_path / 'j'}", end=failing(NetworkError("gone", "no"))
        )
        == 3
    )
    told = capsys.readouterr()
    assert "error[gone]: no" in told.err
    assert "a report could not be made: ZeroDivisionError" in told.err


def test_a_report_is_for_everybody_to_read_who_may(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert judge("--output", f"json={tmp_path / 'json'}") == 1
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "json").stat().st_mode) == 0o640


def test_html_is_short_for_an_output(tmp_path: Path) -> None:
    assert judge("--html", str(tmp_path / "page")) == 1
    assert (tmp_path / "page").read_text() == f"{render(REFUSED, 'html')}\n"


@pytest.mark.parametrize("value", ["json", "json=", "=x", "yaml=x", "x", "html", "JSON=x", "json=a\0b"])
def test_an_output_names_a_format_and_a_file(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("--format", "json", "--output", value) == 2
    assert code_told(capsys) == "option-value"


@pytest.mark.parametrize(
    "place", ["absent/x", "directory", "pipe", "-", "file/x", "trust.toml", "dangling/x"]
)
def test_a_place_that_cannot_be_written_is_said_before_the_run(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("directory").mkdir()
    os.mkfifo("pipe")
    Path("file").touch()
    Path("trust.toml").write_text("version = 1\n")
    Path("dangling").symlink_to("nowhere")
    before = set(tmp_path.rglob("*"))
    assert (
        judge(
            "--format",
            "json",
            "--output",
            "html=good",
            "--output",
            f"junit={place}",
            end=failing(AssertionError()),
        )
        == 2
    )
    assert code_told(capsys) == "output-file"
    assert set(tmp_path.rglob("*")) == before, "not even the others"
    assert Path("trust.toml").read_text() == "version = 1\n"


@pytest.mark.parametrize("words", [
    ("--output", "json=a", "--output", "html=a"),
    ("--output", "json=a", "--output", "json=./a"),
    ("--output", "json=a", "--html", "link"),
    ("--output", "json=a", "a"),
    ("--output", "json=link", "other", "a"),
])  # fmt: skip
def test_no_file_is_named_twice(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("a")
    assert judge("--format", "json", *words, end=failing(AssertionError())) == 2
    assert code_told(capsys) == "output-file"
    assert not Path("a").exists()


def test_what_is_not_wanted_may_be_thrown_away_twice() -> None:
    assert judge("--output", "json=/dev/null", "--html", "/dev/null") == 1


def test_an_earlier_report_is_replaced_through_a_link_and_never_left_by_a_run_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("there")
    assert judge("--output", "json=link", end=lambda: GOOD) == 0
    assert json.loads(Path("there").read_text())["exit_code"] == 0

    there: list[bool] = []

    def look() -> Report:
        there.append(Path("there").exists())
        return GOOD

    assert judge("--output", "json=link", end=look) == 0
    assert there == [False]
    assert judge("--output", "json=link", end=failing(KeyboardInterrupt())) == 130
    assert json.loads(Path("there").read_text())["exit_code"] == 130
    assert judge("--output", "html=link") == 1
    assert Path("link").is_symlink()
    assert is_report(Path("there").read_bytes())


def test_what_cannot_be_written_in_the_end_changes_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--output", "junit=/dev/full", "--output", f"json={tmp_path / 'json'}")
    assert judge(*words, "--format", "json", end=lambda: GOOD) == 4
    assert code_told(capsys) == "output-not-written"
    document = json.loads((tmp_path / "json").read_text())
    assert (document["exit_code"], document["error"]["code"]) == (4, "output-not-written")

    assert judge(*words) == 1
    assert "warning: expected to write the junit report to /dev/full" in capsys.readouterr().err
    assert judge(*words, end=failing(NetworkError("gone", "no"))) == 3
    told = capsys.readouterr().err
    assert "warning: expected to write the junit report to /dev/full" in told
    assert "error[gone]" in told


def test_what_the_run_itself_has_put_there_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "x"

    def end() -> Report:
        place.write_text("delivered")
        return GOOD

    assert judge("--format", "json", "--output", f"html={place}", end=end) == 4
    assert code_told(capsys) == "output-not-written"
    assert place.read_text() == "delivered"


def test_safe_install_writes_a_refusal_and_a_usage_error(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--html", "page", "--output", "sarif=s.sarif", "--format", "junit")
    assert run(safe_install, "safe-install", (*words, "acme")) == 2
    assert "no-trust-file" in capsys.readouterr().out
    assert "no-trust-file" in (alone / "page").read_text()
    assert "no-trust-file" in (alone / "s.sarif").read_text()


@pytest.mark.parametrize("option", ["--trust", "--report", "--timings", "-r", "-c", "--html"])
def test_safe_install_writes_no_report_over_a_file_of_another_option(
    option: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(safe_install, "safe-install", ("--format=json", option, "x", "--output=json=./x", "acme")) == 2
    assert code_told(capsys) == "output-file"
    assert not list(alone.iterdir())


def test_safe_install_knows_no_other_format(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(safe_install, "safe-install", ("--format", "html", "acme")) == 2
    assert "error[option-value]" in capsys.readouterr().err
    assert not list(alone.iterdir())


def test_verify_tells_which_command_failed(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (alone / "acme-1.0-py3-none-any.whl").touch()
    words = ("verify", "--output", "json=j", "--format=json", "acme-1.0-py3-none-any.whl")
    assert run(pip_warden, "pip-warden", words) == 2
    for document in (json.loads(capsys.readouterr().out), json.loads((alone / "j").read_text())):
        assert (document["command"], document["exit_code"]) == ("verify", 2)
        assert document["error"]["code"] == "no-trust-file"


@pytest.mark.parametrize("words", [
    ("--bogus",),
    ("--format", "yaml"),
    ("--output", "yaml=x"),
    ("--output", "html=absent/x"),
    ("--output",),
])  # fmt: skip
def test_no_earlier_success_outlives_a_run_whose_options_are_wrong(
    words: tuple[str, ...], alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = alone / "j.xml"
    assert judge("--output", f"junit={place}", end=lambda: GOOD) == 0
    assert judge("--output", f"junit={place}", *words, end=failing(AssertionError())) == 2
    assert not place.exists() or 'errors="1"' in place.read_text()
    assert "error[" in capsys.readouterr().err


def test_an_error_before_the_options_are_known_is_written_too(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--output", "junit=j.xml", "--html=page", "--format=json", "--index-url", "https://example.com/")
    assert run(safe_install, "safe-install", (*words, "acme")) == 2
    code = code_told(capsys)
    assert code in (alone / "j.xml").read_text()
    assert code in (alone / "page").read_text()


def test_what_is_anothers_after_two_dashes_is_no_file_of_ours(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (alone / "trust.toml").write_text("version = 1\n")
    words = ("run", "--bogus", "--output", "json=trust.toml", "--", "pip", "--html", "page")
    assert run(pip_warden, "pip-warden", words) == 2
    assert run(pip_warden, "pip-warden", ("explain", "--html", "page")) == 2
    assert (alone / "trust.toml").read_text() == "version = 1\n"
    assert not (alone / "page").exists()
    assert "error[usage]" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--bogus", "--strict=x", "-Z", "--timeout=x"])
def test_what_is_anothers_after_its_name_is_no_file_of_ours(
    word: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types no dashes before the command: what stands behind its name is its own."""
    for name in ("mine", "its"):
        assert judge("--output", f"json={name}", end=lambda: GOOD) == 0
    before = (alone / "its").read_text()
    words = ("run", "--trust", "t", "-v", "--output", "json=mine", word, "tool", "--output", "json=its")
    assert run(pip_warden, "pip-warden", (*words, "--html=page", "--format=json")) == 2
    assert json.loads((alone / "mine").read_text())["exit_code"] == 2
    assert (alone / "its").read_text() == before
    assert not (alone / "page").exists()
    assert (capsys.readouterr().out) == ""


def test_an_option_whose_value_is_missing_ends_no_search(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(pip_warden, "pip-warden", ("run", "--output", "json=mine", "--trust")) == 2
    assert json.loads((alone / "mine").read_text())["error"]["code"] == "usage"
    assert "error[usage]" in capsys.readouterr().err


def test_a_success_that_cannot_be_taken_back_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk is full as soon as one report is written: the next one, and the second writing, both fail."""
    from pip_warden.installer import report_file

    put_whole, puts = report_file.put_whole, list[Path]()

    def put(content: BinaryIO, path: Path) -> None:
        puts.append(path)
        if len(puts) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        put_whole(content, path)

    monkeypatch.setattr(report_file, "put_whole", put)
    words = ("--output", f"junit={tmp_path / 'j'}", "--output", f"html={tmp_path / 'h'}")
    assert judge(*words, "--format=json", end=lambda: GOOD) == 4
    assert code_told(capsys) == "output-not-written"
    assert not list(tmp_path.iterdir())


@pytest.fixture
def heard() -> Iterator[None]:
    """Hear every signal, however the tests were started: a shell ignores some for what it starts."""
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_while_it_tells_leaves_no_success(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every file says what ended it; standard output, which may have something already, does not."""
    monkeypatch.setattr(Console, "clear", lambda _console: os.kill(os.getpid(), number))
    assert judge(*everything(tmp_path), "--format=json", end=lambda: GOOD) == 128 + number
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "json").read_text())["exit_code"] == 128 + number
    for name in FORMATS:
        text = (tmp_path / name).read_text()
        assert is_report(text.encode()), name
        assert "ended-by-signal" in text, name


@pytest.mark.usefixtures("heard")
def test_a_run_that_is_ended_before_its_options_are_read_leaves_no_success(alone: Path) -> None:
    place = alone / "j.xml"
    assert judge("--output", f"junit={place}", end=lambda: GOOD) == 0

    @click.command("judge")
    @click.option("--output", callback=lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    @click.option("--html")
    def told(**_: object) -> None:
        pytest.fail("it went on")

    assert run(told, "judge", ("--output", f"junit={place}")) == 143
    assert "ended-by-signal" in place.read_text()


@pytest.mark.usefixtures("heard")
def test_a_run_that_is_ended_while_it_looks_at_its_files_leaves_no_success(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = alone / "j.xml"
    assert judge("--output", f"junit={place}", end=lambda: GOOD) == 0

    def told(*args: object) -> None:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("pip_warden.cli.reports.make_ready", told)
    assert judge("--output", f"junit={place}", end=failing(AssertionError())) == 143
    assert "ended-by-signal" in place.read_text()


@pytest.mark.usefixtures("heard")
def test_a_run_that_is_ended_says_so_whatever_happens_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pip_warden.cli.run.begin_unread", lambda *_, **__: 1 / 0)

    @click.command("judge")
    def told() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    assert run(told, "judge", ()) == 143
    assert capsys.readouterr().err == "\nended by SIGTERM\n"


@pytest.mark.usefixtures("heard")
def test_a_report_of_an_ended_run_that_cannot_be_written_leaves_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_console: Console) -> None:
        monkeypatch.setattr("pip_warden.cli.outputs.render", lambda *_: 1 / 0)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Console, "clear", end)
    assert judge(*everything(tmp_path), end=lambda: GOOD) == 143
    assert not list(tmp_path.iterdir())


def test_the_files_say_that_standard_output_took_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert judge(*everything(tmp_path), "--format=json", end=lambda: GOOD) == 4
        assert "error[not-told]" in capsys.readouterr().err
    assert json.loads((tmp_path / "json").read_text())["exit_code"] == 4
    for name in FORMATS:
        assert "not-told" in (tmp_path / name).read_text(), name


@pytest.mark.parametrize(
    "begins",
    [
        "<!doctype html>\n<title>Our own page</title>",
        "<?xml version='1.0'?><testsuites><testsuite name='pytest'>",
        '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "another"}}}]}',
    ],
)
def test_a_report_of_another_program_is_none_of_ours(begins: str) -> None:
    assert not is_report(begins.encode())
