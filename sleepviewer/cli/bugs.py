"""What a command says of an error of the program itself."""

from __future__ import annotations

from typing import Final

import click

from sleepviewer import logs
from sleepviewer.user_folders import ensure_user_folders

EXIT_OF_A_BUG: Final = 70
"""EX_SOFTWARE of sysexits.h."""


def sentence_on(error: Exception, ctx: click.Context) -> str:
    """Write an error of the program to the log (and to the terminal where that was asked for); say where it is."""
    ensure_user_folders()
    path = logs.log_file() or logs.start_log()
    logs.log_error(error, f"in the command {ctx.invoked_subcommand}")
    if ctx.params.get("debug") or logs.debugging():
        logs.print_traceback(error)
    where = "no log could be written; --debug shows it" if path is None else f"the log says where: {path}"
    if isinstance(error, MemoryError):
        return f"memory did not suffice; close other programs, or take a shorter recording ({where})."
    return f"something went wrong inside the program ({type(error).__name__}); {where}."
