"""`site serve`: the site at an address of this machine, built again whenever what it is made from changes.

Only this machine can ask, and only by its own name: the evidence may be confidential, and a page of somebody else's in
the same browser must not read it under a name of theirs. The pages are those that `site build` writes; a script that
reloads them, and the right to ask for that, are added while they are sent.
"""

from __future__ import annotations

import functools
import http
import http.server
import io
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from gitchange.errors import GitchangeError
from gitchange.git.repository import Repository
from gitchange.site import watching
from gitchange.site.build import build_site

HOST = "127.0.0.1"
_PAUSE = 1.0
"""Seconds between looks at what the site is made from."""
_PATIENCE = 20.0
"""Seconds for which a page's question waits for news; then it asks anew."""

_SCRIPT_NAME = "/.gitchange-reload.js"
_NEWS_NAME = "/.gitchange-news"
_SCRIPT = b"""\
// Loads the page again when the site was built again: only in what `gitchange site serve` sends.
"use strict";
(async () => {
  const seen = document.currentScript.dataset.generation;
  const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  for (;;) {
    try {
      const answer = await fetch(`/.gitchange-news?${seen}`, { cache: "no-store" });
      if (answer.ok && (await answer.text()) !== seen) {
        location.reload();
        return;
      }
    } catch {
      // The server has ended, or begins anew.
    }
    await pause(0.5);
  }
})();
"""

Tell = Callable[[str], None]
Complain = Callable[[str, str], None]


class Preview:
    """A site in a folder that goes when the preview ends, and how often it was built."""

    def __init__(
        self, repository: Path, folder: Path, introduction: str | None, tell: Tell, complain: Complain
    ) -> None:
        self.site = folder / "site"
        """Where the newest site is that could be built."""
        self._repository, self._introduction = repository, introduction
        self._tell, self._complain = tell, complain
        self._generation = 0
        self._news = threading.Condition()
        self._inputs = ""

    @property
    def generation(self) -> str:
        """Names the site that is there; each preview has names of its own."""
        return f"{os.getpid()}.{self._generation}"

    def build(self) -> None:
        """Build the site, and let every page that waits know; GitchangeError when that cannot be done."""
        begun = time.monotonic()
        self._inputs = self._look()
        done = build_site(self._repository, self.site, introduction=self._introduction)
        for warning in done.warnings:
            self._tell(warning)
        took = time.monotonic() - begun
        self._tell(f"built {done.pages} page(s), {done.written} file(s) new ({took:.1f} s): {done.main[:12]}")
        with self._news:
            self._generation += 1
            self._news.notify_all()

    def follow(self, ended: threading.Event) -> None:
        """Build again whenever something has changed, until the preview ends; a site that was there stays."""
        said = ""
        while not ended.wait(_PAUSE):
            try:
                if self._look() == self._inputs:
                    continue
                self.build()
                said = ""
            except (GitchangeError, OSError) as error:  # OSError: a folder that somebody is moving about
                if str(error) != said:  # it is looked at every second
                    said = str(error)
                    self._complain(said, getattr(error, "hint", ""))

    def newer_than(self, seen: str) -> str:
        """The name of the newest site, as soon as it is another one than that, or after a while."""
        with self._news:
            self._news.wait_for(lambda: self.generation != seen, timeout=_PATIENCE)
            return self.generation

    def _look(self) -> str:
        # Opened anew: what it knows of git's configuration is kept by an open one.
        return watching.inputs(Repository.open(self._repository))


class Handler(http.server.SimpleHTTPRequestHandler):
    """Sends files of the site, pages with the script that reloads them, and the news that this one waits for."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def __init__(self, *arguments: object, preview: Preview) -> None:
        self.preview = preview
        super().__init__(*arguments, directory=str(preview.site))  # type: ignore[arg-type]

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """What is asked for: headers are sent, and the body is given."""
        asked = urlsplit(self.path)
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in (HOST, "localhost"):
            self.send_error(http.HTTPStatus.MISDIRECTED_REQUEST, "this server has another name")
            return None
        if asked.path == _SCRIPT_NAME:
            return self._send(_SCRIPT, "text/javascript; charset=utf-8")
        if asked.path == _NEWS_NAME:
            return self._send(self.preview.newer_than(asked.query).encode(), "text/plain; charset=utf-8")
        generation = self.preview.generation
        path = Path(self.translate_path(self.path))
        if path.is_dir() and asked.path.endswith("/"):
            path /= "index.html"
        if path.suffix == ".html":
            try:
                page = path.read_bytes()
            except OSError:
                self.send_error(http.HTTPStatus.NOT_FOUND)
                return None
            return self._send(with_reload(page, generation), "text/html; charset=utf-8")
        return super().send_head()

    def end_headers(self) -> None:
        """Nothing that may change is kept by the browser."""
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what is of interest is what was built."""

    def _send(self, data: bytes, kind: str) -> io.BytesIO:
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)


def with_reload(page: bytes, generation: str) -> bytes:
    """A page with the script that reloads it, and with the right to ask this server for news."""
    policy = b'Content-Security-Policy" content="'
    page = page.replace(policy, policy + b"connect-src 'self'; ", 1)
    script = f'<script src="{_SCRIPT_NAME}" data-generation="{generation}"></script>\n</head>'
    return page.replace(b"</head>", script.encode(), 1)


def serve(repository: Path, port: int, *, introduction: str | None, tell: Tell, complain: Complain) -> None:
    """Build and serve the site until somebody interrupts; GitchangeError when it cannot be built at first."""
    with tempfile.TemporaryDirectory(prefix="gitchange-site-") as folder:
        preview = Preview(repository, Path(folder), introduction, tell, complain)
        try:
            server = http.server.ThreadingHTTPServer(
                (HOST, port), functools.partial(Handler, preview=preview)
            )
        except OSError as error:
            raise GitchangeError(
                f"port {port} of {HOST} cannot be used: {error.strerror}", hint="--port 0 takes any free one"
            ) from None
        ended = threading.Event()
        with server:
            preview.build()
            tell(f"serving at http://{HOST}:{server.server_port}/ until Ctrl-C")
            follower = threading.Thread(target=preview.follow, args=(ended,))
            follower.start()
            try:
                server.serve_forever()
            finally:
                ended.set()
                follower.join()
