#!/usr/bin/env bash
set -eu
cd "$REPO"
for encoding in nonsense UTF-16 UTF-7; do
  printf 'Stra\377e' | git -c i18n.commitEncoding=$encoding commit -q --allow-empty -F -
done
git push -q origin main
