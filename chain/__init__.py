"""What can be verified for ever after: records, hashes, signatures, state, and execution.

Pure and synchronous: no clock, disk, socket or random source. Everything above imports it, and it
imports none of that; contracts are reached through :class:`chain.execution.ContractRuntime`.
"""
