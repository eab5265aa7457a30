"""Students that leave the work folder: their folders for recognition, and the model cards."""
