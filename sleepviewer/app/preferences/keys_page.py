"""The page of the settings that sets keys: a profile, and for every command any keys, conflicts told by name."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sleepviewer.app.keys.command_table import KEY_TABLE, ROWS
from sleepviewer.app.keys.help_text import shown, shown_keys
from sleepviewer.app.keys.keymap import PROFILES, Keymap

_COMMAND = Qt.ItemDataRole.UserRole


class KeysPage(QWidget):
    """All commands with their keys; what is changed holds at once."""

    keymap_changed = Signal(object)

    def __init__(self, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keymap = keymap
        self._profile = QComboBox(self)
        self._profile.setAccessibleName("Profile of keys")
        for profile in PROFILES.values():
            self._profile.addItem(profile.title, profile.name)
            self._profile.setItemData(self._profile.count() - 1, profile.tip, Qt.ItemDataRole.ToolTipRole)
        self._profile.setCurrentIndex(self._profile.findData(keymap.profile))
        self._profile.activated.connect(self._choose_profile)
        self._profile_tip = QLabel(self)
        self._profile_tip.setWordWrap(True)
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search commands, or keys: “disagreement”, “Ctrl+P”")
        self._search.setAccessibleName("Search commands or keys")
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._filter)
        self._tree = QTreeWidget(self)
        self._tree.setAccessibleName("Commands and their keys")
        self._tree.setHeaderLabels(["Command", "Keys", "Menu"])
        self._tree.setRootIsDecorated(False)
        self._tree.setUniformRowHeights(True)
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.header().setStretchLastSection(False)
        self._tree.currentItemChanged.connect(self._show_command)
        self._items = {row.command: self._item(row.command) for row in KEY_TABLE}
        self._build_editor()
        self._lay_out()
        self._show()
        self.choose_command(KEY_TABLE[0].command)

    def _build_editor(self) -> None:
        self._name = QLabel(self)
        self._name.setWordWrap(True)
        self._edit = KeyEdit(self)
        self._edit.setAccessibleName("A key to give to the command")
        self._edit.setMaximumSequenceLength(1)
        self._edit.setClearButtonEnabled(True)
        self._edit.keySequenceChanged.connect(self._show_conflict)
        self._add = QPushButton("Add the key", self)
        self._add.clicked.connect(lambda: self._give(add=True))
        self._only = QPushButton("Only this key", self)
        self._only.setToolTip("Give the command this key and take its others away")
        self._only.clicked.connect(lambda: self._give(add=False))
        self._none = QPushButton("No key", self)
        self._none.setToolTip("Take all keys from the command")
        self._none.clicked.connect(lambda: self._set(self._keymap.with_keys(self.command, ())))
        self._usual = QPushButton("Usual keys", self)
        self._usual.setToolTip("Give the command the keys of the profile again")
        self._usual.clicked.connect(lambda: self._set(self._keymap.reset(self.command)))
        self._all_usual = QPushButton("Usual keys for all commands", self)
        self._all_usual.setToolTip("Forget every change of yours; the profile stays")
        self._all_usual.clicked.connect(lambda: self._set(Keymap(self._keymap.profile)))
        self._conflict = QLabel(self)
        self._conflict.setWordWrap(True)
        self._conflict.setMinimumHeight(2 * self.fontMetrics().height())
        self._conflict.setAlignment(Qt.AlignmentFlag.AlignTop)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel("Profile", self))
        top.addWidget(self._profile)
        top.addWidget(self._profile_tip, 1)
        editor = QHBoxLayout()
        editor.addWidget(self._edit, 1)
        for button in (self._add, self._only, self._none, self._usual):
            editor.addWidget(button)
        last = QHBoxLayout()
        last.addWidget(self._conflict, 1)
        last.addWidget(self._all_usual, alignment=Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self._search)
        layout.addWidget(self._tree, 1)
        layout.addWidget(self._name)
        layout.addLayout(editor)
        layout.addLayout(last)

    # -- what is shown

    @property
    def keymap(self) -> Keymap:
        """The keys as they are set."""
        return self._keymap

    @property
    def command(self) -> str:
        """The command in hand."""
        item = self._tree.currentItem()
        return KEY_TABLE[0].command if item is None else item.data(0, _COMMAND)

    def start(self) -> None:
        """Take the keyboard to the search, not to the profiles, of which a letter typed in passing chooses another."""
        self._search.setFocus()

    def choose_command(self, command: str) -> None:
        """Take a command in hand."""
        self._tree.setCurrentItem(self._items[command])

    def press(self, key: QKeySequence) -> None:
        """Take a key as if it had been pressed in the field."""
        self._edit.setKeySequence(key)

    @property
    def conflict(self) -> str:
        """What is said of the key that was pressed."""
        return self._conflict.text()

    def _item(self, command: str) -> QTreeWidgetItem:
        row = ROWS[command]
        item = QTreeWidgetItem(self._tree, [row.title, "", row.menu])
        item.setData(0, _COMMAND, command)
        item.setToolTip(0, row.explanation)
        return item

    def _show(self) -> None:
        self._profile_tip.setText(PROFILES[self._keymap.profile].tip)
        for command, keys in self._keymap.all().items():
            item = self._items[command]
            changed = keys != self._keymap.usual(command)
            item.setText(1, shown_keys(keys) + ("  (yours)" if changed else ""))
            font = item.font(1)
            font.setBold(changed)
            item.setFont(1, font)
        self._all_usual.setEnabled(bool(self._keymap.changes))
        self._filter()
        self._show_command()

    def _filter(self) -> None:
        words, keys = self._search.text().lower().split(), self._keymap.all()
        for command, item in self._items.items():
            texts = (item.text(0), item.text(1), item.text(2), ROWS[command].tip, *keys[command])
            searched = " ".join(texts).lower()
            item.setHidden(not all(word in searched for word in words))
        found = [command for command, item in self._items.items() if not item.isHidden()]
        if found and self.command not in found:  # a key must not go to a command that is not seen
            named = (command for command in found if all(word in ROWS[command].title.lower() for word in words))
            self.choose_command(next(named, found[0]))

    def _show_command(self) -> None:
        row = ROWS[self.command]
        self._name.setText(f"<b>{row.title}</b>: {row.explanation}. Press a key in the field:")
        self._none.setEnabled(bool(self._keymap.keys(self.command)))
        self._usual.setEnabled(self._keymap.is_changed(self.command))
        self._edit.clear()
        self._show_conflict()

    def _show_conflict(self) -> None:
        key = self._edit.key
        conflicts = self._keymap.conflicts(self.command, [key]) if key else ()
        free = bool(key) and not any(conflict.reason for conflict in conflicts)
        self._add.setEnabled(free)
        self._only.setEnabled(free)
        taking = bool(conflicts) and free
        self._add.setText("Take and add the key" if taking else "Add the key")
        said = "; ".join(conflict.text for conflict in conflicts)
        if taking:
            said += f". Given to “{ROWS[self.command].title}”, it is taken from there."
        elif key and not said:
            said = (
                f"{shown(key)} is free." if key not in self._keymap.keys(self.command) else "The command has this key."
            )
        self._conflict.setText(f"⚠ {said}" if conflicts else said)

    # -- setting

    def _choose_profile(self) -> None:
        self._set(self._keymap.with_profile(self._profile.currentData()))

    def _give(self, *, add: bool) -> None:
        before = self._keymap.keys(self.command) if add else ()
        self._set(self._keymap.with_keys(self.command, (*before, self._edit.key)))

    def _set(self, keymap: Keymap) -> None:
        self._keymap = keymap
        self._show()
        self.keymap_changed.emit(keymap)


class KeyEdit(QKeySequenceEdit):
    """Takes one key; that it is the keypad's, which Qt leaves out, counts here."""

    @property
    def key(self) -> str:
        """The key, as the key table writes it."""
        return self.keySequence().toString()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.KeypadModifier and event.text().isprintable() and event.text():
            self.setKeySequence(QKeySequence(f"Num+{event.text()}"))
        else:
            super().keyPressEvent(event)
