"""Sizes of the site in build/site, and how long a reader waits in headless Chromium; after `make site`."""

import gzip
import re
import statistics
import sys
from pathlib import Path

from timing import machine, say_latency

sys.path.extend(str(Path(__file__).parents[1] / "tests" / room) for room in ("", "site"))

import headless
import hosting

SITE = Path(__file__).parents[1] / "build" / "site"
ROUNDS, EVENTS = 3, 40
WATCH = """new PerformanceObserver(list => { for (const e of list.getEntries()) window.lcp = e.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});"""
READY = "name => document.querySelector(`[data-live=${name}]`)?.dataset.ready && performance.now()"
TIMES = """async ([name, events]) => {
  const place = document.querySelector(`[data-live=${name}]`), times = [];
  const control = place.querySelector("input[type=range]:not([disabled])");
  const said = place.querySelector(".live-numbers, .live-said");
  const what = {childList: true, characterData: true, subtree: true};
  for (let i = 0; i < events; i++) {
    const changed = new Promise(done => {
      new MutationObserver((_, all) => { all.disconnect(); done(true); }).observe(said, what);
      setTimeout(done, 2000, false);
    });
    const started = performance.now();
    control.value = Number(control.min) + (i % 8 + 1) * control.step;
    control.dispatchEvent(new Event("input", {bubbles: true}));
    if (await changed) times.push(performance.now() - started);
  }
  return times; }"""


def places() -> dict[str, str]:
    """The page on which each explorer lives."""
    found = {"start": "index"}
    for page in sorted(SITE.glob("[0-9]*.html")):
        names = re.findall(r'data-live="(\w+)"', page.read_text(encoding="utf-8"))
        found |= {name: page.stem for name in names}
    return found


def sizes() -> None:
    """Megabytes of the whole, and of each explorer's weights, gzipped."""
    whole = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"site: {whole / 1e6:.1f} MB (limit 40)")
    for folder in sorted((SITE / "live").iterdir()):
        weights = sum(len(gzip.compress(path.read_bytes())) for path in folder.glob("*.onnx"))
        print(f"{folder.name}: weights {weights / 1e6:.2f} MB gzipped (limit 1.5)")


def waiting(browser, url: str, name: str, page_name: str) -> None:
    """Largest contentful paint, first answer and later ones of an explorer."""
    paints, firsts = [], []
    for _ in range(ROUNDS):
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.add_init_script(WATCH)
        page.goto(f"{url}{page_name}.html")
        painted = page.evaluate("performance.now()")
        page.locator(f"[data-live={name}]").scroll_into_view_if_needed()
        ready = page.wait_for_function(READY, arg=name, timeout=60_000).json_value()
        firsts.append((ready - (painted if name != "start" else 0)) / 1000)
        paints.append(page.evaluate("window.lcp") / 1000)
        times = page.evaluate(TIMES, [name, EVENTS])
        page.context.close()
    print(f"{name}: painted {statistics.median(paints):.2f} s (limit 1), "
          f"first answer {statistics.median(firsts):.2f} s (limit 3), medians of {ROUNDS}")  # fmt: skip
    say_latency(f"{name}, next answers", times[5:], target=30)


if __name__ == "__main__":
    print(machine())
    if not (SITE / "index.html").exists() or not headless.CHROMIUM:
        print(f"not measured: it needs {SITE} (make site) and a Chromium")
        sys.exit()
    sizes()
    with hosting.served(SITE) as url, headless.started() as browser:
        for name, page_name in places().items():
            waiting(browser, url, name, page_name)
