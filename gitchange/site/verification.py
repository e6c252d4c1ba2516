"""The commands that verify a sign-off by hand, with stock tools and without gitchange.

git, ssh-keygen (gpg for a sign-off with OpenPGP) and what every Unix has (sed, base64, fold, sha256sum) are enough.
The script is pasted into a shell inside a clone; it changes nothing there, and nothing in the reader's own keyring.
It proves what `gitchange.ledger.signoffs` decides: the envelope is the one that the site shows, its signature is by
a key that the policy gives to that person, and its statement is about exactly this text. Whether it counts is for
the policy to say.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from shlex import quote
from typing import Any

from gitchange.model.policy import CERTIFICATES, OPENPGP, SIGNERS_FILE
from gitchange.model.statement import NAMESPACE
from gitchange.signing.openpgp import PREFIX as _OPENPGP_KEY

_NOTES = "gitchange/approvals"

_FROM_NOTES = """\
# 1. The envelope: the line of the note on the signed text that has this SHA-256.
git rev-parse --quiet --verify refs/notes/{notes} > /dev/null ||
  git fetch --quiet origin refs/notes/{notes}:refs/notes/{notes}
git notes --ref={notes} show {blob} > "$dir/lines"
git cat-file blob {blob} > "$dir/text\""""

_FROM_RECORD = """\
# 1. The envelope: the one in the record, on main, that has this SHA-256; the text is what precedes the record.
git show {file} > "$dir/file"
sed -n "s/^envelope = '\\(.*\\)'\\$/\\1/p" "$dir/file" > "$dir/lines"
head -c {size} "$dir/file" > "$dir/text\""""

_SCRIPT = """\
( set -eu; dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
{source}
while IFS= read -r line; do
  if [ "$(printf %s "$line" | sha256sum | cut -d ' ' -f 1)" = {digest} ]; then printf '%s\\n' "$line"; fi
done < "$dir/lines" > "$dir/envelope"
test -s "$dir/envelope" || {{ echo 'The envelope is not there.' >&2; exit 1; }}
# 2. What was signed: the DSSE pre-authentication encoding of the payload; and the signature.
sed 's/.*"payload":"\\([^"]*\\)".*/\\1/' "$dir/envelope" | base64 -d > "$dir/payload"
type=$(sed 's/.*"payloadType":"\\([^"]*\\)".*/\\1/' "$dir/envelope")
{{ printf 'DSSEv1 %d %s %d ' "${{#type}}" "$type" "$(wc -c < "$dir/payload")"; cat "$dir/payload"; }} > "$dir/signed"
{signature}
# 4. The statement names exactly this text: its Git id and its SHA-256.
grep -qE "\\"gitBlob\\": *\\"$(git hash-object --no-filters "$dir/text")\\"" "$dir/payload"
grep -qE "\\"sha256\\": *\\"$(sha256sum < "$dir/text" | cut -d ' ' -f 1)\\"" "$dir/payload"
echo 'The statement is about this text. It says:'
cat "$dir/payload"; echo )"""

_SSH = """\
{{ echo '-----BEGIN SSH SIGNATURE-----'
  sed 's/.*"sig":"\\([^"]*\\)".*/\\1/' "$dir/envelope" | fold -w 70
  echo '-----END SSH SIGNATURE-----'; }} > "$dir/signature"
# 3. The signature is good, and the policy gives the key to this person.
git show {signers} > "$dir/allowed_signers"
ssh-keygen -Y verify -f "$dir/allowed_signers" -I {by} -n {namespace}{moment} -s "$dir/signature" < "$dir/signed\""""

# gpg ends with 0 for an expired or revoked key too; GOODSIG stands for neither of them, VALIDSIG names the key.
_OPENPGP = """\
sed 's/.*"sig":"\\([^"]*\\)".*/\\1/' "$dir/envelope" | base64 -d > "$dir/signature"
# 3. The signature is good, by a key of the certificates that the policy has for this person; in a keyring of its own.
mkdir -m 700 "$dir/gnupg"
git show {certificates} > "$dir/certificates"
gpg --homedir "$dir/gnupg" --batch --quiet --no-autostart --import "$dir/certificates" 2> "$dir/said" || {{
  cat "$dir/said" >&2; exit 1; }}
gpg --homedir "$dir/gnupg" --batch --no-autostart --trust-model always{moment} --status-fd 1 \\
  --verify "$dir/signature" "$dir/signed" > "$dir/status" 2> "$dir/said" || {{ cat "$dir/said" >&2; exit 1; }}
grep -q '^\\[GNUPG:\\] GOODSIG ' "$dir/status" || {{ cat "$dir/said" >&2; exit 1; }}
grep -q '^\\[GNUPG:\\] VALIDSIG {key} ' "$dir/status" || {{ echo 'Another key signed.' >&2; exit 1; }}
echo 'Good OpenPGP signature by the key {key}.\'"""


def recorded(shape: Mapping[str, Any]) -> frozenset[str]:
    """SHA-256 of every envelope in the record of a change."""
    record = (shape["document"] or {}).get("record") or {"sign_offs": ()}
    return frozenset(hashlib.sha256(entry["envelope"].encode()).hexdigest() for entry in record["sign_offs"])


def verify_commands(
    shape: Mapping[str, Any], sign_off: Mapping[str, Any], in_record: frozenset[str] | None = None
) -> str:
    """A bash script that verifies the sign-off in a clone; it ends with 0 only when everything holds.

    `shape` is the change, `sign_off` one of its sign-offs (docs/json.md), `in_record` what `recorded` says.
    One that stands in the change's record is taken from there, so that a clone without notes is enough; any other one
    from the notes, which are fetched from `origin` where there are none. Whatever comes from a document is quoted.
    """
    record = (shape["document"] or {}).get("record")
    newest = next((version for version in shape["history"] if version["blob"]), None)
    if record is not None and sign_off["envelope"] in (recorded(shape) if in_record is None else in_record):
        file = quote(f"{newest['commit'] if newest else 'HEAD'}:{shape['path']}")
        source = _FROM_RECORD.format(file=file, size=record["request_bytes"])
    else:
        source = _FROM_NOTES.format(notes=_NOTES, blob=quote(sign_off["blob"]))
    policy = shape["policy"]["tree"] if shape["policy"] else sign_off["policy"]
    # What a commit witnessed is judged at that commit's moment: a key may have run out since.
    documented = (v["time"] for v in shape["history"] if v["kind"] == "documented")
    judged = sign_off["judged_at"] or (next(documented, None) if record else None)
    moment = dt.datetime.fromisoformat(judged).astimezone(dt.UTC) if judged else None
    if sign_off["key"].startswith(_OPENPGP_KEY):
        signature = _OPENPGP.format(
            certificates=quote(f"{policy}:{OPENPGP}{sign_off['by']}{CERTIFICATES}"),
            moment=f" --faked-system-time {moment:%Y%m%dT%H%M%S}!" if moment else "",
            key=sign_off["key"].removeprefix(_OPENPGP_KEY).upper(),
        )
    else:
        signature = _SSH.format(
            signers=quote(f"{policy}:{SIGNERS_FILE}"),
            by=quote(sign_off["by"]),
            namespace=quote(NAMESPACE),
            moment=f" -O verify-time={moment:%Y%m%d%H%M%SZ}" if moment else "",
        )
    return _SCRIPT.format(source=source, digest=sign_off["envelope"], signature=signature)


def digest_commands(shape: Mapping[str, Any]) -> str:
    """Commands that name the text which the sign-offs are about, in a checkout."""
    if shape["blob"] is None:
        return ""
    record, path = (shape["document"] or {}).get("record"), quote(shape["path"])
    if record is not None:
        return (
            f"head -c {record['request_bytes']} {path} | sha256sum\n# {shape['sha256']}\n"
            f"head -c {record['request_bytes']} {path} | git hash-object --stdin\n# {shape['blob']}"
        )
    return f"sha256sum < {path}\n# {shape['sha256']}\ngit hash-object --no-filters {path}\n# {shape['blob']}"
