"""PBFT-style agreement on executed blocks, one height at a time: a pure state machine."""
