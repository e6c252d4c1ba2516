"""Where the theme's templates and the configuration of generated sites lie.

A wheel carries them inside the package (`force-include` in pyproject.toml); in a checkout, editable
installs included, they are at its top level.
"""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_root"

ROOT = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2]
"""The folder that holds both."""
TEMPLATES = ROOT / "site-templates"
"""The theme: its own templates, assets and `mkdocs_theme.yml`."""
CONFIGURATION = ROOT / "mkdocs.yml"
"""MkDocs' configuration for a repository that brings none of its own."""
