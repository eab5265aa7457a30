"""Jobs that measure how far pseudo labels are from a validator's, and decide which to keep."""

from __future__ import annotations

from collections import defaultdict

from sisyphus import Job, Task, tk

from ctc_kd.files import write_json, write_lines
from ctc_kd.pseudo_labels.filter import Distance, Rule, decide
from ctc_kd.pseudo_labels.pieces import read_lines_of_json, read_pieces, write_lines_of_json, write_pieces
from ctc_kd.pseudo_labels.repetition import count_loops


class LatinWordsJob(Job):
    """Lists the English words of texts that a lexicon lacks, one per line, sorted, for ``ApplyG2PJob``.

    Words with other letters than A-Z, and numbers, are left out and counted.

    :param pieces: their texts
    :param validations: of ``ValidateJob``
    """

    def __init__(self, *, pieces: tk.Path, validations: list[tk.Path], lexicon: tk.Path):
        self.pieces = pieces
        self.validations = validations
        self.lexicon = lexicon
        self.out_words = self.output_path("words.txt")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.corpus.transcripts import fault_of_words
        from ctc_kd.lexicon.pronunciations import read_lexicon
        from ctc_kd.pseudo_labels.phonemes import words_of

        texts = [piece.text for piece in read_pieces(self.pieces.get_path())]
        for path in self.validations:
            texts += [one["text"] for one in read_lines_of_json(path.get_path()) if not one["phonemes"]]
        words = {word for text in texts for word in words_of(text)} - read_lexicon(self.lexicon.get_path()).keys()
        wanted = sorted(word for word in words if not fault_of_words(word))
        write_lines(self.out_words.get_path(), wanted)
        print(f"{len(wanted)} words to pronounce; {len(words) - len(wanted)} that are not English")


class DistancesJob(Job):
    """Compares the texts of pieces with what a validator says of them.

    The piece's text counts as the prediction, the validator's as the reference, as in the filter that followed K2D.

    :param lexicon: pronunciations of English words

    ``out_distances``: JSON lines ``id, mer, per, validator, phonemes``, see
    :class:`ctc_kd.pseudo_labels.filter.Distance`.
    """

    def __init__(self, *, pieces: tk.Path, validations: tk.Path, lexicon: tk.Path):
        self.pieces = pieces
        self.validations = validations
        self.lexicon = lexicon
        self.out_distances = self.output_path("distances.jsonl.gz")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 4}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        from ctc_kd.lexicon.pronunciations import read_lexicon
        from ctc_kd.pseudo_labels.phonemes import MixedPhonemes
        from ctc_kd.scoring.units import comparable, error_rate, mixed_units

        pronounced = MixedPhonemes(read_lexicon(self.lexicon.get_path()))
        validations = {one["id"]: one for one in read_lines_of_json(self.validations.get_path())}
        lines = []
        for piece in read_pieces(self.pieces.get_path()):
            text, phonemes = validations[piece.id]["text"], validations[piece.id]["phonemes"]
            per = error_rate(pronounced(piece.text), text.split() if phonemes else pronounced(text))
            mer = None
            if not phonemes:
                mer = error_rate(*(mixed_units(comparable(one)) for one in (piece.text, text)))
            lines.append({"id": piece.id, **Distance(mer, per, text, phonemes)._asdict()})
        write_lines_of_json(self.out_distances.get_path(), lines)
        print(f"{len(lines)} distances")


class FilterJob(Job):
    """Decides about each piece.

    :param distances: of ``DistancesJob``, if the rule has a metric

    ``out_kept``: the pieces that are kept. ``out_decisions``: JSON lines ``id, reason, distance``, see
    :class:`ctc_kd.pseudo_labels.filter.Decision`. ``out_summary``: JSON: ``pieces, hours, kept, kept_hours``,
    ``reasons``: reason -> ``pieces, hours``, and ``loops``: how often the texts before and after the filter loop.
    """

    def __init__(self, *, pieces: tk.Path, rule: Rule, distances: tk.Path | None = None):
        if (rule.metric is None) != (distances is None):
            raise ValueError(f"a rule with metric {rule.metric} {'needs no' if distances else 'needs'} distances")
        self.pieces = pieces
        self.rule = rule
        self.distances = distances
        self.out_kept = self.output_path("kept.jsonl.gz")
        self.out_decisions = self.output_path("decisions.jsonl.gz")
        self.out_summary = self.output_path("summary.json")
        self.rqmt = {"cpu": 1, "mem": 2, "time": 1}

    def tasks(self):
        yield Task("run", resume="run", rqmt=self.rqmt)

    def run(self):
        pieces = list(read_pieces(self.pieces.get_path()))
        decisions = decide(pieces, self.rule, read_distances(self.distances.get_path()) if self.distances else {})
        kept = [piece for piece, decision in zip(pieces, decisions, strict=True) if decision.reason is None]
        reasons = defaultdict(lambda: {"pieces": 0, "hours": 0.0})
        for piece, decision in zip(pieces, decisions, strict=True):
            if decision.reason is not None:
                reasons[decision.reason]["pieces"] += 1
                reasons[decision.reason]["hours"] += piece.seconds / 3600
        summary = {
            "pieces": len(pieces),
            "hours": sum(piece.seconds for piece in pieces) / 3600,
            "kept": len(kept),
            "kept_hours": sum(piece.seconds for piece in kept) / 3600,
            "reasons": reasons,
            "loops": {
                "before": sum(count_loops(piece.text) for piece in pieces),
                "after": sum(count_loops(piece.text) for piece in kept),
            },
        }
        write_pieces(self.out_kept.get_path(), kept)
        named = ({"id": piece.id, **decision._asdict()} for piece, decision in zip(pieces, decisions, strict=True))
        write_lines_of_json(self.out_decisions.get_path(), named)
        write_json(self.out_summary.get_path(), summary)
        print(summary)


def read_distances(path: str) -> dict[str, Distance]:
    """Piece -> distance."""
    return {fields.pop("id"): Distance(**fields) for fields in read_lines_of_json(path)}
