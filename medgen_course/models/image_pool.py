"""The history pool: a discriminator also judges what the generators made some steps ago."""

import torch
from torch import Tensor


class ImagePool:
    """Up to `size` generated images; each new one is swapped for an older one half of the time.

    Without it the discriminator sees only the generator's newest habit and forgets the others, and the two
    may walk in circles.

    Args:
        size: images that are kept; 0 hands every image through.
        seed: of the pool's own draws, so that they depend on nothing else in the program.
    Raises:
        ValueError: a negative size.
    Source: Shrivastava et al. 2017, section 2.3; Zhu et al. 2017, section 4, with 50 images.
    """

    def __init__(self, size: int = 50, seed: int = 0):
        if size < 0:
            raise ValueError(f"size is {size}; give the number of images to keep, 0 or more.")
        self.size, self.images = size, None
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        """Images that are kept now."""
        return 0 if self.images is None else len(self.images)

    def swap(self, new: Tensor) -> Tensor:
        """Show new images to the pool and get as many for the discriminator.

        While the pool fills up, every image is kept and comes straight back.

        Args:
            new: generated images (B, C, H, W), without a graph.
        Returns:
            (B, C, H, W): each image is the new one, or one from the pool whose place the new one took.
        """
        if self.size == 0:
            return new
        if self.images is not None:
            self.images = self.images.to(new.device)
        shown = new.clone()
        for i in range(len(new)):
            if len(self) < self.size:
                kept = new[i : i + 1]
                self.images = kept.clone() if self.images is None else torch.cat([self.images, kept])
            elif torch.rand((), generator=self.generator) < 0.5:
                place = int(torch.randint(self.size, (), generator=self.generator))
                shown[i] = self.images[place]
                self.images[place] = new[i]
        return shown

    def state_dict(self) -> dict:
        """The images and the state of the draws."""
        return {"images": self.images, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict) -> None:
        """Take over a state made by `state_dict`."""
        self.images = None if state["images"] is None else state["images"].clone()
        self.generator.set_state(state["generator"])
