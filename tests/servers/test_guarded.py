"""Real servers with our hook: honest work goes through, and what an adversary pushes is refused with the reason.

The hook's rules are tested in `tests/integration/test_hook.py`. Here is what differs from server to server: as whom
git runs it, with which environment, what else has a say in a push, and whether its words reach whoever pushes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.company import git
from tests.integration.test_hook import Site, altered_line, policy_without_approval, words_in_anothers_mouth

from .conftest import MAINTAINER
from .people import NOTES, Member, Team
from .servers import install_hook, install_hook_by_gitolite
from .test_servers import assert_all_have_all, by_merge_requests, directly

pytestmark = pytest.mark.servers

At = Callable[..., Team]

OURS = "refs/gitchange/remotes/origin/approvals"
"""The server's notes, as a clone has fetched them."""


@pytest.fixture
def guarded(at: At) -> At:
    """Five people and a server that runs our hook, installed as the documentation says."""

    def make(name: str) -> Team:
        team = at(name)
        (install_hook_by_gitolite if name == "gitolite" else install_hook)(team.server)
        return team

    return make


@pytest.mark.parametrize(("name", "way"), [("ssh", "squash"), ("http", "merge commit")])
def test_five_people_five_steps_on_a_guarded_server(guarded: At, tmp_path: Path, name: str, way: str) -> None:
    """Directly and by merge request, honest work goes through a guarded server, and nobody notices the hook."""
    team = guarded(name)
    changes = [directly(team), *by_merge_requests(team, way)]
    assert_all_have_all(team, changes, tmp_path / "fresh")


def test_five_people_on_a_guarded_server_where_main_is_protected(guarded: At, tmp_path: Path) -> None:
    """gitolite's own rules and our hook have their say side by side, and take every way to merge."""
    team = guarded("gitolite")
    changes = by_merge_requests(team, "merge commit", "squash", "rebase")
    assert_all_have_all(team, changes, tmp_path / "fresh")
    # Both are at work: the hook, and gitolite, which keeps main from bo.
    team["bo"].git("commit", "--quiet", "--allow-empty", "-m", "work")
    denied = team["bo"].run("git", "push", "origin", "main")
    assert (denied.code != 0, "DENIED by refs/heads/main" in denied.err) == (True, True)


# -- what an adversary pushes --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Places:
    """An adversary's clone with two changes to tamper with."""

    open: Site
    """One that is approved."""
    documented: Site


def probe(_: Places) -> tuple[str, str, str]:
    return (
        "main:refs/notes/gitchange/probe",
        "[ref.not-allowed]",
        "nobody may push refs/notes/gitchange/probe",
    )


def rewound_notes(_: Places) -> tuple[str, str, str]:
    return f"+{NOTES}~1:{NOTES}", "[notes.rewound]", "lost: the sign-off 'approve' by ada@example.org"


def forged_line(places: Places) -> tuple[str, str, str]:
    return NOTES, altered_line(places.open), "mend: "


def edited_record(places: Places) -> tuple[str, str, str]:
    places.documented.edit(places.documented.file, "It works.", "It works, mostly.")
    return "main", "[record.edited]", "the documented file was edited by commit"


def unapproved_policy(places: Places) -> tuple[str, str, str]:
    return "main", policy_without_approval(places.open), "[policy.unapproved]"


def forced_main(places: Places) -> tuple[str, str, str]:
    clone = places.open.clone
    git(clone, "reset", "--quiet", "--hard", "main~1")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", "another history")
    return "+main", "[main.rewritten]", "the branch of record is never rewritten"


def set_back(member: Member) -> None:
    """What the hook advises to whoever was refused."""
    member.git("fetch", "--quiet", "origin")
    member.git("update-ref", NOTES, OURS)
    member.git("reset", "--quiet", "--hard", "origin/main")


@pytest.mark.parametrize("name", ["file", "ssh", "http", "gitolite"])
def test_bad_pushes_are_refused_with_the_hooks_own_reason(guarded: At, name: str) -> None:
    """Whatever else a server would allow, nothing bad lands, and git shows the pusher why, and the mend."""
    team = guarded(name)
    mo, repository = team[MAINTAINER], team.server.repository
    (documented,) = by_merge_requests(team, "merge commit")
    approved = mo.request()
    team["ada"].must("approve", approved, "--yes", "-m", "go")
    mo.must("sync")
    team.company.become(MAINTAINER, mo.clone)  # by stock git in the test's own process, too
    places = Places(*(Site(team.company, change, repository, mo.clone) for change in (approved, documented)))
    refs = git(repository, "for-each-ref")
    for spoil in (probe, rewound_notes, forged_line, edited_record, unapproved_policy, forced_main):
        refspec, code, words = spoil(places)
        refused = mo.run("git", "push", "origin", refspec)
        assert refused.code != 0, spoil
        assert "remote: gitchange: this push is refused" in refused.err
        assert code in refused.err, refused.err
        assert words in refused.err, refused.err
        assert "pre-receive hook declined" in refused.err
        assert git(repository, "for-each-ref") == refs
        set_back(mo)
    mo.must("sync")
    assert mo.read("verify", "--json").json["verdict"] == "ok"


@pytest.mark.parametrize("name", ["ssh", "http", "gitolite"])
def test_refusal_is_told_by_gitchange_too(at: At, name: str) -> None:
    """What `sync` could not send is told with the hook's reason, after one push; the mend that is told mends it."""
    team = at(name)
    install_hook(team.server)
    if name == "gitolite":  # which leaves alone what it did not put there
        team.server.administer("gitolite", "setup", "--hooks-only")
    ada, bo = team["ada"], team["bo"]
    change = team[MAINTAINER].request()
    ada.must("approve", change, "--yes", "-m", "go")
    team.company.become("ada", ada.clone)
    place = Site(team.company, change, team.server.repository, ada.clone)
    code = words_in_anothers_mouth(place)
    before = ada.pushes()
    told = ada.do("sync")
    assert told.code == 3
    assert code in told.err
    assert "still only here: 1 notes commit(s)" in told.err
    assert f"git update-ref {NOTES} {OURS}" in told.err
    assert ada.pushes() == before + 1
    ada.git("update-ref", NOTES, OURS)
    ada.must("sync")
    bo.must("sync")
    assert bo.status(change) == ada.status(change) == "approved"


def test_what_git_would_not_write_is_refused(at: At) -> None:
    """git itself looks at what is pushed (`receive.fsckObjects`): an impossible folder would stop all readers."""
    team = at("ssh")
    install_hook(team.server)
    mo, repository = team[MAINTAINER], team.server.repository
    team.company.become(MAINTAINER, mo.clone)
    entry = b"100644 x\0" + bytes.fromhex(git(mo.clone, "hash-object", "-w", "--stdin", data=b"x"))
    folder = git(mo.clone, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=entry * 2)
    root = git(mo.clone, "mktree", data=f"040000 tree {folder}\tchanges\n".encode())
    commit = git(mo.clone, "commit-tree", root, "-p", "main", "-m", "impossible")
    refs = git(repository, "for-each-ref")
    for branch in ("main", "feature/impossible"):
        refused = mo.run("git", "push", "origin", f"{commit}:refs/heads/{branch}")
        assert refused.code != 0
        assert f"object {folder}: duplicateEntries" in refused.err
        assert git(repository, "for-each-ref") == refs
