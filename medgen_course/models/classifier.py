"""A small convolutional classifier: the eye through which generated images are measured.

Its features are the mean activations of every stage: edges and texture from the first, shapes and what the
label depends on from the last. The vector before the last linear map alone would not do: trained on two
classes it varies along little more than one direction, and sees neither blur nor a missing detail.
"""

import torch
from torch import Tensor, nn

from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, cosine_decay


class Classifier(nn.Module):
    """Images to class logits, with a feature vector on the way.

    Args:
        channels: 1 for grey images, 3 for RGB.
        size: side of the image in pixels, at least 8.
        num_classes: classes, at least 2; for multi-label data the number of labels.
        width: channels of the first stage; the next two have twice and four times as many.
        dropout: share of the last features that are silenced in training.
    """

    about = "a classifier of the labels"
    knows_classes = True

    def __init__(self, channels: int, size: int, num_classes: int, width: int = 16, dropout: float = 0.2):
        super().__init__()
        if num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; there must be at least 2 to tell apart.")
        self.config = {
            "kind": "classifier",
            "channels": channels,
            "size": size,
            "num_classes": num_classes,
            "width": width,
            "dropout": dropout,
        }
        widths = [width, 2 * width, 4 * width]
        self.stages = nn.ModuleList(
            nn.Sequential(*_layer(a, b, 1 + (i > 0)), *_layer(b, b, 1 + (i == 0)))
            for i, (a, b) in enumerate(zip([channels, *widths], widths, strict=False))
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], num_classes)
        self.num_features = sum(widths)
        self.register_buffer("centre", torch.zeros(self.num_features))
        self.register_buffer("scale", torch.ones(self.num_features))

    def _pooled(self, x: Tensor) -> list[Tensor]:
        h, pooled = 2 * x - 1, []
        for stage in self.stages:
            h = stage(h)  # (B, 16, 14, 14), (B, 32, 7, 7), (B, 64, 4, 4) for 28 px
            pooled.append(h.mean((2, 3)))
        return pooled

    def features(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to features (B, num_features), each with the spread that was set."""
        return (torch.cat(self._pooled(x), 1).float() - self.centre) / self.scale

    @torch.no_grad()
    def standardise(self, features: Tensor) -> None:
        """Let each feature have mean 0 and standard deviation 1 on these, (N, num_features).

        A single one has no spread: then only the mean is set.
        """
        raw = features * self.scale + self.centre
        self.centre.copy_(raw.mean(0))
        if len(raw) > 1:
            self.scale.copy_(raw.std(0).clamp(min=1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] to logits (B, num_classes)."""
        return self.head(self.dropout(self._pooled(x)[-1])).float()


class RandomFeatures(Classifier):
    """The same stages with weights that were drawn and never trained: features where there are no classes.

    Random filters still answer to edges, texture and grey level.
    Source: Naeem et al. 2020, section 4, who embed with a random network what ImageNet has not seen.
    """

    about = "a random network (no classes to learn from; compares with no other network)"
    knows_classes = False

    def __init__(self, channels: int, size: int, width: int = 16):
        super().__init__(channels, size, 2, width)

    def forward(self, x: Tensor) -> Tensor:
        """Raises ValueError: it knows no classes."""
        raise ValueError("a random network tells no classes apart; it has features only.")


def _layer(in_channels: int, out_channels: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels), nn.SiLU()]


class ClassifierAlgorithm(CountingAlgorithm):
    """AdamW on the cross-entropy: over classes, or for each label by itself where there are several.

    Args:
        model: a `Classifier`.
        learning_rate: AdamW's step size.
        decay_steps: the step size falls to zero along a cosine over so many steps; 0 keeps it constant.
    """

    def __init__(self, model: Classifier, learning_rate: float = 2e-3, decay_steps: int = 0):
        self.model, self.learning_rate, self.decay_steps = model, learning_rate, decay_steps
        self.config = model.config
        self.networks = {"classifier": model}
        self.optimizers = {"classifier": torch.optim.AdamW(model.parameters(), lr=learning_rate)}

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """One step on images `x` and classes `label` (B,), or zeros and ones (B, num_classes)."""
        optimizer, label = self.optimizers["classifier"], batch["label"]
        cosine_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        logits = self.model(batch["x"])
        if label.ndim == 2:
            loss = nn.functional.binary_cross_entropy_with_logits(logits, label.float())
        else:
            loss = nn.functional.cross_entropy(logits, label)
        optimizer.zero_grad()
        backward(loss)
        optimizer.step()
        self.steps += 1
        return {"loss": loss.detach()}
