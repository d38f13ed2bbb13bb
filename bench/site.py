"""Sizes of the site in build/site, and how long a reader waits in headless Chromium; after `make site`."""

import gzip
import statistics
import sys
from pathlib import Path

from timing import machine, say_latency

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "site"))

import conftest
import hosting

from medgen_course.doctor import chromium

SITE = Path(__file__).parents[1] / "build" / "site"
ROUNDS, EVENTS = 5, 40
WATCH = """new PerformanceObserver(list => { for (const e of list.getEntries()) window.lcp = e.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});"""
LIVE = "document.querySelector('[data-live][data-ready]') && performance.now()"
TIMES = """async events => {
  const control = document.querySelector("[data-ready] input[type=range]"), times = [];
  const said = control.closest("[data-live]").querySelector(".live-numbers, .live-said");
  const what = {childList: true, characterData: true, subtree: true};
  for (let i = 0; i < events; i++) {
    const changed = new Promise(done => new MutationObserver((_, all) => { all.disconnect(); done(); })
      .observe(said, what));
    const started = performance.now();
    control.value = Number(control.min) + (i % 8 + 1) * control.step;
    control.dispatchEvent(new Event("input", {bubbles: true}));
    await changed;
    times.push(performance.now() - started);
  }
  return times; }"""


def sizes() -> None:
    """Megabytes of the whole, and of each explorer's weights, gzipped."""
    whole = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"site: {whole / 1e6:.1f} MB (limit 40)")
    for folder in sorted((SITE / "live").iterdir()):
        weights = sum(len(gzip.compress(path.read_bytes())) for path in folder.glob("*.onnx"))
        print(f"{folder.name}: weights {weights / 1e6:.2f} MB gzipped (limit 1.5)")


def waiting(browser, url: str) -> None:
    """Largest contentful paint, first answer and later ones of the first page."""
    paints, firsts = [], []
    for _ in range(ROUNDS):
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.add_init_script(WATCH)
        page.goto(f"{url}index.html")
        firsts.append(page.wait_for_function(LIVE, timeout=60_000).json_value() / 1000)
        paints.append(page.evaluate("window.lcp") / 1000)
        times = page.evaluate(TIMES, EVENTS)
        page.context.close()
    print(f"largest contentful paint: median {statistics.median(paints):.2f} s (limit 1)")
    print(f"first answer: median {statistics.median(firsts):.2f} s (limit 3)")
    say_latency("start page, next answers", times[5:], target=30)


if __name__ == "__main__":
    print(machine())
    if not (SITE / "index.html").exists() or not chromium():
        print(f"not measured: it needs {SITE} (make site) and a Chromium")
        sys.exit()
    sizes()
    from playwright.sync_api import sync_playwright

    with hosting.served(SITE) as url, sync_playwright() as started:
        waiting(started.chromium.launch(executable_path=chromium(), args=conftest.FLAGS), url)
