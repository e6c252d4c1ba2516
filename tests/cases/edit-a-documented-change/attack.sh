#!/usr/bin/env bash
set -eu
cd "$REPO"
python3 - "$FILE" <<'EOF'
import hashlib, re, sys
raw = open(sys.argv[1], "rb").read()
size = int(re.search(rb"request_bytes = (\d+)", raw)[1])
request, record = raw[:size].replace(b"Both load balancers", b"Everything"), raw[size:]
record = re.sub(rb"request_bytes = \d+", b"request_bytes = %d" % len(request), record)
blob = hashlib.sha1(b"blob %d\0" % len(request) + request).hexdigest().encode()
record = re.sub(rb'request_blob = "\w+"', b'request_blob = "%b"' % blob, record)
digest = hashlib.sha256(request).hexdigest().encode()
record = re.sub(rb'request_sha256 = "\w+"', b'request_sha256 = "%b"' % digest, record)
open(sys.argv[1], "wb").write(request + record)
EOF
size=$(sed -n 's/^request_bytes = //p' "$FILE")
head -c "$size" "$FILE" | sha256sum | grep -q "^$(sed -n 's/^request_sha256 = "\(.*\)"/\1/p' "$FILE")"
git commit -q -am 'Fix a typo'
git push -q origin main
echo "culprit=$(git rev-parse --short=12 HEAD)" >> "$OUT"
