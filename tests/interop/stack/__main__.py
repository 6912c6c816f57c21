"""``python -m interop.stack up | down | status``: a real Sigstore on this machine's loopback."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys

from interop.stack import install, keys, places
from interop.stack.services import services
from interop.stack.supervisor import StackError, log_of, pid_of, start, stop


def main() -> int:
    """Run one command."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started jobs are ended
    try:
        return {"install": _install, "up": _up, "down": _down, "status": _status}[arguments.command](
            arguments
        )
    except (StackError, install.MissingError) as err:
        print(f"stack: {err}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    names = [service.name for service in services()]
    commands.add_parser("install", help="build and install every foreign program, once")
    for command, words in (("up", "start what does not run"), ("down", "end what runs")):
        sub = commands.add_parser(command, help=words)
        sub.add_argument(
            "names", nargs="*", metavar="NAME", help=f"only these of {', '.join(names)}", choices=[*names, []]
        )
    commands.choices["down"].add_argument(
        "--forget", action="store_true", help="keys, logs and databases too"
    )
    commands.add_parser("status", help="say what runs; fails unless everything does")
    return parser


def _install(_: argparse.Namespace) -> int:
    install.install()
    return 0


def _up(arguments: argparse.Namespace) -> int:
    install.install()
    keys.make(places.STATE)
    for service in services():
        if not arguments.names or service.name in arguments.names:
            print(f"{service.name:16}", end="", flush=True)  # the one being waited for
            print("started" if start(service) else "runs already", flush=True)
    return 0


def _down(arguments: argparse.Namespace) -> int:
    for service in reversed(services()):
        if not arguments.names or service.name in arguments.names:
            print(f"{service.name:16}{'ended' if stop(service.name) else 'did not run'}", flush=True)
    if arguments.forget:
        shutil.rmtree(places.STATE, ignore_errors=True)
    return 0


def _status(_: argparse.Namespace) -> int:
    good = True
    for service in services():
        pid = pid_of(service.name)
        answers = pid is not None and service.ready()
        good = good and answers
        said = f"pid {pid}" if answers else f"pid {pid}, does not answer" if pid else "does not run"
        print(f"{service.name:16}{said:32}{log_of(service.name)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
