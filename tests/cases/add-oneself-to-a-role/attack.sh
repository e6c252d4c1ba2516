#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$OTHER_FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
sed -i 's/\(change-manager = { members = \["ada@example.org"\)/\1, "bo@example.org"/; s/^version = 1/version = 2/' policy/policy.toml
git commit -q -am "Tidy up

Approvals: $(git rev-parse "$NOTES")"
git push -q origin "$NOTES" main
echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
