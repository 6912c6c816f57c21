"""The public-good instance is asked where no trust config is named; what to do if it does not answer."""

from __future__ import annotations

import pytest

from pip_warden._sigstore import trust_config
from pip_warden.errors import TrustRootError


@pytest.mark.parametrize(("code", "names_the_option"), [("tuf-failed", True), ("bad-trusted-root", False)])
def test_a_publisher_is_told_how_another_sigstore_is_named(
    monkeypatch: pytest.MonkeyPatch, code: str, names_the_option: bool
) -> None:
    def fails() -> bytes:
        raise TrustRootError(code, "expected a root, found none", hint="Give `--trusted-root FILE`.")

    monkeypatch.setattr(trust_config, "fetch_public_good_root", fails)
    with pytest.raises(TrustRootError) as raised:
        trust_config.root_of_trust_config(None)

    assert (raised.value.code, raised.value.message) == (code, "expected a root, found none")
    assert ("--trust-config FILE" in raised.value.hint, "--trusted-root" in raised.value.hint) == (
        names_the_option,
        not names_the_option,
    )
