"""Which origins are answered for: the sources', and those that their files are on."""

from __future__ import annotations

from urllib.parse import urlsplit

from command.front import front
from flow.user import User
from pip_warden.command.origins import answered_origins, unanswered_origins
from pip_warden.sandbox import Answer


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def test_file_hosts_are_learned_from_a_page(user: User) -> None:
    box = user.sandbox
    for name in ("origin-one", "origin-two"):
        file = box.wheel(name, "1.0")
        box.upstream.add(name, [file])
        user.pin_hash(file, name=name)
    box.clear_requests()
    with front(user) as here:
        found = answered_origins(here.trust, here.gate)
        assert found == (_origin(box.gitlab_url), _origin(box.pypi_url), box.files_url)
        assert here.ledger.lines() == ()
        files = here.backend.page_at(next(iter(here.trust.projects)), "pypi", None)
        assert files
    pages = [request.path for request in box.requests if request.path.startswith("/simple/")]
    assert pages == ["/simple/origin-one/"], "each page once"
    assert unanswered_origins([file.url for file in files], found) == ()
    assert unanswered_origins([file.url for file in files], found[:2]) == (box.files_url,)


def test_a_page_that_cannot_be_had_ends_nothing_here(user: User) -> None:
    box = user.sandbox
    missing, present = box.wheel("origin-missing", "1.0"), box.wheel("origin-present", "1.0")
    box.upstream.add("origin-present", [present])
    user.pin_hash(missing, name="origin-missing")
    with front(user) as here:
        found = answered_origins(here.trust, here.gate)
        assert found == (_origin(box.gitlab_url), _origin(box.pypi_url))
        assert (here.ledger.lines(), here.ledger.exit_code()) == ((), 0)
    user.pin_hash(present, name="origin-present")
    with front(user) as here:
        assert box.files_url in answered_origins(here.trust, here.gate)


def test_pypis_file_host_is_known_and_a_mirrors_is_learned(user: User) -> None:
    box = user.sandbox
    file = box.wheel("origin-mirrored", "1.0")
    box.upstream.add("origin-mirrored", [file])
    user.write('[source.real]\ntype = "simple"\nurl = "https://pypi.org/simple"')
    user.pin_hash(file, name="origin-mirrored", source="real")
    box.clear_requests()
    with front(user) as here:
        found = answered_origins(here.trust, here.gate)
    assert found[2:] == ("https://pypi.org", "https://files.pythonhosted.org")
    assert box.requests == ()
    user.patch.setenv("PIP_WARDEN_MIRROR_REAL", box.upstream.mirror_url)
    with front(user) as here:
        found = answered_origins(here.trust, here.gate)
        assert here.backend.page_at(next(iter(here.trust.projects)), "real", None)
    assert found[2:] == ("https://pypi.org", box.files_url, "https://files.pythonhosted.org")


def test_a_page_is_believed_a_few_hosts_and_those_first_that_may_be_asked(user: User) -> None:
    box = user.sandbox
    file = box.wheel("origin-many", "1.0")
    box.upstream.add("origin-many", [file])
    user.pin_hash(file, name="origin-many")
    links = [f"https://h{at}.example/origin-many-2.{at}.tar.gz" for at in range(40)]
    links.append(box.files_url + box.upstream.file(file.name).path)
    html = "".join(f'<a href="{link}">{link.rpartition("/")[2]}</a>' for link in links)
    user.sandbox.fault(
        Answer(status=200, body=html.encode(), headers=(("content-type", "text/html"),)),
        "/simple/origin-many",
        times=None,
    )
    with front(user) as here:
        found = answered_origins(here.trust, here.gate)[2:]
    assert (len(found), found[0]) == (16, box.files_url)
