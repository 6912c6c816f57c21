"""Patterns for certificate subjects and refs: exact text, a placeholder and ``*``; no regular expressions.

A subject that names a project is parsed as a whole, never searched. Two forms are known::

    https://HOST[:PORT]/GROUP/…/PROJECT//CONFIG@REF           GitLab (Fulcio: always https, always ``//``)
    https://github.com/OWNER/REPO/.github/workflows/FILE@REF  GitHub

Everything else (an e-mail address, a service account, a SPIFFE id) is compared exactly. The parser is an
allowlist, so that a misplaced ``//``, a second ``@``, ``?``, percent escapes, user names, upper-case hosts,
empty segments and ``..`` are not subjects at all: they match no pattern.
"""

from __future__ import annotations

from functools import lru_cache
from string import ascii_letters, ascii_lowercase, digits

from packaging.version import Version

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.trust.segments import (
    ANY_SEGMENT,
    TAG,
    VERSION,
    Release,
    is_number,
    is_segment,
    places_of,
    segments_match,
)
from pip_warden.values import dataclass, field

SUBJECT_SHAPES = (
    "https://gitlab.example.com/group/project//.gitlab-ci.yml@refs/tags/v{version}",
    "https://github.com/owner/repository/.github/workflows/release.yml@refs/tags/v{version}",
)

_LONGEST = 2048
_HOST = frozenset(ascii_lowercase + digits + "-")
_PATH = frozenset(ascii_letters + digits + "-_.+")
_REF = frozenset(ascii_letters + digits + "-_.+!,=")
_REF_KINDS = ("heads", "tags")
_SHORTEST_REF = 3  # refs, its kind, a name
_SHORTEST_PROJECT = 2  # group, project
_LARGEST_PORT = 65535
_GITHUB = "github.com"
_WORKFLOWS = (".github", "workflows")


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineSubject:
    """A parsed subject that names a project.

    Attributes:
        host: Host, with its port where there is one.
        project: Host and project path, without a scheme: ``gitlab.example.com/group/project``.
        config: Path of the pipeline's configuration inside the project.
        ref: The full ref, ``refs/tags/…`` or ``refs/heads/…``.
    """

    host: str
    project: str
    config: str
    ref: str


@lru_cache(maxsize=4)
def read_subject(claimed: str) -> PipelineSubject | None:
    """Parse a certificate's subject; None where it names no project in one of the two forms."""
    subject = _split(claimed)
    return None if subject is None or _holds_wildcard(claimed) or not _is_ref(subject.ref) else subject


@dataclass(frozen=True, slots=True)
class RefPattern:
    """A pattern of a full ref (``refs/tags/v{version}``).

    It has exact text, ``{version}`` or ``{tag}`` at most once, and ``*`` for a whole segment.

    ``{version}`` stands for the canonical version (PEP 440, as :class:`packaging.version.Version` spells it),
    or the same with leading zeros in release parts. So for version 1.9 the tags ``v1.9`` and ``v01.9`` match
    ``v{version}``; ``v1.9.0`` does not, because a further part is not padding, nor do ``vv1.9`` and
    ``v0!1.9``. For version 1.9.0 it is the other way round: ``v1.9.0`` matches and ``v1.9`` does not. No tag
    can match two versions. ``{tag}`` stands for exactly the tag of an image; without a tag none matches.

    Raises:
        UsageError: ``invalid-ref``: it is not such a pattern.
    """

    text: str

    def __post_init__(self) -> None:
        fault = _ref_fault(self.text)
        if fault is not None:
            raise UsageError(
                "invalid-ref",
                f"expected a full ref, found {_quoted(self.text)}: {fault}",
                hint="Its shape is refs/tags/v{version} or refs/heads/main.",
            )

    def matches(self, claimed_ref: str, release: Release) -> bool:
        """Return whether a ref matches this pattern for one release."""
        if not _is_ref(claimed_ref):
            return False
        return segments_match(self.text, claimed_ref, release)


@dataclass(frozen=True, slots=True)
class SubjectPattern:
    """A pattern of certificate subjects.

    In a subject that names a project, ``*`` may stand for a whole segment of the project (not its first,
    which anyone can register) or of the ref, and the ref may have a placeholder, as in :class:`RefPattern`.
    Host and configuration path are exact. Any other subject is exact as a whole.

    Attributes:
        text: The pattern as written.
        project: Host and project path without a scheme; None where the subject names no project.
        ref: The ref's pattern; None where the subject names no project.
        host: Host, with its port where there is one; None where the subject names no project.

    Raises:
        UsageError: ``invalid-subject``: it is not such a pattern.
    """

    text: str
    project: str | None = field(init=False, repr=False, compare=False)
    ref: RefPattern | None = field(init=False, repr=False, compare=False)
    host: str | None = field(init=False, repr=False, compare=False)
    _config: str | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subject = _split(self.text)
        fault = _exact_fault(self.text) if subject is None else _subject_fault(subject)
        if fault is not None:
            raise UsageError(
                "invalid-subject",
                f"expected a certificate subject, found {_quoted(self.text)}: {fault}",
                hint=f"Its shape is {' or '.join(SUBJECT_SHAPES)}, "
                "or a mail address or service account, unchanged.",
            )
        parts: dict[str, object] = {
            "project": subject and subject.project,
            "ref": subject and RefPattern(subject.ref),
            "host": subject and subject.host,
            "_config": subject and subject.config,
        }
        for name, value in parts.items():
            object.__setattr__(self, name, value)

    def matches(self, claimed_subject: str, release: Release) -> bool:
        """Return whether a certificate's subject matches this pattern for one release."""
        if self.project is None or self.ref is None:
            return claimed_subject == self.text
        claimed = read_subject(claimed_subject)
        return (
            claimed is not None
            and claimed.host == self.host
            and claimed.config == self._config
            and _form(claimed_subject) == _form(self.text)
            and segments_match(self.project, claimed.project, release)
            and self.ref.matches(claimed.ref, release)
        )


def parse_subject(text: str) -> SubjectPattern:
    """Read a subject pattern.

    Raises:
        UsageError: ``invalid-subject``: with what is wrong and the right form.
    """
    return SubjectPattern(text)


def parse_ref(text: str) -> RefPattern:
    """Read a ref pattern.

    Raises:
        UsageError: ``invalid-ref``: with what is wrong and the right form.
    """
    return RefPattern(text)


def suggest_pattern(subject_text: str, version: Version) -> str:
    """Return a subject with the version in its tag replaced by ``{version}``.

    A branch, a tag without the version, a tag with it twice and a subject without a project are returned
    unchanged.
    """
    subject = read_subject(subject_text)
    if subject is None or not subject.ref.startswith("refs/tags/"):
        return subject_text
    places = places_of(version, subject.ref)
    if len(places) != 1:
        return subject_text
    start, end = places[0]
    prefix = subject_text.removesuffix(subject.ref)
    return f"{prefix}{subject.ref[:start]}{VERSION}{subject.ref[end:]}"


def _split(text: str) -> PipelineSubject | None:
    """Parse a subject or a pattern; the caller checks the ref."""
    if len(text) > _LONGEST or not text.startswith("https://"):
        return None
    location, at, ref = text.removeprefix("https://").partition("@")
    host, _, path = location.partition("/")
    project, double, config = path.partition("//")
    if not double:
        project, config = _split_github(host, path)
    parts = project.split("/")
    readable = (
        bool(at)
        and "@" not in ref
        and _is_host(host)
        and len(parts) >= _SHORTEST_PROJECT
        and all(is_segment(part, _PATH) or part == ANY_SEGMENT for part in parts)
        and all(is_segment(part, _PATH) for part in config.split("/"))
    )
    return (
        PipelineSubject(host=host, project=f"{host}/{project}", config=config, ref=ref) if readable else None
    )


def _split_github(host: str, path: str) -> tuple[str, str]:
    match path.split("/"):
        case [owner, repository, *directory, file] if host == _GITHUB and tuple(directory) == _WORKFLOWS:
            return f"{owner}/{repository}", "/".join((*_WORKFLOWS, file))
        case _:
            return "", ""


def _form(text: str) -> bool:
    """Return which of the two forms a text has: GitHub's has no double slash after the scheme."""
    return "//" in text.removeprefix("https://")


def _is_host(text: str) -> bool:
    name, colon, port = text.partition(":")
    if colon and not (is_number(port) and not port.startswith("0") and len(port) <= len(str(_LARGEST_PORT))):
        return False
    if colon and int(port) > _LARGEST_PORT:
        return False
    labels = name.split(".")
    return all(label and set(label) <= _HOST and label.strip("-") == label for label in labels)


def _is_ref(text: str) -> bool:
    """Return whether a text is a branch's or tag's ref; others (merge requests, commits) are never pinned."""
    parts = text.split("/")
    return (
        len(text) <= _LONGEST
        and len(parts) >= _SHORTEST_REF
        and parts[0] == "refs"
        and parts[1] in _REF_KINDS
        and all(is_segment(part, _REF) for part in parts)
        and ".." not in text
    )


def _holds_wildcard(text: str) -> bool:
    return ANY_SEGMENT in text or "{" in text or "}" in text


def _ref_fault(text: str) -> str | None:
    if text.count(VERSION) + text.count(TAG) > 1:
        return f"{VERSION}, or {TAG} of an image, may stand in it once"
    if not text.startswith(("refs/tags/", "refs/heads/")):
        return "it begins with refs/tags/ or refs/heads/"
    if any(ANY_SEGMENT in part and part != ANY_SEGMENT for part in text.split("/")):
        return "* stands for one whole segment"
    filled = text.replace(VERSION, "1").replace(TAG, "1")
    plain = "/".join("x" if part == ANY_SEGMENT else part for part in filled.split("/"))
    return None if _is_ref(plain) else "it has an empty segment, or a character that no ref here may have"


def _subject_fault(subject: PipelineSubject) -> str | None:
    if subject.project.split("/")[1] == ANY_SEGMENT:
        return "* cannot stand for the first segment of the project, which anybody could register"
    fault = _ref_fault(subject.ref)
    return f"in its ref, {fault}" if fault else None


def _exact_fault(text: str) -> str | None:
    if not text or len(text) > _LONGEST:
        return f"it is empty or longer than {_LONGEST} characters"
    if any(not "!" <= char <= "~" for char in text):
        return "it holds a space, a control character or a character outside ASCII"
    if "@refs/" in text:
        return (
            "it looks like a pipeline's subject but cannot be read as one "
            "(two slashes before the configuration's path?)"
        )
    if _holds_wildcard(text):
        return "placeholders and * have a meaning only in the subject of a pipeline, in its project or ref"
    return None


def _quoted(text: str) -> str:
    return f'"{escape_text(text)}"'
