"""Many files are signed side by side, and it looks as if they were signed one after the other."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from _sigstore.samples import DATA
from documents import described
from hearing import hearing
from pip_warden._sigstore import sign as sign_module
from pip_warden._sigstore.deadline import DeadlineError, Threads, within
from pip_warden.digests import digest_of
from pip_warden.publish.side_by_side import AT_ONCE, side_by_side
from pip_warden.sandbox import Answer, Hold
from publish.conftest import BIN, Publisher, signing

WAIT = 60
LOG = "/api/v1/log/entries"
CERTIFICATE = "/api/v2/signingCert"


def put(publisher: Publisher, number: int) -> list[str]:
    publisher.dist.mkdir(exist_ok=True)
    files = [f"dist/file{each:02}-1.0.tar.gz" for each in range(number)]
    for file in files:
        (publisher.directory / file).write_bytes(file.encode())
    publisher.sandbox.clear_requests()
    return files


def asked(publisher: Publisher, path: str) -> int:
    return sum(request.path == path for request in publisher.sandbox.requests)


def bundles(publisher: Publisher) -> list[str]:
    assert not list(publisher.dist.glob(".*"))
    return sorted(f"dist/{path.name[: -len('.sigstore.json')]}" for path in publisher.dist.glob("*.json"))


def test_one_certificate_and_one_log_entry_each(publisher: Publisher) -> None:
    files = put(publisher, 5)[::-1]
    result = publisher.sign(*files)

    assert result.returncode == 0, result.stderr
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (1, 5)
    assert [f"dist/{line.partition(':')[0]}" for line in result.stdout.splitlines()] == files
    assert bundles(publisher) == sorted(files)
    read = [json.loads((publisher.directory / f"{file}.sigstore.json").read_bytes()) for file in files]
    assert len({each["verificationMaterial"]["certificate"]["rawBytes"] for each in read}) == 1
    assert len({each["messageSignature"]["messageDigest"]["digest"] for each in read}) == 5


def test_one_certificate_for_all_statements(publisher: Publisher) -> None:
    files = put(publisher, 3)
    result = publisher.attest("--annotation", "a=b", "--format", "json", *files)

    assert result.returncode == 0, result.stderr
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (1, 6)
    told = [(each["file"], each["evidence"][0]) for each in described(result.stdout)["files"]]
    names = [Path(file).name for file in files]
    kinds = ("slsa", "annotations")
    assert told == [(name, f"{name}.{kind}.sigstore.json") for name in names for kind in kinds]


def test_no_file_waits_for_the_log_entry_of_another(publisher: Publisher) -> None:
    """Either request is answered when the other has been made, too."""
    files = put(publisher, 2)
    holds = [Hold(), Hold()]
    for hold in holds:
        publisher.sandbox.fault(hold, LOG)
    results: list[subprocess.CompletedProcess[str]] = []
    thread = threading.Thread(target=lambda: results.append(publisher.apart().sign(*files)))
    thread.start()
    reached = [hold.reached.wait(WAIT) for hold in holds]
    for hold in holds:
        hold.until.set()
    thread.join(WAIT)

    assert reached == [True, True]
    assert results[0].returncode == 0, results[0].stderr


def test_a_failure_leaves_what_was_before_it(publisher: Publisher) -> None:
    files = put(publisher, 2 * AT_ONCE)
    publisher.sandbox.fault(Answer(status=500), LOG)
    result = publisher.sign(*files)

    written = bundles(publisher)
    assert result.returncode == 3
    assert "[signing-failed]" in result.stderr
    assert not result.stdout
    assert written == files[: len(written)]
    assert len(written) < asked(publisher, LOG) <= len(written) + AT_ONCE


@pytest.mark.parametrize("place", [0, 2])
def test_other_evidence_is_found_before_anything_is_logged(publisher: Publisher, place: int) -> None:
    files = put(publisher, 6)
    (publisher.directory / f"{files[place]}.sigstore.json").write_bytes(b"old")
    result = publisher.sign(*files)

    assert result.returncode == 2
    assert "[evidence-exists]" in result.stderr
    assert f"{files[place]}.sigstore.json" in result.stderr
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (0, 0)
    assert bundles(publisher) == [files[place]]
    assert (publisher.directory / f"{files[place]}.sigstore.json").read_bytes() == b"old"


def test_files_of_one_name_do_not_share_evidence(publisher: Publisher) -> None:
    put(publisher, 1)
    other = publisher.directory / "file00-1.0.tar.gz"
    other.write_bytes(b"other")
    result = publisher.sign("--output-directory", "out", "dist/file00-1.0.tar.gz", "file00-1.0.tar.gz")

    assert result.returncode == 2
    assert "[evidence-exists]" in result.stderr
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (0, 0)
    assert list((publisher.directory / "out").iterdir()) == []


def test_an_interrupted_run_leaves_nothing_half_written(publisher: Publisher) -> None:
    files = put(publisher, 3)
    hold = Hold()
    publisher.sandbox.fault(hold, LOG, times=None)
    words = hearing(str(BIN / "pip-warden"), "sign", "--trust-config", "trust_config.json", *files)
    with subprocess.Popen(
        words, cwd=publisher.directory, env=publisher.environment(), stderr=subprocess.PIPE
    ) as process:
        assert hold.reached.wait(WAIT)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=WAIT)
    hold.until.set()

    assert process.returncode == 130, said
    assert said.decode().splitlines()[-1] == "interrupted"
    assert bundles(publisher) == []


def test_calls_one_after_the_other_keep_their_thread(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it, the library keeps its connections."""
    seen: list[threading.Thread] = []

    class Noting(Threads):
        def within(self, seconds: float, call: Callable[[], Any]) -> Any:
            def noted() -> Any:
                seen.append(threading.current_thread())
                return call()

            return super().within(seconds, noted)

    monkeypatch.setattr(sign_module, "Threads", Noting)
    with signing(publisher) as by:
        for _ in range(3):
            by.sign_digest(digest_of(DATA))
    seen[0].join(WAIT)

    assert len(seen) == 4  # one for the certificate
    assert set(seen) == {seen[0]}
    assert not seen[0].is_alive()


def test_a_call_that_hangs_keeps_no_other() -> None:
    never = threading.Event()
    with Threads() as threads:
        hanging = threads.begin(threading.current_thread).result()
        with pytest.raises(DeadlineError):
            threads.within(0.01, never.wait)
        other = threads.within(WAIT, threading.current_thread)
    never.set()
    for thread in (hanging, other):
        thread.join(WAIT)

    assert other is not hanging
    assert [thread.is_alive() for thread in (hanging, other)] == [False, False]


@pytest.mark.parametrize("error", [ValueError("x"), TimeoutError("x"), SystemExit(1)])
def test_what_a_call_raises_is_raised(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(WAIT, fail)
    assert caught.value is error


def _work(count: int, work: Callable[[int], int]) -> tuple[list[int], list[int], ValueError | None]:
    """Return which items were begun, which were finished, and what was raised."""
    begun: list[int] = []
    finished: list[int] = []

    def noted(item: int) -> int:
        begun.append(item)
        return work(item)

    try:
        side_by_side(range(count), noted, finished.append)
    except ValueError as err:
        return begun, finished, err
    return begun, finished, None


def test_a_full_number_is_worked_on_at_once_and_no_more() -> None:
    """Each waits until there are so many."""
    barrier = threading.Barrier(AT_ONCE)
    lock = threading.Lock()
    now, most = 0, 0

    def work(item: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait(WAIT)
        with lock:
            now -= 1
        return item

    _, finished, error = _work(3 * AT_ONCE, work)
    assert error is None
    assert finished == list(range(3 * AT_ONCE))
    assert 8 <= most <= AT_ONCE, "a log of version 2 answers after a second or so"


def test_the_first_failure_in_order_is_raised_whichever_came_first() -> None:
    failed = threading.Event()

    def work(item: int) -> int:
        if item == 5:
            failed.set()
            raise ValueError(item)
        if item in {0, 3}:
            assert failed.wait(WAIT)
        if item == 3:
            raise ValueError(item)
        return item

    begun, finished, error = _work(1000, work)
    assert error is not None
    assert error.args == (3,)
    assert finished == [0, 1, 2]
    assert sorted(begun) == list(range(len(begun)))
    assert 5 < len(begun) <= AT_ONCE


def test_what_cannot_be_finished_ends_it() -> None:
    def finish(item: int) -> None:
        if item == 2:
            raise ValueError(item)

    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    with pytest.raises(ValueError, match="2"):
        side_by_side(range(1000), work, finish)
    assert sorted(begun) == list(range(len(begun)))
    assert 3 <= len(begun) < 3 + AT_ONCE


def test_a_name_that_cannot_have_evidence_is_found_before_anything_is_logged(publisher: Publisher) -> None:
    files = [*put(publisher, 2), f"dist/{'x' * 240}-1.0.tar.gz"]
    (publisher.directory / files[2]).write_bytes(DATA)
    result = publisher.sign(*files)

    assert (result.returncode, bundles(publisher)) == (2, [])
    assert "[cannot-write]" in result.stderr
    assert (asked(publisher, CERTIFICATE), asked(publisher, LOG)) == (0, 0)
