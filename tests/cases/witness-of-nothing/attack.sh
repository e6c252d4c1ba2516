#!/usr/bin/env bash
set -eu
cd "$REPO"
for named in 1111111111111111111111111111111111111111 "$(git rev-parse HEAD)" "$(git rev-parse 'HEAD^{tree}')" \
  "$(git commit-tree "$NOTES^{tree}" -m 'Notes added')"; do
  git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $named"
  echo "culprit${n:=1}=$(git rev-parse --short=12 HEAD)" >> "$OUT"; n=$((n + 1))
done
git push -q origin main
