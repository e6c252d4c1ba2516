"""`policy diff` says what a policy would change, and what it says of the changes comes true when it is adopted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchange.lifecycle.status import CLOSED
from gitchange.workflow import policies
from gitchange.workflow.workspace import Workspace
from tests.company import POLICY, SYSTEMS, Company, Result, clones, git, gitchange
from tests.integration.conftest import Scene, copied
from tests.integration.test_policy import adopt, propose, version_2, without_key

Edit = Callable[[Company], dict[str, str]]
SECURITY_FOR_ALL = """
[[rules]]
name = "nothing without security"
evaluation = { role = "security" }
"""


def diff(company: Company, *arguments: str, directory: Path | None = None) -> Result:
    """`policy diff`."""
    return gitchange(directory or company.repo, "policy", "diff", *arguments)


def draft(company: Company, policy: str) -> None:
    """Write a policy into the work tree, uncommitted."""
    (company.repo / "policy" / "policy.toml").write_text(policy)


def sentences(shape: Any) -> list[str]:
    """All differences of the JSON shape, in words."""
    return [difference["sentence"] for difference in shape["differences"]]


def test_a_draft_is_told_in_words(company: Company) -> None:
    """A draft that takes a role from somebody, lowers the threshold and adds a rule: who, what, and which change."""
    change = company.request("bo")
    company.must("ada", "approve", change, "--yes")
    text = version_2().replace("threshold = 2", "threshold = 1")
    text = text.replace('["ada@example.org", "mo@example.org"]', '["ada@example.org"]')
    draft(company, text + SECURITY_FOR_ALL)
    done = diff(company)
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    lines = [line.strip() for line in done.out.splitlines()]
    assert "- mo@example.org loses: can no longer evaluate as change-manager (every change)" in lines
    assert (
        "- a policy change now needs 1 of 2 root members instead of 2 of 2: any single one of "
        "ada@example.org and eve@example.org can change everything [weaker]"
    ) in lines
    assert (
        "- new rule “nothing without security”: Every change is evaluated by one person as security [stronger]"
    ) in lines
    assert lines.index("Who may do what") < lines.index("What is asked of changes")
    after = lines[lines.index(f"{change}  Rotate the certificate") + 1]
    assert after.startswith("approved -> requested: now needs security for its evaluation (eve@example.org)")
    shape = diff(company, "--json").json
    assert shape["schema"] == 1
    assert shape["outcome"] == "ok"
    assert (shape["before"]["version"], shape["after"]["version"], shape["after"]["tree"]) == (1, 2, None)
    assert shape["files"] == ["policy/policy.toml"]
    (effect,) = shape["changes"]
    assert effect["id"] == change
    assert effect["status"] == {"now": "approved", "then": "requested"}
    assert effect["asked"] == [
        {"step": "evaluation", "role": "security", "needed": 1, "before": 0, "who": ["eve@example.org"]}
    ]
    assert [n["who"] for n in effect["next"]["then"]] == [["eve@example.org"]]
    # Nothing was written, and nothing changed its status.
    assert company.show(change)["status"] == "approved"
    assert diff(company, "--json", "--no-changes").json["changes"] is None


def without_mo(company: Company) -> dict[str, str]:
    """mo is no change manager any more, and has no key."""
    policy = version_2().replace('["ada@example.org", "mo@example.org"]', '["ada@example.org"]')
    return {"policy.toml": policy, "allowed_signers": without_key(company, "mo")}


def compromised_mo(company: Company) -> dict[str, str]:
    """What mo's key ever signed is void."""
    key = git(company.root, "config", "-f", "facts", "mo.key")
    since = git(company.repo, "config", "gitchange.introduction")
    entry = f'\n[[compromised]]\nkey = "{key}"\nsince = "{since}"\nreason = "stolen"\n'
    return {"policy.toml": version_2() + entry}


DRAFTS: dict[str, Edit] = {
    "nothing but the number": lambda _: {"policy.toml": version_2()},
    "a member without role and key": without_mo,
    "a compromised key": compromised_mo,
    "a rule more": lambda _: {"policy.toml": version_2() + SECURITY_FOR_ALL},
    "two approvals": lambda _: {
        "policy.toml": version_2().replace(
            'role = "change-manager", approvals = 1', 'role = "change-manager", approvals = 2'
        )
    },
    "another developer": lambda _: {
        "policy.toml": version_2().replace(
            '["bo@example.org", "cy@example.org"]', '["bo@example.org", "ada@example.org"]'
        )
    },
    "a waiver": lambda _: {
        "policy.toml": version_2()
        + '\n[[waivers]]\nwaives = "evaluator-is-requester"\nreason = "few"\nexpires = 2999-01-01T00:00:00Z\n'
    },
    "a deadline": lambda _: {"policy.toml": version_2() + '\n[deadlines]\nevaluation = "1m"\n'},
    "a field that every change must give": lambda _: {
        "policy.toml": version_2() + '\n[custom.ticket]\ntype = "text"\nrequired = true\n'
    },
    "a system less": lambda _: {
        "policy.toml": version_2(),
        "systems.toml": SYSTEMS.replace("[systems.website]", "[systems.shop]"),
        "models/dependency-update.toml": 'title = "Routine dependency update"\nsystems = ["shop"]\n',
    },
    "no customer data": lambda _: {
        "policy.toml": version_2(),
        "systems.toml": SYSTEMS.replace("customer_data = true", "customer_data = false"),
    },
    "a requester less": lambda _: {
        "policy.toml": version_2().replace(
            '["bo@example.org", "cy@example.org"]', '["cy@example.org", "mo@example.org"]'
        )
    },
    "a freeze": lambda _: {
        "policy.toml": version_2()
        + '\n[[freezes]]\nname = "turn of the millennium"\nreason = "clocks"\nkind = "hard"\nzone = "UTC"\n'
        "start = 2999-12-31T00:00:00\nend = 3000-01-02T00:00:00\n"
    },
    "a model that a failure suspends": lambda _: {
        "policy.toml": version_2(),
        "models/dependency-update.toml": 'title = "Routine dependency update"\nsystems = ["website"]\n'
        "suspended_after = 1\n",
    },
    "a narrower model": lambda _: {
        "policy.toml": version_2(),
        "models/dependency-update.toml": 'title = "Routine dependency update"\nsystems = ["api"]\n',
    },
}


UNTOUCHING = {"nothing but the number", "a model that a failure suspends"}
"""Drafts that touch no change; what failed before a model's bound is there does not count towards it."""


def every_stage(company: Company) -> list[str]:
    """Changes of all kinds and at all stages."""

    def request(*options: str, by: str = "bo") -> str:
        return company.request(by, *options)

    asked = request()
    approved, witnessed, own = request(), request(), request(by="ada")
    company.must("mo", "approve", witnessed, "--yes")
    company.must("mo", "seal")
    company.must("mo", "approve", approved, "--yes")
    implemented, validated, rejected = request(), request(), request()
    for change in (implemented, validated):
        company.must("ada", "approve", change, "--yes")
        company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", validated, "--works", "--no-security-risk", "--evidence", "looked")
    company.must("mo", "reject", rejected, "--not-safe", "-m", "no")
    follows = (
        *("--type", "standard", "--model", "dependency-update", "--system", "website"),
        *("--risk", "x :: availability :: rare :: minor :: undo it"),
    )
    standard, failing = request(*follows), request(*follows)
    planned = request("--start", "2999-12-31T20:00:00Z", "--end", "2999-12-31T22:00:00Z")
    company.must("ada", "approve", planned, "--yes")
    risky = request("--risk", "Loss :: data :: likely :: major :: a backup")
    company.must("mo", "approve", risky, "--yes")
    documented = company.documented()
    by_mo = request()
    company.must("mo", "approve", by_mo, "--yes")
    company.must("bo", "implement", by_mo, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", by_mo, "--works", "--no-security-risk", "--evidence", "looked")
    company.must("ada", "document", by_mo, "--outcome", "successful", "--summary", "It works.")
    # Nothing has witnessed this yet.
    company.must("bo", "implement", failing, "--steps-followed", "--test", "suite=passed")
    company.must(
        "dee", "validate", failing, "--fails", "--no-security-risk", "--evidence", "looked", "-m", "no"
    )
    key = re.search(r"SHA256:\S+", company.must("mo", "show", risky).out)
    assert key is not None
    git(company.root, "config", "-f", "facts", "mo.key", key[0])
    return [
        *(
            asked,
            approved,
            witnessed,
            own,
            implemented,
            validated,
            rejected,
            standard,
            risky,
            documented,
            by_mo,
            failing,
            planned,
        )
    ]


@pytest.fixture(scope="module")
def at_every_stage(tmp_path_factory: pytest.TempPathFactory, stages: Callable[[str], Scene]) -> Scene:
    """A company with `every_stage`, made once; not to be written to."""
    scene = copied(stages("founded"), tmp_path_factory.mktemp("stages") / "company")
    changes = every_stage(scene.company)
    return Scene(scene.company, " ".join(changes))


@pytest.mark.parametrize("name", DRAFTS)
def test_what_is_foretold_comes_true(
    name: str, at_every_stage: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change becomes, when the policy is really adopted, what was foretold; the others stay as they were."""
    # Later than the requests by more than the deadline that one draft brings.
    monkeypatch.setenv("GITCHANGE_NOW", (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat())
    scene = copied(at_every_stage, tmp_path / "company")
    company, changes = scene.company, scene.change.split()
    files = DRAFTS[name](company)
    branch = propose(company, files.pop("policy.toml"), **files)
    shape = diff(company, branch, "--json").json
    foretold = {effect["id"]: effect for effect in shape["changes"]}
    before = {change: company.show(change) for change in changes}
    adopt(company, branch)
    after = {change: company.show(change) for change in changes}

    def upcoming(shown: Any) -> list[Any]:
        return [(n["action"], n["role"], sorted(n["who"])) for n in shown if n["action"] != "document"]

    for change in changes:
        now, then = before[change], after[change]
        if (effect := foretold.get(change)) is None:
            assert then["status"] == now["status"], change
            if now["status"] not in CLOSED:
                assert then["flags"] == now["flags"], change
                assert upcoming(then["next"]) == upcoming(now["next"]), change
            continue
        assert effect["status"] == {"now": now["status"], "then": then["status"]}
        assert [f for f in then["flags"] if f not in now["flags"]] == effect["flags"]["gained"]
        assert [f for f in now["flags"] if f not in then["flags"]] == effect["flags"]["lost"]
        assert upcoming(then["next"]) == upcoming(effect["next"]["then"])
        assert effect["sentence"]
    assert bool(foretold) == (name not in UNTOUCHING)


def test_an_unreadable_draft_is_an_answer(company: Company) -> None:
    """Everything that is wrong with a draft is told at once, and the exit code is 1."""
    draft(company, version_2().replace('"developer" }', '"boss" }').replace("approvals = 1", "approvals = 9"))
    done = diff(company, "--json")
    assert done.code == 1
    codes = [finding["code"] for finding in done.json["findings"]]
    assert {"policy.unknown-role", "policy.too-few-members"} <= set(codes)
    assert len(codes) >= 3
    assert done.json["outcome"] == "not-adoptable"
    assert done.json["after"]["version"] is None
    shown = diff(company)
    assert shown.code == 1
    assert "unreadable (work tree)" in shown.out
    assert "policy.unknown-role" in shown.out


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_that_does_not_follow(company: Company, version: int) -> None:
    """A draft whose number is not one higher cannot be adopted; what it would change is told all the same."""
    draft(company, POLICY.replace("version = 1", f"version = {version}", 1) + SECURITY_FOR_ALL)
    done = diff(company, "--json")
    assert done.code == 1
    (finding,) = [f for f in done.json["findings"] if f["code"] == "policy.version"]
    assert (finding["path"], finding["line"], finding["key"]) == ("policy/policy.toml", 1, "version")
    assert "version = 2" in finding["hint"]
    assert any("nothing without security" in sentence for sentence in sentences(done.json))


def test_the_draft_is_what_approve_would_sign(company: Company) -> None:
    """A draft that is not committed is told apart from HEAD's, and is the very folder that is signed once it is."""
    draft(company, version_2())
    shape = diff(company, "--json").json
    assert [f["code"] for f in shape["findings"]] == ["policy.not-committed"]
    git(company.become("ada"), "switch", "--quiet", "-c", "proposal")
    git(company.repo, "commit", "--quiet", "-am", "a new policy")
    shape = diff(company, "--json").json
    assert shape["findings"] == []
    assert shape["after"]["tree"] == git(company.repo, "rev-parse", "HEAD:policy")
    company.must("ada", "policy", "approve", "--yes")
    assert git(company.repo, "notes", "--ref=gitchange/approvals", "show", shape["after"]["tree"])


def test_a_draft_with_a_link_is_refused(company: Company) -> None:
    """What is no regular file is no part of a policy, in the work tree as in a commit."""
    draft(company, version_2())
    (company.repo / "policy" / "README.md").symlink_to("/etc/hostname")
    done = diff(company, "--json")
    assert done.code == 1
    assert [f["code"] for f in done.json["findings"]] == ["policy.stray-file"]


def test_no_difference(company: Company) -> None:
    """The policy in force differs from nothing; one in other words says so, and names its files."""
    done = diff(company)
    assert (done.code, done.out.splitlines()[-1]) == (0, "no difference")
    draft(company, POLICY + "\n# a comment\n")
    done = diff(company)
    assert "no difference in what the policy says; written differently: policy/policy.toml" in done.out
    assert done.code == 1  # another folder needs another number


def test_two_versions_are_compared(company: Company) -> None:
    """Versions that were in force are named by their numbers; the open changes are not judged by old policies."""
    adopt(company, propose(company, version_2() + SECURITY_FOR_ALL))
    for one, other in (("v1", "v2"), ("1", "2"), ("v1", "main")):
        shape = diff(company, one, other, "--json").json
        assert (shape["before"]["version"], shape["after"]["version"]) == (1, 2)
        assert any("nothing without security" in sentence for sentence in sentences(shape))
        assert shape["changes"] is None
        assert shape["outcome"] == "ok"
    back = diff(company, "v1", "--json")
    assert back.code == 1
    assert [f["code"] for f in back.json["findings"]] == ["policy.version"]
    assert any("is gone" in sentence for sentence in sentences(back.json))


def test_a_policy_is_held_against_what_was_then(company: Company) -> None:
    """With --as-of, against the policy and the changes of that commit."""
    change = company.request("bo")
    before = git(company.repo, "rev-parse", "main")
    branch = propose(company, version_2() + SECURITY_FOR_ALL)
    adopt(company, branch)
    assert diff(company, branch, "--json").json["differences"] == []
    shape = diff(company, branch, "--as-of", before, "--json").json
    assert (shape["before"]["version"], shape["after"]["version"], shape["outcome"]) == (1, 2, "ok")
    assert [effect["id"] for effect in shape["changes"]] == [change]


def test_what_does_not_exist_is_a_mistake_of_usage(company: Company) -> None:
    """A version, a revision or a third policy that there is not: exit code 2, with a hint."""
    assert diff(company, "v9").code == 2
    assert "no policy version 9" in diff(company, "v9").err
    assert diff(company, "nonsense").code == 2
    assert diff(company, "v1", "v1", "v1").code == 2


def test_bare_clones_compare_commits(company: Company) -> None:
    """A clone without a work tree compares what is named, and says that there is no draft."""
    branch = propose(company, version_2() + SECURITY_FOR_ALL)
    list(clones(company))
    bare = company.root / "server.git"
    done = diff(company, directory=bare)
    assert done.code == 2
    assert "no work tree" in done.err
    shape = diff(company, branch, "--json", directory=bare).json
    assert any("nothing without security" in sentence for sentence in sentences(shape))
    assert diff(company, "v1", branch, directory=bare).code == 0


def test_without_a_policy_in_force_nothing_is_decided(company: Company) -> None:
    """While an unapproved policy stands on main, it is held against the last approved one: exit code 3."""
    change = company.request("bo")
    git(company.become("bo"), "switch", "--quiet", "main")
    draft(company, version_2() + SECURITY_FOR_ALL)
    git(company.repo, "commit", "--quiet", "-am", "edit the policy")
    done = diff(company, "--json")
    assert done.code == 3
    assert done.json["outcome"] == "undecided"
    assert "policy.unapproved" in {f["code"] for f in done.json["findings"]}
    assert done.json["before"]["version"] == 1
    assert any("nothing without security" in sentence for sentence in sentences(done.json))
    assert done.json["changes"] is None
    assert company.show(change)["status"] == "unreadable"


def test_escape_sequences_of_a_policy_are_text(company: Company) -> None:
    """A principal in allowed signers cannot move the cursor."""
    branch = propose(
        company,
        version_2(),
        allowed_signers=(company.repo / "policy" / "allowed_signers")
        .read_text()
        .replace("mo@", "m\x1b[2Jo@"),
    )
    done = diff(company, branch)
    assert "\x1b" not in done.out
    assert "m\\u{1b}[2Jo@example.org gains the key" in done.out


def test_the_signer_sees_what_the_policy_changes(company: Company) -> None:
    """`policy approve` shows every power and how much else there is; `adopt` says it in one line."""
    branch = propose(company, version_2().replace("threshold = 2", "threshold = 1") + SECURITY_FOR_ALL)
    done = company.must("ada", "policy", "approve", branch, "--yes")
    assert "policy version 2, against version 1 in force:" in done.err
    assert "a policy change now needs 1 of 2 root members instead of 2 of 2" in done.err
    assert "nothing without security”:" not in done.err
    assert "beside that: 1 of what is asked of changes, 1 of everything else" in done.err
    assert "gitchange policy diff" in done.err
    assert "a policy change" not in done.out
    company.must("eve", "policy", "approve", branch, "--yes")
    adopted = company.must("ada", "policy", "adopt", branch).out.splitlines()
    assert adopted[1] == (
        "it changes: 1 of who may do what, 1 of what is asked of changes, 1 of everything else; "
        "1 make(s) it weaker"
    )


def test_what_was_shown_is_what_is_signed(company: Company) -> None:
    """A branch that moves after its policy was shown changes nothing about what is signed."""
    branch = propose(company, version_2())
    shown = git(company.repo, "rev-parse", f"{branch}:policy")
    place = Workspace.open(company.become("ada"), dt.datetime.now(dt.UTC))
    approval = policies.prepare_approval(place, branch, fetch=False)
    propose(company, version_2() + SECURITY_FOR_ALL)
    assert git(company.repo, "rev-parse", f"{branch}:policy") != shown
    signed, _ = policies.approve_policy(approval, "", push=False)
    assert signed.policy.tree == shown
    assert signed.approved_by == ("ada@example.org",)


def test_the_site_tells_what_each_version_changed(company: Company, tmp_path: Path) -> None:
    """The policy's page has every version, newest first, with what it changed against the one before."""
    adopt(company, propose(company, version_2().replace("threshold = 2", "threshold = 1") + SECURITY_FOR_ALL))
    site = tmp_path / "site"
    assert gitchange(company.repo, "site", "build", "--output", str(site)).code == 0
    page = (site / "policy.html").read_text()
    history = re.sub(r"<[^>]+>", " ", page[page.index('id="history"') :])
    history = re.sub(r"\s+", " ", history)
    assert history.index("Version 2") < history.index("Version 1")
    assert "approved by ada@example.org , eve@example.org" in history
    assert "a policy change now needs 1 of 2 root members instead of 2 of 2" in history
    assert (
        "new rule “nothing without security”: Every change is evaluated by one person as security" in history
    )
    assert "The first policy; it is trusted" in history
