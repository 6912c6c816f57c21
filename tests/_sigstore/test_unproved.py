"""The library's messages get codes by phrases in them, so each must occur in the installed library."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest
from sigstore.errors import VerificationError

from pip_warden._sigstore.verification_faults import PHRASES, from_library_error


def _modules(directory: Traversable) -> Iterator[str]:
    for entry in directory.iterdir():
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry.read_text(encoding="utf-8")


def _texts(source: str) -> Iterator[str]:
    """Yield the literal parts of every text in a module, without its docstrings."""
    tree = ast.parse(source)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


LIBRARY = [text for source in _modules(files("sigstore")) for text in _texts(source)]


@pytest.mark.parametrize(("phrase", "code"), PHRASES)
def test_the_library_says_each_phrase(phrase: str, code: str) -> None:
    said = [text for text in LIBRARY if phrase in text]

    assert said
    assert code in {from_library_error(VerificationError(text)).fault.code for text in said}


def test_what_nobody_knows_has_a_code_too() -> None:
    assert from_library_error(VerificationError("a reason of tomorrow")).fault.code == "signature-invalid"


def test_no_class_of_pythons_shows_through() -> None:
    said = VerificationError("No <class 'cryptography.x509.extensions.KeyUsage'> extension was found")
    assert from_library_error(said).fault.found == "No KeyUsage extension was found"
