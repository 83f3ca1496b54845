"""The stock libraries that a deck may ask for in `libraries:`."""

# Name in deck.yaml -> its static archive, as the linker finds it or as image.mk builds it;
# None: part of the C library.
ARCHIVES: dict[str, str | None] = {
    "turbojpeg": "libturbojpeg.a",
    "lz4": "liblz4.a",
    "zstd": "libzstd.a",
    "sodium": "libsodium.a",
    "xxhash": "libxxhash.a",
    "llhttp": "libllhttp.a",
    "lwip": "liblwip.a",
    "m": None,
}


def linked(libraries: tuple[str, ...]) -> list[str]:
    """Return the libraries that need an archive of their own, by name as behind ``-l``."""
    return [library for library in libraries if ARCHIVES[library] is not None]
