"""hatch: its environments lie in the user's data directory, by a project's name and place."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from pip_warden.tools.around import Around
from pip_warden.tools.documents import Document, below, read_toml, texts
from pip_warden.tools.interpreter import own_prefix
from pip_warden.tools.model import Tool
from pip_warden.tools.private import user_setting, written
from pip_warden.tools.projects import project_root
from pip_warden.tools.sessions import session_tool
from pip_warden.tools.words import Grammar, Means, table

HATCH = Grammar(
    valued=table(
        past_the_gate="--config --cache-dir",
        target="--data-dir",
        nothing="--env -e --project -p --include -i --exclude -x --filter -f --target -t --hooks-only",
    ),
    flags={},
    groups=frozenset({"env", "dep", "config", "python", "self", "project"}),
    runs=frozenset({("run",), ("test",)}),
)


def hatch_tool(around: Around) -> Tool:
    """Say what is known of a call of hatch."""
    root = project_root(around, None)
    given = around.call.last(Means.TARGET)
    data = around.within(given) if given else around.given("HATCH_DATA_DIR", around.data("hatch"))
    own = _own_directory(around)
    extra = {
        "HATCH_DATA_DIR": str(data),
        "HATCH_CACHE_DIR": around.own("hatch-cache"),
        # There must be such a file.
        "HATCH_CONFIG": str(
            written(around, "hatch.toml", {"dirs": {"env": {"virtual": own}}} if own else {})
        ),
    }
    # Its plugins are installed where it is installed itself.
    plugins = own_prefix(
        around.call.executable, around.environ, around.directory, is_python=around.call.is_module
    )
    environments = (*_environments(root, data, own), *filter(None, [plugins]))
    return session_tool(around, root, extra, environments)


def _environments(root: Path, data: Path, own: str) -> Iterator[Path]:
    at = root / Path(own).expanduser() if own else data / "env" / "virtual"
    digest = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).digest()
    place = urlsafe_b64encode(digest).decode()[:8]
    yield at
    for named in (*_children(at), at / _project_name(root)):
        yield named / place
    yield from _children(data / "env" / ".internal")


def _own_directory(around: Around) -> str:
    """Return the directory of environments that the user's configuration of hatch names."""
    users = around.given("HATCH_CONFIG", around.config("hatch", "config.toml"))
    found = user_setting(users, "dirs", "env", "virtual")
    return found if isinstance(found, str) else ""


def _project_name(root: Path) -> str:
    document = read_toml(root / "pyproject.toml")
    name = below(document.table, "project", "name") if isinstance(document, Document) else None
    plain = next(texts(name), root.name)
    return re.sub(r"[-_.]+", "-", plain).lower().replace("/", "-") or "-"


def _children(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_dir())
    except OSError:
        return []
