"""Facts about the data, and the full list of rows with the details behind each number."""

from __future__ import annotations

from html import escape

from ctc_kd.report import names
from ctc_kd.report.grid.results import Results
from ctc_kd.report.record import Record, Score
from ctc_kd.report.svg import prose


def facts_list(facts: dict[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{prose(value)}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def data_facts(results: Results) -> dict[str, str]:
    """Size of the evaluation sets, and the training time of all rows together."""
    dev = results.records[0].dev
    test = next((record.test for record in results.records if record.test), None)
    facts = {
        name: f"{names.count(score.words)} {score.unit}, {names.count(score.utterances)} utterances"
        for name, score in (("Dev set", dev), ("Test set", test))
        if score
    }
    seconds = [record.training_seconds for record in results.records]
    if None not in seconds:
        facts["Training of all rows"] = names.duration(sum(seconds))
    return facts


def record_list(results: Results) -> str:
    """All rows as folded blocks: errors by kind, how the row was trained and decoded, and its jobs."""
    head = "".join(f"<span>{name}</span>" for name in ("Row", "", "dev", "test"))
    return f'<div class="summary">{head}</div>' + "".join(_record(record) for record in results.records)


def _record(record: Record) -> str:
    on_test = names.wer(record.test and record.test.wer)
    summary = (record.row, names.row_name(record), names.wer(record.dev.wer), on_test)
    spans = "".join(f"<span>{prose(text)}</span>" for text in summary)
    head = "".join(f"<th>{name}</th>" for name in ("", record.dev.rate, "sub.", "del.", "ins.", record.dev.unit))
    scores = _score("dev", record.dev) + (_score("test", record.test) if record.test else "")
    jobs = "".join(
        f"<div><dt>{escape(kind)}</dt><dd><code>{escape(job)}</code></dd></div>" for kind, job in record.job_ids.items()
    )
    return (
        f'<details><summary class="summary">{spans}</summary><div class="body">'
        f'<div class="scroll"><table class="errors"><thead><tr>{head}</tr></thead><tbody>{scores}</tbody></table></div>'
        f'{facts_list(_facts(record))}<dl class="facts jobs">{jobs}</dl></div></details>'
    )


def _score(name: str, score: Score) -> str:
    counts = (score.substitutions, score.deletions, score.insertions, score.words)
    cells = "".join(f"<td>{text}</td>" for text in [f"{score.wer:.2f}", *map(names.count, counts)])
    return f"<tr><th>{name}</th>{cells}</tr>"


def _facts(record: Record) -> dict[str, str]:
    return {
        "Transcripts": "read in training" if record.uses_transcripts else "not read",
        "LM scale": f"{record.lm_scale:g}",
        "Prior scale": f"{record.prior_scale:g}",
        "Temperature": names.DASH if record.temperature is None else f"{record.temperature:g}",
        "KD normalisation": record.normalisation or names.DASH,
        "Seed": names.DASH if record.seed is None else str(record.seed),
        "Preset": record.preset,
        "Paper": _published(record),
        "Sub-epochs": names.count(record.epochs),
        "Training time": names.duration(record.training_seconds),
        "Parameters": names.count(record.num_parameters),
    }


def _published(record: Record) -> str:
    """The paper's row of this method and lambda; its hyper-parameter, which may be another, stands behind."""
    if (published := record.published) is None:
        return names.DASH
    chosen = "" if published["parameter"] is None else f" ({names.parameter(record.method, published['parameter'])})"
    return f"dev {names.wer(published['dev'])}, test {names.wer(published['test'])}{chosen}"
