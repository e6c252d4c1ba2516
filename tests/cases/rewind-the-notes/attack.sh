#!/usr/bin/env bash
set -eu
cd "$REPO"
git push -q --force origin "$NOTES~1:$NOTES"
