"""Which build triggers a command may write into a pin; what is written by hand is the author's.

On GitHub most releases are built by ``release`` or by hand, so these may be pinned, after a person's yes.
Others run in the repository's own name on what a stranger sent, said or merely clicked: no command pins them.
Which events there are, and that these run the default branch's workflow: docs.github.com, "Events that
trigger workflows". Who may cause one follows from what it is about: a public repository lets anybody do so.
"""

from __future__ import annotations

from pip_warden.errors import RefusedError

USUAL = "push"
"""What is required where a pin says nothing."""

ASKED = frozenset({"release", "workflow_dispatch", "schedule"})
"""What is pinned after a yes."""

NEVER = frozenset(
    {
        # what was sent: pull requests, also those of forks, with the repository's own token
        "pull_request_target",
        # a review, or a comment on it, starts the workflow on code that nobody has merged
        "pull_request_review",
        "pull_request_review_comment",
        # what was said: anybody may open, edit and comment
        "issue_comment",
        "issues",
        "discussion",
        "discussion_comment",
        "gollum",  # the wiki, which may be open to all
        # what was clicked
        "watch",
        "fork",
        # what followed: another run, or a check of an application, which any of the others may have started
        "workflow_run",
        "check_run",
        "check_suite",
        "status",
    }
)
"""What strangers can start.

Not ``pull_request``: it gives a fork's code no identity, and what it builds of own branches is a matter of
the workflow. It is pinned only where somebody spells it out.
"""


def require_pinnable(trigger: str | None) -> None:
    """Refuse a build trigger that no command may write into a pin, or take for one.

    Raises:
        RefusedError: ``build-trigger-unsafe``.
    """
    if trigger in NEVER:
        raise RefusedError(
            "build-trigger-unsafe",
            f"expected a release built by {USUAL}, {', '.join(sorted(ASKED))} or the like, "
            f"found {trigger}, which strangers can start",
            hint="Such a workflow runs in the repository's own name on what anybody sent. "
            "Ask the publisher to build releases otherwise, or review a release and pin it by hash.",
        )
