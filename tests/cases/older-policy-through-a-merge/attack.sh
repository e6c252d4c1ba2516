#!/usr/bin/env bash
set -eu
cd "$REPO"
main=$(git rev-parse main)
start=$(git rev-list --first-parent main | tail -1)  # when Mo had a role and a key
start=$(git rev-list --first-parent --reverse main -- "$OTHER_FILE" | head -1)
git switch -q -c side "$start"
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $(git rev-parse "$NOTES")"

git merge -q --no-edit -s ours main
git push -q origin "$NOTES" side:main
echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
