"""The pages of the documentation: written anew where they should be, reachable, and linked to what is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from helpers.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(
    (
        *DOCS.rglob("*.md"),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        ROOT / "benchmarks" / "README.md",
    )
)
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?\)")


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors_of(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).lower() for head in heads)
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", head)) for head in plain}


def test_the_page_of_engines_says_what_the_cards_say() -> None:
    written = tool("write_engines_page")
    page = written.engines_markdown()
    assert (DOCS / "engines.md").read_text(encoding="utf-8") == page, "run python tools/write_engines_page.py"
    for with_table in written.WITH_TABLE:
        text = with_table.read_text(encoding="utf-8")
        assert text == written.with_table(text), "run python tools/write_engines_page.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target, anchor in LINK.findall(text):
        there = (page.parent / target).resolve() if target else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        if anchor:
            assert anchor in anchors_of(there), f"{target}#{anchor}"


def test_every_page_of_the_site_can_be_reached() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    listed = re.findall(r"(\S+\.md)$", nav, re.M)
    included = set(tool("site_hooks").INCLUDED.values())
    assert len(listed) == len(set(listed))
    assert set(listed) == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} | included


def test_links_out_of_the_folder_lead_to_pages_of_the_site() -> None:
    relinked = tool("site_hooks")._relinked
    assert relinked("[a](../SECURITY.md#how)", "docs/faq.md", "faq.md") == "[a](security.md#how)"
    assert relinked("[a](../benchmarks/README.md)", "docs/x/y.md", "x/y.md") == "[a](../benchmarks/README.md)"
    assert relinked("[a](docs/architecture.md)", "CONTRIBUTING.md", "contributing.md") == "[a](architecture.md)"
    assert relinked("[a](../docs/images/x.svg)", "benchmarks/README.md", "benchmarks.md") == "[a](images/x.svg)"
    assert relinked("[a](https://physionet.org)", "docs/faq.md", "faq.md") == "[a](https://physionet.org)"


def test_pictures_follow_the_palette_where_there_are_two() -> None:
    pairs = tool("site_hooks")._pairs
    both = pairs("![A night](images/window_dark.png)", "guide.md", DOCS)
    assert both == "![A night](images/window_light.png#only-light)![A night](images/window_dark.png#only-dark)"
    assert pairs("![x](images/nothing_light.png)", "guide.md", DOCS) == "![x](images/nothing_light.png)"


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="the extra “docs” is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = [page.read_text(encoding="utf-8") for page in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 30
    for page in pages:
        fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(https?:[^\s\">]+)", page)
        assert not fetched
