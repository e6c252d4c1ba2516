"""The theme `gitchange`, for MkDocs to find; the templates themselves are in `site-templates/`.

MkDocs takes the folder of the module that the entry point `mkdocs.themes` names
(`mkdocs.utils.get_theme_dir`: the directory of the module's `__file__`). The templates are no Python
package and, in a checkout, lie outside this one, so this module names their folder as its own.
"""

from __future__ import annotations

from gitchange.site.root import TEMPLATES

__file__ = str(TEMPLATES / "mkdocs_theme.yml")
