"""What `gitchange init` puts into a new repository so that plain `mkdocs build` works in it."""

from __future__ import annotations

import json

_INTRODUCTION = """\
# About these changes

Every change to our systems is requested, evaluated, implemented, validated and documented here, and
each of these steps is signed by the person who took it.

This page is `docs/index.md`; write here what your colleagues should know. Other pages that you put
into `docs/` appear on the site as well.
"""


def site_files(title: str) -> dict[str, bytes]:
    """Files by path; none of them is trusted for anything.

    MkDocs refuses to build without its `docs` folder, and Git keeps no empty one, so there is a page in
    it: the introduction of the site's home page.
    """
    # A JSON string is a YAML string: the title cannot break out of it.
    text = (
        f"site_name: {json.dumps(title, ensure_ascii=False)}\n"
        "theme:\n  name: gitchange\n"
        "plugins:\n  - gitchange\n"
        "use_directory_urls: false\n"
    )
    return {"mkdocs.yml": text.encode(), "docs/index.md": _INTRODUCTION.encode()}
