"""Measure safe-install and its neighbours, and say or write what was found."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[0:1] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from bench import bundles, installs, large, page, results, signing, small, tutorial, world  # noqa: E402

if TYPE_CHECKING:
    from bench.results import Row

SECTIONS = ("start", "verdicts", "bundles", "install", "large", "memory", "tutorial", "sign")
QUICK = ("start", "verdicts", "install", "large")


def main() -> None:
    """Measure what was asked for; write after each row, so that an interrupted run has not been in vain."""
    arguments = _parser().parse_args()
    # What was started and made is ended and removed then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = arguments.only if arguments.only is not None else list(QUICK if arguments.quick else SECTIONS)
    kept = arguments.write / "performance" / "results.json" if arguments.write is not None else None
    found = results.load(kept) if kept is not None else {}
    if wanted:
        found["machine"] = {"machine": results.machine()}
    for section in wanted:
        print(f"\n== {section}", flush=True)
        for name, row in _rows(section, arguments):
            found.setdefault(section, {})[name] = row
            print(results.table({name: row}), flush=True)
            if kept is not None:
                results.save(kept, found)
    if arguments.write is not None:
        page.write(arguments.write / "performance.md", found)


def _rows(section: str, arguments: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    repeat = arguments.repeat or (3 if arguments.quick else 5)
    few = min(repeat, 3)
    match section:
        case "start":
            yield from small.start(repeat=4 * repeat)
        case "verdicts":
            yield from small.verdicts(repeat=2 * repeat)
        case "bundles":
            yield from bundles.verdicts(repeat=2 * repeat)
        case "sign":
            if _there(signing.missing()):
                yield from signing.measure((1,) if arguments.quick else signing.COUNTS, repeat=few)
        case "tutorial":
            if _there(tutorial.missing()):
                with world.started() as made:
                    yield from tutorial.measure(made, repeat=few, packages=arguments.packages or 20)
        case _:
            with world.started() as made:
                yield from _from_registry(section, made, arguments, repeat)


def _from_registry(
    section: str, made: world.World, arguments: argparse.Namespace, repeat: int
) -> Iterator[tuple[str, Row]]:
    if section == "install":
        beside = installs.Beside(tools=tuple(arguments.beside), before=arguments.before)
        yield from installs.measure(made, _cases(arguments), repeat=repeat, beside=beside)
    elif section == "large":
        sizes = arguments.size or (["10 kB", "100 MB"] if arguments.quick else list(large.SIZES))
        yield from large.measure(made, tuple(sizes), repeat=min(repeat, 3))
    else:
        yield from large.memory(made)


def _cases(arguments: argparse.Namespace) -> tuple[installs.Case, ...]:
    """Return every case; or, as soon as something is said about one, that one."""
    names = ("packages", "milliseconds", "vault", "form")
    said = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return (installs.Case(**said),) if said else installs.axes(quick=arguments.quick)


def _there(missing: str) -> bool:
    if missing:
        print(f"not measured here: {missing} is missing (CONTRIBUTING.md says how the stack is built)")
    return not missing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="the base case and its next neighbours, in under five minutes")
    add(
        "--only",
        type=lambda text: _named(text, SECTIONS),
        help=f"sections, with commas: {','.join(SECTIONS)}; none to write the page from what was measured",
    )
    add("--repeat", type=int, help="how often each tool is measured; slow ones three times at most")
    add(
        "--write",
        type=Path,
        nargs="?",
        const=ROOT / "docs",
        metavar="DIR",
        help="merge into DIR/performance/results.json and write DIR/performance.md anew; docs by default",
    )
    one = parser.add_argument_group("one case of the section install")
    one.add_argument("--packages", type=int)
    one.add_argument("--delay", type=int, dest="milliseconds", help="the round trip in milliseconds")
    one.add_argument("--vault", choices=["cold", "warm", "offline"])
    one.add_argument("--form", choices=["bundle", "detached"])
    one.add_argument(
        "--beside",
        type=lambda text: _named(text, ("pip", "uv")),
        default=["pip", "uv"],
        help="what else is measured: pip,uv",
    )
    one.add_argument("--before", type=Path, help="another work tree, whose safe-install is measured too")
    add("--size", action="append", choices=list(large.SIZES), help="only this size of the section large")
    return parser


def _named(text: str, known: tuple[str, ...]) -> list[str]:
    words = [word for word in text.split(",") if word and word != "none"]
    if unknown := sorted(set(words) - set(known)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(known)}")
    return words


if __name__ == "__main__":
    main()
