"""Phoneme inventory, pronunciation lexicon, grapheme-to-phoneme models, label sequences."""
