#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$FILE" approve by=ada@example.org > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES"
