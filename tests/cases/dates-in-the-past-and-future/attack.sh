#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 "$CRAFT" "$KEY" "$FILE" approve time=2019-01-01T00:00:00Z > ../line
git notes --ref=gitchange/approvals add -F ../line "HEAD:$FILE"
for date in 2019-01-01T00:00:00Z 2090-01-01T00:00:00Z 2019-01-01T00:00:00Z; do
  GIT_COMMITTER_DATE=$date GIT_AUTHOR_DATE=$date git commit -q --allow-empty -m "Seal the sign-offs

Approvals: $(git rev-parse "$NOTES")"
  test "$date" = 2019-01-01T00:00:00Z || echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
done
git push -q origin "$NOTES" main
