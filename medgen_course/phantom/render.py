"""From a table of anatomies to images: chunks drawn side by side, and what was drawn last kept at hand."""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from medgen_course.phantom.anatomy import FACTORS, oversampling, tissue_maps
from medgen_course.phantom.lesion import Lesions
from medgen_course.phantom.signal import TISSUES, rician, tissue_signals
from medgen_course.phantom.signal import bias_field as draw_bias_field

SPLITS = ("train", "val", "test")
CONTRAST = list(FACTORS).index("lesion_contrast")
CHUNK_POINTS = 2**16  # of the images that share a random stream: to change it changes every image's noise
CHUNKS = 4  # whose anatomies a thread draws at once: fewer and longer steps, still in the processor's cache
SIGNALS = torch.stack([tissue_signals("t1w"), tissue_signals("t2w")])  # (2, 5)
RECYCLED_BYTES = 2**25 - 2**16  # just below the largest threshold that glibc learns
KEPT_BYTES = 2**27  # of images that are kept, the last drawn ones

Images = tuple[np.ndarray, np.ndarray, np.ndarray]

_kept: OrderedDict[tuple, Images] = OrderedDict()
_lock = Lock()


def draw_images(
    table: np.ndarray, size: int, seed: int, split: str, bias_field: bool, noise: float
) -> Images:
    """Draw the anatomies of a table, or hand out copies if the same was drawn lately.

    Args:
        table: shape (N, F), float32, columns in the order of `FACTORS`.
        size, seed, split, bias_field, noise: as for `generate`.
    Returns:
        T1w, T2w and lesion masks, each uint8 (N, 1, size, size).
    """
    key = (table.tobytes(), int(size), int(seed), split, bool(bias_field), float(noise))
    with _lock:
        known = _kept.get(key)
        if known:
            _kept.move_to_end(key)
    if known:
        return tuple(array.copy() for array in known)
    drawn = _draw(table, size, seed, split, bias_field, noise)
    if _bytes(drawn) <= KEPT_BYTES:
        with _lock:
            _kept[key] = tuple(array.copy() for array in drawn)
            while sum(map(_bytes, _kept.values())) > KEPT_BYTES:
                _kept.popitem(last=False)
    return drawn


def _bytes(images: Images) -> int:
    return sum(array.nbytes for array in images)


def _draw(table: np.ndarray, size: int, seed: int, split: str, bias_field: bool, noise: float) -> Images:
    n = len(table)
    t1w, t2w = (np.empty((n, 1, size, size), dtype=np.uint8) for _ in range(2))
    masks = np.zeros((n, 1, size, size), dtype=np.uint8)
    np.empty(RECYCLED_BYTES, dtype=np.uint8)  # freed at once, so that glibc keeps at hand what steps free
    threads = torch.get_num_threads()
    chunks = CHUNKS if threads == 1 else 2 * CHUNKS  # threads wait for one another at every step
    step = max(1, CHUNK_POINTS // (size * oversampling(size)) ** 2)
    streams = [stream(seed, split, 1, start) for start in range(0, n, step)]  # quicker in a row

    def draw(first: int) -> None:
        part = slice(first, first + chunks * step)
        maps, lesions = tissue_maps(torch.from_numpy(table[part]), size)
        maps = maps.transpose(0, 1)
        images = _mix(maps)
        _add_lesions(images.numpy(), masks[part], maps.numpy(), lesions, table[part, CONTRAST])
        for start, chunk in zip(range(first, n, step), images.transpose(0, 1).split(step), strict=False):
            rng = torch.Generator().manual_seed(streams[start // step])
            grey = _acquire(chunk, bias_field, noise, rng).numpy()
            t1w[start : start + step] = grey[:, :1]
            t2w[start : start + step] = grey[:, 1:]

    starts = range(0, n, chunks * step)
    if threads == 1:
        for first in starts:
            draw(first)
        return t1w, t2w, masks
    try:  # side by side: torch would split every small operation, which costs more than it gains
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(draw, starts))
    finally:
        torch.set_num_threads(threads)
    return t1w, t2w, masks


def _mix(maps: Tensor) -> Tensor:
    """Noise-free T1w and T2w (2, N, H, W) of shares (5, N, H, W)."""
    return (SIGNALS @ maps.view(len(TISSUES), -1)).view(2, *maps.shape[1:])


def _add_lesions(images: np.ndarray, masks: np.ndarray, maps: np.ndarray, lesions: Lesions, contrast) -> None:
    """Replace a fraction `contrast` (N,) of the tissue in lesions by free water, and mark them; in place."""
    place = lesions.image * images[0, 0].size + lesions.pixel
    grey, white = (tissue.reshape(-1)[place] for tissue in maps[3:])
    change = contrast[lesions.image] * lesions.share
    for grey_level, (csf, of_grey, of_white) in zip(images, SIGNALS[:, 2:].numpy(), strict=True):
        tissue = (grey * of_grey + white * of_white) / np.maximum(grey + white, 1e-6)
        grey_level.reshape(-1)[place] += change * (csf - tissue)
    masks.reshape(-1)[place] = lesions.marked


def _acquire(images: Tensor, bias_field: bool, noise: float, rng: torch.Generator) -> Tensor:
    """What the scanner makes of noise-free images (B, 2, H, W): grey levels 0 to 255, float32."""
    if bias_field:
        images *= draw_bias_field(len(images), images.shape[-1], 0.15, rng)
    if noise > 0:
        images = rician(images, noise, rng)
    return images.clamp_(0.0, 1.0).mul_(255.0).round_()


def stream(seed: int, split: str, purpose: int, start: int = 0) -> int:
    """An independent 63-bit seed for a split, a purpose (0 anatomy, 1 acquisition) and a first image."""
    entropy = (int(seed), SPLITS.index(split), purpose, start)
    words = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))
