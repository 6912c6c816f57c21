"""Under what each file is judged: the trust file where it pins the project, else by cryptography alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.names import ArtifactName
from pip_warden.supply import look_up
from pip_warden.trust.model import COMMAND_LINE, IdentityEntry, Probe, TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.values import dataclass
from pip_warden.verdict.evidence import Roots

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root
    from pip_warden.transport import Transport

_ROOT = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgingRule:
    """Under what one file is judged.

    Attributes:
        trust: The trust file; an empty one where there is none. What it revokes is published by nobody.
        roots: The trusted roots.
        probe: Replaces the pin where there is none.
        signer: Whose each piece of evidence must be; a probe takes anybody's.
        words: The rule in a few words, for people.
        find_entry: Looks up the log entry of a detached signature.
    """

    trust: TrustFile
    roots: Roots
    probe: Probe | None
    signer: IdentityEntry | Probe
    words: str
    find_entry: Callable[[Hashedrekord], LogEntry | None]


class JudgingRules:
    """Chooses the rule for each file, and reads a root only where it is needed.

    Args:
        transport: The HTTP client, for the log entries of detached signatures.
        trust: The trust file, None where there is none.
        config_name: What the Sigstore instance is called that a file is judged under without a pin.
        config_root: Returns its trusted root.
    """

    def __init__(
        self,
        transport: Transport,
        trust: TrustFile | None,
        *,
        config_name: str,
        config_root: Callable[[], Root],
    ) -> None:
        self._transport = transport
        self._is_found = trust is not None
        self._trust = TrustFile(path=Path("no trust file")) if trust is None else trust
        self._pinned = PinnedRoots(self._trust.roots)
        self._config_name = config_name
        self._config_root = config_root
        self._config: Roots | None = None

    def rule_for(self, name: ArtifactName) -> JudgingRule:
        """Return the rule for a file.

        Raises:
            UsageError: ``bad-trust-config``.
            TrustRootError: The root without a pin cannot be had.
        """
        entry = self._trust.entry_for(name.project, name.version)
        if isinstance(entry, IdentityEntry):
            words = f"as its consumers do, under {self._trust.path.name}"
            return self._rule(self._pinned, None, entry, words)
        probe = Probe(project=name.project, source=COMMAND_LINE.name, root=_ROOT)
        if self._trust.entries_of(name.project):
            words = f"by its hash, under {self._trust.path.name}; its evidence under {self._config_name}"
            return self._rule(self._of_config(), None, probe, words)
        missing = f"{self._trust.path.name} has no entry for {name.project}"
        why = missing if self._is_found else "there is no trust file"
        words = f"cryptographically alone, under {self._config_name}: {why}, so anybody may be the signer"
        return self._rule(self._of_config(), probe, probe, words)

    def _rule(
        self, roots: Roots, probe: Probe | None, signer: IdentityEntry | Probe, words: str
    ) -> JudgingRule:
        def find_entry(wanted: Hashedrekord) -> LogEntry | None:
            return look_up(self._transport, roots, roots, wanted)

        return JudgingRule(
            trust=self._trust, roots=roots, probe=probe, signer=signer, words=words, find_entry=find_entry
        )

    def _of_config(self) -> Roots:
        if self._config is None:
            self._config = {_ROOT: self._config_root()}
        return self._config
