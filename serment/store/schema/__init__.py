"""Numbered SQL files, forward only, each run once in one transaction and recorded with its SHA-256."""
