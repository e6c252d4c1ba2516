"""The gate in a pipeline: a hidden job of GitLab to extend, and a composite action of GitHub.

Both run the same lines, which take everything from the environment: nothing that somebody else may choose, as a
branch's name or an input, becomes a part of a script. docs/coverage.md shows the texts as they stand here.
"""

from __future__ import annotations

from gitchange import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.forges.templates import Forge

PATHS: dict[Forge, str] = {
    "gitlab": ".gitlab/change-gate.yml",
    "github": ".github/actions/change-gate/action.yml",
}
"""Where each of them goes, in an application's repository."""

INSTALL = 'pip install --quiet -- "$CHANGES_PROGRAM"'

ASK = """\
: "${CHANGES_REPOSITORY:?the address of the configuration repository is not set}"
: "${CHANGES_INTRODUCTION:?the id of its introduction commit is not set}"
: "${CHANGES_SYSTEM:?the system that is deployed is not named}"
changes=$(mktemp -d)
git clone --quiet -- "$CHANGES_REPOSITORY" "$changes"
git -C "$changes" fetch --quiet origin "+refs/notes/gitchange/*:refs/notes/gitchange/*"
set -- --repo . --commit "$CHANGES_COMMIT" --system "$CHANGES_SYSTEM"
[ -z "$CHANGES_ENVIRONMENT" ] || set -- "$@" --environment "$CHANGES_ENVIRONMENT"
[ "$CHANGES_RECORD" != true ] || set -- "$@" --record
while IFS= read -r word; do
  [ -z "$word" ] || set -- "$@" "$word"
done <<END
$CHANGES_ARGUMENTS
END
gitchange -C "$changes" --introduction "$CHANGES_INTRODUCTION" gate "$@"
"""
"""The lines for a shell of POSIX that ends at the first command that fails, in a clone of the application."""


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


_GITLAB = f"""\
# A job that extends `.change-gate` deploys only what approved changes cover. In .gitlab-ci.yml:
#
#   include:
#     - local: {PATHS["gitlab"]}
#
# CHANGES_REPOSITORY and CHANGES_INTRODUCTION are protected variables of the project or its group, not of this file.
.change-gate:
  image: python:3.12
  # One deployment at a time: two pipelines cannot pass the gate with each other's commits missing.
  resource_group: $CHANGES_SYSTEM-$CHANGES_ENVIRONMENT
  environment: $CHANGES_ENVIRONMENT
  variables:
    GIT_DEPTH: "0" # all commits since the last deployment are looked at, and its tag
    CHANGES_COMMIT: $CI_COMMIT_SHA
    CHANGES_RECORD: "false" # true keeps the decision as signed evidence
    CHANGES_ARGUMENTS: "" # further arguments of `gitchange gate`, one a line
    CHANGES_PROGRAM: gitchange=={__version__}
  before_script:
    - {INSTALL}
    - |
{_indented(ASK, 6)}"""

_GITHUB = f"""\
# A step that uses this action fails unless approved changes cover what is to be deployed.
name: Change gate
description: Let a deployment go on when approved changes cover every commit since the last one.
inputs:
  changes-repository:
    description: Address of the configuration repository, which the runner may read.
    required: true
  introduction:
    description: Id of its introduction commit, from a variable of the organisation, not from a file of this repository.
    required: true
  system:
    description: The system of the policy that is deployed.
    required: true
  environment:
    description: Where, as the policy calls it.
    default: ""
  commit:
    description: What is deployed.
    default: ${{{{ github.sha }}}}
  record:
    description: true keeps the decision as signed evidence.
    default: "false"
  args:
    description: Further arguments of `gitchange gate`, one a line.
    default: ""
  gitchange:
    description: What pip installs.
    default: gitchange=={__version__}
runs:
  using: composite
  steps:
    - uses: actions/setup-python@v5
      with:
        python-version: "3.12"
    - shell: bash
      # Inputs reach the script through its environment: they are never a part of it.
      env:
        CHANGES_REPOSITORY: ${{{{ inputs.changes-repository }}}}
        CHANGES_INTRODUCTION: ${{{{ inputs.introduction }}}}
        CHANGES_SYSTEM: ${{{{ inputs.system }}}}
        CHANGES_ENVIRONMENT: ${{{{ inputs.environment }}}}
        CHANGES_COMMIT: ${{{{ inputs.commit }}}}
        CHANGES_RECORD: ${{{{ inputs.record }}}}
        CHANGES_ARGUMENTS: ${{{{ inputs.args }}}}
        CHANGES_PROGRAM: ${{{{ inputs.gitchange }}}}
      run: |
        {INSTALL}
{_indented(ASK, 8)}"""

TEXTS: dict[Forge, str] = {"gitlab": _GITLAB, "github": _GITHUB}

NEXT: dict[Forge, tuple[str, ...]] = {
    "gitlab": (
        f"include {PATHS['gitlab']} in .gitlab-ci.yml, and let each job that deploys extend `.change-gate`, with "
        "CHANGES_SYSTEM and CHANGES_ENVIRONMENT as its variables",
        "set the variables CHANGES_REPOSITORY and CHANGES_INTRODUCTION, protected: Settings > CI/CD > Variables",
    ),
    "github": (
        f"in each job that deploys, before it does: `uses: ./{PATHS['github'].rpartition('/')[0]}`, after a checkout "
        "with `fetch-depth: 0`",
        "set the variables CHANGES_REPOSITORY and CHANGES_INTRODUCTION, of the organisation or the repository: "
        "Settings > Secrets and variables > Actions > Variables",
    ),
}
"""What is to be done with it; docs/coverage.md has whole examples."""
