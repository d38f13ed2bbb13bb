"""How much of the gap a CycleGAN closes in three minutes on two cores: `make pretrained`."""

import torch
from cyclegan import BATCH, SEED, SIZE, cyclegan, run, translators
from pix2pix import learn_pairs

from medgen_course import pretrained
from medgen_course.batches.domains import UnpairedSampler
from medgen_course.datasets.domains import phantom_domains
from medgen_course.files import write_json
from medgen_course.metrics.translation import gap_closed, quality
from medgen_course.metrics.translators import baselines, known
from medgen_course.models.translators import Translators


def three_minutes(budget: float = 180.0) -> None:
    """CycleGAN after three minutes on two cores, pix2pix after as many for each way: the gap between."""
    domains = phantom_domains(SIZE)
    sampler = UnpairedSampler(domains.train.a, domains.train.b, BATCH)
    _, spent = run(cyclegan(domains, 60, 0.0, SEED), sampler, (60,), SEED)
    steps = int(0.95 * budget / spent * 60)
    snapshots, seconds = run(cyclegan(domains, steps, 0.0, SEED), sampler, (steps,), SEED)
    made = {"cyclegan": translators(domains, snapshots.kept[steps])}
    there, back = (learn_pairs(domains, to, budget)[0] for to in ("b", "a"))
    made["pix2pix"] = Translators(there, back)
    result = {
        "cyclegan": {"seconds": round(seconds), "steps": steps},
        "pix2pix": {"seconds_each_way": budget},
    }
    floor = baselines(domains, "val")["lookup"]
    for to, way in (("b", "ab"), ("a", "ba")):
        ssim = {"lookup": floor[f"ssim_{way}"]["value"]}
        for name, pair in made.items():
            source, truth, _, _ = known(domains.val, to)
            ssim[name] = float(quality(pair.translate(source, to), truth)["ssim"].mean())
        share = gap_closed(ssim["cyclegan"], ssim["lookup"], ssim["pix2pix"])
        result[way] = {**ssim, "gap_closed": share}
        print(f"{way}: {share:.1%} of the gap closed in {seconds:.0f} s, {ssim}", flush=True)
    write_json(pretrained.path("phantom", "three_minutes").with_suffix(".json"), result)


if __name__ == "__main__":
    torch.set_num_threads(2)
    three_minutes()
