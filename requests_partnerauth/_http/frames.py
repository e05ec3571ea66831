"""Letting go of the frames that an exception came through."""

from __future__ import annotations


def let_go(error: BaseException) -> None:
    """Take the frames from an exception that goes no further, and from those that led to it.

    urllib3 tells errors by a generator in a ``with``: contextlib's frame then holds the error and the error
    that frame, in a cycle which would keep requests, responses and their connections until the garbage
    collector comes by.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        if (each := waiting.pop()) is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            waiting += (each.__cause__, each.__context__)
