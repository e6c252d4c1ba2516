#!/usr/bin/env bash
set -eu
cd "$REPO"
sed 's/It expires/It rots/' "$FILE" > ../other
git replace "HEAD:$FILE" "$(git hash-object -w ../other)"
git replace "$NOTES" "$NOTES~1"
git push -q origin 'refs/replace/*:refs/replace/*'
