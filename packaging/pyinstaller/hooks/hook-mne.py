"""MNE loads its parts by name, from lists in .pyi files that must come along; its tests and its windows need not."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_LEFT_OUT = ("tests", "gui", "report", "_qt_app", "commands", "datasets")


def _wanted(name):
    return not any(part in _LEFT_OUT for part in name.split(".")[1:] if part != "datasets") and not name.startswith(
        "mne.datasets."
    )


hiddenimports = [*collect_submodules("mne", filter=_wanted), *collect_submodules("mne.datasets.sleep_physionet")]
datas = collect_data_files("mne", includes=["**/*.pyi", "**/*.py.typed"]) + collect_data_files(
    "mne", includes=["channels/data/**", "data/**", "html_templates/**"]
)
