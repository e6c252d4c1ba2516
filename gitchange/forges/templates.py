"""The template of a merge request's description: filled in, `gitchange import merge-request` misses nothing in it."""

from __future__ import annotations

from typing import Literal

from gitchange.forges.parts import headings_of
from gitchange.model.change import IMPACTS, LIKELIHOODS

Forge = Literal["gitlab", "github"]

PATHS: dict[Forge, str] = {
    "gitlab": ".gitlab/merge_request_templates/Change.md",
    "github": ".github/pull_request_template.md",
}
"""Where each forge looks for it, in the repository whose merge requests it is for."""

TEMPLATE = f"""\
<!--
The title above is the title of the change. `gitchange import merge-request` reads what stands below these headings and
makes a request of it; comments like this one are not read. What does not apply is said in a sentence, too.
-->

## {headings_of("reason")[0]}

<!-- Why is it needed? -->

## {headings_of("scope")[0]}

<!-- What is changed, and what is not? -->

## {headings_of("steps")[0]}

<!-- What is done, in order? A line `Verify: ...` within a step tells how one sees that it worked. -->

1.

## Risks and mitigations

<!--
One row for each: what may go wrong, and what is done against it (several things with <br> between them).
Category: availability, security, privacy, or a word of yours.
Likelihood: {", ".join(LIKELIHOODS)}.
Impact: {", ".join(IMPACTS)}.
-->

| Risk | Category | Likelihood | Impact | Mitigation |
|------|----------|------------|--------|------------|
|      |          |            |        |            |

## {headings_of("rollback")[0]}

<!-- How is it undone when it goes wrong? -->

## {headings_of("test_plan")[0]}

<!-- How will one know that it works? -->

## Security and privacy

### {headings_of("security_impact")[0]}

<!-- What does it mean for security? -->

### {headings_of("privacy_impact")[0]}

<!-- What does it mean for customers' data? -->
"""

NEXT: dict[Forge, tuple[str, ...]] = {
    "gitlab": (
        "commit it on the default branch: GitLab offers it as `Change` from then on",
        "to have it in every merge request: Settings > Merge requests > Default description template",
    ),
    "github": ("commit it on the default branch: GitHub begins every pull request with it from then on",),
}
"""What is to be done with it."""
