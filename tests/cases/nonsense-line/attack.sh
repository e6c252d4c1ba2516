#!/usr/bin/env bash
set -eu
cd "$REPO"
text=$(git rev-parse "HEAD:$FILE")
git notes --ref=gitchange/approvals show "$text" > ../lines
printf '\033[2J{"payloadType":1}\n\377\376\n' >> ../lines
git notes --ref=gitchange/approvals add -f -C "$(git hash-object -w ../lines)" "$text"
git push -q origin "$NOTES"
