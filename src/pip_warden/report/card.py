"""What became of one file or image, as a part of the HTML page that can be opened and closed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pip_warden.errors import TrustFileError, WardenError
from pip_warden.explain import Explanation
from pip_warden.report.chain import bad_evidence, chain, statements
from pip_warden.report.difference import compared
from pip_warden.report.markup import NOTHING, Content, Markup, element, facts, first_of, joined, prose, value
from pip_warden.report.model import BAD, Line, Place
from pip_warden.report.summary import MARKS
from pip_warden.trust.model import RootPin
from pip_warden.verdict.model import Accepted, AcceptedImage, Passed, Refused, Step

Codes = Mapping[str, Explanation]
"""What each code means."""

_MOST_FAULTS = 100
_NO_ROOTS: Mapping[str, RootPin] = MappingProxyType({})


def card(
    line: Line, name: str, codes: Codes, place: Place | None = None, roots: Mapping[str, RootPin] = _NO_ROOTS
) -> Markup:
    """Show a line of a report; what was refused or could not be decided is open from the beginning.

    Args:
        line: The line.
        name: What the element is called, for links within the page.
        codes: What codes mean.
        place: Where it was asked for; None where that is not known.
        roots: The trusted roots by name, as far as they are known.
    """
    sign, role = MARKS[line.outcome]
    head = element(
        "summary",
        element("h3", element("span", sign, class_=role, aria_hidden="true"), " ", value(line.subject)),
        element("span", line.outcome.value, class_=f"outcome {role}"),
        _in_short(line),
    )
    opened = {"open": ""} if line.outcome in BAD else {}
    return element(
        "details", head, _body(line, codes, place, roots), id=name, class_=f"card {role}", **opened
    )


def error_card(error: WardenError, codes: Codes) -> Markup:
    """Show the error that ended a run.

    Args:
        error: The error.
        codes: What codes mean.
    """
    faults, more = first_of(error.faults if isinstance(error, TrustFileError) else (), _MOST_FAULTS)
    rows = [element("li", value(path), ": ", message) for path, message in faults]
    return element(
        "div",
        element("p", element("code", error.code), " ", error.message),
        element("ul", *rows) if rows else NOTHING,
        more,
        _hint(error.hint),
        _meaning(error.code, codes),
        class_="card bad error",
    )


def _in_short(line: Line) -> Markup:
    if line.code:
        return element("code", line.code)
    if isinstance(line.verdict, Accepted | AcceptedImage):
        return element("span", value(line.verdict.signer), class_="signer")
    return NOTHING


def _body(line: Line, codes: Codes, place: Place | None, roots: Mapping[str, RootPin]) -> Markup:
    parts: list[Content] = [element("p", line.note)] if line.note else []
    if place is not None:
        parts.append(facts([("asked for in", f"{place.path}, line {place.line}")]))
    match line.verdict:
        case Accepted() | AcceptedImage() as accepted:
            parts += [chain(line, accepted, roots), statements(accepted)]
            parts += [bad_evidence(accepted.bad_items, "Evidence that is not used")]
            parts += [_steps(accepted.passed, None)]
        case Refused() as refused:
            parts += [_why(refused, codes), _bytes(line)]
            parts += [
                bad_evidence(refused.bad_items, "Evidence", told=refused.fault),
                _steps(refused.passed, refused.step),
            ]
        case None:
            parts += [_bytes(line)]
    if (error := line.unjudged) is not None:
        parts += [element("p", error.message), _hint(error.hint), _meaning(error.code, codes)]
    return element("div", *parts, class_="body")


def _why(refused: Refused, codes: Codes) -> Markup:
    fault = refused.fault
    step = f"step {int(refused.step)}, {refused.step.name.lower()}"
    meant = element("p", "Did you mean ", element("strong", ", or ".join(fault.meant)), "?")
    return joined(
        (
            element("p", "Refused at ", element("strong", step), "."),
            meant if fault.meant else NOTHING,
            compared(fault.expected, fault.found),
            _hint(fault.hint),
            _meaning(refused.code, codes),
        )
    )


def _bytes(line: Line) -> Markup:
    return facts([("SHA-256", line.sha256), ("source", line.source)])


def _hint(hint: str) -> Markup:
    return element("p", element("strong", "What to do: "), prose(hint), class_="hint") if hint else NOTHING


def _meaning(code: str, codes: Codes) -> Markup:
    if code not in codes:
        return NOTHING
    known = codes[code]
    title = element("summary", "What ", element("code", code), " means")
    texts = (element("p", prose(" ".join(text.split()))) for text in (known.meaning, known.remedy))
    return element("details", title, element("p", element("strong", known.title)), *texts, class_="meaning")


def _steps(passed: tuple[Passed, ...], failed: Step | None) -> Markup:
    """List the steps of the verdict, and what each came to; nothing where none of it is known.

    A refusal knows what was checked of the file itself: its evidence tells of itself.
    """
    if not passed:
        return NOTHING
    found = {step: [each.found for each in passed if each.step is step] for step in Step}
    rows = [
        _step(step, said, failed) for step, said in found.items() if said or failed is None or step >= failed
    ]
    title = element("summary", "The steps of the verdict")
    return element("details", title, element("ol", *rows, class_="steps"))


def _step(step: Step, found: list[str], failed: Step | None) -> Markup:
    if failed is not None and step >= failed:
        state, role = ("failed", "bad") if step is failed else ("not reached", "quiet")
    else:
        state, role = ("passed", "good") if found else ("nothing to check", "quiet")
    said = element("ul", *(element("li", value(each)) for each in found)) if found else NOTHING
    how = element("span", state, class_=role)
    return element("li", step.name.lower(), ": ", how, said, value=str(int(step)))
