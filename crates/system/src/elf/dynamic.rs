//! The dynamic section of an ELF file: the libraries that it needs, and the versions of symbols that it needs or defines.
//! The layout is described in elf(5), and that of versions in the Linux Standard Base, "Symbol Versioning".

use super::{HEADER_LEN, Layout};
use std::{cell::RefCell, collections::BTreeMap, fs::File, os::unix::fs::FileExt};

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_VERDEF: u64 = 0x6fff_fffc;
const DT_VERNEED: u64 = 0x6fff_fffe;

/// The most entries that are read of one list: more are a damaged file, or a list that leads back to its beginning.
const MOST: usize = 1 << 16;

/// The length of a block that is read from a file, in bytes. The parts that are needed lie close together.
const BLOCK: usize = 16 << 10;

/// The most blocks that are read from one file.
const MOST_BLOCKS: usize = 256;

/// The longest name of a library, a version or a search path, in bytes.
const LONGEST: usize = 1 << 16;

/// What the dynamic linker reads about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// The names of the libraries that it needs.
    pub needed: Vec<String>,
    /// The directories in which it searches for them: DT_RUNPATH, or DT_RPATH.
    pub search: Option<String>,
    /// Whether `search` is DT_RPATH, which applies to the libraries of its libraries too.
    pub is_rpath: bool,
    /// The versions of symbols that it needs from libraries, such as `GLIBC_2.34`.
    pub needed_versions: Vec<String>,
    /// The versions of symbols that it defines, if it is a library.
    pub defined_versions: Vec<String>,
}

impl Dynamic {
    /// Parses a whole file. Returns `None` if it is not an ELF file or has no dynamic section.
    pub fn of(file: &[u8]) -> Option<Self> {
        let bytes = |place: u64, buffer: &mut [u8]| {
            let rest = usize::try_from(place).ok().and_then(|at| file.get(at..));
            copy(rest.unwrap_or_default(), buffer)
        };
        let layout = Layout::of(file.get(..HEADER_LEN.min(file.len()))?)?;
        let reader = Reader {
            bytes: &bytes,
            layout,
        };
        reader.dynamic()
    }

    /// Reads from an open file only the parts that are needed. Returns `None` if it is not an ELF file or has no dynamic
    /// section, or if they cannot be read.
    pub fn read(file: &File) -> Option<Self> {
        let blocks = Blocks {
            file,
            read: RefCell::default(),
        };
        let mut header = [0; 16];
        file.read_exact_at(&mut header, 0).ok()?;
        let reader = Reader {
            bytes: &|place, buffer| blocks.copy(place, buffer),
            layout: Layout::of(&header)?,
        };
        reader.dynamic()
    }
}

/// Copies as many bytes as there are, and returns their number.
fn copy(bytes: &[u8], buffer: &mut [u8]) -> usize {
    let length = bytes.len().min(buffer.len());
    buffer[..length].copy_from_slice(&bytes[..length]);
    length
}

/// The blocks of a file that were read.
struct Blocks<'f> {
    file: &'f File,
    read: RefCell<BTreeMap<u64, Vec<u8>>>,
}

impl Blocks<'_> {
    /// Copies bytes from this offset, and returns their number, which is smaller at the end of the file.
    fn copy(&self, place: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let at = place.saturating_add(done as u64);
            let number = at / BLOCK as u64;
            let mut read = self.read.borrow_mut();
            if !read.contains_key(&number) {
                if read.len() == MOST_BLOCKS {
                    break;
                }
                let mut block = vec![0; BLOCK];
                let length = self.file.read_at(&mut block, number * BLOCK as u64);
                block.truncate(length.unwrap_or(0));
                read.insert(number, block);
            }
            let inside = (at % BLOCK as u64) as usize;
            let block = read[&number].get(inside..).unwrap_or_default();
            let length = copy(block, &mut buffer[done..]);
            if length == 0 {
                break;
            }
            done += length;
        }
        done
    }
}

/// Fills a buffer from an offset, and returns the number of bytes.
type Read<'f> = dyn Fn(u64, &mut [u8]) -> usize + 'f;

struct Reader<'f> {
    bytes: &'f Read<'f>,
    layout: Layout,
}

impl Reader<'_> {
    fn dynamic(&self) -> Option<Dynamic> {
        let headers = self.program_headers()?;
        let (_, _, offset, size) = *headers.iter().find(|header| header.0 == PT_DYNAMIC)?;
        let place = |address: u64| {
            let mut loads = headers.iter().filter(|header| header.0 == PT_LOAD);
            let (_, start, offset, _) = loads.find(|(_, start, _, size)| {
                (*start..start.saturating_add(*size)).contains(&address)
            })?;
            Some(offset.saturating_add(address - start))
        };
        let width = self.layout.at(4, 8);
        let mut entries = Vec::new();
        for index in 0..(size / (2 * width)).min(MOST as u64) {
            let at = offset.saturating_add(index * 2 * width);
            let second = at.saturating_add(width);
            entries.push((self.number(at, width)?, self.number(second, width)?));
        }
        let value = |tag: u64| Some(entries.iter().find(|entry| entry.0 == tag)?.1);
        let strings = place(value(DT_STRTAB)?)?;
        let list = |tag: u64| value(tag).and_then(place);
        let needed = entries.iter().filter(|entry| entry.0 == DT_NEEDED);
        Some(Dynamic {
            needed: needed
                .filter_map(|entry| self.text(strings.saturating_add(entry.1)))
                .collect(),
            search: { value(DT_RUNPATH).or_else(|| value(DT_RPATH)) }
                .and_then(|place| self.text(strings.saturating_add(place))),
            is_rpath: value(DT_RUNPATH).is_none() && value(DT_RPATH).is_some(),
            needed_versions: list(DT_VERNEED)
                .map(|list| self.needed_versions(list, strings))
                .unwrap_or_default(),
            defined_versions: list(DT_VERDEF)
                .map(|list| self.defined_versions(list, strings))
                .unwrap_or_default(),
        })
    }

    /// Lists type, address, offset and size of each program header.
    fn program_headers(&self) -> Option<Vec<(u64, u64, u64, u64)>> {
        let layout = self.layout;
        let width = layout.at(4, 8);
        let table = self.number(layout.at(28, 32), width)?;
        let size = self.number(layout.at(42, 54), 2)?;
        let count = self.number(layout.at(44, 56), 2)?;
        let header = |index: u64| {
            let at = table.checked_add(index * size)?;
            Some((
                self.number(at, 4)?,
                self.number(at.checked_add(layout.at(8, 16))?, width)?,
                self.number(at.checked_add(layout.at(4, 8))?, width)?,
                self.number(at.checked_add(layout.at(16, 32))?, width)?,
            ))
        };
        (0..count).map(header).collect()
    }

    /// Lists the versions in the entries `Verneed`, each with a list of `Vernaux`.
    fn needed_versions(&self, list: u64, strings: u64) -> Vec<String> {
        let mut names = Vec::new();
        self.entries(list, 12, |entry| {
            let first = entry.checked_add(self.number(entry.checked_add(8)?, 4)?)?;
            self.entries(first, 12, |version| {
                let name = self.number(version.checked_add(8)?, 4)?;
                names.extend(self.text(strings.checked_add(name)?));
                Some(())
            });
            Some(())
        });
        names
    }

    /// Lists the versions in the entries `Verdef`, each with its name in the first `Verdaux`.
    fn defined_versions(&self, list: u64, strings: u64) -> Vec<String> {
        let mut names = Vec::new();
        self.entries(list, 16, |entry| {
            let name = entry.checked_add(self.number(entry.checked_add(12)?, 4)?)?;
            names.extend(self.text(strings.checked_add(self.number(name, 4)?)?));
            Some(())
        });
        names
    }

    /// Calls `read` for each entry of a list. The distance to the next entry is at `next` in each, and 0 in the last one.
    fn entries(&self, first: u64, next: u64, mut read: impl FnMut(u64) -> Option<()>) {
        let mut at = first;
        for _ in 0..MOST {
            let Some(distance) = read(at).and_then(|()| self.number(at.checked_add(next)?, 4))
            else {
                return;
            };
            if distance == 0 {
                return;
            }
            at = at.saturating_add(distance);
        }
    }

    fn number(&self, place: u64, width: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..width as usize];
        ((self.bytes)(place, bytes) == bytes.len()).then(|| self.layout.number(bytes))
    }

    fn text(&self, place: u64) -> Option<String> {
        let mut text = Vec::new();
        let mut part = [0; 128];
        while text.len() < LONGEST {
            let length = (self.bytes)(place.checked_add(text.len() as u64)?, &mut part);
            let end = part[..length].iter().position(|byte| *byte == 0);
            text.extend_from_slice(&part[..end.unwrap_or(length)]);
            if end.is_some() {
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
            if length == 0 {
                break;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_itself_needs_a_libc_and_its_versions() {
        let own = fs_err::read("/proc/self/exe").expect("this program");
        let Some(dynamic) = Dynamic::of(&own) else {
            return;
        };
        if dynamic.needed.iter().any(|name| name == "libc.so.6") {
            let mut versions = dynamic.needed_versions.iter();
            assert!(
                versions.any(|version| version.starts_with("GLIBC_2.")),
                "{dynamic:?}"
            );
        }
        let file = std::fs::File::open("/proc/self/exe").expect("this program");
        assert_eq!(Dynamic::read(&file), Some(dynamic));
    }

    #[test]
    fn a_damaged_file_is_not_read_beyond_its_end() {
        let own = fs_err::read("/proc/self/exe").expect("this program");
        for length in [0, 4, 60, 64, 100, 900, 5000] {
            let _ = Dynamic::of(&own[..length.min(own.len())]);
        }
        let mut damaged = own[..own.len().min(1 << 16)].to_vec();
        for place in (16..damaged.len()).step_by(97) {
            damaged[place] ^= 0xff;
        }
        let _ = Dynamic::of(&damaged);
    }
}
