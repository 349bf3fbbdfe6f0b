"""Measurements of a whole network and of each layer (docs/performance.md)."""
