//! The fields of an ELF header that determine which system can run the file. The layout is described in elf(5).

pub mod dynamic;

use crate::file::read;
use std::{
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
};

/// The program header that names the dynamic linker.
const PT_INTERP: u64 = 3;

/// The longest path of a dynamic linker that the kernel accepts, in bytes (PATH_MAX).
const INTERPRETER_MAX: u64 = 4096;

/// The number of bytes that the kernel reads to determine the type of a program (BINPRM_BUF_SIZE).
pub const HEADER_LEN: usize = 256;

/// Reads the first [`HEADER_LEN`] bytes of a file, or fewer if it is shorter.
///
/// # Errors
///
/// The errors of [`read::head`].
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    read::head(path, HEADER_LEN as u64)
}

/// The class and byte order of an ELF file, which determine the width and encoding of its fields.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    is_wide: bool,
    is_big: bool,
}

/// The fields of an ELF header that crossmerge needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElfHeader {
    /// `e_type`.
    pub elf_type: u16,
    /// `e_machine`.
    pub machine: u16,
    /// The class: 32 or 64.
    pub bits: u8,
}

impl ElfHeader {
    /// Parses the header. Returns `None` if it is not an ELF header.
    pub fn of(header: &[u8]) -> Option<Self> {
        let layout = Layout::of(header)?;
        let number = |place| Some(layout.number(header.get(place)?) as u16);
        Some(Self {
            elf_type: number(16..18)?,
            machine: number(18..20)?,
            bits: layout.at(32, 64),
        })
    }

    /// Returns whether the type is ET_EXEC or ET_DYN, the types that the kernel executes. Libraries are ET_DYN too.
    pub fn is_program(self) -> bool {
        [2, 3].contains(&self.elf_type)
    }
}

impl Layout {
    /// Reads class and byte order from a header. Returns `None` if it is not an ELF header.
    pub fn of(header: &[u8]) -> Option<Self> {
        match *header {
            [0x7f, b'E', b'L', b'F', class @ 1..=2, data @ 1..=2, ..] => Some(Self {
                is_wide: class == 2,
                is_big: data == 2,
            }),
            _ => None,
        }
    }

    /// Returns the first value for a 32-bit file, the second for a 64-bit file.
    pub fn at<T>(self, narrow: T, wide: T) -> T {
        if self.is_wide { wide } else { narrow }
    }

    /// Decodes a number in the byte order of the file.
    pub fn number(self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.is_big {
            true => bytes.iter().fold(0, fold),
            false => bytes.iter().rev().fold(0, fold),
        }
    }

    /// Encodes a number into a field, in the byte order of the file.
    pub fn put(self, field: &mut [u8], number: u64) {
        let bytes = number.to_le_bytes();
        for (byte, place) in bytes.iter().zip(0..field.len()) {
            let place = if self.is_big {
                field.len() - 1 - place
            } else {
                place
            };
            field[place] = *byte;
        }
    }
}

/// Returns the path of the dynamic linker that a program requests. `None` if it is statically linked, or not an ELF
/// file.
///
/// # Errors
///
/// The error of opening the file, or of reading its header or the path.
pub fn interpreter(path: &Path) -> io::Result<Option<PathBuf>> {
    let file = read::open_regular(path)?;
    let mut header = vec![0; HEADER_LEN];
    let length = file.read_at(&mut header, 0)?;
    header.truncate(length);
    interpreter_in(&header, |bytes, place| file.read_exact_at(bytes, place))
}

/// Returns the path of the dynamic linker as [`interpreter`] does, for a file with this header. `read` fills a buffer
/// from an offset in the file.
///
/// # Errors
///
/// The error of `read` for the path. If a program header cannot be read, the file is taken for a statically linked one.
pub fn interpreter_in(
    header: &[u8],
    read: impl Fn(&mut [u8], u64) -> io::Result<()>,
) -> io::Result<Option<PathBuf>> {
    let Some(layout) = Layout::of(header) else {
        return Ok(None);
    };
    let field = |narrow, wide| {
        let place: std::ops::Range<usize> = layout.at(narrow, wide);
        header.get(place).map_or(0, |bytes| layout.number(bytes))
    };
    let (offset, size, count) = (
        field(28..32, 32..40),
        field(42..44, 54..56),
        field(44..46, 56..58),
    );
    for index in 0..count {
        let mut entry = [0; 56];
        let entry = &mut entry[..layout.at(32, 56)];
        if read(entry, offset.saturating_add(index * size)).is_err() {
            break;
        }
        if layout.number(&entry[..4]) == PT_INTERP {
            let place = layout.number(&entry[layout.at(4..8, 8..16)]);
            let length = layout.number(&entry[layout.at(16..20, 32..40)]);
            let mut path = vec![0; length.min(INTERPRETER_MAX) as usize];
            read(&mut path, place)?;
            let end = path.iter().position(|byte| *byte == 0);
            path.truncate(end.unwrap_or(path.len()));
            return Ok(Some(OsStr::from_bytes(&path).into()));
        }
    }
    Ok(None)
}
