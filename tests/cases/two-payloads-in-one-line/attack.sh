#!/usr/bin/env bash
set -eu
cd "$REPO"
text=$(git rev-parse "HEAD:$FILE")
git notes --ref=gitchange/approvals show "$text" > ../lines
python3 - ../lines > ../double <<'EOF'
import base64, json, sys
line = open(sys.argv[1]).read().strip()
payload = json.loads(line)["payload"]
another = base64.b64encode(base64.b64decode(payload).replace(b"go ahead", b"by all means")).decode()
print(line.replace('"payload":', '"payload":"%s","payload":' % another, 1))
EOF
cat ../double >> ../lines
git notes --ref=gitchange/approvals add -f -F ../lines "$text"
git push -q origin "$NOTES"
