#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$FILE" implement > ../line
python3 "$CRAFT" "$KEYS/ada" "$FILE" approve >> ../line  # Ada is asked, and approves
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES"
