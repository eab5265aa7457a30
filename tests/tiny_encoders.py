"""Fields of pre-trained encoders that are made anew in a moment."""

CONVOLUTIONAL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 3,
    "conv_kernel": [10, 8, 4],
    "conv_stride": [10, 8, 4],
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
}
"""HuBERT and its relatives; with a group norm over time, as "base" has it."""

STABLE = {**CONVOLUTIONAL, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
"""As "large" has it: padding does not change the logits."""
