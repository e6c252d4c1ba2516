#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$OTHER_FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
git push -q origin "$NOTES"
