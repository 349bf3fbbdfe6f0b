"""Deviation checks: each rule a small pure function, run in the order of one table."""
