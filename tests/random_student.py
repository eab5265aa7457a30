"""A small student that nobody has trained, but that says something, and what it hears."""

from __future__ import annotations

import torch
from torch import Tensor

from ctc_kd.inventory import Inventory
from ctc_kd.nn.config import ConformerConfig, LogMelConfig, StudentConfig, VggConfig
from ctc_kd.nn.student import StudentCtc

INVENTORIES = {
    "characters": Inventory("characters", ("|", "A", "B", "C", "D", "E", "[blank]"), 6, "upper", "|"),
    "phonemes": Inventory("phonemes", ("AA", "B", "AA#", "B#", "T#", "S#", "[blank]"), 6, "upper", "#"),
    "pieces": Inventory("pieces", ("[blank]", "▁a", "▁be", "c", "d", "▁", "e"), 0, "lower", "▁"),
    "no words": Inventory("characters", ("[blank]", "東", "京", "大", "学", "日", "本"), 0),
}
"""What its seven outputs may stand for."""


def random_student(*, subsampling: int = 4, normalise: bool = False) -> StudentCtc:
    """In eval mode. All of its labels appear on its best paths."""
    torch.manual_seed(3)
    cfg = StudentConfig(
        7,
        log_mel=LogMelConfig(normalise=normalise, num_filters=40),
        frontend=VggConfig((4, 6, 6, 4), subsampling),
        conformer=ConformerConfig(2, 24, 2, 48, kernel_size=7),
    )
    model = StudentCtc(cfg).eval()
    with torch.no_grad():
        model.output.weight.mul_(20)  # else the labels are almost equally probable
        model.output.bias.sub_(model(speech(1, 64000), torch.tensor([64000]))[0].mean(dim=(0, 1)))
    return model


def speech(*shape: int) -> Tensor:
    """Noise with pauses, at the levels of recordings: ``[..., N]`` samples."""
    generator = torch.Generator().manual_seed(sum(shape))
    slow = torch.randn(*shape[:-1], shape[-1] // 1600 + 1, generator=generator).repeat_interleave(1600, dim=-1)
    return 0.1 * torch.randn(shape, generator=generator) * slow[..., : shape[-1]].sigmoid().square()


@torch.no_grad()
def log_posteriors(model: StudentCtc, audio: Tensor) -> Tensor:
    """``[B, N]`` -> ``[B, T, C]``"""
    return model(audio, torch.full((len(audio),), audio.shape[1]))[0].log_softmax(dim=-1)


def best_path(model: StudentCtc, audio: Tensor, inventory: Inventory) -> str:
    """What the most probable label of each frame says.

    :param audio: ``[N]``
    """
    return inventory.text(inventory.collapsed(log_posteriors(model, audio[None])[0].argmax(dim=-1).tolist()))
