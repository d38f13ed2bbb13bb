"""The site as it is built, with one explorer: the first page, lessons, what is loaded and what is not."""

import re

import hosting
import pytest
from live_page import LivePage

from medgen_course import course
from medgen_course.site import build

AXE = hosting.SITE / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = """async () => (await axe.run()).violations.filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html).join(" "))"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "site"
    sizes = build.build_site(out, ["beta"])
    with hosting.served(out) as url:
        yield url, out, sizes


@pytest.fixture
def opened(built, browser):
    pages = []

    def page(name, **options):
        made = LivePage(browser.new_page(**options), built[0], name)
        pages.append(made)
        return made

    yield page
    for made in pages:
        made.page.close()
        assert not made.troubles and not made.elsewhere


def films(page):
    return page.locator(".live-films").nth(1).locator("canvas").first.evaluate("c => c.toDataURL()")


def test_the_first_page_moves_films_by_key_and_its_address_restores_them(opened):
    start = opened("index")
    start.open()
    assert start.page.locator("h1").count() == 1
    before, said = films(start.page), start.page.locator(".live-said").inner_text()
    slider = start.page.get_by_role("slider")
    slider.press("End")
    start.page.wait_for_function("document.querySelector('.live-said').textContent.includes('forgotten')")
    after = films(start.page)
    assert after != before and "nats" in said
    state = start.state()
    assert state == {"beta": "300"}
    start.open(**state)
    assert films(start.page) == after


def test_every_lesson_has_a_card_with_a_picture_and_a_page(built, opened):
    start = opened("index")
    start.open()
    lessons = [lesson.name for lesson in course.find()]
    links = start.page.locator(".lessons a")
    assert [link.get_attribute("href") for link in links.all()] == [f"{name}.html" for name in lessons]
    assert all((built[1] / f"{name}.html").is_file() for name in lessons)
    assert all(text.strip() for text in start.page.locator(".lessons p").all_inner_texts())


def test_a_page_without_explorers_loads_no_webassembly(opened):
    page = opened("00_data")
    asked = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.goto(page.url)
    page.page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "wasm" in url or "onnx" in url]


def test_a_lesson_shows_its_explorer_alive(opened):
    page = opened("02_vae", viewport={"width": 1100, "height": 900})
    page.page.goto(f"{page.url}#beta=10")
    place = page.page.locator("[data-live=beta]")
    place.scroll_into_view_if_needed()
    page.page.wait_for_selector("[data-live=beta][data-ready]", timeout=60_000)
    assert "β = 10" in page.numbers()


def test_without_webassembly_a_sentence_stands_there(opened):
    page = opened("index")
    page.page.add_init_script("delete window.WebAssembly")
    page.page.goto(page.url)
    told = page.page.locator(".live-wait")
    told.get_by_text("no WebAssembly").wait_for()
    page.page.locator(".live-still img").wait_for()


def test_a_folder_opened_from_disk_says_what_it_needs_and_shows_figures(built, browser):
    page = browser.new_page()
    page.goto((built[1] / "index.html").as_uri())
    assert "web server" in page.locator(".live-wait").inner_text()
    still = page.locator(".live-still img")
    still.wait_for()
    page.wait_for_function("document.querySelector('.live-still img').naturalWidth > 400")
    page.goto((built[1] / "02_vae.html").as_uri())
    told = page.locator("[data-live=beta] .live-wait")
    told.scroll_into_view_if_needed()  # cells out of sight are not drawn
    assert "web server" in told.text_content() and told.is_visible()
    page.close()


@pytest.mark.parametrize(("scheme", "dark"), (("light", False), ("dark", True)))
def test_a_lesson_is_as_light_or_dark_as_the_readers_screen(opened, scheme, dark):
    page = opened("10_anomaly", color_scheme=scheme)
    page.page.goto(page.url)
    for part in ("body", ".jp-InputArea-editor .highlight"):
        colour = page.page.locator(part).first.evaluate("e => getComputedStyle(e).backgroundColor")
        red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
        assert (red + green + blue < 200) is dark
        assert (red + green + blue > 600) is not dark


@pytest.mark.parametrize("name", ["index", *(lesson.name for lesson in course.find())])
@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_no_page_has_a_serious_fault(opened, name, scheme):
    page = opened(name, viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page.page.goto(page.url)
    page.page.add_script_tag(path=AXE)
    assert page.page.evaluate(SERIOUS) == []
