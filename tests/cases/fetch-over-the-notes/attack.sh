#!/usr/bin/env bash
set -eu
cd "$REPO"
git push -q --force origin "$NOTES~1:$NOTES"
cd "$OLD"  # the victim types:
git fetch -q origin '+refs/notes/*:refs/notes/*'
