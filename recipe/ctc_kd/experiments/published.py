"""The numbers of the paper (arXiv 2506.01503): Tables 1 and 2, Figure 1 as far as stated, and the blank coverage.

WER in percent with a 4-gram LM; ``librispeech-other`` is dev-other and test-other. Where the paper's tables merge cells
of a hyper-parameter, each row has its own copy of the value.
"""

from __future__ import annotations

NAMES = {"tedlium2": "TED-LIUM v2", "librispeech-other": "LibriSpeech other"}

# (method, distillation scale): dev and test WER; with a hyper-parameter: its value, dev, test.
_TEDLIUM2 = {
    ("teacher", None): (None, 4.8, 5.4),
    ("baseline", None): (None, 6.4, 7.0),
    ("all", 0.25): (None, 6.6, 7.1),
    ("all", 0.9): (None, 6.0, 6.7),
    ("all", 1.0): (None, 6.3, 6.6),
    ("eliminate", 0.25): (None, 6.1, 6.9),
    ("eliminate", 0.9): (None, 5.8, 6.5),
    ("eliminate", 1.0): (None, 6.4, 6.8),
    ("symmetric", 0.25): (2, 6.0, 6.8),
    ("symmetric", 0.9): (1, 5.8, 6.3),
    ("symmetric", 1.0): (2, 5.6, 6.3),
    ("trim", 0.25): (None, 6.5, 6.8),
    ("trim", 0.9): (None, 6.1, 6.5),
    ("trim", 1.0): (None, 6.2, 6.6),
    ("threshold", 0.25): (0.9, 6.1, 7.0),
    ("threshold", 0.9): (0.8, 5.9, 6.4),
    ("threshold", 1.0): (0.9, 6.0, 6.5),
    ("random", 0.25): (1.0, 6.3, 7.0),
    ("random", 0.9): (1.0, 6.0, 6.6),
    ("random", 1.0): (0.5, 6.1, 6.4),
}
_LIBRISPEECH_OTHER = {
    ("teacher", None): (None, 4.0, 4.0),
    ("baseline", None): (None, 6.0, 6.6),
    ("all", 0.25): (None, 5.6, 6.1),
    ("all", 0.9): (None, 5.8, 6.0),
    ("all", 1.0): (None, 5.9, 6.4),
    ("eliminate", 0.25): (None, 5.7, 6.1),
    ("eliminate", 0.9): (None, 6.1, 6.5),
    ("eliminate", 1.0): (None, 6.9, 7.3),
    ("symmetric", 0.25): (4, 5.7, 6.0),
    ("symmetric", 0.9): (3, 5.8, 6.2),
    ("symmetric", 1.0): (3, 5.8, 6.2),
    ("trim", 0.25): (None, 5.6, 5.9),
    ("trim", 0.9): (None, 5.9, 6.3),
    ("trim", 1.0): (None, 6.0, 6.4),
    ("threshold", 0.25): (0.8, 5.6, 6.1),
    ("threshold", 0.9): (0.9, 5.9, 6.4),
    ("threshold", 1.0): (0.9, 6.2, 6.6),
    ("random", 0.25): (0.5, 5.6, 6.1),
    ("random", 0.9): (0.5, 6.0, 6.2),
    ("random", 1.0): (2.0, 6.0, 6.4),
}
_WER = {"tedlium2": _TEDLIUM2, "librispeech-other": _LIBRISPEECH_OTHER}

# Share of frames kept (section 5.2; the corpus is not stated): blank elimination, then symmetric selection, n = 1..5.
_COVERAGE = [
    {"rule": "eliminate", "parameter": None, "share": 0.54},
    {"rule": "symmetric", "parameter": 1, "share": 0.66},
    {"rule": "symmetric", "parameter": 2, "share": 0.69},
    {"rule": "symmetric", "parameter": 3, "share": 0.72},
    {"rule": "symmetric", "parameter": 4, "share": 0.74},
    {"rule": "symmetric", "parameter": 5, "share": 0.76},
]

# (distillation scale, n): dev WER. Figure 1 prints no values: these are the points that Table 2 or the text states.
_FIGURE_1 = {"tedlium2": {(0.25, 2): 6.0, (0.9, 1): 5.8, (0.9, 3): 6.0, (1.0, 2): 5.6}}


def published_wer(corpus: str, method: str, weight: float | None) -> dict | None:
    """``{"dev", "test", "parameter"}`` of one row of Tables 1 and 2; None where the paper has no such row.

    :param corpus: key of :data:`NAMES`; any other corpus has no published numbers
    :param method: ``"teacher"``, ``"baseline"`` or the name of a selection rule (``"all"`` is plain KD)
    :param weight: the distillation scale lambda; None for teacher and baseline
    """
    row = _WER.get(corpus, {}).get((method, weight))
    return row and {"dev": row[1], "test": row[2], "parameter": row[0]}


def published_reference(corpus: str) -> dict | None:
    """The paper's numbers for one corpus, as data for JSON, which a report prints beside its own numbers.

    None for a corpus that the paper does not have.
    """
    if corpus not in NAMES:
        return None
    rows = [
        {"method": method, "weight": weight, "parameter": parameter, "dev": dev, "test": test}
        for (method, weight), (parameter, dev, test) in _WER[corpus].items()
    ]
    points = [{"weight": weight, "n": n, "dev": dev} for (weight, n), dev in _FIGURE_1.get(corpus, {}).items()]
    return {"corpus": corpus, "name": NAMES[corpus], "rows": rows, "figure1": points, "coverage": _COVERAGE}
