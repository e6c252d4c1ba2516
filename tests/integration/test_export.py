"""`export`: a zip that verifies itself with stock tools, for changes of every kind, and against whoever forges it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitchange.model.statement import MEANINGS, VERDICTS
from tests.company import POLICY, Company, found, git, gitchange
from tests.integration.test_policy import adopt, propose

TOOLS = (
    *(
        "awk",
        "base64",
        "cat",
        "cmp",
        "cp",
        "cut",
        "dirname",
        "find",
        "fold",
        "grep",
        "head",
        "ls",
        "mkdir",
        "mktemp",
    ),
    *(
        "od",
        "printf",
        "rm",
        "sed",
        "sh",
        "sha1sum",
        "sha256sum",
        "sort",
        "ssh-keygen",
        "touch",
        "tr",
        "uniq",
        "wc",
    ),
    "xargs",
)
"""All that the script may use."""
STANDARD = (
    *("--type", "standard", "--model", "dependency-update", "--system", "website"),
    *("--risk", "It breaks :: availability :: rare :: minor :: roll it back"),
)
EMERGENCY = ("--type", "emergency", "--incident", "INC-1", "--justification", "It is down.")
NASTY = (
    "It \"expires\" $(touch pwned) `id` 'quoted' \\u0022 \\ -n %s\n"
    "second line\t</script><img src=x onerror=alert(1)>"
)


@dataclass(frozen=True)
class Evidence:
    """An export that was unpacked, of a company that is still there."""

    company: Company
    folder: Path
    changes: dict[str, str]
    """The changes by what is special about them."""
    heads: list[str] = field(default_factory=list)

    def verify(self, *pins: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the script with nothing but the stock tools, in an empty home."""
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return subprocess.run(
            ["/bin/sh", str(self.folder / "verify.sh"), *pins],
            cwd=home,
            env={"PATH": str(path or tools(self.folder.parent)), "HOME": str(home)},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def change(self, name: str) -> Path:
        """The folder of a change."""
        return self.folder / "changes" / self.changes[name]

    def sign_offs(self, name: str) -> Path:
        """The sign-offs on the current text of a change."""
        text = git_id((self.change(name) / "request.toml").read_bytes())
        return self.change(name) / "sign-offs" / f"{text}.jsonl"

    def forge_manifest(self) -> None:
        """What a forger does first: the manifest is made anew."""
        files = (p for p in self.folder.rglob("*") if p.is_file() and p.name != "manifest.sha256")
        lines = sorted(
            f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(self.folder)}\n" for p in files
        )
        (self.folder / "manifest.sha256").write_text("".join(lines))


def git_id(data: bytes) -> str:
    """Git's id of a file."""
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()  # noqa: S324 - it is git's


def tools(root: Path) -> Path:
    """A folder of the stock tools alone: no git, no python, no gitchange."""
    folder = root / "stock-tools"
    if not folder.exists():
        folder.mkdir()
        for name in TOOLS:
            where = shutil.which(name)
            assert where is not None, name
            (folder / name).symlink_to(where)
    return folder


def export(company: Company, output: Path, *changes: str) -> Path:
    """The zip."""
    done = gitchange(company.repo, "export", *changes, "--output", str(output))
    borne_out = gitchange(company.repo, "verify", "--json").json["verdict"] == "ok"
    assert done.code == (0 if borne_out else 1), done.out + done.err
    assert ("not everything" in done.out) != borne_out
    return output


def unpack(zipped: Path, folder: Path) -> Path:
    """What is in it."""
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A change of every kind, under three policies, the last of which calls a key compromised."""
    root = tmp_path_factory.mktemp("exported")
    company = found(root)
    made = {"documented": company.documented()}
    made["twice"] = change = company.request(
        "bo", "--reason", NASTY, "--title", "Rotate <b>it</b> 'now' $HOME"
    )
    company.must("mo", "reject", change, "--yes", "-m", "not like this")
    company.must("mo", "seal")
    company.must("mo", "approve", change, "--yes", "-m", NASTY)
    policy = POLICY.replace("version = 1", "version = 2") + '\n[deadlines]\nevaluation = "3d"\n'
    adopt(company, propose(company, policy))
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", NASTY)
    company.must("ada", "document", change, "--outcome", "successful", "--summary", NASTY)
    made["rejected"] = change = company.request()
    company.must("mo", "reject", change, "--yes", "-m", "no")
    company.must("mo", "seal")
    made["emergency"] = change = company.request("bo", *EMERGENCY)
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("ada", "approve", change, "--yes")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "it is up")
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It is up.")
    made["debt"] = change = company.request("bo", *EMERGENCY)
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    made["standard"] = change = company.request("bo", *STANDARD)
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked")
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    made["backed out"] = change = company.request()
    company.must("ada", "approve", change, "--yes")
    company.must("bo", "implement", change, "--backed-out", "-m", "it did not start")
    made["edited"] = change = company.request()
    company.must("ada", "approve", change, "--yes")
    file = company.repo / f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"
    file.write_text(file.read_text().replace("It expires.", "It expires soon."))
    company.become("bo")
    git(company.repo, "commit", "--quiet", "-am", "say when")
    made["early"] = company.request()
    company.must("mo", "approve", made["early"], "--yes")
    company.must("mo", "seal")
    made["stolen"] = company.request()
    company.must("mo", "approve", made["stolen"], "--yes")
    company.must("ada", "seal")
    since = git(company.repo, "rev-parse", "main")
    key = re.search(r"SHA256:\S+", company.must("mo", "show", made["stolen"]).out)
    assert key is not None
    entry = f'\n[[compromised]]\nkey = "{key[0]}"\nsince = "{since}"\nreason = "the laptop was stolen"\n'
    adopt(company, propose(company, policy.replace("version = 2", "version = 3") + entry, "third"))
    made["requested"] = company.request()
    made["open"] = company.request()
    company.must("ada", "approve", made["open"], "--yes")
    folder = unpack(export(company, root / "evidence.zip", *made.values()), root / "evidence")
    notes = git(company.repo, "rev-parse", "refs/notes/gitchange/approvals")
    introduction = git(company.repo, "config", "gitchange.introduction")
    heads = [introduction, git(company.repo, "rev-parse", "main"), notes]
    return Evidence(company, folder, made, heads)


@pytest.fixture
def evidence(original: Evidence, tmp_path: Path) -> Evidence:
    """A copy that a test may spoil."""
    shutil.copytree(original.folder, tmp_path / "evidence")
    return Evidence(original.company, tmp_path / "evidence", original.changes, original.heads)


def test_changes_of_every_kind_hold(original: Evidence) -> None:
    """The script needs the stock tools alone, and finds of every change what gitchange found."""
    done = original.verify(*original.heads)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert not [line for line in lines if line.startswith("NOT OK")]
    for name, change in original.changes.items():
        status = original.company.show(change)["status"]
        assert f"--      {change}: gitchange says {status}" in lines, name
        assert (
            f"ok      {change}: change.toml is the file that stands in commit {original.heads[1][:12]}"
            in lines
        )
    assert "ok      policy 3: approved under policy 2 by ada@example.org, eve@example.org" in lines
    assert not (original.folder.parent / "home" / "pwned").exists()
    assert not (original.folder / "pwned").exists()


def said(done: subprocess.CompletedProcess[str], change: str) -> list[str]:
    """What the script says of one change, without the change."""
    return [line.split(": ", 1)[1] for line in done.stdout.splitlines() if f" {change}: " in line]


def test_each_sign_off_is_told_with_its_policy_and_its_witness(original: Evidence) -> None:
    """Whose it is, in which role, by which policy, and which commit witnessed it; what does not count is told too."""
    done = original.verify()
    shown = original.company.show(original.changes["twice"])
    for sign_off in shown["sign_offs"]:
        words = f"{sign_off['verdict']} by {sign_off['by']} as {sign_off['role']}"
        under = f"good under policy {sign_off['policy_version']}, witnessed by {sign_off['witness'][:12]}"
        (told,) = [line for line in said(done, original.changes["twice"]) if line.startswith(words)]
        assert under in told
    assert any("reject by mo@" in line for line in said(done, original.changes["twice"]))
    assert any(
        "on an earlier text: approve by ada@" in f": {line}"
        for line in said(done, original.changes["edited"])
    )
    (stolen,) = [line for line in said(done, original.changes["stolen"]) if "compromised" in line]
    assert "gitchange does not count it either" in stolen
    assert any("good under policy 2" in line for line in said(done, original.changes["early"]))
    assert any("not witnessed yet" in line for line in said(done, original.changes["open"]))


def test_the_same_commits_give_the_same_bytes(original: Evidence, tmp_path: Path) -> None:
    """Made twice, at another time and from a bare clone, it is the same file."""
    changes = original.changes.values()
    again = export(original.company, tmp_path / "again.zip", *reversed(list(changes)))
    assert again.read_bytes() == (original.folder.parent / "evidence.zip").read_bytes()
    git(tmp_path, "clone", "--quiet", "--bare", str(original.company.repo), "bare.git")
    bare = tmp_path / "bare.git"
    git(bare, "fetch", "--quiet", "origin", "+refs/notes/gitchange/*:refs/notes/gitchange/*")
    git(bare, "config", "gitchange.introduction", original.heads[0])
    other = export(Company(tmp_path, bare), tmp_path / "bare.zip", *changes)
    assert other.read_bytes() == again.read_bytes()


def test_pins_are_compared(original: Evidence) -> None:
    """Whoever knows the ids gives them; another introduction, tip or notes is not this evidence."""
    for place in range(3):
        pins = list(original.heads)
        pins[place] = "1" * 40
        done = original.verify(*pins)
        assert done.returncode == 1
        assert "1" * 40 in done.stdout


# -- forging -----------------------------------------------------------------------------------


def replaced(path: Path, old: bytes, new: bytes) -> None:
    """Put other bytes in a file."""
    data = path.read_bytes()
    assert old in data, path
    path.write_bytes(data.replace(old, new, 1))


def flip(path: Path, at: int = -20) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


def flip_an_envelope(evidence: Evidence) -> None:
    path = evidence.sign_offs("documented")
    line = path.read_bytes().split(b"\n")[0]
    payload = json.loads(line)["payload"]
    middle = len(payload) // 2
    other = payload[:middle] + ("A" if payload[middle] != "A" else "B") + payload[middle + 1 :]
    replaced(path, payload.encode(), other.encode())


def flip_a_signature(evidence: Evidence) -> None:
    path = evidence.sign_offs("documented")
    signature = json.loads(path.read_bytes().split(b"\n")[0])["signatures"][0]["sig"]
    raw = bytearray(base64.b64decode(signature))
    raw[-5] ^= 1
    replaced(path, signature.encode(), base64.b64encode(raw))


def edit_the_request(evidence: Evidence) -> None:
    for name in ("request.toml", "change.toml"):
        replaced(evidence.change("documented") / name, b"It expires.", b"It exploded")


def edit_all_copies_of_the_request(evidence: Evidence) -> None:
    edit_the_request(evidence)
    old = next((evidence.change("documented") / "texts").iterdir())
    replaced(old, b"It expires.", b"It exploded")
    new = git_id(old.read_bytes())
    old.rename(old.with_name(f"{new}.toml"))
    signed = next((evidence.change("documented") / "sign-offs").iterdir())
    replaced(evidence.change("documented") / "change.toml", signed.stem.encode(), new.encode())
    witnesses = evidence.change("documented") / "witnesses"
    witnesses.write_text(witnesses.read_text().replace(signed.stem, new))
    signed.rename(signed.with_name(f"{new}.jsonl"))


def edit_the_record(evidence: Evidence) -> None:
    replaced(evidence.change("documented") / "change.toml", b"It works.", b"It shines")


def add_a_member(evidence: Evidence) -> None:
    replaced(
        evidence.folder / "policy/2/policy.toml", b'["ada@example.org", "mo@', b'["bo@example.org", "mo@'
    )


def exchange_a_key(evidence: Evidence) -> None:
    path = evidence.folder / "policy/1/allowed_signers"
    lines = path.read_text().splitlines()
    keys = [line.split()[-1] for line in lines]
    path.write_text("\n".join([lines[0].replace(keys[0], keys[2]), *lines[1:]]) + "\n")


def add_a_file_to_a_policy(evidence: Evidence) -> None:
    (evidence.folder / "policy/2/models/more.toml").write_text('title = "Anything"\n')


def drop_a_file_of_a_policy(evidence: Evidence) -> None:
    (evidence.folder / "policy/2/models/dependency-update.toml").unlink()


def drop_an_approval_of_a_policy(evidence: Evidence) -> None:
    path = evidence.folder / "policy-approvals/2.jsonl"
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")


def approve_twice_by_one(evidence: Evidence) -> None:
    path = evidence.folder / "policy-approvals/2.jsonl"
    line = path.read_bytes().split(b"\n")[0] + b"\n"
    path.write_bytes(line * 2)


def drop_a_policy(evidence: Evidence) -> None:
    path = evidence.folder / "policies"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if line[0] != "2"))
    shutil.rmtree(evidence.folder / "policy/2")
    (evidence.folder / "policy-approvals/2.jsonl").unlink()


def swap_two_files(evidence: Evidence) -> None:
    one, other = evidence.change("documented") / "change.toml", evidence.change("emergency") / "change.toml"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def swap_two_changes(evidence: Evidence) -> None:
    one, other, aside = evidence.change("documented"), evidence.change("emergency"), evidence.folder / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def without_line(evidence: Evidence, name: str, word: str) -> None:
    """Leave one sign-off out, and every word about it."""
    path, witnesses = evidence.sign_offs(name), evidence.change(name) / "witnesses"
    lines = path.read_text().splitlines()
    kept = [line for line in lines if word not in base64.b64decode(json.loads(line)["payload"]).decode()]
    assert len(kept) == len(lines) - 1
    rows = {tuple(row.split("\t")[:2]): row for row in witnesses.read_text().splitlines()}
    path.write_text("".join(f"{line}\n" for line in kept))
    told = [row for (text, _), row in rows.items() if text != path.stem]
    for number, line in enumerate(kept, 1):
        row = rows[path.stem, str(lines.index(line) + 1)].split("\t")
        told.append("\t".join([row[0], str(number), *row[2:]]))
    witnesses.write_text("".join(f"{row}\n" for row in told))


def leave_a_rejection_out(evidence: Evidence) -> None:
    without_line(evidence, "rejected", '"reject"')
    replaced(evidence.change("rejected") / "verdict.json", b'"status": "rejected"', b'"status": "requested"')


def leave_a_rejection_and_its_notes_out(evidence: Evidence) -> None:
    """The notes' tip is told to be an earlier one, which had no rejection yet."""
    text = evidence.sign_offs("rejected").stem
    leave_a_rejection_out(evidence)
    repo = evidence.company.repo
    for commit in git(repo, "rev-list", "refs/notes/gitchange/approvals").splitlines():
        listed = git(repo, "ls-tree", "-r", "--name-only", commit).replace("/", "")
        if text not in listed:
            break
    heads = evidence.folder / "heads"
    heads.write_text(re.sub(r"(?m)^notes .*", f"notes {commit}", heads.read_text()))
    for oid in (commit, *(line.split()[2] for line in git(repo, "ls-tree", "-r", "-t", commit).splitlines())):
        add_object(evidence, oid)
    add_object(evidence, git(repo, "rev-parse", f"{commit}^{{tree}}"))


def add_object(evidence: Evidence, oid: str) -> None:
    """A genuine object of the repository."""
    kind = git(evidence.company.repo, "cat-file", "-t", oid)
    data = subprocess.run(
        ["git", "-C", str(evidence.company.repo), "cat-file", kind, oid], capture_output=True, check=True
    ).stdout
    (evidence.folder / "objects" / kind / oid).write_bytes(b"%b %d\0%b" % (kind.encode(), len(data), data))


def leave_every_notes_out_that_has_a_rejection(evidence: Evidence) -> None:
    """As before, and the objects that would tell of it are not there, either."""
    leave_a_rejection_and_its_notes_out(evidence)
    repo, text = evidence.company.repo, evidence.sign_offs("rejected").stem
    for commit in git(repo, "rev-list", "refs/notes/gitchange/approvals").splitlines():
        if text in git(repo, "ls-tree", "-r", "--name-only", commit).replace("/", ""):
            (evidence.folder / "objects" / "commit" / commit).unlink(missing_ok=True)


def leave_an_approval_out(evidence: Evidence) -> None:
    without_line(evidence, "documented", '"approve"')


def take_a_sign_off_of_another_change(evidence: Evidence) -> None:
    path, other = evidence.sign_offs("open"), evidence.sign_offs("backed out")
    line = next(
        x
        for x in other.read_text().splitlines()
        if b'"approve"' in base64.b64decode(json.loads(x)["payload"])
    )
    path.write_text(f"{line}\n")


def flip_an_object(evidence: Evidence) -> None:
    flip(next((evidence.folder / "objects" / "commit").iterdir()))


def drop_the_folder_of_a_witness(evidence: Evidence) -> None:
    (path,) = (
        evidence.folder / "objects" / "commit" / row.split("\t")[4]
        for row in (evidence.change("rejected") / "witnesses").read_text().splitlines()
    )
    tree = path.read_bytes().split(b"tree ", 1)[1][:40].decode()
    parent = path.read_bytes().split(b"\nparent ", 1)[1][:40].decode()
    before = (
        (evidence.folder / "objects" / "commit" / parent).read_bytes().split(b"tree ", 1)[1][:40].decode()
    )
    for oid in {tree, before}:
        (evidence.folder / "objects" / "tree" / oid).unlink(missing_ok=True)


def cut_the_line(evidence: Evidence) -> None:
    (evidence.folder / "objects" / "commit" / git(evidence.company.repo, "rev-parse", "main~5")).unlink()


def name_a_later_witness(evidence: Evidence) -> None:
    """The approval was witnessed under policy 1; it is told to be witnessed under a later one."""
    path = evidence.change("twice") / "witnesses"
    rows = [row.split("\t") for row in path.read_text().splitlines()]
    later = max(
        (row[4] for row in rows), key=lambda c: int(git(evidence.company.repo, "rev-list", "--count", c))
    )
    path.write_text("".join("\t".join([*row[:4], later]) + "\n" for row in rows))


def name_a_later_witness_and_drop_the_notes_between(evidence: Evidence) -> None:
    """The same, and the notes that were witnessed between are not there."""
    path = evidence.change("twice") / "witnesses"
    before = {row.split("\t")[4] for row in path.read_text().splitlines()}
    name_a_later_witness(evidence)
    after = path.read_text().splitlines()[0].split("\t")[4]
    repo = evidence.company.repo
    kept = git(repo, "log", "-1", "--format=%(trailers:key=Approvals,valueonly)", after).strip()
    for commit in before - {after}:
        for later in git(repo, "rev-list", f"{commit}^..{after}^").splitlines():
            notes = git(repo, "log", "-1", "--format=%(trailers:key=Approvals,valueonly)", later).strip()
            if notes and notes != kept:
                (evidence.folder / "objects" / "commit" / notes).unlink(missing_ok=True)


def name_no_witness(evidence: Evidence) -> None:
    """The approval was witnessed when a policy was in force; it is told to be of now."""
    path = evidence.change("early") / "witnesses"
    path.write_text(re.sub("notes\t[0-9a-f]+", "none\t-", path.read_text()))


def count_what_is_compromised(evidence: Evidence) -> None:
    path = evidence.change("stolen") / "witnesses"
    path.write_text(path.read_text().replace("doubt", "counts"))


def say_that_it_is_approved(evidence: Evidence) -> None:
    replaced(evidence.change("rejected") / "verdict.json", b'"status": "rejected"', b'"status": "approved"')


def say_that_nobody_refused(evidence: Evidence) -> None:
    replaced(evidence.change("requested") / "verdict.json", b'"status": "requested"', b'"status": "approved"')


def say_that_it_is_documented(evidence: Evidence) -> None:
    replaced(evidence.change("open") / "verdict.json", b'"status": "approved"', b'"status": "documented"')


def call_a_sign_off_doubtful(evidence: Evidence) -> None:
    path = evidence.change("documented") / "witnesses"
    path.write_text(path.read_text().replace("counts", "doubt"))
    flip_a_signature(evidence)


def count_the_stale_one(evidence: Evidence) -> None:
    """The approval of an earlier text is put on the current one."""
    stale = next((evidence.change("edited") / "sign-offs").iterdir())
    current = git_id((evidence.change("edited") / "request.toml").read_bytes())
    stale.rename(stale.with_name(f"{current}.jsonl"))
    text = next((evidence.change("edited") / "texts").iterdir())
    (text.parent / f"{current}.toml").write_bytes((evidence.change("edited") / "request.toml").read_bytes())
    path = evidence.change("edited") / "witnesses"
    path.write_text(path.read_text().replace(stale.stem, current))
    replaced(evidence.change("edited") / "verdict.json", b'"status": "requested"', b'"status": "approved"')


def forget_a_touch(evidence: Evidence) -> None:
    (
        evidence.folder / "objects" / "commit" / (evidence.change("documented") / "commits").read_text()[:40]
    ).unlink()


FORGERIES: tuple[Callable[[Evidence], None], ...] = (
    flip_an_envelope,
    flip_a_signature,
    edit_the_request,
    edit_all_copies_of_the_request,
    edit_the_record,
    add_a_member,
    exchange_a_key,
    add_a_file_to_a_policy,
    drop_a_file_of_a_policy,
    drop_an_approval_of_a_policy,
    approve_twice_by_one,
    drop_a_policy,
    swap_two_files,
    swap_two_changes,
    leave_a_rejection_out,
    leave_a_rejection_and_its_notes_out,
    leave_every_notes_out_that_has_a_rejection,
    leave_an_approval_out,
    take_a_sign_off_of_another_change,
    flip_an_object,
    drop_the_folder_of_a_witness,
    cut_the_line,
    name_a_later_witness,
    name_a_later_witness_and_drop_the_notes_between,
    name_no_witness,
    count_what_is_compromised,
    say_that_it_is_approved,
    say_that_nobody_refused,
    say_that_it_is_documented,
    call_a_sign_off_doubtful,
    count_the_stale_one,
    forget_a_touch,
)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_forgeries_are_caught(evidence: Evidence, forge: Callable[[Evidence], None]) -> None:
    """Whatever is changed is caught with the manifest made anew, and never called ok."""
    forge(evidence)
    evidence.forge_manifest()
    done = evidence.verify(*evidence.heads[:2])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "files are those of the manifest" in done.stdout
    assert "NOT OK" in done.stdout
    assert "Everything that is here holds" not in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "heads",
        "policies",
        "README.txt",
        "VERIFY.md",
        "policy/1/systems.toml",
        "changes/*/page.html",
        "changes/*/commits",
    ],
)
def test_a_file_that_is_not_that_of_the_manifest_is_named(evidence: Evidence, name: str) -> None:
    """One byte of any file, also of those that are only for reading."""
    path = next(iter(sorted(evidence.folder.glob(name))))
    path.write_bytes(path.read_bytes() + b"\n")
    done = evidence.verify()
    assert done.returncode == 1
    assert f"files are not those of the manifest: {path.relative_to(evidence.folder)}" in done.stdout


def test_every_file_is_in_the_manifest(evidence: Evidence) -> None:
    """A file that is added, a link or a strange name is not passed over."""
    (evidence.folder / "more.txt").write_text("trust me\n")
    assert "the manifest does not name each file once" in evidence.verify().stdout
    (evidence.folder / "more.txt").unlink()
    assert evidence.verify().returncode == 0
    (evidence.folder / "page.html").symlink_to("/etc/hostname")
    assert "something else than files" in evidence.verify().stdout
    (evidence.folder / "page.html").unlink()
    (evidence.folder / "a\nb").write_text("")
    assert "a name with a" in evidence.verify().stdout
    (evidence.folder / "a\nb").unlink()
    manifest = evidence.folder / "manifest.sha256"
    manifest.write_text(manifest.read_text() + f"{'0' * 64}  ../outside\n")
    assert evidence.verify().returncode == 1


def texts_of(folder: Path) -> Iterator[str]:
    """Every page."""
    for page in folder.glob("changes/*/page.html"):
        yield page.read_text()


def test_pages_load_nothing_and_run_nothing(original: Evidence) -> None:
    """Whatever people wrote is text in the page, which has no script and no address that would be loaded."""
    pages = list(texts_of(original.folder))
    assert len(pages) == len(original.changes)
    for page in pages:
        assert "<script" not in page
        assert "<img" not in page
        assert "<link" not in page
        assert not re.search(r"""(?:src|url)\s*[=(]""", page.replace("src=x onerror", "").replace("curl", ""))
        assert "default-src 'none'" in page
    (nasty,) = [page for page in pages if "&lt;b&gt;it&lt;/b&gt;" in page]
    assert "onerror" in nasty


def test_the_script_has_every_meaning(original: Evidence) -> None:
    """Verdicts and the sentences that are signed with them are those of the program."""
    script = (original.folder / "verify.sh").read_text()
    told = dict(re.findall(r'^  meaning\["(.*?)"\] = "(.*)"$', script, re.MULTILINE))
    assert told == MEANINGS
    pairs = {
        tuple(pair.split())
        for pair in re.findall(r'split\("(evaluation approve,[^"]*)"', script)[0].split(",")
    }
    assert pairs == {(step, verdict) for step, verdicts in VERDICTS.items() for verdict in verdicts}


def test_a_sample_is_exported_with_how_it_was_drawn(original: Evidence, tmp_path: Path) -> None:
    """The zip of a sample has the changes that `sample` draws, and the sample's own JSON."""
    options = ("--period", "2020-01-01..2099-12-31", "--size", "3", "--seed", "x")
    drawn = gitchange(original.company.repo, "sample", *options, "--json").json
    done = gitchange(original.company.repo, "export", "--sample", *options, "-o", str(tmp_path / "s.zip"))
    assert done.code == (0 if drawn["complete"] else 1), done.err
    folder = unpack(tmp_path / "s.zip", tmp_path / "evidence")
    assert json.loads((folder / "sample.json").read_text()) == drawn
    assert {path.name for path in (folder / "changes").iterdir()} == set(drawn["sample"])
    evidence = Evidence(original.company, folder, {})
    checked = evidence.verify(*original.heads)
    assert checked.returncode == 0, checked.stdout
    assert "are the first 3 of the" in checked.stdout
    # Another is put in the place of one that was drawn.
    others = set(drawn["population"]["ids"]) - set(drawn["sample"])
    shutil.rmtree(folder / "changes" / drawn["sample"][0])
    unpack(export(original.company, tmp_path / "o.zip", min(others)), tmp_path / "other")
    shutil.copytree(tmp_path / "other" / "changes", folder / "changes", dirs_exist_ok=True)
    shutil.copytree(tmp_path / "other" / "objects", folder / "objects", dirs_exist_ok=True)
    evidence.forge_manifest()
    checked = evidence.verify(*original.heads)
    assert checked.returncode == 1
    (wrong,) = [line for line in checked.stdout.splitlines() if line.startswith("NOT OK")]
    assert "not those that the seed draws" in wrong


def test_a_file_that_is_there_stays_unless_it_may_go(original: Evidence, tmp_path: Path) -> None:
    """Nothing is overwritten unasked, and nothing is left behind."""
    output = tmp_path / "e.zip"
    output.write_text("mine")
    change = original.changes["documented"]
    done = gitchange(original.company.repo, "export", change, "-o", str(output))
    assert done.code == 2
    assert output.read_text() == "mine"
    assert gitchange(original.company.repo, "export", change, "-o", str(output), "--force").code == 0
    assert zipfile.is_zipfile(output)
    assert [path.name for path in tmp_path.iterdir()] == ["e.zip"]


def test_what_cannot_be_exported_is_named_at_once(original: Evidence, tmp_path: Path) -> None:
    """Unknown changes are all named, and no file is written."""
    output = tmp_path / "e.zip"
    done = gitchange(
        original.company.repo, "export", "CHG-20200101-AAAA", "CHG-20200101-BBBB", "-o", str(output)
    )
    assert done.code == 2
    assert "CHG-20200101-AAAA" in done.err
    assert "CHG-20200101-BBBB" in done.err
    assert not output.exists()
    for options in (
        (),
        ("--sample",),
        ("--sample", "CHG-20200101-AAAA"),
        ("CHG-20200101-AAAA", "--seed", "x"),
    ):
        assert gitchange(original.company.repo, "export", *options, "-o", str(output)).code == 2


def test_an_unreadable_change_is_exported_as_what_it_is(tmp_path: Path) -> None:
    """A file that is no change is shown to stand on the branch of record; nothing else is claimed of it."""
    company = found(tmp_path)
    change = company.request()
    file = company.repo / f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"
    file.write_text("schema = 1\n")
    git(company.repo, "commit", "--quiet", "-am", "spoil it")
    folder = unpack(export(company, tmp_path / "e.zip", change), tmp_path / "evidence")
    done = Evidence(company, folder, {}).verify()
    assert done.returncode == 0, done.stdout
    assert "gitchange could not judge it" in done.stdout


def test_a_record_that_no_trailer_witnessed_is_its_own_witness(tmp_path: Path) -> None:
    """A forge that squashes drops trailers: the commit that holds the record witnesses the sign-offs in it."""
    company = found(tmp_path)
    change = company.documented()
    repo = company.become("ada")
    git(repo, "commit", "--quiet", "--amend", "-m", "Squashed by a forge")
    assert company.show(change)["status"] == "documented"
    folder = unpack(export(company, tmp_path / "e.zip", change), tmp_path / "evidence")
    assert set((folder / "changes" / change / "witnesses").read_text().split("\n")[0].split("\t")) >= {
        "record"
    }
    done = Evidence(company, folder, {}).verify()
    assert done.returncode == 0, done.stdout
    assert "validate by dee@example.org as system-user: good under policy 1" in done.stdout


def test_a_waiver_is_told(tmp_path: Path) -> None:
    """Who approves an own request by a waiver is told, with its reason."""
    waiver = """
[[waivers]]
waives = "evaluator-is-requester"
reason = "We are few in August."
expires = 2099-09-01T00:00:00+02:00
systems = ["api", "database"]

[[waivers]]
waives = "evaluator-is-author"
reason = "We are few in August."
expires = 2099-09-01 00:00:00Z
"""
    company = found(tmp_path, POLICY + waiver)
    change = company.request("ada")
    company.complete(change)
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    assert "waived: evaluator-is-requester" in company.show(change)["flags"]
    folder = unpack(export(company, tmp_path / "e.zip", change), tmp_path / "evidence")
    done = Evidence(company, folder, {}).verify()
    assert done.returncode == 0, done.stdout
    assert "policy 1 waives evaluator-is-requester: We are few in August." in done.stdout


def test_notes_that_are_not_here_are_asked_for(tmp_path: Path) -> None:
    """From a clone without notes nobody could tell what was left out, so there is no evidence from it."""
    company = found(tmp_path)
    change = company.documented()
    git(tmp_path, "clone", "--quiet", str(company.repo), "clone")
    done = gitchange(tmp_path / "clone", "export", change, "-o", str(tmp_path / "e.zip"))
    assert done.code == 3
    assert "gitchange sync" in done.err
