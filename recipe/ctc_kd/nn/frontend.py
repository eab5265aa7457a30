"""VGG front-end: four convolutions over time and frequency, which reduce the frame rate."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import VggConfig
from .masking import valid_frames


class VggFrontend(nn.Module):
    """Twice two convolutions, pooling in time and ReLU; then a linear layer over channels and mel bins.

    Both poolings are 2:1, unless the config has another subsampling than 4. Lengths are ``floor(floor(T / 2) / 2)``.
    The published front-end max-pools the padding mask instead: a pooled frame
    counts if one of its two frames is valid. In a batch of longer utterances, an utterance then has up to one frame
    more than alone, made of its last frames and padding. Here an utterance has the same frames, and the same output, in
    any batch: padding is set to 0 before every convolution, just as a convolution pads the end of a signal.
    """

    def __init__(self, cfg: VggConfig, num_features: int, dim: int):
        super().__init__()
        inputs = (1, *cfg.channels[:3])
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, kernel_size=3, padding=1) for i, o in zip(inputs, cfg.channels, strict=True)
        ).to(memory_format=torch.channels_last)  # up to three times as fast for few channels
        self.pooled = (2, cfg.subsampling // 2)
        self.linear = nn.Linear(cfg.channels[-1] * num_features, dim)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """
        :param features: ``[B, T, F]``
        :param lengths: ``[B]`` frames
        :return: ``[B, T // subsampling, dim]`` and lengths ``[B]``; frames in padding hold arbitrary values
        """
        x = features[:, None].contiguous(memory_format=torch.channels_last)  # [B, 1, T, F]
        for (first, second), size in zip((self.convs[:2], self.convs[2:]), self.pooled, strict=True):
            valid = valid_frames(lengths, x.shape[2])[:, None, :, None].to(x.dtype)
            x = second(first(x * valid).mul_(valid))
            x = pooled_relu(x, size)  # the same as ReLU before pooling, on half the data
            lengths = lengths // size
        return self.linear(x.permute(0, 2, 3, 1).flatten(2)), lengths  # [B, T, F, channels] -> [B, T, F * channels]


def pooled_relu(x: Tensor, size: int) -> Tensor:
    """``relu(max_pool2d(x, (size, 1)))``; on a CPU, for pairs, in a third of the time.

    :param x: ``[B, C, T, F]``
    :return: ``[B, C, T // size, F]``
    """
    if size != 2 or x.is_cuda:
        return F.relu(F.max_pool2d(x, kernel_size=(size, 1)))
    whole = x[:, :, : x.shape[2] // 2 * 2]
    if torch.is_grad_enabled() and x.requires_grad:
        return _LargerOfPair.apply(whole)
    return F.relu(torch.maximum(whole[:, :, ::2], whole[:, :, 1::2]))


class _LargerOfPair(torch.autograd.Function):
    """``[B, C, 2 T, F] -> [B, C, T, F]``, negative values are 0. Autograd's own way is slower than ``max_pool2d``."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        larger = torch.maximum(x[:, :, ::2], x[:, :, 1::2]).relu_()
        ctx.save_for_backward(x, larger)
        return larger

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:
        x, larger = ctx.saved_tensors
        gradient = torch.ops.aten.threshold_backward(gradient, larger, 0)
        both = torch.empty_like(x)
        of_first, of_second = both[:, :, ::2], both[:, :, 1::2]
        torch.eq(x[:, :, ::2], larger, out=of_first).mul_(gradient)
        torch.sub(gradient, of_first, out=of_second)
        return both
