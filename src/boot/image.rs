//! What an image is, by its content, and the initramfs that crossmerge makes of a directory or adds to one.

use super::{cpio::Archive, error::BootError};
use crossmerge_plan::tuple::Tuple;
use crossmerge_system::file::read;
use serde::Deserialize;
use std::{
    io::{BufWriter, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The script in an initramfs. The directory beside it becomes a devtmpfs.
pub(super) const SCRIPT: &str = "/.crossmerge/run";

/// The kinds of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ImageKind {
    /// A directory, which becomes an initramfs.
    Directory {
        /// Its init.
        init: PathBuf,
        /// The size of its files in bytes.
        size: u64,
    },
    /// An archive that the kernel unpacks into memory.
    Initramfs(InitramfsSize),
    /// A file system.
    FileSystem {
        /// Its name, as the kernel has it.
        name: &'static str,
        /// Whether it cannot be written at all.
        read_only: bool,
    },
    /// A disk with a partition table.
    Disk,
}

/// The size of an archive's file, by which its memory is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InitramfsSize {
    bytes: u64,
    is_compressed: bool,
}

/// What the bytes at an offset show.
#[derive(Debug, Clone, Copy)]
enum Content {
    Archive { is_compressed: bool },
    FileSystem(&'static str, bool),
    Disk,
}

const PACKED: Content = Content::Archive {
    is_compressed: true,
};
const PLAIN: Content = Content::Archive {
    is_compressed: false,
};

/// The bytes by which images are recognised, the most certain first. Sources: the kernel's `fs/ext4/ext4.h`,
/// `include/uapi/linux/magic.h`, `fs/erofs/erofs_fs.h`, `init/initramfs.c` and `lib/decompress.c`; the UEFI
/// specification, 5.3.2, and its protective master boot record, 5.2.3.
const CONTENTS: [(usize, &[u8], Content); 13] = [
    (0, b"hsqs", Content::FileSystem("squashfs", true)),
    (0, b"070701", PLAIN),
    (0, b"070702", PLAIN),
    (0, b"\x1f\x8b", PACKED),
    (0, b"\xfd7zXZ\0", PACKED),
    (0, b"\x28\xb5\x2f\xfd", PACKED),
    (0, b"\x02\x21\x4c\x18", PACKED),
    (0, b"\x89LZO\0", PACKED),
    (0, b"BZh", PACKED),
    (
        1024,
        b"\xe2\xe1\xf5\xe0",
        Content::FileSystem("erofs", true),
    ),
    (1080, b"\x53\xef", Content::FileSystem("ext4", false)),
    (512, b"EFI PART", Content::Disk),
    (510, b"\x55\xaa", Content::Disk),
];

/// The bytes of an image that are read.
const HEAD: u64 = 2048;

impl ImageKind {
    /// Recognises an image by its content.
    pub(super) fn of(image: &Path) -> Result<Self, BootError> {
        let unreadable = |source| BootError::Unreadable {
            path: image.into(),
            source,
        };
        let metadata = fs_err::metadata(image).map_err(BootError::Image)?;
        if metadata.is_dir() {
            let inits = ["init", "sbin/init", "bin/sh"].map(|init| image.join(init));
            let init = inits.iter().find(|init| init.symlink_metadata().is_ok());
            let Some(init) = init else {
                return Err(BootError::NoInit(image.into()));
            };
            let init = Path::new("/").join(init.strip_prefix(image).unwrap_or(init));
            let size = size_of(image).map_err(unreadable)?;
            return Ok(Self::Directory { init, size });
        }
        let head = read::head(image, HEAD).map_err(unreadable)?;
        let matches =
            |place: usize, bytes: &[u8]| head.get(place..place + bytes.len()) == Some(bytes);
        let mut contents = CONTENTS.iter();
        match contents.find(|(place, bytes, _)| matches(*place, bytes)) {
            Some((_, _, Content::FileSystem(name, read_only))) => Ok(Self::FileSystem {
                name,
                read_only: *read_only,
            }),
            Some((_, _, Content::Archive { is_compressed })) => {
                Ok(Self::Initramfs(InitramfsSize {
                    bytes: metadata.len(),
                    is_compressed: *is_compressed,
                }))
            }
            Some((_, _, Content::Disk)) => Ok(Self::Disk),
            None => Err(BootError::Unknown(image.into())),
        }
    }

    /// Returns whether the kernel unpacks it into memory.
    pub(super) fn is_initramfs(&self) -> bool {
        matches!(self, Self::Directory { .. } | Self::Initramfs(_))
    }

    pub(super) fn is_read_only(&self) -> bool {
        matches!(
            self,
            Self::FileSystem {
                read_only: true,
                ..
            }
        )
    }

    /// Returns the memory in MiB that an initramfs needs: for the archive, and for the files. A compressed one has about
    /// a third of the size of its files.
    pub(super) fn memory(&self) -> u64 {
        let bytes = match self {
            Self::Directory { size, .. } => size * 2,
            Self::Initramfs(size) if size.is_compressed => size.bytes * 5,
            Self::Initramfs(size) => size.bytes * 2,
            Self::FileSystem { .. } | Self::Disk => 0,
        };
        bytes >> 20
    }
}

/// Returns the size of the files below a directory.
fn size_of(directory: &Path) -> std::io::Result<u64> {
    let mut size = 0;
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += match metadata.is_dir() {
            true => size_of(&entry.path())?,
            false => metadata.size(),
        };
    }
    Ok(size)
}

/// What crossmerge adds to an initramfs to run a command in it.
#[derive(Debug)]
pub(super) struct Initramfs {
    pub(super) script: String,
    /// The modules to load, in their order.
    pub(super) modules: Vec<PathBuf>,
}

impl Initramfs {
    /// Writes an initramfs: the files of a directory or the archive of an image, and perhaps an addition.
    pub(super) fn pack(image: &Path, into: &Path, added: Option<&Self>) -> Result<(), BootError> {
        let file = fs_err::File::create(into).map_err(BootError::Temporary)?;
        let mut out = BufWriter::new(file);
        if image.is_dir() {
            let mut archive = Archive::new(&mut out);
            archive.tree(image)?;
            archive.end()?;
        } else {
            let mut archive = read::open_regular(image).map_err(BootError::Image)?;
            let size = std::io::copy(&mut archive, &mut out).map_err(BootError::Temporary)?;
            // An archive behind another one begins at a multiple of four bytes.
            let padding = vec![0; (size.next_multiple_of(4) - size) as usize];
            out.write_all(&padding).map_err(BootError::Temporary)?;
        }
        if let Some(added) = added {
            let mut archive = Archive::new(&mut out);
            added.write(&mut archive)?;
            archive.end()?;
        }
        out.flush().map_err(BootError::Temporary)
    }

    /// Writes the addition. A shell starts its background commands with `/dev/null`, before init mounts a devtmpfs.
    fn write(&self, archive: &mut Archive<impl Write>) -> Result<(), BootError> {
        archive.directory("dev")?;
        archive.device("dev/console", 5, 1)?;
        archive.device("dev/null", 1, 3)?;
        archive.directory(".crossmerge")?;
        archive.directory(".crossmerge/dev")?;
        archive.directory(".crossmerge/modules")?;
        for (number, module) in self.modules.iter().enumerate() {
            let content = kernel_module(module)?;
            archive.file(&format!(".crossmerge/modules/{number:02}.ko"), &content)?;
        }
        archive.file(SCRIPT.trim_start_matches('/'), self.script.as_bytes())
    }
}

/// Reads a module of the kernel.
pub(super) fn kernel_module(path: &Path) -> Result<Vec<u8>, BootError> {
    read::read(path, read::CONTENTS).map_err(BootError::Image)
}

/// The part of an image's manifest that names its target.
#[derive(Debug, Deserialize)]
struct Manifest {
    tuple: Tuple,
}

/// Returns the tuple in the manifest beside an image: `board.json` beside `board`, `board.ext4` or `board.cpio.gz`.
/// `None` if there is no manifest.
///
/// # Errors
///
/// [`BootError::Manifest`] if it has no tuple.
pub fn tuple_of(image: &Path) -> Result<Option<Tuple>, BootError> {
    let Some(name) = image.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let mut stem = name;
    loop {
        let manifest = image.with_file_name(format!("{stem}.json"));
        if let Ok(text) = read::read_to_string(&manifest, read::CONTENTS) {
            return match serde_json::from_str::<Manifest>(&text) {
                Ok(read) => Ok(Some(read.tuple)),
                Err(e) => Err(BootError::Manifest {
                    path: manifest,
                    message: e.to_string(),
                }),
            };
        }
        match stem.rsplit_once('.') {
            Some((shorter, _)) if !shorter.is_empty() => stem = shorter,
            _ => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_recognised_by_its_content_and_not_by_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("image.ext4");
        let kind = |place: usize, bytes: &[u8]| {
            let mut image = vec![0; 4096];
            image[place..place + bytes.len()].copy_from_slice(bytes);
            std::fs::write(&path, image).expect("a file");
            ImageKind::of(&path)
        };
        let system = |name, read_only| ImageKind::FileSystem { name, read_only };
        assert_eq!(
            kind(1080, b"\x53\xef").expect("ext4"),
            system("ext4", false)
        );
        assert_eq!(
            kind(0, b"hsqs").expect("squashfs"),
            system("squashfs", true)
        );
        assert_eq!(
            kind(1024, b"\xe2\xe1\xf5\xe0").expect("erofs"),
            system("erofs", true)
        );
        assert_eq!(kind(512, b"EFI PART").expect("a disk"), ImageKind::Disk);
        assert!(kind(0, b"\x1f\x8b").expect("an archive").is_initramfs());
        assert!(matches!(kind(257, b"ustar"), Err(BootError::Unknown(_))));
        std::fs::write(&path, "").expect("a file");
        assert!(matches!(ImageKind::of(&path), Err(BootError::Unknown(_))));
    }

    #[test]
    fn the_manifest_beside_an_image_names_the_target() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("my.board.json"), r#"{"tuple": "avr", "x": 1}"#).expect("a file");
        std::fs::write(path("other.json"), "{}").expect("a file");
        for name in ["my.board", "my.board.ext4", "my.board.cpio.gz"] {
            let tuple = tuple_of(&path(name)).expect(name).expect(name);
            assert_eq!(tuple.as_str(), "avr", "{name}");
        }
        assert!(tuple_of(&path("my")).expect("nothing").is_none());
        assert!(tuple_of(&path(".ext4")).expect("nothing").is_none());
        assert!(matches!(
            tuple_of(&path("other.ext4")),
            Err(BootError::Manifest { .. })
        ));
    }
}
