"""Judge a local file: the same verdict that every command gets. The files next to it are its evidence.

python judge_a_file.py dist/acme_widgets-1.0-py3-none-any.whl
"""

import sys

import pip_warden

match pip_warden.judge_file(sys.argv[1]):
    case pip_warden.Accepted() as accepted:
        print(f"accepted: {accepted.signer}")
    case pip_warden.Refused(fault=why):
        sys.exit(f"refused [{why.code}]: expected {why.expected}, found {why.found}")
