"""Makes the pictures of docs/ anew, and on demand one of every page: `python -m tests.browser.pictures [folder for every page]`.

A page of which docs/ has no picture yet is added to PICTURES.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import SWITCHES
from tests.browser.workspace import Workspace, open_workspace

ROOT: Final = Path(__file__).resolve().parents[2]
IMAGES: Final = ROOT / "docs" / "images"
WIDE, NARROW = (1280, 860), (390, 844)
# picture -> address below /admin/, width and height, colours
PICTURES: Final[dict[str, tuple[str, tuple[int, int], str]]] = {
    "home": ("", (1280, 1420), "light"),
    "home-dark": ("", WIDE, "dark"),
    "home-narrow": ("", NARROW, "light"),
    "answers": ("cache_admin/cachedanswer/?state__exact=READY", WIDE, "light"),
    "answers-narrow": ("cache_admin/cachedanswer/", NARROW, "light"),
    "answer": ("cache_admin/cachedanswer/1/change/", (1280, 1130), "light"),
    "call": ("cache_admin/call/11/change/", WIDE, "light"),
    "incident": ("cache_admin/incident/", WIDE, "light"),
    "missed": ("cache_admin/missedquestion/", WIDE, "light"),
    "batch": ("cache_admin/warmbatch/1/change/", WIDE, "light"),
    "waiting": ("cache_admin/waitpolicy/1/change/", (1280, 900), "light"),
}


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    switches = [*SWITCHES, "--no-sandbox"] if os.geteuid() == 0 else SWITCHES
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=switches)
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, workspace: Workspace, colours: Any, role: str = "Supervisors") -> Iterator[Page]:
    """A page of somebody of the role, with the drawer of filters open."""
    with browser.new_context(base_url=workspace.url, color_scheme=colours, reduced_motion="reduce") as context:
        context.add_cookies(workspace.list_cookies(role))  # type: ignore[arg-type]
        context.add_init_script("localStorage.setItem('house.filters', 'open')")
        yield context.new_page()


def take(page: Page, address: str, size: tuple[int, int], target: Path) -> None:
    """One picture."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"/admin/{address}")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(target))


def take_all(workspace: Workspace, browser: Browser) -> None:
    """Those of docs/."""
    for name, (address, size, colours) in PICTURES.items():
        with open_page(browser, workspace, colours) as page:
            take(page, address, size, IMAGES / f"{name}.png")


def take_every_page(workspace: Workspace, browser: Browser, folder: Path, addresses: list[str]) -> None:
    """Wide and narrow, in light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for colours in ("light", "dark"):
        with open_page(browser, workspace, colours, "Superuser") as page:
            for address in addresses:
                name = re.sub(r"\W+", "-", address).strip("-") or "home"
                for size in (WIDE, NARROW):
                    take(page, address, size, folder / f"{name}-{size[0]}-{colours}.png")


def main(arguments: list[str]) -> None:
    """Starts a site of its own."""
    with tempfile.TemporaryDirectory() as home, open_workspace(Path(home)) as workspace, open_browser() as browser:
        take_all(workspace, browser)
        if arguments:
            with open_page(browser, workspace, "light", "Superuser") as page:
                page.goto("/admin/")
                links = page.locator("#house-menu a").evaluate_all("all => all.map(link => link.getAttribute('href'))")
            lists = [link.removeprefix("/admin/") for link in links]
            rows = [f"{name.replace('_', '/', 1) if name.startswith('auth') else name.replace('cache_admin_', 'cache_admin/')}/{pk}/change/"
                    for name, pk in workspace.rows.items() if name.startswith(("auth", "cache_admin"))]  # fmt: skip
            take_every_page(workspace, browser, Path(arguments[0]), [*lists, *rows])


if __name__ == "__main__":
    main(sys.argv[1:])
