//! The formats of images, which are also the ends of the files' names.

use crate::compressor::{Compressor, GZIP, XZ, ZSTD};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A file system for devices that are written to.
    Ext4,
    /// A compressed file system that is only read.
    Squashfs,
    /// A file system that is only read, and faster than squashfs.
    Erofs,
    /// An archive that the kernel unpacks into its memory: an initramfs.
    Cpio(Option<&'static Compressor>),
    /// An archive.
    Tar(Option<&'static Compressor>),
}

/// The formats by name.
const FORMATS: [(&str, Format); 11] = [
    ("ext4", Format::Ext4),
    ("squashfs", Format::Squashfs),
    ("erofs", Format::Erofs),
    ("cpio", Format::Cpio(None)),
    ("cpio.gz", Format::Cpio(Some(&GZIP))),
    ("cpio.xz", Format::Cpio(Some(&XZ))),
    ("cpio.zst", Format::Cpio(Some(&ZSTD))),
    ("tar", Format::Tar(None)),
    ("tar.gz", Format::Tar(Some(&GZIP))),
    ("tar.xz", Format::Tar(Some(&XZ))),
    ("tar.zst", Format::Tar(Some(&ZSTD))),
];

impl Format {
    /// Lists the names of all formats.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|(name, _)| *name)
    }

    /// Returns its name: `ext4`, `cpio.gz`.
    pub(crate) fn name(self) -> &'static str {
        let mut all = FORMATS.iter();
        let found = all.find(|(_, format)| *format == self);
        found.expect("every format is in the table").0
    }

    /// Finds the format of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = FORMATS.iter();
        all.find(|(its, _)| *its == name).map(|(_, format)| *format)
    }

    /// Returns the programs that make it.
    pub(super) fn programs(self) -> Vec<&'static str> {
        let (engine, compressor) = match self {
            Self::Ext4 => return vec!["mke2fs", "debugfs", "dumpe2fs"],
            Self::Squashfs => ("mksquashfs", None),
            Self::Erofs => ("mkfs.erofs", None),
            Self::Cpio(compressor) => ("cpio", compressor),
            Self::Tar(compressor) => ("tar", compressor),
        };
        let compressor = compressor.map(Compressor::program);
        std::iter::once(engine).chain(compressor).collect()
    }

    /// Returns whether its program stores the times of files as they are.
    pub(super) fn needs_copy(self) -> bool {
        matches!(self, Self::Ext4 | Self::Cpio(_))
    }
}

/// A size in bytes, as users write it: `512M`, `2G`, `1048576`. The units are powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

impl std::str::FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a size is a number with K, M, G or T behind it: 512M";
        let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
        let unit = text.chars().last().map(|last| last.to_ascii_uppercase());
        let unit = units.iter().find(|(name, _)| Some(*name) == unit);
        let (number, shift) = match unit {
            Some((_, shift)) => (&text[..text.len() - 1], *shift),
            None => (text, 0),
        };
        let number: u64 = number.parse().map_err(|_| WRONG)?;
        let size = number.checked_mul(1 << shift).filter(|size| *size > 0);
        size.map(Self).ok_or(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_ends_as_its_compressor_does() {
        for (name, format) in FORMATS {
            let (Format::Cpio(compressor) | Format::Tar(compressor)) = format else {
                continue;
            };
            let end = name.find('.').map(|dot| &name[dot..]);
            assert_eq!(end, compressor.map(|it| it.end), "{name}");
        }
        for wrong in ["ext3", "cpio.", "cpio.bz2", "tar.lz4", "", "EXT4"] {
            assert_eq!(Format::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        for (text, size) in [
            ("1", Some(1)),
            ("512M", Some(512 << 20)),
            ("2g", Some(2 << 30)),
            ("1T", Some(1 << 40)),
            ("0", None),
            ("M", None),
            ("", None),
            ("-1", None),
            ("1.5G", None),
            ("17000000T", None),
            ("1Mé", None),
        ] {
            assert_eq!(text.parse().ok(), size.map(Size), "{text}");
        }
    }
}
