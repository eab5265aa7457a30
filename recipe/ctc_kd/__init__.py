"""Knowledge distillation of CTC models with blank selection (arXiv 2506.01503)."""
