"""What mkdocs does to the pages on their way to the site, so that the same files read well in the repository too.

Pages outside docs/ (changes, security, contributing, citing, benchmarks) become pages of the site, and links to them
lead there. A picture that there is in light and dark is shown in the one that suits the palette.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent

INCLUDED: Final = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "CITATION.cff": "citation.md",
}
"""Files of the repository outside docs/, and the pages of the site that they become."""

_LINK: Final = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_PICTURE: Final = re.compile(r"!\[([^\]]*)\]\((\S+?)_(light|dark)\.png\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the repository's own pages to those of docs/."""
    from mkdocs.structure.files import File

    for source, page in INCLUDED.items():
        files.append(File.generated(config, page, content=_included(source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links out of docs/ into links to the pages of the site, and pictures into pairs."""
    at = f"docs/{page.file.src_uri}"
    origin = next((source for source, name in INCLUDED.items() if name == page.file.src_uri), at)
    return _pairs(_relinked(markdown, origin, page.file.src_uri), page.file.src_uri, Path(config["docs_dir"]))


def _included(source: str) -> str:
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.endswith(".cff"):
        return (
            "# Citing\n\nIf you use SleepViewer in your research, please cite it, and the engine that scored (YASA or "
            f"AttnSleep). `{source}` of the repository, for programs that read citations:\n\n```yaml\n{text}```\n"
        )
    return text


def _relinked(markdown: str, origin: str, page: str) -> str:
    """Rewrite the links of a file of the repository (``origin``) for the place where the site has it (``page``)."""

    def rewrite(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), found[1]))
        place = INCLUDED.get(target, target.removeprefix("docs/") if target.startswith("docs/") else None)
        if place is None:
            return found[0]  # mkdocs tells of it
        return f"]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{found[2] or ''})"

    return _LINK.sub(rewrite, markdown)


def _pairs(markdown: str, page: str, docs: Path) -> str:
    folder = docs / posixpath.dirname(page)

    def both(found: re.Match[str]) -> str:
        words, name, _ = found.groups()
        if not all((folder / f"{name}_{theme}.png").is_file() for theme in ("light", "dark")):
            return found[0]
        return f"![{words}]({name}_light.png#only-light)![{words}]({name}_dark.png#only-dark)"

    return _PICTURE.sub(both, markdown)
