#!/usr/bin/env bash
set -eu
cd "$REPO"
git switch -q --orphan beginning
git checkout -q main -- .
sed -i 's/ada@example.org", "mo@example.org/mallory@example.org/; s/^threshold = 2/threshold = 1/' policy/policy.toml
echo "mallory@example.org namespaces=\"gitchange\" $(cut -d' ' -f1,2 "$KEY.pub")" >> policy/allowed_signers
git add -A && git commit -q -m 'Begin'
git merge -q --no-edit --allow-unrelated-histories -s ours main
python3 "$CRAFT" "$KEY" "$FILE" approve > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" beginning:main
