"""The answer about one signature, of whatever kind. Data only."""

from __future__ import annotations

from gitchange.values import Value


class Authenticity(Value):
    """Whether a signature is a person's, and with which key it was made."""

    ok: bool
    """Whether it counts as that person's."""
    code: str
    """Why not: a finding's code; empty if `ok`."""
    message: str
    """One English sentence; names from outside are quoted in it and safe to print."""
    hint: str = ""
    """How to mend it, where this can be told."""
    intact: bool = False
    """Whether the key is known to have made the signature over the message, although it does not count."""
    key: str = ""
    """The key's name, as an envelope's `keyid` spells it: ``SHA256:...`` or ``openpgp:...``."""
    key_type: str = ""
    """Its type, e.g. ``ssh-ed25519`` or ``openpgp-rsa``."""
    certificate: str = ""
    """Key id of the SSH certificate that vouched for the key; empty otherwise."""
    primary: str = ""
    """For OpenPGP the name of the certificate's primary key, which may be the key itself."""
    owners: tuple[str, ...] = ()
    """Everybody to whom the policy gives the key."""
