//! The dynamic section of an ELF file: the libraries that it needs, and the versions of symbols that it needs or defines.
//! The layout is described in elf(5), and that of versions in the Linux Standard Base, "Symbol Versioning".

use super::{HEADER_LEN, Layout};

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

/// What the dynamic linker reads about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// The names of the libraries that it needs.
    pub needed: Vec<String>,
    /// The directories in which it searches for them: DT_RUNPATH, or DT_RPATH.
    pub search: Option<String>,
    /// The versions of symbols that it needs from libraries, such as `GLIBC_2.34`.
    pub needed_versions: Vec<String>,
    /// The versions of symbols that it defines, if it is a library.
    pub defined_versions: Vec<String>,
}

impl Dynamic {
    /// Parses a whole file. Returns `None` if it is not an ELF file or has no dynamic section.
    pub fn of(file: &[u8]) -> Option<Self> {
        let reader = Reader {
            file,
            layout: Layout::of(file.get(..HEADER_LEN.min(file.len()))?)?,
        };
        reader.dynamic()
    }
}

struct Reader<'f> {
    file: &'f [u8],
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
        let start = usize::try_from(place).ok()?;
        let bytes = self.file.get(start..start.checked_add(width as usize)?)?;
        Some(self.layout.number(bytes))
    }

    fn text(&self, place: u64) -> Option<String> {
        let bytes = self.file.get(usize::try_from(place).ok()?..)?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
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
