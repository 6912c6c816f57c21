"""Compares the trust file with its text of before, which may be missing, or be no trust file."""

from __future__ import annotations

from pathlib import Path

from pip_warden.errors import TrustFileError
from pip_warden.trust.comparing.change import Change, Effect
from pip_warden.trust.comparing.changes import changes
from pip_warden.trust.comparing.root_changes import Earlier, root_content_changes
from pip_warden.trust.file import parse
from pip_warden.trust.model import TrustFile

_FILE = "the trust file"


def compare_with(
    old: bytes | None, new: TrustFile, earlier: Earlier, *, problem: str = "", is_submodule: bool = False
) -> tuple[Change, ...]:
    """Return what changed since an earlier text; what cannot be compared is new, and so widened.

    Args:
        old: The earlier file's bytes, None where there was none.
        new: The trust file.
        earlier: Returns the bytes that a trusted root's file had.
        problem: Why the earlier bytes are no trust file, where that is known.
        is_submodule: Whether the earlier text is of a submodule. Which one it is, the project around it
            says, and a change of that may have made a directory one.
    """
    before, said = _read(old, new.path, problem)
    if is_submodule:
        words = "it is in a submodule, whose revisions are not those of the project around it"
        said = (_whole("file-in-submodule", words), *said)
    return (*said, *changes(before, new), *root_content_changes(before, new, earlier))


def _read(old: bytes | None, path: Path, problem: str) -> tuple[TrustFile, tuple[Change, ...]]:
    nothing = TrustFile(path=path)
    if old is None:
        return nothing, (_whole("file-new", "there was none, so all of it is new"),)
    if not problem:
        try:
            return parse(old.decode("utf-8"), path), ()
        except UnicodeDecodeError:
            problem = "bytes that are not UTF-8"
        except TrustFileError as err:
            problem = "; ".join([err.message, *(f"{place}: {fault}" for place, fault in err.faults)])
    return nothing, (
        _whole("file-was-invalid", f"what it was is no trust file, so all of it is new: {problem}"),
    )


def _whole(kind: str, words: str) -> Change:
    return Change(kind=kind, subject=_FILE, effect=Effect.WIDENED, words=words)
