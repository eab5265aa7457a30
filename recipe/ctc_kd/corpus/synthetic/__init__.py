"""The embedded demo corpus: sentences, voices, rooms, and eSpeak NG, which speaks them."""
