"""Members who sign with OpenPGP: the real gpg, beside members who sign with SSH, through everything that is done."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitchange.assessment.assess import overview
from gitchange.assessment.shapes import show_json
from gitchange.errors import SigningError
from gitchange.ledger import signoffs
from gitchange.model.policy import load_policy
from gitchange.signing.dsse import Envelope, parse_envelope
from gitchange.signing.gpg import OpenPgpSigner
from gitchange.signing.openpgp import normalised
from gitchange.signing.signer import SshSigner
from gitchange.signing.signers import name_of_key
from gitchange.site.verification import verify_commands
from gitchange.workflow.tools import signer_by
from tests.company import (
    POLICY,
    SYSTEMS,
    Company,
    Result,
    git,
    gitchange,
    request_options,
    write_policy,
)
from tests.gnupg import Gnupg, gnupg
from tests.integration.test_export import Evidence, export, tools, unpack
from tests.integration.test_hook import guard, push


@dataclass(frozen=True)
class MixedCompany(Company):
    """A company of which some sign with OpenPGP."""

    keyring: Gnupg
    openpgp: dict[str, str]
    """The fingerprint by which each of them is configured."""

    def become(self, person: str, directory: Path | None = None) -> Path:
        """Make a clone this person's, with the key of that person's kind."""
        where = super().become(person, directory)
        if person in self.openpgp:
            git(where, "config", "gpg.format", "openpgp")
            git(where, "config", "user.signingkey", self.openpgp[person])
        return where

    def copy(self, root: Path) -> MixedCompany:
        """The same company in another folder."""
        shutil.copytree(self.root, root, symlinks=True)
        return MixedCompany(root, root / "repo", self.keyring, self.openpgp)


@pytest.fixture(scope="module")
def keyring() -> Iterator[Gnupg]:
    """ada and eve with ed25519, dee with an RSA key that certifies and a subkey that signs."""
    with gnupg() as made:
        made.key("ada", "ed25519", "cert,sign")
        made.subkey(made.key("dee", "rsa2048", "cert"), "rsa2048", "sign")
        made.key("mallory", "ed25519", "sign")
        yield made


@pytest.fixture(scope="module")
def founded(keyring: Gnupg, tmp_path_factory: pytest.TempPathFactory) -> MixedCompany:
    """A company in which ada and dee sign with OpenPGP. Not to be written to."""
    root = tmp_path_factory.mktemp("mixed") / "company"
    root.mkdir()
    folder = write_policy(root)
    (folder / "openpgp").mkdir()
    names = {"ada": keyring.fingerprints("ada@example.org")[0], "dee": "dee@example.org"}
    for person in names:
        (folder / "openpgp" / f"{person}@example.org.asc").write_bytes(
            keyring.export(f"{person}@example.org")
        )
    lines = (folder / "allowed_signers").read_text().splitlines(keepends=True)
    (folder / "allowed_signers").write_text(
        "".join(line for line in lines if line.partition("@")[0] not in names)
    )
    git(root, "init", "--quiet", "-b", "main", str(root / "repo"))
    company = MixedCompany(root, root / "repo", keyring, names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNUPGHOME", str(keyring.home))
        company.must("ada", "init", "--title", "Example changes", "--policy", str(folder))
    return company


@pytest.fixture
def company(founded: MixedCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MixedCompany:
    """A company of the test's own; gpg finds everybody's keys."""
    monkeypatch.setenv("GNUPGHOME", str(founded.keyring.home))
    return founded.copy(tmp_path / "company")


def test_both_kinds_of_key_go_through_all_five_steps(company: MixedCompany) -> None:
    """A change that ada approves and dee validates with OpenPGP, and bo implements with SSH, is documented."""
    change = company.documented()
    shown = company.show(change)
    assert shown["status"] == "documented"
    kinds = {s["by"].partition("@")[0]: (s["key"], s["key_type"]) for s in shown["sign_offs"]}
    assert kinds["ada"] == (f"openpgp:{company.openpgp['ada']}", "openpgp-eddsa")
    subkey = company.keyring.fingerprints("dee@example.org")[1]
    assert kinds["dee"] == (f"openpgp:{subkey}", "openpgp-rsa")
    assert kinds["bo"][0].startswith("SHA256:")
    assert all(s["counts"] for s in shown["sign_offs"])
    done = gitchange(company.repo, "verify", "--json")
    assert (done.code, done.json["verdict"]) == (0, "ok"), done.out
    assert not [f for f in done.json["findings"] if f["severity"] == "error"]
    assert f"openpgp:{subkey} (openpgp-rsa)" in gitchange(company.repo, "show", change).out
    assert gitchange(company.repo, "check").code == 0


def verdicts(company: Company, change: str) -> dict[str, bool]:
    """Who signed the current text, and whether it counts."""
    return {s["by"].partition("@")[0]: s["counts"] for s in company.show(change)["sign_offs"] if s["current"]}


def findings(company: Company, change: str) -> dict[str, str]:
    """Codes of the findings about a change, with their severities."""
    return {f["code"]: f["severity"] for f in company.show(change)["findings"]}


def lines(company: Company, change: str) -> list[bytes]:
    """What stands in the note on the change."""
    path = f"{change[4:8]}/{change[8:10]}/{change}.toml"
    shown = git(company.repo, "notes", "--ref=gitchange/approvals", "show", f"HEAD:changes/{path}")
    return shown.encode().splitlines()


def put(company: Company, change: str, *notes: bytes) -> None:
    """Put lines on the change as somebody with push access may."""
    company.become("bo")
    path = f"HEAD:changes/{change[4:8]}/{change[8:10]}/{change}.toml"
    text = b"\n".join(sorted(notes)) + b"\n"
    git(company.repo, "notes", "--ref=gitchange/approvals", "add", "-f", "-F", "-", path, data=text)


def resigned(line: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The same words, signed by something else."""
    old = parse_envelope(line)
    signature = normalised(sign(old.signed_bytes))
    return Envelope(old.payload_type, old.payload, name_of_key(signature), signature).to_line()


def with_policy(company: MixedCompany, edit: Callable[[Path], None]) -> None:
    """Change the policy folder, raise its version, and have root (ada with OpenPGP, eve with SSH) adopt it."""
    repo = company.become("ada")
    git(repo, "switch", "--quiet", "-C", "proposal", "main")
    text = (repo / "policy" / "policy.toml").read_text()
    version = int(text.partition("version = ")[2].partition("\n")[0])
    (repo / "policy" / "policy.toml").write_text(
        text.replace(f"version = {version}", f"version = {version + 1}")
    )
    edit(repo / "policy")
    git(repo, "add", "--all", "policy")
    git(repo, "commit", "--quiet", "-m", "a new policy")
    git(repo, "switch", "--quiet", "main")
    company.must("ada", "policy", "approve", "proposal", "--yes")
    company.must("eve", "policy", "approve", "proposal", "--yes")
    company.must("eve", "policy", "adopt", "proposal")


def test_the_commands_on_the_site_verify_both_kinds(company: MixedCompany, tmp_path: Path) -> None:
    """What a page tells to paste into bash verifies each sign-off in a plain clone, and refuses a forged one."""
    company.documented()
    waiting = company.request()
    company.must("ada", "approve", waiting, "--yes", "-m", "go")
    git(tmp_path, "clone", "--quiet", str(company.repo), str(tmp_path / "clone"))

    def pasted(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash"], input=script, cwd=tmp_path / "clone", capture_output=True, text=True, check=False
        )

    said = []
    for assessment in overview(company.repo, datetime.now(UTC)).assessments:
        shape = show_json(assessment)
        for sign_off in shape["sign_offs"]:
            done = pasted(verify_commands(shape, sign_off))
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
            assert sign_off["meaning"] in done.stdout
            said.append(f"Good OpenPGP signature by the key {sign_off['key'][8:].upper()}" in done.stdout)
            if sign_off["key"].startswith("openpgp:"):
                for wrong in (
                    {"by": "dee@example.org" if "ada" in sign_off["by"] else "ada@example.org"},
                    {"key": "openpgp:" + "0" * 40},
                    {"envelope": "0" * 64},
                ):
                    assert pasted(verify_commands(shape, {**sign_off, **wrong})).returncode != 0
    assert sorted(said) == [False, True, True, True]


def test_the_site_shows_both_kinds(company: MixedCompany) -> None:
    """The built site has the key and its type on the cards, and the certificates on the page of the policy."""
    change = company.documented()
    site = company.root / "site"
    company.must("ada", "site", "build", "--output", str(site))
    page = next(path for path in site.rglob("*.html") if change in str(path)).read_text()
    assert f"openpgp:{company.openpgp['ada']}" in page
    assert "openpgp-rsa" in page
    policy_page = next(path for path in site.rglob("*.html") if "policy" in str(path)).read_text()
    assert "BEGIN PGP PUBLIC KEY BLOCK" in policy_page
    assert "dee@example.org" in policy_page


def test_root_with_openpgp_puts_a_policy_in_force(company: MixedCompany) -> None:
    """An approval of a policy is signed with OpenPGP as any other, and counts for the threshold."""
    with_policy(company, lambda _: None)
    state = gitchange(company.repo, "policy", "show", "--json").json
    assert state["policy"]["version"] == 2
    assert set(state["history"][-1]["approved_by"]) == {"ada@example.org", "eve@example.org"}
    assert gitchange(company.repo, "verify").code == 0
    (approvals,) = (company.repo / "policy-approvals").iterdir()
    kinds = [json.loads(line)["signatures"][0]["keyid"][:7] for line in approvals.read_text().splitlines()]
    assert sorted(kinds) == ["SHA256:", "openpgp"]


def test_a_revoked_key_signs_nothing_new_and_keeps_what_was_witnessed(
    company: MixedCompany, tmp_path: Path
) -> None:
    """From the policy on that has the revocation: what was witnessed before stays, what comes after does not count."""
    with gnupg() as other:
        other.must(
            "--import",
            data=company.keyring.must("--armor", "--export-secret-keys", "dee@example.org"),
        )
        primary, sub = other.fingerprints("dee@example.org")
        change = company.documented()
        late = company.request()
        company.must("ada", "approve", late, "--yes", "-m", "go")
        company.must("bo", "implement", late, "--steps-followed", "--test", "suite=passed")
        validation = (*("validate", late), "--works", "--no-security-risk", "--evidence", "looked at it")
        other.edit(primary, "key 1", "revkey", "y", "1", "", "y")
        revoked = other.export(primary)
        with_policy(company, lambda folder: (folder / "openpgp" / "dee@example.org.asc").write_bytes(revoked))
        done = company.do("dee", *validation)  # with the keyring that knows nothing of it
        assert done.code == 3
        assert f"openpgp:{sub} is revoked" in done.err
        assert gitchange(company.repo, "verify").code == 0
        assert company.show(change)["status"] == "documented"
        assert verdicts(company, change) == {"ada": True, "bo": True, "dee": True}
        assert company.show(late)["status"] == "implemented"
        assert gitchange(company.repo, "check").code == 0
        assert "dee@example.org cannot sign with OpenPGP now" in gitchange(company.repo, "check").out


def test_a_dropped_key_signs_nothing_new_whatever_date_it_claims(company: MixedCompany) -> None:
    """Who left and kept the key cannot date a sign-off back: nobody witnessed it while the policy had the key."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    (line,) = lines(company, change)
    put(company, change)  # never seen by anybody

    def leave(folder: Path) -> None:
        (folder / "openpgp" / "ada@example.org.asc").unlink()
        text = (folder / "policy.toml").read_text()
        text = text.replace('"ada@example.org", "mo@example.org"', '"mo@example.org"')
        text = text.replace('["ada@example.org", "eve@example.org"], threshold = 2', '["eve@example.org"]')
        (folder / "policy.toml").write_text(text)

    with_policy(company, leave)
    put(company, change, line)
    assert company.show(change)["status"] == "requested"
    assert not any(verdicts(company, change).values())
    # Nobody can tell any more whether the words are hers, so they withhold approval instead of being passed over.
    assert findings(company, change)["signer.unknown"] == "error"
    done = company.do("mo", "approve", change, "--yes", "-m", "go")
    assert company.show(change)["status"] == "requested", done.out


@pytest.mark.parametrize(
    ("forger", "code", "severity"),
    [("bo", "signer.unknown", "error"), ("dee", "signer.principal", "warning")],
    ids=["a key nobody has", "a colleague's key"],
)
def test_words_in_anothers_mouth_do_not_count(
    company: MixedCompany, forger: str, code: str, severity: str
) -> None:
    """An approval in ada's name by a key that is not hers is named and counts for nothing."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    (line,) = lines(company, change)
    key = "mallory@example.org" if forger == "bo" else "dee@example.org"
    put(company, change, resigned(line, lambda message: company.keyring.sign(message, key)))
    assert verdicts(company, change) == {}
    assert company.show(change)["status"] == "requested"
    assert findings(company, change)[code] == severity


def test_the_same_key_for_two_persons_lets_nobody_sign(company: MixedCompany) -> None:
    """A key in two persons' files is nobody's: neither counts, and check says whose it is."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")

    def share(folder: Path) -> None:
        shutil.copy(folder / "openpgp" / "dee@example.org.asc", folder / "openpgp" / "mo@example.org.asc")

    with_policy(company, share)
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    done = company.do("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked")
    assert done.code == 1
    assert "belongs to several persons: dee@example.org, mo@example.org" in done.err
    check = gitchange(company.repo, "check", "--json")
    assert check.code == 1
    assert {f["code"] for f in check.json["findings"]} == {"policy.shared-key"}


def test_a_line_of_a_shared_key_is_named(company: MixedCompany) -> None:
    """A validation that was made before the key was shared, and that nobody witnessed, counts for nobody."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    before = lines(company, change)
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked")
    after = lines(company, change)
    put(company, change, *before)

    def share(folder: Path) -> None:
        shutil.copy(folder / "openpgp" / "dee@example.org.asc", folder / "openpgp" / "mo@example.org.asc")

    with_policy(company, share)
    put(company, change, *after)
    assert findings(company, change)["signer.ambiguous"] == "warning"
    assert verdicts(company, change) == {"ada": True, "bo": True}


def test_openpgp_line_by_a_key_that_the_policy_does_not_have_is_refused(
    company: MixedCompany, tmp_path: Path
) -> None:
    """It would withhold approval, since nobody could tell what it was: a server with our hook does not take it."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    server = tmp_path / "server.git"
    git(tmp_path, "clone", "--quiet", "--mirror", str(company.repo), str(server))
    guard(server, git(company.repo, "config", "gitchange.introduction"))
    (line,) = lines(company, change)
    put(
        company,
        change,
        line,
        resigned(line, lambda message: company.keyring.sign(message, "mallory@example.org")),
    )
    refused = push(company.repo, str(server), "refs/notes/gitchange/approvals")
    assert refused.code != 0
    assert "[signer.unknown]" in refused.told
    assert findings(company, change)["signer.unknown"] == "error"
    assert gitchange(server, "show", change, "--json").json["status"] == "approved"


@pytest.mark.parametrize("named", ["subkey", "primary key"])
def test_a_compromised_key_voids_by_subkey_or_primary_key(company: MixedCompany, named: str) -> None:
    """`[[compromised]]` names the subkey that signed, or the primary key for all of its subkeys."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked")
    assert verdicts(company, change)["dee"]
    since = git(company.repo, "rev-parse", "HEAD")
    key = company.keyring.fingerprints("dee@example.org")[1 if named == "subkey" else 0]

    def name(folder: Path) -> None:
        with (folder / "policy.toml").open("a") as file:
            file.write(f'\n[[compromised]]\nkey = "openpgp:{key}"\nsince = "{since}"\nreason = "stolen"\n')

    with_policy(company, name)
    assert findings(company, change)["signer.compromised"] == "warning"
    assert not verdicts(company, change).get("dee", False)
    assert verdicts(company, change)["ada"]


def test_another_name_of_the_key_in_the_envelope_is_refused(company: MixedCompany) -> None:
    """`keyid` is the fingerprint of the key that signed, in its one spelling."""
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    (line,) = lines(company, change)
    fingerprint = company.openpgp["ada"].encode()
    for other in (fingerprint.upper(), b"0" * 40, fingerprint[24:]):
        put(company, change, line.replace(fingerprint, other))
        assert findings(company, change)["envelope.keyid"] == "error"
        assert company.show(change)["status"] == "requested"
    put(company, change, line)
    assert company.show(change)["status"] == "approved"


def test_a_flipped_bit_of_a_refusal_cannot_turn_it_into_an_approval(company: MixedCompany) -> None:
    """What is left of an OpenPGP refusal withholds approval, wherever in the signature it was spoiled."""
    change = company.request()
    company.must("ada", "reject", change, "--yes", "-m", "no")
    (refusal,) = lines(company, change)
    put(company, change)
    company.must("mo", "approve", change, "--yes", "-m", "go")
    (approval,) = lines(company, change)
    assert company.show(change)["status"] == "approved"
    signature = json.loads(refusal)["signatures"][0]["sig"]
    raw = base64.b64decode(signature)
    for at in range(0, len(raw), 9):
        spoiled = base64.b64encode(raw[:at] + bytes((raw[at] ^ 0x04,)) + raw[at + 1 :]).decode()
        put(company, change, approval, refusal.replace(signature.encode(), spoiled.encode()))
        shown = company.show(change)
        assert shown["status"] == "requested", at
        assert "in doubt" in shown["flags"]


def test_without_the_library_nothing_signed_with_openpgp_counts(
    company: MixedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pysequoia is missing an OpenPGP line is in doubt and withholds; the mend is said; SSH goes on."""
    change, other = company.request(), company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    company.must("mo", "approve", other, "--yes", "-m", "go")
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    signoffs._signers.cache_clear()
    try:
        shown = company.show(change)
        assert shown["status"] == "requested"
        assert "in doubt" in shown["flags"]
        (finding,) = [f for f in shown["findings"] if f["code"] == "signature.unchecked"]
        assert "pip install 'gitchange[openpgp]'" in finding["hint"]
        assert finding["severity"] == "error"
        assert company.show(other)["status"] == "approved"
        done = gitchange(company.repo, "verify", "--json")
        assert (done.code, done.json["verdict"]) == (3, "undecided")
        refused = company.do("ada", "approve", other, "--yes", "-m", "go")
        assert refused.code == 3
        assert "gitchange[openpgp]" in refused.err
        check = gitchange(company.repo, "check", "--json")
        assert {f["code"]: f["severity"] for f in check.json["findings"]} == {
            "policy.openpgp-unchecked": "warning"
        }
    finally:
        signoffs._signers.cache_clear()


# -- whose tool, whose key ------------------------------------------------------------------------


def configured(company: MixedCompany, **settings: str | None) -> Path:
    """ada's clone with other settings; None takes one away. Underscores stand for dots."""
    repo = company.become("ada")
    for name, value in settings.items():
        key = name.replace("_", ".")
        if value is None:
            subprocess.run(["git", "-C", str(repo), "config", "--unset-all", key], check=False)
        else:
            git(repo, "config", key, value)
    return repo


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"gpg.format": "ssh", "user.signingkey": "ada@example.org"},
            SshSigner("ssh-keygen", "ada@example.org"),
        ),
        ({"user.signingkey": "/home/ada/.ssh/id.pub"}, SshSigner("ssh-keygen", "/home/ada/.ssh/id.pub")),
        ({"user.signingkey": "/home/ada@work/id"}, SshSigner("ssh-keygen", "/home/ada@work/id")),
        ({"user.signingkey": "key::ssh-ed25519 AAAA ada@example.org"}, SshSigner),
        ({"user.signingkey": "ssh-ed25519 AAAA ada@example.org"}, SshSigner),
        ({"user.signingkey": "ecdsa-sha2-nistp256 AAAA ada@example.org"}, SshSigner),
        ({"gpg.ssh.defaultKeyCommand": "echo ssh-ed25519 AAAA"}, SshSigner("ssh-keygen", "ssh-ed25519 AAAA")),
        ({"user.signingkey": "0x0123456789ABCDEF"}, OpenPgpSigner("gpg", "0x0123456789ABCDEF")),
        ({"user.signingkey": "ada@example.org"}, OpenPgpSigner("gpg", "ada@example.org")),
        ({"user.signingkey": "Ada <ada@example.org>"}, OpenPgpSigner("gpg", "Ada <ada@example.org>")),
        ({"gpg.format": "openpgp", "user.signingkey": "/a/b"}, OpenPgpSigner("gpg", "/a/b")),
        ({"gpg.format": "openpgp"}, OpenPgpSigner("gpg", "the committer")),
        ({"gpg.format": "openpgp", "gpg.program": "gpg2"}, OpenPgpSigner("gpg2", "the committer")),
        (
            {"gpg.format": "openpgp", "gpg.program": "gpg2", "gpg.openpgp.program": "gpg-sq"},
            OpenPgpSigner("gpg-sq", "the committer"),
        ),
        ({}, "names no signing key"),
        ({"gpg.format": "x509", "user.signingkey": "/a/b"}, "gpg.format=x509"),
    ],
    ids=str,
)
def test_which_tool_signs(settings: dict[str, str], expected: object) -> None:
    """`gpg.format` decides; unset, OpenPGP only when the key reads like one that gpg knows, otherwise SSH."""
    if isinstance(expected, str):
        with pytest.raises(SigningError, match=expected) as caught:
            signer_by(settings.get, lambda: "the committer")
        assert caught.value.hint
        return
    found = signer_by(settings.get, lambda: "the committer")
    assert found == expected or type(found) is expected


def test_the_key_is_found_as_git_finds_it(company: MixedCompany) -> None:
    """By fingerprint, key id or address; without `gpg.format` too; and by the committer where none is named."""
    full = company.openpgp["ada"]
    for settings in (
        {"user_signingkey": full.upper()},
        {"user_signingkey": f"0x{full[-16:]}", "gpg_format": None},
        {"user_signingkey": "ada@example.org", "gpg_format": None},
        {"user_signingkey": f"{full}!", "gpg_program": shutil.which("gpg")},
        {"user_signingkey": None, "gpg_format": "openpgp"},
    ):
        change = company.request()
        repo = configured(company, **settings)
        done = gitchange(repo, "approve", change, "--yes", "-m", "go")
        assert done.code == 0, (settings, done.err)
        assert company.show(change)["sign_offs"][0]["key"] == f"openpgp:{full}"


def failing(company: MixedCompany, **settings: str | None) -> Result:
    """An approval with these settings, which must fail without leaving a sign-off."""
    change = company.request()
    done = gitchange(configured(company, **settings), "approve", change, "--yes", "-m", "go")
    assert done.code != 0
    assert company.show(change)["sign_offs"] == []
    return done


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"gpg_format": "x509"}, 3, "gpg.format=x509"),
        ({"user_signingkey": "nobody@example.org"}, 3, "no secret key"),
        ({"user_signingkey": "mallory@example.org"}, 1, "does not know your OpenPGP key"),
        ({"gpg_program": "/nowhere/gpg"}, 3, "cannot be run"),
        ({"gpg_program": "true"}, 3, "no secret key"),
        ({"gpg_format": None, "user_signingkey": None}, 3, "names no signing key"),
    ],
    ids=[
        "x509",
        "no secret key",
        "unknown to the policy",
        "no program",
        "no signature",
        "nothing configured",
    ],
)
def test_what_cannot_sign_is_told_with_its_mend(
    company: MixedCompany, settings: dict[str, str | None], code: int, words: str
) -> None:
    """Each error names what is missing and how to mend it."""
    done = failing(company, **settings)
    assert done.code == code
    assert words in done.err
    assert "hint" in done.err


def tool(company: MixedCompany, script: str) -> str:
    """A program in the place of gpg."""
    path = company.root / "tool"
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ('case "$*" in *-bsau*) echo nothing;; *) exec gpg "$@";; esac', "did not sign"),
        (
            'case "$*" in *-bsau*) echo "[GNUPG:] SIG_CREATED D" >&2; echo nothing;; *) exec gpg "$@";; esac',
            "no armored OpenPGP signature",
        ),
        (
            'case "$*" in *-bsau*) echo other | exec gpg "$@";; *) exec gpg "$@";; esac',
            "something else than the message",
        ),
        ('exec gpg --digest-algo SHA1 "$@"', "hash 2"),
        ('exec gpg --default-sig-expire 1y "$@"', "runs out"),
        (
            'case "$*" in *-bsau*) exec gpg --status-fd=2 -bsau mallory@example.org;; *) exec gpg "$@";; esac',
            "is not accepted",
        ),
        (
            'case "$*" in *-bsau*) echo "gpg: signing failed: Inappropriate ioctl for device" >&2; exit 2;; '
            '*) exec gpg "$@";; esac',
            "GPG_TTY",
        ),
    ],
    ids=["no status", "no armor", "another message", "SHA-1", "runs out", "another key", "no terminal"],
)
def test_what_a_tool_makes_is_checked_before_it_is_kept(
    company: MixedCompany, script: str, words: str
) -> None:
    """A signing program that says it signed, and did not, leaves nothing behind."""
    done = failing(company, gpg_program=tool(company, script))
    assert done.code == 3
    assert words in done.err


# -- init -----------------------------------------------------------------------------------------


def test_init_takes_the_key_with_which_git_signs(
    keyring: Gnupg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose git signs with OpenPGP needs no --key: the public certificate is exported into the first policy."""
    monkeypatch.setenv("GNUPGHOME", str(keyring.home))
    config = tmp_path / "gitconfig"
    config.write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n\tsigningkey = ada@example.org\n"
        "[gpg]\n\tformat = openpgp\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    repo = tmp_path / "new" / "repo"
    done = gitchange(
        tmp_path, "init", str(repo), "--title", "Changes", "--principal", "ada@example.org", "--system", "api"
    )
    assert done.code == 0, done.err
    certificate = (repo / "policy" / "openpgp" / "ada@example.org.asc").read_bytes()
    assert b"BEGIN PGP PUBLIC KEY BLOCK" in certificate
    assert not (repo / "policy" / "allowed_signers").exists()
    assert gitchange(repo, "check").code == 0
    for key, value in (
        ("user.name", "Ada"),
        ("user.email", "ada@example.org"),
        ("gpg.format", "openpgp"),
        ("user.signingkey", "ada@example.org"),
    ):
        git(repo, "config", key, value)
    change = gitchange(repo, "new", "--commit", *request_options()).out.split()[0]
    done = gitchange(repo, "reject", change, "--yes", "-m", "not by myself")
    assert done.code == 0, done.err
    assert gitchange(repo, "show", change, "--json").json["status"] == "rejected"
    assert gitchange(repo, "verify").code == 0


def test_init_takes_an_armored_file(keyring: Gnupg, tmp_path: Path) -> None:
    """`--key` may name an armored certificate; of a secret key, or something damaged, nothing is written."""
    file = tmp_path / "ada.asc"
    options = ("--title", "Changes", "--principal", "ada@example.org", "--key", str(file))
    for text, words in (
        (keyring.must("--armor", "--export-secret-keys", "ada@example.org"), "SECRET"),
        (keyring.export("ada@example.org").replace(b"\n\n", b"\n\nAAAA", 1), "policy/openpgp has errors"),
    ):
        file.write_bytes(text)
        done = gitchange(tmp_path, "init", str(tmp_path / "refused"), *options)
        assert done.code == 1
        assert words in done.err
        assert not (tmp_path / "refused").exists()


def test_policy_with_openpgp_files_is_read_strictly() -> None:
    """Each file is named after its person; anything else below policy/openpgp/ makes the policy unreadable."""
    files = {"policy.toml": POLICY.encode(), "systems.toml": SYSTEMS.encode(), "allowed_signers": b""}
    good, found = load_policy(files | {"openpgp/ada@example.org.asc": b"x"}, "")
    assert good is not None
    assert dict(good.openpgp) == {"ada@example.org": b"x"}
    assert not found
    del files["allowed_signers"]
    assert load_policy(files | {"openpgp/ada@example.org.asc": b"x"}, "")[0] is not None
    assert load_policy(files, "")[0] is None
    files["allowed_signers"] = b""
    for name in (
        "openpgp/ada@example.org.gpg",
        "openpgp/README.md",
        "openpgp/.asc",
        "openpgp/two words.asc",
        "openpgp/*.asc",
        "openpgp/folder/ada@example.org.asc",
        f"openpgp/{'a' * 300}.asc",
    ):
        loaded, found = load_policy(files | {name: b"x"}, "")
        assert loaded is None
        assert [f.code for f in found] == ["policy.stray-file"], name
        assert found[0].hint
    secret = files | {"openpgp/ada@example.org.asc": b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n"}
    loaded, found = load_policy(secret, "")
    assert loaded is None
    assert [f.code for f in found] == ["policy.secret-key"]


def test_sign_offs_with_openpgp_are_checked_by_gpg_or_not_called_ok(
    company: MixedCompany, tmp_path: Path
) -> None:
    """Where gpg is there it decides; where it is not, such sign-offs are told to be unchecked, and nothing is ok."""
    change = company.documented()
    folder = unpack(export(company, tmp_path / "e.zip", change), tmp_path / "evidence")
    evidence = Evidence(company, folder, {change: change})
    without = evidence.verify()
    assert without.returncode == 1
    assert "is signed with OpenPGP, which was not checked: gpg was not found" in without.stdout
    gpg = shutil.which("gpg")
    assert gpg is not None
    (tools(tmp_path) / "gpg").symlink_to(gpg)
    done = evidence.verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "approve by ada@example.org as change-manager: good under policy 1" in done.stdout
    # Another's certificate in the place of ada's, in all that can be forged.
    certificates = folder / "policy" / "1" / "openpgp"
    shutil.copy(certificates / "dee@example.org.asc", certificates / "ada@example.org.asc")
    evidence.forge_manifest()
    forged = evidence.verify()
    assert forged.returncode == 1
    assert "approve by ada@example.org" not in forged.stdout
