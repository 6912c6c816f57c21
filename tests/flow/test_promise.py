"""Good releases are installed: every form of evidence, wheels and sdists, both source types, also offline."""

from __future__ import annotations

from flow.user import User
from ordinary import parametrized
from pip_warden.sandbox.signing import EvidenceForm


@parametrized(
    "form", ["bundle", "detached", "pep740", "slsa", "publish-bundle", "slsa-bundle"], ordinary={0, 2}
)
def test_every_form_of_evidence_installs(user: User, form: EvidenceForm) -> None:
    project = user.published(forms=(form,))
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "1.0"}), result.output
    assert result.accepted == {f"{project.record.name}-1.0-py3-none-any.whl"}


def test_offline_after_online_asks_nobody(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    assert user.install("--target", str(user.home / "first"), project.record.name).code == 0
    user.sandbox.clear_requests()
    result = user.install("--offline", project.record.name)
    assert result.code == 0, result.output
    assert user.installed().keys() == {project.record.name, needed.record.name}
    assert user.sandbox.requests == ()


def test_offline_without_a_cache_cannot_decide(user: User) -> None:
    project = user.published()
    user.sandbox.clear_requests()
    user.refused("--offline", project.record.name, code="offline", exit_code=3)
    assert user.sandbox.requests == ()
