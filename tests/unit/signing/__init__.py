"""The room that signs and verifies, held against the real ssh-keygen."""
