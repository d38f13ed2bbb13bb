"""A page with a live explorer, as a reader sees it: its pictures, numbers and captions."""

import base64
import re

import numpy as np

PIXELS = """canvas => {
  const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let s = ""; for (let i = 0; i < d.length; i += 4096) s += String.fromCharCode(...d.subarray(i, i + 4096));
  return [canvas.width, canvas.height, btoa(s)]; }"""


class LivePage:
    """An explorer's page in Chromium; `open` it at a state, then look."""

    def __init__(self, page, address, name):
        self.page, self.url, self.elsewhere, self.troubles = page, f"{address}{name}.html", [], []
        page.on("request", lambda request: self._see(request.url, address))
        page.on("console", lambda message: message.type == "error" and self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    def _see(self, url, address):
        if not url.startswith((address, "blob:", "data:")):
            self.elsewhere.append(url)

    def open(self, **state):
        """Load the page with a state in its address."""
        self.page.goto("about:blank")
        self.elsewhere.clear()
        self.page.goto(f"{self.url}#{'&'.join(f'{key}={value}' for key, value in state.items())}")
        self.page.wait_for_selector("[data-ready]", timeout=60_000)

    def pictures(self):
        """All that is drawn, uint8 (H, W, 3) each, in the page's order."""
        return [self._read(canvas) for canvas in self.page.locator("figure:not([hidden]) canvas").all()]

    def _read(self, canvas):
        width, height, content = canvas.evaluate(PIXELS)
        return np.frombuffer(base64.b64decode(content), np.uint8).reshape(height, width, 4)[..., :3]

    def captions(self):
        texts = self.page.locator("figure:not([hidden]) figcaption").all_inner_texts()
        return [text for text in texts if text]

    def numbers(self):
        return self.page.locator(".live-numbers").text_content()

    def changed(self, before):
        """Wait until the numbers are others than before."""
        self.page.wait_for_function(
            "old => document.querySelector('.live-numbers').textContent !== old", arg=before, timeout=20_000
        )
        return self.numbers()

    def press(self, label, key):
        """Press a key on a control, and wait for what it changes."""
        before = self.numbers()
        self.page.get_by_label(label, exact=True).press(key)
        return self.changed(before)

    def state(self):
        """What stands in the address, which follows the controls a moment later."""
        self.page.wait_for_timeout(400)
        return dict(re.findall(r"[#&](\w+)=([^&]*)", self.page.url))


def apart(ours, theirs):
    """The largest difference of two pictures, in grey levels."""
    assert ours.shape == theirs.shape
    return int(np.abs(ours.astype(int) - theirs).max())


def shows(live, explorer, pictures, within=1):
    """The page shows these pictures, with the numbers and captions of an explorer in Python.

    within: grey levels that a picture may be off; one number, one for each picture, or arrays that broadcast.
    """
    allowed = within if isinstance(within, list) else [within] * len(pictures)
    for ours, theirs, most in zip(live.pictures(), pictures, allowed, strict=True):
        assert ours.shape == theirs.shape
        assert (np.abs(ours.astype(int) - theirs) - most).max() <= 0
    assert live.numbers() == explorer.picture.text
    assert live.captions() == list(explorer.picture.captions)


def cut(sheet, columns, pad=8):
    """The panels of one row of a sheet."""
    width = (sheet.shape[1] - (columns - 1) * pad) // columns
    return [sheet[:, i * (width + pad) :][:, :width] for i in range(columns)]
