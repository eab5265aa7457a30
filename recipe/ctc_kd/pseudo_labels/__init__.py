"""Labels that a large model gives to untranscribed speech, and which of them to trust (K2D, arXiv 2407.10603)."""
