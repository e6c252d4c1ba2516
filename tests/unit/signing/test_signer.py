"""Signing with the user's own tools: ssh-keygen, agents, wrappers, and what can go wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitchange.errors import SigningError
from gitchange.signing.keys import parse_public_line
from gitchange.signing.signer import SshSigner, default_key, literal_key
from gitchange.signing.sshsig import armor, parse_signature
from gitchange.signing.verify import check_signature

from .conftest import KINDS
from .support import MESSAGE, NAMESPACE, keygen, make_key, public_line, real_check


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of its own for temporary files, which is empty again after every test."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "never")
    yield directory
    assert list(directory.iterdir()) == []


@pytest.fixture
def key(keys: dict[str, Path], tmp_path: Path) -> Path:
    """A key pair in a directory of its own."""
    private = tmp_path / "id"
    shutil.copy(keys["ed25519"], private)
    shutil.copy(f"{keys['ed25519']}.pub", f"{private}.pub")
    return private


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent without keys."""
    # The path of a socket may have 108 bytes only.
    directory = tempfile.mkdtemp(prefix="agent-", dir="/tmp")
    socket = f"{directory}/socket"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        for _ in range(500):
            if os.path.exists(socket):
                break
            time.sleep(0.01)
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        yield
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory)


def add(private: Path, *options: str) -> None:
    """Load a key into the agent."""
    subprocess.run(["ssh-add", "-q", *options, private], check=True, capture_output=True)


def script(path: Path, body: str) -> str:
    """A program, for gpg.ssh.program."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def failure(signer: SshSigner) -> SigningError:
    """The error that signing ends with; it has a message and a hint."""
    with pytest.raises(SigningError) as caught:
        signer.sign(MESSAGE, NAMESPACE)
    assert caught.value.message
    return caught.value


# Signing.


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs(kind: str, keys: dict[str, Path], tmp_path: Path) -> None:
    """The signature is raw, over the message and the namespace, and ssh-keygen accepts it."""
    blob = SshSigner("ssh-keygen", str(keys[kind])).sign(MESSAGE, NAMESPACE)
    assert parse_signature(blob).namespace == NAMESPACE
    assert check_signature(MESSAGE, blob, NAMESPACE).ok
    assert real_check(tmp_path, armor(blob).encode())


@pytest.mark.parametrize("message", [b"", b"-", b"a\r\nb\0c\xff", b"x" * 300_000])
def test_any_bytes_are_signed_as_they_are(message: bytes, key: Path) -> None:
    """No byte of the message is changed on its way through a file."""
    assert check_signature(message, SshSigner("ssh-keygen", str(key)).sign(message, NAMESPACE), NAMESPACE).ok


def test_a_public_key_file_signs_with_the_private_key_beside_it(key: Path) -> None:
    """user.signingkey may name the .pub file, as git's documentation recommends."""
    assert SshSigner("ssh-keygen", f"{key}.pub").sign(MESSAGE, NAMESPACE)


def test_a_certificate_signs_with_the_private_key_beside_it(key: Path, authority: Path) -> None:
    """user.signingkey may name a certificate, which is then in the signature."""
    keygen("-q", "-s", authority, "-I", "Ada", "-n", "ada", f"{key}.pub")
    signer = SshSigner("ssh-keygen", f"{key}-cert.pub")
    signed_by = parse_signature(signer.sign(MESSAGE, NAMESPACE)).public_key
    assert signed_by.type == "ssh-ed25519-cert-v01@openssh.com"
    assert signer.public_key() == signed_by


def test_an_agent_signs_for_a_public_key_file(key: Path, agent: None) -> None:
    """With the private key in the agent only, the .pub file is enough."""
    add(key)
    key.unlink()
    signer = SshSigner("ssh-keygen", f"{key}.pub")
    assert parse_signature(signer.sign(MESSAGE, NAMESPACE)).public_key == signer.public_key()


@pytest.mark.parametrize("prefix", ["", "key::"])
def test_an_agent_signs_for_a_literal_key(prefix: str, key: Path, agent: None) -> None:
    """user.signingkey may hold the public key itself, and no file is needed at all."""
    add(key)
    signer = SshSigner("ssh-keygen", f"{prefix}{public_line(key)} a comment")
    key.unlink()
    key.with_name("id.pub").unlink()
    assert parse_signature(signer.sign(MESSAGE, NAMESPACE)).public_key == signer.public_key()


def test_other_types_need_the_prefix(keys: dict[str, Path], agent: None) -> None:
    """A literal key that does not begin with ssh- needs key::, as for git."""
    add(keys["ecdsa-256"])
    line = public_line(keys["ecdsa-256"])
    assert SshSigner("ssh-keygen", f"key::{line}").sign(MESSAGE, NAMESPACE)
    assert "user.signingkey" in failure(SshSigner("ssh-keygen", line)).hint


def test_a_wrapper_program_signs(key: Path, tmp_path: Path) -> None:
    """gpg.ssh.program is called as ssh-keygen is, and what it prints goes nowhere."""
    program = script(
        tmp_path / "wrapper", f'printf "%s\\n" "$@" > "{tmp_path}/seen"\necho noise\nexec ssh-keygen "$@"'
    )
    assert SshSigner(program, str(key)).sign(MESSAGE, NAMESPACE)
    *arguments, file = (tmp_path / "seen").read_text().split("\n")[:-1]
    assert arguments == ["-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    assert Path(file).name == "message"


def test_a_program_for_windows_signs(key: Path, tmp_path: Path) -> None:
    """CR LF in the signature file is taken for LF, as git does."""
    body = 'for file; do :; done\nssh-keygen "$@" || exit\nsed -i "s/$/\\r/" "$file.sig"'
    assert SshSigner(script(tmp_path / "wrapper", body), str(key)).sign(MESSAGE, NAMESPACE)


def test_the_terminal_stays_the_users(key: Path, tmp_path: Path) -> None:
    """Standard input is handed on, so that a program may ask there."""
    program = script(
        tmp_path / "wrapper", f'read answer\necho "$answer" > "{tmp_path}/answer"\nexec ssh-keygen "$@"'
    )
    code = f"from gitchange.signing.signer import SshSigner as S; S({program!r}, {str(key)!r}).sign(b'', 'n')"
    subprocess.run([sys.executable, "-c", code], input=b"yes\n", check=True)
    assert (tmp_path / "answer").read_text() == "yes\n"


def test_a_passphrase_is_asked_on_the_terminal(tmp_path: Path) -> None:
    """On a terminal ssh-keygen asks for the passphrase itself, and signs with the right one."""
    pty = pytest.importorskip("pty")
    locked = tmp_path / "locked"
    keygen("-q", "-t", "ed25519", "-N", "open sesame", "-f", locked)
    code = f"from gitchange.signing.signer import SshSigner as S; S('ssh-keygen', {str(locked)!r}).sign(b'', 'n')"
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])  # noqa: S606
    seen = b""
    while b"passphrase" not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, b"open sesame\n")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0


def test_files_are_private_and_removed(key: Path, tmp_path: Path, temporary: Path) -> None:
    """While the program runs, nobody else can read the message; afterwards nothing is left."""
    body = f'for file; do :; done\nstat -c %a "$file" "$(dirname "$file")" > "{tmp_path}/modes"\nexec ssh-keygen "$@"'
    old = os.umask(0)
    try:
        SshSigner(script(tmp_path / "wrapper", body), str(key)).sign(MESSAGE, NAMESPACE)
    finally:
        os.umask(old)
    assert (tmp_path / "modes").read_text().split() == ["600", "700"]
    assert list(temporary.iterdir()) == []


def test_an_interruption_ends_the_program_and_removes_the_files(
    key: Path, tmp_path: Path, temporary: Path
) -> None:
    """Ctrl-C while the program waits leaves neither the program nor a file behind."""
    program = script(
        tmp_path / "wrapper",
        f'echo $$ > "{tmp_path}/pid.new"\nmv "{tmp_path}/pid.new" "{tmp_path}/pid"\nexec sleep 60',
    )
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # also in the background
        f"from gitchange.signing.signer import SshSigner as S; S({program!r}, {str(key)!r}).sign(b'', 'n')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(temporary)}, stderr=subprocess.PIPE
    )
    while not (tmp_path / "pid").exists():
        assert process.poll() is None
        time.sleep(0.01)
    assert len(list(temporary.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert list(temporary.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


# What can go wrong.


def test_no_key_is_configured() -> None:
    """Without a key the hint says how to set one."""
    assert "user.signingkey" in failure(SshSigner("ssh-keygen", "")).hint
    with pytest.raises(SigningError):
        SshSigner("ssh-keygen", "").public_key()


def test_the_key_does_not_exist(tmp_path: Path) -> None:
    """A path without a key is told, with a hint."""
    signer = SshSigner("ssh-keygen", str(tmp_path / "missing"))
    error = failure(signer)
    assert "missing" in error.message
    assert "user.signingkey" in error.hint
    with pytest.raises(SigningError, match="missing"):
        signer.public_key()


@pytest.mark.parametrize("program", ["no-such-ssh-keygen", "/", "a\0b"])
def test_the_program_is_missing(program: str, key: Path) -> None:
    """A program that cannot be run is told, with a hint."""
    assert "gpg.ssh.program" in failure(SshSigner(program, str(key))).hint


def test_the_passphrase_cannot_be_asked(tmp_path: Path) -> None:
    """Without a terminal a locked key does not sign, and the hint names the agent."""
    locked = tmp_path / "locked"
    keygen("-q", "-t", "ed25519", "-N", "open sesame", "-f", locked)
    code = (
        "from gitchange.signing.signer import SshSigner as S\n"
        "from gitchange.errors import SigningError\n"
        f"try: S('ssh-keygen', {str(locked)!r}).sign(b'', 'n')\n"
        "except SigningError as error: print(error.message, '|', error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        check=True,
    )
    assert re.search(rb"passphrase.*\|.*ssh-add", done.stdout, re.DOTALL)


def test_the_private_key_is_missing(key: Path) -> None:
    """A .pub file alone does not sign; the hint names the agent."""
    key.unlink()
    assert "ssh-add" in failure(SshSigner("ssh-keygen", f"{key}.pub")).hint


def test_no_agent_runs_for_a_literal_key(key: Path) -> None:
    """A literal key needs an agent."""
    assert "ssh-add" in failure(SshSigner("ssh-keygen", f"key::{public_line(key)}")).hint


def test_the_agent_lacks_the_key(key: Path, agent: None) -> None:
    """A literal key must be in the agent."""
    error = failure(SshSigner("ssh-keygen", f"key::{public_line(key)}"))
    assert "agent" in error.message
    assert "ssh-add" in error.hint


def test_the_agent_refuses(key: Path, agent: None) -> None:
    """An agent that asks for confirmation and gets none refuses, and the hint says so."""
    add(key, "-c")
    assert "agent" in failure(SshSigner("ssh-keygen", f"key::{public_line(key)}")).hint


def test_the_private_key_is_readable_by_all(key: Path) -> None:
    """ssh-keygen does not use a private key that others can read; the hint says what to do."""
    key.chmod(0o644)
    assert "chmod 600" in failure(SshSigner("ssh-keygen", str(key))).hint


def test_the_literal_key_is_no_key(agent: None) -> None:
    """A literal key that is none is told."""
    signer = SshSigner("ssh-keygen", "key::nonsense")
    assert failure(signer).hint
    with pytest.raises(SigningError, match="nonsense"):
        signer.public_key()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("exit 0", "no signature", id="nothing-written"),
        pytest.param('echo x > "$7.sig"', "no SSH signature", id="nonsense-written"),
        pytest.param('ssh-keygen -Y sign -n other -f "$6" "$7"', "'other'", id="other-namespace"),
        pytest.param('echo >> "$7"; ssh-keygen "$@"', "does not hold", id="other-message"),
        pytest.param("kill -9 $$", "signal 9", id="killed"),
        pytest.param("exit 3", "code 3", id="silent-failure"),
        pytest.param("echo 'usage: x' >&2; exit 1", "usage", id="too-old"),
    ],
)
def test_a_program_that_does_not_sign_is_caught(body: str, message: str, key: Path, tmp_path: Path) -> None:
    """Whatever a program returns, only a signature that holds is handed on."""
    assert message in failure(SshSigner(script(tmp_path / "wrapper", body), str(key))).message


def test_a_dss_key_does_not_sign_here(tmp_path: Path) -> None:
    """A signature that nobody here would accept is not handed on."""
    dsa = make_key(tmp_path / "dsa", "-t", "dsa")
    error = failure(SshSigner("ssh-keygen", str(dsa)))
    assert "ssh-dss" in error.hint


# Which key will sign.


@pytest.mark.parametrize("kind", KINDS)
def test_the_public_key_is_found_wherever_ssh_keygen_finds_it(
    kind: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    """The .pub file, the file beside it, the private key alone, and the literal key all name one key."""
    expected = parse_public_line(public_line(keys[kind]))
    alone = tmp_path / "alone"
    shutil.copy(keys[kind], alone)
    for key in (str(keys[kind]), f"{keys[kind]}.pub", str(alone), f"key::{public_line(keys[kind])}"):
        assert SshSigner("ssh-keygen", key).public_key() == expected


def test_the_public_half_of_a_locked_key_needs_no_passphrase(tmp_path: Path) -> None:
    """The public key of a locked OpenSSH private key is read without asking anybody."""
    locked = tmp_path / "locked"
    keygen("-q", "-t", "ed25519", "-N", "open sesame", "-f", locked)
    expected = parse_public_line(public_line(locked))
    locked.with_name("locked.pub").unlink()
    assert SshSigner("ssh-keygen", str(locked)).public_key() == expected


def test_a_pem_key_needs_its_public_file(tmp_path: Path) -> None:
    """A private key in PEM without a .pub file signs neither here nor for ssh-keygen; the hint mends it."""
    pem = make_key(tmp_path / "pem", "-t", "rsa", "-b", "2048", "-m", "PEM")
    signer = SshSigner("ssh-keygen", str(pem))
    assert signer.sign(MESSAGE, NAMESPACE)
    assert signer.public_key()
    pem.with_name("pem.pub").unlink()
    assert failure(signer)
    with pytest.raises(SigningError) as caught:
        signer.public_key()
    subprocess.run(caught.value.hint.removeprefix("write it with: "), shell=True, check=True)  # noqa: S602
    assert signer.public_key()
    assert signer.sign(MESSAGE, NAMESPACE)


def test_comments_before_the_public_key_are_skipped(key: Path, tmp_path: Path) -> None:
    """A .pub file may begin with comments and blank lines."""
    file = tmp_path / "commented.pub"
    file.write_text(f"# a key\n\n  {public_line(key)} me\n")
    assert SshSigner("ssh-keygen", str(file)).public_key().line == public_line(key)


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"\xff\0"])
def test_a_file_without_a_key_is_told(content: bytes, tmp_path: Path) -> None:
    """A file that holds no key is no key."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SigningError, match="no public key"):
        SshSigner("ssh-keygen", str(tmp_path / "file")).public_key()


@pytest.mark.parametrize("at", range(36, 340, 19))
def test_a_damaged_private_key_file_does_not_crash(at: int, key: Path, tmp_path: Path) -> None:
    """A private key file with bytes missing gives its public half or a clear error."""
    content = key.read_bytes()
    (tmp_path / "damaged").write_bytes(content[:at] + content[at + 4 :])
    signer = SshSigner("ssh-keygen", str(tmp_path / "damaged"))
    try:
        assert signer.public_key().type == "ssh-ed25519"
    except SigningError as error:
        assert error.hint  # noqa: PT017  either outcome is fine, each with its own promise


# The default key.


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("ssh-ed25519 AAAA", "ssh-ed25519 AAAA"),
        ("key::ecdsa-sha2-nistp256 AAAA", "ecdsa-sha2-nistp256 AAAA"),
        ("ecdsa-sha2-nistp256 AAAA", None),
        ("~/.ssh/id_ed25519.pub", None),
        ("", None),
    ],
)
def test_literal_keys_are_told_from_paths_as_by_git(value: str, literal: str | None) -> None:
    """key:: and ssh- mark a key, all else is a path."""
    assert literal_key(value) == literal


def test_the_default_key_comes_from_a_command(key: Path, agent: None) -> None:
    """ssh-add -L names the key that will sign."""
    add(key)
    found = default_key("ssh-add -L")
    assert parse_public_line(found) == SshSigner("ssh-keygen", found).public_key()
    assert SshSigner("ssh-keygen", found).sign(MESSAGE, NAMESPACE)


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (r"echo ssh-x a\ b", "ssh-x a b"),
        ("""echo 'ssh-x "a\\b"'""", 'ssh-x "a\\b"'),
        ('''echo "ssh-x \\" $HOME * ;"''', 'ssh-x " $HOME * ;'),
        ("  echo\tssh-x  ''  'a'b\"c\" ", "ssh-x  abc"),
        ("printf 'key::x\\nssh-y\\n'", "key::x"),
        ("printf 'ssh-x\\r\\n'", "ssh-x"),
    ],
)
def test_the_command_is_split_as_by_git(command: str, printed: str) -> None:
    """Quotes and backslashes work, no shell does, and the first line is the key."""
    assert default_key(command) == printed


@pytest.mark.parametrize(
    "command",
    [
        "",
        "  ",
        "echo 'ssh-x",
        "echo ssh-x\\",
        "echo x",
        "true",
        "false",
        "no-such-command",
        "printf '\\nssh-x'",
    ],
)
def test_a_command_that_names_no_key_is_told(command: str) -> None:
    """A command that fails, or prints no key, is an error with a hint."""
    with pytest.raises(SigningError) as caught:
        default_key(command)
    assert "gpg.ssh.defaultKeyCommand" in caught.value.hint
