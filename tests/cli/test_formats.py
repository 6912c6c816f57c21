"""Every command has ``--format json``: one document on stdout, as the schema describes, also for errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from cli.terminal import typed
from cli.test_commands import COMMANDS
from pip_warden.cli.install import safe_install
from pip_warden.cli.tree import pip_warden as tree
from pip_warden.explain import catalogue
from pip_warden.report.json import JUDGING
from pip_warden.report.schema import DOCUMENTS, report_schema
from pip_warden.sandbox import Sandbox

ENVELOPE = ["schema_version", "tool", "command", "exit_code"]
SCHEMA = Path(__file__).parent.parent.parent / "docs" / "report.schema.json"


def leaf(words: tuple[str, ...]) -> click.Command | None:
    command: click.Command = tree
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    return None if isinstance(command, click.Group) else command


LEAVES = {words: command for words in COMMANDS if (command := leaf(words)) is not None}


def test_the_schema_describes_every_command_and_no_other() -> None:
    assert set(DOCUMENTS) == {*map(" ".join, LEAVES), "safe-install"}
    assert set(DOCUMENTS) >= JUDGING


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_the_option(words: tuple[str, ...]) -> None:
    (option,) = [each for each in LEAVES[words].params if "--format" in each.opts]
    assert isinstance(option.type, click.Choice)
    assert {"text", "json"} <= set(option.type.choices)
    assert option.default == "text"


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
@pytest.mark.parametrize("before", [True, False])
def test_every_error_is_one_document(alone: Path, words: tuple[str, ...], before: bool) -> None:
    wrong, data = ("--nonsense",), ("--format", "json")
    said = typed(*words, *(data + wrong if before else wrong + data))

    assert (said.code, said.err) == (2, "")
    document = said.json
    assert list(document)[:4] == ENVELOPE
    assert list(document)[-1] == "error"
    assert (document["command"], document["exit_code"]) == (" ".join(words), 2)
    assert document["error"]["code"] == "usage"
    if document["command"] in JUDGING:
        assert document["images" if words[0] == "image" else "files"] == []
        assert (document["unpinned"], document["warnings"]) == ([], [])
    assert not list(alone.iterdir())


def test_an_error_of_no_command_names_the_program(alone: Path) -> None:
    assert typed("nonsense", "--format", "json").json["command"] == "pip-warden"
    assert typed("trust", "nonsense", "--format=json").json["command"] == "trust"


def test_an_error_of_safe_install_is_a_report(alone: Path) -> None:
    said = typed("--format", "json", "x", command=safe_install, name="safe-install")

    assert (said.code, said.json["command"], said.json["files"]) == (2, "safe-install", [])
    assert said.json["error"]["code"] == "no-trust-file"


def test_codes_are_explained_as_data(alone: Path) -> None:
    every = typed("explain", "--format", "json").json["codes"]
    (one,) = typed("explain", "not-pinned", "--format", "json").json["codes"]

    assert [each["code"] for each in every] == list(catalogue())
    assert one in every
    assert (one["step"], one["exit_code"]) == (1, 1)


def test_a_pipeline_file_is_named_as_data(alone: Path) -> None:
    words = ("ci", "init", "consumer", "-o", "p.yml", "--source", "https://a.example/b.git")
    said = typed(*words, "--commit", "a" * 40, "--format", "json")

    assert (said.code, said.err) == (0, "")
    assert {key: said.json[key] for key in ("kind", "path")} == {"kind": "consumer", "path": "p.yml"}
    assert (alone / "p.yml").exists()


def test_where_a_sandbox_is_is_told_as_data_without_its_token(
    sandbox: Sandbox, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pip_warden.sandbox.serve.run_forever", lambda *, ready, **_: ready(sandbox))
    said = typed("sandbox", "--empty", "--directory", "box", "--format", "json")

    assert (said.code, said.err) == (0, "")
    assert said.json["gitlab_url"] == sandbox.gitlab_url
    token = (alone / said.json["environment"]).read_text().rpartition("GITLAB_TOKEN=")[2].strip()
    assert token
    assert token not in said.out


def test_what_a_demo_has_shown_is_told_as_data(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pip_warden.cli import demo

    act = demo.Act(title="a", expected="exit 0", found="exit 1", good=False)
    monkeypatch.setattr(demo, "_promise", lambda _: iter([act]))
    monkeypatch.setattr(demo, "_ATTACKS", ())
    said = typed("demo", "--format", "json")

    assert said.code == 1
    assert (said.json["exit_code"], said.json["error"]) == (1, None)
    assert said.json["acts"] == [{"title": "a", "expected": "exit 0", "found": "exit 1", "good": False}]
    assert "A GitLab and a Sigstore of our own are up" in said.err


def validated(document: dict[str, Any]) -> bool:
    schema: Any = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator(schema).is_valid(document)


def test_the_published_schema_is_the_one_of_this_version_and_lets_keys_be_added() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == report_schema()
    document = typed("explain", "not-pinned", "--format", "json").json
    document["tool"]["more"] = document["more"] = {"a": 1}
    assert validated(document)


@pytest.mark.parametrize("key", [*ENVELOPE, "error", "codes"])
def test_a_document_that_lacks_a_key_is_none(key: str) -> None:
    document = typed("explain", "not-pinned", "--format", "json").json
    del document[key]
    assert not validated(document)


def test_a_report_has_its_keys_also_where_an_error_ended_it(alone: Path) -> None:
    document = typed("verify", "absent.whl", "--format", "json").json
    assert validated(document)
    del document["files"]
    assert not validated(document)
