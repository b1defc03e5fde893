"""``sleepviewer check``: what is in a night's files, what is odd about them, and what the program did about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.cli.answers import reading_option, unit_option

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit
    from sleepviewer.review.checking import Amplitude, Check

_path = click.Path(path_type=Path)


@click.command(short_help="Say what is odd about a night's files, and what was done about it.")
@click.argument("night", type=_path)
@click.option("--truth", type=_path, help="The expert's hypnogram (found by its name where it lies beside).")
@unit_option
@reading_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
@click.pass_context
def check(
    ctx: click.Context,
    night: Path,
    truth: Path | None,
    units: tuple[ToldUnit, ...],
    reading: str | None,
    as_json: bool,
) -> None:
    """Look through a night, every sample of it, and say what is odd.

    \b
    Exit codes: 0 nothing is odd, 3 something is odd but the night can be scored,
    4 it can't be scored as it is, 1 it can't be opened.
    """  # noqa: D301  (\b is click's mark for text that must not be re-wrapped)
    from sleepviewer.recording import open_recording
    from sleepviewer.recording.summary import summary, summary_text
    from sleepviewer.review.checking import check_recording

    with open_recording(night, units) as recording:
        found = check_recording(recording, truth, reading)
        facts = summary(recording) | {"notes": []}
    if as_json:
        values = facts | {
            "severity": found.severity.word,
            "amplitudes": {label: asdict(amplitude) for label, amplitude in found.amplitudes.items()},
            "findings": [finding.as_dict() for finding in found.findings],
        }
        click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(summary_text(facts))
        click.echo(_text(found, facts))
    ctx.exit(int(found.severity))


def _text(found: Check, facts: dict[str, Any]) -> str:
    lines = [
        f"  {channel['label']}: {_amplitude(found.amplitudes[channel['label']], channel['unit'])}"
        for channel in facts["channels"]
    ]
    lines += [f"{finding.severity.word}: {finding.sentence}" for finding in found.findings]
    if not found.findings:
        lines.append("nothing is odd")
    return "\n".join(lines)


def _amplitude(found: Amplitude, unit: str) -> str:
    if found.low is None or found.quartile_1 is None:
        return "no sample"
    missing = f", {found.missing:.1%} missing" if found.missing else ""
    return (
        f"{found.low:.4g} to {found.high:.4g} {unit}".rstrip() + f", the middle half {found.quartile_1:.4g} to "
        f"{found.quartile_3:.4g}{missing}"
    )
