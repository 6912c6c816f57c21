"""The components of `templates/`, read as GitLab reads them; `interop.test_components` runs them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.reading import COMMIT, DEFAULT_STAGES, NAMES, TEMPLATES, Component, jobs_of

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "array": list,
}
EVERYWHERE = {"rules", "needs", "image", "trust-file", "token-file", "source-revision", "source", "install"}
PIPELINE = "4711"
REPORTING = """#!/bin/sh
for word; do
  case "$word" in
    --output=*) word="${{word#*=}}"; echo "ended with {code}" >"${{word#*=}}";;
    --html=*) echo "ended with {code}" >"${{word#*=}}";;
    --output-digest=*) echo "sha256:0" >"${{word#*=}}";;
  esac
done
exit {code}
"""
BUILT, JUDGED = (f"sha256:{digit * 64}" for digit in "ab")
ODD = ['a "b" c', "it's", "$(touch pwned)", "`touch pwned`", "a; touch pwned #", "a: b", "a\\b", "* [x] {y}"]


def test_every_template_is_one_of_these() -> None:
    assert {path.stem for path in TEMPLATES.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_used_described_and_has_a_default_of_its_type(name: str) -> None:
    component = Component.read(name)

    assert component.used() == set(component.inputs)
    for spec in component.inputs.values():
        kind = TYPES[spec.get("type", "string")]
        assert spec["description"].endswith(".")
        assert "default" not in spec or isinstance(spec["default"], kind)
        assert kind in {bool, list} or not isinstance(spec.get("default"), bool)
    assert component.inputs.keys() >= EVERYWHERE


@pytest.mark.parametrize("name", NAMES)
def test_no_input_can_end_its_line_or_its_quotes(name: str) -> None:
    """GitLab replaces text: a second line would be a key, or another job; `install` is a command."""
    component = Component.read(name)
    for key, spec in component.inputs.items():
        if spec.get("type", "string") != "string" or key == "install":
            continue
        accepts = re.compile(spec["regex"]).search
        assert accepts(spec.get("default", "acme-widgets==$CI_COMMIT_TAG")), key
        bad = ["a==b\nevil: {script: [true]}", "a==b\rc"]
        bad += ['a": {}', "a\\"] if f'"$[[ inputs.{key} ]]"' in component.body else []
        assert not [text for text in bad if accepts(text)], key


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("publish", {"environment", "resource-group", "artifacts-expire-in", "build-info", "trust-config"}),
        ("verify", {"cache-key"}),
        ("promote", {"environment", "resource-group", "cache-key"}),
        ("image", {"environment", "resource-group", "build-info", "trust-config", "digest-file"}),
    ],
)
def test_what_can_be_set(name: str, inputs: set[str]) -> None:
    assert Component.read(name).inputs.keys() >= inputs


def test_the_age_is_a_number() -> None:
    spec = Component.read("promote").inputs["min-age"]

    assert (spec["type"], spec["default"]) == ("number", 0)
    assert '"--min-age=2.5"' in jobs_of("promote", **{"min-age": 2.5})["pip-warden-promote"]["script"][-1]


@pytest.mark.parametrize("name", NAMES)
def test_each_job_and_stage_is_an_input_so_that_two_includes_give_two_sets_of_jobs(name: str) -> None:
    inputs = Component.read(name).inputs
    names = {key: f"second-{key}" for key in inputs if key.split("-")[0] == "job"}
    stages = {key: f"my-{key}" for key in inputs if key.split("-")[0] == "stage"}
    first, second = jobs_of(name), jobs_of(name, **names, **stages)

    assert not first.keys() & second.keys()
    assert set(second) == set(names.values())
    assert {job["stage"] for job in second.values()} == set(stages.values())
    for jobs in (first, second):
        needed = {
            need if isinstance(need, str) else need["job"] for job in jobs.values() for need in job["needs"]
        }
        assert {need for need in needed if "pip-warden" in need or "second" in need} - jobs.keys() <= {
            "pip-warden-publish",
            "pip-warden-verify-release",
        }


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_are_there_without_any_of_ones_own(name: str) -> None:
    assert {job["stage"] for job in jobs_of(name).values()} <= set(DEFAULT_STAGES)


@pytest.mark.parametrize("name", NAMES)
def test_by_default_a_branch_pipeline_has_none_of_the_jobs(name: str) -> None:
    assert {json.dumps(job["rules"]) for job in jobs_of(name).values()} == {'[{"if": "$CI_COMMIT_TAG"}]'}
    own = [{"if": "$CI_PIPELINE_SOURCE == 'schedule'"}]
    assert all(job["rules"] == own for job in jobs_of(name, rules=own).values())


def test_what_is_published_was_verified_after_it_was_signed() -> None:
    jobs = jobs_of("publish", needs=["build", "test"])

    assert list(jobs)[:-1] == ["pip-warden-sign", "pip-warden-verify", "pip-warden-publish"]
    assert jobs["pip-warden-sign"]["needs"] == ["build", "test"]
    assert jobs["pip-warden-verify"]["needs"] == ["pip-warden-sign"]
    assert jobs["pip-warden-publish"]["needs"] == [
        "pip-warden-sign",
        {"job": "pip-warden-verify", "artifacts": False},
    ]
    assert "needs" not in Component.read("publish").inputs["needs"].get("default", "")


def test_the_job_that_reports_asks_what_the_gate_asks_and_never_decides(program: Path) -> None:
    gate, told = jobs_of("verify", **{"source-revision": "abc"}).values()
    files = ["junit=pip-warden.junit.xml", "sarif=pip-warden.sarif"]
    named = ["--output", files[0], "--output", files[1], "--html", "pip-warden.html"]
    (asked,) = _run(program, gate, "sh")
    (program / "told").unlink()
    assert _run(program, told, "sh") == [[asked[0], *named, *asked[1:]]]

    (program / "bin" / "pip-warden").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (program / "told").write_text("", encoding="utf-8")
    assert _run(program, told, "sh") == []
    with pytest.raises(subprocess.CalledProcessError):
        _run(program, gate, "sh")
    assert told["artifacts"]["when"] == "always"
    assert told["artifacts"]["reports"] == {"junit": "pip-warden.junit.xml"}
    assert told["cache"]["policy"] == "pull"


GATES = {
    "publish": {"verify": "pip-warden-verify", "publish": "pip-warden-publish"},
    "promote": {"promote": "pip-warden-promote"},
    "image": {"image-verify": "pip-warden-image-verify", "image-promote": "pip-warden-image-promote"},
}
"""The jobs that do what can be done once only: each leaves its report, which another job publishes."""


def _named(name: str) -> list[str]:
    """Return the options that a gate's reports are asked for with."""
    base = f".pip-warden-report/{PIPELINE}/pip-warden-{name}"
    return [f"--output=junit={base}.junit.xml", f"--output=sarif={base}.sarif", f"--html={base}.html"]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_waits_for_a_job_that_reports(name: str) -> None:
    jobs = jobs_of(name)
    *_, told = jobs
    needed = json.dumps([job["needs"] for each in NAMES for job in jobs_of(each).values()])

    assert told.endswith("-report")
    assert f'"{told}"' not in needed
    assert jobs[told]["allow_failure"] is True
    assert [each for each, job in jobs.items() if "when" in job] in ([], [told])


@pytest.mark.parametrize("name", GATES)
def test_a_job_that_reports_publishes_what_the_gates_left_and_runs_nothing(name: str) -> None:
    jobs = jobs_of(name)
    *_, told = jobs.values()
    kept = [f"pip-warden-{each}.{kind}" for each in GATES[name] for kind in ("junit.xml", "sarif", "html")]

    assert (told["when"], told["needs"], told["before_script"]) == ("always", [*GATES[name].values()], [])
    assert "pip-warden " not in "\n".join(told["script"])
    assert told["artifacts"]["when"] == "always"
    assert told["artifacts"]["paths"] == kept
    assert told["artifacts"]["reports"] == {"junit": [each for each in kept if each.endswith(".xml")]}
    for gate in GATES[name].values():
        assert jobs[gate]["artifacts"]["when"] == "always"
        assert ".pip-warden-report/" in jobs[gate]["artifacts"]["paths"]


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("name", GATES)
def test_what_a_gate_leaves_is_what_is_published(name: str, code: int, program: Path) -> None:
    """Whether it passed or not; and what is of another pipeline, or of an earlier try, is not."""
    (program / "bin" / "pip-warden").write_text(REPORTING.format(code=code), encoding="utf-8")
    (program / ".pip-warden-report" / "older").mkdir(parents=True)
    (program / ".pip-warden-report" / PIPELINE).mkdir()
    jobs = jobs_of(name)
    *_, told = jobs.values()
    for each, gate in GATES[name].items():
        (program / ".pip-warden-report" / PIPELINE / f"pip-warden-{each}.html").write_text("an earlier try")
        (program / "image-digest.txt").write_text(BUILT, encoding="utf-8")
        assert _whole(program, jobs[gate]) == code
        left = program / ".pip-warden-report"
        assert [path.name for path in left.iterdir()] == [PIPELINE]
        assert {path.name for path in (left / PIPELINE).iterdir()} == {
            f"pip-warden-{each}.{kind}" for kind in ("junit.xml", "sarif", "html")
        }
        assert _whole(program, told) == 0
        assert (program / f"pip-warden-{each}.html").read_text(encoding="utf-8") == f"ended with {code}\n"


@pytest.mark.parametrize("name", GATES)
def test_where_no_gate_ran_nothing_of_an_earlier_run_is_published(name: str, program: Path) -> None:
    """A runner may keep files between jobs."""
    *_, told = jobs_of(name).values()
    (program / ".pip-warden-report" / "older").mkdir(parents=True)
    for each in GATES[name]:
        for directory in (program, program / ".pip-warden-report" / "older"):
            (directory / f"pip-warden-{each}.junit.xml").write_text("a success", encoding="utf-8")
    assert _whole(program, told) == 0

    assert not list(program.glob("pip-warden-*"))


@pytest.mark.parametrize("name", GATES)
def test_a_gate_that_cannot_begin_leaves_nothing(name: str, program: Path) -> None:
    jobs = jobs_of(name, install="exit 3")
    kept = program / ".pip-warden-report" / PIPELINE / "pip-warden-x.junit.xml"
    for gate in GATES[name].values():
        kept.parent.mkdir(parents=True, exist_ok=True)
        for path in (kept, program / "image-digest.txt", program / "image.env"):
            path.write_text("a success", encoding="utf-8")
        assert _whole(program, jobs[gate]) == 3
        assert not kept.exists()
        assert (program / "image.env").exists() == (gate != "pip-warden-image-verify")
        assert (program / "image-digest.txt").exists() == (gate != "pip-warden-image-verify")


def test_the_job_that_asks_again_keeps_no_report_of_another_run(program: Path) -> None:
    *_, told = jobs_of("verify", install="exit 3").values()
    (program / "pip-warden.junit.xml").write_text("a success", encoding="utf-8")
    assert _whole(program, told) == 3

    assert not (program / "pip-warden.junit.xml").exists()


def test_only_a_job_that_signs_has_a_token_to_sign_with() -> None:
    having = [name for each in NAMES for name, job in jobs_of(each).items() if "id_tokens" in job]

    assert having == ["pip-warden-sign", "pip-warden-promote", "pip-warden-image-sign"]


def test_the_files_decide_the_artifacts() -> None:
    jobs = jobs_of("publish", files="packages/*/dist/*.whl", **{"artifacts-expire-in": "3 days"})

    assert jobs["pip-warden-sign"]["artifacts"] == {
        "paths": ["packages/*/dist/*.whl", "packages/*/dist/*.whl.*"],
        "expire_in": "3 days",
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_is_installed_is_the_components_own_commit_and_no_name_of_an_index(name: str) -> None:
    spec = Component.read(name)
    install = spec.inputs["install"]["default"]

    assert "sha" in spec.header["component"]
    begun = [job["before_script"] for job in spec.jobs(**_all(name)).values() if job["before_script"]]
    assert {lines[-2] for lines in begun} == {f'WARDEN_COMMIT="{COMMIT}"'}
    assert {lines[-1].strip() for lines in begun} == {install}
    assert '-- "$WARDEN_SOURCE" "$WARDEN_COMMIT"' in install
    installed = re.findall(r"pip install ([^;]*)", install)
    assert len(installed) == 2
    assert all("--require-hashes" in words or "--no-index" in words for words in installed)
    assert not any(re.search(r"\bpip-warden\b", words) for words in installed)


def _all(name: str) -> dict[str, Any]:
    return {key: "x" for key, spec in Component.read(name).inputs.items() if "default" not in spec} | (
        {"needs": []} if name in {"publish", "image"} else {}
    )


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_an_input_holds_arrives_as_it_is(name: str, odd: str) -> None:
    component = Component.read(name)
    for job in component.jobs(**_all(name)).values():
        for variable, text in job.get("variables", {}).items():
            assert isinstance(text, str), variable
    free = [
        key for key in component.inputs if re.search(rf"\|-\n +\$\[\[ inputs\.{key} \]\]", component.body)
    ]
    for key in free:
        jobs = component.jobs(**_all(name) | {key: odd})
        assert odd in {text for job in jobs.values() for text in job.get("variables", {}).values()}, key


@pytest.mark.parametrize("name", NAMES)
def test_no_input_is_part_of_a_script_unless_its_type_has_no_metacharacters(name: str) -> None:
    component = Component.read(name)
    typed = {key for key, spec in component.inputs.items() if spec.get("type") in {"boolean", "number"}}
    scripts = re.findall(r"^  (?:before_)?script:.*\n((?:    .*\n)+)", component.body, re.MULTILINE)
    used = [
        (line.strip(), key)
        for script in scripts
        for line in script.splitlines()
        for key in re.findall(r"\$\[\[ (?:inputs|component)\.([\w-]+) \]\]", line)
    ]

    assert len(scripts) >= 2
    for line, key in used:
        if line != "$[[ inputs.install ]]":
            assert key in typed | {"sha"}
            assert re.search(rf'"[^"]*\$\[\[ (inputs|component)\.{key} \]\][^"]*"', line), line


def _environment(program: Path, job: dict[str, Any]) -> dict[str, str]:
    given = {"CI_PROJECT_URL": "https://gitlab.example.com/acme/app", "CI_PIPELINE_ID": PIPELINE}
    own: dict[str, str] = job.get("variables", {})
    return {"PATH": f"{program}/bin:/usr/bin:/bin"} | given | own


def _whole(program: Path, job: dict[str, Any]) -> int:
    """Run a job with what comes before its script, and return its exit code."""
    before = ["true" if "git init" in line else line for line in job["before_script"]]
    lines = "\n".join(["set -e", *before, *job["script"]])
    environment = _environment(program, job)
    return subprocess.run(["sh", "-c", lines], cwd=program, env=environment, check=False).returncode


def _run(program: Path, job: dict[str, Any], shell: str) -> list[list[str]]:
    lines = "\n".join(["set -e", *job["script"]])
    subprocess.run([shell, "-c", lines], cwd=program, env=_environment(program, job), check=True)
    told = (program / "told").read_text(encoding="utf-8").split("END\n")
    return [text.splitlines() for text in told[:-1]]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_blanks_in_a_pattern_and_in_paths_stay_in_one_word(program: Path, shell: str) -> None:
    given = {"files": "my dist/*.whl", "trust-config": "my config.json", "build-info": "build info.json"}
    sign, verify, publish, _ = jobs_of("publish", **given, **{"token-file": "example.com=/a b"}).values()
    found = ["my dist/a b.whl", "my dist/c.whl"]

    assert _run(program, sign, shell) == [
        ["sign", "--detached", "--trust-config=my config.json", "--", *found],
        ["attest", "--build-info=build info.json", "--trust-config=my config.json", "--", *found],
    ]
    (program / "told").unlink()
    assert _run(program, verify, shell)[0][:5] == ["verify", *_named("verify"), "--trust=pytrust.toml"]
    assert _run(program, verify, shell)[0][-3:] == ["--", *found]
    (program / "told").unlink()
    assert _run(program, publish, shell)[0][-3:] == ["--", *found]


@pytest.mark.parametrize(
    "odd", ["$(touch pwned)", "`touch pwned`", "x; touch pwned", "x & touch pwned", "> pwned"]
)
def test_no_input_is_evaluated_as_shell(program: Path, odd: str) -> None:
    sign, verify, publish, _ = jobs_of(
        "publish", files=odd, **{"trust-config": odd, "trust-file": odd, "token-file": odd, "build-info": odd}
    ).values()
    release, told = jobs_of("verify", release=odd, **{"trust-file": odd, "source-revision": odd}).values()
    promote, _ = jobs_of("promote", release=odd, to=odd, **{"from": odd, "from-project": odd}).values()
    (program / "image-digest.txt").write_text(JUDGED, encoding="utf-8")
    (program / "built").write_text(BUILT, encoding="utf-8")
    given = {"digest-file": "built", "promote-to": odd, "trust-file": odd, "token-file": odd}
    signed, gated, promoted, _ = jobs_of("image", ref=odd, **given, **{"digest-variable": odd}).values()
    assert [_run(program, job, "sh")[-1][-1] for job in (signed, gated, promoted)] == [
        f"{odd}@{BUILT}",
        odd,
        f"{odd}@{JUDGED}",
    ]
    for job in (sign, verify, publish, release, told, promote):
        words = _run(program, job, "sh")[-1]
        assert words[-1] == odd

    assert not (program / "pwned").exists()


def test_options_that_are_switched_off_are_not_given(program: Path) -> None:
    sign, *_ = jobs_of("publish", files="x", detached=False, provenance=False).values()
    promote, _ = jobs_of("promote", **{"require-provenance": False}).values()
    images = jobs_of(
        "image",
        ref="a:1",
        **{"promote-to": "b:1", "provenance": False, "source-revision": "", "overwrite": False},
    )
    signed, gated, promoted, _ = images.values()
    (program / "image-digest.txt").write_text(JUDGED, encoding="utf-8")
    project = "--source-repository=https://gitlab.example.com/acme/app"

    assert _run(program, signed, "sh") == [["image", "sign", "--trust=pytrust.toml", "--", "a:1"]]
    assert _run(program, gated, "sh")[-1][2:] == [
        *_named("image-verify"),
        "--trust=pytrust.toml",
        project,
        "--show-successes",
        "--output-digest=image-digest.txt",
        "--",
        "a:1",
    ]
    assert _run(program, promoted, "sh")[-1][2:] == [
        *_named("image-promote"),
        "--trust=pytrust.toml",
        project,
        "--no-overwrite",
        "--to=b:1",
        "--",
        f"a:1@{JUDGED}",
    ]
    (program / "told").unlink()
    assert _run(program, sign, "sh") == [["sign", "--", "x"]]
    assert _run(program, promote, "sh")[-1] == [
        "promote",
        *_named("promote"),
        "--trust=pytrust.toml",
        "--from=staging",
        "--to=production",
        "--min-age=0",
        "--",
        "acme-widgets==1.0",
    ]


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_an_image_is_signed_as_it_was_built_gated_by_its_tag_and_promoted_as_it_was_judged(
    program: Path, shell: str
) -> None:
    """Whatever digest its name has already."""
    (program / "image-digest.txt").write_text(f"{JUDGED}\n", encoding="utf-8")
    (program / "my built.txt").write_text(f"{BUILT}\n", encoding="utf-8")
    given = {"digest-file": "my built.txt", "trust-config": "my config.json", "build-info": "build info.json"}
    to = {"ref": f"r.example/a:1@{BUILT}", "promote-to": "r.example/b:1", "recursive": True}
    sign, verify, promote, _ = jobs_of("image", **given, **to, **{"token-file": "r.example=/a b"}).values()
    common = ["--trust=pytrust.toml", "--trust-config=my config.json", "--token-file=r.example=/a b"]
    of = f"r.example/a:1@{BUILT}"

    assert _run(program, sign, shell) == [
        ["image", "sign", *common, "--recursive", "--", of],
        ["image", "attest", *common, "--recursive", "--build-info=build info.json", "--", of],
    ]
    (program / "told").unlink()
    (gated,) = _run(program, verify, shell)
    assert gated[-6:] == [
        "--recursive",
        "--require-provenance",
        "--show-successes",
        "--output-digest=image-digest.txt",
        "--",
        of,
    ]
    assert (program / "image.env").read_text(encoding="utf-8") == f"IMAGE_DIGEST={JUDGED}\n"
    (program / "told").unlink()
    (promoted,) = _run(program, promote, shell)
    assert promoted[-4:] == ["--require-provenance", "--to=r.example/b:1", "--", f"r.example/a:1@{JUDGED}"]
    for said in (gated, promoted):
        assert "--source-repository=https://gitlab.example.com/acme/app" in said
        assert "--source-revision=$CI_COMMIT_SHA" in said  # which GitLab fills in


@pytest.mark.parametrize(("name", "missing"), [("sign", "built"), ("verify", "image-digest.txt")])
def test_a_digest_that_is_not_there_ends_the_job(program: Path, name: str, missing: str) -> None:
    job = jobs_of("image", **{"digest-file": "built"})[f"pip-warden-image-{name}"]
    with pytest.raises(subprocess.CalledProcessError):
        _run(program, job, "sh")

    assert not (program / missing).exists()
    assert not (program / "image.env").exists()


def test_an_image_is_promoted_after_the_gate_and_by_what_the_gate_kept() -> None:
    jobs = jobs_of("image", needs=["build", "test"], **{"digest-variable": "APP_DIGEST"})

    assert list(jobs)[:-1] == ["pip-warden-image-sign", "pip-warden-image-verify", "pip-warden-image-promote"]
    assert jobs["pip-warden-image-sign"]["needs"] == ["build", "test"]
    assert jobs["pip-warden-image-verify"]["needs"] == ["pip-warden-image-sign"]
    assert jobs["pip-warden-image-verify"]["artifacts"] == {
        "when": "always",
        "paths": ["image-digest.txt", ".pip-warden-report/"],
        "reports": {"dotenv": "image.env"},
    }
    assert jobs["pip-warden-image-promote"]["needs"] == ["pip-warden-image-verify"]


@pytest.mark.parametrize(("host", "is_told"), [("gitlab.example.com", True), ("gitlab.example.net", False)])
def test_only_the_jobs_own_server_is_told_its_token(host: str, *, is_told: bool, tmp_path: Path) -> None:
    """A mirror that is no public project; and the token is in no argument, where `ps` would show it."""
    install = Component.read("publish").inputs["install"]["default"]
    option = re.search(r"-c (credential\..*?\}; f')", install)
    assert option is not None
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "HOME": str(tmp_path),
        "GIT_TERMINAL_PROMPT": "0",
        "CI_SERVER_URL": "https://gitlab.example.com",
        "CI_JOB_TOKEN": "a secret",
    }
    result = subprocess.run(
        ["sh", "-c", f"git -c {option[1]} credential fill"],
        input=f"protocol=https\nhost={host}\npath=pip-warden/pip-warden.git\n\n",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    argument = subprocess.run(
        ["sh", "-c", f"printf %s {option[1]}"], env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert ("password=a secret" in result.stdout) == is_told
    assert "a secret" not in argument
