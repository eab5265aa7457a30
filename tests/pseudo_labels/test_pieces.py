"""From stored decoder outputs to chunks: loops, phrases, times."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.pseudo_labels.chunks import chunks
from ctc_kd.pseudo_labels.phrases import SUBTITLES, Phrases
from ctc_kd.pseudo_labels.pieces import LONGEST_TICKS, Piece, Segment, read_pieces, write_pieces
from ctc_kd.pseudo_labels.repetition import LoopRule, count_loops, most_frequent
from ctc_kd.pseudo_labels.segments import timed_segments

LOOP = "we can see that the " * 7


def decoded(*segments):
    return [dict(zip(("start", "end", "text"), segment, strict=True)) for segment in segments]


@settings(max_examples=40)
@given(st.text(alphabet="ab ", max_size=40), st.integers(1, 4))
def test_the_most_frequent_sequence(text, n):
    joined = text.replace(" ", "")
    every = [joined[i : i + n] for i in range(len(joined)) if len(joined[i : i + n]) == n]
    assert most_frequent(text, n) == max((every.count(one) for one in every), default=0)


def test_a_text_loops_if_a_sequence_occurs_too_often():
    assert LoopRule().loops(LOOP)
    assert LoopRule().loops("哈" * 11) and not LoopRule().loops("哈" * 10)
    assert not LoopRule().loops("we can see that " * 5)
    assert LoopRule(n=3, most=2).loops("一二三 一二三 一二三")
    assert not LoopRule().loops("")
    with pytest.raises(ValueError, match="expected 1 or more of both"):
        LoopRule(n=0)


def test_loops_are_counted_once_every_five_times():
    assert count_loops("abcdefg " * 4) == 0
    assert count_loops("abcdefg " * 5) == 1
    assert count_loops("abcdefg " * 11) == 2
    far = "".join(chr(0x4E00 + i) for i in range(90))
    assert count_loops(f"abcdef{far}" * 8) == 0


def test_phrases_of_subtitles_are_no_speech():
    assert SUBTITLES.found_in("Okay...") == "Okay."
    assert SUBTITLES.found_in("Okay, the second theorem.") is None
    assert SUBTITLES.found_in("所以请点赞") == "點贊"
    assert SUBTITLES.found_in("And so, thank you for watching!") == "Thank you for watching"
    assert Phrases(within=("ten",)).found_in("a tenth") is None


def test_times_of_a_sound_output_stay():
    found = timed_segments(decoded((0.5, 2.02, " One  two"), (2.02, 4.0, "three")), last=400)
    assert [one.segment for one in found] == [Segment(25, 101, "One two"), Segment(101, 200, "three")]
    assert {one.fault for one in found} == {None}


def test_times_that_run_backwards_or_past_the_end_are_faults():
    outputs = decoded(
        (0.0, 5.0, "a"), (1.0, 3.0, "back"), (4.5, 6.0, "rounded"), (7.0, 6.5, "turned"), (8.0, 8.0, "nothing"),
        (9.0, 10.4, "cut short"), (9.9, 14.0, "past"), (12.0, 13.0, "far past"),
    )  # fmt: skip
    found = timed_segments(outputs, last=500)
    assert [(one.segment.text, one.fault) for one in found] == [
        ("a", None),
        ("back", "times run backwards"),
        ("rounded", None),
        ("turned", "times run backwards"),
        ("nothing", "no duration"),
        ("cut short", None),
        ("past", "times past the end"),
        ("far past", "times past the end"),
    ]
    assert [one.segment[:2] for one in found if not one.fault] == [(0, 250), (250, 300), (450, 500)]
    short = timed_segments(decoded((0.0, 1.0, "long"), (1.0, 1.04, "no frame"), (1.04, 1.1, "a frame")), last=500)
    assert [one.fault for one in short] == [None, "no duration", None]
    before = timed_segments(decoded((0.0, 1.0, "before the stretch")), first=200, last=500)
    assert before == [(Segment(200, 200, "before the stretch"), "times run backwards")]
    assert timed_segments(decoded((0.0, 31.0, "x")), last=5000)[0].fault == "longer than 30 s"


TIMES = st.lists(st.tuples(st.floats(-5, 70), st.floats(-5, 70), st.just("w")), max_size=12)


@settings(max_examples=60)
@given(TIMES, st.integers(1, 3000))
def test_whatever_a_decoder_says_chunks_are_in_order_and_within_the_recording(times, num_ticks):
    found = timed_segments(decoded(*times), last=num_ticks)
    assert len(found) == len(times)
    made = list(chunks("r", "s", [None if one.fault else one.segment for one in found]))
    kept = [segment for chunk in made for segment in chunk.segments]
    assert kept == [one.segment for one in found if not one.fault]
    edges = [edge for segment in kept for edge in segment[:2]]
    assert edges == sorted(edges) and all(segment.start < segment.end for segment in kept)
    assert all(0 <= edge <= num_ticks for edge in edges)
    assert all(chunk.end - chunk.start <= LONGEST_TICKS for chunk in made)
    assert len({chunk.id for chunk in made}) == len(made)


def test_a_chunk_takes_segments_as_long_as_it_has_room_and_counts_gaps():
    first, second, third = Segment(100, 600, "a"), Segment(1100, 1600, "b"), Segment(1600, 1601, "c")
    assert [chunk.text for chunk in chunks("r", "s", [first, second, third])] == ["a b", "c"]
    assert [chunk.id for chunk in chunks("r", "s", [first, second, third])] == ["r-00002000", "r-00032000"]


def test_no_chunk_hides_a_segment_that_was_dropped():
    first, second = Segment(0, 100, "a"), Segment(200, 300, "b")
    assert [chunk.segments for chunk in chunks("r", "s", [first, None, second])] == [(first,), (second,)]


def test_pieces_are_read_as_they_were_written(tmp_path):
    pieces = [Piece("talk/一", "talk", (Segment(1, 20, "去 office"), Segment(20, 30, "b")))]
    write_pieces(str(tmp_path / "pieces.jsonl.gz"), pieces)
    assert list(read_pieces(str(tmp_path / "pieces.jsonl.gz"))) == pieces


def test_a_shorter_limit_ends_chunks_earlier():
    segments = [Segment(100 * number, 100 * number + 90, str(number)) for number in range(5)]
    assert [one.text for one in chunks("r", "s", segments, longest_ticks=200)] == ["0 1", "2 3", "4"]


def test_a_chunk_has_one_language():
    said = [
        Segment(0, 10, "a", "en"),
        Segment(10, 20, "b", "en"),
        Segment(20, 30, "去", "zh"),
        Segment(30, 40, "c", "en"),
    ]
    assert [(one.language, one.text) for one in chunks("r", "s", said)] == [("en", "a b"), ("zh", "去"), ("en", "c")]
