"""Change management that lives in Git."""

__version__ = "0.1.0"
