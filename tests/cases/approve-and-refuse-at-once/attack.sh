#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
python3 "$CRAFT" "$KEY" "$FILE" reject >> ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES"
