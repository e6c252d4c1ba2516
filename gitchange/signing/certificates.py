"""Whose OpenPGP signature is this, and did the key may sign at that moment?

The OpenPGP certificates of a policy, ``policy/openpgp/PRINCIPAL.asc``. The file's name says whose they are; the User
IDs inside decide nothing. The framing of signatures is `gitchange.signing.openpgp`'s; cryptography, and what holds a
certificate together, is Sequoia's (`pysequoia`), loaded when the first certificate is read and not before.

Sequoia judges a signature at the moment that the *signature* claims. A claim decides nothing here (DESIGN.md section 4,
rule 2), so `Certificates.verify` asks it about the certificate as it stood at the moment of judgement, and judges
expiry and revocation for that moment itself:

- self-signatures made later are left out, and of a subkey's bindings all but the newest;
- a signature that claims to be older than the newest of them is refused: Sequoia would judge it by a past state;
- a certificate or subkey with any revocation, of whatever date, reason and author, signs nothing.

docs/adr/0010-openpgp.md has the reasons.
"""

from __future__ import annotations

from datetime import UTC

from gitchange.signing.authenticity import Authenticity
from gitchange.signing.openpgp import PREFIX
from gitchange.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Final, TypeVar

    from pysequoia.packet import Packet

    from gitchange.signing.openpgp import OpenPgpSignature

    Answer = TypeVar("Answer")


BEGIN: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
END: Final = b"-----END PGP PUBLIC KEY BLOCK-----"
_BEGIN_SECRET: Final = b"-----BEGIN PGP PRIVATE KEY BLOCK-----"

MAX_BYTES: Final = 1024 * 1024
"""Largest file of certificates that is read."""

INSTALL: Final = "pip install 'gitchange[openpgp]'"
EXPORT: Final = "gpg --export --armor --export-options export-minimal FINGERPRINT"


class CertificateError(ValueError):
    """A file holds something else than public certificates that can be judged here."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or f"export the key anew: {EXPORT}"


class _Part(Value):
    """A key or User ID of a certificate, with the signatures on it."""

    packet: Packet
    signatures: list[Packet] = field(default_factory=list)


class _State(Value):
    """A certificate as it stood at a moment, as far as one of its keys needs it."""

    frame: list[Packet]
    """The primary key and the User IDs, with their self-signatures."""
    newest: list[Packet]
    """The subkey and its newest binding; empty for the primary key itself."""
    bindings: list[Packet]
    """The subkey and all of its bindings by then."""
    since: datetime | None
    """When the newest of the self-signatures in `frame` and `newest` was made."""
    expires: datetime | None
    """When the subkey runs out, by its newest binding."""


class Certificate(Value):
    """One certificate taken apart."""

    fingerprint: str
    """Of its primary key."""
    primary: _Part
    identities: tuple[_Part, ...]
    subkeys: Mapping[str, _Part]

    @property
    def keys(self) -> tuple[str, ...]:
        """Fingerprints of the primary key and of every subkey, whatever they are for."""
        return (self.fingerprint, *self.subkeys)

    def revoked(self, key: str) -> bool:
        """Whether it, or that subkey of it, bears a revocation: of any date and reason, by whomever."""
        from pysequoia.packet import SignatureType  # noqa: PLC0415 - loaded where it is used

        parts = [self.primary, *self.identities, *([self.subkeys[key]] if key in self.subkeys else [])]
        kinds = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation)
        return any(signature.signature_type in kinds for part in parts for signature in part.signatures)

    def created(self, key: str) -> datetime:
        """When the key was made, as it says itself; a subkey is not older than its primary key."""
        times = [self.primary.packet.key_created]
        if key in self.subkeys:
            times.append(self.subkeys[key].packet.key_created)
        return max(time for time in times if time is not None)

    def expires(self, state: _State) -> datetime | None:
        """When the key of that state runs out: when the primary key does or, if earlier, the subkey.

        Raises `CertificateError` when nothing held the certificate together then.
        """
        from pysequoia import Cert  # noqa: PLC0415 - loaded where it is used

        ends = (_asked(lambda: Cert.from_packets(state.frame).expiration), state.expires)
        return min((end for end in ends if end is not None), default=None)

    def state(self, key: str, at: datetime) -> _State:
        """How it stood at that moment, for the key or subkey: without revocations, which `revoked` tells of."""
        from pysequoia.packet import SignatureType  # noqa: PLC0415 - loaded where it is used

        frame: list[Packet] = []
        times: list[datetime] = []
        revocations = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation)
        for part in (self.primary, *self.identities):
            kept = [
                (signature, time)
                for signature in part.signatures
                if (time := self._own(signature, at)) is not None
                and signature.signature_type not in revocations
            ]
            if kept or part is self.primary:
                frame += [part.packet, *(signature for signature, _ in kept)]
                times += [time for _, time in kept]
        if key not in self.subkeys:
            return _State(frame, [], [], max(times, default=None), None)
        part = self.subkeys[key]
        bindings = [
            (signature, time)
            for signature in part.signatures
            if signature.signature_type == SignatureType.SubkeyBinding
            and (time := self._own(signature, at)) is not None
        ]
        last = max((time for _, time in bindings), default=None)
        newest = [signature for signature, time in bindings if time == last]
        times += [last] if last else []
        created = part.packet.key_created
        # Several of the same second: the shortest, so that none that does not hold can lengthen another.
        ends = [
            created + signature.key_validity_period
            for signature in newest
            if created is not None and signature.key_validity_period
        ]
        return _State(
            frame,
            [part.packet, *newest],
            [part.packet, *(signature for signature, _ in bindings)],
            max(times, default=None),
            min(ends, default=None),
        )

    def may_sign(self, key: str, at: datetime) -> bool:
        """Whether the key says that it is for signing. For explanations: nothing in it is verified."""
        state = self.state(key, at)
        flags = [s.key_flags for s in (state.newest or state.frame) if s.key_flags is not None]
        return any(flag.signing for flag in flags)

    def _own(self, signature: Packet, at: datetime) -> datetime | None:
        """When the certificate's owner made the signature; None for one of others, or after that moment."""
        time = signature.signature_created
        if time is None or time > at or not is_own(signature, self.primary.packet):
            return None
        return time


def is_own(signature: Packet, primary: Packet) -> bool:
    """Whether a signature in a certificate names the primary key as its maker, or nobody."""
    named = {signature.issuer_fingerprint, signature.issuer_key_id} - {None}
    return not named or not named.isdisjoint({primary.fingerprint, primary.key_id})


class Problem(Value):
    """What is wrong with a person's file."""

    principal: str
    message: str
    hint: str


class Certificates:
    """The certificates of everybody in a policy. A file with anything wrong in it gives no key."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files` has each person's file by the person's name."""
        self.problems: list[Problem] = []
        self.missing = ""
        """Why the library is not at hand; empty when it is, or when nothing has to be read."""
        self._of: dict[str, tuple[Certificate, ...]] = {}
        self._holders: dict[str, dict[str, Certificate]] = {}
        if files:
            try:
                import pysequoia  # noqa: F401, PLC0415 - ten megabytes that only OpenPGP needs
            except ImportError as error:
                self.missing = str(error) or "pysequoia is not installed"
                return
        for principal, text in sorted(files.items()):
            try:
                self._of[principal] = read_certificates(text)
            except CertificateError as error:
                self.problems.append(Problem(principal, error.message, error.hint))
                continue
            for certificate in self._of[principal]:
                for key in certificate.keys:
                    self._holders.setdefault(key, {})[principal] = certificate

    def of(self, principal: str) -> tuple[Certificate, ...]:
        """A person's certificates."""
        return self._of.get(principal, ())

    def owners(self, fingerprint: str) -> tuple[str, ...]:
        """Everybody whose certificates have this key, as primary key or as subkey."""
        return tuple(self._holders.get(fingerprint, ()))

    @property
    def shared(self) -> dict[str, tuple[str, ...]]:
        """Keys that stand in the files of several persons, with these."""
        return {key: tuple(held) for key, held in self._holders.items() if len(held) > 1}

    def verify(
        self, message: bytes, blob: bytes, parsed: OpenPgpSignature, *, principal: str, at: datetime
    ) -> Authenticity:
        """Whether the signature is `principal`'s over `message`, as judged at `at`.

        `parsed` is `blob` taken apart strictly. `at` must carry a zone.

        1. The digest in it can be the message's.
        2. The library is at hand, and a person's certificate has the key. What cannot be checked is not intact:
           anybody can write a fingerprint, so it may be what is left of another person's refusal.
        3. The key made the signature, and at the moment that the signature claims it was bound to its certificate
           for signing and in force, by the certificate as it stood at `at`.
        4. It is `principal`'s.
        5. Neither the key nor the certificate is revoked.
        6. The signature does not claim to be older than the certificate's state at `at`.
        7. The key is in force at `at`.
        """

        def no(
            code: str, message: str, hint: str = "", *, intact: bool = False, primary: str = ""
        ) -> Authenticity:
            return Authenticity(
                False, code, message, hint, intact, parsed.key, f"openpgp-{parsed.algorithm}", "", primary
            )

        # 1.
        if not parsed.may_be_about(message):
            return no("signature.invalid", "the signature does not belong to this text")
        # 2.
        if self.missing:
            return no(
                "signature.unchecked",
                f"OpenPGP signatures cannot be checked here: {self.missing}",
                f"install what checks them: {INSTALL}",
            )
        holders = self._holders.get(parsed.issuer)
        if not holders:
            for problem in self.problems:
                if problem.principal == principal:
                    return no("signature.unchecked", f"their certificates: {problem.message}", problem.hint)
            return no(
                "signer.unknown",
                f"no certificate in the policy has the key {parsed.key}, so its signature cannot be checked",
            )
        # 3.
        certificate = holders.get(principal) or next(iter(holders.values()))
        primary = PREFIX + certificate.fingerprint
        state = certificate.state(parsed.issuer, at)
        current = _holds(state.frame + state.newest, message, blob, parsed, certificate)
        if not current and not _holds(state.frame + state.bindings, message, blob, parsed, certificate):
            return no(*self._apparent(certificate, state, parsed, at), primary=primary)
        # 4.
        if principal not in holders:
            return no("signer.principal", f"the key is not {principal!a}'s", intact=True, primary=primary)
        # 5.
        if certificate.revoked(parsed.issuer):
            return no("signer.revoked", f"the key {parsed.key} is revoked", intact=True, primary=primary)
        # 6.
        if not current or state.since is None or parsed.created < state.since:
            return no(
                "signer.not-yet-valid",
                _older(parsed, state.since),
                "sign again",
                intact=True,
                primary=primary,
            )
        # 7.
        try:
            end = certificate.expires(state)
        except CertificateError as error:
            return no("signature.unchecked", f"the certificate of {parsed.key}: {error.message}", error.hint)
        if end is not None and at >= end:
            return no(
                "signer.expired",
                f"the key {parsed.key} was valid until {_when(end)}",
                intact=True,
                primary=primary,
            )
        return Authenticity(
            True,
            "",
            f"good OpenPGP signature for {principal!a}",
            key=parsed.key,
            key_type=f"openpgp-{parsed.algorithm}",
            primary=primary,
            owners=tuple(holders),
        )

    def why_unable(self, principal: str, at: datetime) -> str:
        """Why none of a person's keys seems able to sign at that moment; empty when one does.

        For whoever checks a policy. By what the certificates say, without asking whether it holds.
        """
        reasons: list[str] = []
        for certificate in self.of(principal):
            for key in certificate.keys:
                state = certificate.state(key, at)
                if not certificate.may_sign(key, at):
                    continue
                end = _end(certificate, state)
                if certificate.revoked(key):
                    reasons.append(f"{PREFIX}{key} is revoked")
                elif end is not None and at >= end:
                    reasons.append(f"{PREFIX}{key} expired {_when(end)}")
                else:
                    return ""
        return "; ".join(reasons) or "none of the keys is for signing"

    @staticmethod
    def _apparent(
        certificate: Certificate, state: _State, parsed: OpenPgpSignature, at: datetime
    ) -> tuple[str, str]:
        """Code and message for a signature that the library does not accept, by what the certificate says."""
        end = _end(certificate, state)
        made = certificate.created(parsed.issuer)
        if parsed.created < made or state.since is None:
            return (
                "signer.not-yet-valid",
                f"the key {parsed.key} was not valid yet at {_when(parsed.created)}",
            )
        if end is not None and parsed.created >= end:
            return "signer.expired", f"the key {parsed.key} was valid until {_when(end)}"
        if parsed.created < state.since:
            return "signer.not-yet-valid", _older(parsed, state.since)
        if not certificate.may_sign(parsed.issuer, at):
            return "signer.purpose", f"the key {parsed.key} is not for signing"
        return (
            "signature.invalid",
            "the signature does not belong to this text and key, or it, the key or the key's binding is not acceptable "
            "(weak, not back-signed, from the future)",
        )


def read_certificates(text: bytes) -> tuple[Certificate, ...]:
    """The certificates of one person's file; CertificateError when there is anything else in it.

    1. One or more armored blocks of public keys, and nothing around them but blank lines: a second block that
       went unread could hold a revocation.
    2. Each holds whole certificates: keys, User IDs and signatures, nothing secret and nothing else.
    3. No key stands in the file twice: of two states of one certificate, one would be the wrong one.
    4. No self-signature runs out by itself, which would change what the certificate was at an earlier moment.
    """
    from pysequoia.packet import Tag  # noqa: PLC0415 - loaded where it is used

    if len(text) > MAX_BYTES:
        raise CertificateError(f"the file has {len(text)} bytes; at most {MAX_BYTES} are read")
    found: list[Certificate] = []
    for block in _blocks(text):  # 1.
        groups: list[list[Packet]] = []
        for packet in _packets(block):
            if packet.tag in (Tag.SecretKey, Tag.SecretSubkey):
                raise CertificateError(*_SECRET)
            if packet.tag == Tag.PublicKey:
                groups.append([])
            elif packet.tag not in (Tag.PublicSubkey, Tag.UserID, Tag.UserAttribute, Tag.Signature):
                raise CertificateError("it holds something else than keys, User IDs and signatures")
            if not groups:
                raise CertificateError(
                    "a block does not begin with a key (is it a revocation certificate?)",
                    "import it into your keyring first, then export the key anew",
                )
            groups[-1].append(packet)
        if not groups:
            raise CertificateError("a block is empty")
        for group in groups:  # 2.
            # Sequoia puts signatures where they belong: a revocation that stands elsewhere is still one.
            found.append(_certificate(_packets(_whole(group))))
    if not found:
        raise CertificateError("the file holds no certificate")
    keys = [key for certificate in found for key in certificate.keys]
    for key in keys:  # 3.
        if keys.count(key) > 1:
            raise CertificateError(
                f"the key {PREFIX}{key} stands there twice", "keep its newest export and remove the other"
            )
    return tuple(found)


_SECRET: Final = (
    "it holds a SECRET key",
    "take it out of the repository at once, regard the key as compromised, and put the public one there: "
    + EXPORT,
)


def _blocks(text: bytes) -> list[bytes]:
    blocks: list[bytes] = []
    inside: list[bytes] | None = None
    for number, line in enumerate(text.split(b"\n"), 1):
        bare = line.rstrip()
        if inside is not None:
            inside.append(bare)
            if bare == END:
                blocks.append(b"\n".join(inside) + b"\n")
                inside = None
        elif bare == BEGIN:
            inside = [bare]
        elif bare == _BEGIN_SECRET:
            raise CertificateError(*_SECRET)
        elif bare:
            raise CertificateError(f"line {number} stands outside of an armored block of public keys")
    if inside is not None:
        raise CertificateError("the last armored block has no end")
    return blocks


def _certificate(packets: Iterable[Packet]) -> Certificate:
    from pysequoia.packet import SignatureType, Tag  # noqa: PLC0415 - loaded where it is used

    parts: list[_Part] = []
    for packet in packets:
        if packet.tag == Tag.Signature:
            parts[-1].signatures.append(packet)
        else:
            parts.append(_Part(packet))
    primary, *others = parts
    fingerprint = primary.packet.fingerprint
    if fingerprint is None:
        raise CertificateError("a key has no fingerprint")
    for part in parts:
        for signature in part.signatures:
            revokes = signature.signature_type in (
                SignatureType.KeyRevocation,
                SignatureType.SubkeyRevocation,
            )
            own = is_own(signature, primary.packet)
            if (
                own and not revokes and signature.signature_expiration_time is not None
            ):  # 4. of read_certificates
                raise CertificateError(
                    f"the certificate {PREFIX}{fingerprint} has a self-signature that runs out by itself",
                    "let the key run out instead, and export it with export-minimal",
                )
    subkeys: dict[str, _Part] = {}
    for part in others:
        if part.packet.tag == Tag.PublicSubkey:
            name = part.packet.fingerprint
            if name is None or name in subkeys or name == fingerprint:
                raise CertificateError(f"the certificate {PREFIX}{fingerprint} has a subkey twice")
            subkeys[name] = part
    identities = tuple(part for part in others if part.packet.tag != Tag.PublicSubkey)
    return Certificate(fingerprint, primary, identities, subkeys)


def _packets(data: bytes) -> list[Packet]:
    from pysequoia.packet import PacketPile  # noqa: PLC0415 - loaded where it is used

    return _asked(lambda: list(PacketPile.from_bytes(data)))


def _whole(packets: list[Packet]) -> bytes:
    """The certificate that the packets are, in Sequoia's order."""
    from pysequoia import Cert  # noqa: PLC0415 - loaded where it is used

    return _asked(lambda: bytes(Cert.from_packets(packets)))


def _asked(question: Callable[[], Answer]) -> Answer:
    """What the library answers; CertificateError when it has no answer, a panic of its Rust included."""
    try:
        return question()
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CertificateError(f"the OpenPGP library says: {reason[:200]!a}") from None


def _end(certificate: Certificate, state: _State) -> datetime | None:
    try:
        return certificate.expires(state)
    except CertificateError:
        return state.expires


def _holds(
    packets: list[Packet], message: bytes, blob: bytes, parsed: OpenPgpSignature, certificate: Certificate
) -> bool:
    """Whether Sequoia accepts the signature with the certificate that these packets are."""
    from pysequoia import Cert, Sig, verify  # noqa: PLC0415 - loaded where it is used

    def ask() -> bool:
        known = Cert.from_packets(packets)
        answer = verify(bytes=message, store=lambda _ids: [known], signature=Sig.from_bytes(blob))
        made = [(signature.certificate, signature.signing_key) for signature in answer.valid_sigs]
        return made == [(certificate.fingerprint, parsed.issuer)]

    try:
        return _asked(ask)
    except CertificateError:
        return False


def _older(parsed: OpenPgpSignature, since: datetime | None) -> str:
    return (
        f"the signature claims to be of {_when(parsed.created)}, and the certificate in the policy is what it is "
        f"only since {_when(since) if since else 'later'}"
    )


def _when(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
