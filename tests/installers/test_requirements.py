"""Requirements: read in one way only, nothing bypasses the gate, and rendered without loss."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pip_warden.errors import UsageError
from pip_warden.installer.requirements import gather, pinned_releases
from pip_warden.installer.wanted import check_wanted, render

Write = Callable[..., str]
SOURCE = "https://gitlab.example.com/api/v4/projects/7/packages/pypi/simple"
HASH = "sha256:" + "a" * 64


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str | bytes, name: str = "requirements.txt") -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return _write


def _code(**what: Any) -> str:
    with pytest.raises(UsageError) as caught:
        gather(**what)
    assert "hunter2" not in caught.value.message + caught.value.hint
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        "acme==1.0",
        "acme[a,b]>=1,<2",
        'acme; python_version < "3.12" and extra == "x"',
        f"acme==1.0 --hash={HASH}",
        f"acme==1.0 --hash={HASH} --hash=sha512:{'b' * 128}",
        f'acme==1.0; os_name == "posix" --hash={HASH}',
        "acme --config-settings='--build-option=-v -x'",
        "acme===1.0-odd",
    ],
)
def test_t66_what_is_rendered_says_what_was_written(text: str) -> None:
    first = gather(positional=[text])
    again = gather(positional=[render(first.named).rstrip("\n")])

    assert first == again
    assert len(first.named) == 1
    assert all(
        word in render(first.named)
        for word in text.split()
        if "=" in word and ";" not in word and "[" not in word and "'" not in word
    )


def test_a_name_that_looks_like_a_file_is_never_handed_on_as_one(write: Write) -> None:
    wanted = gather(positional=["Acme.Widgets==1"])

    assert wanted.named[0].requirement == "acme-widgets==1"
    for archive in ("acme.zip", "acme.tar.gz", "acme-1-py3-none-any.whl", "acme.tgz"):
        assert _code(positional=[archive]) == "bad-requirement"


@pytest.mark.parametrize("text", ["acme_", "acme_==1.0", "0_", "acme__; os_name == 'nt'"])
def test_a_name_that_no_project_has_is_refused(text: str) -> None:
    assert _code(positional=[text]) == "bad-requirement"


@pytest.mark.parametrize(
    "content",
    [
        "acme\n".encode("utf-16"),
        "acme\n".encode("utf-16-le"),
        "acme\n".encode("utf-32"),
        b"\xef\xbb\xbfacme\n",
        b"# -*- coding: latin-1 -*-\nacme\n",
        b"\n# coding=utf-7\nacme\n",
        b"acm\xe9\n",
        "acme\x85--index-url=https://evil.example\n".encode(),
        b"acme\x0c\n",
        b"acme\x0b--pre\n",
        b"acme\x00\n",
        "acme\u2028evil\n".encode(),
    ],
)
def test_t66_files_that_two_readers_read_differently_are_refused(content: bytes, write: Write) -> None:
    assert _code(files=[write(content)]) == "bad-requirements-file"


def test_t66_continuations_comments_and_line_ends(write: Write) -> None:
    path = write(f"acme==1.0 \\\r\n    --hash={HASH}  # why\r\n# acme2 \\\nbeta\r\ngamma\\\n>=2\n")

    assert [item.rendered() for item in gather(files=[path]).named] == [
        f"acme==1.0 --hash={HASH}",
        "beta",
        "gamma>=2",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "https://user:hunter2@evil.example/acme-1.0-py3-none-any.whl",
        "https://us/er:hunter2@evil.example/acme-1.0-py3-none-any.whl",
        "https://evil.example/a.whl?private_token=hunter2",
        "acme @ https://user:hunter2@evil.example/a.whl",
        "acme@https://user:hunter2@evil.example/a.whl",
        "acme @ file:///tmp/acme-1.0-py3-none-any.whl",
        "git+https://oauth2:hunter2@gitlab.example.com/acme/widgets",
        "git+ssh://git@gitlab.example.com/acme/widgets",
        "-e git+https://oauth2:hunter2@gitlab.example.com/acme/widgets#egg=acme",
        "file:/tmp/acme-1.0-py3-none-any.whl",
        "FILE:/tmp/x",
        "--find-links https://user:hunter2@evil.example/",
        "-f /tmp/wheels",
        "--trusted-host evil.example",
        "--no-index",
        "--index-url https://user:hunter2@evil.example/simple",
        "-i https://user:hunter2/x@evil.example/simple",
        "--extra-index-url http://[hunter2",
        "--extra-index https://user:hunter2@evil.example/simple",
        f"--index-url {SOURCE}/../../../8/packages/pypi/simple",
        f"--index-url {SOURCE}evil/simple",
        "--use-feature=fast-deps",
        "-r https://user:hunter2@evil.example/requirements.txt",
        "-c file:///etc/passwd",
        "-r pylock.toml",
        "-r pylock.dev.toml",
        "acme==${VERSION}",
        'acme; os_name == "${OS}"',
        "acme===${VERSION}",
    ],
)
def test_t29_what_would_go_past_the_gate_is_refused(line: str, write: Write) -> None:
    assert _code(files=[write(f"acme\n{line}\n")], source_urls=[SOURCE]) == "refused-requirement"


@pytest.mark.parametrize(
    "line",
    [
        f"acme==1.0 --hash={HASH} ; python_version < '3'",
        f"acme==1.0 --hash={HASH}; python_version < '3'",
        "acme --hash=sha256:XYZ",
        "acme --hash",
        "acme --pre",
        "acme -r other.txt",
        "-r other.txt acme",
        "--pre acme",
        "--index-url=",
        f"--hash={HASH}",
        "acme beta",
        "acme==",
        "--unknown",
        "acme --index-url https://u:hunter2@evil.example",
        "acme --global-option=x",
        "./missing.whl",
        "missing.whl",
        "./missing",
        "~nobody-of-this-name/x",
        "-e missing",
        "a" * 5000 + ".whl",
        "/" + "a" * 5000,
        "acme; " + "(" * 5000,
    ],
)
def test_lines_that_would_lose_something_are_refused(line: str, write: Write) -> None:
    write("beta\n", "other.txt")

    assert _code(files=[write(f"{line}\n")], source_urls=[SOURCE]) == "bad-requirement"


@pytest.mark.parametrize(
    "text",
    [
        "acme\n--pre",
        "acme --config-settings='a=b\x85--pre'",
        "acme; os_name == 'a\r--pre'",
        "acme\x00",
        "./a\x00b",
        "acme; os_name == '\udcff'",
    ],
)
def test_nothing_breaks_out_of_its_line(text: str) -> None:
    assert _code(positional=[text]) == "bad-requirement"


def test_the_index_line_of_a_source_is_dropped_with_a_note(write: Write) -> None:
    path = write(f"--index-url {SOURCE.replace('//', '//ci:hunter2@')}/\nacme\n")
    wanted = gather(files=[path], source_urls=[SOURCE])

    assert [item.rendered() for item in wanted.named] == ["acme"]
    assert len(wanted.notes) == 1
    assert "hunter2" not in wanted.notes[0]
    assert wanted.options == ()


def test_harmless_options_are_kept(write: Write) -> None:
    path = write(
        "--pre\n--only-binary :all:\n--no-binary=acme,beta\n--prefer-binary\n--require-hashes\nacme\n"
    )

    assert set(gather(files=[path]).options) == {
        "--pre",
        "--only-binary=:all:",
        "--no-binary=acme,beta",
        "--prefer-binary",
        "--require-hashes",
    }


def test_nested_files_are_read_beside_the_file_that_names_them(write: Write) -> None:
    write("beta\n-c ../limits.txt\n", "sub/more.txt")
    write("gamma<3\n", "limits.txt")
    wanted = gather(files=[write("-r sub/more.txt\n-r sub/more.txt\nacme\n")])

    assert {item.project for item in wanted.named} == {"acme", "beta"}
    assert [item.rendered() for item in wanted.constraints] == ["gamma<3"]


def test_files_that_include_each_other_are_refused(write: Write) -> None:
    write("-r requirements.txt\n", "b.txt")

    assert _code(files=[write("-r b.txt\n")]) == "bad-requirements-file"


def test_many_ways_to_one_file_are_one_reading(write: Write) -> None:
    for number in range(30):
        write(f"-r {number + 1}.txt\n" * 3, f"{number}.txt")
    write("acme\n", "30.txt")

    assert len(gather(files=[write("-r 0.txt\n")]).named) == 1


def test_missing_and_endless_files(tmp_path: Path) -> None:
    assert _code(files=[str(tmp_path / "none.txt")]) == "bad-requirements-file"
    assert _code(files=[str(tmp_path)]) == "bad-requirements-file"
    assert _code(files=["/dev/zero"]) == "bad-requirements-file"
    assert _code(files=["a\x00b"]) == "bad-requirements-file"


def test_local_files_and_projects(write: Write, tmp_path: Path) -> None:
    write("", "acme-1.0-py3-none-any.whl")
    write("", "project/pyproject.toml")
    path = write("./acme-1.0-py3-none-any.whl[extra]\n-e project\n./project[x]\n")
    wanted = gather(files=[path])

    assert [(file.path.name, file.extras) for file in wanted.files] == [
        ("acme-1.0-py3-none-any.whl", "[extra]")
    ]
    assert sorted((p.path.name, p.extras, p.editable) for p in wanted.projects) == [
        ("project", "", True),
        ("project", "[x]", False),
    ]


@pytest.mark.parametrize("option", [f"--hash={HASH}", "--config-settings=a=b"])
def test_an_option_behind_a_local_path_is_not_lost(option: str, write: Write) -> None:
    write("", "acme-1.0-py3-none-any.whl")
    write("", "project/pyproject.toml")

    for place in ("./acme-1.0-py3-none-any.whl", "./project"):
        assert _code(files=[write(f"{place} {option}\n")]) == "bad-requirement"


def test_t05_an_empty_file_wants_nothing(write: Write) -> None:
    wanted = gather(files=[write("# nothing\n\n")])

    assert (wanted.named, wanted.files, wanted.projects) == ((), (), ())


def test_a_digest_that_is_not_spelled_as_one_is_named(write: Write) -> None:
    with pytest.raises(UsageError) as caught:
        gather(files=[write(f"acme==1 --hash=sha256:{'A' * 64}\n")])
    assert f"found --hash sha256:{'A' * 64} in" in caught.value.message
    assert "lower-case hexadecimal" in caught.value.message


def test_releases_for_pinning_need_one_exact_version(write: Write) -> None:
    for text in ("acme==1rc1", "acme==1,<2", "acme==1+local", "acme==v1"):
        assert len(pinned_releases(Path(write(text)))) == 1, text
    (release,) = pinned_releases(Path(write(f"Acme==1.0 --hash={HASH}\n")))
    assert (str(release.project), str(release.version), set(release.sha256)) == ("acme", "1.0", {"a" * 64})
    for text in ("acme", "acme>=1", "acme==1.*", "acme==1,==2", "acme==1,!=1", "acme==1rc1,>1"):
        with pytest.raises(UsageError) as caught:
            pinned_releases(Path(write(text)))
        assert caught.value.code == "version-needed"


_PIECES = st.sampled_from(
    [
        "acme",
        "==",
        "1.0",
        " ",
        "\t",
        ";",
        "--hash=",
        HASH,
        "-r",
        "-e",
        "-c",
        "--",
        "\\\n",
        "\n",
        "#",
        "'",
        '"',
        "[",
        "]",
        "@",
        "git+",
        "https://",
        "${A}",
        "(",
        "~",
        "/",
        ".",
        ".whl",
        "=",
        "\r",
        "-i",
    ]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass")),
        st.lists(_PIECES, max_size=12).map(lambda p: "".join(p).encode()),
    )
)
def test_t66_nothing_but_usage_errors_escapes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(content)
    try:
        wanted = gather(files=[str(path)])
    except UsageError:
        return
    rendered = render(wanted.named)

    assert len(rendered.splitlines()) == len(wanted.named)
    path.write_text(rendered, encoding="utf-8")
    assert gather(files=[str(path)]).named == wanted.named


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=40), st.lists(_PIECES, max_size=10).map("".join)))
def test_nothing_but_usage_errors_escapes_from_the_command_line(text: str) -> None:
    try:
        wanted = gather(positional=[text])
    except UsageError:
        return
    assert len(wanted.named) + len(wanted.files) + len(wanted.projects) == 1
    assert os.linesep not in render(wanted.named).rstrip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "acme" + " " * 200_000 + "x",
        "acme" + " \\\n" * 100_000 + "x",
        "acme" + "\t \u3000" * 70_000 + "# x",
    ],
)
def test_b05_blanks_without_end_are_no_requirements_file(write: Write, text: str) -> None:
    assert _code(files=[write(text)]) == "bad-requirements-file"


def test_b05_a_long_word_is_shown_at_once() -> None:
    assert _code(positional=["a:" + "x" * 400_000]) == "bad-requirement"


def test_indented_requirements_are_read(write: Write) -> None:
    text = "acme==1.0" + " " * 80 + "# why\n" + "gears==1.0 \\\n" + " " * 80 + f"--hash={HASH}\n"

    assert [named.project for named in gather(files=[write(text)]).named] == ["acme", "gears"]


def _unasked() -> dict[str, str]:
    raise AssertionError("no marker, no question")


def test_b18_the_target_is_asked_only_where_there_is_a_marker() -> None:
    check_wanted(gather(positional=["acme"]), _unasked)
    for nothing in (gather(), gather(constraints=[])):
        with pytest.raises(UsageError) as caught:
            check_wanted(nothing, _unasked)
        assert caught.value.code == "nothing-to-install"


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["a; python_version == '3.99'"], True),
        (["a; python_version != '3.99'"], False),
        (["a; python_version != '3.99'", "b; sys_platform == 'cpm'"], True),
        (["a; python_version != '3.99'", "b; sys_platform != 'cpm'"], False),
        (["a; extra == 'x'"], False),
        (["a; extra != 'x'"], True),
        (["a[x]; extra == 'x'"], False),
        (["a; python_version != '3.99'", "."], True),
    ],
)
def test_b18_markers_are_evaluated_with_the_values_of_the_target(asked: list[str], *, wanted: bool) -> None:
    gathered = gather(positional=asked)
    values = {"python_version": "3.99", "sys_platform": "cpm"}
    if wanted:
        check_wanted(gathered, lambda: values)
        return
    with pytest.raises(UsageError) as caught:
        check_wanted(gathered, lambda: values)
    assert caught.value.code == "nothing-to-install"


_VARIABLES = ["os_name", "python_version", "platform_release", "implementation_version", "extra", "extras"]
_OPERATORS = ["==", "!=", "~=", "===", "<", ">=", "in", "not in"]


@given(
    st.sampled_from(_VARIABLES),
    st.sampled_from(_OPERATORS),
    st.text(alphabet="x3.*!+ <>=9", max_size=8),
    st.booleans(),
)
def test_t14_any_marker_is_true_false_or_a_fault_of_the_request(
    variable: str, operator: str, value: str, swapped: bool
) -> None:
    sides = (f"'{value}'", variable) if swapped else (variable, f"'{value}'")
    codes = set()
    try:
        check_wanted(gather(positional=[f"a; {sides[0]} {operator} {sides[1]}"]), dict)
    except UsageError as err:
        codes.add(err.code)
    assert codes <= {"bad-requirement", "nothing-to-install", "refused-requirement"}


@pytest.mark.parametrize("text", ["foo===1\\", "foo===1\\\\", "foo===1\\ "])
def test_t66_nothing_that_joins_two_lines_of_the_file_that_pip_gets(text: str) -> None:
    """With a backslash at the end of a line, pip reads the next requirement as a part of this one."""
    with pytest.raises(UsageError) as caught:
        gather(positional=[text, "bar"])
    assert (caught.value.code, caught.value.exit_code) == ("bad-requirement", 2)
    assert render(gather(positional=["foo===1\\ ; os_name != 'x'", "bar"]).named).count("\n") == 2
