"""A student as one ONNX file: waveform in, log posteriors out, for ONNX Runtime and programs built on it.

torch traces the student's own ``forward``. Only the power spectrum is computed in another way, because ONNX has no
windows that overlap: by a convolution with cosines and sines. torch's newer exporter (``dynamo=True``) writes an
equivalent graph, but needs a package more and 100 s for a student of two blocks, because the number of frames is a
chain of divisions of the number of samples.
"""

from __future__ import annotations

import copy
import math
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ctc_kd.files import complete_file
from ctc_kd.nn.config import LogMelConfig
from ctc_kd.nn.features import LogMel
from ctc_kd.nn.masking import valid_frames
from ctc_kd.nn.student import StudentCtc

INPUT, LENGTHS, OUTPUT = "input_values", "input_lengths", "logprobs"

WHOLE = 2**62
"""The default of the second input: more samples than any utterance has, so all of them count."""

NOT_BLANK = -100.0
"""Log posterior of the other labels in padding."""

OPSET = 17


class ConvolvedLogMel(LogMel):
    """:class:`LogMel` whose Fourier transform is a convolution; equal but for rounding."""

    def __init__(self, cfg: LogMelConfig):
        super().__init__(cfg)
        samples = torch.arange(cfg.window, dtype=torch.float64)
        angles = samples * samples[: cfg.window // 2 + 1, None] * (2 * math.pi / cfg.window)
        waves = torch.stack([angles.cos(), angles.sin()], dim=1).flatten(0, 1) * self.hann
        self.register_buffer("waves", waves.float()[:, None], persistent=False)  # [2 * frequencies, 1, window]

    def power(self, audio: Tensor) -> Tensor:
        parts = F.conv1d(audio[:, None], self.waves, stride=self.cfg.hop).square()  # cosine, sine, cosine, ...
        return (parts[:, ::2] + parts[:, 1::2]).transpose(1, 2)


class LogPosteriors(nn.Module):
    """What the file computes: log posteriors of a student, and certain blank in padding."""

    def __init__(self, student: StudentCtc, blank: int):
        super().__init__()
        self.student = copy.deepcopy(student).eval()
        self.student.log_mel = ConvolvedLogMel(student.cfg.log_mel)
        certain = torch.full((student.cfg.num_labels_with_blank,), NOT_BLANK)
        certain[blank] = 0.0
        self.register_buffer("certain_blank", certain)

    def forward(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """
        :param audio: ``[B, N]`` float32 samples at 16 kHz
        :param lengths: ``[B]`` samples, or ``[1]`` for all; those above N are N
        :return: ``[B, T, C]``, with the frames of the longest utterance; T is 0 if no utterance makes a frame
        """
        lengths = lengths.clamp(max=audio.shape[1]).expand(audio.shape[0])
        padded = F.pad(audio, (0, self.student.min_samples))  # of any length: a trace has no conditions
        logits, frames = self.student(padded, lengths)
        log_posteriors = logits.log_softmax(dim=-1)[:, : frames.max()]
        valid = valid_frames(frames, log_posteriors.shape[1])[..., None]
        return torch.where(valid, log_posteriors, self.certain_blank)


def write_onnx(path: str, student: StudentCtc, blank: int):
    """Writes a file with the inputs ``input_values`` ``[B, N]`` (float32 samples at 16 kHz, of any level) and
    ``input_lengths`` ``[B]`` (int64), and the output ``logprobs`` ``[B, T, C]``.

    The second input may be left out: then all samples count, as in a batch of one. Padding is certain blank, so a
    client need not know how many frames an utterance has.
    """
    import onnx

    model = LogPosteriors(student, blank)
    example = (torch.zeros(2, 4 * student.min_samples), torch.tensor([WHOLE]))
    with complete_file(path) as partial:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that this exporter is the older one, and that sizes are traced
            torch.onnx.export(
                model,
                example,
                partial,
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT, LENGTHS],
                output_names=[OUTPUT],
                dynamic_axes={
                    INPUT: {0: "batch", 1: "samples"},
                    LENGTHS: {0: "batch or 1"},
                    OUTPUT: {0: "batch", 1: "frames"},
                },
            )
        graph = onnx.load(partial)
        graph.graph.initializer.append(onnx.helper.make_tensor(LENGTHS, onnx.TensorProto.INT64, [1], [WHOLE]))
        onnx.checker.check_model(graph, full_check=True)
        onnx.save(graph, partial)


def write_int8(path: str, source: str):
    """Quantises the weights of linear layers to 8 bits, and their inputs when the file runs (dynamic quantisation).

    Features and convolutions stay in float32: the former because their small values matter, the latter because they are
    few.

    :param source: by :func:`write_onnx`
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    features = [node.name for node in onnx.load(source).graph.node if "/log_mel/" in node.name]
    with complete_file(path) as partial:
        quantize_dynamic(
            source,
            partial,
            op_types_to_quantize=["MatMul"],
            weight_type=QuantType.QUInt8,  # products of signed ones may overflow on processors without VNNI
            nodes_to_exclude=features,
        )
