"""Compares a training step of the front-end and the 12 x 384 conformer with that of the package ``i6-models``.

    pip install --no-deps --target /some/folder i6-models "typeguard>=4"
    PYTHONPATH=/some/folder python benchmarks/student_step.py [--device cuda] [--threads 1]

Both run forward and backward with the same weights on the same batch, in one process. Bar: 1.5 times as fast on a CPU,
2 times on a GPU, with outputs equal to 1e-4 in evaluation mode. The batch has no padding, because the rival's
convolutions would read it. On a CPU, the second line says how much of both are matrix products and convolutions, which
libraries compute. Both models need the same ones, so they limit the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import torch
from torch import nn

from ctc_kd.nn.config import ConformerConfig, VggConfig
from ctc_kd.nn.conformer import Conformer
from ctc_kd.nn.frontend import VggFrontend

NUM_FEATURES = 80
PRODUCTS = {f"aten::{name}" for name in ("mm", "addmm", "bmm", "mkldnn_convolution", "convolution_backward")}


class Encoder(nn.Module):
    """Our front-end and conformer."""

    def __init__(self, cfg: ConformerConfig):
        super().__init__()
        self.frontend = VggFrontend(VggConfig(), NUM_FEATURES, cfg.dim)
        self.conformer = Conformer(cfg)

    def forward(self, features, lengths):
        return self.conformer(*self.frontend(features, lengths))


def build_rival(cfg: ConformerConfig) -> nn.Module:
    from i6_models.assemblies.conformer import conformer_rel_pos_v1 as assembly
    from i6_models.config import ModuleFactoryV1
    from i6_models.parts.conformer import convolution, feedforward, mhsa_rel_pos
    from i6_models.parts.conformer.norm import LayerNormNC
    from i6_models.parts.frontend import vgg_act

    channels = {f"conv{i}_channels": n for i, n in enumerate(VggConfig().channels, start=1)}
    pools = {f"pool{i}_{what}": (2, 1) for i in (1, 2) for what in ("kernel_size", "stride")}
    frontend = vgg_act.VGG4LayerActFrontendV1Config(
        in_features=NUM_FEATURES,
        **channels,
        **pools,
        pool1_padding=None,
        pool2_padding=None,
        conv_kernel_size=(3, 3),
        conv_padding=None,
        activation=nn.ReLU(),
        out_features=cfg.dim,
    )
    common = {"dropout": cfg.dropout, "dropout_broadcast_axes": None}
    block = assembly.ConformerRelPosBlockV1Config(
        ff_cfg=feedforward.ConformerPositionwiseFeedForwardV2Config(
            input_dim=cfg.dim, hidden_dim=cfg.feed_forward_dim, activation=nn.functional.silu, **common
        ),
        mhsa_cfg=mhsa_rel_pos.ConformerMHSARelPosV1Config(
            input_dim=cfg.dim,
            num_att_heads=cfg.num_heads,
            with_bias=True,
            att_weights_dropout=cfg.dropout,
            learnable_pos_emb=False,
            rel_pos_clip=None,
            with_linear_pos=True,
            with_pos_bias=True,
            separate_pos_emb_per_head=True,
            pos_emb_dropout=0.0,
            **common,
        ),
        conv_cfg=convolution.ConformerConvolutionV2Config(
            channels=cfg.dim,
            kernel_size=cfg.kernel_size,
            activation=nn.functional.silu,
            norm=LayerNormNC(cfg.dim),
            **common,
        ),
        modules=["ff", "conv", "mhsa", "ff"],
        scales=[0.5, 1.0, 1.0, 0.5],
    )
    return assembly.ConformerRelPosEncoderV1(
        assembly.ConformerRelPosEncoderV1Config(
            num_layers=cfg.num_layers,
            frontend=ModuleFactoryV1(vgg_act.VGG4LayerActFrontendV1, frontend),
            block_cfg=block,
        )
    )


# Names of a block's parameters: ours -> the rival's.
FEED_FORWARD = {"0.": "layer_norm.", "1.": "linear_ff.", "4.": "linear_out."}
BLOCK = {
    **{f"feed_forward_in.{a}": f"module_list.0.{b}" for a, b in FEED_FORWARD.items()},
    "convolution.norm_in.": "module_list.1.layer_norm.",
    "convolution.pointwise_in.": "module_list.1.pointwise_conv1.",
    "convolution.depthwise.": "module_list.1.depthwise_conv.",
    "convolution.norm.": "module_list.1.norm.",
    "convolution.pointwise_out.": "module_list.1.pointwise_conv2.",
    "attention.norm.": "module_list.2.layernorm.",
    "attention.key_bias": "module_list.2.pos_bias_u",
    "attention.position_bias": "module_list.2.pos_bias_v",
    "attention.query_key_value.": "module_list.2.qkv_proj.",
    "attention.position.": "module_list.2.linear_pos.",
    "attention.output.": "module_list.2.out_proj.",
    **{f"feed_forward_out.{a}": f"module_list.3.{b}" for a, b in FEED_FORWARD.items()},
    "norm.": "final_layer_norm.",
}


def rival_name(name: str) -> str:
    room, _, rest = name.partition(".")
    if room == "frontend":
        kind, _, rest = rest.partition(".")
        return f"frontend.linear.{rest}" if kind == "linear" else f"frontend.conv{int(rest[0]) + 1}.{rest[2:]}"
    _, layer, rest = rest.split(".", 2)
    prefix = next(prefix for prefix in BLOCK if rest.startswith(prefix))
    return f"module_list.{layer}.{BLOCK[prefix]}{rest.removeprefix(prefix)}"


def copy_weights(rival: nn.Module, ours: Encoder):
    weights = rival.state_dict()
    state = {name: weights[rival_name(name)] for name in ours.state_dict()}
    linear = state["frontend.linear.weight"]  # the rival flattens channels first, we flatten mel bins first
    state["frontend.linear.weight"] = linear.unflatten(1, (-1, NUM_FEATURES)).transpose(1, 2).flatten(1)
    ours.load_state_dict(state)


def step(model, features, lengths, autocast):
    model.zero_grad()
    with autocast:
        out = run(model, features, lengths)
    out.float().square().mean().backward()


def run(model, features, lengths):
    if isinstance(model, Encoder):
        return model(features, lengths)
    mask = torch.arange(features.shape[1], device=features.device) < lengths[:, None]
    return model(features, mask)[0][-1]


def seconds_per_step(models, arguments, device, repetitions):
    """Medians; the models take turns, so that other load on the machine affects both."""
    seconds = [[] for _ in models]
    for _ in range(repetitions + 1):
        for model, times in zip(models, seconds, strict=True):
            start = time.perf_counter()
            step(model, *arguments)
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return [statistics.median(times[1:]) for times in seconds]


def share_of_products(model, arguments) -> float:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        step(model, *arguments)
    microseconds = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    return sum(value for name, value in microseconds.items() if name in PRODUCTS) / sum(microseconds.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--bf16", action="store_true", help="autocast")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    cfg = ConformerConfig()
    try:
        rival = build_rival(cfg).to(options.device)
    except ImportError as error:
        sys.exit(f'{error}\nThe rival is not installed: pip install --no-deps --target FOLDER i6-models "typeguard>=4"')
    ours = Encoder(cfg).to(options.device)
    copy_weights(rival, ours)
    num_frames = int(options.seconds * 100) // 4 * 4
    features = torch.randn(options.batch, num_frames, NUM_FEATURES, device=options.device)
    lengths = torch.full((options.batch,), num_frames, device=options.device)
    with torch.no_grad():
        difference = (run(ours.eval(), features, lengths) - run(rival.eval(), features, lengths)).abs().max().item()
    autocast = torch.autocast(options.device, torch.bfloat16, enabled=options.bf16)
    arguments = (features, lengths, autocast)
    fast, slow = seconds_per_step([ours.train(), rival.train()], arguments, options.device, options.repetitions)
    print(
        f"{options.device}, {options.threads} thread(s), {options.batch} x {options.seconds:g} s of audio: "
        f"i6-models {slow:.3f} s, ours {fast:.3f} s, ratio {slow / fast:.2f}, largest difference {difference:.1e}"
    )
    if options.device == "cpu":
        shares = [share_of_products(model, arguments) for model in (rival, ours)]
        seconds = [share * whole for share, whole in zip(shares, (slow, fast), strict=True)]
        print(
            f"products and convolutions: i6-models {seconds[0]:.3f} s, ours {seconds[1]:.3f} s, "
            f"{shares[1]:.0%} of our step; without the rest of ours the ratio would be {slow / seconds[1]:.2f}"
        )
    if difference > 1e-4:
        sys.exit("the outputs differ by more than 1e-4")


if __name__ == "__main__":
    main()
