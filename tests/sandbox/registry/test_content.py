"""Manifests, blobs, uploads and lists: each route, each status."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
import requests

from pip_warden.sandbox import Image, Job, Project, Sandbox
from pip_warden.sandbox.registry.manifests import INDEX, MANIFEST, MOST_BYTES
from sandbox.conftest import Http
from sandbox.registry.conftest import Registry, token_of

DATA = b"a layer of some bytes"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def code(response: requests.Response) -> tuple[int, str]:
    assert response.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    (code,) = {entry["code"] for entry in response.json()["errors"]}
    return response.status_code, str(code)


@pytest.fixture
def image(sandbox: Sandbox) -> Image:
    return sandbox.image({"app/main.py": "print(1)\n"}, labels={"a": "b"})


def put(registry: Registry, data: bytes, reference: str, kind: str = MANIFEST) -> requests.Response:
    return registry("PUT", f"manifests/{reference}", data=data, headers={"Content-Type": kind})


def test_an_image_is_pushed_and_pulled(registry: Registry, image: Image, sandbox: Sandbox) -> None:
    for blob in image.blobs:
        answer = registry("POST", f"blobs/uploads/?digest={digest(blob)}", data=blob)
        assert (answer.status_code, answer.headers["Docker-Content-Digest"]) == (201, digest(blob))
        assert registry("GET", answer.headers["Location"]).content == blob
    pushed = put(registry, image.manifest, "1.0")

    assert (pushed.status_code, pushed.headers["Docker-Content-Digest"]) == (201, image.digest)
    assert pushed.headers["Location"] == f"{sandbox.registry_url}/v2/acme/tools/manifests/{image.digest}"
    for reference in ("1.0", image.digest):
        pulled, head = (registry(method, f"manifests/{reference}") for method in ("GET", "HEAD"))
        assert (pulled.content, head.content) == (image.manifest, b"")
        for answer in (pulled, head):
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == MANIFEST
            assert answer.headers["Docker-Content-Digest"] == image.digest
            assert answer.headers["Content-Length"] == str(len(image.manifest))


def test_images_are_pure_bytes(sandbox: Sandbox, image: Image) -> None:
    again = sandbox.image({"app/main.py": "print(1)\n"}, labels={"a": "b"})
    other = sandbox.image({"app/main.py": "print(1)\n"}, platform="linux/arm64")
    both = sandbox.image_index([image, other])

    assert again == image
    assert image.digest == digest(image.manifest)
    assert [layer["digest"] for layer in json.loads(image.manifest)["layers"]] == [digest(image.blobs[1])]
    assert [entry["platform"]["architecture"] for entry in json.loads(both.manifest)["manifests"]] == [
        "amd64", "arm64",
    ]  # fmt: skip


def test_a_manifest_is_kept_only_with_its_parts(registry: Registry, image: Image, sandbox: Sandbox) -> None:
    missing = put(registry, image.manifest, "1.0")
    assert code(missing) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert [entry["detail"] for entry in missing.json()["errors"]] == [digest(blob) for blob in image.blobs]
    index = sandbox.image_index([image])
    lost = put(registry, index.manifest, "1.0", INDEX)
    assert (code(lost), lost.json()["errors"][0]["detail"]) == ((400, "MANIFEST_BLOB_UNKNOWN"), image.digest)
    assert code(registry("GET", "manifests/1.0")) == (404, "MANIFEST_UNKNOWN")


CHANGES: dict[str, tuple[dict[str, object], str]] = {
    "schema": ({"schemaVersion": 1}, MANIFEST),
    "other type": ({"mediaType": INDEX}, MANIFEST),
    "type of nothing": ({"mediaType": "text/plain"}, "text/plain"),
    "an index that is none": ({"mediaType": INDEX}, INDEX),
    "both": ({"manifests": []}, MANIFEST),
    "no digest": ({"layers": [{"size": 3}]}, MANIFEST),
    "other algorithm": ({"layers": [{"digest": "md5:00"}]}, MANIFEST),
    "no list": ({"layers": 3}, MANIFEST),
    "a subject without a digest": ({"subject": {}}, MANIFEST),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_no_manifest(registry: Registry, project: Project, sandbox: Sandbox, name: str) -> None:
    image = sandbox.image({"a": "b"})
    sandbox.push_image(project, image)
    changes, kind = CHANGES[name]
    data = json.dumps(json.loads(image.manifest) | changes).encode()

    assert code(put(registry, data, "1.0", kind)) == (400, "MANIFEST_INVALID")
    assert sandbox.image_tags(project) == {}


def test_manifests_that_are_refused_for_what_they_are(registry: Registry, image: Image) -> None:
    assert code(put(registry, b"{", "1.0")) == (400, "MANIFEST_INVALID")
    assert code(put(registry, b"[]", "1.0")) == (400, "MANIFEST_INVALID")
    assert code(put(registry, b" " * (MOST_BYTES + 1), "1.0")) == (413, "MANIFEST_INVALID")
    assert code(put(registry, image.manifest, digest(b"other"))) == (400, "DIGEST_INVALID")
    assert code(put(registry, image.manifest, "-tag")) == (400, "TAG_INVALID")
    assert code(put(registry, image.manifest, "t" * 129)) == (400, "TAG_INVALID")


def test_an_index_is_pulled_by_who_accepts_it(
    registry: Registry, sandbox: Sandbox, project: Project, image: Image
) -> None:
    index = sandbox.image_index([image])
    sandbox.push_image(project, index, "1.0")

    assert put(registry, index.manifest, index.digest, INDEX).status_code == 201
    assert registry("GET", "manifests/1.0").headers["Content-Type"] == INDEX
    for accept in ("*/*", MANIFEST, f"text/plain, {MANIFEST};q=0.5"):
        answer = registry("GET", "manifests/1.0", headers={"Accept": accept})
        assert code(answer) == (404, "MANIFEST_UNKNOWN")


def test_deleting(registry: Registry, sandbox: Sandbox, project: Project, image: Image) -> None:
    sandbox.push_image(project, image, "1.0")
    sandbox.push_image(project, image, "2.0")
    layer = digest(image.blobs[1])

    assert registry("DELETE", "manifests/1.0").status_code == 202
    assert sandbox.image_tags(project) == {"2.0": image.digest}
    assert registry("DELETE", f"manifests/{image.digest}").status_code == 202
    assert sandbox.image_tags(project) == {}
    assert code(registry("DELETE", f"manifests/{image.digest}")) == (404, "MANIFEST_UNKNOWN")
    assert code(registry("GET", "manifests/2.0")) == (404, "MANIFEST_UNKNOWN")
    assert registry("DELETE", f"blobs/{layer}").status_code == 202
    assert code(registry("DELETE", f"blobs/{layer}")) == (404, "BLOB_UNKNOWN")
    assert code(registry("GET", "blobs/sha256:12")) == (400, "DIGEST_INVALID")
    assert code(registry("POST", "manifests/1.0")) == (405, "UNSUPPORTED")
    assert registry("GET", "manifests").status_code == 404


def test_an_upload_in_chunks(registry: Registry) -> None:
    begun = registry("POST", "blobs/uploads/")
    assert (begun.status_code, begun.headers["Range"]) == (202, "0-0")
    place = begun.headers["Location"]

    first = registry("PATCH", place, data=DATA[:9], headers={"Content-Range": "0-8"})
    assert (first.status_code, first.headers["Range"]) == (202, "0-8")
    assert code(registry("PATCH", place, data=DATA[9:])) == (400, "BLOB_UPLOAD_INVALID")  # the old state
    place = first.headers["Location"]
    status = registry("GET", place)
    assert (status.status_code, status.headers["Range"], status.headers["Location"]) == (204, "0-8", place)
    gap = registry("PATCH", place, data=b"x", headers={"Content-Range": "10-10"})
    assert (code(gap), gap.headers["Range"]) == ((416, "RANGE_INVALID"), "0-8")
    assert code(registry("PATCH", place, data=b"xy", headers={"Content-Range": "9-9"})) == (
        400,
        "SIZE_INVALID",
    )
    assert code(registry("PATCH", place, data=b"xy", headers={"Content-Range": "?"})) == (
        416,
        "RANGE_INVALID",
    )
    second = registry("PATCH", place, data=DATA[9:15], headers={"Content-Range": "9-14"})
    place = second.headers["Location"]
    assert code(registry("PUT", place, data=DATA[15:])) == (400, "DIGEST_INVALID")  # none is named
    assert code(registry("PUT", f"{place}&digest={digest(b'')}", data=DATA[15:])) == (400, "DIGEST_INVALID")
    assert code(registry("GET", f"blobs/{digest(DATA)}")) == (404, "BLOB_UNKNOWN")
    end = registry("PUT", f"{place}&digest={digest(DATA)}", data=DATA[15:])

    assert (end.status_code, end.headers["Docker-Content-Digest"]) == (201, digest(DATA))
    assert registry("GET", f"blobs/{digest(DATA)}").content == DATA
    head = registry("HEAD", f"blobs/{digest(DATA)}")
    assert (head.headers["Content-Length"], head.headers["Docker-Content-Digest"]) == (
        str(len(DATA)), digest(DATA),
    )  # fmt: skip
    assert code(registry("GET", place)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_is_forgotten(registry: Registry) -> None:
    place = registry("POST", "blobs/uploads/").headers["Location"]

    assert registry("DELETE", place).status_code == 204
    assert code(registry("PUT", place)) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert code(registry("POST", f"blobs/uploads/?digest={digest(b'')}", data=DATA)) == (
        400,
        "DIGEST_INVALID",
    )


def test_a_blob_is_mounted(
    registry: Registry, http: Http, sandbox: Sandbox, project: Project, job: Job
) -> None:
    image = sandbox.image({"a": "b"})
    sandbox.push_image(project, image, name="one")
    blob = digest(image.blobs[0])
    begin = f"{sandbox.registry_url}/v2/acme/tools/two/blobs/uploads/?from=acme/tools/one&mount="
    auth = ("gitlab-ci-token", job.job_token)
    two, one = "repository:acme/tools/two:pull,push", "repository:acme/tools/one:pull"

    for scopes in ((two, one), (f"{two} {one}",)):
        bearer = {"Authorization": f"Bearer {token_of(http, sandbox, scopes, auth)}"}
        mounted = http("POST", begin + blob, headers=bearer)
        assert (mounted.status_code, mounted.headers["Docker-Content-Digest"]) == (201, blob)
        assert http("GET", mounted.headers["Location"], headers=bearer).content == image.blobs[0]
        unknown = http("POST", begin + digest(b""), headers=bearer)
        assert (unknown.status_code, "Docker-Upload-UUID" in unknown.headers) == (202, True)
    refused = http(
        "POST", begin + blob, headers={"Authorization": f"Bearer {token_of(http, sandbox, two, auth)}"}
    )
    assert code(refused) == (401, "UNAUTHORIZED")
    assert f'scope="{one} {two}"' in refused.headers["WWW-Authenticate"]


def test_tags_are_listed_in_pages(registry: Registry, sandbox: Sandbox, project: Project) -> None:
    assert code(registry("GET", "tags/list")) == (404, "NAME_UNKNOWN")
    image = sandbox.image({"a": "b"})
    for tag in ("b", "a", "d", "c", "B"):
        sandbox.push_image(project, image, tag)

    assert registry("GET", "tags/list").json() == {"name": "acme/tools", "tags": ["B", "a", "b", "c", "d"]}
    first = registry("GET", "tags/list?n=2")
    assert first.json()["tags"] == ["B", "a"]
    assert first.headers["Link"] == '</v2/acme/tools/tags/list?last=a&n=2>; rel="next"'
    last = registry("GET", "tags/list?last=b&n=2")
    assert (last.json()["tags"], "Link" in last.headers) == (["c", "d"], False)
    assert code(registry("GET", "tags/list?n=x")) == (400, "PAGINATION_NUMBER_INVALID")
    sandbox.registry.tags_page = 3
    assert "last=b&n=3" in registry("GET", "tags/list?n=99").headers["Link"]


def test_referrers_are_not_listed_as_on_gitlab(
    registry: Registry, sandbox: Sandbox, project: Project, image: Image
) -> None:
    sandbox.push_image(project, image, "1.0")
    about = sandbox.artifact(b"bundle", subject=image)
    sandbox.push_image(project, about)

    assert registry("GET", f"referrers/{image.digest}").status_code == 404
    assert "OCI-Subject" not in put(registry, about.manifest, about.digest).headers
    assert b"subject" in sandbox.image_manifest(project, about.digest)


def test_referrers_are_listed_by_a_switch(
    registry: Registry, sandbox: Sandbox, project: Project, image: Image
) -> None:
    sandbox.registry.referrers = True
    sandbox.push_image(project, image, "1.0")
    one = sandbox.artifact(b"1", subject=image, annotations={"k": "v"})
    two, other = (sandbox.artifact(b"2", subject=image, artifact_type=f"x/{n}") for n in ("y", "z"))
    for about in (one, two, other):
        sandbox.attach(project, image.digest, about)
    sandbox.replace_manifest(project, sandbox.push_image(project, sandbox.artifact(b"3")), b"not JSON")
    place = f"referrers/{image.digest}"

    assert put(registry, one.manifest, one.digest).headers["OCI-Subject"] == image.digest
    listed = registry("GET", place)
    assert (listed.headers["Content-Type"], "OCI-Filters-Applied" in listed.headers) == (INDEX, False)
    entries = {entry["digest"]: entry for entry in listed.json()["manifests"]}
    assert entries.keys() == {one.digest, two.digest, other.digest}
    assert entries[one.digest] == one.descriptor() | {
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "annotations": {"k": "v"},
    }
    chosen = registry("GET", f"{place}?artifactType=x/y")
    assert [entry["digest"] for entry in chosen.json()["manifests"]] == [two.digest]
    assert chosen.headers["OCI-Filters-Applied"] == "artifactType"
    assert registry("GET", f"referrers/{digest(b'')}").json()["manifests"] == []
    assert code(registry("GET", "referrers/1.0")) == (400, "DIGEST_INVALID")

    sandbox.registry.referrers_page = 2
    seen, page = set(), place
    for size in (2, 1):
        answer = registry("GET", page)
        assert len(answer.json()["manifests"]) == size
        seen |= {entry["digest"] for entry in answer.json()["manifests"]}
        page = sandbox.registry_url + answer.links.get("next", {"url": ""})["url"]
    assert (seen, page) == (set(entries), sandbox.registry_url)


def test_blobs_are_redirected_to_the_storage(
    registry: Registry, http: Http, sandbox: Sandbox, project: Project, image: Image
) -> None:
    sandbox.push_image(project, image)
    empty = sandbox.artifact(b"")
    sandbox.push_image(project, empty)
    sandbox.registry.object_storage = True
    for blob in (image.blobs[1], b""):
        for method in ("GET", "HEAD"):
            moved = registry(method, f"blobs/{digest(blob)}")
            target = moved.headers["Location"]
            assert (moved.status_code, target.startswith(sandbox.storage_url)) == (307, True)
            assert http(method, target).content == (blob if method == "GET" else b"")
            assert http(method, target, headers={"Authorization": "Bearer x"}).status_code == 400
    target = registry("GET", f"blobs/{digest(image.blobs[0])}").headers["Location"]
    sandbox.clock.advance(timedelta(seconds=1201))
    assert http("GET", target).status_code == 403


def test_faults_and_the_recorder_know_the_registry(registry: Registry, sandbox: Sandbox) -> None:
    from pip_warden.sandbox import server_error

    sandbox.fault(server_error(), "/v2/acme/tools/manifests", origin="registry")

    assert registry("GET", "manifests/1.0").status_code == 500
    assert (sandbox.requests[-1].origin, sandbox.requests[-1].status) == ("registry", 500)


def test_what_tests_can_do_to_an_image(
    registry: Registry, sandbox: Sandbox, project: Project, image: Image
) -> None:
    other = sandbox.image({"evil": "yes"})
    sandbox.push_image(project, image, "1.0")
    sandbox.push_image(project, other)
    abouts = [sandbox.artifact(data, subject=image) for data in (b"1", b"2")]
    for about in abouts:
        sandbox.attach(project, image.digest, about)
    fallback = f"manifests/{image.digest.replace(':', '-')}"

    assert [e["digest"] for e in registry("GET", fallback).json()["manifests"]] == [a.digest for a in abouts]
    sandbox.drop_referrer(project, image.digest, abouts[0].digest)
    assert [e["digest"] for e in registry("GET", fallback).json()["manifests"]] == [abouts[1].digest]
    sandbox.retag(project, "1.0", other.digest)
    assert registry("GET", "manifests/1.0").content == other.manifest
    sandbox.replace_manifest(project, image.digest, other.manifest)
    lie = registry("GET", f"manifests/{image.digest}")
    assert (lie.content, lie.headers["Docker-Content-Digest"]) == (other.manifest, image.digest)
    layer = digest(image.blobs[1])
    sandbox.replace_blob(project, layer, b"other bytes")
    assert registry("GET", f"blobs/{layer}").content == b"other bytes"
    (dumped,) = sandbox.registry.store.state()
    assert dumped["path"] == "acme/tools"
    sandbox.replace_blob(project, layer, None)
    assert registry("GET", f"blobs/{layer}").status_code == 404
    sandbox.retag(project, "1.0", None)
    assert "1.0" not in sandbox.image_tags(project)
