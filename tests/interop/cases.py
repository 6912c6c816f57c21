"""A forgery, its genuine original, and how both are presented to a client."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from interop.clients import Bench, Evidence
from interop.forge import JSON

Pair = tuple[bytes, bytes]


@dataclass(frozen=True, kw_only=True, eq=False)
class Item:
    """Evidence, and the identity and root to demand of it.

    Attributes:
        made: A bundle, or a signature and its certificate.
        subject: Another subject to demand than the signer's.
        issuer: Another issuer.
        root: Another trusted root than the stack's.
    """

    made: JSON | tuple[bytes, bytes]
    subject: str = ""
    issuer: str = ""
    root: JSON | None = None

    def lay(self, bench: Bench, directory: Path) -> tuple[Bench, Evidence]:
        """Write it to a directory of its own, with its file."""
        directory.mkdir()
        (directory / bench.file).write_bytes(bench.artifact.read_bytes())
        own = replace(
            bench,
            directory=directory,
            subject=self.subject or bench.subject,
            issuer=self.issuer or bench.issuer,
        )
        if self.root is not None:
            own = replace(own, root=own.path("root.json"))
            own.root.write_text(json.dumps(self.root), encoding="utf-8")
        if isinstance(self.made, tuple):
            pair = Evidence(signature=own.path("forged.sig"), certificate=own.path("forged.crt"))
            own.path("forged.sig").write_bytes(self.made[0])
            own.path("forged.crt").write_bytes(self.made[1])
            return own, pair
        bundle = own.path("forged.sigstore.json")
        bundle.write_text(json.dumps(self.made), encoding="utf-8")
        return own, Evidence(bundle=bundle, statement="dsseEnvelope" in self.made)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A forgery.

    Attributes:
        number: Number of the attack.
        words: Description of the forgery.
        form: Form of evidence.
        genuine: The original.
        forged: The forgery.
        code: Our code for it.
    """

    number: str
    words: str
    form: str
    genuine: Item
    forged: Item
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """The signed products of one file, by form."""

    bench: Bench
    made: dict[str, JSON]
    pair: tuple[bytes, bytes]


def case(number: str, words: str, form: str, genuine: Item, made: JSON | Pair, code: str) -> Case:
    """Make a case whose evidence differs from the genuine one; identity and root demanded are the same."""
    forged = replace(genuine, made=made)
    return Case(number=number, words=words, form=form, genuine=genuine, forged=forged, code=code)
