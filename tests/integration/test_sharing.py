"""A shared bare repository and clones: what one person signs, everybody has; nothing is lost on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchange.errors import RemoteError
from gitchange.git import program
from gitchange.git.repository import Repository
from gitchange.ledger import remote
from tests.company import Company, git, gitchange

from .conftest import Scene, Shared, Take, copied

REF = "refs/notes/gitchange/approvals"
IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")
DOCUMENT = ("--outcome", "successful", "--summary", "It works.")

Make = Callable[..., Shared]


def status(where: Path, change: str) -> str:
    return str(gitchange(where, "show", change, "--json").json["status"])


def has(where: Path, ref: str) -> str:
    return git(where, "for-each-ref", "--format=%(objectname)", ref)


def test_five_people_five_clones(shared: Make) -> None:
    """Each signs in an own clone, and the shared repository has it all without anybody typing `git push`."""
    place = shared("founded", "ada", "bo", "dee", "cy")
    company, clone = place.company, place.clone
    change = company.request("bo", directory=clone["bo"])
    company.must("ada", "sync", directory=clone["ada"])
    company.must("ada", "approve", change, "-y", "-m", "go", directory=clone["ada"])
    company.must("bo", "implement", change, *IMPLEMENT, directory=clone["bo"])
    company.must("dee", "validate", change, *VALIDATE, directory=clone["dee"])
    company.must("cy", "document", change, *DOCUMENT, directory=clone["cy"])
    assert status(place.server, change) == "documented"
    for person, where in clone.items():
        company.must(person, "sync", directory=where)
        assert status(where, change) == "documented"
        assert company.must(person, "verify", directory=where)
        assert git(where, "status", "--porcelain") == ""
    assert {has(where, REF) for where in clone.values()} == {has(place.server, REF)}


def test_signing_fetches_first(shared: Make) -> None:
    """Whoever signs sees what others have signed and requested, without syncing before."""
    place = shared("requested", "ada", "bo")
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=place.clone["ada"])
    place.company.must("bo", "implement", place.change, *IMPLEMENT, directory=place.clone["bo"])
    fresh = place.company.request("ada", directory=place.clone["ada"])
    assert place.company.do("bo", "withdraw", fresh, "-m", "x", directory=place.clone["bo"]).code == 1
    assert status(place.clone["bo"], fresh) == "requested"


def test_no_push_waits_for_sync(shared: Make) -> None:
    """With --no-push a sign-off stays here, is told to be here, and `sync` sends it."""
    place = shared("requested", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", "--no-push", directory=ada)
    assert status(ada, place.change) == "approved"
    assert has(place.server, REF) == ""
    done = place.company.must("ada", "sync", directory=ada)
    assert f"sent {REF} to origin" in done.out
    assert has(place.server, REF) == has(ada, REF)
    assert "up to date with origin" in place.company.must("ada", "sync", directory=ada).out
    done = place.company.must("bo", "sync", directory=bo)
    assert "received 1 notes commit(s)" in done.out
    assert status(bo, place.change) == "approved"


def test_offline_signs_and_says_what_waits(shared: Make) -> None:
    """Without the remote one still signs; what is only here is told, and `sync` says it with its exit code."""
    place = shared("requested", "ada")
    ada = place.clone["ada"]
    away = place.server.rename(place.server.with_name("away.git"))
    done = place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=ada)
    assert "is now approved" in done.out
    assert "still only here: 1 notes commit(s)" in done.err
    assert "gitchange sync" in done.err
    assert "origin" in done.err
    done = place.company.do("ada", "sync", directory=ada)
    assert (done.code, "still only here" in done.err) == (3, True)
    change = place.company.must("ada", "new", "--commit", *_request(), directory=ada)
    assert "commit(s) on main" in change.err
    assert status(ada, place.change) == "approved"
    assert place.company.do("ada", "verify", directory=ada).code == 0
    away.rename(place.server)
    done = place.company.must("ada", "sync", directory=ada)
    assert has(place.server, REF) == has(ada, REF)
    assert has(place.server, "refs/heads/main") == has(ada, "refs/heads/main")


def _request() -> list[str]:
    from tests.company import request_options  # noqa: PLC0415 - kept beside its one use

    return request_options()


def test_two_sign_at_once_and_both_land(shared: Make) -> None:
    """Two people sign without having seen each other; the second is united, pushed, and nothing is lost."""
    place = shared("requested", "ada", "mo")
    ada, mo = place.clone["ada"], place.clone["mo"]
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", "--no-push", directory=ada)
    place.company.must("mo", "reject", place.change, "-m", "no", "--no-push", directory=mo)
    for person in ("ada", "mo", "ada"):
        place.company.must(person, "sync", directory=place.clone[person])
    for where in (ada, mo, place.server):
        shown = gitchange(where, "show", place.change, "--json").json
        assert shown["status"] == "rejected"
        assert {s["by"] for s in shown["sign_offs"]} == {"ada@example.org", "mo@example.org"}
    assert has(ada, REF) == has(mo, REF) == has(place.server, REF)


def test_concurrent_words_of_one_person_refuse(shared: Make) -> None:
    """Somebody who approves in one clone and rejects in another, neither seen by the other, has refused."""
    place = shared("requested", "ada", "mo")
    one, two = place.clone["ada"], place.clone["mo"]
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", "--no-push", directory=one)
    place.company.must("ada", "reject", place.change, "-m", "no", "--no-push", directory=two)
    for where in (one, two, one):
        place.company.must("ada", "sync", directory=where)
        shown = gitchange(where, "show", place.change, "--json").json
    assert shown["status"] == "rejected"
    assert "sign-off.concurrent" in {f["code"] for f in shown["findings"]}
    place.company.must("ada", "approve", place.change, "-y", "-m", "after all", directory=two)
    assert status(two, place.change) == "approved"


def run_all(jobs: list[list[list[str]]]) -> None:
    """Each job's commands one after the other, all jobs at once, in processes of their own."""
    script = (
        "import subprocess, sys, json\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    done = subprocess.run([sys.executable, '-m', 'gitchange', *command], capture_output=True, text=True)\n"
        "    if done.returncode:\n"
        "        sys.exit(f'{command}: {done.returncode}\\n{done.stdout}{done.stderr}')\n"
    )
    import json  # noqa: PLC0415 - kept beside its one use

    running = [
        subprocess.Popen([sys.executable, "-c", script, json.dumps(job)], stderr=subprocess.PIPE, text=True)
        for job in jobs
    ]
    errors = [process.communicate()[1] for process in running]
    assert not any(process.returncode for process in running), "\n".join(errors)


@pytest.fixture(scope="module")
def crowded(
    tmp_path_factory: pytest.TempPathFactory, stages: Callable[[str], Scene]
) -> tuple[Scene, list[str]]:
    """A company with twenty requests. Not to be written to."""
    scene = copied(stages("founded"), tmp_path_factory.mktemp("crowded") / "company")
    return scene, [scene.company.request("bo") for _ in range(20)]


@pytest.mark.parametrize("where", ["in a clone each", "in one clone"])
def test_many_sign_at_once_and_all_land(crowded: tuple[Scene, list[str]], tmp_path: Path, where: str) -> None:
    """Four processes sign five changes each at the same time; every sign-off is on the shared repository."""
    scene, changes = crowded
    company = copied(scene, tmp_path / "company").company
    server = company.root / "server.git"
    git(company.root, "clone", "--quiet", "--bare", str(company.repo), str(server))
    introduction = git(company.repo, "config", "gitchange.introduction")
    folders: list[Path] = []
    for number in range(4 if where == "in a clone each" else 1):
        clone = company.root / f"clone{number}"
        git(company.root, "clone", "--quiet", str(server), str(clone))
        git(clone, "config", "gitchange.introduction", introduction)
        company.become("ada", clone)
        folders.append(clone)
    run_all(
        [
            [
                ["-C", str(folders[number % len(folders)]), "approve", change, "--yes", "-m", "go"]
                for change in changes[number::4]
            ]
            for number in range(4)
        ]
    )
    for folder in folders:
        done = gitchange(folder, "sync")
        assert done.code == 0, done.err
    check = company.root / "check"
    git(company.root, "clone", "--quiet", str(server), str(check))
    git(check, "fetch", "--quiet", "origin", f"{REF}:{REF}")
    found = gitchange(check, "list", "--status", "approved", "--json").json["changes"]
    assert {c["id"] for c in found} == set(changes)
    assert gitchange(check, "verify").code == 0


def test_document_when_another_pushed_first(shared: Make) -> None:
    """When main moved on the shared repository in between, the record is made anew on top of it."""
    place = shared("validated", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    # A hook that lets somebody else's commit in just before the first push of main.
    other = place.company.request("bo", "--no-push", directory=bo)
    hook = place.server / "hooks" / "update"
    hook.write_text(
        "#!/bin/sh\n"
        f'test "$1" = refs/heads/main || exit 0\n'
        f"test -e {place.server}/once && exit 0\n"
        f"touch {place.server}/once\n"
        f"unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_DIR\n"
        f"git -C {bo} push --quiet origin main\n"
    )
    hook.chmod(0o755)
    place.company.must("ada", "document", place.change, *DOCUMENT, directory=ada)
    assert (place.server / "once").exists()
    assert git(place.server, "log", "--format=%s", "-2", "main").splitlines() == [
        f"Document {place.change}: Rotate the certificate",
        f"Request {other}: Rotate the certificate",
    ]
    assert git(ada, "status", "--porcelain") == ""
    assert status(place.server, place.change) == "documented"
    assert place.company.do("ada", "verify", directory=ada).code == 0


def test_two_document_two_changes(shared: Make) -> None:
    """Two people close two changes at the same time, and both records land."""
    place = shared("validated", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    second = place.company.request("bo", directory=bo)
    place.company.complete(second, directory=bo)
    place.company.become("bo", bo)
    place.company.become("ada", ada)
    run_all(
        [
            [["-C", str(ada), "document", place.change, *DOCUMENT]],
            [["-C", str(bo), "document", second, *DOCUMENT]],
        ]
    )
    assert {status(place.server, c) for c in (place.change, second)} == {"documented"}


def test_one_change_documented_twice_is_refused(shared: Make) -> None:
    """The second of two people who close the same change is told that it is closed."""
    place = shared("validated", "ada", "bo")
    place.company.must("ada", "document", place.change, *DOCUMENT, directory=place.clone["ada"])
    done = place.company.do("bo", "document", place.change, *DOCUMENT, directory=place.clone["bo"])
    assert (done.code, "documented already" in done.err) == (1, True)


def test_documented_offline_reaches_the_server_later(shared: Make) -> None:
    """A record made without the remote is told to be only here, and `sync` sends notes and branch."""
    place = shared("validated", "ada")
    ada = place.clone["ada"]
    place.company.must("ada", "sync", directory=ada)
    done = place.company.must("ada", "document", place.change, *DOCUMENT, "--no-push", directory=ada)
    assert "is now documented" in done.out
    assert status(place.server, place.change) == "validated"
    place.company.must("ada", "sync", directory=ada)
    assert status(place.server, place.change) == "documented"


def test_protected_main_is_told(shared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the shared repository refuses main, the sign-offs still land and the user is told why, and what waits."""
    monkeypatch.setattr(remote, "ATTEMPTS", 2)
    place = shared("validated", "ada")
    hook = place.server / "hooks" / "update"
    hook.write_text('#!/bin/sh\ntest "$1" = refs/heads/main || exit 0\necho main is protected >&2\nexit 1\n')
    hook.chmod(0o755)
    done = place.company.do("ada", "document", place.change, *DOCUMENT, directory=place.clone["ada"])
    assert done.code == 3, "a script must not take it for documented"
    assert "main is protected" in done.err
    assert "still only here" in done.err
    assert status(place.clone["ada"], place.change) == "documented"
    assert has(place.server, REF) == has(place.clone["ada"], REF)


@pytest.mark.parametrize("verb", ["withdraw", "new", "seal", "branch"])
def test_exit_code_tells_what_the_remote_refused(shared: Make, verb: str) -> None:
    """Whatever is written and refused by a remote that answers stays here, is told, and ends with exit code 3."""
    place = shared("requested", "ada", "bo")
    bo = place.clone["bo"]
    hook = place.server / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho closed for the day >&2\nexit 1\n")
    hook.chmod(0o755)
    if verb == "seal":
        place.company.must("ada", "approve", place.change, "-y", "-m", "go", "--no-push", directory=bo)
    command = {
        "withdraw": ["withdraw", place.change, "-y", "-m", "not needed"],
        "new": ["new", "--commit", *_request()],
        "seal": ["seal"],
        "branch": ["new", "--branch", "change/x", *_request()],
    }[verb]
    done = place.company.do("bo", *command, directory=bo)
    assert done.code == 3, done.err
    assert "closed for the day" in done.err
    assert "still only here" in done.err
    hook.unlink()
    place.company.must("bo", "sync", directory=bo)
    for ref in (REF, "refs/heads/main"):
        assert has(place.server, ref) == has(bo, ref)


def test_refusals_are_known_whatever_the_language(shared: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """git translates its words; that somebody was faster is known all the same."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    place = shared("requested", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    place.company.must("ada", "new", "--commit", *_request(), directory=ada)
    place.company.must("bo", "new", "--commit", "--no-push", *_request(), directory=bo)
    tip = has(bo, "refs/heads/main")
    result = program.push(Repository.open(bo), "origin", tip, "refs/heads/main", hooks=True)
    assert result.refusal == "race", result.message
    place.server.rename(place.server.with_name("away.git"))
    with pytest.raises(RemoteError, match="does not appear to be a git repository"):
        program.push(Repository.open(bo), "origin", tip, "refs/heads/main", hooks=True)


def test_diverged_main_is_told_and_left(shared: Make) -> None:
    """A main that went another way than the remote's is not touched; notes are exchanged all the same."""
    place = shared("requested", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    place.company.request("bo", directory=bo)
    (ada / "README").write_text("mine")
    git(ada, "add", "README")
    git(ada, "commit", "--quiet", "-m", "mine")
    head = git(ada, "rev-parse", "HEAD")
    done = place.company.do("ada", "approve", place.change, "-y", "-m", "go", directory=ada)
    assert done.code == 0
    assert "diverged" in done.err
    assert git(ada, "rev-parse", "HEAD") == head
    assert has(place.server, REF) == has(ada, REF) != ""
    assert place.company.do("ada", "sync", directory=ada).code == 3


@pytest.mark.parametrize("loss", ["ref deleted", "ref rewound", "line removed", "repository made anew"])
def test_lost_sign_offs_are_refused_and_restored(shared: Make, loss: str) -> None:
    """A shared repository that lost sign-offs is refused, each named, and a clone that has them restores them."""
    place = shared("implemented", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    for where in (ada, bo):
        place.company.must("ada", "sync", directory=where)
    whole = git(ada, "ls-tree", "-r", REF)
    blob = place.company.show(place.change)["blob"]
    if loss == "ref rewound":
        git(place.server, "update-ref", REF, f"{REF}~1")
    elif loss == "line removed":
        lines = git(bo, "notes", f"--ref={REF}", "show", blob).splitlines()
        git(bo, "notes", f"--ref={REF}", "add", "-f", "-m", lines[0], blob)
        git(bo, "push", "--quiet", "origin", REF)
    else:
        git(place.server, "update-ref", "-d", REF)
        if loss == "repository made anew":
            git(place.server, "update-ref", "-d", "refs/heads/main")
    before = has(ada, REF)
    done = place.company.do("ada", "sync", directory=ada)
    assert done.code == 1
    assert "'implement' by bo@example.org" in done.err or "'approve' by ada@example.org" in done.err
    assert place.change in done.err
    assert has(ada, REF) == before
    assert status(ada, place.change) == "implemented"
    done = place.company.must("ada", "sync", "--restore", directory=ada)
    assert place.change in done.out
    assert git(place.server, "ls-tree", "-r", REF) == whole
    assert place.company.do("ada", "sync", directory=ada).code == 0
    assert status(place.server, place.change) == "implemented"


def test_users_edits_survive_an_exchange(shared: Make) -> None:
    """A fast-forward never overwrites what the user is editing, and says which files it left."""
    place = shared("requested", "ada", "bo")
    ada, bo = place.clone["ada"], place.clone["bo"]
    path = f"changes/{place.change[4:8]}/{place.change[8:10]}/{place.change}.toml"
    (bo / path).write_text((bo / path).read_text() + "# theirs\n")
    git(bo, "commit", "--quiet", "-am", "theirs")
    git(bo, "push", "--quiet", "origin", "main")
    (ada / path).write_text((ada / path).read_text() + "# mine\n")
    done = place.company.do("ada", "sync", directory=ada)
    assert (ada / path).read_text().endswith("# mine\n")
    assert path in done.err


def test_remote_of_another_name_is_used(shared: Make) -> None:
    """The only remote is used, whatever it is called."""
    place = shared("requested", "ada")
    ada = place.clone["ada"]
    git(ada, "remote", "rename", "origin", "company")
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=ada)
    assert has(place.server, REF) == has(ada, REF)


def test_repository_without_remote_has_everything(take: Take) -> None:
    """Without a remote `sync` has nothing to do and says so."""
    scene = take("approved")
    done = scene.company.must("ada", "sync")
    assert "no remote" in done.out


def test_push_hook_of_the_user_has_no_say_about_sign_offs(shared: Make) -> None:
    """A pre-push hook that tests code does not keep a sign-off here."""
    place = shared("requested", "ada")
    ada = place.clone["ada"]
    hook = ada / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=ada)
    assert has(place.server, REF) == has(ada, REF)


def test_bare_clone_can_sign(shared: Make) -> None:
    """Signing needs no work tree."""
    place = shared("requested")
    bare = place.company.root / "bare.git"
    git(place.company.root, "clone", "--quiet", "--bare", str(place.server), str(bare))
    git(bare, "config", "gitchange.introduction", git(place.company.repo, "config", "gitchange.introduction"))
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=bare)
    assert has(place.server, REF) == has(bare, REF)


def test_linked_work_tree_signs_into_the_same_notes(take: Take) -> None:
    """A linked work tree shares the notes with the main one."""
    scene = take("requested")
    linked = scene.company.root / "linked"
    git(scene.repo, "worktree", "add", "--quiet", "-b", "side", str(linked))
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go", directory=linked)
    assert scene.status == "approved"


def test_strangers_notes_on_the_server_stop_nobody(shared: Make) -> None:
    """Nonsense that somebody pushed into the notes is found by `verify`, and everybody goes on signing."""
    place = shared("requested", "ada", "bo")
    bo, ada = place.clone["bo"], place.clone["ada"]
    blob = git(bo, "hash-object", "-w", "--stdin", data=b"nonsense\n")
    git(bo, "notes", f"--ref={REF}", "add", "-m", "nonsense", "HEAD:gitchange.toml")
    git(bo, "notes", f"--ref={REF}", "append", "-m", "nonsense", "HEAD:changes")
    git(bo, "push", "--quiet", "origin", REF)
    assert blob
    place.company.must("ada", "approve", place.change, "-y", "-m", "go", directory=ada)
    assert status(ada, place.change) == "approved"
    codes = {f["code"] for f in gitchange(ada, "verify", "--json").json["findings"]}
    assert "note.on-nothing" in codes


def test_environment_of_a_hook_misleads_nobody(take: Take) -> None:
    """Run from a Git hook, whose environment names another repository, the program works where -C says."""
    scene = take("approved")
    other = scene.company.root / "other"
    git(scene.company.root, "init", "--quiet", str(other))
    arguments = [sys.executable, "-m", "gitchange", "-C", str(scene.repo), "verify"]
    environment = {**os.environ, "GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": "index"}
    done = subprocess.run(arguments, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_company_fixture_is_real(take: Take) -> None:
    """The people of these tests have keys and clones of their own."""
    scene = take("founded")
    assert isinstance(scene.company, Company)
    assert scene.company.key("ada").exists()
