"""The simulator: whole networks of production kernels in one thread, on virtual time, from a seed.

Everything that a seed decides is drawn from :func:`node.simulator.randomness.stream`; so a seed
reproduces on any host, and every violation of an invariant names the seed that shows it.
"""
