"""Requests on branches: approved before the merge, and authors on every side of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.company import Company, Result, git, gitchange

from .conftest import Scene, Take

IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")
DOCUMENT = ("--outcome", "successful", "--summary", "It works.")


def on_branch(company: Company, person: str = "bo") -> Scene:
    """A request on the branch `feature`, which is checked out."""
    company.become(person)
    git(company.repo, "switch", "--quiet", "-c", "feature")
    return Scene(company, company.request(person))


MERGES: dict[str, Callable[[Path], object]] = {
    "merge commit": lambda repo: git(repo, "merge", "--quiet", "--no-ff", "--no-edit", "feature"),
    "fast-forward": lambda repo: git(repo, "merge", "--quiet", "--ff-only", "feature"),
    "squash": lambda repo: (
        git(repo, "merge", "--quiet", "--squash", "feature"),
        git(repo, "commit", "--quiet", "-m", "squashed"),
    ),
    "rebase": lambda repo: (
        git(repo, "commit", "--quiet", "--allow-empty", "-m", "main moved"),
        git(repo, "switch", "--quiet", "feature"),
        git(repo, "rebase", "--quiet", "main"),
        git(repo, "switch", "--quiet", "main"),
        git(repo, "merge", "--quiet", "--ff-only", "feature"),
    ),
    "cherry-pick": lambda repo: git(repo, "cherry-pick", "feature"),
}


@pytest.mark.parametrize("way", MERGES)
def test_approval_before_the_merge_survives_it(take: Take, way: str) -> None:
    """A request is approved on its branch, and the approval holds however the branch is merged."""
    scene = on_branch(take("founded").company)
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    shown = scene.company.show(scene.change)
    assert (shown["status"], "not merged" in shown["flags"]) == ("approved", True)
    scene.company.become("bo")  # whose forge does the merging
    git(scene.repo, "switch", "--quiet", "main")
    MERGES[way](scene.repo)
    git(scene.repo, "branch", "--quiet", "-D", "feature")
    shown = scene.company.show(scene.change)
    assert (shown["status"], shown["flags"]) == ("approved", [])
    scene.company.must("bo", "implement", scene.change, *IMPLEMENT)
    scene.company.must("dee", "validate", scene.change, *VALIDATE)
    scene.company.must("ada", "document", scene.change, *DOCUMENT)
    assert scene.company.do("ada", "verify").code == 0


def test_change_is_documented_on_main_only(take: Take) -> None:
    """A change whose request is not merged cannot be closed."""
    scene = on_branch(take("founded").company)
    scene.company.complete(scene.change)
    done = scene.company.do("ada", "document", scene.change, *DOCUMENT)
    assert (done.code, "merge it first" in done.err) == (1, True)


def test_edit_on_a_branch_does_not_touch_main(take: Take) -> None:
    """What is approved on main stays approved while somebody edits it on a branch, until the edit is merged."""
    scene = take("approved")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    scene.commit(scene.file.read_text().replace("It expires.", "It expires soon."))
    assert scene.status == "approved"
    git(scene.repo, "switch", "--quiet", "main")
    git(scene.repo, "merge", "--quiet", "feature")
    assert scene.status == "requested"


def test_list_does_not_hold_what_is_not_merged(take: Take) -> None:
    """The list is the branch of record's; a request on a branch is shown only by its id."""
    scene = on_branch(take("founded").company)
    assert gitchange(scene.repo, "list", "--json").json["changes"] == []
    assert scene.status == "requested"
    assert scene.company.do("bo", "verify").code == 0


# -- lines on what is not merged ------------------------------------------------------------------


def put(scene: Scene, blob: str, *lines: str) -> None:
    """Write a note with stock git."""
    data = "".join(f"{line}\n" for line in lines).encode()
    note = git(scene.repo, "hash-object", "-w", "--stdin", data=data)
    git(scene.repo, "notes", "--ref=gitchange/approvals", "add", "-f", "-C", note, blob)


def altered(line: str) -> str:
    """A sign-off with one bit of its signature turned over."""
    envelope = json.loads(line)
    raw = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    raw[-1] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(raw).decode()
    return json.dumps(envelope, separators=(",", ":"))


@pytest.mark.parametrize("fetched", [False, True], ids=["a branch here", "a fetched branch"])
def test_verify_warns_of_bad_lines_on_what_is_not_merged(take: Take, tmp_path: Path, fetched: bool) -> None:
    """They decide nothing yet, so they are no breach; each is named, with its place. After the merge they are one."""
    scene = on_branch(take("founded").company)
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    blob = git(scene.repo, "rev-parse", f"feature:{scene.path}")
    commit = git(scene.repo, "rev-parse", "feature")
    good = git(scene.repo, "notes", "--ref=gitchange/approvals", "show", blob)
    git(scene.repo, "switch", "--quiet", "main")
    place = scene.repo
    if fetched:
        place = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", str(scene.repo), str(place))
        git(place, "config", "gitchange.introduction", git(scene.repo, "config", "gitchange.introduction"))

    def verified() -> Result:
        if fetched:
            refs = ("refs/heads/*:refs/remotes/origin/*", "refs/notes/*:refs/notes/*")
            git(place, "fetch", "--quiet", "origin", *refs)
        return gitchange(place, "verify", "--json")

    assert (verified().code, verified().json["findings"]) == (0, [])
    put(scene, blob, good, altered(good), "nonsense")
    done = verified()
    assert (done.code, done.json["verdict"]) == (0, "ok")
    told = {finding["code"]: finding for finding in done.json["findings"]}
    assert told.keys() == {"signature.invalid", "envelope.not-json"}
    for finding in told.values():
        assert finding["severity"] == "warning"
        assert (finding["change"], finding["path"]) == (scene.change, scene.path)
        assert f"commit {commit[:12]}, not merged yet" in finding["message"]
        assert f"git branch --all --contains {commit[:12]}" in finding["hint"]
    branch = "origin/feature" if fetched else "feature"
    shown = gitchange(place, "show", scene.change, "--branch", branch, "--json").json
    assert "in doubt" in shown["flags"]
    scene.company.become("bo")
    git(scene.repo, "merge", "--quiet", "--ff-only", "feature")
    if fetched:
        git(place, "pull", "--quiet", "origin", "main")
    done = verified()
    assert (done.code, done.json["verdict"]) == (1, "breach")
    assert {f["code"]: f["severity"] for f in done.json["findings"]} == dict.fromkeys(told, "error")


@pytest.mark.parametrize("stage", ["edited", "documented", "unreadable"])
def test_verify_warns_of_bad_lines_that_decide_nothing(take: Take, stage: str) -> None:
    """On an earlier text, and on a documented change, a line that is no sign-off is named; it is no breach."""
    scene = take("documented" if stage == "documented" else "approved")
    first = git(scene.repo, "log", "--format=%H", "--diff-filter=A", "--", scene.path)
    blob = git(scene.repo, "rev-parse", f"{first}:{scene.path}")
    good = git(scene.repo, "notes", "--ref=gitchange/approvals", "show", blob).split("\n")
    if stage == "edited":
        scene.commit(scene.file.read_text().replace("It expires.", "It expires soon."))
    elif stage == "unreadable":
        scene.commit("nonsense")
    before = gitchange(scene.repo, "verify", "--json")
    put(scene, blob, *good, altered(good[0]), "nonsense")
    after = gitchange(scene.repo, "verify", "--json")
    assert after.code == before.code == (1 if stage == "unreadable" else 0)
    fresh = [f for f in after.json["findings"] if f not in before.json["findings"]]
    assert {(f["code"], f["severity"]) for f in fresh} == {
        ("signature.invalid", "warning"),
        ("envelope.not-json", "warning"),
    }
    assert {(f["change"], f["path"]) for f in fresh} == {(scene.change, scene.path)}
    why = {"edited": "it is on an earlier text", "documented": "the change was documented without it"}
    assert all(f["message"].endswith(why.get(stage, "the file cannot be read")) for f in fresh)


def test_verify_takes_words_that_were_taken_back(take: Take) -> None:
    """A genuine sign-off that a record does not hold, because another word came after it, is nothing to warn of."""
    scene = take("requested")
    scene.company.must("ada", "request-info", scene.change, "-m", "which chain?")
    scene.company.complete(scene.change)
    scene.company.must("ada", "document", scene.change, *DOCUMENT)
    done = gitchange(scene.repo, "verify", "--json")
    assert (done.code, done.json["findings"]) == (0, [])


def test_verify_knows_no_text_of_a_branch_that_is_gone(take: Take) -> None:
    """A note on a text that no branch here has is told as that."""
    scene = on_branch(take("founded").company)
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    git(scene.repo, "switch", "--quiet", "main")
    git(scene.repo, "branch", "--quiet", "-D", "feature")
    done = gitchange(scene.repo, "verify", "--json")
    assert (done.code, [f["code"] for f in done.json["findings"]]) == (0, ["note.on-nothing"])


def test_verify_misses_a_removed_change_by_its_name(take: Take) -> None:
    """The sign-offs on a change that somebody removed are no strangers."""
    scene = take("approved")
    git(scene.repo, "rm", "--quiet", scene.path)
    git(scene.repo, "commit", "--quiet", "-m", "gone")
    done = gitchange(scene.repo, "verify", "--json")
    assert (done.code, [f["code"] for f in done.json["findings"]]) == (1, ["change.removed"])


# -- authors --------------------------------------------------------------------------------------


def refused(scene: Scene, person: str) -> None:
    """This evaluator's approval would not count, and is refused for being an author's."""
    done = scene.company.do(person, "approve", scene.change, "-y", "-m", "x")
    assert done.code == 1, done.out
    assert "wrote a commit of the request" in done.err
    assert f"{person}@example.org" not in scene.company.show(scene.change)["waiting_on"]


def edited(scene: Scene) -> str:
    return scene.file.read_text().replace("It expires.", "It expires soon.")


def test_author_of_an_edit_cannot_approve(take: Take) -> None:
    """Whoever edited the request is an author of it; another evaluator approves."""
    scene = take("requested")
    scene.commit(edited(scene), person="mo")
    refused(scene, "mo")
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    assert scene.status == "approved"


def test_author_of_an_edit_that_was_taken_back_cannot_approve(take: Take) -> None:
    """Somebody whose edit was reverted has still written the request's history."""
    scene = take("requested")
    before = scene.file.read_bytes()
    scene.commit(edited(scene), person="mo")
    scene.commit(before, person="bo")
    refused(scene, "mo")


@pytest.mark.parametrize("name", ["Co-authored-by", "Co-Authored-By", "co-authored-by"])
def test_co_author_cannot_approve(take: Take, name: str) -> None:
    """Who is named in a `Co-authored-by` trailer is an author, in whatever case the address is written."""
    scene = take("requested")
    scene.commit(edited(scene), message=f"Edit\n\n{name}: Mo <MO@example.org>")
    refused(scene, "mo")


def test_one_of_many_co_authors_cannot_approve(take: Take) -> None:
    """All trailers are read."""
    scene = take("requested")
    scene.commit(
        edited(scene),
        message="Edit\n\nCo-authored-by: Cy <cy@example.org>\nReviewed-by: x <x@y>\n"
        "Co-authored-by: Mo <mo@example.org>",
    )
    refused(scene, "mo")


def test_author_on_a_merged_branch_cannot_approve(take: Take) -> None:
    """An edit that came in by a merge counts for its author, also when main had the same edit already."""
    scene = take("requested")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    scene.commit(edited(scene), person="mo")
    git(scene.repo, "switch", "--quiet", "main")
    scene.commit(edited(scene), person="bo")
    git(scene.repo, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    refused(scene, "mo")


def test_author_of_a_dropped_side_cannot_approve(take: Take) -> None:
    """An edit that the merge did not keep counts for its author all the same."""
    scene = take("requested")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    scene.commit(edited(scene), person="mo")
    git(scene.repo, "switch", "--quiet", "main")
    scene.commit(scene.file.read_bytes() + b"# main\n", person="bo")
    git(scene.repo, "merge", "--quiet", "--no-edit", "-s", "ours", "feature")
    refused(scene, "mo")


def test_author_of_a_merges_own_edit_cannot_approve(take: Take) -> None:
    """Whoever edits the request while merging is an author."""
    scene = take("requested")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", "nothing")
    git(scene.repo, "switch", "--quiet", "main")
    scene.company.become("mo")
    git(scene.repo, "merge", "--quiet", "--no-ff", "--no-commit", "feature")
    scene.file.write_text(edited(scene))
    git(scene.repo, "commit", "--quiet", "-am", "merged")
    refused(scene, "mo")


def test_merger_is_no_author(take: Take) -> None:
    """Whoever merges a branch without editing the request may approve it."""
    scene = on_branch(take("founded").company)
    scene.company.become("ada")
    git(scene.repo, "switch", "--quiet", "main")
    git(scene.repo, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    assert scene.status == "approved"


def test_committer_of_anothers_commit_is_no_author(take: Take) -> None:
    """Whoever rebases or applies another's commit has written nothing."""
    scene = take("requested")
    scene.commit(edited(scene), "--author=Bo <bo@example.org>", person="ada")
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")


def test_requester_of_a_commit_by_another_cannot_approve(take: Take) -> None:
    """Who requests is named in the text: committing in another's name changes nothing."""
    scene = take("founded")
    change = scene.company.request("bo", "--requester", "mo@example.org")
    done = scene.company.do("mo", "approve", change, "-y", "-m", "x")
    assert (done.code, "requested the change" in done.err) == (1, True)


def test_author_after_the_approval_takes_it_back(take: Take) -> None:
    """An evaluator who edits the request after approving it, and edits it back, has not approved it."""
    scene = take("approved")
    before = scene.file.read_bytes()
    scene.commit(edited(scene), person="ada")
    scene.commit(before, person="ada")
    assert scene.status == "requested"
    assert "duties.evaluator-is-author" in scene.codes()


def test_documenting_makes_nobody_an_author(take: Take) -> None:
    """Whoever documents a change may have approved it."""
    scene = take("documented")
    assert scene.status == "documented"
    assert scene.company.do("ada", "verify").code == 0


def test_author_with_a_clock_ahead_is_still_an_author(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """An author cannot leave the history of a documented request by setting the clock ahead."""
    scene = take("requested")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2099-01-01T00:00:00Z")
    scene.commit(edited(scene), person="mo")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    git(scene.repo, "switch", "--quiet", "main")
    git(scene.repo, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    scene.company.complete(scene.change)
    scene.company.must("ada", "document", scene.change, *DOCUMENT)
    git(scene.repo, "switch", "--quiet", "feature")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2099-01-02T00:00:00Z")
    git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", "more")
    git(scene.repo, "switch", "--quiet", "main")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2099-01-03T00:00:00Z")
    git(scene.repo, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    history = scene.company.show(scene.change)["history"]
    assert [(v["kind"], v["author"].split("@")[0]) for v in history] == [
        ("documented", "ada"),
        ("edited", "mo"),
        ("requested", "bo"),
    ]
    assert gitchange(scene.repo, "list", "--person", "mo@example.org", "--json").json["changes"]
