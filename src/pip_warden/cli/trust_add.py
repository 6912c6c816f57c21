"""``pip-warden trust add``: see who publishes a package, and pin that."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pip_warden.cli.common import connection_options, trust_option
from pip_warden.cli.output import Console
from pip_warden.cli.session import Connection, open_transport, open_workspace
from pip_warden.display import shown
from pip_warden.errors import RefusedError, UsageError
from pip_warden.names import ProjectName, parse_project_name, parse_version

if TYPE_CHECKING:
    from packaging.version import Version

    from pip_warden.cli.trust_root import NewRoot
    from pip_warden.digests import Digest
    from pip_warden.first_use import FirstUse, Look
    from pip_warden.transport import Transport
    from pip_warden.trust.pins import HashEntry, Identity, IdentityEntry, Source, TrustFile


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
    **options: Any,
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
    connection = Connection.of(options)
    console = Console(verbose=bool(options["verbose"]), quiet=bool(options["quiet"]))
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
        self._root: NewRoot | None = None
        self._before = self._read() if path.exists() else None
        self._text = new_file_text() if self._before is None else self._before

    def run(self) -> None:
        """Add every name, then write the root if it is new, and the file."""
        from pip_warden.cli.trust_source import choose_source
        from pip_warden.trust.edit import add_source

        wanted = self._wanted
        source = choose_source(
            wanted.source, self._trust().sources, gitlab=bool(wanted.project or wanted.group)
        )
        self._text = add_source(self._text, source, self._path)
        with (
            open_workspace() as workspace,
            open_transport(self._connection, {source.name: source.url}, self._console) as transport,
        ):
            for name, version, hashes in self._names():
                self._add(name, version, hashes, source, transport, workspace)
        self._console.clear()
        self._write()

    def _write(self) -> None:
        """Write the root, then the trust file that names it; a root that no file names is taken away again."""
        from pip_warden.trust.edit import write

        if self._text == self._before:
            print(f"{self._path} says so already")
            return
        if self._before != (self._path.read_text(encoding="utf-8") if self._path.exists() else None):
            raise UsageError(
                "trust-file-changed",
                f"expected {self._path} as it was when this command began, found it changed",
                hint="It is as whoever changed it left it. Run the command again.",
            )
        root = self._root
        is_fresh = root is not None and root.keep()
        try:
            write(self._path, self._text)
        except UsageError:
            if root is not None and is_fresh:
                root.place.unlink()
            raise
        if root is not None:
            self._console.note(f"pinned the trusted root {root.place.name}, sha256 {root.sha256}")
        made = "made" if self._before is None else "updated"
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

        registry = self._wanted.project
        if source.type == "simple":
            if registry is not None or self._wanted.group is not None:
                raise UsageError(
                    "usage",
                    f"expected neither --project nor --group for the simple index {source.name}, found one",
                )
            return self._agreeing(probe_for(name, source=source.name, registry=None))
        if registry is None and self._wanted.group is not None:
            registry = owner_in_group(transport, source, self._wanted.group, name)
            self._console.note(f"{name} is published by {shown(registry)}")
        if registry is None:
            old = self._trust().entries_of(name)
            registry = old[0].registry if old else None
        if registry is None:
            raise UsageError(
                "project-needed",
                f"expected --project PATH (the GitLab project that publishes {name}), found none",
            )
        return self._agreeing(probe_for(name, source=source.name, registry=registry))

    def _agreeing(self, probe: IdentityEntry) -> IdentityEntry:
        """See that we look where the trust file says that the package comes from; a package has one place.

        Raises:
            UsageError: ``pin-conflict``: it says another.
        """
        from pip_warden.trust.pins import HashEntry

        entries = self._trust().entries_of(probe.project)
        old = next(
            (entry for entry in entries if not isinstance(entry, HashEntry)), next(iter(entries), None)
        )
        if old is None:
            return probe
        names = {old.registry, None if old.registry_id is None else str(old.registry_id)}
        if old.source != probe.source or probe.registry not in names:
            raise UsageError(
                "pin-conflict",
                f"expected {probe.project} from {old.source} {old.registry or ''} as the trust file has it, "
                f"found {probe.source} {probe.registry or ''}",
                hint="A pin is never replaced silently: review why it differs, then change the trust file by hand.",
            )
        probe = replace(probe, registry=old.registry, registry_id=old.registry_id)
        return probe if isinstance(old, HashEntry) else replace(probe, evidence=old.evidence)

    def _first_use(self, transport: Transport, workspace: Path) -> FirstUse:
        from pip_warden.cli.trust_root import shelf
        from pip_warden.first_use import FirstUse
        from pip_warden.supply import Registries

        trust = self._trust()
        roots = shelf(trust, self._root)
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
            print(f"  {shown(name)}  sha256 {digest}")
        self._confirm(f"Pin these {len(files)} files?")
        entry: HashEntry = hash_entry(probe, version, files, self._wanted.reason)
        self._text = add_hash_entry(self._text, entry, self._path)

    def _add_identity(
        self,
        probe: IdentityEntry,
        version: Version | None,
        source: Source,
        transport: Transport,
        workspace: Path,
    ) -> None:
        from pip_warden.first_use import identity_of

        root = self._choose_root(source, workspace)
        first = self._first_use(transport, workspace)
        look = first.look(probe, root=root, version=version)
        identity = self._spelled_out(root) or identity_of(look.observations[0], root=root)
        self._console.clear()
        print(_who(look))
        print(_pinned_as(look, identity))
        if self._wanted.identity is None:
            self._decide(self._doubts(look, probe, identity, source, transport))
        self._vouch(root, identity.issuer)
        self._write_identity(look, probe, identity)
        first.confirm(look, self._trust())

    def _choose_root(self, source: Source, workspace: Path) -> str:
        """Return the root to look with: one that may vouch for the issuer already, the default one, or a new one."""
        from pip_warden.cli.trust_root import DEFAULT, has_root, new_root, root_for

        trust, given = self._trust(), self._wanted.trusted_root
        expected = self._wanted.issuer or (source.url if source.type == "gitlab" else None)
        name = DEFAULT if given is not None else root_for(trust, expected)
        if self._root is None and (given is not None or not has_root(trust, name)):
            self._console.step("reading the trusted root")
            self._root = new_root(given, self._path, workspace, offline=self._connection.offline)
        return name

    def _vouch(self, name: str, issuer: str) -> None:
        """Let the root that proved the signer vouch for its issuer, and for no other."""
        from pip_warden.cli.trust_root import DEFAULT
        from pip_warden.trust.edit import add_root

        old = next((root for root in self._trust().roots if root.name == name), None)
        if self._root is not None and name == DEFAULT:
            self._text = add_root(self._text, self._root.pin(issuer), self._path)
        elif old is not None:
            self._text = add_root(self._text, replace(old, issuers=(issuer,)), self._path)

    def _doubts(
        self, look: Look, probe: IdentityEntry, identity: Identity, source: Source, transport: Transport
    ) -> tuple[str, ...]:
        from pip_warden.first_use import doubts
        from pip_warden.trust.pins import IdentityEntry

        branch = self._default_branch(look, probe, source, transport)
        instance = source.url if source.type == "gitlab" else None
        pinned = [e for e in self._trust().entries_of(probe.project) if isinstance(e, IdentityEntry)]
        others = [known.subject.text for entry in pinned for known in entry.identities if known != identity]
        found = doubts(look, instance=instance, default_branch=branch)
        if others and not any(identity in entry.identities for entry in pinned):
            found += (f"the trust file pins another signer already: {', '.join(others)}",)
        return found

    def _spelled_out(self, root: str) -> Identity | None:
        from pip_warden.trust.pins import Identity
        from pip_warden.trust.subject import parse_subject, read_subject

        if self._wanted.identity is None or self._wanted.issuer is None:
            return None
        subject = parse_subject(self._wanted.identity)
        is_account = read_subject(self._wanted.identity.replace("{version}", "1").replace("*", "x")) is None
        return Identity(issuer=self._wanted.issuer, subject=subject, root=root, is_account=is_account)

    def _write_identity(self, look: Look, probe: IdentityEntry, identity: Identity) -> None:
        from pip_warden.trust.edit import add_identity, add_identity_entry
        from pip_warden.trust.pins import IdentityEntry

        old = self._trust().entries_of(probe.project)
        if any(isinstance(entry, IdentityEntry) for entry in old):
            self._text = add_identity(self._text, probe.project, identity, self._path)
            return
        registry_id = old[0].registry_id if old else look.registry_id
        entry = replace(probe, identities=(identity,), registry_id=registry_id)
        self._text = add_identity_entry(self._text, entry, self._path)

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
        ("signed by", ", ".join(claims.subjects)),
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
    lines += [f"  {name:11} {shown(value, 500)}" for name, value in facts if value]
    return "\n".join(lines)


def _pinned_as(look: Look, identity: Identity) -> str:
    """Show the pin beside the subject that it was made from."""
    lines = [
        f"\n  pinned as   {shown(identity.subject.text, 500)}",
        f"  issuer      {shown(identity.issuer)}",
    ]
    if identity.project_id is not None:
        lines.append(f"  project id  {identity.project_id}")
    if "{version}" in identity.subject.text:
        version = look.observations[0].name.version
        lines.append(
            f"  {{version}} is each release's own version, {version} here: each must be signed by its own tag.\n"
            "  Protect that tag pattern in GitLab: no certificate shows whether it is."
        )
    return "\n".join(lines)
