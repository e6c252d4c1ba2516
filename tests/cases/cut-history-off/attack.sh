#!/usr/bin/env bash
set -eu
cd "$REPO"
git switch -q -c side
echo '# by Mo' >> "$FILE" && git commit -q -am 'Add to it'
git config user.name Bo && git config user.email bo@example.org
echo '# by Bo' >> "$FILE" && git commit -q -am 'Add more to it'
cut=$(git rev-parse HEAD)
git switch -q main && git merge -q --no-ff --no-edit side
git push -q origin main
echo "$cut" > "$SERVER/shallow"
