"""The ``sleepviewer`` command: a module for each of its commands, or for a few that belong together."""

from sleepviewer.cli.alike import alike
from sleepviewer.cli.analyse import analyse
from sleepviewer.cli.check import check
from sleepviewer.cli.compare import compare
from sleepviewer.cli.consensus import consensus
from sleepviewer.cli.data import fetch, prepare
from sleepviewer.cli.events import export_events, suggest_events
from sleepviewer.cli.explain import explain
from sleepviewer.cli.export import export
from sleepviewer.cli.fine_tune import fine_tune as fine_tune_command
from sleepviewer.cli.models import models
from sleepviewer.cli.program import main
from sleepviewer.cli.recover import recover
from sleepviewer.cli.report import report as report_command
from sleepviewer.cli.reproduce import reproduce
from sleepviewer.cli.score import score
from sleepviewer.cli.training import cross_validate, train

main.add_command(score)
main.add_command(compare)
main.add_command(consensus)
main.add_command(export)
main.add_command(fetch)
main.add_command(prepare)
main.add_command(report_command)
main.add_command(analyse)
main.add_command(check)
main.add_command(alike)
main.add_command(explain)
main.add_command(train)
main.add_command(cross_validate)
main.add_command(reproduce)
main.add_command(fine_tune_command)
main.add_command(models)
main.add_command(export_events)
main.add_command(suggest_events)
main.add_command(recover)

__all__ = ["main"]
