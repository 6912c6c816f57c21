"""What answers lead to: any header ends in a place of the same registry, or in one of our errors."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci.fake import APP, HOST, answer
from pip_warden.errors import RegistryError
from pip_warden.oci.answers import location, next_page, says_absent, tags_in
from pip_warden.transport import origin_of

URL = f"{APP.url}/tags/list?n=1000"
WORDS = (
    "https: http: // / \\ @ : .. ? # %2f evil.example v2/acme/app tags/list last=1 [ ] é :443 :444 < > ; ="
)
PARTS = st.sampled_from([HOST, " ", "\t", ",", '"', *WORDS.split()])
TEXTS = st.lists(PARTS, max_size=10).map("".join) | st.text(max_size=20)


@given(TEXTS)
def test_a_location_is_of_the_registrys_own_origin(text: str) -> None:
    with suppress(RegistryError):
        assert origin_of(location(answer(202, location=text), APP)) == origin_of(APP.url)


@given(TEXTS.map(lambda text: f'<{text}>; rel="next"') | TEXTS)
def test_a_next_page_is_of_the_same_list(text: str) -> None:
    with suppress(RegistryError):
        following = next_page(answer(200, link=text), URL)
        assert following is None or urlsplit(following)[:3] == urlsplit(URL)[:3]
        assert (following is None) == (text.strip() == "")


@given(st.binary(max_size=100) | TEXTS.map(str.encode))
def test_any_body_is_read(body: bytes) -> None:
    assert not says_absent(answer(404, body))
    with suppress(RegistryError):
        assert all(isinstance(tag, str) for tag in tags_in(answer(200, body)))


def test_links_of_other_kinds_come_before_it() -> None:
    two = '<?first>; rel="first", <?last=2>; rel="next"'

    assert next_page(answer(200, link=two), URL) == f"{APP.url}/tags/list?last=2"
    assert next_page(answer(200), URL) is None


@pytest.mark.parametrize("relation", ['"nextish"', "next-page", '"next', 'prev; title="rel=next"'])
def test_a_relation_that_only_looks_like_next_is_another(relation: str) -> None:
    with pytest.raises(RegistryError) as caught:
        next_page(answer(200, link=f"<?last=1>; rel={relation}"), URL)
    assert caught.value.code == "bad-registry-answer"


def test_a_relative_location_begins_at_what_was_asked() -> None:
    reply = answer(202, url=f"{APP.url}/blobs/uploads/", location="1?_state=x")

    assert location(reply, APP) == f"{APP.url}/blobs/uploads/1?_state=x"
