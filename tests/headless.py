"""One headless Chromium: for the browser tests, the site's tests, bench/browser.py and bench/site.py."""

import contextlib

from medgen_course.doctor import chromium

CHROMIUM = chromium()
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 180_000  # ms; a busy machine is slow, a broken one never ends


@contextlib.contextmanager
def started():
    """A playwright Browser. One at a time in a process: playwright's event loop runs in the main thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()
