"""`import` and `init --forge`: merge requests and past merges become open requests, and nothing is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gitchange.forges import gates
from gitchange.forges.templates import PATHS, TEMPLATE
from gitchange.site import urls
from tests.company import SYSTEMS, Company, Result, git, write_policy
from tests.company import gitchange as run

RISK = "| Clients refuse it | availability | unlikely | minor | keep the old one |"
ADDRESS = "https://gitlab.example.org/acme/app/-/merge_requests/12"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company whose policy knows where the API's code lies."""
    folder = write_policy(tmp_path)
    place = 'repositories = ["git@gitlab.example.org:acme/app.git"]\n'
    (folder / "systems.toml").write_text(
        SYSTEMS.replace('name = "Public API"\n', f'name = "Public API"\n{place}')
    )
    git(tmp_path, "init", "--quiet", "-b", "main", "repo")
    company = Company(tmp_path, tmp_path / "repo")
    company.must("ada", "init", "--title", "Changes", "--policy", str(folder))
    return company


def filled(template: str = TEMPLATE) -> str:
    """The template as somebody fills it in."""
    answers = {
        "Reason": "It expires.",
        "Scope": "Both load balancers.",
        "Rollback": "Put the old one back.",
        "Test plan": "curl from outside",
        "Security": "None.",
        "Privacy": "No customers' data.",
    }
    for heading, answer in answers.items():
        head, title, rest = template.partition(f"# {heading}\n")
        comment, end, rest = rest.partition("-->\n")
        template = f"{head}{title}{comment}{end}\n{answer}\n{rest}"
    blank = "|      |          |            |        |            |"
    assert blank in template
    return template.replace(blank, RISK).replace(
        "1.\n", "1. Install it\n   Verify: curl shows it\n2. Reload\n"
    )


def event(description: str, **attributes: Any) -> dict[str, Any]:
    """GitLab's event about Bo's merge request."""
    return {
        "object_kind": "merge_request",
        "user": {"id": 7, "email": "Bo@example.org"},
        "project": {"web_url": "https://gitlab.example.org/acme/app"},
        "object_attributes": {
            "iid": 12,
            "author_id": 7,
            "url": ADDRESS,
            "title": "Rotate the certificate",
            "description": description.replace("\n", "\r\n"),
            "source_branch": "tls",
            **attributes,
        },
    }


def imported(company: Company, person: str, content: Any, *options: str, name: str = "mr.json") -> Result:
    """Import a merge request as a person."""
    path = company.root / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return company.do(person, "import", "merge-request", str(path), *options)


def request_of(company: Company, change: str) -> dict[str, Any]:
    """The change file as data."""
    return tomllib.loads((company.repo / f"changes/{change[4:8]}/{change[8:10]}/{change}.toml").read_text())


def errors(told: Result) -> dict[str, str]:
    """By what is missing, where it is said to be."""
    lines = [line for line in told.err.split("\n") if "[import.missing]" in line]
    return {line.split("`")[1]: line.partition(": error")[0] for line in lines}


# -- merge requests --------------------------------------------------------------------------------


def test_a_filled_in_template_becomes_a_request(company: Company) -> None:
    """The event of a merge request whose template is filled in is a committed, open request of its author."""
    told = imported(company, "ada", event(filled()), "--commit")
    assert told.code == 0, told.err
    change = told.out.split()[0]
    shape = company.show(change)
    assert (shape["status"], shape["requester"], shape["systems"]) == ("requested", "bo@example.org", ["api"])
    data = request_of(company, change)
    assert data["title"] == "Rotate the certificate"
    assert data["steps"] == [{"action": "Install it", "verify": "curl shows it"}, {"action": "Reload"}]
    assert data["risks"][0]["mitigations"] == ["keep the old one"]
    assert data["links"] == {"merge_requests": [ADDRESS]}
    assert (data["security_impact"], data["privacy_impact"]) == ("None.", "No customers' data.")
    assert git(company.repo, "status", "--porcelain") == ""


def test_the_bare_template_has_everything_missing(company: Company) -> None:
    """A template that nobody filled in names each part at its heading, writes nothing and says no."""
    told = imported(company, "bo", TEMPLATE, name="mr.md")
    assert told.code == 1
    assert set(errors(told)) == {
        "title",
        "systems",
        "reason",
        "scope",
        "steps",
        "risks",
        "rollback",
        "test_plan",
    }
    line = TEMPLATE.split("\n").index("## Rollback") + 1
    assert errors(told)["rollback"] == f"{company.root / 'mr.md'}:{line}:1"
    assert git(company.repo, "status", "--porcelain") == ""


def test_a_draft_is_completed_by_hand(company: Company) -> None:
    """A draft with a part missing is refused by `check` until somebody writes it; then `new` takes it."""
    draft = company.root / "draft.toml"
    without = filled().replace(RISK, "")
    told = imported(company, "bo", event(without), "--draft", str(draft))
    assert (told.code, list(errors(told))) == (1, ["risks"])
    refused = company.do("bo", "check", str(draft))
    assert refused.code == 1
    assert "`risks` is missing" in refused.out
    assert company.do("bo", "new", "--from", str(draft)).code == 1
    head, mark, rest = draft.read_text().partition("# MISSING `risks`")
    assert mark
    skeleton = "\n".join(line.removeprefix("# ") for line in rest.split("\n")[1:])
    for key, word in {"description": "d", "category": "c", "likelihood": "rare", "impact": "minor"}.items():
        skeleton = skeleton.replace(f'{key} = ""', f'{key} = "{word}"')
    draft.write_text(head + skeleton.replace('[""]', '["m"]'))
    assert company.must("bo", "check", str(draft)).out == "1 change file(s) checked, 0 error(s)\n"
    change = company.must("bo", "new", "--commit", "--from", str(draft)).out.split()[0]
    assert company.show(change)["status"] == "requested"


def test_a_draft_takes_nobodys_file(company: Company) -> None:
    """A draft is not written over another file; the same draft twice is no matter."""
    draft = company.root / "draft.toml"
    for _ in range(2):
        assert imported(company, "bo", event("x"), "--draft", str(draft)).code == 1
    draft.write_text("mine")
    told = imported(company, "bo", event("x"), "--draft", str(draft))
    assert (told.code, draft.read_text()) == (2, "mine")
    assert imported(company, "bo", event("x"), "--draft", str(draft), "--commit").code == 2


def test_options_come_before_the_text(company: Company) -> None:
    """What the text does not have can be given, and what it has can be given otherwise."""
    options = (
        "--risk",
        "a :: b :: rare :: minor :: c",
        "--rollback",
        "No way back.",
        "--environment",
        "production",
    )
    options += (
        "--requester",
        "cy@example.org",
        "--system",
        "website",
        "--system",
        "api",
        "--type",
        "emergency",
    )
    options += ("--incident", "INC-1", "--justification", "It burns.")
    told = imported(company, "bo", event(filled().replace(RISK, "")), *options)
    assert told.code == 0, told.err
    data = request_of(company, told.out.split()[0])
    assert (data["rollback"], data["requester"]) == ("No way back.", "cy@example.org")
    assert (data["systems"], data["environments"]) == (["website", "api"], ["production"])
    assert data["emergency"]["incident"] == "INC-1"
    assert "[import.missing]" not in told.err


def test_what_the_policy_does_not_know_is_named_with_what_is_missing(company: Company) -> None:
    """Both kinds of problems are told at once, and nothing is written."""
    told = imported(company, "bo", event(filled().replace("curl from outside", "TODO")), "--system", "apo")
    assert told.code == 1
    assert list(errors(told)) == ["test_plan"]
    assert "no system 'apo'" in told.err
    assert "did you mean 'api'?" in told.err


def test_hostile_text_stays_text(company: Company) -> None:
    """Control characters are refused with their place, and none reaches the terminal; quotes end no string."""
    hostile = filled().replace("It expires.", 'It """ \\ ends\nid = "CHG-20261122-K7Q3"\n# x')
    told = imported(company, "bo", event(hostile))
    assert told.code == 0
    assert request_of(company, told.out.split()[0])["reason"].startswith('It """ \\ ends\nid = ')
    moving = event(filled().replace("It expires.", "It \x1b[2J expires."), title="\x1b]0;owned\x07 title")
    told = imported(company, "bo", moving, "--print")
    assert told.code == 1
    assert "U+001B" in told.err
    assert "\x1b" not in told.out + told.err
    assert tomllib.loads(told.out)["reason"] == "It \x1b[2J expires."


def test_standard_input_and_other_events(company: Company) -> None:
    """A pipe is a source, too; an event about something else is a usage error."""
    company.become("bo")

    def piped(data: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [
            sys.executable,
            "-m",
            "gitchange",
            "-C",
            str(company.repo),
            "import",
            "merge-request",
            "-",
            "--print",
        ]
        return subprocess.run(command, input=data, capture_output=True, check=False, env=dict(os.environ))

    done = piped(json.dumps(event(filled())).encode())
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(done.stdout.decode())["scope"] == "Both load balancers."
    assert done.stderr.decode().startswith("reason: from `Reason`")
    done = piped(b'{"object_kind": "pipeline"}')
    assert done.returncode == 2
    assert b"about a pipeline" in done.stderr


def test_an_option_that_is_no_text_is_told(company: Company) -> None:
    """A byte that is not UTF-8 in an option is the user's mistake, of `new` and of `import` alike."""
    told = imported(company, "bo", event(filled()), "--title", "a\udcff")
    assert (told.code, "--title is not UTF-8" in told.err) == (2, True)
    told = company.do("bo", "new", "--system", "a\udcff")
    assert (told.code, "--system is not UTF-8" in told.err) == (2, True)


def test_a_request_on_a_branch_of_its_own(company: Company) -> None:
    """`--branch` commits it for a merge request, as `new` does."""
    told = imported(company, "bo", event(filled()), "--branch", "--no-push")
    assert told.code == 0, told.err
    change = told.out.split()[0]
    assert git(company.repo, "log", "-1", "--format=%s", f"change/{change}").startswith(f"Request {change}")


# -- templates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("forge", ["gitlab", "github"])
def test_templates_are_written_once(company: Company, forge: Any) -> None:
    """Template and gate go where the forge looks for them, and over nothing that is there unless asked."""
    application = company.root / "app"
    (application / "below").mkdir(parents=True)
    assert company.do("ada", "init", "--forge", forge, str(application)).code == 2  # no clone
    git(application, "init", "--quiet")
    path = application / PATHS[forge]
    told = company.must("ada", "init", "--forge", forge, str(application / "below")).out
    assert "CHANGES_REPOSITORY and CHANGES_INTRODUCTION" in told.partition("next:")[2]
    assert path.read_text() == TEMPLATE
    assert "as it should be" in company.must("ada", "init", "--forge", forge, str(application)).out
    path.write_text("mine")
    assert "was left as it is" in company.must("ada", "init", "--forge", forge, str(application)).out
    assert path.read_text() == "mine"
    company.must("ada", "init", "--forge", forge, "--overwrite", str(application))
    assert path.read_text() == TEMPLATE
    company.must("ada", "init", "--forge", forge)
    assert (company.repo / PATHS[forge]).read_text() == TEMPLATE
    assert (application / gates.PATHS[forge]).read_text() == gates.TEXTS[forge]
    assert not (company.repo / gates.PATHS[forge]).exists(), "a configuration repository deploys nothing"
    assert company.do("ada", "init", "--forge", forge, "--hook").code == 2


def test_a_template_is_not_written_through_a_link(company: Company) -> None:
    """A link that leads out of the clone is left alone."""
    path = company.repo / PATHS["github"]
    path.parent.mkdir()
    path.symlink_to(company.root / "elsewhere")
    company.must("ada", "init", "--forge", "github", "--overwrite")
    assert not (company.root / "elsewhere").exists()


# -- history ---------------------------------------------------------------------------------------


@pytest.fixture
def application(company: Company) -> Path:
    """A repository with a merge of GitLab's, a plain one, and a description as a merge's message."""
    folder = company.root / "app"
    git(company.root, "init", "--quiet", "-b", "main", str(folder))
    company.become("bo", folder)
    git(folder, "remote", "add", "origin", "https://gitlab.example.org/acme/app.git")

    def commit(message: str) -> None:
        git(folder, "commit", "--quiet", "--allow-empty", "-m", message)

    def merge(branch: str, message: str, *commits: str) -> None:
        git(folder, "switch", "--quiet", "-c", branch)
        for one in commits:
            commit(one)
        git(folder, "switch", "--quiet", "main")
        git(folder, "merge", "--quiet", "--no-ff", "-m", message, branch)

    commit("Begin")
    merge(
        "tls",
        "Merge branch 'tls' into 'main'\n\nRotate it\n\nSee merge request acme/app!12",
        "One\n\nIt expires.",
    )
    commit("Straight")
    merge("plain", "Merge branch 'plain'", "Two", "Three")
    git(folder, "config", "core.commentChar", ";")
    merge(
        "whole",
        f"Merge branch 'whole' into 'main'\n\nAll of it\n\n{filled()}\n\nSee merge request acme/app!14",
        "Four",
    )
    return folder


def test_past_merges_become_drafts(company: Company, application: Path) -> None:
    """Each merge has a draft with what it says, marks for what it does not, and where it comes from."""
    drafts = company.root / "drafts"
    told = company.must(
        "ada", "import", "history", "--repo", str(application), "main", "--output", str(drafts)
    )
    assert "wrote 3 draft(s)" in told.out
    assert "3 merge(s), 1 complete" in told.out
    assert "risks is missing or wrong in 2" in told.out
    texts = {tomllib.loads(path.read_text())["title"]: path for path in drafts.iterdir()}
    assert set(texts) == {"Rotate it", "Merge branch 'plain'", "All of it"}
    data = tomllib.loads(texts["Rotate it"].read_text())
    merge = git(application, "rev-parse", "main~3")
    assert data["imported"] == {
        "commit": merge,
        "commits": [git(application, "rev-parse", f"{merge}^2")],
        "merge_request": ADDRESS,
        "author": "bo@example.org",
        "time": data["imported"]["time"],
    }
    assert int(data["imported"]["time"].timestamp()) == int(
        git(application, "show", "-s", "--format=%ct", merge)
    )
    assert (data["reason"], data["scope"]) == ("It expires.", "- One")
    assert (data["systems"], data["requester"]) == (["api"], "bo@example.org")
    assert "# MISSING `rollback`" in texts["Rotate it"].read_text()
    assert company.do("ada", "check", str(texts["Rotate it"])).code == 1
    # Somebody's work on a draft stays.
    texts["Rotate it"].write_text("mine")
    told = company.must(
        "ada", "import", "history", "--repo", str(application), "main", "--output", str(drafts)
    )
    assert "wrote 0 draft(s)" in told.out
    assert "2 there already" in told.out
    assert "was left as it is" in told.out
    assert texts["Rotate it"].read_text() == "mine"


def test_what_is_imported_is_open_and_says_where_it_comes_from(company: Company, application: Path) -> None:
    """A whole merge is committed as a request that nobody approved, flagged wherever it is listed, and only once."""
    told = company.do("ada", "import", "history", "--repo", str(application), "main", "--commit")
    assert told.code == 1  # two of three are not complete
    [change] = [line for line in told.out.split("\n") if line.startswith("CHG-")]
    shape = company.show(change)
    assert (shape["status"], shape["flags"], shape["sign_offs"]) == ("requested", ["imported"], [])
    assert [step["state"] for step in shape["steps"]] == ["done", "waiting", "later", "later", "later"]
    assert "All of it (imported)" in run(company.repo, "list").out
    shown = run(company.repo, "show", change).out
    assert f"written after the fact, from commit {git(application, 'rev-parse', 'main')}" in shown
    period = ("--period", "2000-01-01..2099-12-31", "--by", "requested")
    drawn = run(company.repo, "sample", *period, "--seed", "x", "--json").json
    assert [(gap["code"], gap["change"]) for gap in drawn["gaps"]] == [("population.imported", change)]
    assert [one["imported"] for one in drawn["changes"]] == [True]
    assert "nothing that was decided then counts as a sign-off" in shown
    company.must("ada", "site", "build", "--output", str(company.root / "site"))
    page = (company.root / "site" / urls.change(change)).read_text()
    assert "Nothing that was decided then counts as a sign-off" in page
    assert f"<code>{git(application, 'rev-parse', 'main')}</code>" in page
    assert '<span class="flag">imported</span>' in page
    told = company.do("ada", "import", "history", "--repo", str(application), "main", "--commit")
    assert "3 merge(s) (1 imported before), 0 complete" in told.out
    assert "CHG-" not in told.out


def test_an_import_is_never_standard(company: Company, application: Path) -> None:
    """A standard change needs no evaluation of its own, so an imported one cannot be: it would stand as approved."""
    drafts = company.root / "drafts"
    company.must("ada", "import", "history", "--repo", str(application), "main", "--output", str(drafts))
    [whole] = [path for path in drafts.iterdir() if "All of it" in path.read_text()]
    text = whole.read_text().replace('type = "normal"', 'type = "standard"\nmodel = "dependency-update"')
    whole.write_text(text.replace('["api"]', '["website"]'))
    told = company.do("ada", "new", "--commit", "--from", str(whole))
    assert told.code == 1
    assert "an imported change cannot be standard" in told.err


def test_ranges_of_history(company: Company, application: Path) -> None:
    """A range is its merges only; without --output and --commit nothing is written."""
    told = company.must("ada", "import", "history", "--repo", str(application), "main~1..main")
    assert "1 merge(s), 1 complete" in told.out
    assert git(company.repo, "status", "--porcelain") == ""
    for bad in ("main...main", "nothing", "main..nothing", "--all"):
        assert company.do("ada", "import", "history", "--repo", str(application), "--", bad).code == 2
    assert company.do("ada", "import", "history", "--repo", str(company.root), "main").code == 2


def test_what_waits_to_be_merged_is_not_imported_again(company: Company, application: Path) -> None:
    """A request on a branch of its own counts as imported."""
    history = ("import", "history", "--repo", str(application), "main")
    assert "on the branch change/CHG-" in company.do("ada", *history, "--branch", "--no-push").out
    told = company.do("ada", *history, "--commit")
    assert "3 merge(s) (1 imported before), 0 complete" in told.out
    assert "CHG-" not in told.out
