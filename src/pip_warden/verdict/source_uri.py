"""Which code provenance says was built: the URIs and digests of its sources.

Builders write one project in many ways: ``https://HOST/PATH``, ``git+https://HOST/PATH@REF``, with ``.git``
(SPDX download locations). What *confirms* the certificate's repository must be its URL but for these;
what merely *names* it, in any spelling, must not name another commit of it.
"""

from __future__ import annotations

import re
from posixpath import normpath
from unicodedata import normalize
from urllib.parse import unquote

from pip_warden.strict_json import JSONValue, kind_of
from pip_warden.values import dataclass
from pip_warden.verdict.certified import Certified, mismatch, shown

_COMMIT_ALGORITHMS = ("gitCommit", "sha1")
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+-]*:)?/*", re.ASCII)
"""A host's name has a dot, a scheme none: ``HOST:PATH`` is how ssh writes a place."""
_IMAGE_SCHEMES = ("docker:", "oci:")


@dataclass(frozen=True, slots=True)
class _Source:
    """A URI of code, taken apart.

    Attributes:
        url: Without ``git+``, ref, ``.git``, query and fragment.
        project: Host without user and port, and path: the same for every spelling.
        ref: What follows the last ``@``, "" for nothing.
    """

    url: str
    project: str
    ref: str


def check_dependencies(listed: JSONValue, certified: Certified) -> None:
    """Check that a resolved dependency is the certified repository at its commit, and none contradicts it.

    Raises:
        FaultError: ``provenance-mismatch``.
    """
    if not isinstance(listed, list):
        raise mismatch(_wanted(certified), "no resolvedDependencies" if listed is None else kind_of(listed))
    confirmed = [_check_dependency(each, certified) for each in listed]
    if not any(confirmed):
        raise mismatch(_wanted(certified), _listed(listed))


def check_source(value: JSONValue, certified: Certified) -> None:
    """Check what a builder calls its source: a URI, or an object with one and a digest.

    Raises:
        FaultError: ``provenance-mismatch``.
    """
    if isinstance(value, dict):
        is_same = _check_dependency(value, certified)
    else:
        is_same = isinstance(value, str) and _check_ref(_taken_apart(value), certified)
    if not is_same:
        raise mismatch(f"source {certified.repository}, as in the certificate", shown(value))


def _check_dependency(value: JSONValue, certified: Certified) -> bool:
    """Return whether it is the certified repository at its commit; False for any other artifact.

    Raises:
        FaultError: It names the repository, but not its commit.
    """
    if not isinstance(value, dict):
        raise mismatch("each of resolvedDependencies as an object", kind_of(value))
    uri, digests = value.get("uri"), value.get("digest")
    source = _taken_apart(uri) if isinstance(uri, str) else None
    if source is None or source.project != _project(certified.repository):
        return False
    found = digests if isinstance(digests, dict) else {}
    commits = [found[algorithm] for algorithm in _COMMIT_ALGORITHMS if algorithm in found]
    if not commits:
        raise mismatch(f"{_wanted(certified)}, as gitCommit or sha1", ", ".join(sorted(found)) or "no digest")
    for commit in commits:
        if commit != certified.commit:
            raise mismatch(f"commit {certified.commit}, as in the certificate", shown(commit))
    return _check_ref(source, certified)


def _check_ref(source: _Source, certified: Certified) -> bool:
    """Return whether a source is the certified repository by its URL.

    Raises:
        FaultError: It is, at another ref.
    """
    if source.url != certified.repository:
        return False
    if source.ref and certified.ref and source.ref not in certified.ref_names | {certified.commit}:
        raise mismatch(f"ref {certified.ref}, as in the certificate", source.ref)
    return True


def _taken_apart(uri: str) -> _Source:
    text = re.split(r"[?#]", uri.removeprefix("git+"), maxsplit=1)[0]
    scheme, separator, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    path, _, ref = path.partition("@")  # no path of a project holds one, and a ref may
    url = _bare(f"{scheme}{separator}{authority}{slash}{path}")
    return _Source(url=url, project=_project(text), ref=ref)


def _project(uri: str) -> str:
    """Return host and path, the same however readers of URLs, git or ssh may write them; "" for an image.

    A registry of images has the project's path too, and often its host: ``HOST:PORT/PATH``, without scheme.
    """
    text = normalize("NFKC", unquote(uri)).lower().replace("\\", "/")
    text = "".join(char for char in text if char.isprintable() and char != " ")
    rest = _SCHEME.sub("", text, count=1)
    authority, _, path = rest.partition("/")
    host, colon, port = authority.rpartition("@")[2].partition(":")
    is_ssh = bool(colon) and not port.isdigit()
    if text.startswith(_IMAGE_SCHEMES) or (rest == text and not is_ssh):
        return ""
    path = f"{port}/{path}" if is_ssh else path
    return _bare(host.rstrip(".") + normpath(f"/{path.partition('@')[0].lstrip('/')}"))


def _bare(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")


def _wanted(certified: Certified) -> str:
    return f"a resolved dependency {certified.repository} at commit {certified.commit}"


def _listed(dependencies: list[JSONValue]) -> str:
    uris = [shown(each.get("uri")) for each in dependencies if isinstance(each, dict)]
    return ", ".join(uris[:3]) + (f" and {len(uris) - 3} more" if len(uris) > 3 else "") or "none"
