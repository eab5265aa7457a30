"""Flashlight lexicon search on stored posteriors, and the tuning of its scales."""
