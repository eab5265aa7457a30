"""Pre-trains the demo's teacher encoder on 12 hours of synthetic speech: half an hour on two cores.

    sis manager -r config/demo_teacher.py

Its result is committed in recipe/ctc_kd/data/demo_teacher, so that the demo can start from a pre-trained model as the
paper does. The encoder has not heard the voices and sentences of the demo's train, dev and test,
but it was trained on the synthesiser's own phonemes, frame by frame.
"""

from ctc_kd.corpus.synthetic.acoustics import Acoustics
from ctc_kd.experiments.requests import register_outputs
from ctc_kd.pretraining.encoder import PretrainEncoderJob
from ctc_kd.pretraining.speech import SynthesisePretrainingSpeechJob

ENCODER = {
    "model_type": "hubert",
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 768,
    "conv_dim": [48, 96, 160, 192],
    "conv_kernel": [20, 8, 8, 4],
    "conv_stride": [10, 4, 4, 2],
    "conv_bias": True,
    "num_feat_extract_layers": 4,
    "feat_extract_norm": "layer",
    "feat_extract_activation": "relu",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 64,
    "num_conv_pos_embedding_groups": 16,
    "hidden_dropout": 0.05,
    "activation_dropout": 0.0,
    "attention_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "layerdrop": 0.0,
    "mask_time_prob": 0.2,
    "mask_time_length": 10,
}


def py():
    speech = SynthesisePretrainingSpeechJob(hours=12, shards=12, acoustics=Acoustics()).out_speech
    teacher = PretrainEncoderJob(speech=speech, encoder=ENCODER, passes=3, batch_windows=4, learning_rate=1e-3)
    register_outputs({"demo_teacher/encoder": teacher.out_encoder, "demo_teacher/curve.json": teacher.out_curve})
