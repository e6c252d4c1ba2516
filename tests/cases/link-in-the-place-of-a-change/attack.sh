#!/usr/bin/env bash
set -eu
cd "$REPO"
target=$(printf /etc/passwd | git hash-object -w --stdin)
git update-index --add --cacheinfo "120000,$target,changes/2026/11/CHG-20261122-ZZZZ.toml" \
  --cacheinfo "160000,$(git rev-parse HEAD),changes/2026/11/CHG-20261122-YYYY.toml"
git commit -q -m 'Requests'
git push -q origin main
