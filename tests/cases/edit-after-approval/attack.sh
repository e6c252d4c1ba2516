#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/Both load balancers/Everything/' "$FILE"
git commit -q -am 'Fix a typo'
git push -q origin main
