"""Whether one pattern or identity matches all that another matches, or nothing that it matches.

Both answers are given only where they follow from the patterns' text; *no* means no, or not known. They serve
to compare trust files, never to judge a file.
"""

from __future__ import annotations

from pip_warden.trust.model import Identity
from pip_warden.trust.segments import ANY_SEGMENT, TAG, VERSION
from pip_warden.trust.subject import RefPattern, SubjectPattern


def covers_ref(wide: RefPattern, narrow: RefPattern) -> bool:
    """Return whether a pattern matches every ref that another matches, for every version."""
    return _cover(wide.text, narrow.text)


def covers_subject(wide: SubjectPattern, narrow: SubjectPattern) -> bool:
    """Return whether a pattern matches every subject that another matches, for every version."""
    if wide.project is None or narrow.project is None or wide.ref is None or narrow.ref is None:
        return wide.text == narrow.text
    return (
        _configuration(wide) == _configuration(narrow)
        and _cover(wide.project, narrow.project)
        and covers_ref(wide.ref, narrow.ref)
    )


def covers(wide: Identity, narrow: Identity) -> bool:
    """Return whether an identity is every signer that another is."""
    return (
        (wide.issuer, wide.root) == (narrow.issuer, narrow.root)
        and (wide.is_account or not narrow.is_account)
        and wide.project_id in {None, narrow.project_id}
        and covers_subject(wide.subject, narrow.subject)
        and (
            wide.not_before is None
            or (narrow.not_before is not None and wide.not_before <= narrow.not_before)
        )
        and (wide.not_after is None or (narrow.not_after is not None and narrow.not_after <= wide.not_after))
    )


def are_disjoint(one: Identity, other: Identity) -> bool:
    """Return whether no certificate can be matched by both identities; their trusted roots do not count."""
    return (
        one.issuer != other.issuer
        or (None not in {one.project_id, other.project_id} and one.project_id != other.project_id)
        or _ends_before(one, other)
        or _ends_before(other, one)
        or _match_nothing_together(one.subject, other.subject)
    )


def _ends_before(one: Identity, other: Identity) -> bool:
    return one.not_after is not None and other.not_before is not None and one.not_after < other.not_before


def _match_nothing_together(one: SubjectPattern, other: SubjectPattern) -> bool:
    if one.project is None or other.project is None or one.ref is None or other.ref is None:
        return one.text != other.text
    return (
        _configuration(one) != _configuration(other)
        or _clash(one.project, other.project)
        or _clash(one.ref.text, other.ref.text)
    )


def _configuration(pattern: SubjectPattern) -> str:
    """Return the configuration's path with the slashes before it, which tell GitLab's form from GitHub's."""
    return pattern.text.partition("@")[0].removeprefix(f"https://{pattern.project}")


def _cover(wide: str, narrow: str) -> bool:
    """Return whether each segment is the same, or any one."""
    ours, theirs = wide.split("/"), narrow.split("/")
    return len(ours) == len(theirs) and all(
        one in {ANY_SEGMENT, other} for one, other in zip(ours, theirs, strict=True)
    )


def _clash(one: str, other: str) -> bool:
    """Return whether two paths have not the same depth, or a segment that is exact in both and differs."""
    ours, theirs = one.split("/"), other.split("/")
    return len(ours) != len(theirs) or any(
        a != b and _is_exact(a) and _is_exact(b) for a, b in zip(ours, theirs, strict=True)
    )


def _is_exact(segment: str) -> bool:
    return segment != ANY_SEGMENT and VERSION not in segment and TAG not in segment
