#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/^requester = .*/requester = "ada@example.org"/' "$OTHER_FILE"
git commit -q -am 'Request'
python3 "$CRAFT" "$KEYS/ada2" "$OTHER_FILE" approve by=ada@example.org > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
git push -q origin "$NOTES" main
