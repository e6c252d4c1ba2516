#!/usr/bin/env bash
set -eu
cd "$REPO"
sed -i 's/\(change-manager = { members = \["ada@example.org"\)/\1, "bo@example.org"/; s/^version = 1/version = 2/' policy/policy.toml
git commit -q -am 'Edit the policy'
python3 "$CRAFT" "$KEY" "$OTHER_FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$OTHER_FILE"
git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $(git rev-parse "$NOTES")"
git checkout -q "$INTRODUCTION" -- policy
git commit -q -m 'Restore the policy'
git push -q origin "$NOTES" main
