#!/usr/bin/env bash
set -eu
cd "$REPO"
git checkout -q "$INTRODUCTION" -- policy
git commit -q -m 'Restore the policy'
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" main
echo "culprit=$(git rev-parse --short=12 main)" >> "$OUT"
