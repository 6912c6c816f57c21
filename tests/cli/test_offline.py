"""A detached signature needs the log once; then its completed form is cached, and judged again each time."""

from __future__ import annotations

from pathlib import Path

from cli.terminal import Person, Said, typed
from pip_warden.sandbox import Answer, File, Job


def published(person: Person) -> tuple[Job, File]:
    """Return a wheel and the job that signs it."""
    job = person.sandbox.job(person.project(), tag="v1.0")
    return job, person.sandbox.wheel(job.context.project.name, "1.0")


def signed(person: Person, job: Job, wheel: File) -> tuple[str, ...]:
    """Put the wheel and a new detached pair into the directory; return the words that verify it."""
    for name, data in {wheel.name: wheel.data, **person.sandbox.sign(wheel, job, ("detached",))}.items():
        Path(name).write_bytes(data)
    pair = (f"--signature={wheel.name}.sig", f"--certificate={wheel.name}.crt")
    who = (f"--certificate-identity={job.san}", f"--certificate-oidc-issuer={person.sandbox.issuer}")
    return ("verify", *pair, *who, f"--trusted-root={person.root}", "--cache-dir=cache", wheel.name)


def ended(said: Said) -> tuple[int, bool]:
    """Return the exit code, and whether the log look-up was impossible offline."""
    return said.code, "log-lookup-offline" in said


def test_a_pair_that_was_verified_once_verifies_offline(person: Person) -> None:
    words = signed(person, *published(person))
    never, once = typed(*words, "--offline"), typed(*words)
    person.sandbox.clear_requests()
    later = typed(*words, "--offline")

    assert (ended(never), ended(once), ended(later)) == ((3, True), (0, False), (0, False))
    assert person.sandbox.requests == ()


def test_what_is_remembered_is_of_that_pair_alone(person: Person) -> None:
    """Another signature over the same file, equally good, has an entry of its own."""
    job, wheel = published(person)
    first = typed(*signed(person, job, wheel))
    second = typed(*signed(person, job, wheel), "--offline")

    assert (ended(first), ended(second)) == ((0, False), (3, True))


def test_what_is_remembered_is_judged_again(person: Person) -> None:
    words = signed(person, *published(person))
    online = typed(*words)
    stranger = [word.replace("refs/tags/v1.0", "refs/tags/v2.0") for word in words]
    offline = typed(*stranger, "--offline")

    assert (online.code, offline.code) == (0, 1)
    assert "identity-mismatch" in offline


def test_a_log_that_fails_decides_nothing(person: Person) -> None:
    words = signed(person, *published(person))
    person.sandbox.fault(Answer(status=500), origin="rekor", times=None)
    said = typed(*words, "--retries=0")

    assert said.code == 3
    assert person.sandbox.rekor_url in said
