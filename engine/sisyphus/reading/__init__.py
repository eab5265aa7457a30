"""What the files of a job tell of it, for the terminal and the status page; nothing is renamed, marked or written."""
