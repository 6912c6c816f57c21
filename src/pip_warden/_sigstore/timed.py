"""The proofs of time in a bundle: each is verified by itself, so that none is ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from rfc3161_client import TimeStampResponse
from sigstore.models import Bundle

from pip_warden._sigstore.certificate import check_identifier, check_readable
from pip_warden._sigstore.timestamp import Timestamp, read_timestamp
from pip_warden._sigstore.verification_faults import EXPECTED, verification_fault
from pip_warden._sigstore.wire import WireBundle
from pip_warden.strict_json import MalformedError
from pip_warden.values import dataclass

_COARSEST = 2**31


@dataclass(frozen=True, slots=True)
class TimedBundle:
    """A bundle with one proof of time.

    Attributes:
        bundle: The bundle, with no other proof of time, as the sigstore library's type.
        moment: The time that the proof states, aware UTC.
        stamp: The time stamp that proves it; None where the log's promise does.
    """

    bundle: Bundle
    moment: datetime
    stamp: Timestamp | None


def timed_bundles(wire: WireBundle) -> Iterator[TimedBundle]:
    """Split a bundle into one per proof of time; at least one.

    The library accepts a bundle with one good proof of several.

    Raises:
        FaultError: There is none, or one that cannot be read, or a time that is not signed.
    """
    if wire.entry.promise is not None:
        moment = datetime.fromtimestamp(wire.entry.integrated_time, tz=UTC)
        promised = replace(wire, timestamps=()) if wire.timestamps else wire
        yield TimedBundle(_bundle(promised), moment, stamp=None)
    elif wire.timestamps and wire.entry.integrated_time:
        raise verification_fault(
            "bad-signing-time", "a time of the log entry that nobody signed, beside a time stamp"
        )
    for stamp in wire.timestamps:
        untimed = replace(wire.entry, promise=None, integrated_time=0)
        bundle = _bundle(replace(wire, entry=untimed, timestamps=(stamp,)))
        read = _stamped(bundle, stamp)
        yield TimedBundle(bundle, read.gen_time, stamp=read)
    if wire.entry.promise is None and not wire.timestamps:
        found = "a time that nobody signed" if wire.entry.integrated_time else "none"
        raise verification_fault("no-signing-time", found, expected=EXPECTED["bad-signing-time"])


def _bundle(wire: WireBundle) -> Bundle:
    try:
        return Bundle.from_json(wire.to_json())
    except Exception as err:
        raise verification_fault(
            "bad-bundle", str(err), expected="a bundle that the sigstore library reads"
        ) from err


def _stamped(bundle: Bundle, response: bytes) -> Timestamp:
    try:
        data = bundle.verification_material.timestamp_verification_data
        stamps = data.rfc3161_timestamps if data else []
        times = [stamp.tst_info.gen_time for stamp in stamps]
        for stamp in stamps:
            check_timestamp(stamp)
        found = read_timestamp(response)
    except Exception as err:
        raise verification_fault(
            "bad-signing-time", f"a time-stamp response that cannot be read: {err}"
        ) from err
    if times != [found.gen_time.replace(microsecond=0)]:
        raise verification_fault(
            "bad-signing-time", "a time-stamp response that the sigstore library reads otherwise"
        )
    return found


@lru_cache(maxsize=16)
def check_certificate(der: bytes) -> None:
    """Check that every client can read a certificate; one authority's stamps always have the same.

    Raises:
        MalformedError: Some client cannot read it.
        ValueError: It cannot be read at all.
    """
    check_readable(x509.load_der_x509_certificate(der))


def check_timestamp(stamp: TimeStampResponse) -> None:
    """Refuse what some clients read and others do not; the set of certificates is not signed.

    Raises:
        MalformedError: Some client cannot read it.
        ValueError: A certificate cannot be read at all.
    """
    for der in stamp.signed_data.certificates:
        check_certificate(der)
    check_identifier(stamp.tst_info.policy)
    stated = [getattr(stamp.tst_info.accuracy, unit, None) for unit in ("seconds", "millis", "micros")]
    if any(value is not None and not 0 <= value < _COARSEST for value in stated):
        raise MalformedError("an accuracy beyond all bounds")
