"""``pip-warden trust add``: see who publishes a package, and pin that."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from pip_warden.cli.common import connection_options, trust_option
from pip_warden.cli.output import Console
from pip_warden.cli.session import Connection, open_transport, open_workspace
from pip_warden.display import shown
from pip_warden.errors import RefusedError, UsageError
from pip_warden.names import ProjectName, parse_project_name, parse_version

if TYPE_CHECKING:
    from packaging.version import Version

    from pip_warden.digests import Digest
    from pip_warden.first_use import FirstUse, Look
    from pip_warden.transport import Transport
    from pip_warden.trust.pins import HashEntry, Identity, IdentityEntry, Source, TrustFile

_SIMPLE_HOSTS = {"pypi.org": "pypi"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the user asked to pin."""

    names: tuple[str, ...]
    source: str | None
    project: str | None
    group: str | None
    identity: str | None
    issuer: str | None
    by_hash: bool
    reason: str
    requirements: tuple[Path, ...]
    trusted_root: Path | None
    yes: bool


@click.command("add")
@click.argument("names", nargs=-1, metavar="NAME[==VERSION]…")
@trust_option
@click.option("--source", metavar="NAME|URL", help="A source of the trust file, or the URL of a new one.")
@click.option(
    "--project", metavar="PATH", help="The GitLab project that publishes it: group/project, or its id."
)
@click.option(
    "--group", metavar="PATH", help="A GitLab group: ask it which project publishes it (needs GITLAB_TOKEN)."
)
@click.option(
    "--identity", "--certificate-identity", "--cert-identity", metavar="SUBJECT", help="Pin this signer."
)
@click.option(
    "--issuer", "--certificate-oidc-issuer", "--cert-oidc-issuer", metavar="URL", help="Its OIDC issuer."
)
@click.option(
    "--hash", "by_hash", is_flag=True, help="Pin every file of the release by digest: what, not who."
)
@click.option("--reason", default="", help="Why a hash is enough.")
@click.option(
    "-r",
    "--requirement",
    "requirements",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --hash: pin every name==version of a requirements file.",
)
@click.option(
    "--trusted-root",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Sigstore trusted root to pin; else that of the public-good instance, fetched once.",
)
@click.option("--yes", "-y", is_flag=True, help="Pin without asking, if nothing speaks against it.")
@connection_options
def command(
    *,
    names: tuple[str, ...],
    trust: Path | None,
    source: str | None,
    project: str | None,
    group: str | None,
    identity: str | None,
    issuer: str | None,
    by_hash: bool,
    reason: str,
    requirements: tuple[Path, ...],
    trusted_root: Path | None,
    yes: bool,
    offline: bool,
    cache_dir: Path | None,
    token_file: tuple[str, ...],
    cert: Path | None,
    timeout: float | None,
    retries: int | None,
    verbose: int,
    quiet: int,
    debug: bool,  # noqa: ARG001 -- read by cli.run
) -> None:
    """Show who signed the newest release of NAME, ask, and pin that signer.

    The first call makes pytrust.toml: give it --source with the URL of your GitLab (or of a simple index such as https://pypi.org/simple). In a
    tag ref the version becomes {version}, so that each release must be signed by its own tag. With --hash a release is pinned by the digests of
    its files, for what nobody signs.
    """
    wanted = Wanted(
        names=names,
        source=source,
        project=project,
        group=group,
        identity=identity,
        issuer=issuer,
        by_hash=by_hash,
        reason=reason,
        requirements=requirements,
        trusted_root=trusted_root,
        yes=yes,
    )
    _check_wanted(wanted)
    connection = Connection(
        offline=offline,
        cache_dir=cache_dir,
        token_files=token_file,
        cert=cert,
        timeout=timeout,
        retries=retries,
    )
    console = Console(verbose=bool(verbose), quiet=bool(quiet))
    Adding(wanted, _trust_path(trust), connection, console).run()


def _check_wanted(wanted: Wanted) -> None:
    if not wanted.names and not wanted.requirements:
        raise UsageError("nothing-to-pin", "expected a NAME, or -r FILE with --hash, found neither")
    if wanted.requirements and not wanted.by_hash:
        raise UsageError("usage", "expected --hash together with -r FILE, found -r alone")
    if (wanted.identity is None) != (wanted.issuer is None):
        raise UsageError("issuer-needed", "expected --identity and --issuer together, found one of them")
    if wanted.by_hash and not wanted.reason.strip():
        raise UsageError(
            "reason-missing",
            "expected --reason saying why a hash is enough for what nobody signs, found none",
            hint='For example: --reason "publisher does not sign; hash reviewed 2026-11-20"',
        )


def _trust_path(given: Path | None) -> Path:
    from pip_warden.cli.common import trust_path
    from pip_warden.trust.file import TRUST_FILE_NAME

    return trust_path(given) or Path.cwd() / TRUST_FILE_NAME


class Adding:
    """One run of ``trust add``: everything is seen and decided before the file is written, once, at the end."""

    def __init__(self, wanted: Wanted, path: Path, connection: Connection, console: Console) -> None:
        from pip_warden.trust.edit import new_file_text

        self._wanted = wanted
        self._path = path
        self._connection = connection
        self._console = console
        self._is_new = not path.exists()
        self._text = new_file_text() if self._is_new else self._read()

    def run(self) -> None:
        """Add every name, then write the file."""
        from pip_warden.trust.edit import write

        source = self._source()
        with (
            open_workspace() as workspace,
            open_transport(self._connection, {source.name: source.url}, self._console) as transport,
        ):
            for name, version, hashes in self._names():
                self._add(name, version, hashes, source, transport, workspace)
        self._console.clear()
        write(self._path, self._text)
        made = "made" if self._is_new else "updated"
        print(f"{made} {self._path}; commit it, and review its changes")

    def _read(self) -> str:
        from pip_warden.trust.file import load

        load(self._path, check_owner=True)
        return self._path.read_text(encoding="utf-8")

    def _trust(self) -> TrustFile:
        from pip_warden.trust.file import parse

        return parse(self._text, self._path)

    def _names(self) -> list[tuple[ProjectName, Version | None, frozenset[str]]]:
        """Return each project with its version and the hashes that a requirements file demands."""
        found: list[tuple[ProjectName, Version | None, frozenset[str]]] = []
        for text in self._wanted.names:
            name, equals, version = text.partition("==")
            found.append((parse_project_name(name), parse_version(version) if equals else None, frozenset()))
        for path in self._wanted.requirements:
            from pip_warden.handoff.requirements import pinned_releases

            found += [(r.project, r.version, r.sha256) for r in pinned_releases(path)]
        return found

    def _source(self) -> Source:
        """Return the source: one of the file, or a new one from a URL."""
        from pip_warden.trust.edit import add_source
        from pip_warden.trust.pins import Source

        known = self._trust().sources
        text = self._wanted.source
        if text is None:
            if len(known) == 1:
                return known[0]
            names = ", ".join(source.name for source in known) or "none yet"
            raise UsageError(
                "source-needed", f"expected --source NAME or URL, found none; the file has: {names}"
            )
        match = next((s for s in known if text in {s.name, s.url, s.url + "/"}), None)
        if match is not None:
            return match
        if "://" not in text:
            names = ", ".join(source.name for source in known) or "none yet"
            raise UsageError(
                "source-needed",
                f"expected a source of the trust file or a URL, found {text!r}; the file has: {names}",
            )
        url = text.rstrip("/")
        kind = (
            "gitlab"
            if self._wanted.project or self._wanted.group
            else "simple"
            if url.endswith("/simple")
            else "gitlab"
        )
        source = Source(name=_name_for(url, {s.name for s in known}), type=kind, url=url)  # type: ignore[arg-type]
        self._text = add_source(self._text, source, self._path)
        return source

    def _add(
        self,
        name: ProjectName,
        version: Version | None,
        hashes: frozenset[str],
        source: Source,
        transport: Transport,
        workspace: Path,
    ) -> None:
        probe = self._probe(name, source, transport)
        if not self._wanted.by_hash:
            self._add_identity(probe, version, source, transport, workspace)
            return
        if version is None:
            raise UsageError(
                "version-needed",
                f"expected {name}==VERSION with --hash, found no version",
                hint="A hash speaks of one release.",
            )
        self._add_hashes(probe, version, hashes, self._first_use(transport, workspace))

    def _probe(self, name: ProjectName, source: Source, transport: Transport) -> IdentityEntry:
        from pip_warden.first_use import owner_in_group, probe_for

        if source.type == "simple":
            return probe_for(name, source=source.name, registry=None)
        registry = self._wanted.project
        if registry is None and self._wanted.group is not None:
            registry = owner_in_group(transport, source, self._wanted.group, name)
            self._console.note(f"{name} is published by {registry}")
        if registry is None:
            old = self._trust().entries_of(name)
            registry = old[0].registry if old else None
        if registry is None:
            raise UsageError(
                "project-needed",
                f"expected --project PATH (the GitLab project that publishes {name}), found none",
            )
        return probe_for(name, source=source.name, registry=registry)

    def _first_use(self, transport: Transport, workspace: Path) -> FirstUse:
        from pip_warden.first_use import FirstUse
        from pip_warden.supply import Registries
        from pip_warden.trust.shelf import RootShelf

        trust = self._trust()
        roots = RootShelf(trust.roots)
        supply = Registries(trust=trust, roots=roots, transport=transport)
        return FirstUse(trust=trust, roots=roots, supply=supply, workspace=workspace, reporter=self._console)

    def _add_hashes(
        self, probe: IdentityEntry, version: Version, hashes: frozenset[str], first: FirstUse
    ) -> None:
        from pip_warden.first_use import hash_entry
        from pip_warden.trust.edit import add_hash_entry

        files = first.hashes(probe, version)
        self._console.clear()
        if hashes:
            files = _demanded(files, hashes, f"{probe.project}=={version}")
        print(f"{probe.project} {version}, by hash. This proves what the files are, not who published them:")
        for name, digest in files:
            print(f"  {name}  sha256 {digest}")
        self._confirm(f"Pin these {len(files)} files?")
        entry: HashEntry = hash_entry(probe, version, files, self._wanted.reason)
        old = self._trust().entries_of(probe.project)
        if old:
            entry = replace(entry, registry=old[0].registry, registry_id=old[0].registry_id)
        self._text = add_hash_entry(self._text, entry, self._path)

    def _add_identity(
        self,
        probe: IdentityEntry,
        version: Version | None,
        source: Source,
        transport: Transport,
        workspace: Path,
    ) -> None:
        from pip_warden.first_use import doubts, identity_of

        issuer = self._wanted.issuer or source.url
        self._pin_root(issuer)
        first = self._first_use(transport, workspace)
        look = first.look(probe, root="default", version=version)
        self._console.clear()
        print(_who(look))
        identity = self._spelled_out() or identity_of(look.observations[0], root="default")
        print(f"\n  pinned as   {identity.subject.text}")
        if "{version}" in identity.subject.text:
            print(
                "  Each release must be signed by its own tag. Protect that tag pattern in GitLab: no certificate shows whether it is."
            )
        if self._wanted.identity is None:
            instance = source.url if source.type == "gitlab" else None
            self._decide(
                doubts(
                    look,
                    instance=instance,
                    default_branch=self._default_branch(look, probe, source, transport),
                )
            )
        self._write_identity(look, probe, identity)
        first.confirm(look, self._trust())

    def _spelled_out(self) -> Identity | None:
        from pip_warden.trust.pins import Identity
        from pip_warden.trust.subject import parse_subject, read_subject

        if self._wanted.identity is None or self._wanted.issuer is None:
            return None
        subject = parse_subject(self._wanted.identity)
        is_account = read_subject(self._wanted.identity.replace("{version}", "1").replace("*", "x")) is None
        return Identity(issuer=self._wanted.issuer, subject=subject, is_account=is_account)

    def _write_identity(self, look: Look, probe: IdentityEntry, identity: Identity) -> None:
        from pip_warden.trust.edit import add_identity, add_identity_entry
        from pip_warden.trust.pins import IdentityEntry

        old = self._trust().entries_of(probe.project)
        if any(isinstance(entry, IdentityEntry) for entry in old):
            self._text = add_identity(self._text, probe.project, identity, self._path)
            return
        registry_id = look.registry_id if not old else old[0].registry_id
        entry = replace(probe, identities=(identity,), registry_id=registry_id)
        self._text = add_identity_entry(self._text, entry, self._path)

    def _pin_root(self, issuer: str) -> None:
        """Pin the trusted root at first use (D7), and let it vouch for the issuer."""
        from pip_warden.digests import digest_of
        from pip_warden.trust.edit import add_root
        from pip_warden.trust.pins import RootPin

        old = next((root for root in self._trust().roots if root.name == "default"), None)
        if old is not None and self._wanted.trusted_root is None:
            if issuer not in old.issuers:
                self._text = add_root(self._text, replace(old, issuers=(issuer,)), self._path)
            return
        raw, place = self._root_bytes()
        pin = RootPin(name="default", path=place, sha256=digest_of(raw), issuers=(issuer,))
        self._text = add_root(self._text, pin, self._path)
        self._console.note(f"pinned the trusted root {place.name}, sha256 {pin.sha256}")

    def _root_bytes(self) -> tuple[bytes, Path]:
        """Return the root's bytes and where they lie: beside the trust file, or where the user has them below it."""
        given = self._wanted.trusted_root
        beside = self._path.absolute().parent
        if given is not None:
            try:
                raw = given.read_bytes()
            except OSError as err:
                raise UsageError(
                    "no-such-file", f"expected a trusted root in {given}, found none readable"
                ) from err
            if given.absolute().is_relative_to(beside):
                return raw, given.absolute()
        else:
            from pip_warden._sigstore.tuf import fetch_public_good_root

            self._console.step("fetching the public-good trusted root")
            raw = fetch_public_good_root()
        place = beside / "trusted_root.json"
        if place.exists() and place.read_bytes() != raw:
            raise UsageError(
                "pin-conflict",
                f"expected no other trusted root in {place}, found one",
                hint="Name it with --trusted-root, or move it away.",
            )
        place.write_bytes(raw)
        return raw, place

    def _default_branch(
        self, look: Look, probe: IdentityEntry, source: Source, transport: Transport
    ) -> str | None:
        """Ask for the default branch only where it decides something."""
        from pip_warden.errors import UndecidedError
        from pip_warden.index.gitlab import GitLab

        subject = look.observations[0].claims.subjects[0]
        if source.type != "gitlab" or probe.registry is None or "@refs/heads/" not in subject:
            return None
        try:
            return GitLab(transport, source.url).project_info(probe.registry).default_branch
        except UndecidedError:
            return None

    def _decide(self, found: tuple[str, ...]) -> None:
        for doubt in found:
            self._console.warning(shown(doubt, 500))
        if found and self._wanted.yes:
            raise RefusedError(
                "not-pinned-unasked",
                f"expected nothing that speaks against this signer, found: {'; '.join(found)}",
                hint="The trust file is unchanged. If the signer is right, spell it out: --identity SUBJECT --issuer URL.",
            )
        self._confirm("Pin this signer?")

    def _confirm(self, question: str) -> None:
        if self._wanted.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(
                "yes-needed",
                "expected a yes, found nobody to ask",
                hint="--yes pins without asking, if nothing speaks against it.",
            )
        if not click.confirm(question, err=True):
            raise RefusedError("declined", "expected a yes, found a no; the trust file is unchanged")


def _demanded(
    files: tuple[tuple[str, Digest], ...], hashes: frozenset[str], release: str
) -> tuple[tuple[str, Digest], ...]:
    """Keep the files whose hashes a requirements file lists; every listed hash must be that of a file."""
    found = tuple((name, digest) for name, digest in files if digest.hex in hashes)
    missing = hashes - {digest.hex for _, digest in found}
    if missing:
        raise RefusedError(
            "hash-not-found",
            f"expected a file of {release} with SHA-256 {min(missing)}, as the requirements file demands, found none",
            hint="The registry has other bytes than whoever wrote that file.",
        )
    return found


def _who(look: Look) -> str:
    newest = look.observations[0]
    claims, signed = newest.claims, newest.signed
    facts = [
        ("file", newest.name.filename),
        ("signed by", claims.subjects[0]),
        ("issued by", claims.issuer),
        ("project id", claims.get("project-id")),
        ("source", claims.get("source-repository")),
        ("ref", claims.get("source-ref")),
        ("runner", claims.get("runner-environment")),
        ("trigger", claims.get("build-trigger")),
        ("time", f"{signed.log_time:%Y-%m-%d %H:%M:%S} UTC"),
        ("log index", str(signed.log_index)),
        ("evidence", f"{signed.label} ({signed.form.value})"),
    ]
    lines = [f"{newest.name.project} {newest.name.version}"]
    lines += [f"  {name:11} {shown(value)}" for name, value in facts if value]
    return "\n".join(lines)


def _name_for(url: str, taken: set[str]) -> str:
    """Choose a short name for a source: the host's telling part."""
    host = urlsplit(url).hostname or "source"
    labels = [label for label in host.split(".") if label.isidentifier()]
    base = _SIMPLE_HOSTS.get(host) or (labels[-2] if len(labels) > 1 else labels[0] if labels else "gitlab")
    name, number = base, 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
