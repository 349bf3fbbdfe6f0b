"""Self-test of the signature library, to be run before a node signs or checks anything.

RFC 8032 leaves open what to do with small-order points, non-canonical encodings and the cofactor,
and libraries differ: OpenSSL accepts 4 of these 12 signatures that libsodium refuses. Two nodes
that disagree about one signature fork, so a node whose library decides otherwise than the pinned
pattern must not start (consensus.md 22).

The vectors are those of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, SSR 2020),
published as novifinancial/ed25519-speccheck, whose table gives libsodium this same pattern.
"""

from dataclasses import dataclass
from typing import Final

from chain.crypto import ED25519, Ed25519Signer, SignatureScheme, check_public_key
from chain.errors import ChainError, InvalidSignature

EXPECTED_PATTERN: Final = "XXXVXXXXXXXX"
"""V for a signature that verifies, X for one that does not, in the order of the vectors."""
EXPECTED_KEY_PATTERN: Final = "XXXXXXVVXXXX"
"""V for a key that may be registered. The fourth signature verifies under a key of mixed order, so
registration must refuse what verification lets pass."""


class SelfTestFailed(ChainError):
    """The signature library decides otherwise than the other nodes' libraries do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecCheckVector:
    """One signature on which libraries disagree."""

    about: str
    message: str
    """Hexadecimal, as the two below."""
    public_key: str
    signature: str


SPECCHECK_VECTORS: Final = (
    SpecCheckVector(
        about="key and R of small order, S = 0",
        message="8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        public_key="c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        signature=(
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
            "0000000000000000000000000000000000000000000000000000000000000000"
        ),
    ),
    SpecCheckVector(
        about="key of small order",
        message="9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        public_key="c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        signature=(
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
    SpecCheckVector(
        about="R of small order",
        message="aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        public_key="f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        signature=(
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"
        ),
    ),
    SpecCheckVector(
        about="ordinary",
        message="9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        public_key="cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        signature=(
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"
        ),
    ),
    SpecCheckVector(
        about="holds only when multiplied by the cofactor",
        message="e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        public_key="cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        signature=(
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
        ),
    ),
    SpecCheckVector(
        about="holds only when multiplied by the cofactor, S and h unreduced",
        message="e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        public_key="cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        signature=(
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"
        ),
    ),
    SpecCheckVector(
        about="S above the group order",
        message="85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        public_key="442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        signature=(
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"
        ),
    ),
    SpecCheckVector(
        about="S far above the group order",
        message="85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        public_key="442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        signature=(
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"
        ),
    ),
    SpecCheckVector(
        about="R not canonical, hashed as it came",
        message="9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        public_key="f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        signature=(
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f"
        ),
    ),
    SpecCheckVector(
        about="R not canonical, hashed reduced",
        message="9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        public_key="f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        signature=(
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908"
        ),
    ),
    SpecCheckVector(
        about="key not canonical and of small order, hashed as it came",
        message="e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        public_key="ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        signature=(
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
    SpecCheckVector(
        about="key not canonical and of small order, hashed reduced",
        message="39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        public_key="ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        signature=(
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
)

_RFC8032_SEED: Final = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
_RFC8032_KEY: Final = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
_RFC8032_SIGNATURE: Final = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
"""RFC 8032, section 7.1, test 1: the empty message."""


def check_cryptography(scheme: SignatureScheme = ED25519) -> None:
    """Checks that signing, verifying and key checks behave as the protocol pins them.

    Args:
        scheme: what the node verifies signatures with.

    Raises:
        SelfTestFailed: names what behaves differently; the node must not start.
    """
    pattern = pattern_of(scheme)
    if pattern != EXPECTED_PATTERN:
        raise SelfTestFailed(
            f"Ed25519 verification: expected the pattern {EXPECTED_PATTERN} on the 12 speccheck "
            f"vectors, got {pattern}; this libsodium would fork from the other nodes, install the "
            "pinned PyNaCl"
        )
    signer = Ed25519Signer(bytes.fromhex(_RFC8032_SEED))
    signature = signer.sign(b"").hex()
    if (signer.public_key.hex(), signature) != (_RFC8032_KEY, _RFC8032_SIGNATURE):
        raise SelfTestFailed(
            f"Ed25519 signing: expected RFC 8032 test 1, {_RFC8032_SIGNATURE}, got {signature}; "
            "install the pinned PyNaCl"
        )
    keys = key_pattern()
    if keys != EXPECTED_KEY_PATTERN:
        raise SelfTestFailed(
            f"key check: expected the pattern {EXPECTED_KEY_PATTERN} on the keys of the 12 "
            f"speccheck vectors, got {keys}; install the pinned PyNaCl"
        )


def pattern_of(scheme: SignatureScheme) -> str:
    """Returns V or X for each vector, in order."""
    return "".join(
        "V"
        if scheme.verify(
            bytes.fromhex(vector.public_key),
            bytes.fromhex(vector.message),
            bytes.fromhex(vector.signature),
        )
        else "X"
        for vector in SPECCHECK_VECTORS
    )


def key_pattern() -> str:
    """Returns V for each vector whose key may be registered, else X, in order."""
    return "".join(
        "V" if _is_registrable(bytes.fromhex(vector.public_key)) else "X"
        for vector in SPECCHECK_VECTORS
    )


def _is_registrable(public_key: bytes) -> bool:
    try:
        check_public_key(public_key)
    except InvalidSignature:
        return False
    return True
