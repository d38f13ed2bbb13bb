"""An explorer to which a reader can give a picture, and put it away again."""

from typing import Any

import ipywidgets as widgets
import numpy as np

from medgen_course.explorers.parts.base import Explorer, Notice
from medgen_course.explorers.parts.upload import PictureError, Upload


class OwnPicture(Explorer):
    """An explorer with a reader's own picture.

    A subclass calls `offer_upload`, arranges `upload`, `put_away` and `notice`, implements `take`, and draws
    `_own`, uint8 (C, H, W), where it is not None.
    """

    def offer_upload(self, back: str) -> None:
        """Make the three widgets; `back` stands on the button that puts the picture away."""
        self.upload, self.notice = Upload(), Notice()
        self.put_away = widgets.Button(description=back, tooltip="undo: put your own picture away")
        self.upload.observe(self._on_upload, "count")
        self.put_away.on_click(self._on_put_away)
        self.keep(None)

    def take(self) -> None:
        """`keep` the newest file as a picture; raises PictureError."""
        raise NotImplementedError(f"{type(self).__name__} must implement take()")

    def keep(self, own: np.ndarray | None) -> None:
        """Show a picture, uint8 (C, H, W), or none; what was said of the one before goes."""
        self._own = own
        self.notice.say("")
        self.put_away.layout.display = "none" if own is None else None

    def _on_upload(self, _change: Any) -> None:
        """Keep the reader's file if it is a picture; otherwise say why, and leave everything as it is."""
        try:
            self.take()
        except PictureError as error:
            self.notice.say(str(error), alert=True)
            return
        self.refresh()

    def _on_put_away(self, _button: Any) -> None:
        self.keep(None)
        self.refresh()
