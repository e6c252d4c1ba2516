"""The MkDocs plugin: hands the overview to the theme and writes the generated pages.

Changes never enter MkDocs' `Files` nor its navigation, whose cost grows with the square of their number:
MkDocs builds the company's hand-written pages, and `on_post_build` writes the rest through the same
theme. `docs/index.md`, where there is one, becomes the introduction of the home page.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Callable, Container, Sequence
from html import unescape
from pathlib import Path
from typing import Literal

import jinja2
from markupsafe import Markup
from mkdocs.commands.build import get_context
from mkdocs.config import base, config_options
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page as DocumentPage
from mkdocs.utils.templates import TemplateContext

from gitchange import __version__
from gitchange.assessment.spreading import spread
from gitchange.errors import GitchangeError
from gitchange.site import register, search, sitemap, source, urls
from gitchange.site.delta import since
from gitchange.site.listed import Basis
from gitchange.site.output import Output
from gitchange.site.pages import Data, Pages, Planned, prepare
from gitchange.site.shell import Shell
from gitchange.site.site import Site
from gitchange.site.templating import Compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mkdocs.livereload import LiveReloadServer

FORMAT = 1
"""Version of the manifest's shape."""

_SECTIONS = (urls.CHANGES, urls.MONTHS, urls.SYSTEMS, urls.PEOPLE, urls.CALENDAR)
"""The sections of pages that are only made when they may be other ones."""

_EPOCH = "SOURCE_DATE_EPOCH"
_HEADING = re.compile(r"(</?h)([1-5])\b")
_TAG = re.compile(r"<[^>]*>")
_HTML_TARGET = re.compile(r"[\w./@~-]+\.(?:html|xml|ics)")


class GitchangeConfig(base.Config):  # type: ignore[no-untyped-call]
    """The plugin's options in mkdocs.yml."""

    repository = config_options.Type(str, default=".")
    """The configuration repository, relative to mkdocs.yml."""


class GitchangePlugin(BasePlugin[GitchangeConfig]):  # type: ignore[no-untyped-call]
    """Builds the site of a configuration repository."""

    def __init__(self) -> None:
        super().__init__()
        self.given: Site | None = None
        """What to show; the repository is asked anew at every build when there is none."""
        self.renewed: Path | None = None
        """A folder to be brought up to date with what MkDocs builds; MkDocs' own folder when there is none."""
        self.compiled: Path | None = None
        """A folder that keeps compiled templates from one build to the next; none are kept when there is none."""
        self.pages = 0
        """How many generated pages the site has."""
        self.written = 0
        """How many files the last build wrote."""
        self.removed = 0
        """How many files the last build removed."""
        self._serving = False
        self._introduction = ""
        self._documents: list[search.Document] = []
        self._before: dict[str, str] | None = None
        self._aside: Path | None = None

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Remember whether pages are previewed: the server's reload script needs a laxer page."""
        self._serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Assess the repository, and fit MkDocs' own output to what the theme promises."""
        if config.theme.name != "gitchange":
            raise PluginError("the plugin gitchange needs its own theme: write `theme: {name: gitchange}`")
        self._site = self.given or self._load(config)
        self._introduction = ""
        self._documents = []
        self._before = {name: value for name, value in os.environ.items() if name == _EPOCH}
        # MkDocs dates its pages by this variable; whatever it dates is as old as the commit.
        os.environ[_EPOCH] = str(int(self._site.overview.commit_time.timestamp()))
        # Aligned cells would get a style attribute, which the page's security policy refuses.
        config.mdx_configs.setdefault("tables", {})["use_align_attribute"] = True
        return config

    def _load(self, config: MkDocsConfig) -> Site:
        try:
            return source.load(self._folder(config))
        except GitchangeError as error:
            raise PluginError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from error

    def _folder(self, config: MkDocsConfig) -> Path:
        return Path(config.config_file_path).parent / self.config.repository

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Put a site of ours aside, which MkDocs would empty: what did not change is taken from it."""
        output = Path(config.site_dir)
        self._output = str(output)
        if self.renewed is None and (output / urls.PAGES).is_file():
            self._aside = Path(tempfile.mkdtemp(prefix=f".{output.name}.gitchange-", dir=output.parent))
            output.rename(self._aside / "site")

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Let hand-written pages link to generated ones, and keep them from overwriting one."""
        pages = Pages(self._site, jinja2.Environment(autoescape=True))
        documents = files.documentation_pages()
        for file in files:
            name = file.dest_uri
            if (name != urls.HOME and pages.has(name)) or name.startswith(urls.DATA):
                raise PluginError(
                    f"{file.src_uri} would be written to {name}, which is a generated file; rename it"
                )
        mentioned: set[str] = set()
        for document in documents:
            folder = posixpath.dirname(document.src_uri)
            for target in _HTML_TARGET.findall(document.content_string):
                mentioned.add(posixpath.normpath(posixpath.join(folder, target)))
        for name in sorted(name for name in mentioned - {urls.HOME} if pages.has(name)):
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
        if self.compiled is not None:
            env.bytecode_cache = Compiled.at(self.compiled)
        env.globals["serving"] = self._serving
        return env

    def on_page_content(self, html: str, *, page: DocumentPage, config: MkDocsConfig, files: Files) -> str:
        """Take the hand-written home page as the introduction of the generated one, and each for the search."""
        if page.file.dest_uri == urls.HOME:
            # The home page has a heading of its own above it.
            self._introduction = _HEADING.sub(lambda match: f"{match[1]}{int(match[2]) + 1}", html)
        self._documents.append((page.url, str(page.title), unescape(_TAG.sub(" ", html))))
        return html

    def on_post_template(self, output_content: str, *, template_name: str, config: MkDocsConfig) -> str:
        """Leave out MkDocs' sitemap, which gives every page the date of the build; ours has the true dates."""
        return "" if template_name == urls.SITEMAP else output_content

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write every generated page, the sitemap and the manifest, as far as they differ from what is there."""
        built = Path(config.site_dir)
        output = Output(self.renewed or (self._aside / "site" if self._aside else built))
        pages = Pages(self._site, self._env, self._introduction)
        theme, shell = self._theme(config), self._shell(config)
        basis = Basis(
            self._frame(theme, shell, config.site_url or ""),
            self._site.catalogue.content,
            int(self._site.overview.now.timestamp()),
        )
        delta = None
        if output.folder != built and output.basis is not None and output.basis.frame == basis.frame:
            delta = since(self._site, output.basis)
            delta = delta if delta is not None and output.go_on() else None
        plan, data = pages.plan(delta), pages.data(config.site_url or "", delta)
        if output.folder == built:
            output.keep_rest()
        else:
            output.take_from(built, _Generated(pages))  # without the stand-ins
        if delta is not None:
            for name in pages.gone(delta):
                output.drop(name)
        self._write(output, plan, data, shell, theme)
        register.write(self._site, output, theme, delta)
        search.write(self._site, sorted(self._documents), output, theme, delta)
        if config.site_url:
            sitemap.write(self._site, pages, config.site_url, output, theme, delta)
        output.put(urls.MANIFEST, self._manifest().encode())
        output.finish(basis)
        self.pages, self.written, self.removed = pages.count, output.written, output.removed
        if self._aside is not None:
            shutil.rmtree(built)
            output.folder.rename(built)
        self._restore()

    def _shell(self, config: MkDocsConfig) -> Shell:
        """What is around each page."""

        def context(name: str) -> TemplateContext:
            return get_context(self._nav, self._files, config, base_url=urls.prefix(name).rstrip("/") or ".")

        return Shell(self._env.get_template("main.html"), context)

    def _frame(self, theme: str, shell: Shell, site_url: str) -> str:
        """Names what files are made from beside the changes that they are about."""
        around = [
            shell.digest(name, section) for name in (urls.HOME, urls.change("")) for section in _SECTIONS
        ]
        overview = self._site.overview
        told = [theme, site_url, overview.title, overview.introduction, self._site.calendar.present, *around]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=12).hexdigest()

    def _write(
        self, output: Output, plan: dict[str, Planned], data: dict[str, Data], shell: Shell, theme: str
    ) -> None:
        """Write the pages and the rest, the pages of the changes in several processes where that is worth it."""
        for name, file in data.items():
            inputs = f"{theme}{file.inputs}"
            if not output.has(name, inputs):
                output.put(name, file.render(), inputs)
        todo: list[tuple[str, str]] = []
        for name, page in plan.items():
            if page.inputs is None:
                output.put(name, _encoded(shell.html(name, page.render())))
                continue
            inputs = hashlib.blake2b(
                f"{theme} {shell.digest(name, page.section)} {page.inputs}".encode(), digest_size=12
            ).hexdigest()
            if not output.has(name, inputs):
                todo.append((name, inputs))

        def work(portion: Sequence[tuple[str, str]]) -> list[bool]:
            return [
                output.write(name, _encoded(shell.html(name, plan[name].render()))) for name, _ in portion
            ]

        done = (written for portion in spread(work, todo) for written in portion)
        for (name, inputs), written in zip(todo, done, strict=True):
            output.note(name, inputs, written=written)

    def _theme(self, config: MkDocsConfig) -> str:
        """Names what all pages are made with: program, templates, and the policy whose names they show."""
        digest = hashlib.blake2b(__version__.encode(), digest_size=12)
        folders = [str(Path(__file__).parent), *config.theme.dirs]
        for folder in folders:
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix in (".py", ".html"):
                    digest.update(path.relative_to(folder).as_posix().encode())
                    digest.update(path.read_bytes())
        policy = self._site.policy
        digest.update(policy.tree.encode() if policy is not None else b"")
        return digest.hexdigest()

    def on_serve(
        self, server: LiveReloadServer, /, *, config: MkDocsConfig, builder: Callable[..., None]
    ) -> LiveReloadServer:
        """Build again at a new commit or sign-off: they move refs, and no file of the work tree tells of all."""
        from gitchange.git.repository import Repository  # noqa: PLC0415 - MkDocs loads every installed plugin
        from gitchange.site import watching  # noqa: PLC0415

        for path in watching.refs_of(Repository.open(self._folder(config))):
            if path.exists():  # what is not there comes with the loose refs that move into it
                server.watch(str(path))
        return server

    def on_build_error(self, *, error: Exception) -> None:
        """Leave the environment, and the site that was there, as they were."""
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            os.environ.pop(_EPOCH, None)
            os.environ.update(self._before)
            self._before = None
        if self._aside is not None:
            site, self._aside = self._aside / "site", None
            if site.exists():
                output = Path(self._output)
                shutil.rmtree(output, ignore_errors=True)
                site.rename(output)
            site.parent.rmdir()

    def _manifest(self) -> str:
        overview = self._site.overview
        manifest = {
            "format": FORMAT,
            "title": overview.title,
            "main": overview.main,
            "notes": overview.notes,
            "introduction": overview.introduction,
            "now": overview.now.isoformat(),
            "changes": len(self._site.briefs),
        }
        return json.dumps(manifest, indent=2) + "\n"


class _Generated(Container[str]):
    """The names of all generated files."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._pages.has(name)


def _encoded(text: str | Markup) -> bytes:
    """UTF-8; what a commit's author line had that is no Unicode becomes a question mark."""
    return text.encode("utf-8", "replace")
