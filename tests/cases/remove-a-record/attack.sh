#!/usr/bin/env bash
set -eu
cd "$REPO"
head -c "$(sed -n 's/^request_bytes = //p' "$FILE")" "$FILE" > ../request
cp ../request "$FILE"
git commit -q -am 'Tidy up'
git push -q origin main
