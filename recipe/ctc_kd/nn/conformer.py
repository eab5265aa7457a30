"""Conformer blocks in the order feed-forward, convolution, self-attention, feed-forward, with relative positions.

Order and details follow the paper's students; the position encoding is Transformer-XL's (Dai et al. 2019,
section 3.3), with the biases u and v for every head of every block.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ConformerConfig
from .dropout import Dropout
from .masking import valid_frames


class FeedForward(nn.Sequential):
    """``[..., dim] -> [..., dim]``"""

    def __init__(self, cfg: ConformerConfig):
        super().__init__(
            nn.LayerNorm(cfg.dim),
            nn.Linear(cfg.dim, cfg.feed_forward_dim),
            nn.SiLU(),
            Dropout(cfg.dropout),
            nn.Linear(cfg.feed_forward_dim, cfg.dim),
            Dropout(cfg.dropout),
        )


class Convolution(nn.Module):
    """Gated pointwise, depthwise over time, LayerNorm over channels, pointwise."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.norm_in = nn.LayerNorm(cfg.dim)
        self.pointwise_in = nn.Linear(cfg.dim, 2 * cfg.dim)
        self.depthwise = nn.Conv1d(cfg.dim, cfg.dim, cfg.kernel_size, padding=cfg.kernel_size // 2, groups=cfg.dim)
        self.norm = nn.LayerNorm(cfg.dim)
        self.pointwise_out = nn.Linear(cfg.dim, cfg.dim)
        self.dropout = Dropout(cfg.dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param valid: ``[B, T]`` bool, false in padding
        """
        x = F.glu(self.pointwise_in(self.norm_in(x)), dim=-1) * valid[..., None]
        x = self._over_time(x)
        return self.dropout(self.pointwise_out(F.silu(self.norm(x))))

    def _over_time(self, x: Tensor) -> Tensor:
        """The depthwise convolution of ``[B, T, dim]``, done in 2-d and channels-last: without copies, 3x as fast."""
        weight = self.depthwise.weight[:, :, None].contiguous(memory_format=torch.channels_last)
        x = x.transpose(1, 2)[:, :, None]  # [B, dim, 1, T]
        padding = (0, self.depthwise.padding[0])
        x = F.conv2d(x, weight, self.depthwise.bias, padding=padding, groups=self.depthwise.groups)
        return x[:, :, 0].transpose(1, 2)


def relative_positions(num_frames: int, dim: int, device: torch.device) -> Tensor:
    """Sinusoidal embeddings of the distances T-1 (key far in the past) down to -T.

    The last one is never used. It makes the number of rows even, which speeds up matrix products on a GPU.

    :return: ``[2T, dim]``, sine and cosine alternating
    """
    distances = torch.arange(num_frames - 1, -num_frames - 1, -1, device=device, dtype=torch.float32)
    exponents = torch.arange(0, dim, 2, device=device, dtype=torch.float32) / dim
    angles = distances[:, None] * torch.exp(-math.log(10000.0) * exponents)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def select_distances(scores: Tensor) -> Tensor:
    """Turns scores by relative distance into scores by key: ``[..., T, 2T] -> [..., T, T]``, as a view.

    Every row starts at distance T-1, so key j is element ``T-1 - i + j`` of row i. That is element
    ``T-1 + i (2T-1) + j`` of the flattened rows.
    """
    num_frames = scores.shape[-2]
    rows = scores.flatten(-2).narrow(-1, num_frames - 1, num_frames * (2 * num_frames - 1))
    return rows.view(*rows.shape[:-1], num_frames, 2 * num_frames - 1)[..., :num_frames]


def sum_by_key(scores: Tensor, hidden: Tensor) -> Tensor:
    """``select_distances(scores) + hidden``, for which autograd would fill and copy the gradient once for each view.

    :param scores: ``[..., T, 2T]``
    :param hidden: ``[..., 1, T]``, has no gradient
    :return: ``[..., T, T]``
    """
    return _SumByKey.apply(scores, hidden)


class _SumByKey(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores: Tensor, hidden: Tensor) -> Tensor:
        ctx.shape = scores.shape
        return select_distances(scores) + hidden

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        by_distance = gradient.new_zeros(ctx.shape)
        select_distances(by_distance).copy_(gradient)
        return by_distance, None


class RelativeSelfAttention(nn.Module):
    """Multi-head self-attention with ``((q + u) k + (q + v) W r) / sqrt(d)`` as scores."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.num_heads = cfg.num_heads
        self.norm = nn.LayerNorm(cfg.dim)
        self.query_key_value = nn.Linear(cfg.dim, 3 * cfg.dim)
        self.position = nn.Linear(cfg.dim, cfg.dim, bias=False)
        self.key_bias = nn.Parameter(torch.empty(cfg.num_heads, cfg.dim // cfg.num_heads))  # u
        self.position_bias = nn.Parameter(torch.empty(cfg.num_heads, cfg.dim // cfg.num_heads))  # v
        nn.init.xavier_uniform_(self.key_bias)
        nn.init.xavier_uniform_(self.position_bias)
        self.output = nn.Linear(cfg.dim, cfg.dim)
        self.dropout = Dropout(cfg.dropout)

    def forward(self, x: Tensor, valid: Tensor, positions: Tensor) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param valid: ``[B, T]`` bool, false in padding
        :param positions: ``[2T, dim]``, see :func:`relative_positions`
        """
        projected = self.query_key_value(self.norm(x)).view(*x.shape[:2], 3, self.num_heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind()  # [B, H, T, d] each
        position = self.position(positions).view(-1, self.num_heads, query.shape[-1]).permute(1, 2, 0)  # [H, d, 2T]
        scale = query.shape[-1] ** -0.5
        query = scale * query
        by_distance = (query + scale * self.position_bias[:, None]) @ position  # [B, H, T, 2T]
        hidden = torch.zeros_like(valid, dtype=by_distance.dtype).masked_fill(
            ~valid, torch.finfo(by_distance.dtype).min
        )
        bias = sum_by_key(by_distance, hidden[:, None, None])
        context = self._attend(query + scale * self.key_bias[:, None], key, value, bias)
        return self.dropout(self.output(context.transpose(1, 2).flatten(2)))

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """``softmax(query key + bias) value``; torch's fused kernels for it are fast on a GPU only."""
        if query.is_cuda:
            probability = self.dropout.p if self.training else 0.0
            return F.scaled_dot_product_attention(query, key, value, bias, dropout_p=probability, scale=1.0)
        return self.dropout((query @ key.transpose(-1, -2) + bias).softmax(dim=-1)) @ value


class ConformerBlock(nn.Module):
    """Each part adds to the residual stream (feed-forward parts with weight 1/2); a LayerNorm closes the block."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.feed_forward_in = FeedForward(cfg)
        self.convolution = Convolution(cfg)
        self.attention = RelativeSelfAttention(cfg)
        self.feed_forward_out = FeedForward(cfg)
        self.norm = nn.LayerNorm(cfg.dim)

    def forward(self, x: Tensor, valid: Tensor, positions: Tensor) -> Tensor:
        x = x.add(self.feed_forward_in(x), alpha=0.5)
        x = x + self.convolution(x, valid)
        x = x + self.attention(x, valid, positions)
        x = x.add(self.feed_forward_out(x), alpha=0.5)
        return self.norm(x)


class Conformer(nn.Module):
    """A stack of blocks. The output for an utterance does not depend on the padding behind it."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.cfg = cfg
        self.blocks = nn.ModuleList(ConformerBlock(cfg) for _ in range(cfg.num_layers))

    def forward(self, x: Tensor, lengths: Tensor, *, start: int = 0, stop: int | None = None) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param lengths: ``[B]`` frames
        :param start, stop: the blocks from ``start`` to before ``stop``; by default all
        :return: ``[B, T, dim]``; frames in padding hold arbitrary values
        """
        valid = valid_frames(lengths, x.shape[1])
        positions = relative_positions(x.shape[1], self.cfg.dim, x.device).to(x.dtype)
        for block in self.blocks[start:stop]:
            x = block(x, valid, positions)
        return x
