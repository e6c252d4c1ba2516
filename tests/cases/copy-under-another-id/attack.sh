#!/usr/bin/env bash
set -eu
cd "$REPO"
copy=${CHANGE%????}ZZZZ
sed "s/$CHANGE/$copy/" "$FILE" > "$(dirname "$FILE")/$copy.toml"
cp "$FILE" "$(dirname "$FILE")/${CHANGE%????}YYYY.toml"
git add -A && git commit -q -m 'Another request' && git push -q origin main
git notes --ref=gitchange/approvals copy "HEAD:$FILE" "HEAD:$(dirname "$FILE")/$copy.toml"
git push -q origin "$NOTES"
