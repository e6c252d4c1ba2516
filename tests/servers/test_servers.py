"""Real servers: five people with five keys in five clones take changes through the five steps on each of them."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.company import Company
from tests.processes import left_of, speaking_of

from .conftest import MAINTAINER, started
from .people import DOCUMENT, IMPLEMENT, NOTES, VALIDATE, Member, Team
from .servers import ENDED_WITHIN, PASSWORD, credential

pytestmark = pytest.mark.servers

At = Callable[..., Team]


def path_of(change: str) -> str:
    return f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"


# -- the two styles ------------------------------------------------------------------------------------------


def directly(team: Team) -> str:
    """A change whose request and record are written to main by those who make them."""
    change = team["bo"].request()
    team["mo"].must("approve", change, "--yes", "-m", "go")
    team["bo"].must("implement", change, *IMPLEMENT)
    team["dee"].must("validate", change, *VALIDATE)
    team["cy"].must("document", change, *DOCUMENT)
    return change


def request_by_branch(person: Member, name: str) -> tuple[str, str]:
    """A request on a branch of its own, pushed: the change's id and the branch."""
    branch = f"{person.name}/{name}"
    return person.request(f"--branch={branch}"), branch


def document_by_branch(person: Member, change: str) -> str:
    """A record on a branch of its own, pushed; the branch."""
    branch = f"record/{change}".lower()
    person.must("document", change, *DOCUMENT, f"--branch={branch}")
    return branch


def approve_before_the_merge(person: Member, change: str, branch: str) -> None:
    """An approval of what stands on the branch."""
    person.git("fetch", "--quiet", "origin")
    person.git("switch", "--quiet", branch)
    person.must("approve", change, "--yes", "-m", "go")
    assert person.status(change) == "approved"
    person.git("switch", "--quiet", "main")


def merge(maintainer: Member, branch: str, way: str) -> None:
    """What a forge does when the maintainer presses its button."""
    maintainer.git("fetch", "--quiet", "origin")
    maintainer.git("switch", "--quiet", "main")
    maintainer.git("merge", "--quiet", "--ff-only", "origin/main")
    if way == "merge commit":
        maintainer.git("merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}")
    elif way == "squash":
        maintainer.git("merge", "--quiet", "--squash", f"origin/{branch}")
        maintainer.git("commit", "--quiet", "-m", f"Merge {branch}")
    else:
        maintainer.git("switch", "--quiet", "--detach", f"origin/{branch}")
        maintainer.git("rebase", "--quiet", "main")
        rebased = maintainer.git("rev-parse", "HEAD")
        maintainer.git("switch", "--quiet", "main")
        maintainer.git("merge", "--quiet", "--ff-only", rebased)
    maintainer.git("push", "--quiet", "origin", "main")


def by_merge_requests(team: Team, *ways: str) -> list[str]:
    """One change for each way to merge; all are requested before the first is merged, so main moves meanwhile."""
    requested = [request_by_branch(team["bo"], f"request{number}") for number, _ in enumerate(ways)]
    for (change, branch), way in zip(requested, ways, strict=True):
        approve_before_the_merge(team["ada"], change, branch)
        merge(team[MAINTAINER], branch, way)
        team["cy"].must("implement", change, *IMPLEMENT)
        team["dee"].must("validate", change, *VALIDATE)
        merge(team[MAINTAINER], document_by_branch(team["bo"], change), way)
    return [change for change, _ in requested]


def assert_all_have_all(team: Team, changes: list[str], folder: Path) -> None:
    """Every clone, a fresh one too, says the same of these documented changes, and stock git reads their sign-offs."""
    fresh = team.another_clone("dee", folder)
    everybody = [*team.members.values(), fresh]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda person: person.must("sync"), everybody))
    answers = [person.read("list", "--json").json["changes"] for person in everybody]
    assert all(answer == answers[0] for answer in answers)
    assert {person.read("verify", "--json").json["verdict"] for person in everybody} == {"ok"}
    assert {one["id"]: one["status"] for one in answers[0]} == dict.fromkeys(changes, "documented")
    for change in changes:
        # The note is on the request as it was signed: before the record was appended.
        signed = fresh.git("log", "--format=%H", "--diff-filter=A", "--", path_of(change)).split()[-1]
        note = fresh.git("notes", "--ref=gitchange/approvals", "show", f"{signed}:{path_of(change)}")
        assert len(note.splitlines()) == 3
    assert len({person.git("rev-parse", NOTES) for person in everybody}) == 1
    for person in everybody:
        assert person.git("status", "--porcelain") == ""


@pytest.mark.parametrize(("name", "way"), [("file", "merge commit"), ("ssh", "rebase"), ("http", "squash")])
def test_five_people_five_steps(at: At, tmp_path: Path, name: str, way: str) -> None:
    """Directly and by merge request, what five people sign on five computers is the same everywhere."""
    team = at(name)
    changes = [directly(team), *by_merge_requests(team, way)]
    assert_all_have_all(team, changes, tmp_path / "fresh")


def test_five_people_where_main_is_protected(at: At, tmp_path: Path) -> None:
    """Where one person writes to main and all append to the notes, sign-offs survive every way to merge."""
    team = at("gitolite")
    changes = by_merge_requests(team, "merge commit", "squash", "rebase")
    assert_all_have_all(team, changes, tmp_path / "fresh")


# -- refusals ------------------------------------------------------------------------------------------------


def test_protected_main_is_told_at_once(at: At) -> None:
    """A server that keeps main from a user is asked once; its words are told, and what to do with what waits."""
    team = at("gitolite")
    bo, mo, ada = team["bo"], team["mo"], team["ada"]
    change = mo.request()
    ada.must("approve", change, "--yes", "-m", "go")
    bo.must("implement", change, *IMPLEMENT)
    team["dee"].must("validate", change, *VALIDATE)
    before = bo.pushes()
    told = bo.do("document", change, *DOCUMENT)
    assert "DENIED by refs/heads/main" in told.err
    assert "still only here: 1 commit(s) on main" in told.err
    assert bo.pushes() == before + 1
    assert team.server.log().count("DENIED by refs/heads/main") == 1
    waiting = bo.do("sync")
    assert waiting.code == 3
    assert "still only here: 1 commit(s) on main" in waiting.err
    # The advice is good.
    branch = f"record/{change}".lower()
    assert "git push origin main:refs/heads/NAME" in waiting.err
    bo.git("push", "--quiet", "origin", f"main:refs/heads/{branch}")
    merge(mo, branch, "merge commit")
    bo.must("sync")
    ada.must("sync")
    assert bo.status(change) == ada.status(change) == "documented"
    # And so are the rules: nobody rewinds or removes the notes.
    for refspec in (f"+HEAD:{NOTES}", f":{NOTES}"):
        refused = bo.run("git", "push", "origin", refspec)
        assert refused.code != 0
        assert "DENIED by refs/notes/" in refused.err
    ada.must("sync")


def test_stranger_is_told_who_does_not_let_them_in(at: At) -> None:
    """Somebody whose key the server does not know signs, is told that it is refused, and loses nothing."""
    team = at("ssh")
    bo, ada = team["bo"], team["ada"]
    change = bo.request()
    ada.must("sync")
    known = ada.variables["GIT_SSH_COMMAND"]
    ada.variables["GIT_SSH_COMMAND"] = known.replace(
        str(team.company.key("ada")), str(team.company.key("eve"))
    )
    told = ada.do("approve", change, "--yes", "-m", "go")
    assert "Permission denied (publickey)" in told.err
    assert "still only here: 1 notes commit(s)" in told.err
    assert "git ls-remote origin" in told.err
    assert ada.do("sync").code == 3
    ada.variables["GIT_SSH_COMMAND"] = known
    ada.must("sync")
    bo.must("sync")
    assert bo.status(change) == "approved"


def test_crowded_server_is_asked_again(at: At) -> None:
    """A server that drops a connection because too many are logging in is asked again, and everything lands."""
    team = at("ssh", "MaxStartups 1:100:1")
    change = team["bo"].request()
    place = urlsplit(team.server.urls["ada"])
    assert place.port is not None
    with ThreadPoolExecutor(1) as pool:
        with socket.create_connection(("127.0.0.1", place.port)) as somebody:
            assert somebody.recv(4)  # SSH-: the one place is taken
            approving = pool.submit(team["ada"].must, "approve", change, "--yes", "-m", "go")
            while "past MaxStartups" not in team.server.log() and not approving.done():
                time.sleep(0.02)
        approving.result()
    assert "past MaxStartups" in team.server.log()
    team["bo"].must("sync")
    assert team["bo"].status(change) == "approved"


# -- the web -------------------------------------------------------------------------------------------------


def test_wrong_password_loses_nothing(at: At) -> None:
    """With a wrong password one signs all the same, is told why it stays here, and sends it with the right one."""
    team = at("http")
    change = team["bo"].request()
    ada, bo = team["ada"], team["bo"]
    ada.must("sync")
    port = urlsplit(team.server.urls["ada"]).port
    assert port is not None
    store = Path(ada.git("config", "credential.helper").removeprefix("store --file="))
    store.write_text(credential(port, "ada", "wrong"))
    told = ada.do("approve", change, "--yes", "-m", "go")
    assert told.code == 3
    assert f"signed: approve {change}" in told.out
    assert "could not read Password" in told.err
    assert "still only here: 1 notes commit(s)" in told.err
    assert "git ls-remote origin" in told.err
    assert ada.do("sync").code == 3
    store.write_text(credential(port, "ada", PASSWORD.format(person="ada")))
    ada.must("sync")
    bo.must("sync")
    assert bo.status(change) == "approved"


def test_password_is_asked_for_at_the_terminal(at: At) -> None:
    """Without a helper that knows it, git asks for the password at the user's terminal, and the sign-off goes out."""
    team = at("http")
    change = team["bo"].request()
    ada = team["ada"]
    ada.git("config", "--global", "--unset", "credential.helper")
    arguments = [
        sys.executable,
        "-m",
        "gitchange",
        "-C",
        str(ada.clone),
        "approve",
        change,
        "--yes",
        "-m",
        "go",
    ]
    process, terminal = pty.fork()
    if process == 0:  # the child, whose terminal it is
        os.execve(arguments[0], arguments, ada.variables)  # noqa: S606 - as a shell does
    said = ""
    with contextlib.suppress(OSError):  # Linux's way to say that nobody writes any more
        while piece := os.read(terminal, 4096):
            said += piece.decode()
            if said.endswith("': "):  # Password for 'http://ada@127.0.0.1:...':
                os.write(terminal, PASSWORD.format(person="ada").encode() + b"\n")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert "Password for 'http://ada@" in said
    assert os.waitstatus_to_exitcode(status) == 0, said
    assert "still only here" not in said
    team["bo"].must("sync")
    assert team["bo"].status(change) == "approved"


def test_large_sign_off_arrives(at: At) -> None:
    """A push that is larger than git's buffer goes in pieces (chunked), and arrives whole."""
    team = at("http")
    change = team["bo"].request()
    ada, bo = team["ada"], team["bo"]
    ada.git("config", "http.postBuffer", "65536")
    comment = random.Random(1).randbytes(55_000).hex()  # noqa: S311 - what cannot be made small
    ada.must("approve", change, "--yes", "-m", comment)
    assert "git-receive-pack HTTP/1.1 200 chunked" in team.server.log()
    bo.must("sync")
    assert bo.read("show", change, "--json").json["sign_offs"][0]["comment"] == comment


# -- the servers themselves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ssh", "http", "gitolite"])
def test_server_ends_with_its_test(company: Company, tmp_path: Path, name: str) -> None:
    """A test that fails leaves no server behind. Its port may be another's by then, its files are nobody's."""
    place = str(tmp_path / name)

    def fail() -> None:
        with started(company, name, tmp_path / name) as server:
            socket.create_connection(("127.0.0.1", urlsplit(server.urls["ada"]).port)).close()
            assert speaking_of(place)
            raise KeyError(name)

    with pytest.raises(KeyError):
        fail()
    assert left_of(place, within=ENDED_WITHIN) == []
