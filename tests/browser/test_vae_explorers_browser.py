"""The explorers of notebook 02 in JupyterLab: slider by keyboard, curve and map by mouse, a file given."""

from test_explorers_browser import (
    DATA,
    SETUP,
    check_controls,
    drag,
    drop_picture,
    give_picture,
    keep_screenshot,
    state,
    wait_for_change,
)

SHIPPED = """
from medgen_course import pretrained
from medgen_course.pretrained import Codes

vaes = pretrained.load_vaes("phantom")

def codes_of(model):
    with torch.no_grad():
        mu, logvar = model.encode(torch.from_numpy(data.val.images).float() / 255)
    return Codes(mu, logvar, torch.from_numpy(data.val.labels))
"""
BETA = """
explorers.BetaExplorer({beta: vaes[beta] for beta in (0.1, 10.0, 300.0)}, data, beta=0.1)
"""
LATENT = """
model = vaes[0.1]
threshold = float(np.percentile(explorers.reconstruction_errors(model, data.val.images), 99))
explorers.VAELatentExplorer(model, data.val.images, data.val.labels, data.label_names, codes_of(model),
                            data.train.images, data.train.labels, threshold)
"""
BLIND = """
explorers.VAELatentExplorer(vaes[0.1], None, data.val.labels, data.label_names, codes_of(vaes[0.1]))
"""


def test_beta_explorer_by_keyboard_and_mouse(run_code):
    page = run_code(SETUP, DATA, SHIPPED, BETA)
    before = state(page)
    assert before[1].startswith("β = 0.1 ·")
    check_controls(page, sliders=3, buttons=1)
    rows = page.locator(".medgen-rows > div")
    assert rows.count() == 6
    handle = page.get_by_role("slider", name="β (log scale)")
    handle.focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, before)
    assert before[1].startswith("β = 10 ·")
    assert handle.get_attribute("aria-valuetext") == "10"
    page.get_by_label("β written as").select_option("squared error: mean over pixels, KL summed")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.includes('D / (2σ²) = 784')")
    page.locator(".medgen-status").scroll_into_view_if_needed()
    keep_screenshot(page, "beta_explorer")
    before = state(page)
    surface = page.locator(".medgen-map-surface")
    surface.scroll_into_view_if_needed()
    said, box = surface.get_attribute("aria-valuetext"), surface.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"])  # much rate: small beta
    before = wait_for_change(page, before)
    assert before[1].startswith("β = 0.1 ·")
    page.wait_for_function(
        "said => document.querySelector('.medgen-map-surface').ariaValueText !== said", arg=said
    )
    cursor = page.locator(".medgen-map-cursor").get_attribute("style")
    page.keyboard.press("ArrowLeft")  # less rate
    before = wait_for_change(page, before)
    assert before[1].startswith("β = 10 ·")
    page.wait_for_function(
        "old => document.querySelector('.medgen-map-cursor').getAttribute('style') !== old", arg=cursor
    )
    before = drag(page, page.get_by_role("slider", name="images from"), "_.first.value", "10", events=10)
    assert before[1].startswith("β = 10 ·")
    page.get_by_role("button", name="Draw again").press("Enter")
    page.wait_for_function("src => document.querySelector('.medgen-picture').src !== src", arg=before[0])


def test_vae_latent_explorer_by_keyboard_mouse_and_upload(run_code):
    page = run_code(SETUP, DATA, SHIPPED, LATENT)
    before = state(page)
    check_controls(page, sliders=14, buttons=0)
    page.get_by_role("slider", name="way").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.medgen-status').innerText.startsWith('20%')")
    before = wait_for_change(page, before)
    page.locator(".medgen-sliders input").first.focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    surface = page.locator(".medgen-map-surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    before = wait_for_change(page, before)
    for step in range(1, 20):
        page.mouse.move(box["x"] + (0.5 + 0.02 * step) * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.up()
    before = wait_for_change(page, before)
    said = surface.get_attribute("aria-valuetext")
    page.get_by_label("map").first.select_option("the two latents with the highest KL")
    page.wait_for_function(
        "said => document.querySelector('.medgen-map-surface').ariaValueText !== said", arg=said
    )
    page.wait_for_function("document.querySelector('.medgen-map-image').naturalWidth === 360")
    first = page.locator(".medgen-sliders input").first
    there = "round((_.sliders.values[0] - _.sliders.lows[0]) / (_.sliders.highs[0] - _.sliders.lows[0]), 6)"
    before = drag(page, first, there, "0.8")  # forty of fifty steps
    give_picture(page)
    before = wait_for_change(page, before)
    keep_screenshot(page, "vae_latent_explorer_top")
    assert "Warning: unlike the images" in page.locator(".medgen-notice [role=alert]").inner_text()
    assert page.locator(".medgen-captions > div").first.inner_text() == "your picture"
    page.locator(".medgen-sliders").scroll_into_view_if_needed()
    keep_screenshot(page, "vae_latent_explorer")
    page.get_by_role("slider", name="from image").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, before)
    give_picture(page)  # the same file again
    before = wait_for_change(page, before)
    field = page.locator(".medgen-upload input")
    field.set_input_files({"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_function("document.querySelector('.medgen-notice').innerText.includes('cannot be read')")
    field.set_input_files({"name": "large.png", "mimeType": "image/png", "buffer": bytes(8_000_001)})
    page.wait_for_function("document.querySelector('.medgen-notice').innerText.includes('at most 8 MB')")
    drop_picture(page)
    page.wait_for_function("document.querySelector('.medgen-notice').innerText.includes('Warning: unlike')")


def test_without_images_the_walk_goes_on_and_says_so(run_code):
    page = run_code(SETUP, DATA, SHIPPED, BLIND)
    before = state(page)
    assert "No images at hand" in before[1]
    page.get_by_role("slider", name="from image").focus()
    page.keyboard.press("ArrowRight")
    wait_for_change(page, before)
    assert page.locator(".medgen-captions > div").first.inner_text() == "from rebuilt image 1"
    keep_screenshot(page, "vae_latent_blind")
