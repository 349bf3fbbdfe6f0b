"""How many event streams are open."""

from collections.abc import Iterator
from contextlib import contextmanager

from node.rpc.problems import Problem, ProblemError


class Subscribers:
    """Open event streams, counted."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self.count = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Counts a stream while it is open.

        Raises:
            ProblemError: TOO_MANY_SUBSCRIBERS.
        """
        if self.count >= self._count_max:
            raise ProblemError(
                Problem(
                    code="TOO_MANY_SUBSCRIBERS",
                    detail=f"event streams: expected at most {self._count_max} at this node, got "
                    "one more; follow another node, or read pages",
                )
            )
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1
