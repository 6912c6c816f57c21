"""Step 6 for bundles: read strictly into one form."""

from __future__ import annotations

from pip_warden._sigstore.wire import WireBundle
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE, parse_bundle
from pip_warden.display import escape_text
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.strict_json import MalformedError

_SHOWN = 80
_REDIRECTS = (
    "this resource has been moved",
    "<a href=",
    "<html><body>you are being <a href=",
    "moved permanently",
    "found. redirecting",
)
_PAGES = ("<!doctype", "<html", "<?xml", "<head")


def read_bundle(label: str, raw: bytes, form: EvidenceForm = EvidenceForm.BUNDLE) -> Item | BadItem:
    """Read a Sigstore bundle of version 0.1, 0.2 or 0.3.

    Args:
        label: Where it came from, for people.
        raw: The bytes of the file.
        form: ``bundle`` or ``dsse-bundle``; the latter must hold a DSSE envelope.
    """
    fault = what_it_is_instead(raw, "a Sigstore bundle")
    if fault is not None:
        return BadItem(label=label, form=form, fault=fault)
    try:
        wire = parse_bundle(raw)
        if form is EvidenceForm.DSSE_BUNDLE and wire.envelope is None:
            raise MalformedError("a message signature, where an attestation belongs")
    except MalformedError as err:
        return bad_item(label, form, err, code="bad-bundle", expected="a Sigstore bundle (0.1, 0.2 or 0.3)")
    return item_of(label, form, wire)


def item_of(label: str, form: EvidenceForm, wire: WireBundle) -> Item | BadItem:
    """Return the item of a strictly read bundle; of any form, it must not be larger than a bundle may be."""
    # Written as JSON only where that could be too large.
    size = len(wire.to_json()) if wire.weight > LARGEST_BUNDLE // 4 else 0
    if size > LARGEST_BUNDLE:
        return BadItem(label=label, form=form, fault=_too_large("evidence", LARGEST_BUNDLE, size))
    return Item(label=label, form=form, wire=wire)


def _too_large(expected: str, largest: int, size: int) -> Fault:
    return Fault(
        code="evidence-too-large",
        expected=f"{expected} of at most {largest} bytes",
        found=f"{size} bytes",
    )


def bad_item(label: str, form: EvidenceForm, err: MalformedError, *, code: str, expected: str) -> BadItem:
    """Return the bad item for a strict reader's error."""
    return BadItem(
        label=label, form=form, fault=Fault(code=err.code or code, expected=expected, found=str(err))
    )


def what_it_is_instead(raw: bytes, expected: str, *, largest: int = LARGEST_BUNDLE) -> Fault | None:
    """Recognise what is often saved instead of evidence: nothing, a web page, the text of a redirect.

    Args:
        raw: The bytes of the file.
        expected: What it should be, for people.
        largest: The longest accepted, in bytes.
    """
    if len(raw) > largest:
        return _too_large(expected, largest, len(raw))
    text = raw[:512].decode("utf-8", errors="replace").strip()
    if not text:
        return Fault(
            code="empty-evidence",
            expected=expected,
            found="an empty file",
            hint="The upload or download of the evidence failed. Ask the publisher to upload it again.",
        )
    return _page_instead(text, expected)


def _page_instead(text: str, expected: str) -> Fault | None:
    """Recognise a web server's page or redirect instead of a file."""
    lowered = text.lower()
    if lowered.startswith(_REDIRECTS):
        return Fault(
            code="evidence-is-redirect-text",
            expected=expected,
            found=f"the text of an HTTP redirect: {escape_text(text, _SHOWN)}",
            hint="It was saved without following the redirect (`curl` needs `--location`). Fetch it again.",
        )
    if lowered.startswith(_PAGES):
        return Fault(
            code="evidence-is-web-page",
            expected=expected,
            found=f"a web page: {escape_text(text, _SHOWN)}",
            hint="It is probably a sign-in or error page, saved instead of the evidence. "
            "Fetch it again with credentials.",
        )
    return None
