"""Reference 1, 2 and 3: routes, pages, uploads, rows."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pip_warden.sandbox import File, Forwarding, Project, Role, Sandbox
from sandbox.conftest import Http

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/tools/widgets", visibility="public")


@pytest.fixture
def auth(sandbox: Sandbox) -> tuple[str, str]:
    return ("x", sandbox.token())


@pytest.fixture
def apart(shared: Sandbox, request: pytest.FixtureRequest) -> Project:
    """A project of this test alone in a shared sandbox."""
    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()
    return shared.project(f"apart/p{digest[:16]}", visibility="public")


@pytest.fixture
def key(shared: Sandbox) -> tuple[str, str]:
    return ("x", shared.token())


def _post(
    http: Http, project: Project, auth: tuple[str, str], file: File, **fields: Any
) -> requests.Response:
    data = {"name": "acme-widgets", "version": "1.0", "sha256_digest": file.sha256} | fields
    data = {key: value for key, value in data.items() if value is not None}
    return http("POST", project.pypi_url, auth=auth, data=data, files={"content": (file.name, file.data)})


class TestPyPIPages:
    def test_html_has_gitlabs_shape(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        wheel = sandbox.wheel("acme-widgets", "1.0", requires_python=">=3.7")
        sandbox.publish(project, [wheel], forms=())

        answer = http("GET", f"{project.simple_url}/acme-widgets/")

        url = f"{project.pypi_url}/files/{wheel.sha256}/{wheel.name}#sha256={wheel.sha256}"
        assert f'<a href="{url}" data-requires-python="&gt;=3.7">{wheel.name}</a>' in answer.text
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.text.startswith("<!DOCTYPE html>")
        assert "Links for acme_widgets" in answer.text
        sandbox.settings.leading_whitespace = True
        assert http("GET", f"{project.simple_url}/acme-widgets").text.startswith(" ")

    def test_path_id_group_and_slash(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        sandbox.publish(project, [sandbox.wheel("acme-widgets", "1.0")], forms=())
        api = f"{sandbox.gitlab_url}/api/v4"
        group = sandbox.group("acme")

        for base in (f"{api}/projects/acme%2Ftools%2Fwidgets/packages/pypi", project.pypi_url):
            assert f"{project.pypi_url}/files/" in http("GET", f"{base}/simple/acme-widgets").text
            assert (
                http("GET", f"{base}/simple/").status_code == http("GET", f"{base}/simple").status_code == 200
            )
        for name in ("acme", str(group.id), "acme%2Ftools"):
            page = http("GET", f"{api}/groups/{name}/-/packages/pypi/simple/acme-widgets/")
            assert "/-/packages/pypi/files/" in page.text
        sandbox.user("somebody")
        assert http("GET", f"{api}/groups/somebody/-/packages/pypi/simple").status_code == 404
        assert http("GET", f"{api}/nothing").json() == {"error": "404 Not Found"}

    def test_only_the_asked_name_is_not_normalized(
        self, sandbox: Sandbox, http: Http, project: Project
    ) -> None:
        sandbox.publish(
            project,
            [File(name="My.Pkg-1.0.tar.gz", data=b"a"), File(name="my_pkg-2.0.tar.gz", data=b"b")],
            forms=(),
        )

        assert http("GET", f"{project.simple_url}/my-pkg/").text.count("<a ") == 2
        assert http("GET", f"{project.simple_url}/MY-PKG/").text.count("<a ") == 2
        for name in ("my_pkg", "my.pkg"):
            missed = http("GET", f"{project.simple_url}/{name}/")
            assert (missed.status_code, missed.headers["Location"]) == (302, f"{sandbox.pypi_url}/{name}/")
            assert missed.text.startswith("This resource has been moved temporarily to ")
        sandbox.settings.forwarding = Forwarding.OFF
        off = http("GET", f"{project.simple_url}/my_pkg/")
        assert (off.status_code, off.json()) == (404, {"message": "404 Package Not Found"})

    def test_json_behind_its_flag(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        one, two = (
            sandbox.wheel("acme-widgets", "1.0", requires_python=">=3.8"),
            sandbox.wheel("acme-widgets", "2.0"),
        )
        sandbox.publish(project, [one, two], forms=())
        accept = {"headers": {"Accept": f"text/html, {JSON};q=0.1"}}
        assert "html" in http("GET", project.simple_url, **accept).headers["Content-Type"]
        sandbox.settings.pep691 = True

        root = http("GET", project.simple_url, **accept)
        page = http("GET", f"{project.simple_url}/acme-widgets/", **accept).json()

        assert root.headers["Content-Type"] == f"{JSON}; charset=utf-8"
        assert root.headers["Vary"] == http("GET", project.simple_url).headers["Vary"] == "Accept"
        assert root.json() == {"meta": {"api-version": "1.0"}, "projects": [{"name": "acme-widgets"}]}
        assert page["files"][0] == {
            "filename": one.name,
            "url": f"{project.pypi_url}/files/{one.sha256}/{one.name}#sha256={one.sha256}",
            "hashes": {"sha256": one.sha256},
            "requires-python": ">=3.8",
        }
        assert "requires-python" not in page["files"][1]
        assert http("GET", project.simple_url).text.count("<a ") == 2

    def test_a_group_lists_twins_of_several_projects(
        self, sandbox: Sandbox, http: Http, project: Project
    ) -> None:
        twin = sandbox.project("acme/other", visibility="public")
        hidden = sandbox.project("acme/secret")
        name = "acme_widgets-1.0-py3-none-any.whl"
        for number, home in enumerate((project, twin, hidden)):
            sandbox.put_files(home, [File(name=name, data=str(number).encode())])
        base = f"{sandbox.gitlab_url}/api/v4/groups/acme/-/packages/pypi"

        page = http("GET", f"{base}/simple/acme-widgets/").text

        assert page.count(f">{name}</a>") == 2
        digest = hashlib.sha256(b"1").hexdigest()
        assert http("GET", f"{base}/files/{digest}/{name}").content == b"1"
        assert sandbox.group_simple_url("acme").endswith("/-/packages/pypi/simple")
        secret = hashlib.sha256(b"2").hexdigest()
        assert http("GET", f"{base}/files/{secret}/{name}").content == b"2"  # the hash is enough
        assert http("GET", f"{base}/files/{'0' * 64}/{name}").json() == {"message": "404 Not found"}

    def test_files_by_claimed_hash_and_name(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        wheel = sandbox.wheel("acme-widgets", "1.0")
        sandbox.publish(project, [wheel], forms=())

        good = http("GET", f"{project.pypi_url}/files/{wheel.sha256}/{wheel.name}")

        assert good.content == wheel.data
        assert good.headers["Content-Disposition"].startswith(f'attachment; filename="{wheel.name}"')
        for path in (f"{'1' * 64}/{wheel.name}", f"{wheel.sha256}/other.whl", f"/{wheel.name}"):
            assert http("GET", f"{project.pypi_url}/files/{path}").status_code == 404

    def test_a_file_by_path_is_served_like_any_other(
        self, sandbox: Sandbox, http: Http, project: Project, tmp_path: Path
    ) -> None:
        made = sandbox.wheel("acme-widgets", "1.0")
        (tmp_path / made.name).write_bytes(made.data)
        url = f"{project.pypi_url}/files/{made.sha256}/{made.name}"

        def seen(method: str) -> tuple[int, bytes, dict[str, str]]:
            answer = http(method, url)
            headers = {name: value for name, value in answer.headers.items() if name.lower() != "date"}
            return answer.status_code, answer.content, headers

        sandbox.put_files(project, [made])
        usual = [seen(method) for method in ("GET", "HEAD")]
        sandbox.delete_file(project, made.name)
        sandbox.put_file_by_path(project, tmp_path / made.name)

        assert [seen(method) for method in ("GET", "HEAD")] == usual
        assert usual[0][:2] == (200, made.data)

    def test_proxied_index_of_the_firewall(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        wheel = sandbox.wheel("idna", "3.20")
        (file,) = sandbox.upstream.add("idna", [wheel])
        page = f"{project.simple_url}/idna/"

        sandbox.settings.forwarding = Forwarding.OWN_ORIGIN
        link = f"{project.pypi_url}/forward/idna{file.path}"
        assert f'href="{link}#sha256={wheel.sha256}"' in http("GET", page).text
        assert http("GET", link).headers["Location"] == sandbox.files_url + file.path
        assert http("GET", f"{project.pypi_url}/forward/idna/packages/other").status_code == 404

        sandbox.settings.forwarding = Forwarding.UPSTREAM_URL
        url = f"{project.pypi_url}/files/{wheel.sha256}/{wheel.name}?upstream_url="
        assert url in http("GET", page).text
        assert http("GET", url + sandbox.files_url + file.path).status_code == 302

        assert http("GET", f"{project.simple_url}/nothing/").status_code == 404
        sandbox.settings.firewall_blocked.add("idna")
        assert http("GET", page).status_code == 403
        sandbox.settings.firewall_blocked.clear()
        sandbox.upstream.failing = 503
        assert http("GET", page).status_code == 502


class TestPyPIUpload:
    def test_believes_the_digest(
        self, http: Http, project: Project, auth: tuple[str, str], sandbox: Sandbox
    ) -> None:
        wheel = sandbox.wheel("acme-widgets", "1.0")

        answer = _post(http, project, auth, wheel, sha256_digest="1" * 64)

        assert (answer.status_code, answer.json()) == (201, {"message": "201 Created"})
        assert http("GET", f"{project.pypi_url}/files/{'1' * 64}/{wheel.name}").content == wheel.data
        _post(http, project, auth, sandbox.sdist("acme-widgets", "1.0"), sha256_digest=None)
        assert (
            '/files//acme_widgets-1.0.tar.gz#sha256="'
            in http("GET", f"{project.simple_url}/acme-widgets/").text
        )

    def test_taken_names_and_reuse(
        self, http: Http, project: Project, auth: tuple[str, str], sandbox: Sandbox
    ) -> None:
        wheel = sandbox.wheel("acme-widgets", "1.0")
        _post(http, project, auth, wheel)

        new = _post(http, project, auth, wheel)
        sandbox.settings.old_duplicate_text = True
        old = _post(http, project, auth, wheel)

        taken = "Validation failed: File name has already been taken"
        assert (new.status_code, new.json()) == (400, {"message": f"400 Bad request - {taken}"})
        assert (old.status_code, old.json()) == (400, {"message": taken})
        package = http("GET", f"{project.api_url}/packages").json()[0]["id"]
        header = {"PRIVATE-TOKEN": auth[1]}
        assert http("DELETE", f"{project.api_url}/packages/{package}", headers=header).status_code == 204
        assert _post(http, project, auth, File(name=wheel.name, data=b"other")).status_code == 201

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"name": None}, {"error": "name is missing"}),
            ({"name": None, "version": None}, {"error": "name is missing, version is missing"}),
            ({"sha256_digest": "xyz"}, {"error": "sha256_digest is invalid"}),
            ({"name": "no spaces"}, {"message": "400 Bad request - Validation failed: Name is invalid"}),
            ({"version": "one"}, {"message": "400 Bad request - Validation failed: Version is invalid"}),
        ],
    )
    def test_faulty_fields(
        self,
        http: Http,
        apart: Project,
        key: tuple[str, str],
        shared: Sandbox,
        fields: dict[str, Any],
        text: object,
    ) -> None:
        answer = _post(http, apart, key, shared.wheel("acme-widgets", "1.0"), **fields)

        assert (answer.status_code, answer.json()) == (400, text)

    @pytest.mark.parametrize("version", ["1!2.0", "1.0+abc", "1.0rc1", "v2", "1.0.post1.dev2"])
    def test_versions_of_pep_440(
        self, http: Http, apart: Project, key: tuple[str, str], shared: Sandbox, version: str
    ) -> None:
        assert (
            _post(http, apart, key, shared.wheel("acme-widgets", "1.0"), version=version).status_code == 201
        )

    def test_refusals_of_the_server(
        self, http: Http, project: Project, auth: tuple[str, str], sandbox: Sandbox
    ) -> None:
        wheel, settings = sandbox.wheel("acme-widgets", "1.0"), sandbox.settings
        missing = http("POST", project.pypi_url, auth=auth, files={"x": b"y"})
        assert missing.json() == {"error": "content is missing, name is missing, version is missing"}
        assert _post(http, project, auth, wheel, requires_python="x" * 256).status_code == 400
        settings.max_file_size = 10
        assert _post(http, project, auth, wheel).json() == {"message": "400 Bad request - File is too large"}
        settings.too_large_status = 413
        assert _post(http, project, auth, wheel).status_code == 413
        settings.max_file_size, settings.fips = None, True
        assert _post(http, project, auth, wheel, sha256_digest=None).status_code == 422
        settings.fips, settings.storage_writes_fail = False, True
        assert _post(http, project, auth, wheel).status_code == 403
        settings.storage_writes_fail = False
        project.protect("acme-*", Role.OWNER)
        protected = _post(http, project, auth, wheel)
        assert (protected.status_code, protected.json()) == (
            403,
            {"message": "403 Forbidden - Package protected."},
        )


class TestGeneric:
    @pytest.mark.parametrize(
        ("path", "status", "text"),
        [
            ("widgets/1.0/file.sig", 201, {"message": "201 Created"}),
            ("widgets/1.0+abc/a%2Bb~c@d", 201, {"message": "201 Created"}),
            ("widgets/1!2.0/file", 400, {"error": "package_version is invalid"}),
            ("widgets/1..0/file", 400, {"error": "package_version is invalid"}),
            ("wid%20gets/1.0/file", 400, {"error": "package_name is invalid"}),
            ("widgets/1.0/demo-1!2.0.whl", 400, {"error": "file_name is invalid"}),
            ("widgets/1.0/~file", 400, {"error": "file_name is invalid"}),
            ("widgets/1.0/%2e%2e%2fsecret", 400, {"error": "path should be a valid file path"}),
            ("widgets/1.0/file?select=other", 400, {"error": "select does not have a valid value"}),
            ("widgets/1.0/file?status=processing", 400, {"error": "status does not have a valid value"}),
        ],
    )
    def test_names(
        self, http: Http, apart: Project, key: tuple[str, str], path: str, status: int, text: object
    ) -> None:
        answer = http("PUT", f"{apart.api_url}/packages/generic/{path}", auth=key, data=b"x")

        assert (answer.status_code, answer.json()) == (status, text)

    def test_newest_wins_and_rows_stay(self, http: Http, project: Project, auth: tuple[str, str]) -> None:
        url = project.generic_url("1.0", "f.sig")
        http("PUT", url, auth=auth, data=b"first")

        row = http("PUT", f"{url}?select=package_file", auth=auth, data=b"second")

        assert (row.status_code, row.json()["file_sha256"]) == (200, hashlib.sha256(b"second").hexdigest())
        got, head = http("GET", url), http("HEAD", url)
        assert (got.content, head.content, head.status_code) == (b"second", b"", 200)
        assert got.headers["X-Checksum-SHA256"] == hashlib.sha256(b"second").hexdigest()
        files = f"{project.api_url}/packages/{row.json()['package_id']}/package_files"
        rows = http("GET", files).json()
        assert [entry["file_name"] for entry in rows] == ["f.sig", "f.sig"]
        assert http("GET", f"{files}/{rows[0]['id']}/download").content == b"first"
        assert (
            http("DELETE", f"{files}/{rows[1]['id']}", headers={"PRIVATE-TOKEN": auth[1]}).status_code == 204
        )
        assert http("GET", url).content == b"first"

    def test_duplicates_can_be_forbidden(
        self, sandbox: Sandbox, http: Http, project: Project, auth: tuple[str, str]
    ) -> None:
        root, url = sandbox.group("acme"), project.generic_url("1.0", "f")
        http("PUT", url, auth=auth, data=b"x")
        root.generic_duplicates_allowed = False

        refused = http("PUT", url, auth=auth, data=b"y")

        assert refused.json() == {"message": "400 Bad request - Duplicate package is not allowed"}
        root.generic_duplicates_exception = "wid.*"
        assert http("PUT", url, auth=auth, data=b"y").status_code == 201

    def test_hidden_is_still_downloadable_but_not_by_id(
        self, http: Http, project: Project, auth: tuple[str, str]
    ) -> None:
        url = project.generic_url("1.0", "f")
        row = http("PUT", f"{url}?status=hidden&select=package_file", auth=auth, data=b"x").json()

        assert http("GET", url).content == b"x"
        packages = f"{project.api_url}/packages"
        assert http("GET", packages).json() == []
        assert len(http("GET", f"{packages}?status=hidden").json()) == 1
        for path in ("", "/package_files", f"/package_files/{row['id']}/download"):
            assert http("GET", f"{packages}/{row['package_id']}{path}").status_code == 404

    def test_nested_files_are_one_name(self, http: Http, project: Project, auth: tuple[str, str]) -> None:
        base = project.generic_url("1.0")
        row = http("PUT", f"{base}/path/to/file?select=package_file", auth=auth, data=b"x").json()

        assert row["file_name"] == "path%2Fto%2Ffile"
        assert http("GET", f"{base}/path%2Fto%2Ffile").content == b"x"
        assert http("GET", f"{base}/file").status_code == 404

    def test_refusals_of_the_server(
        self, sandbox: Sandbox, http: Http, project: Project, auth: tuple[str, str]
    ) -> None:
        url = project.generic_url("1.0", "f")
        assert http("GET", url).status_code == 404
        assert http("PUT", url, auth=auth).status_code == 400
        sandbox.settings.max_file_size = 1
        assert http("PUT", url, auth=auth, data=b"xx").json() == {
            "message": "400 Bad request - File is too large"
        }
        sandbox.settings.storage_writes_fail = True
        assert http("PUT", url, auth=auth, data=b"x").status_code == 403
        sandbox.settings.checksum_header = False
        sandbox.put_evidence(project, "1.0", {"f": b"x"})
        assert "X-Checksum-SHA256" not in http("GET", url).headers


class TestPackagesApi:
    @staticmethod
    def _filled(sandbox: Sandbox, project: Project) -> str:
        if not project.record.packages:
            for number in range(5):
                sandbox.put_files(project, [sandbox.wheel("acme-widgets", f"1.{number}")])
            sandbox.put_files(project, [sandbox.wheel("acme-widgets-extra", "1.0")])
            sandbox.put_evidence(project, "1.0", {"f": b"x"})
        return f"{project.api_url}/packages"

    @pytest.fixture
    def packages(self, sandbox: Sandbox, project: Project) -> str:
        return self._filled(sandbox, project)

    @pytest.fixture
    def common(self, shared: Sandbox) -> str:
        return self._filled(shared, shared.project("common/widgets", visibility="public"))

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("package_type=pypi", 6),
            ("package_type=generic", 1),
            ("package_name=widgets&package_type=pypi", 6),
            ("package_name=EXTRA", 1),
            ("package_name=acme_widgets&package_version=1.0", 2),
            ("status=error", 0),
        ],
    )
    def test_filters(self, http: Http, common: str, query: str, count: int) -> None:
        assert len(http("GET", f"{common}?{query}").json()) == count

    @pytest.mark.parametrize(
        "query",
        ["package_type=perl", "status=odd", "order_by=size", "order_by=project_path", "page=0", "per_page=x"],
    )
    def test_faulty_queries(self, http: Http, common: str, query: str) -> None:
        assert http("GET", f"{common}?{query}").status_code == 400

    def test_pages(self, sandbox: Sandbox, http: Http, packages: str) -> None:
        first = http("GET", f"{packages}?per_page=3")
        last = http("GET", f"{packages}?per_page=3&page=3&order_by=name&sort=desc")

        assert (first.headers["x-next-page"], first.headers["x-total"], first.headers["x-total-pages"]) == (
            "2",
            "7",
            "3",
        )
        assert first.links["next"]["url"] == f"{packages}?page=2&per_page=3"
        assert (last.headers["x-next-page"], last.headers["x-prev-page"], len(last.json())) == ("", "2", 1)
        sandbox.settings.totals, sandbox.settings.next_page_past_end = False, True
        odd = http("GET", f"{packages}?per_page=3&page=3")
        assert "x-total" not in odd.headers
        assert (odd.headers["x-next-page"], "last" in odd.links) == ("4", False)
        assert http("GET", f"{packages}?per_page=3&page=4").json() == []
        assert http("GET", f"{packages}?pagination=keyset").status_code == 405

    def test_groups_name_the_project(self, sandbox: Sandbox, http: Http, project: Project) -> None:
        self._filled(sandbox, project)
        url = f"{sandbox.gitlab_url}/api/v4/groups/acme/packages?package_type=generic"

        (entry,) = http("GET", url).json()

        assert (entry["project_id"], entry["project_path"]) == (project.id, project.path)
        assert http("GET", f"{url}&exclude_subgroups=true").json() == []

    def test_download_by_id_is_new(self, sandbox: Sandbox, http: Http, packages: str) -> None:
        package = http("GET", packages).json()[0]["id"]
        (row,) = http("GET", f"{packages}/{package}/package_files?order_by=file_name&sort=desc").json()
        url = f"{packages}/{package}/package_files/{row['id']}/download"

        assert http("GET", url).status_code == 200
        sandbox.settings.package_file_download = False
        assert http("GET", url).status_code == 404

    def test_deletion_needs_a_maintainer_and_an_old_row(
        self, sandbox: Sandbox, http: Http, project: Project, packages: str
    ) -> None:
        project.add_member("developer", Role.DEVELOPER)
        url = f"{packages}/{http('GET', packages).json()[0]['id']}"
        since = format_datetime(sandbox.clock.now() - timedelta(days=1))

        assert http("DELETE", url).status_code == 401
        assert (
            http("DELETE", url, headers={"PRIVATE-TOKEN": sandbox.token(user="developer")}).status_code == 403
        )
        owner = {"PRIVATE-TOKEN": sandbox.token()}
        assert http("DELETE", url, headers=owner | {"If-Unmodified-Since": since}).status_code == 412
        assert http("DELETE", url, headers=owner).status_code == 204
        assert http("GET", url).status_code == 404

    def test_a_jobs_upload_names_its_pipeline(self, http: Http, project: Project) -> None:
        http("PUT", project.generic_url("1.0", "f"), data=b"x", headers={"JOB-TOKEN": project.job_token})

        (entry,) = http("GET", f"{project.api_url}/packages").json()

        assert (entry["pipeline"]["source"], entry["pipeline"]["ref"]) == ("push", "main")
