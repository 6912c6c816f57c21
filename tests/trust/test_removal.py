"""What nothing needs any more is taken out, with what is said of it; every other line stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pip_warden.digests import Digest
from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.edit import add_identity_entry, add_root, add_source, new_file_text
from pip_warden.trust.editing.removal import remove_package, remove_root, remove_source
from pip_warden.trust.file import parse
from pip_warden.trust.model import Identity, IdentityEntry, RootPin, Source
from pip_warden.trust.subject import parse_subject

PATH = Path("/project/pytrust.toml")
ISSUER = "https://gitlab.example.com"
ROOT = RootPin(name="default", path=PATH.parent / "root.json", sha256=Digest("a" * 64), issuers=(ISSUER,))
OTHER = replace(ROOT, name="other")
ACME = Source(name="acme", type="gitlab", url=ISSUER)
SIGNER = Identity(
    issuer=ISSUER,
    subject=parse_subject(f"{ISSUER}/acme/widgets//.gitlab-ci.yml@refs/tags/v{{version}}"),
)
WIDGETS = IdentityEntry(
    project=ProjectName("acme-widgets"), source="acme", registry="acme/widgets", identities=(SIGNER, SIGNER)
)
TOOLS = replace(WIDGETS, project=ProjectName("acme-tools"), registry="acme/tools")


def base() -> str:
    return add_source(add_root(new_file_text(), ROOT, PATH), ACME, PATH)


def test_what_was_added_last_is_taken_out_without_a_trace() -> None:
    with_widgets = add_identity_entry(base(), WIDGETS, PATH)
    with_tools = add_identity_entry(with_widgets, TOOLS, PATH)
    late = add_source(with_tools, replace(ACME, name="late"), PATH)
    last = add_root(late, OTHER, PATH)

    assert remove_root(last, "other", PATH) == late
    assert remove_source(late, "late", PATH) == with_tools
    assert remove_package(with_tools, TOOLS.project, PATH) == with_widgets
    assert remove_package(with_widgets, WIDGETS.project, PATH) == base()
    assert remove_source(base(), "acme", PATH) == add_root(new_file_text(), ROOT, PATH)
    assert remove_root(add_root(new_file_text(), ROOT, PATH), "default", PATH) == new_file_text()


def test_a_package_goes_with_its_comments_and_without_those_of_others() -> None:
    text = add_identity_entry(add_identity_entry(base(), WIDGETS, PATH), TOOLS, PATH)
    text = text.replace(
        '[[package]]\nname = "acme-widgets"', '# of widgets\n[[package]]\nname = "acme-widgets"'
    )
    text = text.replace(
        '[[package]]\nname = "acme-tools"', '# apart\n\n# of tools\n[[package]]\nname = "acme-tools"'
    )
    text = (
        text.replace('project = "acme/tools"', 'project = "acme/tools"  # inside\n# of tools, too')
        + "# at its end\n"
    )

    without_tools = remove_package(text, TOOLS.project, PATH)
    without_widgets = remove_package(text, WIDGETS.project, PATH)

    assert [line for line in without_tools.splitlines() if "#" in line][2:] == ["# of widgets", "# apart"]
    assert [line for line in without_widgets.splitlines() if "#" in line][2:] == [
        "# apart",
        "# of tools",
        'project = "acme/tools"  # inside',
        "# of tools, too",
        "# at its end",
    ]
    assert "\n\n\n" not in without_tools + without_widgets


def test_a_comment_right_above_the_next_header_is_the_next_ones() -> None:
    text = add_identity_entry(add_identity_entry(base(), WIDGETS, PATH), TOOLS, PATH)
    text = text.replace(
        '\n\n[[package]]\nname = "acme-tools"', '\n# of tools\n[[package]]\nname = "acme-tools"'
    )

    assert "# of tools\n[[package]]" in remove_package(text, WIDGETS.project, PATH)
    assert "# of tools" not in remove_package(text, TOOLS.project, PATH)


def test_a_line_of_a_value_is_no_comment() -> None:
    text = add_identity_entry(base(), WIDGETS, PATH)
    text += '[[revoked]]\nname = "acme-old"\nreason = """stolen\n# really"""\n'
    whole = add_identity_entry(text, TOOLS, PATH).replace('"""\n\n[[', '"""\n[[')
    assert remove_package(whole, TOOLS.project, PATH) == text


def test_a_revocation_stays() -> None:
    revoked = '\n[[revoked]]\nname = "acme-widgets"\nreason = "broken into"\n'
    text = add_identity_entry(base(), WIDGETS, PATH) + revoked

    assert remove_package(text, WIDGETS.project, PATH) == base() + revoked


def test_what_is_used_or_absent_is_not_taken_out() -> None:
    text = add_identity_entry(base(), WIDGETS, PATH)
    attempts: dict[str, tuple[Callable[[], str], ...]] = {
        "still-used": (
            lambda: remove_source(text, "acme", PATH),
            lambda: remove_root(text, "default", PATH),
        ),
        "not-in-trust-file": (
            lambda: remove_source(text, "other", PATH),
            lambda: remove_root(text, "other", PATH),
            lambda: remove_package(text, TOOLS.project, PATH),
        ),
    }

    for code, calls in attempts.items():
        for call in calls:
            with pytest.raises(UsageError) as caught:
                call()
            assert caught.value.code == code


@pytest.mark.parametrize(
    "text",
    [
        f'version = 1\nsource.acme = {{ type = "gitlab", url = "{ISSUER}" }}\n',
        f'version = 1\n[source]\nacme = {{ type = "gitlab", url = "{ISSUER}" }}\n',
    ],
)
def test_a_source_that_is_no_table_is_left_to_the_user(text: str) -> None:
    assert parse(text, PATH).sources == (ACME,)

    with pytest.raises(UsageError) as caught:
        remove_source(text, "acme", PATH)
    assert caught.value.code == "trust-file-uneditable"


def test_a_root_inside_another_ones_table_is_not_taken_out_with_it() -> None:
    other = (
        f'other = {{ trusted-root = "o.json", trusted-root-sha256 = "{"b" * 64}", issuers = ["{ISSUER}"] }}\n'
    )
    text = add_root(new_file_text(), ROOT, PATH) + other
    assert [root.name for root in parse(text, PATH).roots] == ["default", "other"]

    with pytest.raises(UsageError) as caught:
        remove_root(text, "default", PATH)
    assert caught.value.code == "trust-file-uneditable"
