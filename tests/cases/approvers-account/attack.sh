#!/usr/bin/env bash
set -eu
cd "$REPO"
git config user.name Ada && git config user.email ada@example.org
python3 "$CRAFT" "$KEY" "$FILE" approve by=ada@example.org > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
git commit -q --allow-empty -m "Approve $CHANGE

Approved-by: Ada <ada@example.org>
Approvals: $(git rev-parse "$NOTES")"
git push -q origin "$NOTES" main
