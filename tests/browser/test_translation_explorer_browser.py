"""The translation explorer in JupyterLab: sliders, direction, outlines and an own picture."""

from test_explorers_browser import (
    PLACE,
    check_controls,
    drag,
    drop_picture,
    give_picture,
    keep_screenshot,
    state,
    wait_for_change,
)

SETUP = """
import torch
from medgen_course import explorers, pretrained
from medgen_course.datasets.domains import Part, phantom_domains
from medgen_course.models.cyclegan_networks import ResNetGenerator
from medgen_course.models.translators import Translators
torch.set_num_threads(1)
torch.manual_seed(0)
domains = phantom_domains(64, counts=(48, 40, 40))
"""
SHIPPED = """
recorded = pretrained.load_finer_translators()
runs = {0.0: pretrained.load_lab()[0.0], 0.5: {steps: recorded[steps] for steps in (0, 400, 4000)}}
"""
SHOW = 'explorers.TranslationExplorer(runs, domains.test, ("T1w", "T2w"), "step")'
ONE_PAIR = """
def untrained():
    return ResNetGenerator(1, 1, 64).eval().requires_grad_(False)

pair = Translators(untrained(), untrained())
explorers.TranslationExplorer(pair, Part(domains.test.a, domains.test.b[:9]), ("T1w", "T2w"))
"""


def says(page, words):
    page.wait_for_function(
        "words => document.querySelector('.medgen-status').innerText.includes(words)", arg=words
    )


def picture_changes(page, before):
    page.wait_for_function(
        """src => {
            const picture = document.querySelector(".medgen-picture");
            return picture.src !== src && picture.naturalWidth > 0;
        }""",
        arg=before[0],
    )
    return state(page)


def test_translation_by_keyboard_and_with_an_own_picture(run_code):
    page = run_code(SETUP, SHIPPED, SHOW)
    before = state(page)
    check_controls(page, sliders=5, buttons=1)
    page.evaluate("document.querySelector('.medgen-explorer').scrollIntoView()")
    keep_screenshot(page, "translation_explorer")
    place = page.evaluate(PLACE)
    assert place["shrunk"] == 0 and place["beyond"] <= 0 and place["above"] <= 0
    assert place["columns"] == sorted(place["columns"]) and len(place["columns"]) == 4
    page.get_by_role("slider", name="image").focus()
    page.keyboard.press("ArrowRight")
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="step").focus()
    page.keyboard.press("Home")
    before = wait_for_change(page, before)
    assert " · step 0 " in before[1]
    page.get_by_role("button", name="Play").press("Enter")
    says(page, " · step 4000 ")
    before = state(page)
    lesions = page.get_by_role("slider", name="lesions in T2w")
    assert lesions.get_attribute("aria-valuetext") == "50 %"
    lesions.focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_change(page, before)
    assert "step 1000 · trained with a lesion in 0 % of the T2w images" in before[1]
    page.get_by_role("slider", name="full colour at").focus()
    page.keyboard.press("ArrowRight")
    before = picture_changes(page, before)
    assert "of ±0.35" in page.locator(".medgen-captions > div").first.inner_text()
    page.get_by_role("slider", name="noise on way back").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    says(page, "noise of σ 0.020")
    before = state(page)
    page.get_by_role("checkbox", name="lesion outlines").press("Space")
    before = picture_changes(page, before)
    page.get_by_role("combobox", name="direction").select_option("T2w → T1w")
    before = wait_for_change(page, before)
    assert before[1].startswith("T2w → T1w · image ")
    page.get_by_role("checkbox", name="lesion outlines").press("Space")
    before = picture_changes(page, before)
    keep_screenshot(page, "translation_explorer_back")
    field = page.locator(".medgen-upload input")
    give_picture(page)
    before = wait_for_change(page, before)
    assert "no truth is known for your picture" in before[1]
    captions = page.locator(".medgen-captions > div")
    assert captions.count() == 3 and captions.first.inner_text().startswith("your picture, T2w")
    field.set_input_files({"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_function("document.querySelector('.medgen-notice').innerText.includes('cannot be read')")
    keep_screenshot(page, "translation_explorer_own")
    page.get_by_role("button", name="Back to the images").press("Enter")
    before = wait_for_change(page, before)
    assert captions.count() == 4
    assert page.get_by_role("button", name="Back to the images").count() == 0
    drop_picture(page)
    before = wait_for_change(page, before)
    page.get_by_role("slider", name="image").focus()
    page.keyboard.press("ArrowLeft")  # an image of the list puts the own one away
    wait_for_change(page, before)
    assert captions.count() == 4
    page.get_by_role("slider", name="image").press("Home")
    says(page, " · image 0 ")
    assert " · image 39 " in drag(page, page.get_by_role("slider", name="image"), "_.index.value", "39")[1]


def test_one_pair_without_a_truth(run_code):
    page = run_code(SETUP, ONE_PAIR)
    before = state(page)
    check_controls(page, sliders=3, buttons=0)
    explorer = page.locator(".medgen-explorer")
    assert explorer.get_by_role("slider").count() == 3  # image, full colour, noise
    assert (
        explorer.get_by_role("checkbox").count() == 0
        and explorer.get_by_role("button", name="Play").count() == 0
    )
    assert "no truth is known for these images" in before[1]
    page.get_by_role("slider", name="image").press("End")
    before = wait_for_change(page, before)
    assert "image 39" in before[1]
    page.get_by_role("combobox", name="direction").select_option("T2w → T1w")
    before = wait_for_change(page, before)
    assert before[1].startswith("T2w → T1w · image 8")
    keep_screenshot(page, "translation_explorer_one_pair")
