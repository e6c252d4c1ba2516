#!/usr/bin/env bash
set -eu
git --git-dir="$SERVER" update-ref refs/heads/main 'refs/heads/main~1'
