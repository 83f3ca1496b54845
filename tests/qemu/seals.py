"""What the archive demo sealed, opened by other hands: OpenSSL, and the zstd command."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE_BYTES = 12
SUFFIX = ".zst.sealed"


def opened(sealed: bytes, key: bytes) -> bytes:
    """Return what was sealed: nonce, ciphertext and tag (RFC 8439), with nothing beside it.

    Raises:
        InvalidTag: Another key, or not what was sealed.
    """
    return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)


def unpacked(packed: bytes) -> bytes:
    """Return what zstd packed."""
    done = subprocess.run(["zstd", "-d", "-c"], input=packed, capture_output=True, check=True)
    return done.stdout


def restored(sealed: Path, key: bytes) -> bytes:
    """Return the file that was archived."""
    return unpacked(opened(sealed.read_bytes(), key))


def packed(content: bytes) -> bytes:
    """Return a zstd frame of `content`."""
    return subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True).stdout
