//! The programs that compress archives.

use std::ffi::OsString;

/// A program that compresses a file. It makes the same bytes on every machine, whatever its number of CPUs: xz
/// compresses otherwise with a single thread.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Compressor {
    /// The end of a compressed file's name, with its dot.
    pub(crate) end: &'static str,
    /// The program and its options, separated by spaces. `-c` compresses stdin to stdout.
    pub(crate) command: &'static str,
    /// The first bytes of a compressed file.
    pub(crate) magic: &'static [u8],
}

/// zstd.
pub(crate) const ZSTD: Compressor = Compressor {
    end: ".zst",
    command: "zstd -q -T0 -12",
    magic: b"\x28\xb5\x2f\xfd",
};

/// xz, with the one checksum that the kernel knows (Documentation/staging/xz.rst).
pub(crate) const XZ: Compressor = Compressor {
    end: ".xz",
    command: "xz -T2 -6 --check=crc32",
    magic: b"\xfd7zXZ\0",
};

/// gzip.
pub(crate) const GZIP: Compressor = Compressor {
    end: ".gz",
    command: "gzip -n -9",
    magic: b"\x1f\x8b",
};

/// All compressors, the best first.
pub(crate) const COMPRESSORS: [&Compressor; 3] = [&ZSTD, &XZ, &GZIP];

impl Compressor {
    /// The name of the program.
    pub(crate) fn program(&self) -> &'static str {
        self.command.split(' ').next().unwrap_or_default()
    }

    /// The options of the program.
    pub(crate) fn options(&self) -> impl Iterator<Item = OsString> {
        self.command.split(' ').skip(1).map(OsString::from)
    }
}
