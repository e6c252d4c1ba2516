#!/usr/bin/env bash
set -eu
cd "$REPO"
git tag main "$(git rev-list --first-parent --reverse refs/heads/main -- "$OTHER_FILE" | head -1)"
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "refs/heads/main:$FILE"
git push -q origin "$NOTES" refs/tags/main
