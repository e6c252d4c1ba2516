#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$FILE" approve time=2020-01-01T00:00:00Z log= policy="$(git rev-parse "$INTRODUCTION:policy")" > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
export GIT_COMMITTER_DATE=2020-01-01T00:00:00Z GIT_AUTHOR_DATE=2020-01-01T00:00:00Z
git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $(git rev-parse "$NOTES")"
git push -q origin "$NOTES" main
