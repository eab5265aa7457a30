"""A distilled CTC student for transformers: log-mel, VGG front-end, conformer with relative positions, linear output.

This file is copied into the folder of a student. It needs torch and transformers, and nothing of the pipeline that
trained the student; therefore it says once more, for recognition only, what ``ctc_kd.nn`` says for training. A test
compares the two.
"""

import math
from functools import cache

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.audio_utils import mel_filter_bank
from transformers.modeling_outputs import CausalLMOutput

PADDING_LOGIT = -100.0


class CtcKdConfig(PretrainedConfig):
    """``model`` has the sizes, ``vocab_size`` the number of labels; ``pad_token_id`` is blank."""

    model_type = "ctc_kd"


class CtcKdForCTC(PreTrainedModel):
    """16 kHz samples of any level to logits, one frame for each ``inputs_to_logits_ratio`` samples."""

    config_class = CtcKdConfig
    main_input_name = "input_values"
    _keep_in_fp32_modules_strict = ["frontend", "conformer", "output"]  # features are, whatever dtype is asked for

    def __init__(self, config):
        super().__init__(config)
        self.log_mel = config.model["log_mel"]
        self.pooled = (2, config.model["frontend"]["subsampling"] // 2)
        sizes = config.model["conformer"]
        self.frontend = Frontend(config.model["frontend"]["channels"], self.log_mel["num_filters"], sizes["dim"])
        self.conformer = nn.ModuleDict({"blocks": nn.ModuleList(Block(sizes) for _ in range(sizes["num_layers"]))})
        self.output = nn.Linear(sizes["dim"], config.vocab_size)
        self.post_init()

    def forward(self, input_values, attention_mask=None, **_):
        """
        :param input_values: ``[B, N]`` samples as recorded, zeros behind the end of shorter utterances
        :param attention_mask: ``[B, N]``, 0 behind the end
        :return: ``.logits`` ``[B, T, vocab_size]``; certain blank behind the last frame of shorter utterances
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_values)
        lengths = attention_mask.long().sum(dim=1)
        fewest = self.log_mel["window"] + self.config.inputs_to_logits_ratio  # so that there is at least one frame
        x, lengths = log_mel(normalised(F.pad(input_values.float(), (0, fewest)), lengths), lengths, **self.log_mel)
        x, lengths = self.frontend(x, lengths, self.pooled)
        valid = valid_frames(lengths, x.shape[1])
        for block in self.conformer["blocks"]:
            x = block(x, valid)
        logits, valid = self.output(x)[:, : lengths.max()], valid[:, : lengths.max()]
        blank = torch.full((logits.shape[-1],), PADDING_LOGIT, device=logits.device)
        blank[self.config.pad_token_id] = 0.0
        return CausalLMOutput(logits=torch.where(valid[..., None], logits, blank))


def valid_frames(lengths, num_frames):
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]


def normalised(audio, lengths):
    """Pre-emphasis, then a peak of 1: the level of the recording does not matter."""
    audio = torch.cat([audio[:, :1], audio[:, 1:] - 0.97 * audio[:, :-1]], dim=1)
    audio = audio * valid_frames(lengths, audio.shape[1])
    return audio / audio.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)


def log_mel(audio, lengths, *, window, hop, normalise, **bands):
    """``[B, T, num_filters]`` and lengths in frames; windows lie inside the signal."""
    spectrum = torch.fft.rfft(audio.unfold(1, window, hop) * torch.hann_window(window, device=audio.device))
    power = spectrum.real.square() + spectrum.imag.square()
    features = (power @ mel_filters(window, **bands).to(power)).clamp(min=1e-10).log10()
    lengths = ((lengths - window).div(hop, rounding_mode="floor") + 1).clamp(min=0)
    valid = valid_frames(lengths, features.shape[1])[..., None]
    if normalise:
        count = lengths.clamp(min=1)[:, None, None]
        features = features - (features * valid).sum(dim=1, keepdim=True) / count
        variance = (features * valid).square().sum(dim=1, keepdim=True) / count
        features = features * (variance + 1e-5).rsqrt()
    return features * valid, lengths


@cache
def mel_filters(window, *, num_filters, min_frequency_hz, max_frequency_hz, sample_rate_hz):
    filters = mel_filter_bank(
        window // 2 + 1,
        num_filters,
        min_frequency_hz,
        max_frequency_hz,
        sample_rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters).float()


class Frontend(nn.Module):
    """Twice two convolutions and pooling in time, then a linear layer over mel bins and channels."""

    def __init__(self, channels, num_features, dim):
        super().__init__()
        inputs = (1, *channels[:3])
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(inputs, channels, strict=True))
        self.linear = nn.Linear(channels[3] * num_features, dim)

    def forward(self, features, lengths, pooled):
        x = features[:, None]  # [B, 1, T, F]
        for (first, second), size in zip((self.convs[:2], self.convs[2:]), pooled, strict=True):
            valid = valid_frames(lengths, x.shape[2])[:, None, :, None]
            x = F.relu(F.max_pool2d(second(first(x * valid) * valid), (size, 1)))
            lengths = lengths // size
        return self.linear(x.permute(0, 2, 3, 1).flatten(2)), lengths


class FeedForward(nn.Sequential):
    def __init__(self, sizes):
        dim, inner = sizes["dim"], sizes["feed_forward_dim"]
        # where the training has dropout there is nothing, so that layers keep their numbers
        super().__init__(nn.LayerNorm(dim), nn.Linear(dim, inner), nn.SiLU(), nn.Identity(), nn.Linear(inner, dim))


class Convolution(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        dim, kernel = sizes["dim"], sizes["kernel_size"]
        self.norm_in, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.pointwise_in, self.pointwise_out = nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)

    def forward(self, x, valid):
        x = F.glu(self.pointwise_in(self.norm_in(x)), dim=-1) * valid[..., None]
        x = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return self.pointwise_out(F.silu(self.norm(x)))


class Attention(nn.Module):
    """Scores ``((q + u) k + (q + v) W r) / sqrt(d)``, r a sinusoid of the distance (Transformer-XL)."""

    def __init__(self, sizes):
        super().__init__()
        dim, self.num_heads = sizes["dim"], sizes["num_heads"]
        self.norm = nn.LayerNorm(dim)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.position = nn.Linear(dim, dim, bias=False)
        self.key_bias = nn.Parameter(torch.zeros(self.num_heads, dim // self.num_heads))  # u
        self.position_bias = nn.Parameter(torch.zeros(self.num_heads, dim // self.num_heads))  # v
        self.output = nn.Linear(dim, dim)

    def forward(self, x, valid):
        batch, frames, dim = x.shape
        projected = self.query_key_value(self.norm(x)).view(batch, frames, 3, self.num_heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4)  # [B, H, T, d] each
        position = self.position(sinusoids(frames, dim, x.device)).view(-1, self.num_heads, query.shape[-1])
        by_distance = (query + self.position_bias[:, None]) @ position.permute(1, 2, 0)  # [B, H, T, 2 T - 1]
        time = torch.arange(frames, device=x.device)
        row = (frames - 1 - time[:, None] + time).expand(*by_distance.shape[:-1], frames)  # of distance query - key
        scores = (query + self.key_bias[:, None]) @ key.transpose(-1, -2) + by_distance.gather(-1, row)
        hidden = torch.finfo(scores.dtype).min * ~valid[:, None, None]
        context = (scores * query.shape[-1] ** -0.5 + hidden).softmax(dim=-1) @ value
        return self.output(context.transpose(1, 2).flatten(2))


def sinusoids(frames, dim, device):
    """``[2 T - 1, dim]`` for the distances T - 1 down to 1 - T, sine and cosine alternating."""
    distances = torch.arange(frames - 1, -frames, -1, device=device, dtype=torch.float32)
    exponents = torch.arange(0, dim, 2, device=device, dtype=torch.float32) / dim
    angles = distances[:, None] * torch.exp(-math.log(10000.0) * exponents)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class Block(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.feed_forward_in, self.feed_forward_out = FeedForward(sizes), FeedForward(sizes)
        self.convolution, self.attention = Convolution(sizes), Attention(sizes)
        self.norm = nn.LayerNorm(sizes["dim"])

    def forward(self, x, valid):
        x = x + 0.5 * self.feed_forward_in(x)
        x = x + self.convolution(x, valid)
        x = x + self.attention(x, valid)
        x = x + 0.5 * self.feed_forward_out(x)
        return self.norm(x)
