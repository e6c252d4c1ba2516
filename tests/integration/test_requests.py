"""`new`, `check` and `schema` as people and pipelines use them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gitchange.model.change import parse_change
from tests.company import Company, git, gitchange, request_options

from .conftest import Scene, Take
from .json_schema import plain, problems

WHOLE = """\
# What everybody should know first.
title = "Everything that a change can say"
type = "emergency"          # answers an incident
systems = ["api", "database"]
environments = ["production"]
reason = '''
It is *needed*.

- one
- two
'''
scope = "All of it."
rollback = "Undo it."
test_plan = "Look."
security_impact = "None."
privacy_impact = "None."
communication = "A mail."

[schedule]
start = 2026-11-22T20:00:00+01:00
end = 2026-11-22T21:00:00+01:00

[outage]
description = "Nothing works."
minutes = 5

[emergency]
incident = "INC-1"
justification = "It burns."

[[steps]]
action = "Do it."
verify = "See it."

[[steps]]
action = "Clean up."

[[risks]]
description = "It breaks."
category = "availability"
likelihood = "rare"
impact = "severe"
mitigations = ["A backup.", "A second one."]

[links]
merge_requests = ["https://example.org/1"]
issues = ["https://example.org/2"]
documents = ["https://example.org/3"]
"""


def path_of(change: str) -> str:
    return f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"


def program(
    folder: Path, *arguments: str, data: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The program in a process of its own."""
    import os  # noqa: PLC0415 - the environment as the fixture has made it

    return subprocess.run(
        [sys.executable, "-m", "gitchange", "-C", str(folder), *arguments],
        input=data,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


# -- new ------------------------------------------------------------------------------------------


def test_options_become_a_checked_file(company: Company) -> None:
    """Every option of `new` stands in the file that it writes, and the file is valid."""
    done = company.must(
        *("bo", "new", "--type", "emergency", "--incident", "INC-7", "--justification", "now"),
        *request_options(
            *("--system", "api", "--system", "database", "--environment", "production"),
            *("--step", "one :: seen", "--step", "two"),
            *(
                "--risk",
                "a :: security :: possible :: severe :: x :: y",
                "--risk",
                "b :: c :: rare :: minor :: z",
            ),
            *("--start", "2026-11-22T20:00:00+01:00", "--end", "2026-11-22T21:00:00+01:00"),
        ),
    )
    change = done.out.split()[0]
    data = tomllib.loads((company.repo / path_of(change)).read_text())
    assert (data["schema"], data["id"], data["requester"]) == (1, change, "bo@example.org")
    assert data["systems"] == ["api", "database"]
    assert data["environments"] == ["production"]
    assert data["emergency"] == {"incident": "INC-7", "justification": "now"}
    assert data["steps"] == [{"action": "one", "verify": "seen"}, {"action": "two"}]
    assert [risk["mitigations"] for risk in data["risks"]] == [["x", "y"], ["z"]]
    assert data["schedule"]["start"].isoformat() == "2026-11-22T20:00:00+01:00"
    assert company.do("bo", "check").code == 0
    assert git(company.repo, "status", "--porcelain", "-uall") == f"?? {path_of(change)}"


def test_committed_request_names_its_change(company: Company) -> None:
    """`new --commit` commits that one file on the current branch and leaves everything else alone."""
    (company.repo / "scratch").write_text("mine")
    (company.repo / "gitchange.toml").write_text('title = "being edited"\n')
    git(company.repo, "add", "gitchange.toml")
    change = company.request("bo")
    assert git(company.repo, "show", "--format=%an %s", "--name-only", "HEAD").split("\n") == [
        f"Bo Request {change}: Rotate the certificate",
        "",
        path_of(change),
    ]
    assert git(company.repo, "status", "--porcelain").split("\n") == ["M  gitchange.toml", "?? scratch"]
    assert company.show(change)["status"] == "requested"


def test_file_is_taken_with_its_comments(company: Company, tmp_path: Path) -> None:
    """`--from FILE` adds what is missing in front and leaves the text as its writer wrote it."""
    (tmp_path / "mine.toml").write_text(WHOLE)
    done = company.must("bo", "new", "--commit", "--from", str(tmp_path / "mine.toml"))
    change = done.out.split()[0]
    raw = (company.repo / path_of(change)).read_text()
    assert raw.endswith(WHOLE)
    assert raw.removesuffix(WHOLE).split("\n") == [
        "schema = 1",
        f'id = "{change}"',
        'requester = "bo@example.org"',
        "",
    ]


def test_standard_input_is_taken_too(company: Company) -> None:
    """`--from -` reads the file from standard input."""
    company.become("bo")
    done = program(company.repo, "new", "--from", "-", data=WHOLE.encode())
    assert done.returncode == 0, done.stderr
    assert (company.repo / path_of(done.stdout.split()[0].decode())).read_text().endswith(WHOLE)


def test_bare_repository_takes_a_commit(company: Company, tmp_path: Path) -> None:
    """In a bare repository a change is committed without a work tree; without --commit it cannot be."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(company.repo), str(bare))
    company.become("bo", bare)
    done = gitchange(bare, "new", *request_options())
    assert (done.code, "--commit" in done.err) == (2, True)
    done = gitchange(bare, "new", "--commit", "--no-push", *request_options())
    assert done.code == 0, done.err
    assert gitchange(bare, "show", done.out.split()[0], "--json").json["status"] == "requested"


def test_used_id_is_refused(take: Take, tmp_path: Path) -> None:
    """An id that a change has already cannot be used again, committed or not."""
    scene = take("requested")
    (tmp_path / "again.toml").write_bytes(scene.file.read_bytes())
    done = scene.company.do("bo", "new", "--from", str(tmp_path / "again.toml"))
    assert (done.code, "used already" in done.err) == (1, True)
    fresh = scene.change[:-4] + "ZZZZ"
    (tmp_path / "again.toml").write_text(scene.file.read_text().replace(scene.change, fresh))
    assert scene.company.do("bo", "new", "--from", str(tmp_path / "again.toml")).code == 0
    done = scene.company.do("bo", "new", "--from", str(tmp_path / "again.toml"))
    assert (done.code, "hint" in done.err) == (1, True)


def test_all_problems_are_told_and_nothing_is_written(company: Company, tmp_path: Path) -> None:
    """An invalid file is refused with every problem, each at the line where its writer finds it."""
    text = (
        WHOLE.replace('["api", "database"]', '["apl"]')
        .replace('"rare"', '"seldom"')
        .replace("minutes", "minuets")
    )
    source = tmp_path / "wrong.toml"
    source.write_text(text)
    head = git(company.repo, "rev-parse", "HEAD")
    done = company.do("bo", "new", "--commit", "--from", str(source))
    assert done.code == 1
    assert "nothing was written" in done.err
    for code, word in (("unknown-system", "apl"), ("wrong-value", "seldom"), ("unknown-key", "minuets")):
        line = next(number for number, words in enumerate(text.splitlines(), 1) if word in words)
        told = [told for told in done.err.splitlines() if f"[change.{code}]" in told]
        assert any(f"wrong.toml:{line}:" in told_line for told_line in told), done.err
    assert "did you mean 'api'?" in done.err
    assert git(company.repo, "rev-parse", "HEAD") == head
    assert git(company.repo, "status", "--porcelain") == ""


WRONG_OPTIONS = {
    "unknown system": (("--system", "nothing"), 1),
    "unknown requester": (("--requester", "nobody@example.org"), 1),
    "empty reason": (("--reason", "  "), 1),
    "title of two lines": (("--title", "a\nb"), 1),
    "title with an escape sequence": (("--title", "a\x1b[2Jb"), 1),
    "risk without mitigation": (("--risk", "a :: b :: rare :: minor"), 2),
    "risk with an empty mitigation": (("--risk", "a :: b :: rare :: minor :: "), 1),
    "unknown likelihood": (("--risk", "a :: b :: seldom :: minor :: c"), 1),
    "end before start": (("--start", "2026-11-22T20:00:00Z", "--end", "2026-11-22T19:00:00Z"), 1),
    "start without offset": (("--start", "2026-11-22T20:00:00", "--end", "2026-11-22T21:00:00"), 1),
    "start that is no time": (("--start", "soon", "--end", "later"), 2),
    "start alone": (("--start", "2026-11-22T20:00:00Z"), 2),
    "unknown model": (("--type", "standard", "--model", "nothing"), 1),
    "standard without model": (("--type", "standard"), 2),
    "emergency without incident": (("--type", "emergency"), 2),
    "model of a normal change": (("--model", "dependency-update"), 1),
    "unknown environment": (("--environment", "moon"), 1),
    "unknown option": (("--colour", "red"), 2),
}


@pytest.mark.parametrize("wrong", WRONG_OPTIONS)
def test_wrong_options_write_nothing(company: Company, wrong: str) -> None:
    """What is wrong with an option is said, with the exit code for it, and no file appears."""
    options, code = WRONG_OPTIONS[wrong]
    done = company.do("bo", "new", *request_options(*options))
    assert done.code == code, done.err
    assert done.out == ""
    assert done.err
    assert "\x1b" not in done.err
    assert not (company.repo / "changes").exists()


def test_missing_option_is_named(company: Company) -> None:
    """Without a terminal a missing answer is named as the option that gives it."""
    done = company.do("bo", "new", "--title", "T")
    assert (done.code, "--system" in done.err) == (2, True)


def test_new_outside_a_configuration_repository(tmp_path: Path) -> None:
    """In a repository without a policy nothing can be requested, and the hint says what to do."""
    git(tmp_path, "init", "--quiet", "-b", "main", str(tmp_path / "other"))
    git(
        tmp_path / "other",
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@y",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    )
    for command in (("new", *request_options()), ("list",), ("verify",), ("show", "CHG-20261122-K7Q3")):
        done = gitchange(tmp_path / "other", *command)
        assert (done.code, "gitchange init" in done.err) == (3, True), done.err
    assert gitchange(tmp_path, "list").code == 3
    assert gitchange(tmp_path / "nowhere", "list").code == 2


# -- check ----------------------------------------------------------------------------------------


def codes(done: Any) -> set[str]:
    return {finding["code"] for finding in done.json["findings"]}


def test_clean_repository_passes(take: Take) -> None:
    """`check` of a repository in order finds nothing and says how much it looked at."""
    scene = take("documented")
    done = scene.company.do("bo", "check")
    assert (done.code, "1 change file(s) checked, 0 error(s)" in done.out) == (0, True)
    shape = scene.company.do("bo", "check", "--json").json
    assert shape == {"schema": 1, "ok": True, "files": 1, "findings": []}


BAD_TEXTS = {
    "syntax": (lambda t: t.replace('title = "', "title = ", 1), "toml.syntax"),
    "unknown key": (lambda t: "colour = 1\n" + t, "change.unknown-key"),
    "missing key": (lambda t: t.replace("reason", "# reason", 1), "change.missing-key"),
    "wrong type": (lambda t: t.replace("schema = 1", 'schema = "1"'), "change.wrong-value"),
    "empty text": (lambda t: t.replace('"It expires."', '" "'), "change.empty"),
    "unknown system": (lambda t: t.replace('"api"', '"apl"'), "change.unknown-system"),
    "unknown person": (lambda t: t.replace("bo@", "bob@"), "change.unknown-principal"),
    "escape sequence": (lambda t: t.replace("Rotate the", "Rotate \\u001b[2J the"), "change.wrong-value"),
    "no mitigation": (lambda t: t.replace('"keep the old one"', ""), "change.empty"),
    "unknown dependency": (lambda t: 'depends_on = ["CHG-20200101-0000"]\n' + t, "change.unknown-change"),
}


@pytest.mark.parametrize("wrong", BAD_TEXTS)
def test_error_has_place_and_mend(take: Take, wrong: str) -> None:
    """An error in a change file is told with file, line, column and, in text, a mend; the exit code is 1."""
    edit, code = BAD_TEXTS[wrong]
    scene = take("requested")
    scene.file.write_text(edit(scene.file.read_text()))
    done = scene.company.do("bo", "check", "--json")
    assert done.code == 1
    (finding,) = [f for f in done.json["findings"] if f["code"].split(".")[0] == code.split(".")[0]][:1]
    assert code in codes(done) or (code == "toml.syntax" and finding["code"].startswith("toml."))
    assert finding["path"] == scene.path
    assert finding["line"] > 0
    assert finding["column"] > 0
    text = scene.company.do("bo", "check")
    assert text.code == 1
    assert f"{scene.path}:{finding['line']}:{finding['column']}: error: " in text.out
    assert "\x1b" not in text.out


def test_all_files_are_checked_at_once(take: Take) -> None:
    """One bad file hides no other: errors of every file are told together."""
    scene = take("requested")
    other = scene.company.request("bo")
    for change in (scene.change, other):
        file = scene.repo / path_of(change)
        file.write_text(file.read_text().replace('"api"', '"nothing"'))
    done = scene.company.do("bo", "check", "--json")
    assert {f["path"] for f in done.json["findings"]} == {path_of(scene.change), path_of(other)}


def test_paths_restrict_the_check(take: Take) -> None:
    """With paths only those files are checked, given from the folder of -C; a folder stands for its files."""
    scene = take("requested")
    scene.file.write_text("broken = ")
    other = scene.company.request("bo")
    assert scene.company.do("bo", "check", path_of(other)).code == 0
    assert scene.company.do("bo", "check", scene.path).code == 1
    assert scene.company.do("bo", "check", "changes").code == 1
    assert gitchange(scene.repo / "changes", "check", path_of(other).removeprefix("changes/")).code == 0
    for wrong in ("changes/2026/11/none.toml", "/etc/passwd"):
        assert scene.company.do("bo", "check", wrong).code == 2


STRAYS = {
    "a note": "changes/README.md",
    "a backup": "changes/2026/11/CHG-20261122-K7Q3.toml~",
    "another month's folder": "changes/2026/10/CHG-20261122-K7Q3.toml",
    "a letter that ids do not have": "changes/2026/11/CHG-20261122-K7QU.toml",
    "a day that is none": "changes/2026/02/CHG-20260230-K7Q3.toml",
    "a hidden file": "changes/.keep",
}


@pytest.mark.parametrize("path", STRAYS.values(), ids=STRAYS)
def test_stray_file_is_never_skipped(take: Take, path: str) -> None:
    """A file under changes/ that is no change file is an error, for `check` and for `verify`."""
    scene = take("requested")
    target = scene.repo / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("x = 1\n")
    done = scene.company.do("bo", "check", "--json")
    assert (done.code, any(f["path"] == path for f in done.json["findings"])) == (1, True)
    git(scene.repo, "add", "-A")
    git(scene.repo, "commit", "--quiet", "-m", "stray")
    done = scene.company.do("bo", "verify", "--json")
    assert (done.code, any(f.get("path") == path for f in done.json["findings"])) == (1, True)
    assert scene.company.do("bo", "list").code == 0


@pytest.mark.parametrize("what", ["link", "folder link", "executable"])
def test_link_is_a_stray_file(take: Take, what: str) -> None:
    """A symbolic link under changes/ is a finding, and everything else is checked all the same."""
    scene = take("requested")
    target = scene.repo / "changes" / "link"
    if what == "link":
        target.symlink_to(scene.file)
    elif what == "folder link":
        target.symlink_to(scene.repo / "policy")
    else:
        scene.file.chmod(0o755)
        assert scene.company.do("bo", "check").code == 0
        return
    scene.file.write_text("broken = ")
    done = scene.company.do("bo", "check", "--json")
    assert done.code == 1, done.err
    assert {f["path"] for f in done.json["findings"]} == {"changes/link", scene.path}


def test_file_at_another_path_is_told_where_it_belongs(take: Take) -> None:
    """A change file in another month's folder is told the path that its id asks for, and its duplicate."""
    scene = take("requested")
    wrong = scene.repo / "changes" / "2020" / "01" / scene.file.name
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(scene.file.read_bytes())
    done = scene.company.do("bo", "check", "--json")
    assert codes(done) == {"change.wrong-path", "change.duplicate-id"}
    assert scene.path in json.dumps(done.json)


def test_base_restricts_to_what_differs(take: Take) -> None:
    """With --base only files that the branch changed are checked, as a merge request's pipeline does."""
    scene = take("requested")
    scene.commit(b"broken = \n")
    git(scene.repo, "switch", "--quiet", "-c", "feature")
    other = scene.company.request("bo")
    done = scene.company.do("bo", "check", "--base", "main", "--json")
    assert (done.code, done.json["files"]) == (0, 1), done.out
    file = scene.repo / path_of(other)
    file.write_text(file.read_text().replace('"api"', '"nothing"'))
    assert scene.company.do("bo", "check", "--base", "main").code == 1
    assert scene.company.do("bo", "check").code == 1
    assert scene.company.do("bo", "check", "--base", "nothing").code == 2


@pytest.mark.parametrize("how", ["in the work tree", "committed on a branch", "committed on main"])
@pytest.mark.parametrize("edit", ["request", "record", "removed"])
def test_edit_of_a_documented_change_is_seen(take: Take, how: str, edit: str) -> None:
    """A documented file that was edited or removed fails the check, wherever the edit stands."""
    scene = take("documented")
    raw = scene.file.read_text()
    if how == "committed on a branch":
        git(scene.repo, "switch", "--quiet", "-c", "feature")
    if edit == "removed":
        scene.file.unlink()
    else:
        old, new = {"request": ("It expires", "It expired"), "record": ("It works.", "It worked.")}[edit]
        assert old in raw
        scene.file.write_text(raw.replace(old, new))
    if how != "in the work tree":
        git(scene.repo, "commit", "--quiet", "-am", "edit")
    options = ("--base", "main") if how == "committed on a branch" else ()
    done = scene.company.do("bo", "check", *options, "--json")
    assert done.code == 1, done.out
    assert any(f["code"].startswith("record.") and f["path"] == scene.path for f in done.json["findings"])
    if how == "committed on main":
        assert scene.company.do("bo", "verify").code == 1


def test_record_by_hand_is_seen(take: Take) -> None:
    """A record that nobody documented is an error before it is committed, and in a merge request a warning."""
    documented = take("documented")
    raw = documented.file.read_bytes()
    git(documented.repo, "switch", "--quiet", "-c", "feature", "HEAD~1")
    documented.file.write_bytes(raw)
    assert documented.company.do("bo", "check").code == 1
    git(documented.repo, "commit", "--quiet", "-am", "by hand")
    git(documented.repo, "branch", "--quiet", "-f", "main", "HEAD~1")
    done = documented.company.do("bo", "check", "--base", "main", "--json")
    assert "record.by-hand" in codes(done), done.out


def test_policy_errors_are_told_beside_the_files(take: Take) -> None:
    """A policy that cannot be read is an error, and the files are still checked as far as they go."""
    scene = take("requested")
    (scene.repo / "policy" / "policy.toml").write_text("version = ")
    scene.file.write_text("colour = 1\n" + scene.file.read_text())
    found = {f["path"] for f in scene.company.do("bo", "check", "--json").json["findings"]}
    assert {"policy/policy.toml", scene.path} <= found


def test_bare_repository_is_checked_at_its_head(take: Take, tmp_path: Path) -> None:
    """Without a work tree the newest commit is checked."""
    scene = take("requested")
    git(tmp_path, "clone", "--quiet", "--bare", str(scene.repo), str(tmp_path / "bare.git"))
    assert gitchange(tmp_path / "bare.git", "check").code == 0
    scene.commit(b"broken = \n")
    git(tmp_path, "clone", "--quiet", "--bare", str(scene.repo), str(tmp_path / "broken.git"))
    assert gitchange(tmp_path / "broken.git", "check").code == 1


def test_escape_sequences_cannot_reach_the_terminal(take: Take) -> None:
    """A title with escape sequences is refused by `check` and shown, not obeyed, by every command."""
    scene = take("requested")
    raw = scene.file.read_bytes()
    for hostile in (b"\x1b[2Jgone", b"\\u001b[2Jgone", b"\\u009b2Jgone", "\u202egnol".encode(), b"\x07bell"):
        scene.commit(raw.replace(b"Rotate the", hostile))
        assert scene.company.do("bo", "check").code == 1
        for command in (
            ("check",),
            ("show", scene.change),
            ("list",),
            ("verify",),
            ("approve", scene.change, "-y"),
        ):
            done = scene.company.do("ada", *command)
            assert done.code != 4, done.err
            assert not set(done.out + done.err) & set("\x1b\x07\x9b\u202e"), (command, done.out)


# -- schema ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    """The schema as the program prints it."""
    return gitchange(Path(), "schema").json


def test_schema_accepts_what_the_parser_accepts(schema: Any, take: Take) -> None:
    """What `check` accepts as to its form, an editor with the schema accepts: open and documented changes."""
    whole = 'schema = 1\nid = "CHG-20261122-K7Q3"\nrequester = "bo@example.org"\n' + WHOLE
    assert parse_change(whole.encode(), path_of("CHG-20261122-K7Q3")).change is not None
    assert problems(plain(tomllib.loads(whole)), schema, schema) == []
    documented = tomllib.loads(take("documented").file.read_text())
    assert problems(plain(documented), schema, schema) == []


def _broken() -> dict[str, Any]:
    return {
        "missing title": lambda d: d.pop("title"),
        "unknown key": lambda d: d.update(colour=1),
        "unknown key in a risk": lambda d: d["risks"][0].update(colour=1),
        "wrong type": lambda d: d.update(title=1),
        "no steps": lambda d: d.update(steps=[]),
        "no mitigation": lambda d: d["risks"][0].update(mitigations=[]),
        "unknown likelihood": lambda d: d["risks"][0].update(likelihood="seldom"),
        "negative outage": lambda d: d["outage"].update(minutes=-1),
        "another schema": lambda d: d.update(schema=2),
    }


@pytest.mark.parametrize("wrong", _broken())
def test_schema_refuses_what_the_parser_refuses(schema: Any, wrong: str) -> None:
    """The schema refuses unknown and missing keys, wrong types and words, as the parser does."""
    data = copy.deepcopy(
        plain(tomllib.loads('schema = 1\nid = "CHG-20261122-K7Q3"\nrequester = "bo@example.org"\n' + WHOLE))
    )
    _broken()[wrong](data)
    assert problems(data, schema, schema)


def test_schema_names_itself_and_explains_its_keys(schema: Any) -> None:
    """The schema says which draft it follows, and each key has a description for editors to show."""
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert all("$ref" in rule or rule.get("description") for _, rule in schema["properties"].items())
    assert set(schema["required"]) >= {"schema", "id", "title", "type", "requester", "systems", "reason"}


def test_schema_needs_no_repository(tmp_path: Path) -> None:
    """The schema is printed anywhere."""
    assert gitchange(tmp_path, "schema").code == 0


def test_scene_paths_are_the_programs(take: Take) -> None:
    """A change lies where its id says."""
    scene: Scene = take("requested")
    assert scene.company.show(scene.change)["path"] == scene.path
