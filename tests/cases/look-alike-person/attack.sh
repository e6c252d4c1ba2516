#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/^requester = .*/requester = "bо@example.org"/' "$FILE"
git config user.name Bo && git config user.email 'bо@example.org'
git commit -q -am 'Request'
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" main
