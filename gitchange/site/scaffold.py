"""What `gitchange init` puts into a new repository so that plain `mkdocs build` works in it."""

from __future__ import annotations

import json


def site_files(title: str) -> dict[str, bytes]:
    """Files by path; none of them is trusted for anything."""
    # A JSON string is a YAML string: the title cannot break out of it.
    text = (
        f"site_name: {json.dumps(title, ensure_ascii=False)}\n"
        "theme:\n  name: gitchange\n"
        "plugins:\n  - gitchange\n"
        "use_directory_urls: false\n"
    )
    return {"mkdocs.yml": text.encode()}
