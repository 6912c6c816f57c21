"""A project that any PEP 517 front end builds without an index: its build backend lies in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME, VERSION = "acme-bolts", "1.0"

_PYPROJECT = f"""[project]
name = "{NAME}"
version = "{VERSION}"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

_BACKEND = f'''"""Builds the wheel of this directory, the same bytes each time (PEP 517)."""

import base64
import hashlib
import zipfile

NAME, VERSION = "acme_bolts", "{VERSION}"
INFO = f"{{NAME}}-{{VERSION}}.dist-info"
WHEEL = b"Wheel-Version: 1.0\\nGenerator: sandbox\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {{
        f"{{NAME}}.py": open(f"{{NAME}}.py", "rb").read(),
        f"{{INFO}}/METADATA": f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {{VERSION}}\\n".encode(),
        f"{{INFO}}/WHEEL": WHEEL,
    }}
    record = "".join(f"{{name}},sha256={{_digest(data)}},{{len(data)}}\\n" for name, data in files.items())
    files[f"{{INFO}}/RECORD"] = f"{{record}}{{INFO}}/RECORD,,\\n".encode()
    wheel = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(f"{{wheel_directory}}/{{wheel}}", "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return wheel


def _digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
'''


def write_source(directory: Path) -> Path:
    """Write the project and return its directory, which is called like it."""
    place = directory / NAME
    place.mkdir(parents=True, exist_ok=True)
    texts = {"pyproject.toml": _PYPROJECT, "backend.py": _BACKEND, "acme_bolts.py": 'SIZES = ("M3", "M4")\n'}
    for name, text in texts.items():
        (place / name).write_text(text, encoding="utf-8")
    return place
