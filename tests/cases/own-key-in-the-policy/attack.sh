#!/usr/bin/env bash
set -eu
cd "$REPO"
echo "ada@example.org namespaces=\"gitchange\" $(cut -d' ' -f1,2 "$KEY.pub")" >> policy/allowed_signers
git commit -q -am 'Add a key'
python3 "$CRAFT" "$KEY" "$FILE" approve by=ada@example.org > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git push -q origin "$NOTES" main
echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
