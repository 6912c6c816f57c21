"""What signing writes: every file whole, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.errors import UsageError
from pip_warden.publish.sign import write_all


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_b08_a_draft_that_does_not_get_its_name_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, failure: BaseException
) -> None:
    """It is next to what is uploaded."""

    def fail(*_arguments: object) -> None:
        raise failure

    monkeypatch.setattr(Path, step, fail)
    with pytest.raises((UsageError, KeyboardInterrupt)) as caught:
        write_all(tmp_path, {"a.sigstore.json": b"{}"}, overwrite=False)
    if isinstance(caught.value, UsageError):
        assert (caught.value.code, caught.value.exit_code) == ("cannot-write", 2)
    assert list(tmp_path.iterdir()) == []
