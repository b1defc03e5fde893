"""Open, save, autosave, recover and export; units of channels; pictures."""
