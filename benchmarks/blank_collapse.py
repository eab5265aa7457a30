"""What it brings to leave out frames that are blank almost for sure: time of the search, and error rate.

    OMP_NUM_THREADS=1 python benchmarks/blank_collapse.py POSTERIORS TRANSCRIPTS --log-prior FILE \\
        --lexicon FILE --lm FILE --lm-scale 2 --prior-scale 0.4 [--beam 128]

POSTERIORS is a set of ``PosteriorsJob``, the other files and the scales are those of its ``SearchJob``. Without a
lexicon and a language model the best path is searched. Each row searches all utterances with one threshold on the
posterior of blank; "none" leaves out nothing. Times are processor time of the search, the choice of frames included,
the least of three passes.
"""

from __future__ import annotations

import argparse
import time

from ctc_kd.corpus.transcripts import read_transcripts
from ctc_kd.decoding.blank_collapse import kept_frames
from ctc_kd.decoding.decoders import decoder_of
from ctc_kd.decoding.posteriors import emissions, load_log_prior, load_posteriors
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.frames import FRAME_SHIFT_S
from ctc_kd.inventory import inventory_of
from ctc_kd.scoring.alignment import Counts, align, count
from ctc_kd.store import read_metadata

PASSES = 3
THRESHOLDS = (None, 0.9999, 0.999, 0.99, 0.9, 0.5)


def main():
    options = parsed()
    inventory = inventory_of(options.posteriors)
    posteriors, references = load_posteriors(options.posteriors), read_transcripts(options.transcripts)
    log_prior = load_log_prior(options.log_prior, num_classes=len(inventory.labels))
    config = SearchConfig(beam_size=options.beam)
    decoder = decoder_of(inventory, lexicon=options.lexicon, lm=options.lm, config=config)
    seconds = read_metadata(options.posteriors).get("frame_shift_s", FRAME_SHIFT_S) * sum(map(len, posteriors.values()))
    print(f"{len(posteriors)} utterances, {seconds:.0f} s")
    print(f"{'threshold':>9} {'frames kept':>12} {'search, s':>10} {'RTF':>8} {'WER':>7} {'texts changed':>14}")
    frames, whole = sum(map(len, posteriors.values())), None
    for threshold in THRESHOLDS:
        spent, kept, texts = min(
            (searched(decoder, posteriors, inventory.blank, threshold, log_prior, options) for _ in range(PASSES)),
            key=lambda measured: measured[0],
        )
        whole = whole or texts
        changed = sum(texts[utterance] != text for utterance, text in whole.items())
        errors = sum((count(align(references[name].split(), text.split())) for name, text in texts.items()), Counts())
        print(
            f"{threshold or 'none':>9} {kept / frames:12.1%} {spent:10.2f} {spent / seconds:8.4f} "
            f"{errors.wer:6.2f}% {changed:14}",
            flush=True,
        )


def searched(decoder, posteriors, blank, threshold, log_prior, options) -> tuple[float, int, dict[str, str]]:
    """Processor time in seconds, frames that were searched, and the texts."""
    start, texts, kept = time.process_time(), {}, 0
    for utterance, frames in posteriors.items():
        if threshold is not None:
            frames = frames[kept_frames(frames, blank=blank, threshold=threshold)]
        kept += len(frames)
        scores = emissions(frames, log_prior, options.prior_scale)
        texts[utterance] = decoder.search(scores, lm_scale=options.lm_scale)
    return time.process_time() - start, kept, texts


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posteriors")
    parser.add_argument("transcripts")
    parser.add_argument("--log-prior", required=True)
    parser.add_argument("--lexicon")
    parser.add_argument("--lm")
    parser.add_argument("--lm-scale", type=float, default=0.0)
    parser.add_argument("--prior-scale", type=float, default=0.0)
    parser.add_argument("--beam", type=int, default=SearchConfig.beam_size)
    return parser.parse_args()


if __name__ == "__main__":
    main()
