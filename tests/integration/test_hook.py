"""`hook pre-receive` on a real server: git itself runs it, and what pushers see is what they see through `remote:`."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cases.setups import ATTACKER, World
from tests.cases.test_cases import CASES, FOLDER, worlds  # noqa: F401 - a fixture
from tests.company import POLICY, Company, git, gitchange

from .conftest import Shared

NOTES = "refs/notes/gitchange/approvals"
CHECKOUT = Path(__file__).parents[2]
IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")
DOCUMENT = ("--outcome", "successful", "--summary", "It works.")

Make = Callable[..., Shared]


def guard(server: Path, introduction: str | None) -> None:
    """Install the hook as `init --hook` says, for this very checkout."""
    hook = server / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f'#!/bin/sh\nPYTHONPATH="{CHECKOUT}" exec "{sys.executable}" -P -m gitchange hook pre-receive\n'
    )
    hook.chmod(0o755)
    if introduction is not None:
        git(server, "config", "gitchange.introduction", introduction)


@dataclass(frozen=True)
class Pushed:
    """How a push went."""

    code: int
    told: str
    """What the server said, without `remote:`."""
    whole: str


def push(clone: Path, *arguments: str) -> Pushed:
    """A real `git push` to the server."""
    done = subprocess.run(
        ["git", "-C", str(clone), "push", *arguments], capture_output=True, text=True, check=False
    )
    said = [line.removeprefix("remote:").strip() for line in done.stderr.splitlines() if "remote:" in line]
    return Pushed(done.returncode, "\n".join(said), done.stdout + done.stderr)


def refs(server: Path) -> str:
    """Every ref of the server, with what it names."""
    return git(server, "for-each-ref")


def objects(server: Path) -> str:
    """How many objects the server keeps, and how."""
    return git(server, "count-objects", "-v")


@dataclass(frozen=True)
class Site:
    """A guarded server, and the clone of somebody who can push everything."""

    company: Company
    change: str
    server: Path
    clone: Path

    @property
    def file(self) -> str:
        """The change file's path."""
        return path_of(self.change)

    @property
    def text(self) -> str:
        """The id of the change's text."""
        return git(self.clone, "rev-parse", f"HEAD:{self.file}")

    def note(self, oid: str) -> list[str]:
        """The lines of a note."""
        return git(self.clone, "notes", f"--ref={NOTES}", "show", oid).split("\n")

    def put(self, oid: str, lines: list[str]) -> None:
        """Write a note with stock git; bytes are kept as they are."""
        data = "".join(f"{line}\n" for line in lines).encode()
        blob = git(self.clone, "hash-object", "-w", "--stdin", data=data)
        git(self.clone, "notes", f"--ref={NOTES}", "add", "-f", "-C", blob, oid)

    def write(self, path: str, text: str | None, message: str = "work") -> None:
        """Commit a file on the checked-out branch, or its removal."""
        where = self.clone / path
        if text is None:
            where.unlink()
        else:
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_text(text)
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "--quiet", "--allow-empty", "-m", message)

    def edit(self, path: str, old: str, new: str) -> None:
        """Commit a file with other words in it."""
        text = (self.clone / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def refused(self, *arguments: str) -> str:
        """A push that must be refused, with its reasons; nothing of it lands."""
        before = refs(self.server), objects(self.server)
        done = push(self.clone, *arguments)
        assert done.code != 0, done.whole
        assert "gitchange: this push is refused" in done.told, done.whole
        assert (refs(self.server), objects(self.server)) == before
        return done.told

    def taken(self, *arguments: str) -> str:
        """A push that must land; what the server said to it."""
        done = push(self.clone, *arguments)
        assert done.code == 0, done.whole
        return done.told


def path_of(change: str) -> str:
    """Where a change's file lies."""
    return f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"


@pytest.fixture
def site(shared: Make) -> Callable[[str], Site]:
    """A guarded server at a stage of one change, and bo's clone with everything that is on it."""

    def make(stage: str) -> Site:
        place = shared(stage, "bo")
        clone = place.clone["bo"]
        if git(place.server, "for-each-ref", NOTES):
            git(clone, "fetch", "--quiet", "origin", f"{NOTES}:{NOTES}")
        guard(place.server, git(clone, "config", "gitchange.introduction"))
        return Site(place.company, place.change, place.server, clone)

    return make


Sites = Callable[[str], Site]


# -- what lands -----------------------------------------------------------------------------------


def test_five_steps_from_several_clones_go_through(shared: Make) -> None:
    """Four people take a change through all steps by way of a guarded server, and notice nothing of the hook."""
    place = shared("founded", "ada", "bo", "dee", "cy")
    guard(place.server, git(place.clone["ada"], "config", "gitchange.introduction"))
    company, clone = place.company, place.clone
    change = company.request("bo", directory=clone["bo"])
    done = [
        company.must("ada", "approve", change, "-y", "-m", "go", directory=clone["ada"]),
        company.must("bo", "implement", change, *IMPLEMENT, directory=clone["bo"]),
        company.must("dee", "validate", change, *VALIDATE, directory=clone["dee"]),
        company.must("cy", "document", change, *DOCUMENT, directory=clone["cy"]),
        company.must("ada", "seal", directory=clone["ada"]),
    ]
    assert all("still only here" not in d.err for d in done)
    assert gitchange(place.server, "show", change, "--json").json["status"] == "documented"
    assert gitchange(place.server, "verify").code == 0


def propose(place: Site, edit: Callable[[str], str], *, without: str = "") -> None:
    """A branch `proposal` with policy version 2; somebody's keys may be taken out."""
    clone = place.clone
    git(clone, "switch", "--quiet", "-c", "proposal")
    policy, signers = clone / "policy" / "policy.toml", clone / "policy" / "allowed_signers"
    policy.write_text(edit(policy.read_text().replace("version = 1", "version = 2")))
    lines = signers.read_text().splitlines(keepends=True)
    signers.write_text("".join(line for line in lines if not without or not line.startswith(without)))
    git(clone, "commit", "--quiet", "-am", "a new policy")
    git(clone, "switch", "--quiet", "main")


def without_mo(text: str) -> str:
    """A policy in which mo has no role."""
    return text.replace(', "mo@example.org"', "", 1)


def adopt(place: Site, *options: str) -> None:
    """Root approves and adopts the proposal."""
    for person in ("ada", "eve"):
        place.company.must(person, "policy", "approve", "proposal", "--yes", *options, directory=place.clone)
    place.company.must("ada", "policy", "adopt", "proposal", *options, directory=place.clone)


def test_policy_that_root_approved_goes_through(site: Sites) -> None:
    """A proposal is pushed as a branch, approved by root, and adopted."""
    place = site("approved")
    propose(place, lambda text: text)
    assert place.taken("origin", "proposal") == ""
    adopt(place)
    assert git(place.server, "rev-parse", "main") == git(place.clone, "rev-parse", "main")
    assert gitchange(place.server, "policy", "show").out.startswith("policy version 2")


def test_ordinary_work_goes_through(site: Sites) -> None:
    """Commits without gitchange, a forge's merge, other branches and tags, and their deletion need nothing."""
    place = site("approved")
    place.write("README.md", "hello\n")
    git(place.clone, "switch", "--quiet", "-c", "feature")
    place.write("changes/drafts.txt", "not a change file\n", "a draft, on a branch")
    assert place.taken("origin", "main", "feature") == ""
    place.write("changes/drafts.txt", None, "not any more")
    git(place.clone, "switch", "--quiet", "main")
    git(place.clone, "merge", "--quiet", "--no-ff", "--no-edit", "feature")
    git(place.clone, "tag", "v1")
    assert place.taken("origin", "main", "v1", "feature") == ""
    assert place.taken("--force", "origin", "main~1:refs/heads/feature") == ""
    assert place.taken("origin", "--delete", "v1", "feature") == ""
    assert gitchange(place.server, "verify").code == 0


def test_draft_that_is_mended_before_the_push_goes_through(site: Sites) -> None:
    """What counts is how a change file is at the end of the push, not how somebody got there."""
    place = site("requested")
    text = (place.clone / place.file).read_text()
    place.edit(place.file, "schema = 1", "schema = 1\nnonsense = 2")
    place.write(place.file, text)
    place.write("changes/stray.txt", "x\n")
    place.write("changes/stray.txt", None)
    assert place.taken("origin", "main") == ""


def test_genuine_line_that_does_not_count_is_welcome(site: Sites) -> None:
    """The hook asks whether a sign-off is genuine; whether it counts is computed by whoever reads it."""
    place = site("requested")
    place.put(place.text, [craft(place, "bo", "approve")])  # bo is no change manager
    assert place.taken("origin", NOTES) == ""
    assert place.company.show(place.change, place.server)["status"] == "requested"


def test_order_of_lines_does_not_matter(site: Sites) -> None:
    """Readers accept every order of a note's lines, so the server does too."""
    place = site("validated")
    lines = place.note(place.text)
    assert len(lines) == 3
    place.put(place.text, lines[::-1])
    assert place.taken("origin", NOTES) == ""


def test_sign_off_on_a_branch_needs_the_branch(site: Sites) -> None:
    """A text that only the signer has cannot be verified by others; with its branch, even in one push, it can."""
    place = site("approved")
    git(place.clone, "switch", "--quiet", "-c", "feature")
    place.edit(place.file, "Both load balancers", "All of them")
    place.put(place.text, [craft(place, "ada", "approve")])
    told = place.refused("origin", NOTES)
    assert "which is not on the server [note.on-nothing]" in told
    assert f"git push origin BRANCH {NOTES}" in told
    assert place.taken("origin", "feature", NOTES) == ""


def test_bad_line_on_the_text_of_a_branch_is_refused(site: Sites) -> None:
    """What is not merged yet is looked at as what is: a bad line on it lands neither with its branch nor after it."""
    place = site("requested")
    git(place.clone, "switch", "--quiet", "-c", "feature")
    place.edit(place.file, "Both load balancers", "All of them")
    place.put(place.text, [craft(place, "ada", "approve"), "nonsense"])
    assert "[envelope.not-json]" in place.refused("origin", "feature", NOTES)
    assert place.taken("origin", "feature") == ""
    assert "[envelope.not-json]" in place.refused("origin", NOTES)


def test_what_was_requested_and_signed_offline_goes_through(site: Sites) -> None:
    """`sync` sends a request and the sign-off on it together, where the server takes neither alone."""
    place = site("founded")
    change = place.company.request("bo", "--no-push", directory=place.clone)
    place.company.must("ada", "approve", change, "-y", "-m", "go", "--no-push", directory=place.clone)
    place.company.must("bo", "seal", "--no-push", directory=place.clone)
    assert "[note.on-nothing]" in place.refused("origin", NOTES)
    assert "[witness.not-in-notes]" in place.refused("origin", "main")
    done = place.company.must("bo", "sync", directory=place.clone)
    assert "refused" not in done.err
    assert place.company.show(change, place.server)["status"] == "approved"
    assert place.company.must("bo", "sync", directory=place.clone).out.startswith("up to date")


def test_sign_off_on_an_earlier_text_is_welcome(site: Sites) -> None:
    """A sign-off on a text that the branch of record had, and has no more, is genuine; it is stale."""
    place = site("requested")
    text = place.text
    line = craft(place, "ada", "approve")
    place.edit(place.file, "Both load balancers", "All of them")
    assert place.taken("origin", "main") == ""
    place.put(text, [line])
    assert place.taken("origin", NOTES) == ""
    assert "stale approval" in place.company.show(place.change, place.server)["flags"]


@pytest.mark.parametrize("limit", ["1", "10000"], ids=["kept as a pack", "unpacked"])
def test_objects_in_quarantine_are_read(site: Sites, limit: str) -> None:
    """git keeps a push's objects apart until it is accepted, as a pack or one by one; the hook reads both."""
    place = site("requested")
    git(place.server, "config", "receive.unpackLimit", limit)
    text = place.text
    place.put(text, [craft(place, "ada", "approve")])
    place.edit(place.file, "Both", "All")
    assert place.taken("origin", NOTES, "main") == ""
    assert git(place.server, "cat-file", "-t", place.text) == "blob"
    assert git(place.server, "notes", f"--ref={NOTES}", "list", text)


def test_server_with_a_work_tree_is_guarded_too(site: Sites, tmp_path: Path) -> None:
    """A repository with a work tree, updated by pushes, runs the same hook."""
    place = site("approved")
    server = tmp_path / "office"
    git(tmp_path, "clone", "--quiet", str(place.server), str(server))
    git(server, "config", "receive.denyCurrentBranch", "updateInstead")
    guard(server / ".git", git(place.clone, "config", "gitchange.introduction"))
    place.edit(place.file, "It expires.", "It expires soon.")
    assert push(place.clone, str(server), "main", NOTES).code == 0
    place.write("changes/stray.txt", "x\n")
    assert "change.stray-file" in push(place.clone, str(server), "main").told
    assert "It expires soon." in (server / place.file).read_text()


def test_two_who_sign_at_once_both_land(shared: Make) -> None:
    """While one push is judged another lands; who was slower is judged anew and lands too."""
    place = shared("requested", "ada", "mo")
    guard(place.server, git(place.clone["ada"], "config", "gitchange.introduction"))
    running = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "gitchange", "-C", str(clone), "approve", place.change, "-y"],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for clone in place.clone.values()
    ]
    told = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert all("still only here" not in words for words in told), told
    signed = {s["by"] for s in gitchange(place.server, "show", place.change, "--json").json["sign_offs"]}
    assert signed == {"ada@example.org", "mo@example.org"}


def test_measurement_runs() -> None:
    """`scripts/bench hook` pushes real commits through the real hook and prints what it took."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "scripts" / "benches" / "hook.py"), "20"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "commits pushed                        20   (10 sign-offs)" in done.stdout
    assert "ratio" in done.stdout


# -- the notes ------------------------------------------------------------------------------------


def craft(place: Site, person: str, verdict: str, *given: str) -> str:
    """A sign-off that says whatever one likes, by a key that one has."""
    key = str(place.company.key(person))
    done = subprocess.run(
        [sys.executable, str(FOLDER / "craft.py"), key, place.file, verdict, *given],
        cwd=place.clone,
        env={**os.environ, "INTRODUCTION": git(place.clone, "config", "gitchange.introduction")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_rewound_notes_are_refused(site: Sites) -> None:
    """A forced push of older notes is refused, and says what would be lost."""
    told = site("implemented").refused("--force", "origin", f"{NOTES}~1:{NOTES}")
    assert "[notes.rewound]" in told
    assert "lost: the sign-off 'implement' by bo@example.org" in told


def test_notes_cannot_be_deleted(site: Sites) -> None:
    """The ref of the notes stays."""
    assert "[notes.deleted]" in site("approved").refused("origin", f":{NOTES}")


def test_branch_of_record_cannot_be_deleted(site: Sites) -> None:
    """The branch of record stays, whatever `receive.denyDeleteCurrent` says."""
    place = site("approved")
    git(place.server, "config", "receive.denyDeleteCurrent", "ignore")
    assert "[main.deleted]" in place.refused("origin", ":main")


def removed_line(place: Site) -> str:
    place.put(place.text, place.note(place.text)[:1])
    return "[notes.line-lost]"


def removed_note(place: Site) -> str:
    git(place.clone, "notes", f"--ref={NOTES}", "remove", place.text)
    return "[notes.line-lost]"


def removed_through_a_merge(place: Site) -> str:
    older = git(place.clone, "rev-parse", f"{NOTES}~1")
    tree = git(place.clone, "rev-parse", f"{older}^{{tree}}")
    merge = git(place.clone, "commit-tree", tree, "-p", NOTES, "-p", older, "-m", "Unite sign-offs")
    git(place.clone, "update-ref", NOTES, merge)
    return "[notes.line-lost]"


def removed_and_put_back(place: Site) -> str:
    lines = place.note(place.text)
    place.put(place.text, lines[:1])
    place.put(place.text, lines)
    return "[notes.line-lost]"


def altered_line(place: Site) -> str:
    first, *others = place.note(place.text)
    envelope = json.loads(first)
    raw = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    raw[-1] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(raw).decode()
    place.put(place.text, [json.dumps(envelope, separators=(",", ":")), *others])
    return "[signature.invalid]"


def nonsense_line(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), "\x1b[2Jnonsense"])
    return "[envelope.not-json]"


def blank_line(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), ""])
    return "[envelope.not-json]"


def another_keyid(place: Site) -> str:
    lines = place.note(place.text)
    envelope = json.loads(lines[0])
    envelope["signatures"][0]["keyid"] = "SHA256:" + "A" * 43
    place.put(place.text, [*lines, json.dumps(envelope, separators=(",", ":"))])
    return "[envelope.keyid]"


def another_spelling(place: Site) -> str:
    lines = place.note(place.text)
    place.put(place.text, [*lines, json.dumps(json.loads(lines[0]))])
    return "[envelope.not-canonical]"


def replayed_on_another_text(place: Site) -> str:
    line = place.note(place.text)[0]
    place.edit(place.file, "Both load balancers", "All of them")
    place.taken("origin", "main")
    place.put(place.text, [line])
    return "[sign-off.other-subject]"


def unknown_key(place: Site) -> str:
    key = place.company.root / "keys" / "mallory"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    place.put(place.text, [*place.note(place.text), craft(place, "mallory", "approve")])
    return "[signer.unknown]"


def words_in_anothers_mouth(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), craft(place, "bo", "approve", "by=ada@example.org")])
    return "[signer.principal]"


def another_repository(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), craft(place, "ada", "reject", f"repository={'1' * 40}")])
    return "[sign-off.other-repository]"


def another_path(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), craft(place, "ada", "reject", "path=README.md")])
    return "[note.on-nothing]"


def another_sha256(place: Site) -> str:
    place.put(place.text, [*place.note(place.text), craft(place, "ada", "reject", f"sha256={'1' * 64}")])
    return "[sign-off.other-subject]"


def note_on_a_commit(place: Site) -> str:
    place.put("HEAD", place.note(place.text))
    return "[statement.malformed]"


def note_on_a_folder(place: Site) -> str:
    place.put("HEAD:changes", place.note(place.text))
    return "is neither a change file nor a policy [note.on-nothing]"


def note_on_the_policy(place: Site) -> str:
    place.put("HEAD:policy", place.note(place.text))
    return "[sign-off.other-subject]"


def note_on_a_loose_text(place: Site) -> str:
    git(place.clone, "switch", "--quiet", "-c", "mine")
    place.edit(place.file, "Both load balancers", "All of them")
    place.put(place.text, [craft(place, "ada", "reject")])
    place.taken("origin", f"{place.text}:refs/tags/loose")
    return "which is no text of any change here [note.on-nothing]"


def entry_among_the_notes(place: Site, mode: str, kind: str, oid: str, name: str) -> None:
    """Put an entry beside the notes."""
    entries = git(place.clone, "ls-tree", NOTES)
    data = f"{entries}\n{mode} {kind} {oid}\t{name}\n".encode()
    tree = git(place.clone, "mktree", "--missing", data=data)
    commit = git(place.clone, "commit-tree", tree, "-p", NOTES, "-m", "Notes added")
    git(place.clone, "update-ref", NOTES, commit)


def submodule_among_the_notes(place: Site) -> str:
    entry_among_the_notes(place, "160000", "commit", "1" * 40, "a" * 40)
    return "is no regular file [note.strange]"


def link_among_the_notes(place: Site) -> str:
    entry_among_the_notes(place, "120000", "blob", place.text, "a" * 40)
    return "is no regular file [note.strange]"


def stranger_among_the_notes(place: Site) -> str:
    entry_among_the_notes(place, "100644", "blob", place.text, "readme")
    return "'readme' among the notes is named after no object [note.strange]"


def empty_note(place: Site) -> str:
    empty = git(place.clone, "hash-object", "-w", "--stdin", data=b"")
    entry_among_the_notes(place, "100644", "blob", empty, "a" * 40)
    return "is empty [note.strange]"


@pytest.mark.parametrize(
    "spoil",
    [
        removed_line,
        removed_note,
        removed_through_a_merge,
        removed_and_put_back,
        altered_line,
        nonsense_line,
        blank_line,
        another_keyid,
        another_spelling,
        replayed_on_another_text,
        unknown_key,
        words_in_anothers_mouth,
        another_repository,
        another_path,
        another_sha256,
        note_on_a_commit,
        note_on_a_folder,
        note_on_the_policy,
        note_on_a_loose_text,
        submodule_among_the_notes,
        link_among_the_notes,
        stranger_among_the_notes,
        empty_note,
    ],
)
def test_spoilt_notes_are_refused(site: Sites, spoil: Callable[[Site], str]) -> None:
    """What is no sign-off cannot get into the notes, and no line gets out of them; the pusher reads why."""
    place = site("implemented")
    expected = spoil(place)
    told = place.refused("origin", NOTES)
    assert expected in told
    assert "\x1b[2J" not in told


def test_key_that_the_policy_dropped_signs_nothing_new(site: Sites) -> None:
    """Who left before the sign-off came in signs no more; the pusher learns how to go on."""
    place = site("requested")
    company, clone = place.company, place.clone
    line = craft(place, "mo", "approve")
    propose(place, without_mo, without="mo@")
    place.taken("origin", "proposal")
    adopt(place)
    place.put(place.text, [line])
    told = place.refused("origin", NOTES)
    assert "[signer.unknown]" in told
    assert f"`gitchange sync; git update-ref {NOTES} refs/gitchange/remotes/origin/approvals`" in told
    company.do("ada", "sync", directory=clone)
    git(clone, "update-ref", NOTES, "refs/gitchange/remotes/origin/approvals")
    company.must("ada", "approve", place.change, "-y", "-m", "go", directory=clone)
    assert company.show(place.change, place.server)["status"] == "approved"


def test_line_is_judged_by_the_commit_that_witnesses_it(site: Sites) -> None:
    """Who leaves by the same push that brings an earlier sign-off signed it in time: the adoption witnesses it."""
    place = site("requested")
    place.company.must(
        "mo", "approve", place.change, "-y", "-m", "my last", "--no-push", directory=place.clone
    )
    propose(place, without_mo, without="mo@")
    adopt(place, "--no-push")
    assert place.taken("origin", "main", NOTES) == ""
    assert place.company.show(place.change, place.server)["status"] == "approved"


# -- the branch of record -------------------------------------------------------------------------


def stray_file(place: Site) -> str:
    place.write("changes/README.md", "x\n")
    return "changes/README.md: no change file can lie at changes/README.md [change.stray-file]"


def link(place: Site) -> str:
    (place.clone / "changes" / "x").symlink_to("/etc/passwd")
    place.write("README.md", "x\n")
    return "changes/x is no regular file [change.stray-file]"


def malformed(place: Site) -> str:
    place.edit(place.file, "schema = 1", 'schema = 1\nnonsense = "x"')
    return "[change.unknown-key]"


def unknown_system(place: Site) -> str:
    place.edit(place.file, '"api"', '"apl"')
    return "mend: did you mean 'api'?"


def wrong_path(place: Site) -> str:
    place.write("changes/2026/11/CHG-20261122-ZZZZ.toml", (place.clone / place.file).read_text())
    return "[change.wrong-path]"


def removed_change(place: Site) -> str:
    place.write(place.file, None)
    return f"{place.file}: the file was removed by commit"


def removed_within_the_push(place: Site) -> str:
    other = place.company.request("bo", "--title", "Another", "--no-push", directory=place.clone)
    place.write(path_of(other), None)
    return "[change.removed]"


def removed_by_a_merge(place: Site) -> str:
    git(place.clone, "switch", "--quiet", "--detach", "main~1")
    place.write("README.md", "x\n")
    side = git(place.clone, "rev-parse", "HEAD")
    git(place.clone, "switch", "--quiet", "main")
    git(place.clone, "merge", "--quiet", "--no-ff", "--no-commit", side)
    git(place.clone, "rm", "--quiet", "-f", place.file)
    git(place.clone, "commit", "--quiet", "-m", "merge")
    return "[change.removed]"


def rewritten(place: Site) -> str:
    git(place.clone, "reset", "--quiet", "--hard", "main~1")
    place.write("README.md", "x\n")
    return "[main.rewritten]"


def put_aside(place: Site) -> str:
    git(place.clone, "switch", "--quiet", "-c", "side", "main~1")
    place.write("README.md", "x\n")
    git(place.clone, "merge", "--quiet", "--no-edit", "main")
    git(place.clone, "switch", "--quiet", "-C", "main", "side")
    return "[main.put-aside]"


def from_the_future(place: Site) -> str:
    os.environ["GIT_COMMITTER_DATE"] = "2090-01-01T00:00:00Z"
    try:
        place.write("README.md", "x\n")
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    return "claims to be of 2090-01-01, which is still to come [main.clock-ahead]"


def witness_of_nothing(place: Site) -> str:
    place.write("README.md", "x\n", f"Seal the sign-offs\n\nApprovals: {'1' * 40}")
    return "witnesses the notes 111111111111, which the server's notes do not contain"


def witness_of_what_is_no_note(place: Site) -> str:
    tip = git(place.clone, "rev-parse", "HEAD")
    place.write("README.md", "x\n", f"Seal the sign-offs\n\nApprovals: {tip}")
    return "[witness.not-in-notes]"


def witness_of_notes_that_are_only_here(place: Site) -> str:
    place.company.must("mo", "approve", place.change, "-y", "--no-push", directory=place.clone)
    place.company.must("mo", "seal", "--no-push", directory=place.clone)
    return "[witness.not-in-notes]"


def skipped_version(place: Site) -> str:
    place.edit("policy/policy.toml", "version = 1", "version = 3")
    return "[policy.version]"


def policy_without_approval(place: Site) -> str:
    place.edit("policy/policy.toml", "version = 1", "version = 2")
    return "version 2 is approved by nobody of the 2 needed"


def own_role(place: Site) -> str:
    text = (place.clone / "policy" / "policy.toml").read_text().replace("version = 1", "version = 2")
    members = 'change-manager = { members = ["ada@example.org", '
    assert members in text
    place.write("policy/policy.toml", text.replace(members, f'{members}"bo@example.org", '))
    return "[policy.unapproved]"


def lowered_threshold(place: Site) -> str:
    propose(place, lambda text: text.replace("threshold = 2", "threshold = 1"))
    place.company.must("ada", "policy", "approve", "proposal", "--yes", "--no-push", directory=place.clone)
    lines = place.note(git(place.clone, "rev-parse", "proposal:policy"))
    git(place.clone, "switch", "--quiet", "-C", "main", "proposal")
    place.write("policy-approvals/2.jsonl", "".join(f"{line}\n" for line in lines))
    return "approved by ada@example.org of the 2 needed"


def unreadable_policy(place: Site) -> str:
    place.write("policy/policy.toml", "version = \n")
    return "[policy.unreadable]"


def policy_that_is_gone(place: Site) -> str:
    git(place.clone, "rm", "--quiet", "-r", "policy")
    git(place.clone, "commit", "--quiet", "-m", "no policy")
    return "the folder is gone"


def own_key_and_back(place: Site) -> str:
    text = (place.clone / "policy" / "allowed_signers").read_text()
    place.write("policy/allowed_signers", text.replace("ada@example.org ", "ada@example.org,bo@example.org "))
    place.write("policy/allowed_signers", text)
    return "changed the policy"


@pytest.mark.parametrize(
    "spoil",
    [
        stray_file,
        link,
        malformed,
        unknown_system,
        wrong_path,
        removed_change,
        removed_within_the_push,
        removed_by_a_merge,
        rewritten,
        put_aside,
        from_the_future,
        witness_of_nothing,
        witness_of_what_is_no_note,
        witness_of_notes_that_are_only_here,
        skipped_version,
        policy_without_approval,
        own_role,
        lowered_threshold,
        unreadable_policy,
        policy_that_is_gone,
        own_key_and_back,
    ],
)
def test_spoilt_branch_of_record_is_refused(site: Sites, spoil: Callable[[Site], str]) -> None:
    """What breaks the branch of record cannot get onto it, by whatever way; the pusher reads why."""
    place = site("requested")
    expected = spoil(place)
    assert expected in place.refused("--force", "origin", "main")


def test_documented_change_cannot_be_edited(site: Sites) -> None:
    """A documented change stays as it is: its request, its record, and that it has one."""
    place = site("documented")
    whole = (place.clone / place.file).read_text()
    place.edit(place.file, "It works.", "It works, mostly.")
    assert "[record.edited]" in place.refused("origin", "main")
    git(place.clone, "reset", "--quiet", "--hard", "origin/main")
    place.edit(place.file, "Both load balancers", "Both old balancers")
    assert "[record.request-changed]" in place.refused("origin", "main")
    git(place.clone, "reset", "--quiet", "--hard", "origin/main")
    place.write(place.file, whole[: whole.index("\n[record]")])
    assert "[record.removed]" in place.refused("origin", "main")
    place.write(place.file, whole)  # restored within the push: nobody is the worse for it
    assert place.taken("origin", "main") == ""


def test_record_by_hand_is_refused(site: Sites) -> None:
    """A record that its envelopes do not bear out is refused when it comes in."""
    place = site("validated")
    place.company.must("ada", "document", place.change, *DOCUMENT, "--no-push", directory=place.clone)
    text = (place.clone / place.file).read_text()
    git(place.clone, "reset", "--quiet", "--hard", "origin/main")
    assert 'by = "dee@example.org"' in text
    place.write(place.file, text.replace('by = "dee@example.org"', 'by = "cy@example.org"'))
    assert "[record.differs]" in place.refused("origin", "main")
    git(place.clone, "reset", "--quiet", "--hard", "origin/main")
    entries = text.split("[[record.sign_offs]]")
    place.write(place.file, "[[record.sign_offs]]".join(entries[:-1]))
    assert "[record.incomplete]" in place.refused("origin", "main")
    git(place.clone, "reset", "--quiet", "--hard", "origin/main")
    place.write(place.file, text)
    assert place.taken("origin", "main") == ""


def test_record_over_a_refusal_that_nothing_witnessed_is_refused(site: Sites) -> None:
    """The server has the notes, so a record that was made over a refusal in them does not come in."""
    place = site("validated")
    place.company.must("ada", "document", place.change, *DOCUMENT, "--no-push", directory=place.clone)
    late = place.company.root / "late"
    git(place.company.root, "clone", "--quiet", str(place.server), str(late))
    git(late, "config", "gitchange.introduction", git(place.clone, "config", "gitchange.introduction"))
    place.company.must("mo", "reject", place.change, "-m", "on second thought", directory=late)
    assert "[record.leaves-out]" in place.refused("origin", "main")


# -- refs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ref",
    [
        "refs/replace/" + "1" * 40,
        "refs/gitchange/verified/origin/approvals",
        "refs/notes/gitchange/approvals2",
        "refs/notes/gitchange",
        "refs/tags/main",
        "refs/heads/HEAD",
        "refs/tags/HEAD",
        "refs/heads/refs/heads/main",
        "refs/tags/refs/heads/main",
        "refs/heads/notes/gitchange/approvals",
        "refs/tags/notes/gitchange/approvals",
    ],
)
def test_refs_that_deceive_are_refused(site: Sites, ref: str) -> None:
    """No ref changes what others read, or has a name that they would take for another's; removing one is fine."""
    place = site("requested")  # without notes, which would keep some of these refs out anyway
    assert f"nobody may push {ref}" in place.refused("origin", f"main:{ref}")
    git(place.server, "update-ref", ref, git(place.server, "rev-parse", "refs/heads/main"))
    assert place.taken("origin", f":{ref}") == ""
    assert ref not in refs(place.server)


def test_alias_of_the_branch_of_record_is_refused(site: Sites) -> None:
    """A ref that stands for the branch of record on the server is no way around the hook."""
    place = site("approved")
    git(place.server, "symbolic-ref", "refs/heads/stable", "refs/heads/main")
    place.write("changes/stray.txt", "x\n")
    assert "another name of refs/heads/main" in place.refused("origin", "main:stable")


@pytest.mark.parametrize("options", [(), ("--atomic",)], ids=["plain", "atomic"])
def test_nothing_lands_of_a_push_with_one_bad_ref(site: Sites, options: tuple[str, ...]) -> None:
    """The hook judges a push as a whole: good refs beside a bad one stay out too, and can be pushed alone."""
    place = site("approved")
    git(place.clone, "branch", "feature")
    place.put(place.text, [*place.note(place.text), craft(place, "mo", "reject")])
    place.write("changes/stray.txt", "x\n")
    assert "change.stray-file" in place.refused(*options, "origin", "main", "feature", NOTES)
    assert place.taken("origin", "feature", NOTES) == ""


# -- the server -----------------------------------------------------------------------------------


def bare(root: Path) -> Path:
    """An empty server."""
    git(root, "init", "--quiet", "--bare", "--initial-branch=main", "empty.git")
    return root / "empty.git"


def test_first_push_brings_the_introduction(site: Sites, tmp_path: Path) -> None:
    """A valid `init` commit makes an empty repository a configuration repository; the hook asks to pin it."""
    place = site("documented")
    server = bare(tmp_path)
    guard(server, None)
    introduction = git(place.clone, "config", "gitchange.introduction")
    first = push(place.clone, str(server), f"{introduction}:refs/heads/main")
    assert first.code == 0, first.whole
    assert f"config gitchange.introduction {introduction}" in first.told
    whole = push(place.clone, str(server), "main", NOTES)
    assert whole.code == 0, whole.whole
    git(server, "config", "gitchange.introduction", introduction)
    place.write("README.md", "x\n")
    assert push(place.clone, str(server), "main").told == ""


def test_whole_history_can_be_pushed_at_once(site: Sites, tmp_path: Path) -> None:
    """A repository moves to a new server by one push: branch of record and notes together."""
    place = site("documented")
    server = bare(tmp_path)
    guard(server, git(place.clone, "config", "gitchange.introduction"))
    alone = push(place.clone, str(server), "main")
    assert "[witness.not-in-notes]" in alone.told
    assert push(place.clone, str(server), "main", NOTES).code == 0


def test_another_introduction_than_the_pinned_one_is_refused(site: Sites, tmp_path: Path) -> None:
    """A server that was told its introduction takes no other repository."""
    place = site("approved")
    server = bare(tmp_path)
    guard(server, "1" * 40)
    told = push(place.clone, str(server), "main", NOTES).told
    assert f"the pinned introduction {'1' * 40} is no part of refs/heads/main" in told
    assert refs(server) == ""


def test_what_is_no_configuration_repository_is_refused(tmp_path: Path) -> None:
    """The hook of a configuration repository takes no repository without a policy."""
    server = bare(tmp_path)
    guard(server, None)
    git(tmp_path, "init", "--quiet", "-b", "main", "other")
    other = tmp_path / "other"
    git(other, "-c", "user.name=X", "-c", "user.email=x@y", "commit", "--quiet", "--allow-empty", "-m", "x")
    done = push(other, str(server), "main")
    assert done.code != 0
    assert "this push could not be judged, and is refused" in done.told
    assert "this is no configuration repository" in done.told


def test_server_that_does_not_say_its_branch_of_record_takes_nothing(site: Sites, tmp_path: Path) -> None:
    """When HEAD names another branch than the policy, nobody would know what to guard; the mend is told."""
    place = site("approved")
    server = bare(tmp_path)
    guard(server, None)
    git(server, "symbolic-ref", "HEAD", "refs/heads/master")
    told = push(place.clone, str(server), "main", NOTES).told
    assert "[server.head]" in told
    assert "symbolic-ref HEAD refs/heads/main" in told
    told = push(place.clone, str(server), "main:master").told
    assert "the policy names refs/heads/main as the branch of record" in told
    assert refs(server) == ""
    git(server, "symbolic-ref", "HEAD", "refs/heads/main")
    assert push(place.clone, str(server), "main", NOTES).code == 0


def test_unpinned_server_keeps_its_introduction(site: Sites) -> None:
    """Without a pin the introduction that the server had stays: a policy that went and came back begins nothing."""
    place = site("approved")
    git(place.server, "config", "--unset", "gitchange.introduction")
    git(place.clone, "rm", "--quiet", "-r", "policy")
    git(place.clone, "commit", "--quiet", "-m", "no policy")
    git(place.clone, "checkout", "--quiet", "HEAD~1", "--", "policy")
    place.write(
        "policy/policy.toml", POLICY.replace('["ada@example.org", "eve@example.org"]', '["bo@example.org"]')
    )
    assert "[policy." in place.refused("origin", "main")


def test_what_cannot_be_judged_is_refused(site: Sites) -> None:
    """A server whose objects are damaged takes nothing, and says so."""
    place = site("approved")
    policy = git(place.server, "rev-parse", "main:policy/policy.toml")
    for pack in (place.server / "objects" / "pack").glob("*.pack"):
        moved = pack.rename(place.company.root / pack.name)
        pack.with_suffix(".idx").unlink()
        git(place.server, "unpack-objects", "-q", data=moved.read_bytes())
    before = refs(place.server)
    (place.server / "objects" / policy[:2] / policy[2:]).unlink()
    place.put(place.text, [*place.note(place.text), craft(place, "mo", "reject")])
    done = push(place.clone, "origin", NOTES)
    assert done.code != 0
    assert "gitchange: this push could not be judged, and is refused" in done.told
    assert f"the object {policy} is missing" in done.told
    assert refs(place.server) == before


def test_hook_by_hand(site: Sites) -> None:
    """Called as git never would, the hook says so; asked about nothing, it refuses nothing."""
    place = site("approved")

    def run(data: bytes, *options: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "gitchange", *options, "hook", "pre-receive"],
            cwd=place.server,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
            input=data,
            capture_output=True,
            check=False,
        )

    assert run(b"").returncode == 0
    nonsense = run(b"nonsense\n")
    assert nonsense.returncode == 2
    assert b"OLD NEW REF" in nonsense.stderr
    assert run(b"", "-C", str(place.server)).returncode == 2
    assert run(b"", GIT_NAMESPACE="x").returncode == 3


def test_pushes_begin_at_what_the_server_has(site: Sites) -> None:
    """A client that makes up what the server had gets no answer about it: two refs are judged as one push."""
    place = site("implemented")
    older, tip = (git(place.server, "rev-parse", name) for name in (f"{NOTES}~1", NOTES))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gitchange", "hook", "pre-receive"],
        cwd=place.server,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        input=f"{older} {tip} {NOTES}\n".encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"[ref.moved]" in done.stderr


def test_reasons_are_told_up_to_a_number(site: Sites) -> None:
    """A pusher reads the first reasons and how many more there are; what is somebody's text stays text."""
    place = site("requested")
    for number in range(25):
        (place.clone / "changes" / f"\x1b[31m{number:02}\ntoo").write_text("x")
    place.write("README.md", "x\n")
    told = place.refused("origin", "main")
    assert "refused, for 25 reasons" in told
    assert "and 5 more" in told
    assert told.count("[change.stray-file]") == 20
    assert "\\u{1b}[31m00 too" in told
    assert "\x1b[31m" not in told


def test_init_hook_prints_what_installs_it(site: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init --hook` changes nothing; its output, run by a shell on the server, guards the repository."""
    place = site("approved")
    hook = place.server / "hooks" / "pre-receive"
    hook.unlink()
    git(place.server, "config", "--unset", "gitchange.introduction")
    before = refs(place.server), (place.server / "config").read_text()
    here = gitchange(place.clone, "init", "--hook")
    assert here.code == 0, here.err
    assert "cd REPO.git\n" in here.out
    there = gitchange(place.server, "init", "--hook")
    assert there.code == 0, there.err
    assert (refs(place.server), (place.server / "config").read_text()) == before
    assert not hook.exists()
    subprocess.run(["sh", "-eu"], input=there.out.encode(), cwd="/", check=True)
    introduction = git(place.clone, "config", "gitchange.introduction")
    assert git(place.server, "config", "gitchange.introduction") == introduction
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    place.write("changes/stray.txt", "x\n")
    assert "change.stray-file" in place.refused("origin", "main")
    assert gitchange(place.clone, "init", "--hook", "--title", "x").code == 2


# -- the adversary's cases ------------------------------------------------------------------------


def attack_of(name: str) -> str:
    """What the adversary of a case types."""
    return (FOLDER / name / "attack.sh").read_text()


@pytest.mark.parametrize("name", [name for name in CASES if "$SERVER" not in attack_of(name)])
def test_what_a_guarded_server_takes_verifies(
    worlds: Callable[[str], World],  # noqa: F811
    tmp_path: Path,
    name: str,
) -> None:
    """Each attack of the threat model is refused with its reason, or changes nothing that `verify` would object to."""
    case = tomllib.loads((FOLDER / name / "expected.toml").read_text())
    world = worlds(case["setup"]).copied(tmp_path / "world")
    attacker = case.get("attacker", ATTACKER)
    guard(world.root / "server.git", world.introduction)
    world.become(attacker, world.root / "attacker")
    out = tmp_path / "out"
    out.touch()
    done = subprocess.run(
        ["bash", str(FOLDER / name / "attack.sh")],
        env={**os.environ, **world.words(attacker), "OUT": str(out), "PATH": world.path()},
        cwd=world.root / "attacker",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        assert "remote: gitchange: this push " in done.stderr, done.stdout + done.stderr
    world.clone("fresh")
    found = gitchange(world.root / "fresh", "verify", "--json")
    assert found.code == 0, found.out
    breaches = [
        check
        for check in case["check"]
        if check["run"] == "verify" and check["where"] == "fresh" and check["after"]["exit"]
    ]
    assert done.returncode != 0 or not breaches, (
        "`verify` would find this attack, so the server must refuse it"
    )
