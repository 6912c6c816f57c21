"""pip: it installs into the environment of the Python that runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pip_warden.installer.gate_port import HOST, INDEX_URL
from pip_warden.tools.around import Around, index_variables, passed_on
from pip_warden.tools.command_line import given_on
from pip_warden.tools.interpreter import named_prefix, own_prefix
from pip_warden.tools.model import Tool
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles, of_metadata, of_project
from pip_warden.tools.words import Grammar, Means, table

PIP = Grammar(
    valued=table(
        index="--index-url -i --pypi-url --extra-index-url",
        links="--find-links -f",
        file_of_requirements="--requirement -r --constraint -c --build-constraint",
        script="--requirements-from-script",
        reference="--editable -e",
        past_the_gate="--proxy --cache-dir",
        trust="--cert --client-cert --trusted-host --keyring-provider",
        python="--python",
        target="--target -t --prefix --root",
        output="--output -o",
        group="--group",
        nothing="--platform --python-version --implementation --abi --upgrade-strategy --config-settings -C "
        "--progress-bar --root-user-action --all-releases --only-final --no-binary --only-binary "
        "--uploaded-prior-to --report --timeout --default-timeout --retries --refresh-package "
        "--src --source --source-dir --source-directory --dest --destination-dir --destination-directory -d "
        "--resume-retries --exists-action --log --log-file --local-log --use-feature --use-deprecated "
        "--wheel-dir -w --format --path --exclude",
    ),
    flags=table(
        user="--user",
        past_the_gate="--no-proxy-env",
        # Each begins as one that takes a value does.
        nothing="--pre --upgrade --local",
    ),
    groups=frozenset({"cache", "config", "index"}),
    abbreviates=True,
)

INDEXES = frozenset({"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"})
_HARMLESS = (
    "PIP_REQUIRE_VIRTUALENV PIP_BREAK_SYSTEM_PACKAGES PIP_NO_COMPILE PIP_NO_BINARY PIP_ONLY_BINARY "
    "PIP_PREFER_BINARY PIP_REQUIRE_HASHES PIP_PRE PIP_PROGRESS_BAR PIP_QUIET PIP_VERBOSE "
    "PIP_ROOT_USER_ACTION PIP_UPGRADE_STRATEGY PIP_NO_WARN_SCRIPT_LOCATION PIP_UPLOADED_PRIOR_TO"
)
_REQUIRES = frozenset({"install", "download", "wheel", "lock"})


def pip_environment(around: Around) -> dict[str, str]:
    """Return what every pip is given: nobody's configuration, a cache of the run's own, no questions."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_CACHE_DIR": around.own("pip-cache"),
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_KEYRING_PROVIDER": "disabled",
        "PIP_TIMEOUT": "1800",
        "PIP_RETRIES": "0",
    }


RESERVED_FOR_PIP = {"PIP_INDEX_URL": INDEX_URL, "PIP_TRUSTED_HOST": HOST}


def pip_tool(around: Around) -> Tool:
    """Say what is known of a call of pip."""
    call = around.call
    # The reserved index would be written into a lock, which then fits no other machine.
    is_lock = call.command == ("lock",)
    indexes, said = index_variables(around, INDEXES, wanted=is_lock)
    return tool_of_findings(
        name=call.name,
        environment={
            **passed_on(around.environ, _HARMLESS),
            **pip_environment(around),
            **(indexes if is_lock else RESERVED_FOR_PIP),
            "PYTHONUSERBASE": str(_user_base(around)),
        },
        environments=_environments(around),
        locks=(around.within(call.last(Means.OUTPUT) or "pylock.toml"),) if is_lock else (),
        found=(*said, *_found(around)),
    )


def _found(around: Around) -> Iterator[Found]:
    call = around.call
    bounds = Bounds(root=around.directory, pinned=around.pinned)
    files = RequirementsFiles(bounds=bounds)
    is_installing = bool(_REQUIRES.intersection(call.command))
    words = call.words if is_installing else ()
    found = list(given_on(around, bounds, files, words))
    for script in call.values(Means.SCRIPT):
        found += of_metadata(around.within(script), bounds)
    start = [item for item in found if isinstance(item, Path)]
    yield from (item for item in found if not isinstance(item, Path))
    yield from of_project(start, bounds)
    yield from start


def _user_base(around: Around) -> Path:
    return around.given("PYTHONUSERBASE", around.home() / ".local")


def _environments(around: Around) -> tuple[Path, ...]:
    call = around.call
    if targets := call.values(Means.TARGET):
        return tuple(map(around.within, targets))
    if call.values(Means.USER):
        return (_user_base(around),)
    if python := call.last(Means.PYTHON):
        prefix = named_prefix(python, around)
    else:
        prefix = own_prefix(call.executable, around.environ, around.directory, is_python=call.is_module)
    if prefix is None:
        return ()
    # pip falls back to the user's own directory where it may not write.
    is_writable = os.access(prefix, os.W_OK)
    return (prefix,) if is_writable else (prefix, _user_base(around))
