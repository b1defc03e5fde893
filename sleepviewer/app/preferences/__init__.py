"""The settings dialog and its pages: keys, appearance, scorer; the command palette and the help overlay."""
