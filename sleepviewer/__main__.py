"""``python -m sleepviewer`` is the ``sleepviewer`` command."""

from sleepviewer.cli import main

if __name__ == "__main__":
    main(prog_name="sleepviewer")
