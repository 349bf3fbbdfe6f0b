"""An ordered key-value database in memory, for re-execution, tests and the simulator."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence


class MemoryDatabase:
    """The fake of :class:`node.storage.KeyValue`; ordered like LevelDB, durable like nothing."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """Returns the value or None."""
        return self._values.get(key)

    def iterate(self, prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yields (key, value) from ``start`` on in byte order while the prefix holds.

        Shows the entries as they were when it began, as a LevelDB iterator does.
        """
        first = bisect_left(self._keys, start)
        found: list[tuple[bytes, bytes]] = []
        for position in range(first, len(self._keys)):
            key = self._keys[position]
            if not key.startswith(prefix):
                break
            found.append((key, self._values[key]))
        yield from found

    def write(self, batch: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Writes all or nothing; None removes."""
        for key, value in batch:
            if value is not None:
                if key not in self._values:
                    insort(self._keys, key)
                self._values[key] = value
            elif self._values.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
