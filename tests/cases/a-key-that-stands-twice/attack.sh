#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/^reason = .*/&\nreason = "Another reason."/' "$FILE"
git commit -q -am 'More reasons'
git push -q origin main
