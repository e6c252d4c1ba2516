#!/usr/bin/env bash
set -eu
cd "$REPO"
git rm -q "$FILE"
git commit -q -m 'Tidy up'
git push -q origin main
echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
