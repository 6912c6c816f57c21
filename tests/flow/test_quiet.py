"""``-q`` and ``-qq``: what went well is not told, by us or by pip; a refusal always is."""

from __future__ import annotations

import contextlib
import io

import pytest

from cli.terminal import Said
from flow.user import User
from ordinary import parametrized
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run


def typed(user: User, *words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(safe_install, "safe-install", ["--python", str(user.target), *words])
    return Said(code=code, out=out.getvalue(), err=err.getvalue())


def marks(text: str) -> list[str]:
    """Return how each line begins that is not indented."""
    return [line.split()[0] for line in text.splitlines() if line and not line.startswith(" ")]


def test_what_went_well_is_not_told(user: User) -> None:
    project = user.project()
    user.pin(project)
    user.sandbox.publish(project, [user.sdist(project)])
    name = project.record.name

    assert marks(typed(user, name, "--dry-run").out) == ["✓", "1"]
    for words in (["-q", "--dry-run"], ["-qq", "--download", "files"], ["-q"]):
        assert typed(user, name, *words) == Said(code=0, out="", err="")
    assert user.installed() == {name: "1.0"}


@pytest.mark.interop
def test_what_was_there_before_is_told_once_more(user: User) -> None:
    name = user.published().record.name
    typed(user, name)
    assert typed(user, "-q", "--strict", name).out == ""
    next(user.site.glob("*.dist-info/pip-warden.json")).unlink()  # as if another installer had put it there

    assert marks(typed(user, "-q", name).out) == ["·"]
    assert typed(user, "-qq", name) == Said(code=0, out="", err="")
    strict = typed(user, "-qq", "--strict", name)
    assert (strict.code, strict.out) == (1, "")
    assert "present and not verified" in strict.err


@pytest.mark.parametrize("quiet", ["-q", "-qq", "-qqq"])
def test_a_refusal_is_always_told(user: User, quiet: str) -> None:
    good = user.published().record.name
    said = typed(user, quiet, good, "nobody-pinned-this")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("✗ nobody-pinned-this refused[not-pinned] at step 1 (pin)\n")
    assert marks(said.err)[0] == "✗"
    loud = typed(user, good, "nobody-pinned-this")
    assert loud.code == 1
    assert said.err in loud.err


@pytest.mark.interop
def test_json_is_the_same(user: User) -> None:
    name = user.published().record.name
    loud, quiet = user.install("--dry-run", name), user.install("--dry-run", "-qq", name)

    # What it has cost is another matter: the second one finds the file in the cache.
    assert quiet.document.pop("measures").keys() == loud.document.pop("measures").keys()
    assert quiet.document == loud.document
    assert quiet.output.startswith("{")
    assert quiet.output.rstrip().endswith("}"), "nothing on standard error"


def test_pips_lines_are_indented_and_ours_are_not(user: User) -> None:
    name = user.published().record.name
    said = typed(user, name)

    assert f"  Successfully installed {name}-1.0" in said.out.splitlines()
    assert marks(said.out) == ["✓", "1"]
    assert said.out.splitlines()[-1].startswith("1 package: 1 signed by 1 identity · ")


@parametrized("width", [60, 120], ordinary={0})
def test_a_run_fits_the_terminal(user: User, width: int) -> None:
    name = user.published("1.0", "2.0").record.name
    user.patch.setenv("COLUMNS", str(width))
    good, bad = typed(user, "-v", f"{name}==1.0"), typed(user, name, "nobody-pinned-this", "nor-this")

    assert (good.code, bad.code) == (0, 1), good.err + bad.err
    for said in (good, bad):
        assert [line for line in (said.out + said.err).splitlines() if len(line) > width] == []
    assert "pip-warden trust add nobody-pinned-this" in bad.err
