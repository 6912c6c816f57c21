"""What an acceptance rests on, as a chain: trusted root, certificate, identity, artifact; and its statements.

Only what was proved under the identity of the verdict is headed as verified, as in
:mod:`pip_warden.report.statements`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pip_warden.faults import Fault
from pip_warden.report.difference import compared
from pip_warden.report.figures import size
from pip_warden.report.markup import NOTHING, Content, Markup, element, facts, first_of, joined, value
from pip_warden.report.model import Line
from pip_warden.trust.model import RootPin
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.model import (
    Accepted,
    AcceptedImage,
    ItemRefusal,
    PinnedByHash,
    ProvedStatement,
    SignedBy,
    Step,
)
from pip_warden.verdict.provenance import Provenance
from pip_warden.verdict.statement import COSIGN_SIGN

_MOST_STATEMENTS, _MOST_PAIRS = 16, 64


def chain(line: Line, accepted: Accepted | AcceptedImage, roots: Mapping[str, RootPin]) -> Markup:
    """Show what an acceptance rests on, link by link.

    Args:
        line: The line of what was accepted.
        accepted: Its verdict.
        roots: The trusted roots by name, as far as they are known.
    """
    basis = accepted.basis
    if isinstance(basis, SignedBy):
        links = [_root(basis, roots.get(basis.root)), _certificate(basis), _identity(basis, accepted)]
    else:
        links = [_hash(basis)]
    return element("ol", *links, _artifact(line, accepted), class_="chain")


def statements(accepted: Accepted | AcceptedImage) -> Markup:
    """Show what further signed statements say, and which are not verified."""
    proved, more = first_of(accepted.statements, _MOST_STATEMENTS)
    parts = [
        *map(_statement, proved),
        more,
        bad_evidence(accepted.unproved, "Statements that are not verified"),
    ]
    if accepted.unheard:
        parts.append(
            element("p", f"Further evidence was not looked at [{accepted.unheard}].", class_="quiet")
        )
    return joined(parts)


def bad_evidence(items: Sequence[ItemRefusal], title: str, told: Fault | None = None) -> Markup:
    """Show evidence that is not good, and why; nothing where there is none.

    Args:
        items: The evidence.
        title: What it is headed as.
        told: A fault that is told already: evidence that has the same is only named.
    """
    if not items:
        return NOTHING
    shown, more = first_of(items, _MOST_STATEMENTS)
    rows = (_bad_item(item, is_told=item.failure.fault == told) for item in shown)
    return joined((element("h4", title), element("ul", *rows, class_="evidence"), more))


def _link(title: str, *content: Content) -> Markup:
    return element("li", element("h4", title), *content)


def _root(signed: SignedBy, pin: RootPin | None) -> Markup:
    """Show a root, and of which bytes it was read: of no others than those with the pinned digest."""
    read = () if pin is None else (("SHA-256", pin.sha256.hex), ("from", str(pin.path)))
    return _link("Trusted root", facts([("name", signed.root), *read]))


def _certificate(signed: SignedBy) -> Markup:
    claims = signed.claims
    told = facts(
        [
            ("issuer", claims.issuer),
            ("subject", joined(map(value, claims.subjects))),
            ("valid", f"{_moment(claims.not_before)} to {_moment(claims.not_after)}"),
            ("log entry", f"{signed.log_index}, logged {_moment(signed.log_time)}"),
            ("evidence", f"{signed.label} ({signed.form.value})"),
        ]
    )
    named = facts((name.replace("-", " "), said) for name, said in claims.values)
    count = f"all {len(claims.values)} claims of the certificate"
    return _link("Certificate", told, element("details", element("summary", count), named))


def _identity(signed: SignedBy, accepted: Accepted | AcceptedImage) -> Markup:
    met = [each.found for each in accepted.passed if each.step in {Step.IDENTITY, Step.POLICY}]
    return _link(
        "Identity, as pinned",
        facts([("signer", element("strong", value(signed.claims.subjects[0])))]),
        element("ul", *(element("li", value(each)) for each in met)) if met else NOTHING,
    )


def _hash(pinned: PinnedByHash) -> Markup:
    ends = "" if pinned.expires is None else f"{pinned.expires.isoformat()}, {pinned.days_left} days left"
    says = element(
        "p", "No signature was proved: the digest is pinned. That says what it is, not who made it."
    )
    return _link("Pinned by hash", says, facts([("reason", pinned.reason), ("until", ends)]))


def _artifact(line: Line, accepted: Accepted | AcceptedImage) -> Markup:
    size_shown = size(accepted.artifact.size) if isinstance(accepted, Accepted) else ""
    return _link(
        "File" if isinstance(accepted, Accepted) else "Image",
        facts(
            [
                ("name", line.subject),
                ("SHA-256", line.sha256),
                ("size", size_shown),
                ("source", line.source),
            ]
        ),
    )


def _statement(statement: ProvedStatement) -> Markup:
    signed = statement.signed
    about = facts(
        [
            ("type", statement.predicate_type),
            ("signed by", signed.claims.subjects[0]),
            ("log entry", f"{signed.log_index}, logged {_moment(signed.log_time)}"),
            ("evidence", f"{signed.label} ({signed.form.value})"),
        ]
    )
    pairs, more = first_of(statement.annotations, _MOST_PAIRS)
    said = facts(_provenance(statement.provenance)) if statement.provenance is not None else NOTHING
    title = element("summary", element("span", "verified", class_="good"), f" {_kind(statement)}")
    return element("details", title, about, said, _table(pairs), more, class_="statement")


def _kind(statement: ProvedStatement) -> str:
    if statement.predicate_type == ANNOTATIONS:
        return "annotations"
    if statement.predicate_type == COSIGN_SIGN:
        return "signature"
    return "provenance" if statement.provenance is not None else f"statement {statement.predicate_type}"


def _table(pairs: Sequence[tuple[str, str]]) -> Markup:
    rows = [element("tr", element("th", value(k), scope="row"), element("td", value(v))) for k, v in pairs]
    return element("table", *rows) if rows else NOTHING


def _provenance(built: Provenance) -> Iterator[tuple[str, str | None]]:
    """Yield what the certificate confirms, then what only the statement claims."""
    yield "repository", built.repository
    yield "commit", built.commit
    yield "ref", built.ref
    yield "trigger", built.trigger
    yield "config", built.config_path
    yield "builder (its host is confirmed)", built.builder_id
    yield f"invocation ({built.invocation.value})", built.invocation_id
    yield "started (claimed)", built.started_on
    yield "finished (claimed)", built.finished_on


def _bad_item(item: ItemRefusal, *, is_told: bool) -> Markup:
    fault = item.failure.fault
    why = NOTHING if is_told else compared(fault.expected, fault.found)
    return element("li", element("p", value(item.label), " ", element("code", fault.code)), why)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
