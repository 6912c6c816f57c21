"""docs/build-type.md: its example is what is written, and is read as what it says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import samples
from pip_warden.publish.build_info import BuildInfo, read_build_info, this_job
from pip_warden.publish.provenance import provenance
from pip_warden.verdict.provenance import DOCUMENTED, Invocation, Provenance, read_provenance
from publish.test_build_info import COMMIT, MORE, PROJECT, VARIABLES

PAGE = (Path(__file__).parents[2] / "docs" / "build-type.md").read_text(encoding="utf-8")
EXAMPLE, BUILD_INFO = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def documented(tmp_path: Path) -> BuildInfo:
    """Return the build-info of the page."""
    (tmp_path / "build-info.json").write_text(BUILD_INFO, encoding="utf-8")
    return read_build_info(tmp_path / "build-info.json")


def test_the_build_info_of_the_page_is_what_a_job_writes(documented: BuildInfo) -> None:
    variables = {**VARIABLES, **MORE, "CI_CONFIG_SHA": ""}

    assert documented == this_job(variables, now=datetime(2026, 11, 29, 12, 0, tzinfo=UTC))


def test_the_example_is_made_from_it_and_read_as_confirmed(documented: BuildInfo) -> None:
    example: Any = json.loads(EXAMPLE)
    claims = samples.claims(
        source_digest=COMMIT,
        build_config_uri=f"{PROJECT}//.gitlab-ci.yml@refs/tags/v1.0",
        run_invocation=f"{PROJECT}/-/jobs/71",
    )

    assert provenance(documented) == example
    found = read_provenance(example, claims)
    assert isinstance(found, Provenance), found
    assert found.invocation is Invocation.CONFIRMED
    assert (found.ref, found.trigger, found.config_path) == ("refs/tags/v1.0", "push", ".gitlab-ci.yml")


def test_the_page_documents_every_parameter_and_field() -> None:
    rows = set(re.findall(r"`(externalParameters|internalParameters|runDetails)\.([A-Za-z.]+)`", PAGE))
    external = {name for part, name in rows if part == "externalParameters"}
    every: Any = provenance(this_job(VARIABLES | MORE, now=datetime.now(UTC)))

    assert external == DOCUMENTED
    assert every["buildDefinition"]["externalParameters"].keys() == DOCUMENTED
    for name in every["buildDefinition"]["internalParameters"]:
        assert f"`{name}`" in PAGE or f"internalParameters.{name}`" in PAGE
