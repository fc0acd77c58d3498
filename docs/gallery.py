"""The pictures in the README: the demo's report and its clips in FiftyOne's App, in a real browser.

    python docs/gallery.py [--demo DEMO]

Makes the demo where there is none, opens both in Chromium, and writes docs/pictures/. FiftyOne keeps its
database in a folder of its own for as long as that takes. It needs extra view, playwright and Chromium.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
PROGRAM = Path(sys.executable).with_name("curate")
WIDTH_PX, HEIGHT_PX = 1280, 800
COLOURS = 160
"""Pictures are stored with so many colours: screens of drawings have few, and files are a third as large."""
WAIT_MS = 120_000
SETTLE_MS = 4_000
PORT = 5163


def main() -> int:
    """Write every picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--demo", type=Path, default=Path("demo"), help="folder of the demo")
    demo = parser.parse_args().demo
    if not (demo / "run" / "report.html").is_file():
        subprocess.run([PROGRAM, "demo", "--out", demo], check=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        picture_report(browser, demo / "run" / "report.html")
        with app(demo / "run") as address:
            picture_app(browser, address)
        browser.close()
    return 0


def picture_report(browser: Any, report: Path) -> None:
    """The head of the report, its plots of labels, and a film strip; the last in the dark."""
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
    page.goto(report.resolve().as_uri())
    keep(page, "report")
    page.goto(f"{report.resolve().as_uri()}#labels")
    keep(page, "report-labels")
    page.close()
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="dark")
    page.goto(f"{report.resolve().as_uri()}#clips")
    keep(page, "report-clips")
    page.close()


def picture_app(browser: Any, address: str) -> None:
    """The labels that changed, least reliable first, and the form by which people decide."""
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
    page.goto(f"{address}?view=changed-labels")
    page.wait_for_selector("[data-cy=looker]", timeout=WAIT_MS)
    page.wait_for_timeout(SETTLE_MS)
    if page.get_by_text("Dismiss").count():
        page.get_by_text("Dismiss").first.click()
    page.wait_for_timeout(SETTLE_MS)
    keep(page, "app")
    first = page.locator("[data-cy=looker]").first
    first.hover()
    box = first.bounding_box()
    page.wait_for_timeout(SETTLE_MS / 4)
    page.mouse.click(box["x"] + 18, box["y"] + 16)
    page.locator('[data-item-id="curate/decide"]').click()
    page.get_by_text("What is it? (1 selected)").wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(SETTLE_MS / 4)
    keep(page, "app-decide")
    page.close()


@contextmanager
def app(run: Path) -> Iterator[str]:
    """Serves a run's clips in FiftyOne, with a home and a database that are thrown away."""
    with tempfile.TemporaryDirectory() as home:
        environ = os.environ | {
            "HOME": home,
            "FIFTYONE_DATABASE_DIR": f"{home}/database",
            "PYTHONUNBUFFERED": "1",
        }
        command = [PROGRAM, "view", run, "--port", str(PORT), "--no-browser"]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield next(line[6:].strip() for line in process.stdout or () if line.startswith("open: "))
            finally:
                process.terminate()


def keep(page: Page, name: str) -> None:
    """Write what is seen as docs/pictures/NAME.png."""
    PICTURES.mkdir(exist_ok=True)
    with Image.open(BytesIO(page.screenshot())) as seen:
        few = seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(PICTURES / f"{name}.png", optimize=True)
    sys.stdout.write(f"wrote {PICTURES / name}.png\n")


if __name__ == "__main__":
    sys.exit(main())
