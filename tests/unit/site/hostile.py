"""A repository in which everything that people can write tries to get out of its place."""

from __future__ import annotations

from gitchange.assessment.overview import Overview
from gitchange.model.policy import Policy, load_policy
from gitchange.values import replace
from tests.unit.site.builder import (
    ADA,
    NOW,
    POLICY_FILES,
    Case,
    example_change,
    overview_of,
    unreadable,
    version,
)

HOSTILE = '"><script>alert(1)</script></title><img src=x onerror=alert(1)>'
"""For what stands in one line: titles, names, categories."""

BIDI = "pay \u202e001\u202c now\u2066"
"""Characters that would show a text in another order than it is read."""

TEXT = f"""{HOSTILE}

</script></style></textarea></title></pre></code></main></body></html>]]>--><![CDATA[<script>alert(2)</script>]]>

[press](javascript:alert(3)) [press](JaVaScRiPt&colon;alert(3)) [press](data:text/html,<script>alert(4)</script>)
[press](vbscript:msgbox) <javascript:alert(5)> ![look](javascript:alert(6)) ![look](https://evil.example/pixel.png)

<svg onload=alert(7)><style>@import "https://evil.example/x.css"; * {{ display: none }}</style>
<iframe src="https://evil.example/"></iframe><meta http-equiv="refresh" content="0; url=https://evil.example/">
<base href="https://evil.example/"><link rel="stylesheet" href="https://evil.example/x.css"><form action=//evil.example>

{{{{ 7 + 7 }}}} {{% raw %}} {{{{ site.briefs }}}} {{# gone #}} ${{7+7}} <%= 7+7 %> &lt;b&gt; &#60;b&#62; {BIDI}

| <script>alert(8)</script> | </table> |
|---|---|
| `</code><script>alert(9)</script>` | [x](https://example.org/"onmouseover="alert(10)) |

```"><script>alert(11)</script>
</code></pre><script>alert(12)</script>
```

[evil]: javascript:alert(13)

[evil] <a href="javascript:alert(14)" onclick="alert(15)">press</a> <details open ontoggle=alert(16)>
"""
"""For what is Markdown."""

LONG = "x" * 1_000_000
"""One line of a megabyte, without a place to break it: more than a text may have, so the file cannot be read."""

READABLE = "Rename the gateway"
"""The title of the one change in whose title nobody has tried anything."""


def hostile_policy() -> Policy:
    """A policy in whose names and sentences somebody has tried it too."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    files = dict(POLICY_FILES)
    for name, old in (
        ("policy.toml", '"Only **one** change manager until the second is hired."'),
        ("policy.toml", '"Every minute *counts*."'),
        ("policy.toml", '"sales week"'),
        ("policy.toml", '"Number in the old ticket system"'),
        ("policy.toml", '"every change"'),
        ("systems.toml", '"Public API"'),
        ("systems.toml", '"What customers *call*."'),
        ("models/certificate.toml", '"Renew a certificate"'),
        ("models/certificate.toml", '"The same steps every time."'),
    ):
        assert old in files[name], old
        files[name] = files[name].replace(old, quoted(HOSTILE))
    policy, findings = load_policy({name: text.encode() for name, text in files.items()}, "7" * 40)
    assert policy is not None, findings
    return policy


def hostile_overview() -> Overview:
    """Change files, sign-offs, commits, file names, a policy and the site's title."""
    policy = hostile_policy()
    texts = dict.fromkeys(
        ("reason", "scope", "rollback", "test_plan", "security_impact", "privacy_impact", "communication"),
        TEXT,
    )
    window = {"start": NOW, "end": NOW.replace(hour=23)}
    data = example_change(
        1, title=HOSTILE, custom={HOSTILE: HOSTILE, "</dl>": BIDI}, schedule=window, **texts
    )
    data["steps"] = [{"action": TEXT, "verify": TEXT}]
    data["risks"][0] |= {"description": TEXT, "category": HOSTILE, "mitigations": [TEXT]}
    data["links"] = {"issues": ["https://example.org/" + HOSTILE]}
    data["outage"] = {"description": TEXT, "minutes": 1}
    case = Case(data, policy=policy).approve(comment=TEXT).implement().validate()
    assessment = case.assess(outcome="successful")
    subject = version("edited", NOW, "d" * 40, f"{HOSTILE}\x1b[31m\udcff")
    emergency = {"incident": HOSTILE, "justification": TEXT}
    long = example_change(
        2,
        title=READABLE,
        scope=LONG[:200_000],
        reason=f"{LONG[:5_000]} {TEXT}",
        schedule=window,
        emergency=emergency,
    )
    return overview_of(
        replace(assessment, history=(subject, *assessment.history)),
        Case({**long, "type": "emergency"}, policy=policy)
        .sign("evaluation", "reject", ADA, "change-manager", comment=LONG[:50_000])
        .assess(),
        Case(example_change(3, title=f"שלום {'y' * 150}"), policy=policy).assess(),
        unreadable(
            f'changes/<img src=x onerror="alert(1)">{BIDI}.toml', (HOSTILE + BIDI).encode() + b"\xff\0"
        ),
        unreadable(raw=f"title = {LONG}".encode()),
        title=HOSTILE,
        policy=policy,
    )
