"""Part II's live explorers for everybody: axe-core, a phone's width, names of all controls."""

import hosting
import pytest
from live_page import LivePage

from medgen_course.site.explorers import LIVE, built

AXE = hosting.SITE / "node_modules" / "axe-core" / "axe.min.js"
NAMES = sorted(set(LIVE.values()))
SERIOUS = """async () => (await axe.run()).violations.filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => v.id + ": " + v.nodes.map(n => n.html).join(" "))"""


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("name", NAMES)
def test_no_serious_fault_at_any_width(address, browser, name, scheme):
    url, out = address
    if not (out / f"{name}.html").exists():
        hosting.write(built(name), out)  # its own tests run elsewhere, or later
    page = browser.new_page(viewport={"width": 320, "height": 800}, color_scheme=scheme)
    LivePage(page, url, name).open()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.add_script_tag(path=AXE)
    assert page.evaluate(SERIOUS) == []
    page.close()
