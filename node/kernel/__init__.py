"""The pure half of a node: pool, execution and replica as one machine, events in, effects out.

The same kernel runs under asyncio in production (:mod:`node.runtime`) and under a heap of events in
the simulator (:mod:`node.simulator`). It reads committed data through
:class:`node.ports.BlockStore` and changes nothing in the world by itself.
"""
