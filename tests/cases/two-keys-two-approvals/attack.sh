#!/usr/bin/env bash
set -eu
cd "$REPO"
git switch -q -c proposal
sed -i 's/threshold = 2/threshold = 1/; s/^version = 1/version = 2/' policy/policy.toml
git commit -q -am 'Simplify'
gitchange policy approve proposal --yes --no-push
git config user.signingkey "$KEYS/ada2"
gitchange policy approve proposal --yes --no-push
mkdir policy-approvals
git notes --ref=gitchange/approvals show HEAD:policy > policy-approvals/2.jsonl
test "$(grep -c payload policy-approvals/2.jsonl)" = 2
git add -A && git commit -q -m 'Adopt policy version 2'
git push -q origin "$NOTES" proposal:main
