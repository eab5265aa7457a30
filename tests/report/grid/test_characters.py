"""A corpus whose errors are those of characters: no word of its report speaks of words."""

from dataclasses import replace

import pytest

from ctc_kd.experiments.published import published_reference
from ctc_kd.report.grid.figures import figure1
from ctc_kd.report.grid.page import Page
from ctc_kd.report.grid.results import Results
from ctc_kd.report.grid.significance_table import significance_markdown
from ctc_kd.report.grid.tables import table1_markdown, table2_markdown


@pytest.fixture
def counted(partial_grid):
    """``counted(unit)``: the records of the small demo, as if errors were counted in that unit."""

    def records(unit):
        return [
            replace(record, **{name: replace(getattr(record, name), unit=unit) for name in ("dev", "test")})
            for record in partial_grid
        ]

    return records


@pytest.fixture
def texts(counted, significance, tmp_path):
    """``texts(unit)``: all that a report says."""

    def write(unit):
        tested = significance({"baseline": 22.0, "all-l0.9": 18.5}, [("all-l0.9", "baseline", 0.003)])
        significant, plain = Results(counted(unit), significance=tested), Results(counted(unit))
        pages = [
            Page(title="t", results=results, coverage=None, curves={}, lm_statistics={}, notes=[]).html()
            for results in (significant, plain)
        ]
        figure1(plain, str(tmp_path))
        drawing = (tmp_path / "figure1.svg").read_text()
        return [*pages, table1_markdown(plain), table2_markdown(plain), significance_markdown(significant), drawing]

    return write


def test_no_text_of_the_report_has_words(texts):
    for text in texts("characters"):
        assert "CER" in text
        assert "WER" not in text and " words" not in text and ">words" not in text


def test_words_are_the_other_unit(texts):
    for text in texts("words"):
        assert "WER" in text and "CER" not in text and "characters" not in text


def test_the_papers_numbers_are_of_words(counted):
    reference = published_reference("tedlium2")
    of_the_paper = [replace(record, corpus="tedlium2") for record in counted("characters")]
    assert not Results(of_the_paper, reference).comparable
    assert "numbers (arXiv 2506.01503) are WER on TED-LIUM" in table1_markdown(Results(of_the_paper, reference))


def test_rows_of_two_units_are_refused(counted):
    with pytest.raises(ValueError, match="row baseline has a WER, but row teacher a CER: score all rows"):
        Results([*counted("characters")[:1], *counted("words")[1:]])
