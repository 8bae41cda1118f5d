//! The files of a root: their names in order, their sizes and their times.

use super::error::ImageError;
use crossmerge_plan::words::hex;
use crossmerge_system::file::has_capabilities;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Metadata},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// The files of a root.
#[derive(Debug)]
pub(super) struct RootTree {
    /// The root, without symlinks.
    pub(super) path: PathBuf,
    /// The files by their path relative to the root, in the order of bytes. The root itself has the path `.`.
    pub(super) files: BTreeMap<PathBuf, TreeFile>,
}

/// A file of a root.
#[derive(Debug)]
pub(super) struct TreeFile {
    metadata: Metadata,
    /// The number of names in a directory.
    names: u64,
    /// The total length of these names, in bytes.
    length: u64,
}

/// The space that files need in a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    /// The number of blocks for the content of files.
    pub(super) blocks: u64,
    /// The number of inodes: hard links share one.
    pub(super) inodes: u64,
}

impl RootTree {
    /// Reads the files of a root. A file system that is mounted in it is an error, since an image would contain it.
    pub(super) fn read(path: &Path) -> Result<Self, ImageError> {
        let no_root = |source| ImageError::NoRoot {
            path: path.into(),
            source,
        };
        let path = fs::canonicalize(path).map_err(no_root)?;
        let metadata = fs::metadata(&path).map_err(no_root)?;
        if !metadata.is_dir() {
            return Err(ImageError::NotADirectory(path));
        }
        if path == Path::new("/") {
            return Err(ImageError::OwnRoot);
        }
        let device = metadata.dev();
        let mut tree = Self {
            files: BTreeMap::new(),
            path,
        };
        let mut left = vec![(PathBuf::from("."), metadata)];
        while let Some((directory, metadata)) = left.pop() {
            let full = tree.path.join(&directory);
            let (mut names, mut length) = (0, 0);
            for entry in fs::read_dir(&full).map_err(ImageError::read(&full))? {
                let entry = entry.map_err(ImageError::read(&full))?;
                let name = entry.file_name();
                (names, length) = (names + 1, length + name.len() as u64);
                let place = match directory == Path::new(".") {
                    true => PathBuf::from(name),
                    false => directory.join(name),
                };
                let metadata = entry.metadata().map_err(ImageError::read(&entry.path()))?;
                // In overlayfs, other files than directories may have the device number of a layer (the kernel's
                // Documentation/filesystems/overlayfs.rst, "Inode properties").
                if metadata.is_dir() && metadata.dev() != device {
                    return Err(ImageError::Mounted(entry.path()));
                }
                match metadata.is_dir() {
                    true => left.push((place, metadata)),
                    false => {
                        tree.files.insert(place, TreeFile::new(metadata, 0, 0));
                    }
                }
            }
            let file = TreeFile::new(metadata, names, length);
            tree.files.insert(directory, file);
        }
        match tree.files.len() {
            1 => Err(ImageError::Empty(tree.path)),
            _ => Ok(tree),
        }
    }

    /// Returns the newest time of a file, in seconds since 1970.
    pub(super) fn newest(&self) -> u64 {
        let times = self.files.values().map(|file| file.metadata.mtime());
        times
            .max()
            .and_then(|time| time.try_into().ok())
            .unwrap_or(0)
    }

    /// Returns the size of the files, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.inodes().map(|file| file.metadata.size()).sum()
    }

    /// Returns whether the root has an init but not at `/init`, where the kernel expects that of an initramfs.
    pub(super) fn needs_init(&self) -> bool {
        let has = |path: &str| self.files.contains_key(Path::new(path));
        !has("init") && (has("sbin/init") || has("usr/sbin/init"))
    }

    /// Returns the sockets, which no image contains.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &Path> {
        let files = self.files.iter();
        let sockets = files.filter(|(_, file)| file.metadata.file_type().is_socket());
        sockets.map(|(path, _)| path.as_path())
    }

    /// Returns the devices.
    pub(super) fn devices(&self) -> impl Iterator<Item = &Path> {
        let files = self.files.iter();
        let devices = files.filter(|(_, file)| {
            let kind = file.metadata.file_type();
            kind.is_block_device() || kind.is_char_device()
        });
        devices.map(|(path, _)| path.as_path())
    }

    /// Returns the programs that have capabilities.
    pub(super) fn with_capabilities(&self) -> Result<Vec<&Path>, ImageError> {
        let mut found = Vec::new();
        for (place, file) in &self.files {
            let path = self.path.join(place);
            let is_file = file.metadata.is_file();
            if is_file && has_capabilities(&path).map_err(ImageError::read(&path))? {
                found.push(place.as_path());
            }
        }
        Ok(found)
    }

    /// Returns a checksum of names, modes, owners and sizes. The times are not in it, because they differ between
    /// copies.
    pub(super) fn checksum(&self) -> String {
        let mut sum = Sha256::new();
        for (path, file) in &self.files {
            let it = &file.metadata;
            let size = if it.is_dir() { 0 } else { it.size() };
            sum.update(path.as_os_str().as_bytes());
            sum.update(format!(
                "\0{} {} {} {size}\0",
                it.mode(),
                it.uid(),
                it.gid()
            ));
        }
        hex(&sum.finalize())
    }

    /// Returns the space that the files need in blocks of `block` bytes. A symlink has no block if its target has at
    /// most `inline` bytes.
    pub(super) fn space(&self, block: u64, inline: u64) -> Space {
        // A name in a directory of ext4 has 8 bytes before it and is padded to 4; `.`, `..` and a checksum are in the
        // first block, and half-filled blocks are usual in an indexed directory.
        let of = |file: &TreeFile| match () {
            () if file.metadata.is_dir() => {
                let bytes = 64 + file.length + 12 * file.names;
                match bytes <= block {
                    true => 1,
                    false => 1 + (2 * bytes).div_ceil(block),
                }
            }
            () if file.metadata.is_symlink() => u64::from(file.metadata.size() > inline),
            () if file.metadata.is_file() => file.metadata.size().div_ceil(block),
            () => 0,
        };
        Space {
            blocks: self.inodes().map(of).sum(),
            inodes: self.inodes().count() as u64,
        }
    }

    /// Returns the files, hard links once.
    fn inodes(&self) -> impl Iterator<Item = &TreeFile> {
        let mut found = BTreeSet::new();
        { self.files.values() }.filter(move |file| {
            let it = &file.metadata;
            it.is_dir() || it.nlink() == 1 || found.insert(it.ino())
        })
    }
}

impl TreeFile {
    fn new(metadata: Metadata, names: u64, length: u64) -> Self {
        Self {
            metadata,
            names,
            length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_links_share_an_inode() {
        let top = tempfile::tempdir().expect("a directory");
        let path = |name: &str| top.path().join(name);
        fs::create_dir(path("d")).expect("a directory");
        fs::write(path("d/a"), vec![0; 5000]).expect("a file");
        fs::hard_link(path("d/a"), path("b")).expect("a hard link");
        std::os::unix::fs::symlink("d/a", path("l")).expect("a symlink");
        std::os::unix::fs::symlink("x".repeat(60), path("m")).expect("a symlink");
        let tree = RootTree::read(top.path()).expect("a tree");
        let names: Vec<_> = tree
            .files
            .keys()
            .map(|it| it.to_str().expect("text"))
            .collect();
        assert_eq!(names, [".", "b", "d", "d/a", "l", "m"]);
        // The two directories, both blocks of the file, and the long symlink.
        let expected = Space {
            blocks: 2 + 2 + 1,
            inodes: 5,
        };
        assert_eq!(tree.space(4096, 59), expected);
    }
}
