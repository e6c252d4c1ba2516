"""What GitLab and GitHub say: merge requests, the messages of commits, CI. Pure text, no network."""
