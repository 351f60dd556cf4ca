"""Calls of the library in an asyncio program: each waits in a thread, and is stopped where nobody waits for it any more."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from oci_chart import CancelToken, Client

T = TypeVar("T")


async def call(verb: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """`await call(client.pull, reference, verify=False)`."""
    token = CancelToken()
    try:
        return await asyncio.to_thread(verb, *arguments, **options, cancel=token)
    except asyncio.CancelledError:
        token.cancel()
        raise


async def newest(references: list[str]) -> list[str]:
    with Client(stored_logins=True) as client:
        found = await asyncio.gather(*(call(client.resolve, reference) for reference in references))
    return [descriptor.digest for descriptor in found]


if __name__ == "__main__":
    print(*asyncio.run(newest(sys.argv[1:])), sep="\n")
