"""Whose signature is this, whatever kind of key made it? The one door for those who authenticate.

A raw signature that begins with ``SSHSIG`` is an SSH key's (`gitchange.signing.verify`), every other one is read as
OpenPGP's (`gitchange.signing.openpgp`, `gitchange.signing.certificates`). Both answer with an `Authenticity`.

Left to others: what the message says, and which policy is in force at which moment.
"""

from __future__ import annotations

from functools import cached_property

from gitchange.signing.allowed_signers import AllowedSigners
from gitchange.signing.authenticity import Authenticity
from gitchange.signing.sshsig import MAGIC, VERSION, SignatureFormatError, parse_signature
from gitchange.signing.verify import verify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

    from gitchange.signing.certificates import Certificates
    from gitchange.signing.keys import PublicKey
    from gitchange.signing.openpgp import OpenPgpSignature

_ONCE_VALID: Final = frozenset({"certificate.not-yet-valid", "certificate.expired", "certificate.principal"})
"""Refusals of an SSH certificate whose authority's signature was found good before."""


def name_of_key(signature: bytes) -> str:
    """The name of the key in a raw signature, as an envelope's `keyid` spells it; `SignatureFormatError`."""
    if signature.startswith(MAGIC):
        return parse_signature(signature).public_key.fingerprint
    return _openpgp(signature).key


class Signers:
    """Who may sign by one policy: its allowed signers and its OpenPGP certificates."""

    def __init__(self, allowed_signers: bytes, openpgp: Mapping[str, bytes]) -> None:
        """`allowed_signers` is the file; `openpgp` has the file of certificates of each person."""
        self.ssh = AllowedSigners.parse(allowed_signers)
        self._openpgp = dict(openpgp)
        self._owners: dict[PublicKey, tuple[str, ...]] = {}

    @cached_property
    def openpgp(self) -> Certificates:
        """The OpenPGP certificates, read when they are first asked for."""
        from gitchange.signing.certificates import Certificates  # noqa: PLC0415 - needless where nobody uses it

        return Certificates(self._openpgp)

    def knows(self, principal: str) -> bool:
        """Whether there is a key of that person at all."""
        return principal in self._openpgp or any(e.matches_principal(principal) for e in self.ssh.entries)

    def _owners_of(self, key: PublicKey) -> tuple[str, ...]:
        """For whom a plain key is listed; kept for each that is."""
        if (owners := self._owners.get(key)) is None:
            owners = self._owners[key] = self.ssh.principals_of(key)
        return owners

    def verify(
        self, message: bytes, signature: bytes, *, principal: str, namespace: str, at: datetime
    ) -> Authenticity:
        """Whether a raw signature is `principal`'s over `message`, as judged at `at` (with a zone).

        OpenPGP has no namespaces: there, what was signed for another purpose is told by the message alone.
        """
        if not signature.startswith(MAGIC):
            try:
                parsed = _openpgp(signature)
            except SignatureFormatError as error:
                return Authenticity(False, error.code, error.message)
            return self.openpgp.verify(message, signature, parsed, principal=principal, at=at)
        result = verify(message, signature, allowed=self.ssh, principal=principal, namespace=namespace, at=at)
        if not result.ok:
            intact = result.code.startswith("signer.") or result.code in _ONCE_VALID
            return Authenticity(
                False, result.code, result.message, "", intact, result.fingerprint, result.key_type
            )
        taken_apart = parse_signature(signature)
        # ssh-keygen takes older versions and ignores the reserved field; no signature covers either.
        version = signature[len(MAGIC) : len(MAGIC) + 4]
        if version != VERSION.to_bytes(4, "big") or taken_apart.reserved:
            return Authenticity(
                False, "signature.spelling", "the signature is not spelled as ssh-keygen spells it"
            )
        certified = result.certificate
        # A certificate's key is its owner's by the authority's word, whoever else is listed with it.
        owners = (principal,) if certified else self._owners_of(taken_apart.public_key)
        return Authenticity(
            True,
            "",
            result.message,
            key=result.fingerprint,
            key_type=result.key_type,
            certificate=certified.key_id if certified else "",
            owners=owners,
        )


def _openpgp(signature: bytes) -> OpenPgpSignature:
    from gitchange.signing.openpgp import parse_openpgp  # noqa: PLC0415 - needless where nobody uses it

    return parse_openpgp(signature)
