"""DER written here reads back, and agrees with another implementation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import decode_der, encode_der
from hypothesis import example, given
from hypothesis import strategies as st

from pip_warden.sandbox.sigstore import der


@given(st.integers(-(2**200), 2**200))
def test_an_integer_reads_back(value: int) -> None:
    (element,) = der.read(der.integer(value))

    assert (element.tag, element.integer()) == (der.INTEGER, value)


@given(st.integers(-(2**62), 2**62))
@example(-128)
@example(-(2**15))
def test_an_integer_is_written_as_others_write_it(value: int) -> None:
    assert der.integer(value) == encode_der(value)
    assert decode_der(int, der.integer(value)) == value


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_a_run_of_elements_reads_back(values: list[bytes]) -> None:
    elements = der.read(b"".join(der.octets(value) for value in values))

    assert [element.content for element in elements] == values
    assert [element.raw for element in elements] == [der.octets(value) for value in values]


@given(st.binary(max_size=64))
def test_no_bytes_upset_the_reader(data: bytes) -> None:
    try:
        elements = der.read(data)
    except ValueError:
        return
    assert b"".join(element.raw for element in elements) == data


@given(st.binary(min_size=1, max_size=300), st.data())
def test_an_element_cut_short_is_refused(value: bytes, data: st.DataObject) -> None:
    encoded = der.octets(value)

    with pytest.raises(ValueError, match=r"cut short|one-byte tag|length"):
        der.read(encoded[: data.draw(st.integers(1, len(encoded) - 1))])


@pytest.mark.parametrize("dotted", ["1.3.6.1.4.1.57264.2", "2.16.840.1.101.3.4.2.1", "2.5.29.17"])
def test_an_object_identifier_is_what_others_read(dotted: str) -> None:
    assert decode_der(x509.ObjectIdentifier, der.oid(dotted)).dotted_string == dotted


def test_times_are_in_utc_with_no_needless_zero() -> None:
    moment = datetime(2026, 6, 1, 12, 30, 15, 999_999, tzinfo=UTC)

    assert der.generalized_time(moment) == b"\x18\x1620260601123015.999999Z"
    assert der.generalized_time(moment.replace(microsecond=500_000)) == b"\x18\x1120260601123015.5Z"
    assert der.generalized_time(moment.replace(microsecond=0)) == b"\x18\x0f20260601123015Z"
    assert der.utc_time(moment) == b"\x17\x0d260601123015Z"


def test_a_set_is_sorted() -> None:
    assert der.set_of(b"\x05\x00", b"\x02\x01\x00") == b"\x31\x05\x02\x01\x00\x05\x00"
