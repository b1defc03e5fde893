"""The frame of the window: theme, settings, dialogs, panels, bars and table widgets."""
