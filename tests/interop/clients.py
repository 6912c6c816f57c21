"""Every client that signs or verifies, run as by its users, in its own home with the stack's trust root."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from interop.stack.places import BIN, KEYS, NODE, TRUST, Port
from pip_warden.sandbox import Job, Sandbox

VENV = Path(sys.executable).parent
SLSA = "https://slsa.dev/provenance/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a producer wrote.

    Attributes:
        bundle: A bundle.
        signature: A detached signature, with its certificate.
        certificate: The certificate.
        statement: Whether the bundle is over an in-toto statement.
        rekor: The Rekor v1 in which a pair's entry is looked up.
    """

    bundle: Path | None = None
    signature: Path | None = None
    certificate: Path | None = None
    statement: bool = False
    rekor: Port = Port.REKOR1


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """A directory with a file in it, and its signer.

    Attributes:
        directory: Home and working directory of all clients.
        file: Name of the artifact.
        subject: The certificate's subject to demand.
        issuer: The certificate's OIDC issuer to demand.
        token: Makes an ID token.
        variables: The CI job's variables.
        root: The trusted root; for forgeries another than the stack's.
    """

    directory: Path
    file: str
    subject: str
    issuer: str
    token: Callable[[], str] = lambda: ""
    variables: dict[str, str] = field(default_factory=dict)
    root: Path = TRUST / "trusted_root.json"

    @classmethod
    def of(cls, gitlab: Sandbox, directory: Path, *, version: str = "1.0", job: Job | None = None) -> Bench:
        """Put a wheel into a directory, to be signed by a job; by default by one for the tag ``v1.0``."""
        wheel = gitlab.wheel("acme-widgets", version)
        (directory / wheel.name).write_bytes(wheel.data)
        job = job or gitlab.job(gitlab.project("acme/widgets"), tag="v1.0")
        return cls(
            directory=directory,
            file=wheel.name,
            subject=job.san,
            issuer=gitlab.issuer,
            token=job.id_token,
            variables=job.variables(),
        )

    @property
    def artifact(self) -> Path:
        """Return the file's path."""
        return self.directory / self.file

    def run(self, *words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program with only the given environment."""
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.directory,
            env={"HOME": str(self.directory), "PATH": os.environ["PATH"], "NO_COLOR": "1"} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def must(self, *words: str | Path, **environment: str) -> str:
        """Run a program that must succeed, and return what it printed."""
        result = self.run(*words, **environment)
        assert result.returncode == 0, (words[0], result.stdout, result.stderr)
        return result.stdout

    def path(self, name: str) -> Path:
        """Return a path in the directory for a producer's output."""
        return self.directory / name


OLD_KEYS = {
    "SIGSTORE_ROOT_FILE": str(KEYS / "ca.pem"),
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": str(KEYS / "ct.pub"),
    "SIGSTORE_REKOR_PUBLIC_KEY": str(KEYS / "rekor1.pub"),
}
"""The trust material of cosign 2.2.3, and of cosign 3 for its detached pairs."""


# Producers. Each takes a bench and the name of a log's configuration (`interop.stack.trust.LOGS`).


def cosign_sign(bench: Bench, log: str) -> Evidence:
    """Cosign 3 ``sign-blob --bundle``."""
    bundle = bench.path(f"cosign-{log}.sigstore.json")
    bench.must(BIN / "cosign", "sign-blob", *cosign_signing(bench, log), f"--bundle={bundle}", bench.file)
    return Evidence(bundle=bundle)


def cosign_attest(bench: Bench, log: str) -> Evidence:
    """Cosign 3 ``attest-blob --bundle``."""
    bundle = bench.path(f"cosign-{log}.slsa.sigstore.json")
    kind = ("--type=slsaprovenance1", f"--predicate={_predicate(bench)}")
    bench.must(
        BIN / "cosign", "attest-blob", *cosign_signing(bench, log), *kind, f"--bundle={bundle}", bench.file
    )
    return Evidence(bundle=bundle, statement=True)


def cosign_pair(bench: Bench, log: str) -> Evidence:
    """Cosign 3 ``sign-blob --output-signature --output-certificate``."""
    del log
    old = ("--use-signing-config=false", "--new-bundle-format=false")
    return _pair(bench, "cosign", *old)


def old_cosign_pair(bench: Bench, log: str) -> Evidence:
    """Cosign 2.2.3, the tutorial's command."""
    del log
    return _pair(bench, "cosign-2.2.3")


def python_sign(bench: Bench, log: str) -> Evidence:
    """sigstore-python's ``sign``."""
    bundle = bench.path(f"python-{log}.sigstore.json")
    words = ("sign", "--identity-token", bench.token(), "--bundle", bundle, bench.file)
    bench.must(*_python(log), *words)
    return Evidence(bundle=bundle)


def python_pair(bench: Bench, log: str) -> Evidence:
    """sigstore-python's ``sign`` with separate files."""
    signature, certificate = bench.path("python.sig"), bench.path("python.crt")
    outputs = ("--signature", signature, "--certificate", certificate)
    words = ("sign", "--identity-token", bench.token(), *outputs, "--overwrite", bench.file)
    bench.must(*_python(log), *words)
    return Evidence(signature=signature, certificate=certificate)


def python_attest(bench: Bench, log: str) -> Evidence:
    """sigstore-python's ``attest``."""
    bundle = bench.path(f"python-{log}.slsa.sigstore.json")
    kind = ("--predicate", _predicate(bench), "--predicate-type", SLSA)
    words = ("attest", *kind, "--identity-token", bench.token(), "--bundle", bundle, bench.file)
    bench.must(*_python(log), *words)
    return Evidence(bundle=bundle, statement=True)


def warden_sign(bench: Bench, log: str) -> Evidence:
    """``pip-warden sign``."""
    return Evidence(bundle=_warden(bench, "sign", log) / f"{bench.file}.sigstore.json")


def warden_attest(bench: Bench, log: str) -> Evidence:
    """``pip-warden attest``."""
    return Evidence(bundle=_warden(bench, "attest", log) / f"{bench.file}.slsa.sigstore.json", statement=True)


def warden_pair(bench: Bench, log: str) -> Evidence:
    """``pip-warden sign --detached``."""
    base = _warden(bench, "sign", log, "--detached") / bench.file
    return Evidence(signature=Path(f"{base}.sig"), certificate=Path(f"{base}.crt"))


def js_attest(bench: Bench, log: str) -> Evidence:
    """``sigstore attest`` of @sigstore/cli, which takes a whole statement."""
    del log
    bundle, statement = bench.path("js.slsa.sigstore.json"), bench.path("statement.json")
    statement.write_text(json.dumps(_statement(bench)), encoding="utf-8")
    services = (
        f"--fulcio-url={Port.FULCIO.url}",
        f"--rekor-url={Port.REKOR1.url}",
        f"--tsa-server-url={Port.TSA.url}",
    )
    words = ("attest", statement, *services, f"--output-file={bundle}", "--timeout=30")
    in_ci = {"CI": "true", "SIGSTORE_ID_TOKEN": bench.token()}
    bench.must(NODE / "sigstore", *words, **in_ci, PATH=f"{NODE}:{os.environ['PATH']}")
    return Evidence(bundle=bundle, statement=True)


def cosign_signing(bench: Bench, log: str) -> tuple[str, ...]:
    """Return the options with which cosign signs."""
    config = TRUST / log
    return (
        "--yes",
        f"--trusted-root={config / 'trusted_root.json'}",
        f"--signing-config={config / 'signing_config.json'}",
        f"--identity-token={bench.token()}",
    )


def _pair(bench: Bench, program: str, *more: str) -> Evidence:
    signature, certificate = bench.path(f"{program}.sig"), bench.path(f"{program}.crt")
    bench.must(
        BIN / program,
        "sign-blob",
        "--yes",
        *more,
        f"--fulcio-url={Port.FULCIO.url}",
        f"--rekor-url={Port.REKOR1.url}",
        f"--oidc-issuer={bench.issuer}",
        f"--identity-token={bench.token()}",
        f"--output-signature={signature}",
        f"--output-certificate={certificate}",
        bench.file,
        **OLD_KEYS,
    )
    return Evidence(signature=signature, certificate=certificate)


def _python(log: str) -> tuple[str | Path, ...]:
    return VENV / "sigstore", "--trust-config", TRUST / log / "trust_config.json"


def _warden(bench: Bench, command: str, log: str, *more: str) -> Path:
    directory = bench.path("-".join(["warden", command, log, *(word.strip("-") for word in more)]))
    directory.mkdir()
    where = ("--trust-config", TRUST / log / "trust_config.json", "--output-directory", directory)
    environment = bench.variables | {"SIGSTORE_ID_TOKEN": bench.token()}
    bench.must(VENV / "pip-warden", command, *where, *more, bench.file, **environment)
    return directory


def _predicate(bench: Bench) -> Path:
    """Write a SLSA v1 provenance predicate that every client accepts."""
    builder = {"id": "https://example.com/builder"}
    build = {"buildType": "https://example.com/type", "externalParameters": {}, "internalParameters": {}}
    path = bench.path("predicate.json")
    path.write_text(
        json.dumps({"buildDefinition": build, "runDetails": {"builder": builder}}), encoding="utf-8"
    )
    return path


def _statement(bench: Bench) -> dict[str, object]:
    digest = hashlib.sha256(bench.artifact.read_bytes()).hexdigest()
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": bench.file, "digest": {"sha256": digest}}],
        "predicateType": SLSA,
        "predicate": json.loads(_predicate(bench).read_bytes()),
    }


# Verifiers. Each returns the client's output and exit code; None where it cannot verify such evidence.

Result = subprocess.CompletedProcess[str] | None


def by_old_cosign(bench: Bench, evidence: Evidence) -> Result:
    """Cosign 2.2.3, which knows no present bundle.

    It looks a pair up in Rekor v1; one can be taken out of a bundle.
    """
    pair = evidence if evidence.signature else _taken_apart(bench, evidence)
    if pair is None:
        return None
    return _verify_pair(bench, "cosign-2.2.3", pair)


def by_cosign(bench: Bench, evidence: Evidence) -> Result:
    """Cosign 3."""
    if evidence.bundle is None:
        return _verify_pair(bench, "cosign", evidence, "--new-bundle-format=false")
    command = ["verify-blob-attestation", f"--type={SLSA}"] if evidence.statement else ["verify-blob"]
    material = (f"--bundle={evidence.bundle}", f"--trusted-root={bench.root}")
    stamped = ("--use-signed-timestamps",) if _only_stamped(evidence.bundle) else ()
    return bench.run(BIN / "cosign", *command, *material, *stamped, *_who(bench), bench.file)


def by_go(bench: Bench, evidence: Evidence) -> Result:
    """sigstore-go's example."""
    if evidence.bundle is None:
        return None
    who = ("-expectedIssuer", bench.issuer, "-expectedSAN", bench.subject)
    material = ("-artifact", bench.file, "-trustedrootJSONpath", bench.root, evidence.bundle)
    return bench.run(BIN / "sigstore-go-verification", *who, *material)


def by_python(bench: Bench, evidence: Evidence) -> Result:
    """sigstore-python's command line; it reads only plain PEM certificates, so cosign's are decoded first."""
    config = json.loads((TRUST / "v1" / "trust_config.json").read_bytes())
    config["trustedRoot"] = json.loads(bench.root.read_bytes())
    path = bench.path("python.trust_config.json")
    path.write_text(json.dumps(config), encoding="utf-8")
    who = ("--cert-identity", bench.subject, "--cert-oidc-issuer", bench.issuer)
    material: tuple[str | Path, ...] = ("--offline", "--bundle", evidence.bundle or "")
    if evidence.signature and evidence.certificate:
        plain = bench.path("python.pem")
        plain.write_bytes(_as_pem(evidence.certificate.read_bytes()))
        material = ("--signature", evidence.signature, "--certificate", plain)
    return bench.run(
        VENV / "sigstore", "--trust-config", path, "verify", "identity", *material, *who, bench.file
    )


def by_js(bench: Bench, evidence: Evidence) -> Result:
    """@sigstore/cli, which takes its trust root from a TUF repository only."""
    if evidence.bundle is None or bench.root != TRUST / "trusted_root.json":
        return None
    who = (f"--certificate-identity-uri={bench.subject}", f"--certificate-issuer={bench.issuer}")
    tuf = (f"--tuf-mirror-url={Port.TUF.url}", f"--tuf-root-path={TRUST / 'tuf' / '1.root.json'}")
    blob = () if evidence.statement else (f"--blob-file={bench.file}",)
    words = ("verify", evidence.bundle, *who, *tuf, f"--tuf-cache-path={bench.path('tuf')}", *blob)
    return bench.run(NODE / "sigstore", *words, PATH=f"{NODE}:{os.environ['PATH']}")


def by_warden(bench: Bench, evidence: Evidence, *more: str) -> subprocess.CompletedProcess[str]:
    """``pip-warden verify``, with further options."""
    material = (
        (f"--bundle={evidence.bundle}",)
        if evidence.bundle
        else (f"--signature={evidence.signature}", f"--certificate={evidence.certificate}")
    )
    words = (*material, f"--trusted-root={bench.root}", f"--cache-dir={bench.path('cache')}", *_who(bench))
    return bench.run(VENV / "pip-warden", "verify", *words, *more, bench.file)


PEERS: dict[str, Callable[[Bench, Evidence], Result]] = {
    "cosign 2.2.3": by_old_cosign,
    "cosign 3.1.3": by_cosign,
    "sigstore-go 1.3.0": by_go,
    "sigstore-python 4.5.1": by_python,
    "@sigstore/cli 0.10.3": by_js,
}
"""Every verifier but ours, by its name on the page."""


def _who(bench: Bench) -> tuple[str, ...]:
    return f"--certificate-identity={bench.subject}", f"--certificate-oidc-issuer={bench.issuer}"


def _verify_pair(bench: Bench, program: str, pair: Evidence, *more: str) -> Result:
    material = (
        f"--signature={pair.signature}",
        f"--certificate={pair.certificate}",
        f"--rekor-url={pair.rekor.url}",
    )
    return bench.run(BIN / program, "verify-blob", *more, *material, *_who(bench), bench.file, **OLD_KEYS)


def _taken_apart(bench: Bench, evidence: Evidence) -> Evidence | None:
    """Return the pair in a bundle over a file, where Rekor v1 has its entry."""
    assert evidence.bundle is not None
    bundle = json.loads(evidence.bundle.read_bytes())
    material = bundle["verificationMaterial"]
    kind = material["tlogEntries"][0]["kindVersion"] if material.get("tlogEntries") else {}
    if kind != {"kind": "hashedrekord", "version": "0.0.1"}:
        return None
    chain = material.get("x509CertificateChain", {}).get("certificates", [])
    certificate = material.get("certificate") or chain[0]
    der = certificate["rawBytes"]
    signature, path = bench.path("apart.sig"), bench.path("apart.crt")
    signature.write_text(bundle["messageSignature"]["signature"], encoding="ascii")
    lines = "\n".join(der[at : at + 64] for at in range(0, len(der), 64))
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"
    path.write_bytes(base64.b64encode(pem.encode()))
    return Evidence(signature=signature, certificate=path, rekor=evidence.rekor)


def _as_pem(certificate: bytes) -> bytes:
    return certificate if certificate.startswith(b"-----") else base64.b64decode(certificate)


def _only_stamped(bundle: Path) -> bool:
    """Return whether the signing time is proved by a time stamp alone, for which cosign needs an option."""
    material = json.loads(bundle.read_bytes())["verificationMaterial"]
    promised = any("inclusionPromise" in entry for entry in material.get("tlogEntries", []))
    return not promised and bool(material.get("timestampVerificationData", {}).get("rfc3161Timestamps"))
