"""Hostile text, secrets and files."""
