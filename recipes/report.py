"""What was measured: `make report`. Each function measures or collects, and stores a table or pictures.

python recipes/report.py [TABLE ...]      default: every table
"""

import sys
from pathlib import Path

import torch

from medgen_course import pretrained
from medgen_course.course import report
from medgen_course.files import write_json, write_text
from medgen_course.pictures import schematics
from medgen_course.runs import evaluate
from medgen_course.runs.report import results_table
from medgen_course.training.checkpoints import RunFolder


def folder_of(name: str, model: str, kind: str, networks: dict, settings: dict, about: dict) -> Path:
    """A shipped model as a run folder, as if `medgen train` had written it."""
    run = RunFolder(BUILD / f"{name}-{model}")
    run.save_config({"dataset": name, "model": {**about, "kind": kind}, **settings})
    run.save_model(networks)
    return run.path


def run_folders() -> dict[str, tuple[str, str, Path]]:
    """Every shipped model that README's table shows: name -> kind, title, run folder."""
    made = {}
    for name in ("pneumoniamnist", "phantom"):
        card = {m: pretrained.card(name, m) for m in ("autoencoder", "vae", "gan", "cyclegan")}
        recorded, pixels = pretrained.load_translators(name), ""
        if name == "phantom":
            recorded, pixels = pretrained.load_finer_translators(), ", 64 px"
            card["cyclegan"] = pretrained.card(name, "cyclegan_64")
        names = card["cyclegan"]["recipe"]["domains"]
        classes = {"class_counts": card["gan"]["recipe"]["class_counts"]}
        last = recorded[max(recorded)]
        autoencoder = {"autoencoder": pretrained.load_autoencoder(name)}
        length = card["autoencoder"]["model"]["latent_dim"]
        both = {"generator_ab_ema": last.to_b, "generator_ba_ema": last.to_a}
        domains = {"domains": "" if name == "phantom" else "0,1", "names": names}
        for kind, title, networks, settings in (
            ("autoencoder", f"autoencoder, {length} numbers", autoencoder, {}),
            ("vae", "VAE, β = 1", {"vae": pretrained.load_vaes(name)[1.0]}, {"beta": 1.0}),
            ("gan", "GAN", {"generator_ema": pretrained.load_gan(name)[0]}, classes),
            ("cyclegan", f"CycleGAN, {names[0]} ↔ {names[1]}{pixels}", both, domains),
        ):
            folder = folder_of(name, kind, kind, networks, settings, card[kind]["model"])
            made[f"{name}/{kind}"] = kind, title, folder
        about, network = pretrained.card(name, "semi_vae"), {"semi_vae": pretrained.load_semi_vae(name)}
        labelled, alpha = about["recipe"]["labelled"], about["recipe"]["alpha"]
        settings = {"labelled": labelled, "alpha": alpha}
        folder = folder_of(name, "semi_vae", "semi_vae", network, settings, about["model"])
        made[f"{name}/semi_vae"] = "semi_vae", f"M2, {labelled} labels", folder
    for kind, title, model in (
        ("autoencoder", "autoencoder", "anomaly_small"),
        ("vae", "VAE", "anomaly_vae"),
    ):
        about = pretrained.card("pneumoniamnist", model)
        network, normal = pretrained.load_anomaly("pneumoniamnist", model), about["recipe"]["normal"]
        settings = {"normal_class": normal}
        folder = folder_of("pneumoniamnist", model, kind, {kind: network}, settings, about["model"])
        made[f"pneumoniamnist/{model}"] = kind, f"{title}, trained on {normal} images alone", folder
    card, network = pretrained.card("phantom", "segmenter"), {"unet": pretrained.load_segmenter()}
    labelled = card["recipe"]["images"]
    settings = {"structures": card["recipe"]["structures"], "labelled": labelled}
    folder = folder_of("phantom-t2w", "segmenter", "segmenter", network, settings, card["model"])
    made["phantom-t2w/segmenter"] = "segmenter", f"U-Net for masks, {labelled} slices", folder
    grown, card = pretrained.load_growing(), pretrained.card("phantom", "growing")
    settings = {"class_counts": card["recipe"]["class_counts"]}
    network = {"generator_ema": grown[max(grown)]}
    folder = folder_of("phantom", "progressive", "progressive", network, settings, card["model"])
    made["phantom/progressive"] = "progressive", f"GAN that grew, {card['model']['size']} px", folder
    pair, card = pretrained.load_finer_pix2pix(), pretrained.card("phantom", "pix2pix_64")
    about = {"generator": card["model"] | {"kind": card["kind"]}}
    a, b = card["recipe"]["domains"]
    for to, title in (("b", f"pix2pix, {a} → {b}, 64 px"), ("a", f"pix2pix, {b} → {a}, 64 px")):
        settings = {"domains": "", "names": [a, b], "to": to}
        networks = {"generator_ema": pair[to]}
        folder = folder_of("phantom", f"pix2pix-{to}", "pix2pix", networks, settings, about)
        made[f"phantom/pix2pix-{to}"] = "pix2pix", title, folder
    networks, card = pretrained.load_enhancers(), pretrained.card("phantom", "enhancers")
    recipe = card["recipe"]
    updates = (recipe["epochs"] + recipe["epochs_more"]) * (recipe["images"] // recipe["batch_size"])
    for task, how, title in ENHANCERS:
        title = f"{title}, {updates:,} updates"
        kind, strength = recipe["tasks"][task]
        settings, network = {"task": kind, "strength": strength}, {"unet_ema": networks[task][how]}
        folder = folder_of("phantom", f"{task}-{how}", "enhancer", network, settings, card["model"])
        made[f"phantom/{task}-{how}"] = "enhancer", title, folder
    return made


def results() -> None:
    """README's table: every shipped model as a run folder, measured by `medgen evaluate`'s function."""
    found = {}
    for name, (kind, title, folder) in run_folders().items():
        about = {"kind": kind, "title": title, "dataset": name.split("/")[0]}
        normal = RunFolder(folder).load_config().get("normal_class")  # then as a detector, notebook 10
        figures = evaluate(folder, anomaly=normal)
        rows = figures.rows
        if kind == "gan":  # against all the images that it learnt from, of which a data set may show a part
            rows = pretrained.card(about["dataset"], "gan")["test"]["test"]
        found[name] = {**about, "measured_on": figures.measured_on, "metrics": rows}
        print(f"{name}: {len(rows)} figures", flush=True)
    write_json(pretrained.results_path(), found)
    readme = Path("README.md")
    table = results_table(found)
    write_text(readme, report.written(readme.read_text(encoding="utf-8"), table))
    print(table)


def gallery() -> None:
    """README's pictures: the stored output of the cell tagged `gallery` of each notebook."""
    for notebook in sorted(Path("notebooks").glob("*.ipynb")):
        picture = report.gallery_picture(notebook)
        report.gallery_path(notebook).parent.mkdir(parents=True, exist_ok=True)
        report.gallery_path(notebook).write_bytes(picture)
        print(f"{notebook.name}: {len(picture):,} bytes")


def drawings() -> None:
    """README's schematics, one for each model."""
    for name in sorted(set(schematics.__all__) - {"pix2pix"}):
        target = Path("docs/schematics") / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(getattr(schematics, name)()._repr_png_())


ENHANCERS = (  # of notebook 11, 64 pixels
    ("denoise", "squared", "U-Net, denoising"),
    ("superres4", "squared", "U-Net, × 4"),
    ("superres4", "adversarial", "U-Net with a judge, × 4"),
    ("mri", "squared", "U-Net, a quarter of k-space"),
)
TABLES = {"results": results, "gallery": gallery, "drawings": drawings}
BUILD = Path("build/report")


if __name__ == "__main__":
    torch.set_num_threads(1)  # so small a network gains nothing from a second one
    for name in sys.argv[1:] or TABLES:
        TABLES[name]()
