"""``python scripts/bench``: measures, and says or writes what it found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import installs, world
from bench.results import table


def main() -> None:
    p = argparse.ArgumentParser(prog="bench", description=__doc__)
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--packages", type=int, default=20)
    p.add_argument("--delay", type=int, default=40)
    p.add_argument("--vault", default="cold")
    p.add_argument("--form", default="bundle")
    p.add_argument("--beside", default="pip,uv")
    p.add_argument("--before", type=Path)
    a = p.parse_args()
    case = installs.Case(packages=a.packages, milliseconds=a.delay, vault=a.vault, form=a.form)
    with world.started() as w:
        print(
            table(
                dict(
                    installs.measure(
                        w, (case,), repeat=a.repeat, beside=tuple(a.beside.split(",")), before=a.before
                    )
                )
            )
        )


main()
