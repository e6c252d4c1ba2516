#!/usr/bin/env bash
set -eu
cd "$REPO"
text=$(git rev-parse "HEAD:$FILE")
git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $(git rev-list "$NOTES" | tail -1)"
git push -q origin main
git notes --ref=gitchange/approvals remove "$text"
git push -q origin "$NOTES:refs/heads/only-here"
git notes --ref=gitchange/approvals add -C "$(git rev-parse "$NOTES~1:$text" 2> /dev/null ||
  git rev-parse "$NOTES~1:$(echo "$text" | sed 's#^..#&/#')")" "$text"
git push -q origin "$NOTES"
