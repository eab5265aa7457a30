"""A fine-tuned encoder, saved as a folder of transformers, gives there the logits that it gives here."""

import pytest
import torch
from sisyphus import tk

from ctc_kd.inventory import Inventory, write_inventory
from ctc_kd.nn.teacher import save_encoder
from ctc_kd.training.build import build_model
from ctc_kd.training.save_ctc_model import SaveCtcModelJob
from ctc_kd.training.save_processor import save_processor
from tiny_encoders import STABLE

LETTERS = Inventory("characters", ("|", "A", "B", "[blank]"), blank=3, case="upper", boundary="|")


def model(**fields):
    encoder = {**STABLE, "model_type": "hubert"}
    return {"class": "SpeechEncoderCtc", "encoder": encoder, "pooling": 1, "waveform": "normalised", **fields}


TRUNCATED = {"encoder_options": {"num_hidden_layers": 1}}


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # inside of WavLM
@pytest.mark.parametrize(
    ("kind", "expected", "options"),
    [
        ("hubert", "HubertForCTC", {}),
        ("hubert", "HubertForCTC", {"waveform": "plain"}),
        ("hubert", "HubertForCTC", TRUNCATED),
        ("wavlm", "WavLMForCTC", TRUNCATED),
    ],
    ids=["normalised", "plain", "truncated HuBERT", "truncated WavLM"],
)
def test_logits_and_text_are_the_same_there(run_here, tmp_path, kind, expected, options):
    from transformers import AutoModelForCTC, AutoProcessor, pipeline

    literal = model(encoder={**STABLE, "model_type": kind}, **options)
    ours = build_model({**literal, "num_labels_with_blank": 4}).eval()
    audio = 0.3 * torch.randn(1, 9000, generator=torch.Generator().manual_seed(0)) + 0.1
    with torch.no_grad():  # each label is the best one somewhere
        ours.output.bias -= ours(audio, torch.tensor([9000]))[0].mean(dim=(0, 1))
    torch.save({"model": ours.state_dict(), "epoch": 1, "step": 0}, tmp_path / "epoch.001.pt")
    write_inventory(tmp_path / "inventory.json", LETTERS)
    files = {"checkpoint": "epoch.001.pt", "inventory": "inventory.json"}
    paths = {name: tk.Path(str(tmp_path / file)) for name, file in files.items()}
    job = run_here(SaveCtcModelJob(model=literal, **paths))

    folder = job.out_model.get_path()
    theirs, processor = AutoModelForCTC.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
    assert type(theirs).__name__ == expected
    assert theirs.config.num_hidden_layers == (1 if options is TRUNCATED else 2)
    assert (theirs.config.vocab_size, theirs.config.pad_token_id) == (4, 3)
    assert processor.tokenizer.get_vocab() == {"|": 0, "A": 1, "B": 2, "[blank]": 3}
    assert processor.decode([1, 1, 3, 1, 0, 2, 3]) == "AA B"
    inputs = processor(audio[0].numpy(), sampling_rate=16000, return_tensors="pt")
    with torch.no_grad():
        logits, lengths = ours(audio, torch.tensor([9000]))
        torch.testing.assert_close(theirs(**inputs).logits, logits, atol=1e-4, rtol=1e-4)
    assert lengths.tolist() == [logits.shape[1]]
    printed = pipeline("automatic-speech-recognition", model=folder)(audio[0].numpy())["text"]
    assert printed and " ".join(printed.split()) == LETTERS.text(LETTERS.collapsed(logits[0].argmax(dim=-1).tolist()))


@pytest.mark.parametrize("case", ["lower", "upper", "keep"])
def test_texts_become_labels_in_every_case(tmp_path, case):
    from transformers import Wav2Vec2Processor

    letters = "AB" if case == "upper" else "ab"
    inventory = Inventory("characters", ("|", *letters, "[blank]"), blank=3, case=case, boundary="|")
    save_processor(str(tmp_path), inventory, normalise=True)
    text = f"{letters} {letters[0]}"
    assert Wav2Vec2Processor.from_pretrained(tmp_path)(text=text)["input_ids"] == [1, 2, 0, 1]


@pytest.mark.parametrize("fields", [{"pooling": 2}, {"waveform": "paper"}, {"waveform": None}])
def test_what_transformers_cannot_say_is_refused(fields):
    path = tk.Path("anything")
    with pytest.raises(ValueError, match='is saved from a "SpeechEncoderCtc" with "pooling": 1 and "waveform"'):
        SaveCtcModelJob(model=model(**fields), checkpoint=path, inventory=path)


def test_a_whisper_encoder_has_no_ctc_model_in_transformers(run_here, tmp_path):
    whisper = {"model_type": "whisper", "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2}
    literal = model(encoder={**whisper, "encoder_ffn_dim": 16})
    with pytest.raises(ValueError, match="'whisper'.* no CTC model with this encoder, expected HuBERT"):
        SaveCtcModelJob(model=literal, checkpoint=tk.Path("anything"), inventory=tk.Path("anything"))
    ours = build_model({**literal, "num_labels_with_blank": 4})
    save_encoder(ours, str(tmp_path / "encoder"))
    torch.save({"model": ours.state_dict()}, tmp_path / "epoch.pt")
    write_inventory(tmp_path / "inventory.json", LETTERS)
    paths = {"checkpoint": tk.Path(str(tmp_path / "epoch.pt")), "inventory": tk.Path(str(tmp_path / "inventory.json"))}
    with pytest.raises(ValueError, match="/encoder: transformers has no CTC model with this encoder"):
        run_here(SaveCtcModelJob(model=model(encoder=str(tmp_path / "encoder")), **paths))
