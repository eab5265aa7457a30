"""Whether an exported student says the same in other programs: torch, ONNX Runtime, sherpa-onnx, transformers.

    OMP_NUM_THREADS=1 python benchmarks/exported_clients.py FOLDER AUDIO [--recordings 50] [--references TRANSCRIPTS]

FOLDER is an exported student, AUDIO a folder with audio of 16 kHz. Prints for each program, on one thread, how many
recordings have another best path than in torch, how far the paths are from torch's (edits per hundred labels), and
processor time per second of audio, features and best path included. Of programs that give posteriors it also prints in
how many frames the best label differs, by how much it is at most less probable than torch's (in torch's posteriors),
and with references the word error rate of the folder's own decoder.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

from ctc_kd.corpus.audio_folder import audio_files
from ctc_kd.corpus.transcripts import read_normalised
from ctc_kd.decoding.decoders import decoder_of
from ctc_kd.decoding.posteriors import emissions
from ctc_kd.frames import SAMPLE_RATE_HZ
from ctc_kd.inventory import Inventory
from ctc_kd.recognition.clients import MODEL, MODEL_INT8, TOKENS
from ctc_kd.recognition.folder import Student, read
from ctc_kd.recognition.onnx_export import INPUT, OUTPUT
from ctc_kd.recognition.recogniser import Recogniser
from ctc_kd.scoring.alignment import Counts, align, count

ONNX_FILES = {"": MODEL, ", int8": MODEL_INT8}


def main():
    options = parsed()
    torch.set_num_threads(1)
    student = read(options.folder)
    audio = read_audio(options.audio, options.recordings)
    seconds = sum(map(len, audio.values())) / SAMPLE_RATE_HZ
    print(f"{len(audio)} recordings, {seconds:.0f} s")
    references = read_normalised(options.references, None) if options.references else None
    print(f"{'program':<20} {'differ':>7} {'edits, %':>9} {'RTF':>8} {'frames':>7} {'by':>6} {'WER':>7}")
    expected = ours = None
    for name, posteriors in posteriors_by(options.folder, student).items():
        spent, found = measured(posteriors, audio)
        ours = ours or found
        texts = {key: best_path(log_posteriors, student.inventory) for key, log_posteriors in found.items()}
        expected = expected or texts
        show(name, texts, expected, student.inventory, spent / seconds, end=" ")
        lost = [lost_probability(found[key], log_posteriors) for key, log_posteriors in ours.items()]
        show_frames(np.concatenate(lost), references and errors(decoded(found, student), references).wer)
    for name, text in texts_by(options.folder).items():
        spent, texts = measured(text, audio)
        show(name, texts, expected, student.inventory, spent / seconds)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("audio")
    parser.add_argument("--recordings", type=int, default=50, help="spread over the folder")
    parser.add_argument("--references", help="a line for each recording: name and words")
    return parser.parse_args()


def read_audio(folder: str, number: int) -> dict[str, np.ndarray]:
    """Name -> samples ``[N]``."""
    files, _ = audio_files(folder)
    audio = {}
    for name in files[:: max(1, len(files) // number)][:number]:
        audio[Path(name).stem], rate = soundfile.read(Path(folder, name), dtype="float32")
        if rate != SAMPLE_RATE_HZ:
            raise ValueError(f"{name}: {rate} Hz, expected {SAMPLE_RATE_HZ}")
    return audio


def posteriors_by(folder: str, student: Student) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Program -> a function from samples ``[N]`` to log posteriors ``[T, C]``."""
    import onnxruntime

    found = {"torch": Recogniser(student, greedy=True).log_posteriors}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    for what, file in ONNX_FILES.items():
        session = onnxruntime.InferenceSession(os.path.join(folder, file), options)
        found[f"ONNX Runtime{what}"] = lambda x, session=session: session.run([OUTPUT], {INPUT: x[None]})[0][0]
    return found


def texts_by(folder: str) -> dict[str, Callable[[np.ndarray], str]]:
    """Program -> a function from samples ``[N]`` to what it prints."""
    import sherpa_onnx
    import transformers

    def in_sherpa(recogniser, samples):
        stream = recogniser.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        recogniser.decode_stream(stream)
        return stream.result.text

    found = {}
    for what, file in ONNX_FILES.items():
        recogniser = sherpa_onnx.OfflineRecognizer.from_omnilingual_asr_ctc(
            model=os.path.join(folder, file), tokens=os.path.join(folder, TOKENS), num_threads=1
        )
        found[f"sherpa-onnx{what}"] = lambda x, recogniser=recogniser: in_sherpa(recogniser, x)
    pipeline = transformers.pipeline("automatic-speech-recognition", model=folder, trust_remote_code=True)
    found["transformers"] = lambda x: pipeline(x)["text"]
    return found


def measured(function: Callable, audio: dict[str, np.ndarray]) -> tuple[float, dict]:
    """Seconds of processor time, and what the function returns for each recording."""
    function(next(iter(audio.values())))  # what happens only once is not counted
    start = time.process_time()
    found = {name: function(samples) for name, samples in audio.items()}
    return time.process_time() - start, found


def best_path(log_posteriors: np.ndarray, inventory: Inventory) -> str:
    return inventory.text(inventory.collapsed(log_posteriors.argmax(axis=1).tolist()))


def decoded(found: dict[str, np.ndarray], student: Student) -> dict[str, str]:
    """The words of the folder's decoder."""
    decoding = student.decoding
    decoder = decoder_of(student.inventory, lexicon=decoding.lexicon, lm=decoding.lm, config=decoding.search)
    return {
        name: decoder.search(
            emissions(log_posteriors, student.log_prior, decoding.prior_scale), lm_scale=decoding.lm_scale
        )
        for name, log_posteriors in found.items()
    }


def lost_probability(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """For each frame with another best label how much less probable it is, by the expected log posteriors."""
    frames = np.flatnonzero(found.argmax(axis=1) != expected.argmax(axis=1))
    probabilities = np.exp(expected[frames])
    return probabilities.max(axis=1) - probabilities[np.arange(len(frames)), found[frames].argmax(axis=1)]


def show(name, texts, expected, inventory, rtf, end="\n"):
    printed = {key: " ".join(text.split()) for key, text in texts.items()}  # other programs keep double spaces
    units = str.split if inventory.kind == "phonemes" else list
    edits = sum((count(align(units(expected[key]), units(text))) for key, text in printed.items()), Counts()).wer
    differ = sum(text != expected[key] for key, text in printed.items())
    print(f"{name:<20} {differ:7} {edits:9.2f} {rtf:8.4f}", end=end, flush=True)


def show_frames(lost, wer):
    print(f"{len(lost):7} {max(lost, default=0):6.3f} {'' if wer is None else f'{wer:6.2f}%':>7}", flush=True)


def errors(texts: dict[str, str], references: dict[str, str]) -> Counts:
    return sum((count(align(references[name].split(), text.split())) for name, text in texts.items()), Counts())


if __name__ == "__main__":
    main()
