"""The β explorer on a page: one network for every β, and what Python measured at each stop of the slider."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medgen_course import pretrained
from medgen_course.batches.transforms import to_unit
from medgen_course.explorers.beta import BetaExplorer
from medgen_course.explorers.beta_view import COLUMNS, REACH, TRAVERSED
from medgen_course.explorers.conventions import CONVENTIONS
from medgen_course.explorers.parts.curve import RateDistortion
from medgen_course.models.multirate import ConditionedVAE
from medgen_course.pictures import render
from medgen_course.pretrained import BETAS
from medgen_course.site.charts import png
from medgen_course.site.chest import chest
from medgen_course.site.controls import described
from medgen_course.site.data_browser import cited
from medgen_course.site.export import to_onnx
from medgen_course.site.live import Live

SHOWN, DRAWS = 24, 12  # validation images that the page has, and draws from the prior
FILMS = 6  # of them on the first page


class Encoder(nn.Module):
    """Images (B, C, H, W) and log beta (B,) to posterior means (B, latent_dim)."""

    def __init__(self, model: ConditionedVAE):
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, log_beta: Tensor) -> Tensor:
        """See the class."""
        return self.model.encode(x, log_beta)[0]


class Decoder(nn.Module):
    """Codes (B, latent_dim) and log beta (B,) to images (B, C, H, W) in [0, 1]."""

    def __init__(self, model: ConditionedVAE):
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, log_beta: Tensor) -> Tensor:
        """See the class."""
        return self.model.logits(z, log_beta).sigmoid()


def explorer() -> tuple[BetaExplorer, Any, ConditionedVAE]:
    """The explorer of notebook 02 on validation images, those images, and the network."""
    data = chest()
    model = pretrained.load_conditioned(data.name)
    return BetaExplorer(model, data), data, model


def build() -> Live:
    """The explorer, its figures at every stop, and both halves of the network."""
    shown, data, model = explorer()
    images = data.val.images[:SHOWN]
    stops = [_stop(shown, beta) for beta in shown.betas]
    seeds = [torch.Generator().manual_seed(seed) for seed in range(DRAWS)]
    noise = torch.stack([torch.randn(COLUMNS, model.latent_dim, generator=g) for g in seeds])
    controls = described(beta=shown.beta, first=shown.first, again=shown.again, convention=shown.convention)
    controls["first"]["max"] = SHOWN - COLUMNS
    known = {
        "controls": controls,
        "betas": np.array(shown.betas, dtype=np.float64),
        "stops": [{key: stop[key] for key in ("lines", "others", "latents", "names")} for stop in stops],
        "kl": np.array([shown.figures(beta).rate for beta in shown.betas]),
        "places": np.array([stop["place"] for stop in stops]).ravel(),
        "curve": _curve(shown.curve),
        "images": images.ravel(),
        "noise": noise.numpy().ravel(),
        "path": torch.linspace(-REACH, REACH, COLUMNS).numpy(),
        "shape": [data.channels, data.size, data.size],
        "columns": COLUMNS,
        "latents": model.latent_dim,
        "traversed": TRAVERSED,
        "alt": shown.picture.alt,
        "label": shown.map.label,
        "axes": [shown.map.x_label, shown.map.y_label],
        "some": f"The first {SHOWN} images of the validation split; {cited(data)}.",
    }
    size = torch.zeros(2, data.channels, data.size, data.size)
    log_beta, z = torch.zeros(2), torch.zeros(2, model.latent_dim)
    models = {
        "encoder": to_onnx(Encoder(model).eval(), {"x": size, "log_beta": log_beta}, ["mu"]),
        "decoder": to_onnx(Decoder(model).eval(), {"z": z, "log_beta": log_beta}, ["images"]),
    }
    title = "From autoencoder to collapse: one slider for β"
    sentence = "One network, conditioned on β. Left it copies images, right it forgets them."
    return Live("beta", title, sentence, models, known, f"Trained at all β from {BETAS[0]} to {BETAS[-1]:g}.")


def start(live: Live) -> Live:
    """What the first page shows of the built explorer; it takes the networks from that one's folder."""
    data, pixels = live.data, int(np.prod(live.data["shape"]))
    known = {key: data[key] for key in ("betas", "shape", "latents")}
    known |= {"controls": {"beta": data["controls"]["beta"]}, "kl": data["kl"]}
    return Live("start", live.title, live.sentence, {}, known | {"images": data["images"][: FILMS * pixels]})


STILL = (1.0, 30.0, BETAS[-1])
STILL_SAYS = "Real films above; below them what is left at β = " + ", ".join(f"{beta:g}" for beta in STILL)


def still() -> bytes:
    """A PNG for the first page where nothing can run: films, and what is left of them at some β."""
    _, data, model = explorer()
    images = data.val.images[:FILMS]
    rows, x = [images], to_unit(torch.from_numpy(images))
    with torch.inference_mode():
        for beta in STILL:
            log_beta = torch.full((FILMS,), beta).log()
            rows.append(render.to_bytes(model.logits(model.encode(x, log_beta)[0], log_beta).sigmoid()))
    return render.to_png(render.grid(np.concatenate(rows), columns=FILMS, scale=4))


def _stop(shown: BetaExplorer, beta: float) -> dict[str, Any]:
    """What the explorer says at one stop, in every convention, and which latents it traverses."""
    figures = shown.figures(beta)
    lines = shown._numbers(beta, figures).split("\n")
    others = []
    with shown.hold():
        for name in list(CONVENTIONS)[1:]:
            shown.convention.value = name
            others.append(shown._numbers(beta, figures).split("\n")[len(lines) :])
        shown.convention.value = next(iter(CONVENTIONS))
    order = np.argsort(-figures.kl, kind="stable")[:TRAVERSED].tolist()
    names = [f"z[{d}], −{REACH} … {REACH}, {figures.kl[d]:.2f} nats" for d in order]
    place = shown.curve.position(beta)
    return {"lines": lines, "others": others, "latents": order, "names": names, "place": place}


def _curve(curve: RateDistortion) -> dict[str, Any]:
    ranges = {"x_range": curve.extent.x_range, "y_range": curve.extent.y_range}
    return {"png": png(curve.picture), **ranges}
