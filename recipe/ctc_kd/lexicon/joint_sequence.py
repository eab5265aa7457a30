"""Sequitur's joint-sequence models (Bisani and Ney, 2008): train one order, apply, count errors."""

from __future__ import annotations

import contextlib
import ctypes
import random
import sys
from collections.abc import Iterable
from types import SimpleNamespace

import numpy
import sequitur
from Evaluation import Evaluator

from ctc_kd.lexicon.pronunciations import Lexicon

Sample = list[tuple[tuple[str, ...], tuple[str, ...]]]
"""Pairs of letters and phonemes."""

if not hasattr(numpy, "sometrue"):  # sequitur calls a function that numpy 2 lacks
    sequitur.num = SimpleNamespace(**vars(numpy), sometrue=numpy.any)

# Sequitur's wrapper (SWIG 4.2) drops a reference to its type table whenever Python takes over a C++ object
# (``thisown = True``). After a few iterations none is left and every call fails, so add more than any training drops.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("swig_runtime_data"):
        ctypes.c_ssize_t.from_address(id(_module.type_pointer_capsule)).value += 1 << 40


def split_sample(lexicon: Lexicon, *, devel_share: float, seed: int) -> tuple[Sample, Sample]:
    """The first pronunciation of every word, shuffled: training sample and held-out sample."""
    sample = [(tuple(word), pronunciations[0]) for word, pronunciations in sorted(lexicon.items())]
    random.Random(seed).shuffle(sample)
    num_devel = round(devel_share * len(sample))
    return sample[num_devel:], sample[:num_devel]


def train_stage(
    initial: sequitur.Model | None,
    train: Sample,
    devel: Sample,
    *,
    size_constraints: tuple[int, int, int, int],
    min_iterations: int,
    max_iterations: int,
    log: str,
) -> sequitur.Model:
    """Runs expectation maximisation once and returns the model that is best on ``devel``.

    :param initial: the model of the order below, whose order is raised here; None starts with order 1
    :param size_constraints: least and most letters, least and most phonemes of a joint unit
    :param log: the file for sequitur's own messages
    """
    if initial is not None:
        initial.rampUp()
    template = sequitur.ModelTemplate(sequitur.Sequitur() if initial is None else initial.sequitur)
    template.setLengthConstraints(*size_constraints)
    template.minIterations = min_iterations
    train, devel = (template.sequitur.compileSample(sample) for sample in (train, devel))
    progress = sys.stdout
    with open(log, "w", encoding="utf-8") as messages, contextlib.redirect_stdout(messages):
        context = template.makeContext(train, devel, initial)
        context.log = messages
        converged = False
        while not converged and context.iteration < max_iterations:
            try:
                converged = template.iterate(context)
            except (AssertionError, TypeError) as error:  # raised if the search for discounts does not converge
                if context.bestModel is None:
                    raise
                print(f"  stopped with the best model so far: {error!r}", file=progress, flush=True)
                break
            context.iteration += 1
            print(f"  iteration {context.iteration}: {context.logLikDevel[-1]:.1f}", file=progress, flush=True)
    context.bestModel.strip()
    return context.bestModel


def symbol_errors(model: sequitur.Model, sample: Sample) -> tuple[int, int]:
    """``(errors, phonemes)``; all phonemes of a word that cannot be translated are errors."""
    evaluator = Evaluator()
    evaluator.setSample(sample)
    result = evaluator.evaluate(sequitur.Translator(model))
    return result.nSymbolsIncorrect, result.nSymbols


def translate(model: sequitur.Model, words: Iterable[str]) -> tuple[Lexicon, list[str]]:
    """``(lexicon, failed words)``: the most probable pronunciation of each word."""
    translator = sequitur.Translator(model)
    lexicon, failed = {}, []
    for word in words:
        try:
            pronunciation = translator(tuple(word))
        except translator.TranslationFailure:
            pronunciation = ()
        if pronunciation:
            lexicon[word] = [tuple(pronunciation)]
        else:
            failed.append(word)
    return lexicon, failed
