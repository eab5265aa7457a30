"""What every process of the engine needs, and what knows nothing of jobs."""
