"""Writes `tests/data/stack`: the products of today's clients at the real servers, for the ordinary tests.

Run it by `python -m interop.capture`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from interop import clients
from interop.clients import Bench
from interop.stack import services, supervisor
from interop.stack.places import TRUST, Port
from pip_warden.sandbox import Sandbox

TARGET = Path(__file__).parent.parent / "data" / "stack"


def capture() -> None:
    """Sign one wheel in every way that the data needs; both logs begin empty: cosign's entries are first."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    supervisor.stop("gitlab")
    with Sandbox(ports={"gitlab": Port.GITLAB.value}) as gitlab, tempfile.TemporaryDirectory() as home:
        bench = Bench.of(gitlab, Path(home))
        (TARGET / bench.file).write_bytes(bench.artifact.read_bytes())
        (TARGET / "trusted_root.json").write_bytes((TRUST / "trusted_root.json").read_bytes())
        for name, version in (("v1", "fresh-v1"), ("v2", "fresh-v2")):
            supervisor.stop(version)
            services.forget(version)
            supervisor.start(services.fresh(version))
            for kind, produce in (
                ("cosign-first", clients.cosign_sign),
                ("cosign-attest", clients.cosign_attest),
                ("sigstore-python", clients.python_sign),
                ("pip-warden-attest", clients.warden_attest),
            ):
                bundle = produce(bench, version).bundle
                assert bundle is not None
                (TARGET / f"{name}.{kind}.sigstore.json").write_bytes(bundle.read_bytes())
            supervisor.stop(version)


if __name__ == "__main__":
    capture()
