#!/usr/bin/env bash
set -eu
cd "$REPO"
cat > .gitattributes <<'EOF'
* ident eol=crlf filter=evil diff=evil merge=evil
*.toml working-tree-encoding=UTF-16 text -diff export-ignore
EOF
git add .gitattributes && git commit -q -m 'Attributes'
git push -q origin main
