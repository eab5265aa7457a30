"""Compares frame selection and distillation loss, forward and backward, with a loop over the utterances.

    python benchmarks/kd_loss.py [--device cuda] [--fused]

For each utterance, the rival does what the published experiments do: it builds a mask from shifted copies, takes the
selected frames with ``masked_select``, and computes the logarithm of a softmax and a divergence. Bar: 5 times as fast
on a CPU, 10 times on a GPU. Prints milliseconds and the ratio; both losses and their gradients have to agree. The limit
beside them is that of memory: the teacher's logits read once, the student's kept ones read, the gradient written, at
the bandwidth of a copy in the same run. With ``--fused``, a loss on all frames that `torch.compile` fuses stands beside
them, and the seconds that its compilation takes.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
import torch.nn.functional as F

from ctc_kd.nn.losses import kd_loss
from ctc_kd.nn.selection import Selection

BATCH, FRAMES, CLASSES, TEMPERATURE = 24, 1000, 80, 2.0
BLANK = CLASSES - 1


def ours(student, teacher, lengths, selection):
    mask = selection(teacher, lengths, blank=BLANK)
    return kd_loss(student, teacher, mask, temperature=TEMPERATURE, normalisation="selected_frames")


def shifted(mask, shift):
    """The mask moved by some frames to the right (negative: left), without wrapping around."""
    moved = torch.zeros_like(mask)
    if shift > 0:
        moved[shift:] = mask[:-shift]
    else:
        moved[:shift] = mask[-shift:]
    return moved


def select_one(logits, selection):
    """``[T]`` bool, one utterance's selected frames."""
    is_label = logits.argmax(dim=-1) != BLANK
    if selection.rule == "symmetric":
        mask = is_label.clone()
        for shift in range(1, selection.parameters["n"] + 1):
            mask = mask | shifted(is_label, shift) | shifted(is_label, -shift)
        return mask
    if selection.rule == "random":
        blanks = (~is_label).nonzero()[:, 0]
        count = round(selection.parameters["beta"] * int(is_label.sum()))
        chosen = blanks[torch.randperm(len(blanks))[:count].to(blanks.device)]
        return is_label.index_fill(0, chosen, True)
    return is_label


def loop(student, teacher, lengths, selection):
    total, count = student.new_zeros(()), 0
    for student_logits, teacher_logits, length in zip(student, teacher, lengths.tolist(), strict=True):
        teacher_logits = teacher_logits[:length].float()
        mask = select_one(teacher_logits, selection)[:, None]
        student_frames = torch.masked_select(student_logits[:length], mask).view(-1, CLASSES)
        teacher_frames = torch.masked_select(teacher_logits, mask).view(-1, CLASSES)
        log_q = torch.log(torch.softmax(student_frames / TEMPERATURE, dim=-1))
        total = total + F.kl_div(log_q, torch.softmax(teacher_frames / TEMPERATURE, dim=-1), reduction="sum")
        count += len(student_frames)
    return TEMPERATURE**2 * total / max(count, 1)


@torch.compile(dynamic=True)
def fused_divergence(student, teacher, mask):
    log_q = (student / TEMPERATURE).log_softmax(dim=-1)
    log_p = (teacher.float() / TEMPERATURE).log_softmax(dim=-1)
    divergence = (log_p.exp() * (log_p - log_q)).sum(dim=-1)
    return TEMPERATURE**2 * torch.where(mask, divergence, 0.0).sum() / mask.sum()


def fused(student, teacher, lengths, selection):
    return fused_divergence(student, teacher, selection(teacher, lengths, blank=BLANK))


def inputs(device):
    generator = torch.Generator().manual_seed(0)
    teacher = 2 * torch.randn(BATCH, FRAMES, CLASSES, generator=generator)
    runs = torch.randint(0, 2, (BATCH, FRAMES // 10), generator=generator).repeat_interleave(10, dim=1)
    teacher[..., BLANK] += 20.0 * runs  # half of the frames are blank, in runs, about like the paper's teacher
    student = torch.randn(BATCH, FRAMES, CLASSES, generator=generator)
    lengths = torch.randint(FRAMES * 3 // 4, FRAMES + 1, (BATCH,), generator=generator)
    return student.to(device).requires_grad_(), teacher.half().to(device), lengths.to(device)


def timed(function, arguments):
    """Seconds, loss and the gradient of the student's logits."""
    student = arguments[0]
    student.grad = None
    start = time.perf_counter()
    loss = function(*arguments)
    loss.backward()
    if student.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, loss.item(), student.grad


def compare(device, selection, repetitions, rivals):
    arguments = (*inputs(device), selection)
    _, loss, gradient = timed(ours, arguments)
    for rival in rivals:
        _, its_loss, its_gradient = timed(rival, arguments)
        if selection.rule != "random":
            torch.testing.assert_close(loss, its_loss, rtol=1e-4, atol=0)
            torch.testing.assert_close(gradient, its_gradient, rtol=1e-3, atol=1e-8)
    # They take turns, so that other load on the machine affects all; five at a time, so that each finds its own heap.
    seconds = {function: [] for function in (ours, *rivals)}
    for function in repetitions * [one for one in seconds for _ in range(5)]:
        seconds[function].append(timed(function, arguments)[0])
    fast, *slow = (statistics.median(times) for times in seconds.values())
    student, teacher, lengths, _ = arguments
    mask = selection(teacher, lengths, blank=BLANK)
    kept = mask.sum().item() / lengths.sum().item()
    limit = (teacher.nbytes + student.nbytes * mask.float().mean().item() + student.nbytes) / bandwidth(student)
    others = (
        f"{rival.__name__} {1e3 * its:.2f} ms, ratio {its / fast:.2f}" for rival, its in zip(rivals, slow, strict=True)
    )
    print(
        f"{selection.rule:10} {kept:4.0%} of the frames: ours {1e3 * fast:.2f} ms, {', '.join(others)}; "
        f"limit of memory {1e3 * limit:.2f} ms"
    )


def bandwidth(tensor):
    """Bytes a second that a copy of the tensor reads and writes."""
    source, target, seconds = tensor.detach(), torch.empty_like(tensor), []
    for _ in range(50):
        start = time.perf_counter()
        target.copy_(source)
        if source.is_cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return 2 * source.nbytes / statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--fused", action="store_true")
    options = parser.parse_args()
    rivals = [loop]
    if options.fused:
        rivals.append(fused)
        start = time.perf_counter()
        timed(fused, (*inputs(options.device), Selection("eliminate")))
        print(f"compilation: {time.perf_counter() - start:.1f} s")
    threads = torch.get_num_threads()
    for count in sorted({1, threads}, reverse=True) if options.device == "cpu" else [threads]:
        torch.set_num_threads(count)
        print(f"{options.device}, {count} thread(s), B={BATCH}, T={FRAMES}, C={CLASSES}")
        for selection in (Selection("eliminate"), Selection("symmetric", {"n": 3}), Selection("random", {"beta": 0.5})):
            compare(options.device, selection, options.repetitions, rivals)


if __name__ == "__main__":
    main()
