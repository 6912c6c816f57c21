"""Judge a local file with the library: the same verdict as from every command.

python judge_a_file.py dist/acme_widgets-1.0-py3-none-any.whl
"""

import sys
import tempfile
from pathlib import Path

from pip_warden.artifact.receive import copy_local
from pip_warden.evidence.locate import locate, refuse_lookup
from pip_warden.evidence.siblings import Siblings
from pip_warden.report.model import signer_of
from pip_warden.trust.file import load
from pip_warden.trust.roots import PinnedRoots
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted, Refused


def main(path: Path) -> int:
    """Print who signed the file, or why it is refused."""
    trust = load(Path("pytrust.toml"), check_owner=True)
    with tempfile.TemporaryDirectory() as workspace:
        artifact = copy_local(path, Path(workspace))
        evidence = locate(path.name, artifact.digest, [Siblings(path.parent)], refuse_lookup)
        verdict = judge(artifact, evidence, trust=trust, roots=PinnedRoots(trust.roots))
    match verdict:
        case Accepted() as accepted:
            print(f"accepted: {signer_of(accepted)}")
            return 0
        case Refused(fault=why):
            print(f"refused [{why.code}]: expected {why.expected}, found {why.found}")
            return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
