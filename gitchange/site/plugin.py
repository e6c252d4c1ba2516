"""The MkDocs plugin: hands the overview to the theme and writes the generated pages.

Changes never enter MkDocs' `Files` nor its navigation, whose cost grows with the square of their number:
MkDocs builds the company's hand-written pages, and `on_post_build` writes the rest through the same
theme. `docs/index.md`, where there is one, becomes the introduction of the home page.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Literal

import jinja2
from markupsafe import Markup, escape
from mkdocs.commands.build import get_context
from mkdocs.config import base, config_options
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as DocumentPage
from mkdocs.utils.templates import TemplateContext

from gitchange.assessment.overview import Overview
from gitchange.errors import GitchangeError
from gitchange.site import source, urls
from gitchange.site.pages import Pages, prepare
from gitchange.site.shell import Shell
from gitchange.site.site import Site

FORMAT = 1
"""Version of the manifest's shape."""

_EPOCH = "SOURCE_DATE_EPOCH"
_HEADING = re.compile(r"(</?h)([1-5])\b")
_HTML_TARGET = re.compile(r"[\w./@~-]+\.html")


class GitchangeConfig(base.Config):  # type: ignore[no-untyped-call]
    """The plugin's options in mkdocs.yml."""

    repository = config_options.Type(str, default=".")
    """The configuration repository, relative to mkdocs.yml."""


class GitchangePlugin(BasePlugin[GitchangeConfig]):  # type: ignore[no-untyped-call]
    """Builds the site of a configuration repository."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Overview | None = None
        """The overview to show; the repository is assessed anew at every build when there is none."""
        self.written = 0
        """How many generated pages the last build wrote."""
        self._serving = False
        self._introduction = ""
        self._before: dict[str, str] | None = None

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether pages are previewed: the server's reload script needs a laxer page."""
        self._serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Assess the repository, and fit MkDocs' own output to what the theme promises."""
        if config.theme.name != "gitchange":
            raise PluginError("the plugin gitchange needs its own theme: write `theme: {name: gitchange}`")
        self._site = Site(self.given or self._load(config))
        self._introduction = ""
        self._before = {name: value for name, value in os.environ.items() if name == _EPOCH}
        # MkDocs dates its pages by this variable; whatever it dates is as old as the commit.
        os.environ[_EPOCH] = str(int(self._site.overview.commit_time.timestamp()))
        # Aligned cells would get a style attribute, which the page's security policy refuses.
        config.mdx_configs.setdefault("tables", {})["use_align_attribute"] = True
        return config

    def _load(self, config: MkDocsConfig) -> Overview:
        folder = Path(config.config_file_path).parent / self.config.repository
        try:
            return source.load(folder, source.moment())
        except GitchangeError as error:
            raise PluginError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from error

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Let hand-written pages link to generated ones, and keep them from overwriting one."""
        names = Pages(self._site, jinja2.Environment(autoescape=True)).plan().keys()
        documents = files.documentation_pages()
        for file in files:
            if file.dest_uri in names and file.dest_uri != urls.HOME:
                raise PluginError(
                    f"{file.src_uri} would be written to {file.dest_uri}, which is a generated page; rename it"
                )
        mentioned: set[str] = set()
        for document in documents:
            folder = posixpath.dirname(document.src_uri)
            for target in _HTML_TARGET.findall(document.content_string):
                mentioned.add(posixpath.normpath(posixpath.join(folder, target)))
        for name in sorted(mentioned & names - {urls.HOME}):
            # A stand-in, so that MkDocs checks and resolves the link; `on_post_build` overwrites it.
            stand_in = File.generated(config, name, content="", inclusion=InclusionLevel.NOT_IN_NAV)
            files.append(stand_in)
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Keep what the theme's header needs."""
        self._nav, self._files = nav, files
        return nav

    def on_env(self, env: jinja2.Environment, *, config: MkDocsConfig, files: Files) -> jinja2.Environment:
        """Give the theme's templates escaping, filters and the overview."""
        self._env = prepare(env, self._site)
        env.globals["serving"] = self._serving
        return env

    def on_page_content(self, html: str, *, page: DocumentPage, config: MkDocsConfig, files: Files) -> str:
        """Take the hand-written home page as the introduction of the generated one."""
        if page.file.dest_uri == urls.HOME:
            # The home page has a heading of its own above it.
            self._introduction = _HEADING.sub(lambda match: f"{match[1]}{int(match[2]) + 1}", html)
        return html

    def on_post_template(self, output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
        """Leave out MkDocs' sitemap, which gives every page the date of the build; ours has the true dates."""
        return "" if template_name == urls.SITEMAP else output_content

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write every generated page, the sitemap and the manifest."""

        def context(name: str) -> TemplateContext:
            return get_context(self._nav, self._files, config, base_url=urls.prefix(name).rstrip("/") or ".")

        shell = Shell(self._env.get_template("main.html"), context)
        output = Path(config.site_dir)
        plan = Pages(self._site, self._env, self._introduction).plan()
        for folder in sorted({posixpath.dirname(name) for name in plan}):
            (output / folder).mkdir(parents=True, exist_ok=True)
        for name, render in plan.items():
            _write(output / name, shell.html(name, render()))
        self.written = len(plan)
        if config.site_url:
            _write(output / urls.SITEMAP, self._sitemap(config.site_url, list(plan)))
        _write(output / urls.MANIFEST, self._manifest())
        self._restore()

    def on_build_error(self, *, error: Exception) -> None:
        """Leave the environment as it was."""
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            os.environ.pop(_EPOCH, None)
            os.environ.update(self._before)
            self._before = None

    def _sitemap(self, site_url: str, names: list[str]) -> str:
        dates = {
            urls.change_file(a.path): max([v.time for v in a.history] + [s.when for s in a.sign_offs])
            for a in self._site.assessments
            if a.history
        }
        lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        lines.append('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">')
        for name in names:
            date = dates.get(name, self._site.overview.commit_time).astimezone(self._site.zone)
            address = escape(site_url.rstrip("/") + "/" + name)
            lines.append(f"<url><loc>{address}</loc><lastmod>{date:%Y-%m-%d}</lastmod></url>")
        return "\n".join([*lines, "</urlset>", ""])

    def _manifest(self) -> str:
        overview = self._site.overview
        manifest = {
            "format": FORMAT,
            "title": overview.title,
            "main": overview.main,
            "notes": overview.notes,
            "introduction": overview.introduction,
            "now": overview.now.isoformat(),
            "changes": len(overview.assessments),
        }
        return json.dumps(manifest, indent=2) + "\n"


def _write(path: Path, text: str | Markup) -> None:
    """Write UTF-8; what a commit's author line had that is no Unicode becomes a question mark."""
    path.write_bytes(text.encode("utf-8", "replace"))
