"""Verifiable credentials: what a certificate is outside the chain, and how it is checked."""
