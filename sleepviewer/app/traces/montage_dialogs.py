"""What is asked about montages: names, and files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QMessageBox, QWidget

_FILES = "Montages (*.json)"


def ask_name(parent: QWidget, title: str, question: str, proposed: str) -> str | None:
    """Ask for a montage's name."""
    name, given = QInputDialog.getText(parent, title, question, QLineEdit.EchoMode.Normal, proposed)
    return name if given else None


def ask_delete(parent: QWidget, name: str) -> bool:
    """Ask whether a saved montage is to be deleted."""
    buttons = QMessageBox.StandardButton
    text = f"Delete the saved montage “{name}”? What is on the page stays as it is."
    return QMessageBox.question(parent, "Delete a montage", text, buttons.Yes | buttons.No) == buttons.Yes


def ask_import_path(parent: QWidget, folder: Path) -> Path | None:
    """Ask for a file of montages to read."""
    name, _ = QFileDialog.getOpenFileName(parent, "Import montages", str(folder), f"{_FILES};;All files (*)")
    return Path(name) if name else None


def ask_export_path(parent: QWidget, proposed: Path) -> Path | None:
    """Ask where montages are to be written."""
    dialog = QFileDialog(parent, "Export montages", str(proposed), _FILES)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("json")
    try:
        return Path(dialog.selectedFiles()[0]) if dialog.exec() else None
    finally:
        dialog.deleteLater()
