"""The verification summary of a promoted file (SLSA specification v1.1, ``verification_summary/v1``).

It states that the file was judged for its place in the target, by which trust file and on which evidence.
Signed where an identity token is there, else a claim of the registry. It is never evidence of publication,
and no verdict asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from pip_warden._sigstore.sign import Signatory
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.display import escape_text
from pip_warden.errors import UndecidedError
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, EvidenceForm
from pip_warden.evidence.names import BUNDLE
from pip_warden.faults import Fault
from pip_warden.index.gitlab_urls import project_api, without_epoch
from pip_warden.promote.carried import SUMMARY_KIND
from pip_warden.promote.plan import Plan
from pip_warden.promote.target import Target
from pip_warden.publish.attest import attest_files, statement
from pip_warden.publish.registry import Destination, SignedFile, UploadResult
from pip_warden.strict_json import JSONValue, MalformedError, loads_object
from pip_warden.transport import Transport, error_for
from pip_warden.trust.model import Requirements
from pip_warden.values import dataclass
from pip_warden.verdict.statement import PAYLOAD_TYPE, PROVENANCE

SUMMARY = "https://slsa.dev/verification_summary/v1"
SLSA_VERSION = "1.1"
_TOOL = "https://gitlab.com/pip-warden/pip-warden"
_LARGEST = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A file that was judged for the target.

    Attributes:
        signed: The file, with the evidence that it will have there.
        require: What the pin required of it.
        at: When it was judged, aware.
    """

    signed: SignedFile
    require: Requirements
    at: datetime


class Summaries:
    """Makes verification summaries, and uploads them behind the files.

    Args:
        transport: The HTTP client.
        destination: The registry project that is promoted to.
        plan: What is promoted, and who signs.
        dry_run: Sign and upload nothing.
    """

    def __init__(
        self, transport: Transport, destination: Destination, plan: Plan, *, dry_run: bool = False
    ) -> None:
        self._transport = transport
        self._to = destination
        self._target = Target(transport, destination)
        self._plan = plan
        self._dry_run = dry_run

    def make(self, files: Sequence[Judged]) -> list[Path]:
        """Write each file's summary next to it, signed and verified where there is a signer.

        A summary that the target has and that says the same is not made again: a log keeps every signature.

        Raises:
            UndecidedError: ``signing-failed`` or ``unverifiable-signature``; the target did not respond.
        """
        with ExitStack() as stack:
            by = self._plan.signer and not self._dry_run and stack.enter_context(self._plan.signer.opens())
            return [self._made(file, by or None) for file in files]

    def upload(self, judged: Judged, written: Path) -> UploadResult:
        """Upload a summary, unless the target has the same.

        Raises:
            RegistryError: The registry refused it.
            UndecidedError: The registry did not respond.
        """
        name = judged.signed.name
        stored = without_epoch(written.name)
        where = self._target.url_of(name, stored)
        there = self._target.newest(name, stored)
        is_there = there is not None if self._dry_run else there == written.read_bytes()
        if is_there:
            return UploadResult(name=stored, kind="summary", outcome="already there", where=where)
        if self._dry_run:
            return UploadResult(name=stored, kind="summary", outcome="would be uploaded", where=where)
        with written.open("rb") as stream:
            reply = self._transport.put(where, stream, label=stored)
        if reply.status not in {200, 201}:
            raise error_for(reply, f"the upload of {stored}")
        return UploadResult(name=stored, kind="summary", outcome="uploaded", where=where)

    def _made(self, judged: Judged, by: Signatory | None) -> Path:
        file = judged.signed.path
        is_signed = self._plan.signer is not None
        written = file.with_name(f"{file.name}.{SUMMARY_KIND}{BUNDLE if is_signed else '.json'}")
        if self._dry_run:
            return written
        predicate = self.predicate(judged)
        there = self._target.newest(judged.signed.name, without_epoch(written.name))
        if there is not None and self._says_the_same(there, judged, predicate, by):
            written.write_bytes(there)
        elif by is not None:
            (signed,) = attest_files([file], by, [(SUMMARY_KIND, SUMMARY, predicate)], overwrite=True)
            self._check_signer(signed.proved.claims.subjects)
        else:
            written.write_bytes(statement(file.name, judged.signed.digest, SUMMARY, predicate))
        return written

    def _says_the_same(
        self, there: bytes, judged: Judged, predicate: dict[str, JSONValue], by: Signatory | None
    ) -> bool:
        """Return whether a summary in the target is one that we would make: of this file, at another time."""
        ours = statement(judged.signed.name.filename, judged.signed.digest, SUMMARY, predicate)
        payload = there if by is None else self._signed_payload(there, judged, by)
        return _untimed(payload) == _untimed(ours)

    def _signed_payload(self, there: bytes, judged: Judged, by: Signatory) -> bytes | None:
        """Return what a bundle states, None unless whoever we are signed it."""
        item = read_bundle("", there, EvidenceForm.DSSE_BUNDLE)
        if isinstance(item, BadItem) or self._plan.signer is None:
            return None
        proved = verify_bundle(item.wire, judged.signed.digest, by.root)
        if isinstance(proved, Fault) or proved.envelope is None:
            return None
        is_ours = proved.claims.subjects == (self._plan.signer.claimed_subject,)
        is_statement = proved.envelope.payload_type == PAYLOAD_TYPE
        return proved.envelope.payload if is_ours and is_statement else None

    def _check_signer(self, subjects: tuple[str, ...]) -> None:
        """Require that the certificate names the verifier that the summary names."""
        signer = self._plan.signer
        if signer is None or subjects != (signer.claimed_subject,):
            raise UndecidedError(
                "unverifiable-signature",
                f"expected a certificate of {signer and escape_text(signer.claimed_subject)}, as the token "
                f"says, found {escape_text(', '.join(subjects), 500)}",
                hint="Nothing was uploaded. The CA names the job in another way than its token.",
            )

    def predicate(self, judged: Judged) -> dict[str, JSONValue]:
        """Return what is stated of a file."""
        policy, signer = self._plan.policy, self._plan.signer
        described: dict[str, JSONValue] = {"uri": policy.uri, "digest": {"sha256": policy.digest.hex}}
        if policy.demanded:
            described["annotations"] = {"demanded": list(policy.demanded)}
        return {
            "verifier": {
                "id": _TOOL if signer is None else signer.uri,
                "version": {"pip-warden": version("pip-warden")},
            },
            "timeVerified": judged.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resourceUri": self._resource(judged.signed),
            "policy": described,
            "inputAttestations": [self._input(judged.signed, path) for path in judged.signed.evidence],
            "verificationResult": "PASSED",
            "verifiedLevels": [build_level(judged.require)],
            "slsaVersion": SLSA_VERSION,
        }

    def _resource(self, signed: SignedFile) -> str:
        """Return the URL that a consumer of the target fetches the file from."""
        base = project_api(self._to.instance, self._to.project)
        return f"{base}/packages/pypi/files/{signed.digest.hex}/{quote(signed.name.filename, safe='')}"

    def _input(self, signed: SignedFile, path: Path) -> JSONValue:
        return {
            "uri": self._target.url_of(signed.name, without_epoch(path.name)),
            "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        }


def build_level(require: Requirements) -> str:
    """Return the level of SLSA's build track that was verified.

    Level 1 is "provenance exists": only where the pin requires provenance was it looked at. Level 2 wants
    it from the platform itself; this is the job's own, so no higher level is ever claimed.
    """
    asks = require.provenance is not None or require.source_revision is not None
    return f"SLSA_BUILD_LEVEL_{int(asks and (require.provenance or PROVENANCE) == PROVENANCE)}"


def _untimed(payload: bytes | None) -> dict[str, JSONValue] | None:
    """Return what a payload states, whenever it was; None where it is no statement."""
    try:
        document = loads_object(payload or b"", max_bytes=_LARGEST)
    except MalformedError:
        return None
    stated = document.get("predicate")
    if not isinstance(stated, dict):
        return None
    return document | {"predicate": {key: value for key, value in stated.items() if key != "timeVerified"}}
