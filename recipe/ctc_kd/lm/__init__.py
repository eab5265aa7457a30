"""n-gram language models with KenLM."""
