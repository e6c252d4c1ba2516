"""`init`: a configuration repository from a prepared policy, or from one person's key."""

from __future__ import annotations

import tomli_w

from gitchange.errors import GitchangeError, Refused, SigningError, UsageError
from gitchange.git import program
from gitchange.git.repository import FILE, Repository
from gitchange.git.work_tree import announce, move_branch, settle
from gitchange.ledger.documents import INTRODUCTION_KEY
from gitchange.ledger.signoffs import signers_of
from gitchange.model import policy as policies
from gitchange.model import settings
from gitchange.model.policy import load_policy, write_first_policy
from gitchange.signing.certificates import EXPORT, INSTALL
from gitchange.signing.gpg import OpenPgpSigner
from gitchange.signing.keys import parse_public_line
from gitchange.values import Value
from gitchange.workflow.doctor import policy_findings
from gitchange.workflow.joining import prepare_remotes
from gitchange.workflow.tools import signer_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from gitchange.model.finding import Finding
    from gitchange.model.policy import Policy

ATTRIBUTES = b"""# Everybody must sign the same bytes: no conversion of line ends.
changes/** -text
policy/** -text
policy-approvals/** -text
"""

IGNORED = b"/site/\n/.site.gitchange-*/\n"


class Initialised(Value):
    """What `init` did."""

    directory: Path
    branch: str
    introduction: str
    created: bool
    """Whether the repository is new; otherwise an existing one was adopted."""
    policy: Policy
    findings: tuple[Finding, ...]
    """What its members cannot do by this policy and what in it needs looking after: what `doctor` tells of it."""
    kept: tuple[str, ...] = ()
    """Files of the work tree that stood in the way and were left as they are."""


def read_policy_folder(folder: Path) -> dict[str, bytes]:
    """The files of a prepared policy, names relative to the folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="--policy takes a folder with policy.toml in it")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def first_policy(principal: str, key_file: Path, system: str) -> dict[str, bytes]:
    """A policy in which one person holds every role, from that person's public key: SSH's, or OpenPGP's in armor."""
    try:
        text = key_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read the key {key_file}: {error}", hint="--key takes a .pub file, or an armored .asc"
        ) from None
    if text.startswith("-----BEGIN PGP "):
        return write_first_policy(principal, _certificate_file(principal, text.encode()), system, system)
    try:
        key = parse_public_line(text)
    except ValueError as error:
        raise UsageError(
            f"{key_file} is no public SSH key: {error}",
            hint="--key takes the .pub file; `ssh-keygen -t ed25519` makes a key. For OpenPGP, an armored .asc: "
            f"{EXPORT}",
        ) from None
    line = f'{principal} namespaces="gitchange" {key.type} {text.split()[1]}\n'
    return write_first_policy(principal, {policies.SIGNERS_FILE: line.encode()}, system, system)


def own_openpgp_policy(principal: str, directory: Path, system: str) -> dict[str, bytes] | None:
    """The same from the key with which the user's git signs, when that is OpenPGP's; None when it is not.

    `directory` is where the repository will be: git's configuration is read as git reads it there, or beside it.
    """
    place = next(
        folder for folder in (directory.absolute(), *directory.absolute().parents) if folder.is_dir()
    )

    def config(key: str) -> str | None:
        done = program.run(place, "config", "--get", key, check=False)
        return done.stdout.decode(errors="replace").rstrip("\n") if done.returncode == 0 else None

    def committer() -> str:
        done = program.run(place, "var", "GIT_COMMITTER_IDENT")
        return done.stdout.decode(errors="replace").rpartition("> ")[0] + ">"

    try:
        signer = signer_by(config, committer)
    except SigningError:
        return None
    if not isinstance(signer, OpenPgpSigner):
        return None
    return write_first_policy(principal, _certificate_file(principal, signer.certificate()), system, system)


def _certificate_file(principal: str, text: bytes) -> dict[str, bytes]:
    return {f"{policies.OPENPGP}{principal}{policies.CERTIFICATES}": text.strip() + b"\n"}


def initialise(
    directory: Path, title: str, files: Mapping[str, bytes], site: Mapping[str, bytes], now: dt.datetime
) -> Initialised:
    """Make or adopt a repository, in these steps:

    1. the policy must be readable; otherwise nothing is written;
    2. find the repository that the folder is, or make one;
    3. commit policy, settings and the site's configuration: the introduction commit;
    4. pin it in this clone's configuration, which is also told where the notes of its remotes go.

    A new repository is made out of sight and takes its place when it is complete, files last.

    `site` holds further files to commit (the site's configuration); none of them replaces one that exists.
    """
    # 1. The policy.
    policy, found = load_policy(files, "")
    if policy is None:
        listing = "\n".join(f"  {f.where or f.path}: {f.message}" for f in found)
        raise Refused(f"the policy has errors, so nothing was written:\n{listing}")
    signers = signers_of(policy)
    if signers.ssh.problems:
        listing = "\n".join(f"  line {line}: {message}" for line, message in signers.ssh.problems)
        raise Refused(f"policy/allowed_signers has errors, so nothing was written:\n{listing}")
    if policy.openpgp and signers.openpgp.missing:
        raise GitchangeError(
            f"the OpenPGP certificates cannot be checked here: {signers.openpgp.missing}",
            hint=f"install what checks them: {INSTALL}",
        )
    if policy.openpgp and signers.openpgp.problems:
        problems = signers.openpgp.problems
        listing = "\n".join(f"  {p.principal}{policies.CERTIFICATES}: {p.message}" for p in problems)
        raise Refused(f"policy/openpgp has errors, so nothing was written:\n{listing}", hint=problems[0].hint)
    branch = policy.main
    # 2. The repository.
    created = not (directory / ".git").exists() and not (directory / "HEAD").is_file()
    if created:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{directory} cannot be made: {error.strerror}") from None
        with Repository.founding(directory, branch) as founded:
            # 3. and 4. Here nobody sees it yet.
            commit = _introduction(founded, None, title, policy, files, site)
            founded.set_ref(branch, commit, None, "gitchange init")
            founded.set_config(INTRODUCTION_KEY, commit)
            announce(founded, branch, None, commit)
        repository = Repository.open(directory)
        kept = settle(repository)
    else:
        repository = Repository.open(directory)
        if directory.resolve() not in [place.resolve() for place in repository.places]:
            raise UsageError(
                f"{directory / '.git'} is no repository, and the one around it is another",
                hint="look what it is, and move it away",
            )
        settle(repository)
        old = _beginning(repository, policy)
        # 3.
        commit = _introduction(repository, old, title, policy, files, site)
        # 4. The pin goes first: there is no moment at which the commit is there and nobody knows its name.
        prepare_remotes(repository)
        before = repository.config(INTRODUCTION_KEY)
        repository.set_config(INTRODUCTION_KEY, commit)
        try:
            kept = move_branch(repository, branch, old, commit, "gitchange init")
        except BaseException:
            repository.unset_config(INTRODUCTION_KEY)
            if before is not None:
                repository.set_config(INTRODUCTION_KEY, before)
            raise
    told = tuple(dict.fromkeys([*found, *policy_findings(policy, now)]))
    return Initialised(repository.directory, branch, commit, created, policy, told, kept)


def _beginning(repository: Repository, policy: Policy) -> str | None:
    """Where the branch of record of an existing repository is; UsageError when it cannot be adopted."""
    old = repository.ref(policy.main)
    if old is None and repository.ref("HEAD") is not None:
        raise UsageError(
            f"this repository has no branch {policy.file.main}, which the policy names as the branch of record",
            hint=f"`git branch {policy.file.main}` first, or set `main` in policy.toml",
        )
    if old is not None and repository.entry(repository.tree_of(old), policies.ROOT) is not None:
        raise UsageError(
            "this is a configuration repository already: it has a policy/ folder",
            hint=f"pin its introduction: `git config {INTRODUCTION_KEY} ID`",
        )
    return old


def _introduction(
    repository: Repository,
    old: str | None,
    title: str,
    policy: Policy,
    files: Mapping[str, bytes],
    site: Mapping[str, bytes],
) -> str:
    """The introduction commit, on top of `old`; no ref moves."""
    content = {f"{policies.ROOT}/{name}": data for name, data in files.items()}
    content[settings.PATH] = tomli_w.dumps({"title": title}).encode()
    tree = repository.tree_of(old) if old else None
    optional = {".gitattributes": ATTRIBUTES, ".gitignore": IGNORED, **site}
    content |= {
        path: data for path, data in optional.items() if tree is None or repository.entry(tree, path) is None
    }
    edited = repository.edit_tree(
        tree, {path: (repository.write_blob(data), FILE) for path, data in content.items()}
    )
    who = (program.identity(repository, "AUTHOR"), program.identity(repository, "COMMITTER"))
    message = f"Introduce gitchange: policy version {policy.version}\n\n{title}\n"
    return repository.write_commit(edited, (old,) if old else (), message, *who)
