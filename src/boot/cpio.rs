//! The archive format of an initramfs: cpio with the header "newc", as the kernel's
//! `Documentation/driver-api/early-userspace/buffer-format.rst` describes it.
//!
//! GNU cpio, with which `crossmerge image` makes archives, would not do here: it archives devices that exist, which an
//! ordinary user cannot make, and leaves the user's files to the user.

use super::error::BootError;
use crossmerge_system::file::read;
use nix::{
    sys::stat::{major, minor},
    unistd::geteuid,
};
use std::{
    fs::Metadata,
    io::{self, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::Path,
};

/// The name of the last entry.
const TRAILER: &str = "TRAILER!!!";

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// An archive that is being written.
pub(super) struct Archive<W> {
    out: W,
    entries: u32,
}

/// The header of an entry.
#[derive(Default)]
struct Header {
    mode: u32,
    owner: (u32, u32),
    time: u32,
    size: u32,
    device: (u32, u32),
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, entries: 0 }
    }

    /// Writes an entry that root owns.
    fn own(
        &mut self,
        name: &str,
        mode: u32,
        device: (u32, u32),
        text: &[u8],
    ) -> Result<(), BootError> {
        let header = Header {
            mode,
            device,
            size: text.len() as u32,
            ..Header::default()
        };
        self.entry(name.as_bytes(), &header, &mut &*text)
            .map_err(BootError::Temporary)
    }

    pub(super) fn directory(&mut self, name: &str) -> Result<(), BootError> {
        self.own(name, DIRECTORY, (0, 0), &[])
    }

    pub(super) fn file(&mut self, name: &str, text: &[u8]) -> Result<(), BootError> {
        self.own(name, FILE, (0, 0), text)
    }

    pub(super) fn device(&mut self, name: &str, major: u32, minor: u32) -> Result<(), BootError> {
        self.own(name, DEVICE, (major, minor), &[])
    }

    /// Writes everything below a directory. Files of an ordinary user who packs them become root's.
    pub(super) fn tree(&mut self, root: &Path) -> Result<(), BootError> {
        self.below(root, Path::new("")).map_err(BootError::Packed)
    }

    fn below(&mut self, root: &Path, directory: &Path) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(root.join(directory))? {
            names.push(entry?.file_name());
        }
        names.sort();
        for name in names {
            let place = directory.join(name);
            let path = root.join(&place);
            let metadata = fs_err::symlink_metadata(&path)?;
            let kind = metadata.file_type();
            let name = place.as_os_str().as_bytes();
            if kind.is_file() {
                let file = read::open_regular(&path)?;
                let size = u32::try_from(file.metadata()?.len()).map_err(|_| {
                    let message = format!("`{}` has more than 4 GiB", path.display());
                    io::Error::other(message)
                })?;
                self.entry(
                    name,
                    &header_of(&metadata, size),
                    &mut file.take(size.into()),
                )?;
            } else if kind.is_symlink() {
                let target = fs_err::read_link(&path)?;
                let target = target.as_os_str().as_bytes();
                self.entry(
                    name,
                    &header_of(&metadata, target.len() as u32),
                    &mut &*target,
                )?;
            } else if !kind.is_socket() {
                self.entry(name, &header_of(&metadata, 0), &mut io::empty())?;
            }
            if kind.is_dir() {
                self.below(root, &place)?;
            }
        }
        Ok(())
    }

    /// Writes an entry with its content. A file that has become shorter meanwhile is filled with zeros.
    fn entry(&mut self, name: &[u8], header: &Header, content: &mut dyn Read) -> io::Result<()> {
        self.entries += 1;
        let fields = [
            self.entries,
            header.mode,
            header.owner.0,
            header.owner.1,
            1,
            header.time,
            header.size,
            0,
            0,
            header.device.0,
            header.device.1,
            name.len() as u32 + 1,
            0,
        ];
        let fields = fields.map(|field| format!("{field:08X}")).concat();
        write!(self.out, "070701{fields}")?;
        self.out.write_all(name)?;
        self.pad(1, 110 + name.len() as u64 + 1)?;
        let copied = io::copy(content, &mut self.out)?;
        self.pad(u64::from(header.size) - copied, header.size.into())
    }

    /// Writes zeros, and then as many as a length lacks to a multiple of four.
    fn pad(&mut self, zeros: u64, length: u64) -> io::Result<()> {
        let zeros = zeros + length.next_multiple_of(4) - length;
        io::copy(&mut io::repeat(0).take(zeros), &mut self.out).map(drop)
    }

    /// Writes the last entry.
    pub(super) fn end(mut self) -> Result<(), BootError> {
        self.own(TRAILER, 0, (0, 0), &[])
    }
}

fn header_of(metadata: &Metadata, size: u32) -> Header {
    let euid = geteuid();
    let is_packers = !euid.is_root() && metadata.uid() == euid.as_raw();
    Header {
        mode: metadata.mode(),
        owner: match is_packers {
            true => (0, 0),
            false => (metadata.uid(), metadata.gid()),
        },
        time: u32::try_from(metadata.mtime()).unwrap_or(0),
        size,
        device: (major(metadata.rdev()) as u32, minor(metadata.rdev()) as u32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_begins_at_a_multiple_of_four_bytes() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        std::fs::create_dir_all(root.join("usr/bin")).expect("directories");
        std::fs::write(root.join("usr/bin/odd"), "12345").expect("a file");
        std::os::unix::fs::symlink("usr/bin", root.join("bin")).expect("a symlink");
        let mut bytes = Vec::new();
        let mut archive = Archive::new(&mut bytes);
        archive.tree(&root).expect("a tree");
        archive.device("dev/null", 1, 3).expect("a device");
        archive.end().expect("an end");
        assert_eq!(bytes.len() % 4, 0);
        let names: Vec<&[u8]> = vec![
            b"bin\0",
            b"usr\0",
            b"usr/bin\0",
            b"usr/bin/odd\0",
            b"dev/null\0",
            b"TRAILER!!!\0",
        ];
        let mut at = 0;
        for name in names {
            let number = |place: usize| {
                let text = std::str::from_utf8(&bytes[at + place..at + place + 8]).expect("digits");
                usize::from_str_radix(text, 16).expect("a number")
            };
            assert_eq!(&bytes[at..at + 6], b"070701");
            assert_eq!(&bytes[at + 110..at + 110 + name.len()], name);
            let content = (at + 110 + number(94)).next_multiple_of(4);
            let size = number(54);
            if name == b"usr/bin/odd\0" {
                assert_eq!(&bytes[content..content + size], b"12345");
            }
            at = (content + size).next_multiple_of(4);
        }
        assert_eq!(at, bytes.len());
    }
}
