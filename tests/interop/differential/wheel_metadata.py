"""Oddities of a wheel's metadata: METADATA and WHEEL."""

from __future__ import annotations

import random

from interop.differential.mutants import Operators
from interop.differential.wheel_bases import Wheel

OPERATORS = Operators[Wheel]()

_REQUIREMENTS = {
    "plain": "dep-c",
    "extra-empty": "dep-c ; extra == ''",
    "extra-not-empty": "dep-c ; extra != ''",
    "extra-unknown": "dep-c ; extra == 'nobody'",
    "extra-not": "dep-c ; extra != 'x'",
    "extra-in": "dep-c ; extra in 'x y'",
    "extra-not-in": "dep-c ; extra not in 'x'",
    "extra-reversed": "dep-c ; 'x' == extra",
    "extra-upper": "dep-c ; extra == 'X'",
    "extra-underscore": "dep-c ; extra == 'y_z'",
    "extra-less": "dep-c ; extra < 'y'",
    "extra-greater": "dep-c ; extra >= ''",
    "extra-two": "dep-c ; extra == 'x' and extra == 'y-z'",
    "extra-either": "dep-c ; extra == 'x' or extra == 'y-z'",
    "extra-space": "dep-c ; extra == ' x '",
    "extra-arbitrary": "dep-c ; extra === 'x'",
    "extra-compatible": "dep-c ; extra ~= '1.0'",
    "extra-number": "dep-c ; extra == '1'",
    "extra-version": "dep-c ; extra >= '1'",
    "extras-in": "dep-c ; 'x' in extras",
    "groups-in": "dep-c ; 'x' in dependency_groups",
    "extras-equal": "dep-c ; extras == 'x'",
    "constant-true": "dep-c ; 'a' == 'a'",
    "constant-false": "dep-c ; 'a' == 'b'",
    "constant-in": "dep-c ; 'a' in 'abc'",
    "two-variables": "dep-c ; os_name == sys_platform",
    "same-variable": "dep-c ; os_name == os_name",
    "os-compatible": "dep-c ; os_name ~= 'posix'",
    "os-less": "dep-c ; os_name < 'q'",
    "os-greater": "dep-c ; os_name >= 'posix'",
    "os-arbitrary": "dep-c ; os_name === 'posix'",
    "os-in": "dep-c ; os_name in 'posix nt'",
    "os-in-reversed": "dep-c ; 'pos' in os_name",
    "os-not-in": "dep-c ; os_name not in 'nt'",
    "os-case": "dep-c ; os_name == 'POSIX'",
    "platform-in": "dep-c ; 'linux' in sys_platform",
    "platform-legacy": "dep-c ; sys.platform == 'linux'",
    "os-legacy": "dep-c ; os.name == 'posix'",
    "implementation-legacy": "dep-c ; python_implementation == 'CPython'",
    "machine": "dep-c ; platform_machine != ''",
    "machine-legacy": "dep-c ; platform.machine != ''",
    "version-equal": "dep-c ; python_version == '3.11'",
    "version-wild": "dep-c ; python_version == '3.*'",
    "version-compatible-patch": "dep-c ; python_version ~= '3.11.2'",
    "version-compatible-zero": "dep-c ; python_version ~= '3.11.0'",
    "version-less-patch": "dep-c ; python_version <= '3.11.0'",
    "version-equal-patch": "dep-c ; python_version == '3.11.7'",
    "version-not-patch": "dep-c ; python_version != '3.11.0'",
    "version-wild-deep": "dep-c ; python_version == '3.11.*'",
    "version-wild-patch": "dep-c ; python_version == '3.11.0.*'",
    "version-long": "dep-c ; python_version >= '3.11.0.0.0'",
    "version-pre-equal": "dep-c ; python_version == '3.11rc1'",
    "version-pre-not": "dep-c ; python_version != '3.11rc1'",
    "version-major": "dep-c ; python_version > '3'",
    "full-wild": "dep-c ; python_full_version == '3.11.*'",
    "full-compatible": "dep-c ; python_full_version ~= '3.11'",
    "full-greater": "dep-c ; python_full_version > '3.11'",
    "full-pre": "dep-c ; python_full_version >= '3.11.0rc1'",
    "full-less-pre": "dep-c ; python_full_version < '99.0rc1'",
    "full-reversed": "dep-c ; '3.11' > python_full_version",
    "implementation-wild": "dep-c ; implementation_version == '3.*'",
    "implementation-reversed": "dep-c ; '3' < implementation_version",
    "release-order-text": "dep-c ; platform_release > '1.0-generic'",
    "release-order-zero": "dep-c ; platform_release >= '0'",
    "platform-version-order": "dep-c ; platform_version >= '0'",
    "machine-in": "dep-c ; platform_machine in 'x86_64 aarch64 AMD64'",
    "linux2": "dep-c ; sys_platform == 'linux2'",
    "linux2-in": "dep-c ; sys_platform in 'linux linux2'",
    "impossible": "dep-c ; sys_platform == 'win32' and os_name == 'posix'",
    "always": "dep-c ; sys_platform != 'win32' or os_name == 'nt'",
    "system-lower": "dep-c ; platform_system == 'linux'",
    "text-empty": "dep-c ; os_name == ''",
    "text-empty-in": "dep-c ; '' in os_name",
    "text-in-empty": "dep-c ; os_name in ''",
    "text-spaces": "dep-c ; os_name in 'nt  posix '",
    "text-space": "dep-c ; os_name == 'posix '",
    "text-double-quote": "dep-c ; os_name != 'a\"b'",
    "text-unicode": "dep-c ; os_name != '\xe9'",
    "extra-both-in": "dep-c ; extra == 'x' and os_name in 'posix'",
    "extra-dots": "dep-c ; extra == 'y.z'",
    "extra-undeclared-or": "dep-c ; extra == 'nobody' or os_name == 'posix'",
    "self-direct": "acme-widgets >= 1.0",
    "self-conflict": "acme-widgets >= 2.0",
    "blank-line": "dep-c\n   ",
    "trailing-space": "dep-c   ",
    "marker-blank-line": "dep-c ; extra == 'x'\n  ",
    "encoded-marker": "dep-c ; os_name == '=?utf-8?q?posix?='",
    "encoded-not": "dep-c ; os_name != '=?utf-8?q?posix?='",
    "encoded-name": "=?utf-8?q?dep-c?=",
    "encoded-version": "dep-c =?utf-8?q?>=3D9?=",
    "encoded-comment": "dep-c ; platform_machine != ' =?utf-8?b?eA==?= '",
    "version-compatible": "dep-c ; python_version ~= '3.8'",
    "version-not-wild": "dep-c ; python_version != '2.*'",
    "version-arbitrary": "dep-c ; python_version === '3.11'",
    "version-in": "dep-c ; python_version in '3.10 3.11 3.12'",
    "version-in-commas": "dep-c ; python_version in '3.10,3.11'",
    "version-not-in": "dep-c ; python_version not in '2.7, 3.5'",
    "version-in-reversed": "dep-c ; '3' in python_version",
    "version-patch": "dep-c ; python_version >= '3.11.5'",
    "version-patch-greater": "dep-c ; python_version > '3.11.0'",
    "version-patch-equal": "dep-c ; python_version == '3.11.0'",
    "version-text": "dep-c ; python_version >= 'three'",
    "version-text-equal": "dep-c ; python_version == 'three'",
    "version-empty": "dep-c ; python_version == ''",
    "version-local": "dep-c ; python_version >= '3.8+local'",
    "version-greater-wild": "dep-c ; python_version >= '3.*'",
    "version-pre": "dep-c ; python_version >= '3.11rc1'",
    "version-pre-less": "dep-c ; python_version < '3.11rc1'",
    "version-v": "dep-c ; python_version >= 'v3.8'",
    "version-space": "dep-c ; python_version >= ' 3.8'",
    "version-star": "dep-c ; python_version > '*'",
    "version-reversed": "dep-c ; '3.8' <= python_version",
    "version-reversed-compatible": "dep-c ; '3.8' ~= python_version",
    "version-epoch": "dep-c ; python_version >= '0!3.8'",
    "version-huge": "dep-c ; python_version < '99999999999999999999'",
    "version-zeros": "dep-c ; python_version == '3.011'",
    "version-less-text": "dep-c ; python_version < '3.9.dev1'",
    "version-not-equal-text": "dep-c ; python_version != 'abc'",
    "version-dev-equal": "dep-c ; python_version == '3.11.dev0'",
    "full": "dep-c ; python_full_version >= '3.8.0'",
    "full-in": "dep-c ; python_full_version in '3.11.2 3.11.7'",
    "full-text": "dep-c ; python_full_version >= 'x'",
    "implementation": "dep-c ; implementation_version >= '3.8'",
    "implementation-name": "dep-c ; implementation_name == 'cpython'",
    "release": "dep-c ; platform_release >= '1'",
    "release-text": "dep-c ; platform_release >= 'a'",
    "release-in": "dep-c ; '1' in platform_release",
    "release-equal": "dep-c ; platform_release != '1'",
    "platform-version": "dep-c ; platform_version >= '1'",
    "platform-version-in": "dep-c ; 'SMP' in platform_version",
    "platform-version-less": "dep-c ; platform_version < '99'",
    "parentheses": "dep-c ; (os_name == 'posix')",
    "parentheses-many": "dep-c ; ((os_name == 'posix') and (extra == 'x'))",
    "precedence": "dep-c ; extra == 'x' or os_name == 'nt' and os_name == 'posix'",
    "precedence-2": "dep-c ; os_name == 'posix' or os_name == 'nt' and extra == 'x'",
    "no-spaces": "dep-c;os_name=='posix'",
    "quotes": 'dep-c ; os_name == "posix"',
    "quote-inside": 'dep-c ; os_name != "it\'s"',
    "unknown-variable": "dep-c ; nobody == 'x'",
    "word-operators": "dep-c ; os_name=='posix'and extra=='x'",
    "not-operator": "dep-c ; not os_name == 'nt'",
    "newline-marker": "dep-c ;\n os_name == 'posix'",
    "single-equals": "dep-c ; os_name = 'posix'",
    "case-variable": "dep-c ; OS_NAME == 'posix'",
    "upper-name": "DEP-C",
    "underscore": "dep_c",
    "dots": "dep.c",
    "dashes": "dep--c",
    "brackets": "dep-c (>=1)",
    "brackets-empty": "dep-c ()",
    "brackets-bare": "dep-c (1.0)",
    "brackets-space": "dep-c ( >=1 , <3 )",
    "no-operator": "dep-c 1.0",
    "extras-empty": "dep-c[]",
    "extras-two": "dep-c[q,r]",
    "extras-same": "dep-c[q,q]",
    "extras-star": "dep-c[*]",
    "extras-space": "dep-c [ q , r ] >=1",
    "arbitrary": "dep-c === 1.0",
    "arbitrary-text": "dep-c === 1.0-x",
    "arbitrary-case": "dep-c === 1.0.0",
    "wild": "dep-c == 1.*",
    "wild-greater": "dep-c >= 1.*",
    "wild-compatible": "dep-c ~= 1.*",
    "compatible-short": "dep-c ~= 1",
    "comma-end": "dep-c >=1,",
    "comma-start": "dep-c ,>=1",
    "comma-twice": "dep-c >=1,,<3",
    "spaces": "dep-c   >=  1 ,  < 3",
    "v": "dep-c >= v1.0",
    "pre": "dep-c >= 1.0a1",
    "local": "dep-c == 1.0+local",
    "post": "dep-c > 1.0.post1",
    "less-pre": "dep-c < 2.0rc1",
    "greater-dev": "dep-c >= 2.0.dev1",
    "exclusive": "dep-c > 1.0",
    "not": "dep-c != 1.0",
    "epoch": "dep-c < 1!0",
    "zeros": "dep-c == 1.0.0.0",
    "conflict": "dep-c >2,<1",
    "twice": "dep-c\nRequires-Dist: dep-c >= 1",
    "same-line": "dep-c, dep-d",
    "self": "acme-widgets",
    "self-extra": "acme-widgets[x] ; extra == 'z'",
    "semicolon-only": "dep-c ;",
    "comment": "dep-c # comment",
    "comment-marker": "dep-c ; os_name == 'posix' # comment",
    "marker-only-space": "dep-c ; ",
    "tab": "dep-c\t;\tos_name == 'posix'",
    "empty": "",
    "star": "dep-c *",
    "url": "dep-c @ https://evil.example/x.whl",
    "url-no-space": "dep-c@https://evil.example/x.whl",
    "path": "dep-c @ ./x.whl",
    "url-bare": "https://evil.example/x.whl",
    "egg": "dep-c#egg=x",
    "unicode": "d\xe9p-c",
    "non-breaking": "dep-c\xa0>=1",
    "non-breaking-marker": "dep-c ;\xa0os_name == 'posix'",
    "nel": "dep-c\x85",
    "vertical": "dep-c\x0b",
    "hash": "dep-c --hash=sha256:00",
    "backslash": "dep-c \\",
    "trailing-dot": "dep-c.",
    "number": "7",
    "dash": "-dep-c",
    "ampersand": "dep-c>=1&&<2",
    "tilde": "dep-c ~= 1.0",
    "operators": "dep-c >==1",
    "unicode-digit": "dep-c >= \u0661",
    "unicode-version": "dep-c ; python_version >= '\u0663.8'",
    "long": "dep-c >= 1" + "0" * 30,
    "kelvin": "dep-\u212a",
}


def _require(wheel: Wheel, text: str) -> None:
    wheel.headers(f"Requires-Dist: {text}")


OPERATORS.table("requires", "choosy", _require, _REQUIREMENTS)
OPERATORS.table("requires-undeclared", "pure", _require, {"extra": "dep-c ; extra == 'x'"})

_HEADERS = {
    "summary-twice": "Summary: one\nSummary: two",
    "name-twice": "Name: other",
    "version-twice": "Version: 2.0",
    "version-metadata-twice": "Metadata-Version: 2.4",
    "folded": "Keywords: one\n two\n  three",
    "folded-requires": "Requires-Dist: dep-c\n  >=1",
    "folded-requires-tab": "Requires-Dist: dep-c\n\t; os_name == 'posix'",
    "folded-marker": "Requires-Dist: dep-c\n ; extra == 'x'",
    "folded-first": "Requires-Dist:\n dep-c",
    "folded-pipe": "Requires-Dist: dep-c\n       |; extra == 'x'",
    "case-lower": "requires-dist: dep-c",
    "case-upper": "REQUIRES-DIST: dep-c",
    "underscore": "Requires_Dist: dep-c",
    "space-before-colon": "Requires-Dist : dep-c",
    "no-space": "Requires-Dist:dep-c",
    "tab": "Requires-Dist:\tdep-c",
    "legacy-requires": "Requires: dep_c",
    "provides": "Provides: dep-c",
    "provides-dist": "Provides-Dist: dep-c",
    "obsoletes": "Obsoletes-Dist: dep-a",
    "external": "Requires-External: libpng",
    "extra-twice": "Provides-Extra: q\nProvides-Extra: q",
    "extra-upper": "Provides-Extra: Q",
    "extra-case-twice": "Provides-Extra: q\nProvides-Extra: Q",
    "extra-odd": "Provides-Extra: q q",
    "extra-empty": "Provides-Extra: ",
    "extra-unicode": "Provides-Extra: \xe9",
    "dynamic": "Dynamic: Requires-Dist",
    "dynamic-name": "Dynamic: Name",
    "multipart": "Content-Type: multipart/mixed; boundary=x",
    "multipart-plain": "Content-Type: multipart/alternative",
    "message": "Content-Type: message/rfc822",
    "partial": "Content-Type: message/partial",
    "charset": "Content-Type: text/plain; charset=utf-16",
    "charset-unknown": "Content-Type: text/plain; charset=nobody",
    "encoding-base64": "Content-Transfer-Encoding: base64",
    "encoding-quoted": "Content-Transfer-Encoding: quoted-printable",
    "encoding-unknown": "Content-Transfer-Encoding: x-nobody",
    "mime": "MIME-Version: 1.0",
    "encoded-word-python": "Requires-Python: =?utf-8?q?>=3D99?=",
    "encoded-word": "Summary: =?utf-8?q?=0ARequires-Dist=3A_evil?=",
    "encoded-word-name": "Author: =?utf-8?b?w6k=?=",
    "unicode": "Author: \xe9\xe8",
    "unknown": "X-Odd: 1",
    "description-header": "Description: text\n        |more",
    "description-type": "Description-Content-Type: text/markdown; variant=GFM",
    "description-type-odd": "Description-Content-Type: text/odd; charset=x",
    "requires-python": "Requires-Python: >=3.6",
    "requires-python-future": "Requires-Python: >=99",
    "requires-python-wild": "Requires-Python: >=3.*",
    "requires-python-odd": "Requires-Python: 3.8",
    "requires-python-text": "Requires-Python: three",
    "requires-python-arbitrary": "Requires-Python: ===3.11",
    "requires-python-empty": "Requires-Python: ",
    "requires-python-patch": "Requires-Python: >=3.11.1",
    "requires-python-comma": "Requires-Python: >=3.6,",
    "requires-python-pre": "Requires-Python: >=3.11.0rc1",
    "requires-python-v": "Requires-Python: >=v3.6",
    "requires-python-spaces": "Requires-Python: >= 3.6 , < 9",
    "requires-python-less": "Requires-Python: <4.0",
    "requires-python-brackets": "Requires-Python: (>=3.6)",
    "requires-python-folded": "Requires-Python: >=3.6,\n <9",
    "requires-python-compatible": "Requires-Python: ~=3.6",
    "requires-python-compatible-short": "Requires-Python: ~=3",
    "platform": "Platform: win32",
    "supported": "Supported-Platform: nobody",
    "classifier-odd": "Classifier: Private :: Do Not Upload",
    "license-file": "License-File: nobody",
    "license-expression": "License-Expression: not valid AND",
    "license-both": "License: MIT\nLicense-Expression: MIT",
    "import-name": "Import-Name: acme",
    "project-url": "Project-URL: a, https://example.com",
    "download-url": "Download-URL: https://evil.example/x",
    "dashes": "----",
    "colon-only": ": text",
    "no-colon": "nothing here",
    "empty-key": ":x",
    "from": "From nobody",
    "long": "Keywords: " + "k" * 70_000,
    "nul": "Keywords: a\0b",
    "cr": "Keywords: a\rRequires-Dist: dep-c",
    "vertical": "Keywords: a\x0bRequires-Dist: dep-c",
    "form-feed": "Keywords: a\x0cRequires-Dist: dep-c",
    "separator": "Keywords: a\x1cRequires-Dist: dep-c",
    "nel": "Keywords: a\x85Requires-Dist: dep-c",
    "line-separator": "Keywords: a\u2028Requires-Dist: dep-c",
    "key-space": "Odd Key: 1",
    "key-unicode": "\xe9: 1",
    "only-spaces": "   ",
    "bell": "Keywords: a\x07b",
    "del": "Keywords: a\x7fb",
    "bidi": "Keywords: a\u202eb",
    "folded-empty": "Keywords: a\n \n b",
    "folded-blank": "Keywords: a\n \nRequires-Dist: dep-c",
    "folded-blank-tab": "Keywords: a\n\t\nRequires-Dist: dep-c",
    "setup-requires": "Setup-Requires-Dist: dep-c",
    "default-extra": "Default-Extra: x",
    "author-email-odd": "Author-email: <<>>",
    "keywords-quoted": 'Keywords: "a,b"',
}


OPERATORS.table("header", "choosy", Wheel.headers, _HEADERS)

_EXTRAS = {
    "plain": "Provides-Extra: x",
    "blank-line": "Provides-Extra: x\n   ",
    "blank-tab": "Provides-Extra: x\n\t",
    "folded": "Provides-Extra:\n x",
    "trailing": "Provides-Extra: x  ",
    "leading": "Provides-Extra:   x",
    "no-space": "Provides-Extra:x",
    "tab": "Provides-Extra:\tx",
    "non-breaking": "Provides-Extra:\xa0x",
    "upper": "Provides-Extra: X",
    "dots": "Provides-Extra: .x",
    "comma": "Provides-Extra: x, y",
    "case-key": "provides-extra: x",
    "underscore-key": "Provides_Extra: x",
    "encoded": "Provides-Extra: =?utf-8?q?x?=",
    "late": "Keywords: k\nProvides-Extra: x",
}
"""Each followed by a requirement of that extra."""


def _extra(wheel: Wheel, text: str) -> None:
    wheel.headers(f"{text}\nRequires-Dist: dep-c ; extra == 'x'")


OPERATORS.table("extra", "pure", _extra, _EXTRAS)

_SWAPS: dict[str, tuple[str, str, str]] = {
    "metadata-version-1.0": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 1.0"),
    "metadata-version-1.1": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 1.1"),
    "metadata-version-1.2": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 1.2"),
    "metadata-version-2.0": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.0"),
    "metadata-version-2.2": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.2"),
    "metadata-version-2.5": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.5"),
    "metadata-version-2.6": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.6"),
    "metadata-version-2.99": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.99"),
    "metadata-version-2.10": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.10"),
    "metadata-version-2.01": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 2.01"),
    "metadata-version-1.9": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 1.9"),
    "metadata-version-3": ("METADATA", "^Metadata-Version: .*", "Metadata-Version: 3.0"),
    "metadata-version-none": ("METADATA", "^Metadata-Version: .*\n", ""),
    "name-upper": ("METADATA", "^Name: .*", "Name: ACME_Widgets"),
    "name-dots": ("METADATA", "^Name: .*", "Name: acme.widgets"),
    "name-spaces": ("METADATA", "^Name: .*", "Name:   acme-widgets  "),
    "name-dashes": ("METADATA", "^Name: .*", "Name: acme--_widgets"),
    "version-zeros": ("METADATA", "^Version: .*", "Version: 1.0.0"),
    "version-v": ("METADATA", "^Version: .*", "Version: v1.0"),
    "version-short": ("METADATA", "^Version: .*", "Version: 1"),
    "version-post": ("METADATA", "^Version: .*", "Version: 1.0-0"),
    "version-local": ("METADATA", "^Version: .*", "Version: 1.0+x"),
    "version-epoch": ("METADATA", "^Version: .*", "Version: 0!1.0"),
    "header-first-blank": ("METADATA", r"\A", "\n"),
    "header-bom": ("METADATA", r"\A", "\ufeff"),
    "header-crlf": ("METADATA", "\n", "\r\n"),
    "header-from-line": ("METADATA", r"\A", "From x\n"),
    "header-no-body": ("METADATA", r"(?s)\n\n.*", "\n"),
    "header-no-newline": ("METADATA", r"(?s)\n\n.*|\n\Z", ""),
    "header-order": (
        "METADATA",
        "^Metadata-Version: (.*)\nName: acme-widgets",
        "Name: acme-widgets\nMetadata-Version: 2.1",
    ),
    "header-blank-early": ("METADATA", "^Version: 1.0\n", "Version: 1.0\n\n"),
    "header-blank-space": ("METADATA", "^Version: 1.0\n", "Version: 1.0\n \n"),
    "header-name-case": ("METADATA", "^Name:", "NAME:"),
    "header-version-case": ("METADATA", "^Version:", "version:"),
    "header-body-header": ("METADATA", r"\Z", "\n\nRequires-Dist: dep-c\n"),
    "wheel-version-1.9": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1.9"),
    "wheel-version-2": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 2.0"),
    "wheel-version-1": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1"),
    "wheel-version-0": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 0.1"),
    "wheel-version-1.0.0": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1.0.0"),
    "wheel-version-01": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 01.0"),
    "wheel-version-none": ("WHEEL", "^Wheel-Version: .*\n", ""),
    "wheel-version-space": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version:  1.0  "),
    "wheel-version-huge": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1." + "9" * 30),
    "wheel-version-10": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1.10"),
    "wheel-key-case": ("WHEEL", "^Wheel-Version:", "wheel-version:"),
    "wheel-purelib-key-case": ("WHEEL", "^Root-Is-Purelib:", "root-is-purelib:"),
    "wheel-tag-key-case": ("WHEEL", "^Tag:", "TAG:"),
    "wheel-no-generator": ("WHEEL", "^Generator: .*\n", ""),
    "wheel-purelib-True": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: True"),
    "wheel-purelib-TRUE": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: TRUE"),
    "wheel-purelib-false": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: false"),
    "wheel-purelib-False": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: False"),
    "wheel-purelib-yes": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: yes"),
    "wheel-purelib-none": ("WHEEL", "^Root-Is-Purelib: .*\n", ""),
    "wheel-purelib-empty": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib:"),
    "wheel-purelib-space": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib:  true "),
    "wheel-purelib-folded": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib:\n true"),
    "wheel-purelib-twice": ("WHEEL", "^Root-Is-Purelib: .*", "Root-Is-Purelib: true\nRoot-Is-Purelib: false"),
    "wheel-version-twice": ("WHEEL", "^Wheel-Version: .*", "Wheel-Version: 1.0\nWheel-Version: 2.0"),
    "wheel-purelib-case-twice": (
        "WHEEL",
        "^Root-Is-Purelib: .*",
        "Root-Is-Purelib: true\nroot-is-purelib: false",
    ),
    "wheel-tag-newline": ("WHEEL", "^Tag: .*", "Tag: py3-none-any\n x"),
    "wheel-tag-folded": ("WHEEL", "^Tag: .*", "Tag:\n py3-none-any"),
    "wheel-tag-case": ("WHEEL", "^Tag: .*", "Tag: PY3-none-any"),
    "wheel-tag-twice": ("WHEEL", "^Tag: .*", "Tag: py3-none-any\nTag: py3-none-any"),
    "wheel-tag-other": ("WHEEL", "^Tag: .*", "Tag: py2-none-any"),
    "wheel-tag-empty": ("WHEEL", "^Tag: .*", "Tag: "),
    "wheel-tag-dots": ("WHEEL", "^Tag: .*", "Tag: py3.py3-none-any"),
    "wheel-build-added": ("WHEEL", r"\Z", "Build: 1\n"),
    "wheel-build-odd": ("WHEEL", r"\Z", "Build: 01\n"),
    "wheel-build-zero": ("WHEEL", r"\Z", "Build: 0\n"),
    "wheel-unknown": ("WHEEL", r"\Z", "X-Odd: 1\n"),
    "wheel-blank-first": ("WHEEL", r"\A", "\n"),
    "wheel-body": ("WHEEL", r"\Z", "\nText\n"),
    "wheel-bom": ("WHEEL", r"\A", "\ufeff"),
    "wheel-crlf": ("WHEEL", "\n", "\r\n"),
    "wheel-comment": ("WHEEL", r"\Z", "# comment\n"),
    "wheel-multipart": ("WHEEL", r"\Z", "Content-Type: multipart/mixed; boundary=x\n"),
    "wheel-space-colon": ("WHEEL", "^Root-Is-Purelib: ", "Root-Is-Purelib : "),
    "wheel-underscore": ("WHEEL", "^Root-Is-Purelib: ", "Root_Is_Purelib: "),
    "wheel-generator-odd": ("WHEEL", "^Generator: .*", "Generator: \xe9"),
    "wheel-generator-twice": ("WHEEL", "^Generator: .*", "Generator: a\nGenerator: b"),
    "wheel-no-newline": ("WHEEL", r"\n\Z", ""),
    "wheel-tag-spaces": ("WHEEL", "^Tag: .*", "Tag:  py3-none-any  "),
    "wheel-tag-inner-space": ("WHEEL", "^Tag: .*", "Tag: py3 -none-any"),
    "metadata-latin-1": ("METADATA", r"^Name:", "Author: X\nName:"),
}


def _swap(wheel: Wheel, change: tuple[str, str, str]) -> None:
    wheel.swap(*change)


OPERATORS.table("said", "pure", _swap, _SWAPS)


@OPERATORS.named("metadata-bytes", "pure")
def _metadata_bytes(wheel: Wheel, rng: random.Random) -> None:
    part = wheel.info("METADATA")
    part.data = part.data.replace(b"Summary: Widgets", b"Summary: \xff\xfe")


@OPERATORS.named("metadata-body-bytes", "pure")
def _metadata_body_bytes(wheel: Wheel, rng: random.Random) -> None:
    wheel.info("METADATA").data += b"\n\n\xff\xfe"


@OPERATORS.named("metadata-all-crlf", "choosy")
def _metadata_crlf(wheel: Wheel, rng: random.Random) -> None:
    wheel.info("METADATA").data = wheel.info("METADATA").data.replace(b"\n", b"\r\n")


@OPERATORS.named("metadata-multipart-body", "pure")
def _multipart_body(wheel: Wheel, rng: random.Random) -> None:
    wheel.headers("Content-Type: multipart/mixed; boundary=x")
    wheel.info("METADATA").data += b"\n--x\nRequires-Dist: dep-c\n\n--x--\n"


@OPERATORS.named("metadata-empty", "pure")
def _metadata_empty(wheel: Wheel, rng: random.Random) -> None:
    wheel.info("METADATA").data = b""


_STEMS = (
    "Acme_Widgets-1.0",
    "acme.widgets-1.0",
    "acme__widgets-1.0",
    "acme_widgets-1.0.0",
    "acme_widgets-v1.0",
    "acme_widgets-1",
    "acme_widgets-01.0",
    "acme_widgets-0!1.0",
    "acme_widgets-1.0+local",
    "acme_widgets-1.0.post0",
    "other-1.0",
    "acme_widgets-2.0",
)


def _stem(wheel: Wheel, stem: str) -> None:
    wheel.stem = stem


OPERATORS.table("filename", "pure", _stem, {stem: stem for stem in _STEMS})
OPERATORS.table("spread-filename", "spread", _stem, {stem: stem for stem in _STEMS})


@OPERATORS.named("tag-two", "pure")
def _tag_two(wheel: Wheel, rng: random.Random) -> None:
    wheel.tag = "py2.py3-none-any"
    wheel.swap("WHEEL", "^Tag: .*", "Tag: py2-none-any\nTag: py3-none-any")


@OPERATORS.named("tag-compressed", "pure")
def _tag_compressed(wheel: Wheel, rng: random.Random) -> None:
    wheel.tag = "py2.py3-none-any"
    wheel.swap("WHEEL", "^Tag: .*", "Tag: py2.py3-none-any")


@OPERATORS.named("build-tag", "pure")
def _build_tag(wheel: Wheel, rng: random.Random) -> None:
    wheel.build = "7abc"
    wheel.headers("Build: 7abc", "WHEEL")


@OPERATORS.named("build-tag-zeros", "pure")
def _build_zeros(wheel: Wheel, rng: random.Random) -> None:
    wheel.build = "007"
    wheel.headers("Build: 7", "WHEEL")
