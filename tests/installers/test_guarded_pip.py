"""B10, B11: the guarded pip. An unknown pip is not run, and any response but a yes ends it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installers.fake_backend import FakeBackend, error
from pip_warden.digests import digest_of
from pip_warden.errors import InstallerError, RefusedError, UsageError
from pip_warden.installer import guarded_pip
from pip_warden.installer.environment import child_environment
from pip_warden.installer.gate_port import HOST
from pip_warden.installer.installed import Installed
from pip_warden.installer.local import LocalInputs, path_from_url, project_arguments
from pip_warden.installer.model import LinkRequest, PlannedInstall
from pip_warden.installer.pip import Child
from pip_warden.installer.questions import answer
from pip_warden.installer.reconcile import accepted_under_its_name, reconcile_plan
from pip_warden.installer.server import Server
from pip_warden.installer.wanted import LocalProject

MODULES = {
    "__init__": "",
    "_internal/__init__": "",
    "_internal/build_env": """
class InprocessBuildEnvironmentInstaller:
    def install(self, requirements, prefix, *, kind, for_req): ...
class SubprocessBuildEnvironmentInstaller:
    def install(self, requirements, prefix, *, kind, for_req): print("beside")
""",
    "_internal/network/__init__": "",
    "_internal/network/session": "def user_agent(): raise LookupError('it would run rustc')",
    "_internal/network/download": """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
logger = logging.getLogger(__name__)
class Downloader:
    def __call__(self, link, location): print("downloaded", link.url)
""",
    "_internal/utils/__init__": "",
    "_internal/utils/misc": "format_size = '{} bytes'.format",
    "_internal/operations/__init__": "",
    "_internal/operations/prepare": """
class RequirementPreparer:
    def prepare_linked_requirement(self, req, parallel_builds=False): print("opened", req.link.url)
    def prepare_editable_requirement(self, req): print("opened", req.link.url)
""",
    "_internal/commands/__init__": "",
    "_internal/commands/install": """
def install_given_reqs(requirements, root, home, prefix, warn_script_location, use_user_site, \
pycompile, progress_bar,
                       script_executable=None): print("installed")
""",
    "__main__": """
import types
from pip._internal import build_env
from pip._internal.commands import install
from pip._internal.network.download import Downloader
from pip._internal.operations.prepare import RequirementPreparer
def link_to(url):
    return types.SimpleNamespace(url=url, is_file=url.startswith("file:"), file_path=url[7:])
def req(url, is_direct=False):
    link = link_to(url)
    return types.SimpleNamespace(link=link, source_link=link, req="acme", name="acme", comes_from=None, \
download_info=None,
                                 is_direct=is_direct, local_file_path="acme.whl", \
metadata={"name": "acme", "version": "1.0"})
try:
    RUN
except BaseException:
    print("caught")
""",
}
"""The parts of a pip that are wrapped."""

LINK = "RequirementPreparer().prepare_linked_requirement(req({url!r}))"
EDITABLE = "RequirementPreparer().prepare_editable_requirement(req({url!r}))"
INSTALL = "install.install_given_reqs([req('x')], None, None, None, True, False, True, 'off')"
BESIDE = "build_env.SubprocessBuildEnvironmentInstaller().install([], None, kind='', for_req=None)"
INDEX = f"http://{HOST}/files/acme/acme-1.0-py3-none-any.whl"


class Bench:
    """A fake pip, and a backend for its requests."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.backend = FakeBackend(directory)
        self.modules = dict(MODULES)

    def run(self, code: str, *, proxy_url: str = "", early: bool = False) -> tuple[int, list[str], Server]:
        parent, private = self.parent(code), self.directory / "private"
        private.mkdir(exist_ok=True)
        child, lines = Child(), list[str]()
        with Server(self.backend, on_denial=child.end) as server:
            environment = child_environment({}, proxy_url=proxy_url or server.proxy_url, private=private)
            command = [sys.executable, "-I", str(guarded_pip.__file__), str(parent), HOST, "install"]
            if early:
                child.begin(command[:-1], environment)
            status = child.run(command, environment, lines.append, None)
        return status, lines, server

    def parent(self, code: str) -> Path:
        """Write the fake pip, and return the directory that it is in."""
        parent = self.directory / "parent"
        for name, text in self.modules.items():
            path = parent / "pip" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("RUN", code))
        return parent


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("url", [INDEX, f"{INDEX}#sha256={'0' * 64}"])
def test_b10_the_index_s_own_links_need_no_question(bench: Bench, url: str) -> None:
    status, lines, server = bench.run(LINK.format(url=url))
    assert (status, lines, bench.backend.asked, server.denial) == (0, [f"opened {url}"], [], None)


def test_b10_a_link_into_the_index_that_a_requirement_names_is_asked_about(bench: Bench) -> None:
    bench.backend.errors[f"link {INDEX}"] = error(RefusedError, "not-through-gate")
    code = f"RequirementPreparer().prepare_linked_requirement(req({INDEX!r}, is_direct=True))"
    status, lines, _ = bench.run(code)
    assert status != 0
    assert not {"caught", f"opened {INDEX}"} & set(lines)


PLACED = (
    "found = req({source!r}); found.link = link_to({place}); "
    "RequirementPreparer().prepare_linked_requirement(found)"
)


def test_b10_what_was_built_of_the_index_s_own_lies_in_a_temporary_place(bench: Bench) -> None:
    place = "'file://' + __import__('tempfile').gettempdir() + '/cache/acme.whl'"
    status, lines, _ = bench.run(PLACED.format(source=INDEX, place=place))
    assert (status, lines[0].startswith("opened file:"), bench.backend.asked) == (0, True, [])


@pytest.mark.parametrize("place", ["/evil/acme.whl", "{tmp}/acme", "{tmp}/../acme.whl", "{tmp}x/acme.whl"])
def test_b10_where_a_link_leads_is_asked_about_not_only_where_it_came_from(bench: Bench, place: str) -> None:
    """Only what this process has built itself, in its own temporary directory, may be in another place."""
    spelled = f"'file://' + {place!r}.format(tmp=__import__('tempfile').gettempdir())"
    path = place.format(tmp=bench.directory / "private" / "tmp")
    bench.backend.errors[f"link file://{path}"] = error(RefusedError, "not-through-gate")
    status, lines, server = bench.run(PLACED.format(source=INDEX, place=spelled))
    assert status != 0
    assert bench.backend.asked == [f"link file://{path}"]
    assert not any(line == "caught" or line.startswith("opened") for line in lines)
    assert server.denial is not None


@pytest.mark.parametrize("call", [LINK, EDITABLE])
@pytest.mark.parametrize(
    "url",
    [
        "file:///evil",
        "https://evil.example/x.whl",
        f"http://{HOST}.evil.example/x.whl",
        f"http://{HOST}@evil.example/x.whl",
        f"{INDEX}#subdirectory=evil",
        f"{INDEX}#sha256={'0' * 64}&subdirectory=evil",
    ],
)
def test_b10_every_other_link_is_asked_about_first(bench: Bench, call: str, url: str) -> None:
    bench.backend.errors[f"link {url}"] = error(RefusedError, "not-through-gate")
    status, lines, server = bench.run(call.format(url=url))

    assert status != 0
    assert not {"caught", f"opened {url}"} & set(lines)
    assert bench.backend.asked == [f"link {url}"]
    assert server.denial is not None
    assert server.denial.code == "not-through-gate"


def test_b10_a_link_with_half_a_character_is_refused_like_any_other(bench: Bench) -> None:
    """JSON with a lone surrogate is not a request; a path cannot have what replaces it in a URL."""
    bench.backend.errors["link file:///x?"] = error(RefusedError, "not-through-gate")
    status, _, server = bench.run(LINK.format(url="file:///x\udcff"))
    assert status != 0
    assert bench.backend.asked == ["link file:///x?"]
    assert server.denial is not None
    assert (server.denial.code, server.denial.exit_code) == ("not-through-gate", 1)


def test_b11_nothing_is_installed_without_a_yes(bench: Bench) -> None:
    assert bench.run(INSTALL)[:2] == (0, ["installed"])
    assert bench.backend.asked == ["plan acme==1.0"]


def test_b11_a_no_ends_pip_before_it_installs(bench: Bench) -> None:
    bench.backend.errors["plan acme==1.0"] = error(RefusedError, "not-through-gate")
    status, lines, _ = bench.run(INSTALL)
    assert status != 0
    assert not {"installed", "caught"} & set(lines)


@pytest.mark.parametrize("code", [LINK.format(url="file:///x"), INSTALL])
def test_b10_no_answer_is_a_no(bench: Bench, code: str) -> None:
    gone = f"import os; os.environ.clear(); {code}"
    bench.backend.before = lambda _what: (_ for _ in ()).throw(RuntimeError("a failure of our own"))
    status, lines, server = bench.run(gone)
    assert status != 0
    assert not {"installed", "caught", "opened file:///x"} & set(lines)
    assert server.denial is not None


@pytest.mark.parametrize("code", [LINK.format(url="file:///x"), INSTALL])
def test_b10_nobody_who_could_answer_is_a_no(bench: Bench, code: str) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        status, lines, _ = bench.run(code, proxy_url=f"http://u:p@127.0.0.1:{deaf.getsockname()[1]}")
    assert (status, lines) == (1, ["the gate does not answer"])


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("_internal/operations/prepare", "prepare_linked_requirement", "prepare_something"),
        ("_internal/operations/prepare", "prepare_editable_requirement", "prepare_something"),
        ("_internal/operations/prepare", "(self, req)", "(self, req, more)"),
        ("_internal/operations/prepare", "parallel_builds", "other"),
        ("_internal/operations/prepare", "class RequirementPreparer", "class Preparer"),
        ("_internal/build_env", "class Inprocess", "class Other"),
        ("_internal/build_env", "class Subprocess", "class Other"),
        ("_internal/build_env", "def install(", "def put("),
        ("_internal/network/session", "user_agent", "name_of_this"),
        ("_internal/network/session", "()", "(session)"),
        ("_internal/network/download", "def __call__(", "def get("),
        ("_internal/network/download", "location", "place"),
        ("_internal/network/download", "class Downloader", "class Getter"),
        ("_internal/network/download", "logger =", "log ="),
        ("_internal/utils/misc", "format_size", "shown"),
        ("_internal/commands/install", "install_given_reqs", "install_reqs"),
        ("_internal/commands/install", "script_executable=None", "script_executable=None, more=None"),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_b10_a_pip_that_we_do_not_know_is_not_run(
    bench: Bench, module: str, old: str, new: str, early: bool
) -> None:
    assert old in MODULES[module]
    bench.modules[module] = MODULES[module].replace(old, new)
    status, lines, server = bench.run("print('ran')", early=early)

    assert status != 0
    assert "ran" not in lines
    assert server.denial is not None
    assert (server.denial.code, server.denial.exit_code) == ("unknown-pip", 4)


def test_a_pip_that_was_begun_has_the_same_arguments_and_no_input(bench: Bench) -> None:
    code = "import os, sys; print(sys.argv[1:], sys.stdin.read(), os.read(0, 1))"
    assert [bench.run(code, early=early)[:2] for early in (True, False)] == [(0, ["['install']  b''"])] * 2


def test_a_pip_does_not_look_for_cycles_in_what_it_loaded(bench: Bench) -> None:
    """Unless it loads far more than pip does: neither while it does, nor at its end."""
    at_the_end = "lambda: print(gc.get_freeze_count() > 1000, gc.get_threshold()[0] >= 50_000)"
    assert bench.run(f"import atexit, gc; atexit.register({at_the_end})")[:2] == (0, ["True True"])


def test_a_pip_runs_nothing_to_name_itself(bench: Bench) -> None:
    """It would run ``rustc`` and ``lsb_release``, whatever these are on this PATH."""
    code = "from pip._internal.network import session; print(session.user_agent())"
    assert bench.run(code)[:2] == (0, ["pip"])


def test_a_pip_runs_in_a_python_that_collects_garbage_in_another_way(bench: Bench) -> None:
    parent = bench.parent("print('ran')")
    words = [guarded_pip.__file__, str(parent), HOST, "install"]
    code = f"import gc, runpy, sys; del gc.freeze, gc.set_threshold; sys.argv = {words!r}; "
    command = [sys.executable, "-I", "-c", code + "runpy.run_path(sys.argv[0], {}, '__main__')"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})

    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")


@pytest.mark.parametrize("told", ["", "[", '["install", "acme"', "nothing"])
def test_a_pip_that_is_not_told_what_to_do_does_nothing(bench: Bench, told: str) -> None:
    """Whoever began it may die in the middle of a word."""
    parent = bench.parent("print('ran')")
    command = [sys.executable, "-I", guarded_pip.__file__, str(parent), HOST, "-"]
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, env={})

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "nobody said what is to be done\n")


def test_a_pip_is_told_the_bytes_of_a_command_line(bench: Bench) -> None:
    """Its Python decodes them; ours may be in another mode, and a path would lead elsewhere."""
    parent = bench.parent("import os, sys; print(*(os.fsencode(word).hex() for word in sys.argv[1:]))")
    command = [sys.executable, "-I", guarded_pip.__file__, str(parent), HOST, "-"]
    told = json.dumps(["\u00c3\u00a9", "\u00e9", "x"])
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False, env={})

    assert done.stdout == "c3a9 e9 78\n"


def test_b10_a_second_pip_for_build_dependencies_is_not_started(bench: Bench) -> None:
    status, lines, server = bench.run(BESIDE)
    assert status != 0
    assert "beside" not in lines
    assert server.denial is not None
    assert server.denial.code == "unknown-pip"


TAKE = "print(*Downloader()(link_to({url!r}), __import__('tempfile').mkdtemp()))"


@pytest.mark.parametrize("end", ["", f"#sha256={'0' * 64}"])
def test_a_file_of_the_index_is_moved_to_where_pip_wants_it(bench: Bench, end: str) -> None:
    """Not copied: it may be large. What the gate keeps of it is its own."""
    bench.backend.add("acme", "1.0")
    place = bench.directory / INDEX.rpartition("/")[2]
    status, lines, server = bench.run(TAKE.format(url=f"{INDEX}{end}"))

    said, found = lines
    assert (status, server.denial, bench.backend.asked) == (0, None, [f"file {place.name}"])
    assert said == f"Downloading {place.name} ({place.stat().st_size} bytes)"
    path, _, kind = found.rpartition(" ")
    assert kind == "application/octet-stream"
    assert Path(path).read_bytes() == place.read_bytes()
    assert Path(path).is_relative_to(bench.directory / "private")
    assert bench.backend.taken == [place.name]
    assert [file for file in bench.directory.rglob(place.name) if file not in {place, Path(path)}] == []
    assert bench.backend.bytes_sent > place.stat().st_size


@pytest.mark.parametrize(
    "url",
    [
        f"{INDEX}.metadata",
        f"{INDEX}.metadata#sha256={'0' * 64}",
        f"{INDEX}?x",
        f"{INDEX}#egg=acme",
        f"http://{HOST}/simple/acme/",
        f"http://{HOST}.evil.example/files/acme/acme-1.0-py3-none-any.whl",
        "file:///evil/files/acme/acme-1.0-py3-none-any.whl",
    ],
)
def test_pip_downloads_everything_else_itself(bench: Bench, url: str) -> None:
    status, lines, _ = bench.run(TAKE.format(url=url).replace("*", ""))
    assert (status, lines, bench.backend.asked) == (0, [f"downloaded {url}", "None"], [])


def test_t34_a_refused_file_is_not_taken_and_ends_pip(bench: Bench) -> None:
    bench.backend.add("acme", "1.0")
    bench.backend.errors["file acme-1.0-py3-none-any.whl"] = error(RefusedError, "no-evidence")
    status, lines, server = bench.run(TAKE.format(url=INDEX))

    assert status != 0
    assert not any("caught" in line or "ownload" in line for line in lines)
    assert server.denial is not None
    assert server.denial.code == "no-evidence"
    assert bench.backend.taken == []


def test_a_path_is_told_as_the_bytes_that_it_is(tmp_path: Path) -> None:
    """As for arguments: the Python of the target may decode paths otherwise."""
    backend = FakeBackend(tmp_path / os.fsdecode(b"\xc3\xa9\xff"))
    backend.directory.mkdir()
    backend.add("acme", "1.0")
    told = _ask("take", {"project": "acme", "filename": "acme-1.0-py3-none-any.whl"}, backend)
    assert Path(os.fsdecode(told["path"].encode("latin-1"))).is_relative_to(backend.directory)


def _ask(question: str, document: object, backend: FakeBackend) -> dict[str, str]:
    return answer(question, json.dumps(document).encode(), backend)


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("link", {}),
        ("link", {"name": "a", "url": "b"}),
        ("link", {"name": "a", "url": "b", "wanted_by": 1}),
        ("link", {"name": "a", "url": "b", "wanted_by": "", "more": ""}),
        ("link", {"name": "a", "url": "b", "wanted_by": "", "more": 1}),
        ("take", {}),
        ("take", {"project": "acme"}),
        ("take", {"project": "acme", "filename": 1}),
        ("take", {"project": "acme", "filename": "a", "more": ""}),
        ("take", {"project": "../acme", "filename": "acme-1.0-py3-none-any.whl"}),
        ("plan", {}),
        ("plan", {"items": {}}),
        ("plan", {"items": [1]}),
        ("plan", {"items": [{"name": "a", "version": "1", "source": "s"}]}),
        ("unfit", {"found": "x"}),
        ("unfit", {}),
        ("other", {}),
        ("link", []),
    ],
)
def test_questions_that_nobody_can_answer(tmp_path: Path, question: str, document: object) -> None:
    backend = FakeBackend(tmp_path)
    with pytest.raises(InstallerError) as caught:
        _ask(question, document, backend)
    assert caught.value.code == "unknown-pip"
    assert backend.asked == []


@given(st.sampled_from(["link", "take", "plan", "unfit", "x"]), st.binary(max_size=60))
def test_any_bytes_are_a_question_or_an_error(question: str, body: bytes) -> None:
    with pytest.raises(InstallerError):
        answer(question, body, FakeBackend(Path("nowhere")))


def test_b10_what_the_user_named_may_be_opened(tmp_path: Path) -> None:
    copy, mine = tmp_path / "copy" / "a.whl", tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "link").symlink_to(mine)
    odd = tmp_path / os.fsdecode(b"odd\xff")
    things = LocalInputs(files={copy: Path("/home/a.whl")}, directories=frozenset({mine, odd}))

    def record(url: str) -> str:
        return things.record(LinkRequest(name="a", url=url, wanted_by="b"))

    assert record(copy.as_uri()) == "file:///home/a.whl"
    assert record(mine.as_uri()) == record((tmp_path / "link").as_uri()) == ""
    for url in (
        (copy.parent).as_uri(),
        (mine / "below").as_uri(),
        mine.parent.as_uri(),
        f"{mine.as_uri()}#egg=a",
        f"{mine.as_uri()}#subdirectory=..",
        f"{mine.as_uri()}?x",
        f"file://elsewhere{mine}",
        f"git+{mine.as_uri()}",
        str(mine),
        "file:///a\0b",
        f"{odd.parent.as_uri()}/odd%FF",
        "file://[x",
        "",
    ):
        with pytest.raises(RefusedError) as caught:
            record(url)
        assert caught.value.code == "not-through-gate"


@given(st.text(max_size=30))
def test_any_text_is_a_local_path_or_none(url: str) -> None:
    path = path_from_url(url)
    assert path is None or path.is_absolute()


def test_b12_a_path_that_pip_would_split_is_refused_with_extras(tmp_path: Path) -> None:
    odd = tmp_path / "a;b"
    assert project_arguments(LocalProject(path=odd)) == [odd.as_uri()]
    assert project_arguments(LocalProject(path=odd, extras="[x]", editable=True))[1].endswith("a%3Bb[x]")
    with pytest.raises(UsageError) as caught:
        project_arguments(LocalProject(path=odd, extras="[x]"))
    assert (caught.value.code, caught.value.exit_code) == ("bad-requirement", 2)


@pytest.mark.parametrize("extras", ["", "[x]"])
def test_b12_a_path_that_pip_would_read_otherwise_is_refused(tmp_path: Path, extras: str) -> None:
    """It strips blanks at the end of a path before extras, and reads what is not UTF-8 as U+FFFD."""
    for odd in (tmp_path / os.fsdecode(b"a\xff"), *([tmp_path / "a "] if extras else [])):
        with pytest.raises(UsageError) as caught:
            project_arguments(LocalProject(path=odd, extras=extras))
        assert (caught.value.code, caught.value.exit_code) == ("bad-requirement", 2)


def test_b11_a_downloaded_file_must_have_been_accepted_under_its_name() -> None:
    """Its bytes alone are not enough: under another name they are another release."""
    digest = digest_of(b"good").hex
    assert accepted_under_its_name(Path("a-1.0.tar.gz"), {"a-1.0.tar.gz": digest}).hex == digest
    with pytest.raises(RefusedError) as caught:
        accepted_under_its_name(Path("a-2.0.tar.gz"), {"a-1.0.tar.gz": digest})
    assert (caught.value.code, caught.value.exit_code) == ("not-through-gate", 1)


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_b11_what_a_plan_was_built_of_must_have_been_accepted(tmp_path: Path, sha256: str) -> None:
    built = PlannedInstall(name="acme", version="1.0", source="http://x/a.tar.gz", wheel=tmp_path / "a.whl")
    item = Installed(name="acme", version="1.0", sha256=sha256, directory="")
    for known in (frozenset[str](), frozenset({""})):
        with pytest.raises(RefusedError) as caught:
            reconcile_plan([built], [item], known, frozenset())
        assert caught.value.code == "not-through-gate"


def test_b11_a_plan_is_what_the_report_says_of_what_was_accepted(tmp_path: Path) -> None:
    wheel, other = tmp_path / "a.whl", tmp_path / "b.whl"
    wheel.write_bytes(b"good")
    other.write_bytes(b"other")
    digest = digest_of(b"good").hex
    item = Installed(name="Acme", version="1.0", sha256=digest, directory="")

    def planned(
        version: str = "1.0", source: str = "http://x/a.whl#sha256=1", path: Path = wheel
    ) -> PlannedInstall:
        return PlannedInstall(name="acme", version=version, source=source, wheel=path)

    accepted = frozenset({digest})
    reconcile_plan([planned()], [item], accepted, frozenset())
    reconcile_plan([planned(source="http://x/a.tar.gz", path=other)], [item], accepted, frozenset())
    for plan, items, known in (
        ([planned()], [item], frozenset[str]()),
        ([planned("2.0")], [item], accepted),
        ([], [item], accepted),
        ([planned()], [], accepted),
        ([planned(path=other)], [item], accepted),
        ([planned(path=tmp_path / "none")], [item], accepted),
    ):
        with pytest.raises(RefusedError) as caught:
            reconcile_plan(plan, items, known, frozenset())
        assert (caught.value.code, caught.value.exit_code) == ("not-through-gate", 1)


def test_the_credentials_in_a_link_that_a_package_asks_for_are_not_repeated() -> None:
    asked = LinkRequest(name="a", url="git+https://me:s3cret@h.example/a", wanted_by="b")

    with pytest.raises(RefusedError) as caught:
        LocalInputs(files={}, directories=frozenset()).record(asked)

    assert caught.value.code == "not-through-gate"
    assert caught.value.exit_code == 1
    assert "found a at git+https://…@h.example/a, wanted by b" in caught.value.message
