#!/usr/bin/env bash
set -eu
cd "$REPO"
echo "gone=$(git rev-parse --short=12 main)" >> "$OUT"
git reset -q --soft "$INTRODUCTION"
git rm -q -f "$FILE"
git commit -q -m 'Squashed'
git push -q --force origin main
cd "$OLD"  # a victim follows:
git fetch -q origin
git reset -q --hard origin/main
