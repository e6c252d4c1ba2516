"""Sign-offs as bytes: the envelope, the SSH or OpenPGP signature in it, who may sign, and the user's signer.

    signers         whose signature is this, whatever kind of key made it: the one door for verifying
    authenticity    the answer that it gives
    signer          makes a signature with the user's own tools (``ssh-keygen -Y sign``)
    verify          decides about a signature (``ssh-keygen -Y verify``)
    allowed_signers the file that says whose keys count
    sshsig          the signature's format, armored and raw
    keys            public keys and certificates
    key_types       the names of their types
    algorithms      how each type signs; the only module that loads cryptography
    wire            strings and numbers as SSH writes them
    gpg             makes a signature with the user's own OpenPGP tool (``gpg -bsau``)
    openpgp         the OpenPGP signature packet, in its one spelling
    certificates    whose OpenPGP keys count, and which of their signatures; the only module that loads pysequoia
    dsse            the envelope that carries a payload and its signature

What a payload *says*, whether its signer may say it, and where envelopes are kept are for other
rooms. Nothing here reads the clock or the environment: a time to judge by is passed in.

This file imports nothing, so that reading envelopes does not load any cryptography.
"""
