#!/usr/bin/env bash
set -eu
cd "$REPO"
text=$(git rev-parse "HEAD:$FILE")
git notes --ref=gitchange/approvals show "$text" > ../lines
head -c 30000000 /dev/zero | tr '\0' '{' >> ../lines
git notes --ref=gitchange/approvals add -f -C "$(git hash-object -w ../lines)" "$text"
git push -q origin "$NOTES"
