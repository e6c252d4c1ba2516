"""`init`: a repository from a prepared policy or from one key, new or adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import POLICY, Company, git, gitchange, write_policy


def prepared(root: Path) -> tuple[Company, Path]:
    """A policy folder and an empty folder whose owner git knows."""
    policy = write_policy(root)
    repo = root / "repo"
    git(root, "init", "--quiet", "-b", "main", str(repo))
    company = Company(root, repo)
    company.become("ada")
    return company, policy


def test_introduction_commit_holds_the_policy_as_prepared(tmp_path: Path) -> None:
    """The introduction commit holds the policy byte for byte, and is pinned outside the content."""
    company, policy = prepared(tmp_path)
    done = company.must("ada", "init", "--title", "Changes of Acme", "--policy", str(policy))
    head = git(company.repo, "rev-parse", "HEAD")
    assert head in done.out
    assert git(company.repo, "config", "gitchange.introduction") == head
    assert git(company.repo, "rev-list", "--count", "HEAD") == "1"
    for path in policy.rglob("*"):
        if path.is_file():
            inside = company.repo / "policy" / path.relative_to(policy)
            assert inside.read_bytes() == path.read_bytes()
    assert 'title = "Changes of Acme"' in (company.repo / "gitchange.toml").read_text()
    assert git(company.repo, "status", "--porcelain") == ""
    assert company.do("ada", "verify").code == 0


def test_folder_is_made_when_it_is_not_there(tmp_path: Path) -> None:
    """`init DIR` makes the folder and the repository, on the branch that the policy names."""
    policy = write_policy(tmp_path, POLICY.replace('main = "main"', 'main = "record"'))
    home = tmp_path / "new" / "place"
    done = gitchange(tmp_path, "init", str(home), "--title", "T", "--policy", str(policy))
    assert done.code == 0, done.err
    assert git(home, "symbolic-ref", "HEAD") == "refs/heads/record"
    assert gitchange(home, "verify").code == 0


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.org")


def test_existing_repository_is_adopted_with_its_history(tmp_path: Path) -> None:
    """A repository with a history keeps it, its files and the user's edits."""
    company, policy = prepared(tmp_path)
    (company.repo / "README").write_text("ours")
    (company.repo / ".gitignore").write_text("*.tmp\n")
    git(company.repo, "add", "-A")
    git(company.repo, "commit", "--quiet", "-m", "before")
    before = git(company.repo, "rev-parse", "HEAD")
    (company.repo / "README").write_text("being edited")
    done = company.must("ada", "init", "--title", "T", "--policy", str(policy))
    assert "adopted" in done.out
    assert git(company.repo, "rev-parse", "HEAD~1") == before
    assert (company.repo / ".gitignore").read_text() == "*.tmp\n"
    assert (company.repo / "README").read_text() == "being edited"
    assert git(company.repo, "status", "--porcelain").strip() == "M README"
    verified = gitchange(company.repo, "verify", "--json").json
    assert verified["verdict"] == "ok"
    assert verified["introduction"] == git(company.repo, "rev-parse", "HEAD")


def test_file_in_the_way_is_left_and_named(tmp_path: Path) -> None:
    """An untracked file where `init` wants to write stays as it is."""
    company, policy = prepared(tmp_path)
    (company.repo / "gitchange.toml").write_text("mine")
    done = company.must("ada", "init", "--title", "T", "--policy", str(policy))
    assert (company.repo / "gitchange.toml").read_text() == "mine"
    assert "gitchange.toml was there" in done.out


def test_bare_repository_can_be_made_one(tmp_path: Path) -> None:
    """A bare repository becomes a configuration repository without a work tree."""
    policy = write_policy(tmp_path)
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", str(bare))
    done = gitchange(bare, "init", "--title", "T", "--policy", str(policy))
    assert done.code == 0, done.err
    assert gitchange(bare, "verify").code == 0


BROKEN = {
    "no policy.toml": lambda p: (p / "policy.toml").unlink(),
    "no systems": lambda p: (p / "systems.toml").unlink(),
    "no allowed signers": lambda p: (p / "allowed_signers").unlink(),
    "syntax error": lambda p: (p / "policy.toml").write_text("version = "),
    "unknown key": lambda p: (p / "policy.toml").write_text("colour = 1\n" + POLICY),
    "no rules": lambda p: (p / "policy.toml").write_text(POLICY.partition("[[rules]]")[0] + "rules = []\n"),
    "role nobody holds": lambda p: (p / "policy.toml").write_text(
        POLICY.replace('["eve@example.org"] }\n\n', "[] }\n\n")
    ),
    "rule names no role": lambda p: (p / "policy.toml").write_text(
        POLICY.replace('role = "security"', 'role = "boss"')
    ),
    "threshold of zero": lambda p: (p / "policy.toml").write_text(
        POLICY.replace("approvals = 1", "approvals = 0")
    ),
    "more approvals than members": lambda p: (p / "policy.toml").write_text(
        POLICY.replace("approvals = 1", "approvals = 9")
    ),
    "unreadable signer line": lambda p: (p / "allowed_signers").write_text("ada@example.org nonsense\n"),
    "stray file": lambda p: (p / "notes.txt").write_text("x"),
    "unknown system in a model": lambda p: (p / "models" / "dependency-update.toml").write_text(
        'title = "T"\nsystems = ["nothing"]\n'
    ),
}


@pytest.mark.parametrize("wrong", BROKEN)
def test_policy_with_errors_writes_nothing(tmp_path: Path, wrong: str) -> None:
    """A policy that cannot be read is refused with its errors, before anything is written."""
    policy = write_policy(tmp_path)
    BROKEN[wrong](policy)
    target = tmp_path / "new"
    done = gitchange(tmp_path, "init", str(target), "--title", "T", "--policy", str(policy))
    assert done.code == 1
    assert "nothing was written" in done.err
    assert not target.exists()


def test_configuration_repository_is_not_made_twice(tmp_path: Path) -> None:
    """A second `init` is refused and moves nothing."""
    company, policy = prepared(tmp_path)
    company.must("ada", "init", "--title", "T", "--policy", str(policy))
    head = git(company.repo, "rev-parse", "HEAD")
    done = company.do("ada", "init", "--title", "T", "--policy", str(policy))
    assert done.code == 2
    assert "already" in done.err
    assert git(company.repo, "rev-parse", "HEAD") == head


def test_branch_that_is_not_there_is_not_invented(tmp_path: Path) -> None:
    """In a repository with a history the policy's branch must exist."""
    company, _ = prepared(tmp_path)
    git(company.repo, "commit", "--quiet", "--allow-empty", "-m", "before")
    policy = write_policy(tmp_path, POLICY.replace('main = "main"', 'main = "record"'))
    done = company.do("ada", "init", "--title", "T", "--policy", str(policy))
    assert done.code == 2
    assert "record" in done.err
    assert git(company.repo, "branch", "--list").strip() == "* main"


def told_of_policy(finding: dict[str, str]) -> bool:
    return finding["code"].startswith(("duties.", "root.", "role.", "key.", "policy.", "waiver.", "model."))


def test_policy_that_gives_everything_is_told_nothing(tmp_path: Path) -> None:
    """Where every change can be completed whoever requests it, `init` has nothing to say of the policy."""
    company, _ = prepared(tmp_path)
    text = POLICY.replace(
        'security       = { members = ["eve@', 'security       = { members = ["mo@example.org", "eve@'
    )
    policy = write_policy(tmp_path, text)
    done = company.must("ada", "init", "--title", "T", "--policy", str(policy))
    assert "mend: " not in done.out


def test_first_policy_says_what_it_cannot_give(tmp_path: Path) -> None:
    """A policy of one person is written from a public key, and says that nobody separates duties."""
    company, _ = prepared(tmp_path)
    done = company.must(
        *("ada", "init", "--title", "T", "--principal", "ada@example.org"),
        *("--key", f"{company.key('ada')}.pub", "--system", "shop"),
    )
    assert "changes cannot be evaluated: change-manager is only ada@example.org" in done.out
    assert "add another member who does not implement to system-user" in done.out
    told = [f for f in gitchange(company.repo, "doctor", "--json").json["findings"] if told_of_policy(f)]
    assert {f["code"] for f in told} == {"duties.no-evaluator", "duties.no-validator", "root.one-person"}
    for finding in told:
        words = (
            f"{finding['severity']}: {finding['message']} [{finding['code']}]\n    mend: {finding['hint']}\n"
        )
        assert words in done.out
    assert done.out.count("    mend: ") == len(told)
    change = company.request("ada", "--system", "shop")
    refused = company.do("ada", "approve", change, "--yes", "-m", "go")
    assert refused.code == 1
    assert "requested the change" in refused.err
    assert company.show(change)["status"] == "requested"


@pytest.mark.parametrize(
    ("content", "code"),
    [("no key", 2), ("ssh-ed25519 AAAA", 2), (None, 2)],
    ids=["no key", "truncated key", "no file"],
)
def test_key_that_is_none_writes_nothing(tmp_path: Path, content: str | None, code: int) -> None:
    """Without a readable public key there is no first policy."""
    key = tmp_path / "key.pub"
    if content is not None:
        key.write_text(content)
    target = tmp_path / "new"
    done = gitchange(
        *(tmp_path, "init", str(target), "--title", "T", "--principal", "a@example.org", "--key", str(key))
    )
    assert done.code == code
    assert str(key) in done.err
    assert not target.exists()


def test_private_key_never_lands_in_the_repository(tmp_path: Path) -> None:
    """Giving the private key by mistake is refused."""
    company, _ = prepared(tmp_path)
    done = company.do(
        *("ada", "init", "--title", "T", "--principal", "ada@example.org", "--key", str(company.key("ada")))
    )
    assert done.code == 2
    assert not (company.repo / "policy").exists()


@pytest.mark.parametrize(
    "options", [(), ("--title", "T"), ("--principal", "a@b"), ("--policy", "x", "--key", "y")]
)
def test_missing_answers_are_named_without_a_terminal(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Without a terminal nothing is asked: the missing option is named."""
    done = gitchange(tmp_path, "init", *options)
    assert done.code == 2
    assert "--" in done.err


@pytest.mark.parametrize("title", ['a "quoted" title', "Ümläut: & <b>", "a\\b", "- x: y"])
def test_title_cannot_break_the_files_it_stands_in(tmp_path: Path, title: str) -> None:
    """A title with quotes, colons and backslashes stands in the settings as it was given."""
    company, policy = prepared(tmp_path)
    company.must("ada", "init", "--title", title, "--policy", str(policy))
    assert company.do("ada", "check").code == 0


def test_wrong_introduction_is_another_repository(tmp_path: Path) -> None:
    """A pinned introduction that is no part of the history stops every reading."""
    company, policy = prepared(tmp_path)
    company.must("ada", "init", "--title", "T", "--policy", str(policy))
    for wrong in ("0" * 40, "HEAD", "nonsense", git(company.repo, "rev-parse", "HEAD^{tree}")):
        done = gitchange(company.repo, "--introduction", wrong, "verify")
        assert (done.code, "introduction" in done.err) == (2, True), (wrong, done.err)
