#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/^requester = .*/requester = "ada@example.org"/' "$OTHER_FILE"
git -c user.name=Bo -c user.email=bo@example.org commit -q -am 'Request'
python3 "$CRAFT" "$KEY" "$OTHER_FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
git push -q origin "$NOTES" main
