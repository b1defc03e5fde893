"""Options that answer what a file leaves open: the units of its channels, and how a hypnogram is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sleepviewer.errors import AmbiguousHypnogramError, ChannelError, SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.recording.units import ToldUnit
    from sleepviewer.review.night import Night


def _told(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[ToldUnit, ...]:
    if not values:
        return ()
    from sleepviewer.recording.units_told import parse_told

    try:
        return tuple(parse_told(value) for value in values)
    except ChannelError as error:
        raise click.BadParameter(str(error)) from error


def check_reading(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return a reading of hypnograms that there is, for an option that names one."""
    if value is None:
        return None
    from sleepviewer.hypnogram import format_ids

    if value not in format_ids():
        raise click.BadParameter(f"“{value}” is not one of {', '.join(format_ids())}")
    return value


unit_option = click.option(
    "--unit",
    "units",
    metavar="CHANNEL=UNIT",
    multiple=True,
    callback=_told,
    help="Unit of a channel for which the file gives none or a wrong one, like “EEG C4=mV”, or as-is; may be repeated.",
)
reading_option = click.option(
    "--read-as",
    "reading",
    metavar="READING",
    callback=check_reading,
    help="How to read a hypnogram that can be read in more than one way: aasm, r-and-k, five-is-wake, or a format.",
)


def sentence_of(error: SleepViewerError) -> str:
    """Return the sentence of an error, and what can be said on the command line where it asks for something."""
    if isinstance(error, AmbiguousHypnogramError) and error.choices:
        from sleepviewer.hypnogram import meaning_of

        said = " or ".join(f"--read-as {choice} ({meaning_of(choice)})" for choice in error.choices)
        return f"{error} Say it with {said}."
    return str(error)


def notes_of(night: Night) -> tuple[str, ...]:
    """Return a night's notes; where one asks how the hypnogram beside it is to be read, with what can be said here."""
    if night.ambiguous_truth is None:
        return night.notes
    from sleepviewer.review.night import not_used

    path, error = night.ambiguous_truth
    asking = not_used(path, error)
    return tuple(f"{path.name} beside the recording: {sentence_of(error)}" if n == asking else n for n in night.notes)
