"""Corpora: downloads, layout readers, transcripts, audio archives, and the embedded demo corpus."""
