"""The document being edited: truth, prediction, edits, undo, saving."""
