"""Models with a second CTC output on an inner layer: the self-teacher and the self-student of arXiv 2406.07909."""

from __future__ import annotations

from torch import Tensor, nn

from .config import TwoHeadStudentConfig
from .student import StudentCtc


class TwoHeadStudentCtc(StudentCtc):
    """A student whose first ``layer`` blocks have a CTC output of their own.

    With this output they are a :class:`StudentCtc` of ``layer`` blocks, see :meth:`truncated_state`.
    """

    def __init__(self, cfg: TwoHeadStudentConfig):
        super().__init__(cfg)
        self.intermediate_output = nn.Linear(cfg.conformer.dim, cfg.num_labels_with_blank)

    def forward(self, audio: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of the head that the config names, see :meth:`StudentCtc.forward`."""
        if self.cfg.head == "last":
            return super().forward(audio, lengths)
        x, lengths = self.frames(audio, lengths)
        return self._intermediate(self._inner(x, lengths)), lengths

    def both_heads(
        self, audio: Tensor, lengths: Tensor, *, independent_dropout: bool = False
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """
        :param audio: ``[B, N]`` samples as recorded
        :param lengths: ``[B]`` samples
        :param independent_dropout: whether the intermediate head has layers with a dropout of their own below it, which
            costs a second pass through them
        :return: logits ``[B, T, C]`` of the last and of the intermediate head, and lengths ``[B]`` in frames
        """
        x, lengths = self.frames(audio, lengths)
        inner = self._inner(x, lengths)
        last = self.output(self.dropout(self.conformer(inner, lengths, start=self.cfg.layer)))
        if independent_dropout:
            inner = self._inner(x, lengths)
        return (last, self._intermediate(inner)), lengths

    def _inner(self, x: Tensor, lengths: Tensor) -> Tensor:
        return self.conformer(x, lengths, stop=self.cfg.layer)

    def _intermediate(self, inner: Tensor) -> Tensor:
        return self.intermediate_output(self.dropout(inner))

    def truncated_state(self) -> dict[str, Tensor]:
        """The weights of the plain model of ``layer`` layers that the intermediate head belongs to."""
        return without_upper_layers(
            self.state_dict(), "conformer.blocks", self.cfg.layer, {"intermediate_output": "output"}
        )


def without_upper_layers(
    state: dict[str, Tensor], layers: str, number: int, renamed: dict[str, str]
) -> dict[str, Tensor]:
    """Keeps the first ``number`` layers.

    :param layers: name of the list of layers
    :param renamed: modules that replace others
    """
    kept = {}
    for name, value in state.items():
        module, _, parameter = name.rpartition(".")
        if module in renamed.values():
            continue
        if name.startswith(f"{layers}.") and int(name[len(layers) + 1 :].split(".")[0]) >= number:
            continue
        kept[f"{renamed.get(module, module)}.{parameter}"] = value
    return kept
