"""Many files are signed side by side, and it looks as if they were signed one after the other."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sigstore._internal.fulcio import ExpiredCertificate

from _sigstore.samples import CLAIMS, DATA, root_of, service
from hearing import hearing
from pip_warden._sigstore.deadline import DeadlineError, Threads, within
from pip_warden._sigstore.sign import Signatory
from pip_warden.errors import UndecidedError, UsageError
from pip_warden.publish import sign
from pip_warden.publish.side_by_side import AT_ONCE, side_by_side
from pip_warden.publish.sign import sign_files
from pip_warden.sandbox import Answer, Hold
from publish.conftest import BIN, Publisher

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
    told = [(each["file"], each["evidence"][0]) for each in json.loads(result.stdout)["files"]]
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
def test_nothing_behind_a_file_that_has_evidence_is_logged(publisher: Publisher, place: int) -> None:
    files = put(publisher, 6)
    (publisher.directory / f"{files[place]}.sigstore.json").write_bytes(b"old")
    result = publisher.sign(*files)

    assert result.returncode == 2
    assert "[evidence-exists]" in result.stderr
    assert asked(publisher, LOG) == place + 1
    assert bundles(publisher) == files[: place + 1]
    assert (publisher.directory / f"{files[place]}.sigstore.json").read_bytes() == b"old"


def test_files_of_one_name_do_not_share_evidence(publisher: Publisher) -> None:
    put(publisher, 1)
    other = publisher.directory / "file00-1.0.tar.gz"
    other.write_bytes(b"other")
    result = publisher.sign("--output-directory", "out", "dist/file00-1.0.tar.gz", "file00-1.0.tar.gz")

    assert result.returncode == 2
    assert "[evidence-exists]" in result.stderr
    assert [path.name for path in (publisher.directory / "out").iterdir()] == [
        "file00-1.0.tar.gz.sigstore.json"
    ]


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


def _files(directory: Path, number: int) -> list[Path]:
    paths = [directory / f"{each:02}" for each in range(number)]
    for path in paths:
        path.write_bytes(DATA)
    return paths


def test_a_log_for_no_detached_signatures_gets_one_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sigstore, logged = service(), []

    def sign_digest(digest: object) -> bytes:
        logged.append(digest)
        return json.dumps(sigstore.sign_blob(DATA, CLAIMS)).encode()

    by: Any = SimpleNamespace(root=root_of(sigstore), sign_digest=sign_digest)
    monkeypatch.setattr(sign, "REKOR_V1", "a version that this log has not")
    with pytest.raises(UsageError) as caught:
        sign_files(_files(tmp_path, 5), by, directory=tmp_path / "out", detached=True)

    assert caught.value.code == "detached-needs-rekor-v1"
    assert len(logged) == 1
    assert not (tmp_path / "out").exists()


def test_a_certificate_that_expires_meanwhile(tmp_path: Path) -> None:
    """The library looks at its end for each file; what was signed before stays."""
    sigstore = service()
    signed: list[object] = []

    def sign_artifact(_hashed: object) -> Any:
        signed.append(None)
        if len(signed) > 2:
            raise ExpiredCertificate
        return SimpleNamespace(to_json=lambda: json.dumps(sigstore.sign_blob(DATA, CLAIMS)))

    signer: Any = SimpleNamespace(sign_artifact=sign_artifact)
    with Threads() as threads, pytest.raises(UndecidedError) as caught:
        sign_files(_files(tmp_path, 9), Signatory(root_of(sigstore), signer, threads))

    assert caught.value.code == "signing-failed"
    assert "ExpiredCertificate" in caught.value.message
    assert len(list(tmp_path.glob("*.sigstore.json"))) <= 2


def test_calls_one_after_the_other_keep_their_thread() -> None:
    """With it, the library keeps its connections."""
    seen: list[threading.Thread] = []

    def sign_dsse(_statement: object) -> Any:
        seen.append(threading.current_thread())
        return SimpleNamespace(to_json=lambda: "{}")

    signer: Any = SimpleNamespace(sign_dsse=sign_dsse)
    statement = (
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"00"}}]}'
    )
    with Threads() as threads:
        by = Signatory(root_of(service()), signer, threads)
        for _ in range(3):
            by.sign_statement(statement.replace(b"]}", b'],"predicateType":"a","predicate":{}}'))
    seen[0].join(WAIT)

    assert len(seen) == 3
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
        side_by_side(range(count), noted, finished.append, holds_up=lambda _: False)
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
    assert most <= AT_ONCE


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
        side_by_side(range(1000), work, finish, holds_up=lambda item: item == 2)
    assert sorted(begun) == [0, 1, 2]


def test_a_name_that_cannot_have_evidence_is_met_in_its_turn(tmp_path: Path) -> None:
    sigstore = service()
    by: Any = SimpleNamespace(
        root=root_of(sigstore),
        sign_digest=lambda _digest: json.dumps(sigstore.sign_blob(DATA, CLAIMS)).encode(),
    )
    paths = _files(tmp_path, 2)
    paths.append(tmp_path / ("x" * 250))
    paths[2].write_bytes(DATA)
    with pytest.raises((OSError, UsageError)):
        sign_files(paths, by)

    assert sorted(path.name for path in tmp_path.glob("*.sigstore.json")) == [
        "00.sigstore.json",
        "01.sigstore.json",
    ]
