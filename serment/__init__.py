"""Serment: the medical secret, kept in software."""

__version__ = "0.1.0"
