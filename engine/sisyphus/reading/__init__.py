"""What the files of a job say, for the terminal and the status page. Nothing is renamed, marked or written."""
