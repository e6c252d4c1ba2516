#!/usr/bin/env bash
set -eu
cd "$REPO"
folder=$(dirname "$FILE")
cp "$FILE" "$folder/$(printf %s "$CHANGE" | tr A-Z a-z).toml"
cp "$FILE" "$folder/$CHANGE.toml "
cp "$FILE" "$folder/$(printf %s "$CHANGE" | sed 's/^C/С/').toml"  # a Cyrillic letter
mkdir -p changes/2026/1 && cp "$FILE" "changes/2026/1/$CHANGE.toml"
git -c core.protectNTFS=false add -A && git commit -q -m 'Requests'
git push -q origin main
