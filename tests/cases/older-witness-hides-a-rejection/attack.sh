#!/usr/bin/env bash
set -eu
cd "$REPO"
first=$(git rev-list "$NOTES" | tail -1)
git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $first"
git push -q origin main
