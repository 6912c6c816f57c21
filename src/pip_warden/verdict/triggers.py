"""Which build triggers a command may write into a pin; what is written by hand is the author's.

On GitHub most releases are built by ``release`` or by hand, so these may be pinned, after a person's yes.
Three triggers run in the repository's own name on what a stranger sent or said: no command pins them.
"""

from __future__ import annotations

from pip_warden.errors import RefusedError

USUAL = "push"
"""What is required where a pin says nothing."""

ASKED = frozenset({"release", "workflow_dispatch", "schedule"})
"""What is pinned after a yes."""

_NEVER = frozenset({"pull_request_target", "workflow_run", "issue_comment"})


def require_pinnable(trigger: str | None) -> None:
    """Refuse a build trigger that no command may write into a pin, or take for one.

    Raises:
        RefusedError: ``build-trigger-unsafe``.
    """
    if trigger in _NEVER:
        raise RefusedError(
            "build-trigger-unsafe",
            f"expected a release built by {USUAL}, {', '.join(sorted(ASKED))} or the like, "
            f"found {trigger}, which strangers can start",
            hint="Such a workflow runs in the repository's own name on what anybody sent. "
            "Ask the publisher to build releases otherwise, or review a release and pin it by hash.",
        )
