#!/usr/bin/env bash
set -eu
cd "$REPO"
git notes --ref=gitchange/approvals show "HEAD:$FILE" > ../line

sed -i 's/Both load balancers/Everything/' "$FILE"
git commit -q -am 'Fix a typo'
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin main "$NOTES"
