"""Conformer blocks in the order feed-forward, convolution, self-attention, feed-forward, with relative positions.

The order and the details are those of the paper's students; the position encoding is Transformer-XL's (Dai et al. 2019,
section 3.3), with the biases u and v for every head of every block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .masking import valid_frames


@dataclass(frozen=True)
class ConformerConfig:
    """
    Attributes:
        dim: model dimension, a multiple of ``num_heads``
        kernel_size: frames of the depthwise convolution, odd
        dropout: everywhere, attention weights included
    """

    num_layers: int = 12
    dim: int = 384
    num_heads: int = 8
    feed_forward_dim: int = 1536
    kernel_size: int = 31
    dropout: float = 0.2


class FeedForward(nn.Sequential):
    """``[..., dim] -> [..., dim]``"""

    def __init__(self, cfg: ConformerConfig):
        super().__init__(
            nn.LayerNorm(cfg.dim),
            nn.Linear(cfg.dim, cfg.feed_forward_dim),
            nn.SiLU(),
            nn.Dropout(cfg.dropout),
            nn.Linear(cfg.feed_forward_dim, cfg.dim),
            nn.Dropout(cfg.dropout),
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
        self.dropout = nn.Dropout(cfg.dropout)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param padding: ``[B, T]`` bool, true outside of the utterances
        """
        x = F.glu(self.pointwise_in(self.norm_in(x)), dim=-1)
        x = x.masked_fill(padding[..., None], 0.0)
        x = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return self.dropout(self.pointwise_out(F.silu(self.norm(x))))


def relative_positions(num_frames: int, dim: int, device: torch.device) -> Tensor:
    """Sinusoidal embeddings of the distances T-1 (key far in the past) down to -(T-1).

    :return: ``[2T - 1, dim]``, sine and cosine alternating
    """
    distances = torch.arange(num_frames - 1, -num_frames, -1, device=device, dtype=torch.float32)
    exponents = torch.arange(0, dim, 2, device=device, dtype=torch.float32) / dim
    angles = distances[:, None] * torch.exp(-math.log(10000.0) * exponents)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def select_distances(scores: Tensor) -> Tensor:
    """From scores by relative distance to scores by key: ``[..., T, 2T - 1] -> [..., T, T]``, a view.

    Row i of the input starts at distance T-1, so key j is its element ``T - 1 - i + j``.
    """
    num_frames = scores.shape[-2]
    scores = scores.contiguous()
    return scores.as_strided(
        (*scores.shape[:-1], num_frames),
        (*scores.stride()[:-2], 2 * num_frames - 2, 1),
        scores.storage_offset() + num_frames - 1,
    )


class RelativeSelfAttention(nn.Module):
    """Multi-head self-attention with ``((q + u) k + (q + v) W r) / sqrt(d)`` as scores."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.num_heads = cfg.num_heads
        self.dropout = cfg.dropout
        self.norm = nn.LayerNorm(cfg.dim)
        self.query_key_value = nn.Linear(cfg.dim, 3 * cfg.dim)
        self.position = nn.Linear(cfg.dim, cfg.dim, bias=False)
        self.key_bias = nn.Parameter(torch.empty(cfg.num_heads, cfg.dim // cfg.num_heads))  # u
        self.position_bias = nn.Parameter(torch.empty(cfg.num_heads, cfg.dim // cfg.num_heads))  # v
        nn.init.xavier_uniform_(self.key_bias)
        nn.init.xavier_uniform_(self.position_bias)
        self.output = nn.Linear(cfg.dim, cfg.dim)

    def forward(self, x: Tensor, padding: Tensor, positions: Tensor) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param padding: ``[B, T]`` bool, true outside of the utterances
        :param positions: ``[2T - 1, dim]``, see :func:`relative_positions`
        """
        heads = (self.num_heads, -1)
        query, key, value = (
            self.query_key_value(self.norm(x)).unflatten(-1, (3, *heads)).permute(2, 0, 3, 1, 4).unbind()
        )  # [B, H, T, d] each
        position = self.position(positions).unflatten(-1, heads).permute(1, 2, 0)  # [H, d, 2T - 1]
        scale = query.shape[-1] ** -0.5
        by_distance = ((query + self.position_bias[:, None]) * scale) @ position  # [B, H, T, 2T - 1]
        bias = select_distances(by_distance).masked_fill(padding[:, None, None, :], torch.finfo(by_distance.dtype).min)
        dropout = self.dropout if self.training else 0.0
        context = F.scaled_dot_product_attention(
            query + self.key_bias[:, None], key, value, attn_mask=bias, dropout_p=dropout
        )
        return F.dropout(self.output(context.transpose(1, 2).flatten(2)), self.dropout, self.training)


class ConformerBlock(nn.Module):
    """Each part adds to the residual stream (the feed-forward ones with weight 1/2), a LayerNorm closes the block."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.feed_forward_in = FeedForward(cfg)
        self.convolution = Convolution(cfg)
        self.attention = RelativeSelfAttention(cfg)
        self.feed_forward_out = FeedForward(cfg)
        self.norm = nn.LayerNorm(cfg.dim)

    def forward(self, x: Tensor, padding: Tensor, positions: Tensor) -> Tensor:
        x = x + 0.5 * self.feed_forward_in(x)
        x = x + self.convolution(x, padding)
        x = x + self.attention(x, padding, positions)
        x = x + 0.5 * self.feed_forward_out(x)
        return self.norm(x)


class Conformer(nn.Module):
    """A stack of blocks; what an utterance gives does not depend on the padding behind it."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.cfg = cfg
        self.blocks = nn.ModuleList(ConformerBlock(cfg) for _ in range(cfg.num_layers))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """
        :param x: ``[B, T, dim]``
        :param lengths: ``[B]`` frames
        :return: ``[B, T, dim]``; frames in padding hold anything
        """
        padding = ~valid_frames(lengths, x.shape[1])
        positions = relative_positions(x.shape[1], self.cfg.dim, x.device).to(x.dtype)
        for block in self.blocks:
            x = block(x, padding, positions)
        return x
