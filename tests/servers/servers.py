"""Real Git servers for tests: OpenSSH, nginx with git http-backend, gitolite, and a plain folder.

Each is a context manager: it starts the server as the current user on a free port of 127.0.0.1, in a folder
of its own, waits until it answers, and ends it whatever happens, also when the tests themselves are killed.
What people do with a server is not decided here (`people`).
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin:/sbin"
"""Servers are installed where a user's PATH does not lead."""

PASSWORD = "correct horse {person}"
"""Everybody's password on the web server."""

ANSWER_WITHIN = 30.0
"""Seconds until a server that does not answer has failed; one that is well takes a tenth of a second."""

ENDED_WITHIN = 10.0
"""Seconds that a server has to end before it is killed."""


class Missing(Exception):  # noqa: N818 - a reason to skip, not a mishap
    """A program that the server needs is not installed; the message says which."""


@dataclass(frozen=True)
class Server:
    """A running server with one repository, `changes`."""

    name: str
    repository: Path
    """The bare repository on the server's disk: to look at, and to break."""
    urls: Mapping[str, str]
    """Where each person clones from."""
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What each person's environment needs so that git reaches the server."""
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What each person's git configuration needs."""
    logs: tuple[Path, ...] = ()
    """Where the server writes about itself: files, or folders of files."""
    home: Path = Path("/nonexistent")
    """The home of the account that runs git on the server; an administrator works there as that account."""

    def administer(self, *command: str, data: bytes = b"") -> str:
        """Run a program on the server as its account, in a folder that has nothing to do with it; its output."""
        done = subprocess.run(
            command,
            input=data,
            cwd="/",
            env=environment(self.home, USER=getpass.getuser()),
            capture_output=True,
            check=False,
        )
        said = done.stdout.decode() + done.stderr.decode()
        assert done.returncode == 0, f"{' '.join(command)}: {said}"
        return done.stdout.decode()

    def log(self) -> str:
        """Everything that the server wrote so far."""
        files = [file for path in self.logs for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())


def program(name: str, package: str) -> str:
    """Where a program is; Missing when it is not installed."""
    found = shutil.which(name, path=PATH)
    if found is None:
        raise Missing(f"{name} is not installed (Debian: {package})")
    return found


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean environment: the own home, nothing of the machine's or the developer's configuration."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "TZ") if name in os.environ}
    return {**kept, "PATH": PATH, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", **more}


# Ends the server, and whatever it started, when standard input ends: when the test is done, or is no more.
# `trap` lets the guard itself see the server's end, which a signal to all of them would not.
_GUARD = """
trap : TERM
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ read -r _ <&3; kill -TERM 0; } 2>/dev/null & reader=$!
while wait "$server"; code=$?; [ "$code" -gt 128 ] && kill -0 "$server" 2>/dev/null; do :; done
kill "$reader" 2>/dev/null
exit "$code"
"""


@contextlib.contextmanager
def running(command: Sequence[str], log: Path, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in the foreground, until the end of the block; its words go to `log`."""
    with log.open("ab") as words:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", *command],
            stdin=subprocess.PIPE,
            stdout=words,
            stderr=words,
            env=environment(home),
            start_new_session=True,
        )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        last = time.monotonic() + ENDED_WITHIN
        with contextlib.suppress(ChildProcessError):  # it ended by itself, and was told so
            # Not reaped before the rest of its group is gone: until then nobody else can have its number.
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                if time.monotonic() > last:
                    break
                time.sleep(0.01)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def listening(command: Callable[[int], Sequence[str]], log: Path, home: Path) -> Iterator[int]:
    """A server on a free port, once it answers; another port when somebody took that one meanwhile."""
    for _ in range(5):
        port = free_port()
        with running(command(port), log, home) as process:
            if _answers(process, port):
                yield port
                return
    raise AssertionError(f"{command(0)[0]} does not start:\n{log.read_text(errors='replace')}")


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server opens; False when it ended instead."""
    last = time.monotonic() + ANSWER_WITHIN
    while time.monotonic() < last:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            time.sleep(0.05)  # were it somebody else who answers, ours has failed to listen by now
            return process.poll() is None
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    raise AssertionError(f"the server does not answer within {ANSWER_WITHIN:g} seconds")


def bare_repository(path: Path) -> Path:
    """An empty bare repository whose branch is main, as an administrator makes it."""
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(path)], check=True)
    return path


# -- a folder ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def folder(root: Path, people: Sequence[str]) -> Iterator[Server]:
    """A shared folder, by file:// (which talks the protocol, where a bare path would copy files)."""
    repository = bare_repository(root / "changes.git")
    yield Server("file", repository, dict.fromkeys(people, repository.as_uri()), home=root)


# -- OpenSSH -------------------------------------------------------------------------------------------------

_SSHD = """\
ListenAddress 127.0.0.1
HostKey {root}/host_key
PidFile none
AuthorizedKeysFile {authorized_keys}
# Folders above a temporary one may be everybody's.
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
# The account's own home has nothing to do with the tests.
SetEnv HOME={home} GIT_CONFIG_NOSYSTEM=1
LogLevel VERBOSE
{more}
"""


def _sshd(root: Path, home: Path, authorized_keys: Path, more: str = "") -> Callable[[int], Sequence[str]]:
    """What starts an OpenSSH server whose one account is the current user."""
    sshd = program("sshd", "openssh-server")
    (root / "sshd_config").write_text(
        _SSHD.format(root=root, home=home, authorized_keys=authorized_keys, more=more), encoding="utf-8"
    )
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", str(root / "host_key")],
        check=True,
    )
    if os.geteuid() == 0:  # the folder that a service manager would have made (sshd(8))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return lambda port: [sshd, "-D", "-e", "-f", str(root / "sshd_config"), "-p", str(port)]


def _ssh_users(root: Path, port: int, keys: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Each person's ssh: the own key and no other, and a host that is known."""
    kind, key, _ = (root / "host_key.pub").read_text().split()
    known = root / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    options = f"-F none -o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
    return {
        person: {"GIT_SSH_COMMAND": f"ssh {options} -i {shlex.quote(str(path))}"}
        for person, path in keys.items()
    }


@contextlib.contextmanager
def openssh(root: Path, keys: Mapping[str, Path], more: str = "") -> Iterator[Server]:
    """OpenSSH with a bare repository, one Unix account for all, and git-shell for each key.

    `keys` are the private keys that people log in with: those that they sign with, as people do. `more` is added
    to the server's configuration.
    """
    git_shell = program("git-shell", "git")
    home = root / "home"
    home.mkdir()
    repository = bare_repository(home / "changes.git")
    authorized = root / "authorized_keys"
    authorized.write_text(
        "".join(
            f'restrict,command="{git_shell} -c \\"$SSH_ORIGINAL_COMMAND\\"" {path.with_suffix(".pub").read_text()}'
            for path in keys.values()
        )
    )
    log = root / "sshd.log"
    with listening(_sshd(root, home, authorized, more), log, home) as port:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{repository}"
        yield Server(
            "ssh", repository, dict.fromkeys(keys, url), _ssh_users(root, port, keys), {}, (log,), home
        )


# -- gitolite ------------------------------------------------------------------------------------------------

_GITOLITE = """\
repo gitolite-admin
    RW+                           = {maintainer}

@people = {people}

repo changes
    # The branch of record: the maintainer's, as a forge protects it.
    RW   main$                    = {maintainer}
    -    main$                    = @all
    # Sign-offs: everybody appends; nobody rewinds or deletes.
    RW   refs/notes/gitchange/    = @people
    -    refs/notes/              = @all
    # Branches for merge requests.
    RW+  refs/heads/[a-z]+/       = @people
    R                             = @people
"""


@contextlib.contextmanager
def gitolite(root: Path, keys: Mapping[str, Path], maintainer: str) -> Iterator[Server]:
    """gitolite 3 behind OpenSSH: main is one maintainer's, the notes are everybody's to append to."""
    command = program("gitolite", "gitolite3")
    home = root / "home"
    (home / ".gitolite" / "keydir").mkdir(parents=True)
    (home / ".gitolite" / "conf").mkdir()
    (home / ".gitolite" / "logs").mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = git\n\temail = git@example.org\n[init]\n\tdefaultBranch = master\n"
    )
    for person, path in keys.items():
        shutil.copy(path.with_suffix(".pub"), home / ".gitolite" / "keydir" / f"{person}.pub")
    (home / ".gitolite" / "conf" / "gitolite.conf").write_text(
        _GITOLITE.format(maintainer=maintainer, people=" ".join(keys))
    )
    done = subprocess.run(
        [command, "setup", "-a", maintainer],
        cwd=home,
        env=environment(home, USER=getpass.getuser()),
        capture_output=True,
        text=True,
        check=False,
    )
    repository = home / "repositories" / "changes.git"
    assert repository.is_dir(), f"gitolite setup: {done.stdout}{done.stderr}"
    subprocess.run(["git", "-C", str(repository), "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    log = root / "sshd.log"
    with listening(_sshd(root, home, home / ".ssh" / "authorized_keys"), log, home) as port:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}/changes"
        logs = (log, home / ".gitolite" / "logs")
        users = _ssh_users(root, port, keys)
        yield Server("gitolite", repository, dict.fromkeys(keys, url), users, {}, logs, home)


# -- a web server --------------------------------------------------------------------------------------------

_NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/nginx.log info;
events {{ worker_connections 64; }}
http {{
  log_format pushes '$request $status $http_transfer_encoding';
  access_log {root}/access.log pushes;
  client_body_temp_path {root}/body;
  fastcgi_temp_path {root}/fastcgi;
  proxy_temp_path {root}/proxy;
  scgi_temp_path {root}/scgi;
  uwsgi_temp_path {root}/uwsgi;
  # A push is as large as it is (git-http-backend(1)).
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    auth_basic "changes";
    auth_basic_user_file {root}/htpasswd;
    location / {{
      fastcgi_pass unix:{root}/fcgi;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {root}/repositories;
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
    }}
  }}
}}
"""


@contextlib.contextmanager
def web(root: Path, people: Sequence[str]) -> Iterator[Server]:
    """git http-backend behind nginx, with basic authentication; passwords come from a credential helper."""
    nginx, fcgiwrap = program("nginx", "nginx"), program("fcgiwrap", "fcgiwrap")
    programs = subprocess.run(
        ["git", "--exec-path"], capture_output=True, text=True, check=True
    ).stdout.strip()
    backend = Path(programs, "git-http-backend")
    if not backend.exists():
        raise Missing("git-http-backend is not installed (Debian: git)")
    repository = bare_repository(root / "repositories" / "changes.git")
    (root / "htpasswd").write_text(
        "".join(f"{person}:{{PLAIN}}{PASSWORD.format(person=person)}\n" for person in people)
    )

    def command(port: int) -> Sequence[str]:
        # A server that root starts would give itself another account, which may not read root's folders.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        (root / "nginx.conf").write_text(_NGINX.format(root=root, port=port, user=user, backend=backend))
        return [nginx, "-c", str(root / "nginx.conf"), "-e", str(root / "nginx.log")]

    log = root / "web.log"
    gateway = [fcgiwrap, "-f", "-c", "4", "-s", f"unix:{root}/fcgi"]
    with running(gateway, log, root), listening(command, log, root) as port:
        stores = {person: root / f"credentials-{person}" for person in people}
        for person, store in stores.items():
            store.touch(mode=0o600)
            store.write_text(credential(port, person, PASSWORD.format(person=person)))
        yield Server(
            "http",
            repository,
            {person: f"http://{person}@127.0.0.1:{port}/changes.git" for person in people},
            {},
            {person: {"credential.helper": f"store --file={store}"} for person, store in stores.items()},
            (log, root / "nginx.log", root / "access.log"),
            root,
        )


def credential(port: int, person: str, password: str) -> str:
    """A line of `git credential-store`."""
    return f"http://{person}:{password.replace(' ', '%20')}@127.0.0.1:{port}\n"


# -- the hook ------------------------------------------------------------------------------------------------


def install_hook(server: Server) -> None:
    """Guard the repository as `init --hook` and docs/servers.md say, as the server's administrator would."""
    repository = str(server.repository)
    commands = server.administer(sys.executable, "-P", "-m", "gitchange", "-C", repository, "init", "--hook")
    server.administer("sh", "-eu", data=commands.encode())


def install_hook_by_gitolite(server: Server) -> None:
    """The same where gitolite keeps the hook: for one repository, named in its configuration."""
    install_hook(server)
    # What stands in hooks/ moves to where gitolite takes repositories' own hooks from, and links them.
    own = server.home / "local" / "hooks" / "repo-specific"
    own.mkdir(parents=True)
    (server.repository / "hooks" / "pre-receive").rename(own / "gitchange")
    settings = server.home / ".gitolite.rc"
    said = settings.read_text()
    for line in ('# LOCAL_CODE                =>  "$ENV{HOME}/local",', "# 'repo-specific-hooks',"):
        assert line in said
        said = said.replace(line, line.removeprefix("# "))
    settings.write_text(said)
    rules = server.home / ".gitolite" / "conf" / "gitolite.conf"
    rules.write_text(rules.read_text() + "    option hook.pre-receive        = gitchange\n")
    server.administer("gitolite", "setup")
