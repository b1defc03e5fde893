"""A Dask cluster to hand work to; what runs on it must see the same folders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sleepviewer.errors import SleepViewerError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S: Final = 10
WAIT_FOR_WORKERS_S: Final = 30


@contextmanager
def dask_client(address: str, kind: type[SleepViewerError]) -> Iterator[Client]:
    """Connect to a scheduler that has workers, until the block ends.

    Raises an error of ``kind`` where Dask is not installed, there is no scheduler at the address, or no worker comes.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise kind("Dask is not installed; install SleepViewer with its extra “cluster”.") from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise kind(
            f"There is no Dask scheduler at {address}; start one with “dask scheduler” and name its address."
        ) from error
    try:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS_S)
        except TimeoutError as error:
            raise kind(f"The Dask cluster at {address} has no workers; start some with “dask worker”.") from error
        yield client
    finally:
        client.close(timeout=CONNECT_S)
