"""Lines of STM files, segment boundaries, and the words of TED-LIUM."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ctc_kd.corpus.stm import StmSegment, count_overlaps, extend, read_stm, spoken_words

names = st.text("abcXYZ019_-.", min_size=1, max_size=8)
words = st.lists(st.text("abcz'{}()<>2é-", min_size=1, max_size=6), max_size=4).map(" ".join)
times = st.decimals(0, 3000, places=4)
segments = st.tuples(names, times, times, words).filter(lambda s: s[2] - s[1] >= Decimal("0.01") and ";;" not in s[3])


def write(folder, content, talk="Talk_2010"):
    path = folder / f"{talk}.stm"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@given(rows=st.lists(segments, max_size=6, unique_by=lambda row: row[1:3]), label=st.sampled_from(["NA", "o,f0,male"]))
def test_what_is_written_is_read(rows, label, tmp_path_factory):
    lines = [f"Talk_2010 1 {speaker} {start} {end} <{label}> {text}\n" for speaker, start, end, text in rows]
    found, problems = read_stm(write(tmp_path_factory.mktemp("stm"), "".join(lines)))
    assert problems == []
    assert found == [StmSegment(number, *row) for number, row in enumerate(rows, 1)]


def test_lines_that_count_for_nothing(tmp_path):
    content = (
        ';; LABEL "o" "Overall" "Overall results"\n'
        "\n"
        "Talk_2010 1 inter_segment_gap 0 1.5 <o,,unknown> ignore_time_segment_in_scoring\n"
        "Talk_2010 1 Ann 1.5 2 <F0_M> it 's here  \n"
        "Talk_2010 1 Ann 3 .5 ignore_time_segment_in_scoring\n"
        "Talk_2010 A Ann 2 2.75 <o,f0,female>\n"
    )
    found, problems = read_stm(write(tmp_path, content))
    assert problems == []
    assert found == [
        StmSegment(4, "Ann", Decimal("1.5"), Decimal(2), "it 's here"),
        StmSegment(6, "Ann", Decimal(2), Decimal("2.75"), ""),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "Talk_2010 1 Ann 1.5",
            "is not '<talk> <channel> <speaker> <start> <end> <<label>> <words>': 'Talk_2010 1 Ann",
        ),
        ("Talk_2010 1 Ann 1.5 2.5 no label", "is not "),
        ("Talk_2010 1 Ann one 2.5 <NA> a", "is not "),
        ("Talk_2010 1 Ann nan 2.5 <NA> a", "is not "),
        ("Talk_2010 1 Ann -0.5 2.5 <NA> a", "starts at -0.5 s, before the recording"),
        ("Talk_2010 1 Ann 2.5 1.5 <NA> a", "ends at 1.5 s, expected 0.01 s or more after its start at 2.5 s"),
        ("Talk_2010 1 Ann 2.5 2.5 <NA> a", "ends at 2.5 s, expected 0.01 s or more after"),
        ("Other_2010 1 Ann 2.5 3.5 <NA> a", "is a line of the talk Other_2010, expected Talk_2010"),
        ("Talk_2010 1 Bob 0 1.00 <NA> b", "has the same times as line 1"),
    ],
)
def test_a_faulty_line_is_named(tmp_path, line, problem):
    path = write(tmp_path, f"Talk_2010 1 Ann 0.0 1.0 <NA> a\n{line}\n")
    found, problems = read_stm(path)
    assert len(found) == 1
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: {problem}")


def test_line_ends_and_the_byte_order_mark_of_other_systems(tmp_path):
    content = "\ufeffTalk_2010 1 Ann 0 1 <NA> a\r\nTalk_2010 1 Ann 1 2 <NA> b\r\n"
    found, problems = read_stm(write(tmp_path, content))
    assert problems == []
    assert [segment.text for segment in found] == ["a", "b"]


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = write(tmp_path, ";; comment\nTalk_2010 1 Ann 0 1 <NA> café\n".encode("latin-1"))
    found, (problem,) = read_stm(path)
    assert found == []
    assert problem.startswith(f"{path}:2: the byte 0xe9, expected UTF-8 text")


def seconds(*spans):
    return [(Decimal(start), Decimal(end)) for start, end in spans]


def test_extension_into_the_silence():
    spans = seconds(("0.10", "1.00"), ("1.20", "2.00"), ("2.05", "3.00"), ("3.00", "4.00"), ("9.00", "9.95"))
    assert extend(spans, Decimal("9.987")) == seconds(
        ("0.00", "1.05"),  # not before the recording; 0.15 s of the pause are the next one's
        ("1.05", "2.00"),
        ("2.00", "3.00"),  # what there is
        ("3.00", "4.10"),
        ("8.85", "9.98"),  # not beyond the recording
    )


def test_extension_leaves_overlaps_as_they_are():
    spans = seconds(("5", "6"), ("1", "3"), ("2.5", "4"))
    assert count_overlaps(spans) == 1
    assert extend(spans, Decimal(10)) == seconds(("4.85", "6.1"), ("0.85", "3"), ("2.5", "4.1"))


def disjoint(spans):
    return {pair for pair in combinations(range(len(spans)), 2) if apart(*(spans[index] for index in pair))}


def apart(one, other):
    return one[1] <= other[0] or other[1] <= one[0]


@given(
    spans=st.lists(st.tuples(times, times).map(sorted).map(tuple).filter(lambda s: s[0] < s[1]), max_size=6),
    scale=st.sampled_from([1, 1000]),  # some crowded recordings
    rest=st.decimals(0, 1, places=4),
)
def test_extended_segments_stay_apart_and_within_the_recording(spans, scale, rest):
    spans = [(start / scale, end / scale) for start, end in spans]
    duration = max((end for _, end in spans), default=Decimal(0)) + rest
    extended = extend(spans, duration)
    assert disjoint(extended) == disjoint(spans)
    for (start, end), (early, late) in zip(spans, extended, strict=True):
        assert max(0, start - Decimal("0.15")) <= early <= start
        assert end <= late <= min(duration, end + Decimal("0.1"))
        assert early in (start, round(early, 2))
        assert late in (end, round(late, 2))


@given(starts=st.lists(st.integers(0, 500), min_size=1, max_size=8, unique=True), gap=st.integers(0, 40))
def test_extension_is_kaldis_where_nothing_overlaps(starts, gap):
    """A plain definition in hundredths of a second, neighbour by neighbour."""
    starts = [100 * start for start in sorted(starts)]
    ends = [start + 100 - gap for start in starts]
    assume(ends[-1] > starts[-1])
    expected, previous = [], 0
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        start = max(start - 15, previous)
        if index + 1 < len(starts):
            previous = min(end + 10, max(starts[index + 1] - 15, end))
        else:
            previous = end + 10
        expected.append((Decimal(start) / 100, Decimal(previous) / 100))
    spans = [(Decimal(start) / 100, Decimal(end) / 100) for start, end in zip(starts, ends, strict=True)]
    assert extend(spans, Decimal(10**6)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it's  a man's world", ("IT 'S A MAN 'S WORLD", 0)),
        ("it 's o'clock", ("IT 'S O 'CLOCK", 0)),
        ("rock'n'roll", ("ROCK 'N 'ROLL", 0)),
        ("the dogs' 'cause", ("THE DOGS' 'CAUSE", 0)),
        ("imiss uptheir house", ("I MISS UP THEIR HOUSE", 0)),
        ("i read(2) <sil> the(2) book {NOISE} [smack]", ("I READ THE BOOK", 5)),
        ("a <unk> b", ("A <UNK> B", 0)),
        ("{NOISE}", ("", 1)),
    ],
)
def test_words(text, expected):
    assert spoken_words(text) == expected


@given(st.text("abs' (){}2<>"))
def test_words_are_normal_after_one_pass(text):
    once, _ = spoken_words(text)
    assume("(2)" not in once and "{" not in once)  # markers within markers
    assert spoken_words(once) == (once, 0)
