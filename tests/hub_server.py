"""A small Hub on loopback: as much of it as publishing, fetching and loading datasets need, and its faults.

The replies are those that the real client accepts; what the real Hub does beyond them is not known here.
"""

import base64
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = (".parquet", ".mp4", ".jpg", ".png", ".bin")


@dataclass(frozen=True)
class Blob:
    content: bytes
    is_large: bool

    @property
    def oid(self) -> str:
        """What git calls it."""
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()  # noqa: S324

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_large else self.oid


@dataclass
class Repo:
    private: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)

    def commit(self, files: dict[str, Blob], title: str, branch: str) -> str:
        told = json.dumps(
            [title, len(self.commits), sorted((name, blob.oid) for name, blob in files.items())]
        )
        oid = hashlib.sha1(told.encode()).hexdigest()  # noqa: S324
        self.commits[oid], self.branches[branch] = dict(files), oid
        self.titles.append(title)
        return oid

    def resolve(self, revision: str) -> str | None:
        name = urllib.parse.unquote(revision).removeprefix("refs/heads/").removeprefix("refs/tags/")
        return self.branches.get(name) or self.tags.get(name) or (name if name in self.commits else None)


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message


class Hub:
    """The server and what it holds.

    `fail` is asked before each request is served, with its method and path: a status is replied at once.
    `damaged` are paths whose bytes come back otherwise than they were sent.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.damaged: set[str] = set()
        self.fail: Callable[[str, str], int | None] = lambda method, path: None
        hub = self

        class Handler(_Handler):
            def __init__(self, *args: Any) -> None:
                self.hub = hub
                super().__init__(*args)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repos[repo]
        return {name: blob.content for name, blob in found.commits[found.resolve(revision) or ""].items()}

    def write(self, repo: str, name: str, content: bytes) -> None:
        """Somebody else's commit."""
        found = self.repos[repo]
        files = found.commits[found.branches["main"]] | {name: Blob(content, name.endswith(LARGE))}
        found.commit(files, f"Write {name}", "main")


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each waits for the other side to acknowledge

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        address = urllib.parse.urlparse(self.path)
        self.query = urllib.parse.parse_qs(address.query)
        path = address.path
        body = self._body()
        self.hub.requests.append((self.command, path))
        try:
            if status := self.hub.fail(self.command, path):
                raise Refused(status, "", "as the test asked")
            self._route(path, body)
        except Refused as refused:
            headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
            self._reply(refused.status, {"error": refused.message}, headers)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, value: object = None, headers: dict[str, str] | None = None) -> None:
        self._send(status, b"" if value is None else json.dumps(value).encode(), headers or {})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _route(self, path: str, body: bytes) -> None:
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._reply(200, {"errors": [], "warnings": []})
        if path == "/api/whoami-v2":
            return self._reply(200, {"name": "user", "orgs": []})
        if path.startswith("/large/"):
            return self._store(path.removeprefix("/large/"), body)
        if path.startswith("/verify/"):
            return self._reply(200, {})
        patterns = (
            (r"/api/datasets/([^/]+/[^/]+)(?:/(.*))?", self._api),
            (r"/datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch", self._batch),
            (r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.*)", self._resolve),
        )
        for pattern, serve in patterns:
            if found := re.fullmatch(pattern, path):
                return serve(body, *(part or "" for part in found.groups()))
        raise Refused(404, "", f"no such page: {path}")

    def _repo(self, name: str) -> Repo:
        if name not in self.hub.repos:
            raise Refused(404, "RepoNotFound", "Repository not found")
        return self.hub.repos[name]

    def _commit_of(self, repo: Repo, revision: str) -> str:
        found = repo.resolve(revision or "main")
        if found is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return found

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'user'}/{asked['name']}"
        told = {"url": f"{self.hub.url}/datasets/{name}", "name": name, "id": name}
        if name in self.hub.repos:
            return self._reply(409, told | {"error": "You already created this dataset repo"})
        private = asked.get("private") is True or asked.get("visibility") == "private"
        self.hub.repos[name] = Repo(private)
        self.hub.repos[name].commit({".gitattributes": Blob(b"", False)}, "initial commit", "main")
        return self._reply(200, told)

    def _api(self, body: bytes, name: str, rest: str) -> None:
        repo = self._repo(name)
        verb, _, argument = rest.partition("/")
        match verb:
            case "" | "revision":
                commit = self._commit_of(repo, argument)
                siblings = [{"rfilename": path} for path in repo.commits[commit]]
                told = {"id": name, "sha": commit, "private": repo.private, "siblings": siblings, "tags": []}
                return self._reply(200, {"_id": "1", "author": "user", "downloads": 0, "likes": 0} | told)
            case "preupload":
                return self._preupload(json.loads(body))
            case "commit":
                return self._commit(repo, name, urllib.parse.unquote(argument), body)
            case "refs":
                return self._refs(repo)
            case "tag":
                return self._tag(repo, argument, json.loads(body))
            case "branch":
                commit = self._commit_of(
                    repo, json.loads(body).get("startingPoint", "main") if body else "main"
                )
                repo.branches.setdefault(urllib.parse.unquote(argument), commit)
                return self._reply(200, {})
            case "tree":
                return self._tree(repo, *argument.partition("/")[::2])
            case "paths-info":
                return self._paths(repo, argument, body)
        raise Refused(404, "", f"no such call: {rest}")

    def _preupload(self, asked: dict[str, Any]) -> None:
        modes = [
            {"path": one["path"], "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular"}
            for one in asked["files"]
        ]
        self._reply(200, {"files": [{**one, "shouldIgnore": False, "oid": None} for one in modes]})

    def _batch(self, body: bytes, _: str) -> None:
        objects = []
        for one in json.loads(body)["objects"]:
            told = {"oid": one["oid"], "size": one["size"], "authenticated": True}
            if one["oid"] not in self.hub.large:
                upload = {"href": f"{self.hub.url}/large/{one['oid']}", "header": {}}
                told["actions"] = {"upload": upload}
            objects.append(told)
        self._reply(200, {"transfer": "basic", "objects": objects})

    def _store(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refused(400, "", "other bytes than were announced")
        self.hub.large[oid] = body
        self._reply(200)

    def _commit(self, repo: Repo, name: str, branch: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        parent = self._commit_of(repo, branch)
        if header.get("parentCommit") not in (None, parent):
            raise Refused(412, "", "A commit has happened since. Please refresh and try again.")
        files = dict(repo.commits[parent])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
            elif line["key"] == "lfsFile":
                files[value["path"]] = Blob(self.hub.large[value["oid"]], True)
            elif line["key"] == "deletedFile":
                files.pop(value["path"])
        told = {"success": True, "commitUrl": f"{self.hub.url}/datasets/{name}/commit/", "hookOutput": ""}
        if self.query.get("create_pr") == ["1"]:
            branch = f"refs/pr/{1 + sum(one.startswith('refs/pr/') for one in repo.branches)}"
            number = branch.removeprefix("refs/pr/")
            told["pullRequestUrl"] = f"{self.hub.url}/datasets/{name}/discussions/{number}"
        self._reply(200, told | {"commitOid": repo.commit(files, header["summary"], branch)})

    def _refs(self, repo: Repo) -> None:
        plain = {name: oid for name, oid in repo.branches.items() if not name.startswith("refs/")}
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid} for name, oid in plain.items()
        ]
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in repo.tags.items()
        ]
        self._reply(200, {"branches": branches, "converts": [], "tags": tags})

    def _tag(self, repo: Repo, revision: str, asked: dict[str, Any]) -> None:
        if asked["tag"] in repo.tags:
            raise Refused(409, "", "Tag reference exists already")
        repo.tags[asked["tag"]] = self._commit_of(repo, revision)
        self._reply(200, {})

    def _tree(self, repo: Repo, revision: str, below: str) -> None:
        files = repo.commits[self._commit_of(repo, revision)]
        root = f"{urllib.parse.unquote(below).rstrip('/')}/" if below else ""
        is_deep = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        mine = {name: blob for name, blob in files.items() if name.startswith(root)}
        if root and not mine:
            raise Refused(404, "EntryNotFound", f"{below} does not exist")
        folders = {
            root + "/".join(parts[:depth])
            for parts in (name.removeprefix(root).split("/") for name in mine)
            for depth in range(1, len(parts))
            if is_deep or depth == 1
        }
        told = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": one} for one in sorted(folders)]
        told += [
            _entry(name, blob)
            for name, blob in sorted(mine.items())
            if is_deep or "/" not in name.removeprefix(root)
        ]
        self._reply(200, told)

    def _paths(self, repo: Repo, revision: str, body: bytes) -> None:
        files = repo.commits[self._commit_of(repo, revision)]
        is_json = "json" in (self.headers.get("Content-Type") or "")
        asked = (
            json.loads(body)["paths"] if is_json else urllib.parse.parse_qs(body.decode()).get("paths", [])
        )
        told = [_entry(name, files[name]) for name in asked if name in files]
        told += [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": name}
            for name in asked
            if any(one.startswith(f"{name.rstrip('/')}/") for one in files)
        ]
        self._reply(200, told)

    def _resolve(self, _: bytes, name: str, revision: str, path: str) -> None:
        repo = self._repo(name)
        commit = self._commit_of(repo, revision)
        path = urllib.parse.unquote(path)
        if path not in repo.commits[commit]:
            raise Refused(404, "EntryNotFound", "Entry not found")
        blob = repo.commits[commit][path]
        content = blob.content
        if path in self.hub.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        headers = {"ETag": f'"{blob.etag}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if blob.is_large:
            headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(content))}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            begin = int(asked.group(1))
            end = min(int(asked.group(2) or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
            return self._send(206, content[begin : end + 1], headers)
        return self._send(200, content, headers)


def _entry(name: str, blob: Blob) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "file", "oid": blob.oid, "size": len(blob.content), "path": name}
    if blob.is_large:
        told["lfs"] = {"oid": blob.sha256, "size": len(blob.content), "pointerSize": 134}
    return told
