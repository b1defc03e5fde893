"""Work off the GUI thread: background calls, child processes, waiting dialogs."""
