#!/usr/bin/env bash
set -eu
cd "$REPO"
git branch old "$(git rev-list --first-parent --reverse main -- "$OTHER_FILE" | head -1)"
git switch -q -c feature
sed -i 's/^main = "main"/main = "old"/' policy/policy.toml
git commit -q -am 'A new feature'
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" old feature
