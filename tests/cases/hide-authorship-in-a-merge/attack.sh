#!/usr/bin/env bash
set -eu
cd "$REPO"
git switch -q -c side
sed -i 's/Both load balancers/Everything/' "$FILE" && git commit -q -am 'Be precise'
git switch -q main
sed -i 's/Both load balancers/Everything/' "$FILE"
git -c user.name=Bo -c user.email=bo@example.org commit -q -am 'Be precise'
git merge -q --no-ff --no-edit side
sed -i 's/curl from outside/curl/' "$OTHER_FILE"
git -c user.name=Bo -c user.email=bo@example.org commit -q -am 'Shorter

Co-authored-by: Mo <MO@example.org>'
for file in "$FILE" "$OTHER_FILE"; do
  python3 "$CRAFT" "$KEY" "$file" approve > ../line
  git notes --ref=gitchange/approvals add -F ../line "HEAD:$file"
done
git push -q origin "$NOTES" main
