"""Corpora: the embedded demo corpus, layout readers, transcripts, the OggZip store."""
