"""Importers: files as their sources publish them, read into readings without changing them."""
