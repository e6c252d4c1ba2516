"""The user's signing tool, as git's configuration names it.

Which kind of key signs follows git, with one difference: where `gpg.format` is unset git means OpenPGP, and so does
gitchange only when `user.signingkey` reads like an OpenPGP key; otherwise it means SSH.
"""

from __future__ import annotations

from pathlib import Path

from gitchange.errors import SigningError
from gitchange.signing.gpg import OpenPgpSigner, looks_like_openpgp
from gitchange.signing.signer import SshSigner, default_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NO_KEY = (
    "`git config --global user.signingkey ~/.ssh/id_ed25519.pub` (and `gpg.format ssh`, so that git signs with it "
    "too); with OpenPGP, `gpg.format openpgp` and the key's fingerprint as `user.signingkey`"
)


def signer_by(config: Callable[[str], str | None], committer: Callable[[], str]) -> SshSigner | OpenPgpSigner:
    """The signing tool by these rules; SigningError when the configuration names none:

    1. `gpg.format` decides: `ssh`, or `openpgp`; `x509` and whatever else git may learn are refused;
    2. unset, it is OpenPGP when `user.signingkey` is no file and reads like a key id, a fingerprint or an address;
    3. SSH takes `user.signingkey`, else what `gpg.ssh.defaultKeyCommand` prints;
    4. OpenPGP takes `user.signingkey`, else the committer, whom gpg knows by the User ID.
    """
    # 1.
    wanted = config("gpg.format")
    if wanted not in (None, "ssh", "openpgp"):
        raise SigningError(
            f"git signs with gpg.format={wanted}; sign-offs are signed with SSH or OpenPGP keys",
            hint="`git config gpg.format ssh` and `git config user.signingkey FILE`, here or with --global",
        )
    key = config("user.signingkey")
    # 2.
    if wanted is None:
        is_openpgp = key is not None and looks_like_openpgp(key) and not Path(key).exists()
        wanted = "openpgp" if is_openpgp else "ssh"
    if wanted == "ssh":  # 3.
        if key is None and (command := config("gpg.ssh.defaultKeyCommand")) is not None:
            key = default_key(command)
        if not key:
            raise SigningError("git's configuration names no signing key", hint=_NO_KEY)
        return SshSigner(config("gpg.ssh.program") or "ssh-keygen", key)
    # 4.
    tool = config("gpg.openpgp.program") or config("gpg.program") or "gpg"
    return OpenPgpSigner(tool, key or committer())
