#!/usr/bin/env bash
set -eu
git --git-dir="$SERVER" update-ref -d "$NOTES"
