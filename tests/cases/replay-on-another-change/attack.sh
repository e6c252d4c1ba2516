#!/usr/bin/env bash
set -eu
cd "$REPO"
git notes --ref=gitchange/approvals show "HEAD:$FILE" > ../line

git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
git push -q origin "$NOTES"
