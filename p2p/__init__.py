"""Authenticated links between nodes: they carry opaque bytes and know neither blocks nor votes."""
