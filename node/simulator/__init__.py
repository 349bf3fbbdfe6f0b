"""Many kernels in one thread on virtual time: the production code under seeded faults."""
