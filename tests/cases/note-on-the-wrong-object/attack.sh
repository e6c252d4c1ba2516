#!/usr/bin/env bash
set -eu
cd "$REPO"
stranger=$(printf 'what nobody wrote' | git hash-object -w --stdin)
for object in HEAD 'HEAD^{tree}' HEAD:changes "$stranger"; do
  git notes --ref=gitchange/approvals copy "HEAD:$FILE" "$object"
done
git push -q origin "$NOTES"
echo "commit=$(git rev-parse HEAD)" >> "$OUT"
echo "tree=$(git rev-parse 'HEAD^{tree}')" >> "$OUT"
echo "folder=$(git rev-parse HEAD:changes)" >> "$OUT"
echo "stranger=$stranger" >> "$OUT"
