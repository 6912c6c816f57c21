"""`kill -9` at each network step of a promotion; the same command again completes it, and adds nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from pip_warden.sandbox import Project, RecordedRequest
from publish.conftest import Publisher
from publish.promoting import SDIST, WHEEL, words
from publish.test_killed import _is_met_without_evidence, _killed_at, _rows

ENDINGS = (".sigstore.json", ".slsa.sigstore.json", ".annotations.sigstore.json", ".slsa.attestation")
ORIGINS = ("gitlab", "fulcio", "rekor", "tsa")


def _steps(requests: Sequence[RecordedRequest]) -> list[tuple[str, str]]:
    """Return each network step once: method and path, with ``*`` for ids that are new each time."""
    return list(
        dict.fromkeys(
            (request.method, re.sub(r"(acme%2Frelease/packages/)[0-9]+/", r"\1*/", request.path))
            for request in requests
            if request.origin in ORIGINS
        )
    )


@pytest.mark.timeout(1800)
@pytest.mark.interop  # minutes: kept out of the ordinary run
def test_promote_is_killed_at_each_network_step(publisher: Publisher, release: Project) -> None:
    """Sigstore's steps too: the job signs a summary."""
    for file in [f"{SDIST}{ending}" for ending in ("", *ENDINGS)]:
        delete = publisher.sandbox.delete_file if file == SDIST else publisher.sandbox.delete_evidence
        delete(publisher.project, file)
    environment = {"GITLAB_TOKEN": publisher.sandbox.token(scopes=("api",))}
    typed = words(publisher, "--trust-config", "trust_config.json")
    publisher.sandbox.clear_requests()
    assert publisher.run(*typed, **environment).returncode == 0
    steps = _steps(publisher.sandbox.requests)
    whole = sorted(_rows(release))
    assert {method for method, _ in steps} == {"GET", "PUT", "POST"}
    assert ("generic", f"{WHEEL}.vsa.sigstore.json") in whole

    for step in steps:
        release.record.packages.clear()
        _killed_at(publisher, step, typed, publisher.environment(**environment))
        assert not _is_met_without_evidence(release), step
        assert publisher.run(*typed, **environment).returncode == 0, step
        assert sorted(_rows(release)) == whole, step
