#!/usr/bin/env bash
set -eu
cd "$REPO"
git push -q origin "$NOTES~1:refs/notes/gitchange/approvals2" "$NOTES~1:refs/heads/notes/gitchange/approvals" \
  "$NOTES~1:refs/tags/notes/gitchange/approvals"
