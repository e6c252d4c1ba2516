"""An adversary's tool: a sign-off by any key that one has, saying whatever one likes.

    craft.py KEY FILE VERDICT [NAME=VALUE ...] > line

KEY is a private key, FILE a change file of the repository in the working folder. NAME is a key of the
predicate, or `path`, `blob`, `sha256` of the subject. Standard library, git and ssh-keygen only: the
format is public, and nothing in it depends on gitchange making it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys

STEPS = {
    "approve": (
        "evaluation",
        "change-manager",
        "I have evaluated this text and judge the change necessary, feasible and safe. I approve it.",
        {"necessary": True, "feasible": True, "safe": True},
    ),
    "reject": (
        "evaluation",
        "change-manager",
        "I have evaluated this text and do not want the change to be made. I reject it.",
        {},
    ),
    "implement": (
        "implementation",
        "developer",
        "I have implemented this text as my answers say, and tested it with these results.",
        {"steps_followed": True, "tests": [{"name": "suite", "result": "passed"}]},
    ),
}


def git(*arguments: str) -> str:
    """Stock git's answer."""
    return subprocess.run(["git", *arguments], capture_output=True, check=True, text=True).stdout.strip()


def main(key: str, file: str, verdict: str, *given: str) -> None:
    """Write the statement, have ssh-keygen sign it, print the line."""
    with open(file, "rb") as stream:
        raw = stream.read()
    step, role, meaning, answers = STEPS[verdict]
    subject = {
        "path": file,
        "blob": git("hash-object", "--no-filters", file),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    said = {
        "change": file.rpartition("/")[2].removesuffix(".toml"),
        "step": step,
        "verdict": verdict,
        "by": os.path.basename(key) + "@example.org",
        "role": role,
        "meaning": meaning,
        "answers": answers,
        "comment": "crafted",
        "repository": os.environ["INTRODUCTION"],
        "policy": git("rev-parse", "HEAD:policy"),
        "log": git("for-each-ref", "--format=%(objectname)", "refs/notes/gitchange/approvals") or None,
        "time": "2026-01-01T00:00:00Z",
    }
    for pair in given:
        name, _, value = pair.partition("=")
        (subject if name in subject else said)[name] = value or None
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {
                "name": subject["path"],
                "digest": {"gitBlob": subject["blob"], "sha256": subject["sha256"]},
            }
        ],
        "predicateType": "urn:x-gitchange:sign-off:v1",
        "predicate": said,
    }
    payload = json.dumps(statement, separators=(",", ":")).encode()
    kind = "application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "gitchange", "-f", key]
    armor = subprocess.run(command, input=signed, capture_output=True, check=True).stdout.decode()
    listed = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, check=True, text=True)
    envelope = {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": listed.stdout.split()[1], "sig": "".join(armor.splitlines()[1:-1])}],
    }
    print(json.dumps(envelope, separators=(",", ":")))


if __name__ == "__main__":
    main(*sys.argv[1:])
