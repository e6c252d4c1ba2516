#!/usr/bin/env bash
set -eu
cd "$REPO"
for size in -1 0 99999999999999999999; do
  sed -i "s/^request_bytes = .*/request_bytes = $size/" "$FILE"
  git commit -q -am "size $size"
done
git push -q origin main
