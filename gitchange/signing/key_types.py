"""The names of SSH's key types, and which of them are accepted here.

Data only. What a key of each type holds is read in `gitchange.signing.keys`, how it signs stands in
`gitchange.signing.algorithms`. Left out on purpose: ``ssh-dss`` (see `gitchange.signing.keys`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ED25519: Final = "ssh-ed25519"
RSA: Final = "ssh-rsa"
SK_ED25519: Final = "sk-ssh-ed25519@openssh.com"
SK_ECDSA: Final = "sk-ecdsa-sha2-nistp256@openssh.com"
WEBAUTHN: Final = b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"

# Curve name in the blob, and the order of the curve's group (SEC 2; FIPS 186-4 D.1.2).
CURVES: Final = {
    "ecdsa-sha2-nistp256": (
        b"nistp256",
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "ecdsa-sha2-nistp384": (
        b"nistp384",
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    ),
    "ecdsa-sha2-nistp521": (
        b"nistp521",
        0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    ),
}

PLAIN_TYPES: Final = (ED25519, *CURVES, RSA, SK_ED25519, SK_ECDSA)

# The type of a certificate, and the type of the key that it certifies.
CERTIFIED_TYPES: Final = {
    f"{plain.removesuffix('@openssh.com')}-cert-v01@openssh.com": plain for plain in PLAIN_TYPES
}

# Every name that OpenSSH knows a type by (the table ``keyimpls`` of sshkey.c), with the type's own
# name. The names of signature algorithms stand there too and so can open a key blob.
TYPE_NAMES: Final = {
    **{name.encode(): name for name in (*PLAIN_TYPES, *CERTIFIED_TYPES)},
    b"rsa-sha2-256": RSA,
    b"rsa-sha2-512": RSA,
    b"rsa-sha2-256-cert-v01@openssh.com": "ssh-rsa-cert-v01@openssh.com",
    b"rsa-sha2-512-cert-v01@openssh.com": "ssh-rsa-cert-v01@openssh.com",
    WEBAUTHN: SK_ECDSA,
}

# In a blob, though not in text, a plain type may also go by its short name, in any case
# (sshkey_type_from_name). ECDSA has short names as well, but no curve can be told from them.
SHORT_NAMES: Final = {b"ed25519": ED25519, b"ed25519-sk": SK_ED25519, b"rsa": RSA}
