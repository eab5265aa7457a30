"""From stored decoder outputs to kept chunks, with all the ways in which decoders are known to fail."""

import gzip
import json
from dataclasses import replace

import pytest
from sisyphus import tk

from ctc_kd.corpus.cuts import recording_of, segment_cut, whole_recording_cut, write_cuts
from ctc_kd.corpus.problems import CorpusError
from ctc_kd.files import read_json, text_lines
from ctc_kd.inventory import Inventory
from ctc_kd.pseudo_labels.filter import Rule
from ctc_kd.pseudo_labels.filter_job import DistancesJob, FilterJob, LatinWordsJob
from ctc_kd.pseudo_labels.phrases import SUBTITLES
from ctc_kd.pseudo_labels.piece_jobs import ChunksJob, SegmentsJob
from ctc_kd.pseudo_labels.pieces import Piece, Segment, read_pieces
from ctc_kd.pseudo_labels.references import ReferenceErrorsJob, Spoken, references_of, units_by_file
from ctc_kd.pseudo_labels.repetition import LoopRule
from ctc_kd.pseudo_labels.validators import check_validator, heard

LOOP = "so it is " * 12
OUTPUT = [
    ((0, 1000), [(0.0, 8.0, "the first thing"), (8.0, 15.0, LOOP), (15.0, 19.0, "the last thing")]),
    ((1000, 1500), [(20.0, 29.0, "Thank you for watching!")]),  # over a pause
    ((1500, 2900), [(30.0, 38.0, "去 office"), (37.0, 45.0, "die Sitzung"), (35.0, 36.0, "it runs back")]),
    ((2850, 2900), []),
    ((2900, 4300), [(58.0, 80.0, "a plain text"), (80.0, 95.0, "far past the end")]),
]
HEARD = {
    "talk-00000000": "the first thing",
    "talk-00015000": "the last sink",
    "talk-00030000": "去 office the meeting",  # a wrong language
    "talk-00058000": "",
}
LEXICON = "THE DH AH\nFIRST F ER S T\nTHING TH IH NG\nLAST L AE S T\nSINK S IH NG K\nOFFICE AO F AH S\n"


def file_of(folder, name, text):
    with (gzip.open if name.endswith(".gz") else open)(folder / name, "wt", encoding="utf-8") as file:
        file.write(text)
    return tk.Path(str(folder / name))


def lines_of(path):
    with gzip.open(path.get_path(), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def json_lines(values):
    return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)


@pytest.fixture
def segments(run_here, tmp_path):
    parts = [
        {
            "start": start,
            "end": end,
            "language": "en",
            "segments": [dict(zip(("start", "end", "text"), one, strict=True)) for one in said],
        }
        for (start, end), said in OUTPUT
    ]
    line = {"recording": "talk", "source": "channel", "seconds": 86.0, "stretches": parts}
    return run_here(SegmentsJob(transcriptions=file_of(tmp_path, "transcriptions.jsonl.gz", json_lines([line]))))


@pytest.fixture
def chunks(run_here, segments):
    rule = Rule(loops=LoopRule(), phrases=SUBTITLES)
    decisions = run_here(FilterJob(pieces=segments.out_segments, rule=rule)).out_decisions
    job = ChunksJob(segments=segments.out_segments, faults=segments.out_faults, decisions=decisions)
    return run_here(job).out_chunks


def texts(path):
    return {piece.id: piece.text for piece in read_pieces(path.get_path())}


def test_faults_are_left_out_and_end_a_chunk(segments, chunks):
    faults = [(one["after"], one["fault"], one["text"]) for one in lines_of(segments.out_faults)]
    assert faults == [
        (6, "times run backwards", "it runs back"),
        (6, "speech without text", ""),
        (7, "times past the end", "far past the end"),
    ]
    assert texts(chunks) == {
        "talk-00000000": "the first thing",
        "talk-00015000": "the last thing",
        "talk-00030000": "去 office die Sitzung",
        "talk-00058000": "a plain text",
    }


def test_without_a_rule_a_chunk_would_hide_the_loop(run_here, segments):
    decisions = run_here(FilterJob(pieces=segments.out_segments, rule=Rule())).out_decisions
    job = ChunksJob(segments=segments.out_segments, faults=segments.out_faults, decisions=decisions)
    hidden = run_here(job).out_chunks
    assert LOOP.split() == texts(hidden)["talk-00000000"].split()[3:-7]
    summary = run_here(FilterJob(pieces=hidden, rule=Rule(loops=LoopRule()))).out_summary
    found = read_json(summary.get_path())
    assert found["reasons"] == {"loop": {"pieces": 1, "hours": 29 / 3600}}
    assert found["loops"]["before"] > 0 == found["loops"]["after"]


@pytest.fixture
def distances(run_here, tmp_path, chunks):
    heard_lines = [{"id": name, "text": text, "phonemes": False} for name, text in HEARD.items()]
    validations = file_of(tmp_path, "validations.jsonl.gz", json_lines(heard_lines))
    lexicon = file_of(tmp_path, "lexicon.txt", LEXICON)
    words = run_here(LatinWordsJob(pieces=chunks, validations=[validations], lexicon=lexicon)).out_words
    assert list(text_lines(words.get_path())) == [
        f"{word}\n" for word in ("A", "DIE", "MEETING", "PLAIN", "SITZUNG", "TEXT")
    ]
    return run_here(DistancesJob(pieces=chunks, validations=validations, lexicon=lexicon)).out_distances


def test_a_validator_that_hears_something_else_drops_a_chunk(run_here, chunks, distances):
    found = {one["id"][-8:]: one for one in lines_of(distances)}
    assert found["00000000"]["mer"] == found["00000000"]["per"] == 0.0
    assert found["00015000"]["mer"] == pytest.approx(1 / 3)
    assert found["00015000"]["per"] == pytest.approx(2 / 10)  # DH AH L AE S T S IH NG K
    assert found["00058000"]["mer"] == found["00058000"]["per"] == 1.0  # nothing was heard
    kept = run_here(FilterJob(pieces=chunks, rule=Rule(metric="mer", alpha=0.4), distances=distances)).out_kept
    assert list(texts(kept)) == ["talk-00000000", "talk-00015000"]
    strict = Rule(metric="composite", loops=LoopRule(), alpha=0.1)
    assert list(texts(run_here(FilterJob(pieces=chunks, rule=strict, distances=distances)).out_kept)) == [
        "talk-00000000"
    ]


def test_a_rule_and_its_distances_belong_together(chunks, distances):
    with pytest.raises(ValueError, match="a rule with metric mer needs distances"):
        FilterJob(pieces=chunks, rule=Rule(metric="mer"))
    with pytest.raises(ValueError, match="needs no distances"):
        FilterJob(pieces=chunks, rule=Rule(), distances=distances)


def test_true_errors_are_those_of_the_utterances_in_a_chunk(run_here, tmp_path, chunks):
    audio = {"audio": "/talk.flac", "num_samples": 100 * 16000, "sample_rate_hz": 16000}
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), [whole_recording_cut("talk", speaker="s", **audio)])
    spoken = {"u1": (1, 7, "The first things"), "u2": (30, 44, "去offices 开会"), "u3": (50, 52, "nobody wrote this")}
    recording = recording_of("file", **audio)
    references = [
        segment_cut(name, recording=recording, start=16000 * start, num_samples=16000 * (end - start), speaker="s")
        for name, (start, end, _) in spoken.items()
    ]
    write_cuts(str(tmp_path / "references.jsonl.gz"), references)
    transcripts = file_of(tmp_path, "t.txt", "".join(f"{name} {text}\n" for name, (*_, text) in spoken.items()))
    job = ReferenceErrorsJob(
        pieces=chunks,
        cuts=tk.Path(str(tmp_path / "cuts.jsonl.gz")),
        reference_cuts=tk.Path(str(tmp_path / "references.jsonl.gz")),
        reference_transcripts=transcripts,
    )
    errors = {one["id"]: one["error_rate"] for one in lines_of(run_here(job).out_errors)}
    assert errors == {
        "talk-00000000": pytest.approx(1 / 3),
        "talk-00015000": 1.0,  # a text where nobody spoke
        "talk-00030000": 0.75,  # 去 offices 开 会
        "talk-00058000": 1.0,
    }
    counts = read_json(job.out_counts.get_path())
    assert (counts["units"], counts["missed_units"], counts["loops"]) == (7, 3, 0)
    assert counts["characters"] == pytest.approx(200 / 3)


def test_references_are_in_the_files_of_the_recordings_before_conversion(run_here, tmp_path, chunks):
    audio = {"num_samples": 100 * 16000, "sample_rate_hz": 16000, "speaker": "s"}
    talk = whole_recording_cut("talk", audio="/talk.mp3", **audio)
    first, second, other = (whole_recording_cut("talk", audio=f"/{number}.flac", **audio) for number in range(3))
    write_cuts(str(tmp_path / "cuts.jsonl.gz"), [first.converted_from(talk)])
    transcripts = file_of(tmp_path, "t.txt", "talk The first things\nother Not heard\n")

    def compared(*utterances):
        write_cuts(str(tmp_path / "references.jsonl.gz"), utterances)
        cuts, references = (tk.Path(str(tmp_path / name)) for name in ("cuts.jsonl.gz", "references.jsonl.gz"))
        arguments = {"reference_cuts": references, "reference_transcripts": transcripts}
        return run_here(ReferenceErrorsJob(pieces=chunks, cuts=cuts, **arguments))

    assert read_json(compared(second.converted_from(talk)).out_counts.get_path())["missed_units"] < 3
    elsewhere = replace(other, fields={**other.fields, "id": "other"})
    counts = read_json(compared(second.converted_from(talk), elsewhere).out_counts.get_path())
    assert counts["missed_units"] < 3, "what was said in other recordings does not count"
    with pytest.raises(CorpusError, match=r"(?s)no utterance is in any of the 1 recordings .* such as /talk\.mp3"):
        compared(other)


def test_words_of_an_utterance_are_divided_among_the_pieces_that_cut_it():
    audio = {"audio": "/talk.flac", "num_samples": 60 * 16000, "sample_rate_hz": 16000}
    talk = whole_recording_cut("talk", speaker="s", **audio)
    utterance = segment_cut("u", recording=talk.recording, start=16000, num_samples=10 * 16000, speaker="s")
    spoken = units_by_file([utterance], {"u": "a b 去 d e"})  # at 2, 4, 6, 8 and 10 s
    pieces = [Piece("talk", "s", (Segment(*edges, "x"),)) for edges in ((0, 150), (150, 275), (330, 340), (480, 490))]
    found = references_of(pieces, {"talk": talk}, spoken)
    assert list(found.values()) == [["a"], ["b", "去"], [], ["e"]]  # d is in no piece, and near none
    near = [*spoken["/talk.flac"], Spoken(9.0, "near")]
    assert list(references_of(pieces, {"talk": talk}, {"/talk.flac": near}).values())[3] == ["near", "e"]


def test_words_are_those_of_a_recordings_own_channels():
    call = recording_of("call", audio="/call.wav", num_samples=60 * 16000, sample_rate_hz=16000, channels=2)
    sides = [
        segment_cut(f"side{channel}", recording=call, start=0, num_samples=60 * 16000, speaker="s", channels=[channel])
        for channel in (0, 1)
    ]
    converted = {
        side.id: whole_recording_cut(
            side.id, audio=f"/{side.id}.flac", num_samples=60 * 16000, sample_rate_hz=16000, speaker="s"
        ).converted_from(side)
        for side in sides
    }
    spoken = units_by_file(sides, {"side0": "a b", "side1": "c d"})
    pieces = [Piece(name, "s", (Segment(0, 1500, "x"),)) for name in converted]
    assert list(references_of(pieces, converted, spoken).values()) == [["a"], ["c"]]
    whole_file = segment_cut("u", recording=call, start=0, num_samples=60 * 16000, speaker="s", channels=[0, 1])
    once = references_of(pieces, converted, units_by_file([whole_file], {"u": "a b c"}))
    assert sorted(*filter(None, once.values())) == ["a", "b"], "what was said on either side is in one piece"
    both = segment_cut("both", recording=call, start=0, num_samples=60 * 16000, speaker="s", channels=[0, 1])
    whole = [Piece("both", "s", (Segment(0, 3000, "x"),))]
    assert sorted(*references_of(whole, {"both": both}, spoken).values()) == ["a", "b", "c", "d"]


def test_what_a_ctc_model_says_is_compared_as_text_or_as_arpabet():
    ipa = Inventory("phonemes", ("<pad>", "t͡ʃ", "ɝ", "<wb>", "_"), blank=4, boundary="<wb>", unspoken=("<pad>",))
    assert heard(ipa, [4, 1, 1, 4, 3, 2, 0, 4]) == ("CH ER", True)
    characters = Inventory("characters", ("_", "|", "A", "B"), blank=0, boundary="|")
    assert heard(characters, [2, 2, 0, 2, 1, 3, 0]) == ("AA B", False)


def test_validators_are_checked_when_they_are_declared():
    check_validator({"kind": "student", "folder": "f"})
    with pytest.raises(ValueError, match="expected a kind: whisper with language, model; student with folder; ctc"):
        check_validator({"kind": "whisper", "model": "m"})
