"""The node: what wires the pure packages to disk, network, clock and operator."""
