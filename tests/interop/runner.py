"""Pipelines run job by job by gitlab-ci-local, each job in a directory of its own: only artifacts pass.

Each has an id, a URL and tokens of its own, which end with it, as GitLab's do; all are the sandbox's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from interop.stack.places import NODE
from pip_warden.sandbox import Job, Project, Sandbox

_BIN = Path(sys.executable).parent
_STAGES = [".pre", "build", "test", "deploy", ".post"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """A pipeline of a checkout.

    Attributes:
        sandbox: The GitLab.
        directory: The checkout.
        first: A job of it, which says whose it is, for which ref, and by what it was started.
        always: Variables of every job, as the project's settings would have them.
        jobs: The jobs that are in it by their rules, in the order in which they can run; the runner holds the
            whole against GitLab's schema before.
    """

    sandbox: Sandbox
    directory: Path
    first: Job
    always: dict[str, str]
    jobs: dict[str, dict[str, Any]]

    @classmethod
    def start(
        cls,
        sandbox: Sandbox,
        project: Project,
        directory: Path,
        *,
        tag: str | None = None,
        source: str = "push",
        **always: str,
    ) -> Pipeline:
        """Start a pipeline for a tag, or for the default branch."""
        first = sandbox.job(project, tag=tag, pipeline_source=source)
        made = cls(sandbox=sandbox, directory=directory, first=first, always=always, jobs={})
        variables = made._variables(first)
        code, said = made._run("--preview", variables=variables)
        assert code == 0, said
        config: dict[str, Any] = yaml.safe_load(said)
        listed = json.loads(made._run("--list-json", variables=variables)[1])
        jobs = {job["name"]: config[job["name"]] for job in listed if job["when"] != "never"}
        return replace(made, jobs=_in_order(jobs, config.get("stages", _STAGES)))

    def run(self, name: str, **variables: str) -> tuple[int, str]:
        """Run one job of it and return its exit code and output, without colours."""
        config = self.jobs[name]
        environment = config.get("environment")
        job = self._job(environment["name"] if isinstance(environment, dict) else environment)
        values = self._variables(job) | {"CI_JOB_NAME": name, "CI_JOB_STAGE": config.get("stage", "test")}
        values |= {token: job.id_token(spec["aud"]) for token, spec in config.get("id_tokens", {}).items()}
        try:
            return self._run(name, "--json-schema-validation=false", variables=values | variables)
        finally:
            job.finish()

    def passes(self, *names: str, **variables: str) -> None:
        """Run jobs that must pass, or all of them."""
        for name in names or self.jobs:
            code, said = self.run(name, **variables)
            assert code == 0, (name, said)

    def artifacts(self, name: str) -> set[str]:
        """Return the names of the files that a job has kept."""
        return {path.name for path in self._artifacts(name).rglob("*") if path.is_file()}

    def artifact(self, job: str, name: str) -> bytes:
        """Return a file that a job has kept."""
        (found,) = self._artifacts(job).rglob(name)
        return found.read_bytes()

    def replace_artifact(self, job: str, name: str, content: bytes) -> None:
        """Replace a file that a job has kept, and what the jobs before it kept under that name.

        GitLab unpacks the artifacts of later jobs over those of earlier ones; the runner here unpacks all at
        once, so that now and then an earlier one would be what the next job finds.
        """
        (found,) = self._artifacts(job).rglob(name)
        inside = found.relative_to(self._artifacts(job))
        for earlier in [*self.jobs][: [*self.jobs].index(job) + 1]:
            if (kept := self._artifacts(earlier) / inside).exists():
                kept.write_bytes(content)

    def _artifacts(self, name: str) -> Path:
        return self.directory / ".gitlab-ci-local" / "artifacts" / name

    def _job(self, environment: str | None) -> Job:
        number, _ = self.sandbox.state.next_job_ids()
        return Job(self.sandbox.instance, replace(self.first.context, id=number, environment=environment))

    def _variables(self, job: Job) -> dict[str, str]:
        not_given = {"SIGSTORE_ID_TOKEN", "CI_PROJECT_DIR"}
        return {key: value for key, value in (job.variables() | self.always).items() if key not in not_given}

    def _run(self, *words: str, variables: dict[str, str]) -> tuple[int, str]:
        given = [word for key, value in variables.items() for word in ("--variable", f"{key}={value}")]
        isolated = ("--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source")
        known = ("--ignore-predefined-vars", ",".join(variables))
        environment = {
            "PATH": f"{_BIN}:{os.environ['PATH']}",
            "HOME": str(self.directory.parent),
            "NO_COLOR": "1",
        }
        result = subprocess.run(
            [NODE / "gitlab-ci-local", *isolated, *known, *given, *words],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        is_data = words[0].startswith("--") and result.returncode == 0
        said = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout + ("" if is_data else result.stderr))
        return result.returncode, re.sub(r"^ WARN .*\n", "", said, flags=re.MULTILINE)  # on stdout, too


def _in_order(jobs: dict[str, dict[str, Any]], stages: list[str]) -> dict[str, dict[str, Any]]:
    """Return jobs so that each follows those that it waits for: what it needs, else the earlier stages."""

    def awaited(job: dict[str, Any]) -> set[str]:
        if "needs" in job:
            return {need if isinstance(need, str) else need["job"] for need in job["needs"]}
        at = stages.index(job.get("stage", "test"))
        return {name for name, other in jobs.items() if stages.index(other.get("stage", "test")) < at}

    found: dict[str, dict[str, Any]] = {}
    while len(found) < len(jobs):
        ready = {
            name: job
            for name, job in jobs.items()
            if name not in found and awaited(job) & jobs.keys() <= found.keys()
        }
        assert ready, "the jobs wait for each other"
        found |= ready
    return found
