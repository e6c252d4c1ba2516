#!/usr/bin/env bash
set -eu
cd "$REPO"
first=$(git rev-list "$NOTES" | tail -1)
nowhere=2222222222222222222222222222222222222222
git commit -q --allow-empty -m "Approvals: of the week

Approvals: $nowhere

Approvals: main
Approvals: $first
Signed-off-by: Mallory <mallory@example.org>"
git commit -q --allow-empty -m "Words

Approvals: $nowhere
Approvals: $first
Approvals: HEAD"
git commit -q --allow-empty -m "Approvals: $nowhere

and some more words"
git push -q origin main
