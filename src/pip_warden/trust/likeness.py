"""Names that are close to a pinned one: typing errors, and packages that live off them (typosquatting).

Two normalised names are close if one of these holds, after look-alikes are written as one character
(``0 o``, ``1 i l``, ``5 s``, ``rn m``, ``vv w``, ``cl d``):

* they differ only in separators: ``acmewidgets``, ``acme-widgets``;
* they have the same words in another order: ``widgets-acme``;
* one has what many names have before them, after them or both, ``python``, ``python3``, ``py`` (in front also
  without a separator, ``pyacme``, ``pythonacme``);
* they differ in two neighbours that are swapped; or, both being at least five characters long without
  separators, in one character more, fewer or other.

A name with a whole word more is another name (``acme-widgets-core``, ``types-requests``): otherwise every
plugin would be taken for what it extends. So is one with another word of a single letter (``vitamin-c``).

Two repositories of images are close if each part of one, the registry and the segments of its path, is that
of the other or close to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pip_warden.names import ProjectName
from pip_warden.oci.names import Repository

_ALIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
_LANGUAGE = frozenset({"python", "python2", "python3", "py", "py2", "py3"})
_GLUED = ("python", "py")
_SHORTEST = 5
"""Characters that both names must have before one more, fewer or other means anything."""
_SHORTEST_GLUED = 4
"""Characters that must follow one of these without a separator."""
_MOST = 3
_SEPARATORS = re.compile(r"[-_.:]+")


def close_names(name: ProjectName, pinned: Iterable[ProjectName]) -> tuple[ProjectName, ...]:
    """Return the pinned names that a name may be mistaken for: three at most, in order.

    Args:
        name: A normalised name.
        pinned: Normalised names; where the name itself is among them, it is mistaken for none.
    """
    others = set(pinned)
    if name in others:
        return ()
    ours = _Read(name)
    return tuple(sorted(other for other in others if _are_close(ours, _Read(other))))[:_MOST]


def close_repositories(repository: Repository, pinned: Iterable[Repository]) -> tuple[Repository, ...]:
    """Return the pinned repositories that one may be mistaken for: three at most, in order.

    Args:
        repository: A repository of images.
        pinned: Repositories; where it is among them, it is mistaken for none.
    """
    others = set(pinned)
    if repository in others:
        return ()
    close = (other for other in others if _are_close_places(_parts(repository), _parts(other)))
    return tuple(sorted(close, key=str))[:_MOST]


def _parts(repository: Repository) -> list[str]:
    return [_SEPARATORS.sub("-", part) for part in str(repository).split("/")]


def _are_close_places(one: list[str], other: list[str]) -> bool:
    return len(one) == len(other) and all(
        mine == theirs or _are_close(_Read(mine), _Read(theirs))
        for mine, theirs in zip(one, other, strict=True)
    )


class _Read:
    """A name as it is compared."""

    def __init__(self, name: str) -> None:
        self.words = _folded(name).split("-")
        self.joined = "".join(self.words)
        self.bare = {self.joined, *_without_language(name.split("-"))}


def _folded(text: str) -> str:
    """Write what looks alike as one character."""
    for seen, meant in _ALIKE:
        text = text.replace(seen, meant)
    return text


def _without_language(words: list[str]) -> set[str]:
    """Return what is left of a name without the words that say that it is Python's."""
    left = [words, *([words[1:]] if words[0] in _LANGUAGE else [])]
    glued = next(filter(words[0].startswith, _GLUED), "")
    if glued and len(words[0]) >= len(glued) + _SHORTEST_GLUED:
        left.append([words[0].removeprefix(glued), *words[1:]])
    left += [some[:-1] for some in left if some and some[-1] in _LANGUAGE]
    return {_folded("".join(some)) for some in left if some}


def _are_close(one: _Read, other: _Read) -> bool:
    if one.joined == other.joined or sorted(one.words) == sorted(other.words):
        return True
    if one.bare & other.bare:
        return True
    return not _differ_in_a_word(one.words, other.words) and _differ_in_one(one.joined, other.joined)


def _differ_in_a_word(one: list[str], other: list[str]) -> bool:
    """Return whether whole words before or after the other, or words of one letter, are all that differs."""
    short, long = sorted((one, other), key=len)
    rest = len(long) - len(short)
    if rest:
        return long[rest:] == short or long[: len(short)] == short
    return all(a == b or len(a) == len(b) == 1 for a, b in zip(short, long, strict=True))


def _differ_in_one(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) == len(long) and _swapped_at(short, start) == long:
        return True
    is_other = short[start + (len(short) == len(long)) :] == long[start + 1 :]
    return is_other and len(short) >= _SHORTEST


def _swapped_at(text: str, at: int) -> str:
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
