#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/Both load balancers/Everything/' "$FILE"
git commit -q -am 'Be precise'
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" main
