"""Facts and the full list of rows: what stands behind each number."""

from __future__ import annotations

from html import escape

from ctc_kd.report import names
from ctc_kd.report.record import Record, Score
from ctc_kd.report.results import Results


def facts_list(facts: dict[str, str]) -> str:
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def record_table(results: Results) -> str:
    """Every row with errors by kind, how it was trained and decoded, and its jobs (folded)."""
    return "".join(_record(record) for record in results.records)


def _record(record: Record) -> str:
    scores = "".join(_score(name, score) for name, score in (("dev", record.dev), ("test", record.test)))
    head = "".join(f"<th>{name}</th>" for name in ("", "WER", "sub.", "del.", "ins.", "words"))
    jobs = "".join(
        f"<div><dt>{escape(kind)}</dt><dd><code>{escape(job)}</code></dd></div>" for kind, job in record.job_ids.items()
    )
    return (
        f"<details><summary><span>{escape(record.row)}</span><span>{escape(names.row_name(record))}</span>"
        f"<span>{names.wer(record.dev.wer)}</span><span>{names.wer(record.test.wer)}</span></summary>"
        f'<div class="scroll"><table class="wer"><thead><tr>{head}</tr></thead><tbody>{scores}</tbody></table></div>'
        f'{facts_list(_facts(record))}<dl class="facts jobs">{jobs}</dl></details>'
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
        "Sub-epochs": names.count(record.epochs),
        "Training time": names.duration(record.training_seconds),
        "Parameters": names.count(record.parameters),
    }
