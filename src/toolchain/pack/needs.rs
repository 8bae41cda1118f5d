//! What the programs of a toolchain need of a machine: its CPU, its dynamic linker and its libc, and further libraries.

use super::{error::PackError, manifest::HostNeeds};
use crossmerge_plan::plan::Plan;
use crossmerge_system::{
    elf::{self, ElfHeader, dynamic::Dynamic},
    exec,
    exec::native::kernel_runs,
    file::{canonical, read},
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// The beginnings of the names of the libc's own libraries, which belong to the dynamic linker.
const OF_LIBC: [&str; 12] = [
    "ld-linux",
    "ld-musl",
    "ld.so",
    "ld64.so",
    "libc.",
    "libm.so",
    "libdl.so",
    "libpthread.so",
    "librt.so",
    "libutil.so",
    "libresolv.so",
    "libanl.so",
];

/// The version that a program needs if it has packed relative relocations, and the glibc that introduced it.
const PACKED_RELOCATIONS: (&str, &str) = ("GLIBC_ABI_DT_RELR", "2.36");

/// A program or library of the build machine.
#[derive(Debug)]
pub(super) struct HostProgram {
    pub(super) header: ElfHeader,
    pub(super) is_big_endian: bool,
    /// The dynamic linker. `None` for a library and for a statically linked program.
    pub(super) interpreter: Option<PathBuf>,
    pub(super) dynamic: Dynamic,
}

impl HostProgram {
    /// Reads a program. Returns `None` if the file is not one.
    pub(super) fn of(path: &Path, content: &[u8]) -> Result<Option<Self>, PackError> {
        let Some(header) = ElfHeader::of(content).filter(|header| header.is_program()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            header,
            is_big_endian: content.get(5) == Some(&2),
            interpreter: elf::interpreter(path).map_err(PackError::read(path))?,
            dynamic: Dynamic::of(content).unwrap_or_default(),
        }))
    }

    /// Returns whether it needs a library that does not belong to the libc.
    pub(super) fn needs_libraries(&self) -> bool {
        self.dynamic.needed.iter().any(|name| !is_of_libc(name))
    }

    /// Adds what it needs to what the others do.
    pub(super) fn add_to(&self, needs: &mut HostNeeds) {
        needs.machine = self.header.machine;
        needs.bits = self.header.bits;
        needs.big_endian = self.is_big_endian;
        if let Some(interpreter) = &self.interpreter {
            needs.interpreter.get_or_insert_with(|| interpreter.clone());
        }
        let newest = newest_glibc(&self.dynamic.needed_versions);
        if version(needs.glibc.as_deref()) < version(newest.as_deref()) {
            needs.glibc = newest;
        }
    }
}

fn is_of_libc(name: &str) -> bool {
    OF_LIBC.iter().any(|start| name.starts_with(start))
}

/// Lists the libraries that a program needs besides the libc's, with their paths, as its dynamic linker finds them.
pub(super) fn libraries(
    program: &Path,
    interpreter: &Path,
) -> Result<BTreeMap<String, PathBuf>, PackError> {
    let plan = Plan {
        program: interpreter.into(),
        args: vec!["--list".into(), program.into()],
        ..Plan::default()
    };
    let output = exec::ask(&plan)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some((name, rest)) = line.trim().split_once(" => ") else {
            continue;
        };
        let path = rest.rsplit_once(" (").map_or(rest, |(path, _)| path);
        match path.starts_with('/') {
            _ if is_of_libc(name) => {}
            true => {
                found.insert(name.to_owned(), path.into());
            }
            false => {
                return Err(PackError::NoLibrary {
                    library: name.into(),
                    program: program.into(),
                });
            }
        }
    }
    Ok(found)
}

/// Returns the newest version of glibc among the versions of symbols.
fn newest_glibc(versions: &[String]) -> Option<String> {
    let of = |name: &String| match name {
        name if *name == PACKED_RELOCATIONS.0 => Some(PACKED_RELOCATIONS.1.to_owned()),
        name => {
            let number = name.strip_prefix("GLIBC_")?;
            number
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| number.to_owned())
        }
    };
    versions
        .iter()
        .filter_map(of)
        .max_by_key(|name| version(Some(name)))
}

/// Returns a version as numbers, to compare it.
fn version(text: Option<&str>) -> Vec<u32> {
    let numbers = text.into_iter().flat_map(|text| text.split('.'));
    numbers.map(|number| number.parse().unwrap_or(0)).collect()
}

impl HostNeeds {
    /// Checks that the programs can start where crossmerge runs.
    pub(super) fn check(&self) -> Result<(), PackError> {
        // Scripts alone run on every machine.
        if self.bits == 0 {
            return Ok(());
        }
        if !kernel_runs(&self.header()) {
            return Err(PackError::Machine {
                needed: self.chost.clone(),
                here: nix::sys::utsname::uname()
                    .map(|names| names.machine().to_string_lossy().into_owned())
                    .unwrap_or_default(),
            });
        }
        let Some(interpreter) = &self.interpreter else {
            return Ok(());
        };
        if !interpreter.exists() {
            return Err(PackError::NoInterpreter(interpreter.clone()));
        }
        let Some(needed) = &self.glibc else {
            return Ok(());
        };
        match glibc_here(interpreter)? {
            Some(here) if version(Some(&here)) < version(Some(needed)) => {
                Err(PackError::OldGlibc {
                    needed: needed.clone(),
                    here,
                })
            }
            _ => Ok(()),
        }
    }

    /// Returns the ELF header of a program for the machine.
    fn header(&self) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..4].copy_from_slice(b"\x7fELF");
        header[4] = if self.bits == 64 { 2 } else { 1 };
        header[5] = if self.big_endian { 2 } else { 1 };
        header[6] = 1;
        let machine = match self.big_endian {
            true => self.machine.to_be_bytes(),
            false => self.machine.to_le_bytes(),
        };
        header[18..20].copy_from_slice(&machine);
        header
    }
}

/// Returns the version of the glibc to which a dynamic linker belongs: the newest version that its libc defines.
fn glibc_here(interpreter: &Path) -> Result<Option<String>, PackError> {
    let directory = canonical(interpreter);
    let libc = directory.with_file_name("libc.so.6");
    match read::read(&libc, read::SUMMED) {
        Ok(content) => {
            let dynamic = Dynamic::of(&content).unwrap_or_default();
            Ok(newest_glibc(&dynamic.defined_versions))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(PackError::read(&libc)(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_of_glibc_is_chosen_by_number() {
        let names = [
            "GLIBC_2.2.5",
            "GLIBC_2.34",
            "GLIBC_2.9",
            "GCC_3.0",
            "GLIBC_PRIVATE",
        ];
        let names = names.map(str::to_owned);
        assert_eq!(newest_glibc(&names).as_deref(), Some("2.34"));
        assert_eq!(
            newest_glibc(&["GLIBC_ABI_DT_RELR".to_owned()]).as_deref(),
            Some("2.36")
        );
        assert_eq!(newest_glibc(&[]), None);
    }

    #[test]
    fn this_machine_meets_the_needs_of_its_own_programs() {
        let own = Path::new("/proc/self/exe");
        let content = fs_err::read(own).expect("this program");
        let mut needs = HostNeeds::default();
        HostProgram::of(own, &content)
            .expect("an ELF file")
            .expect("a program")
            .add_to(&mut needs);
        needs.check().expect("it runs");
        if needs.glibc.is_some() {
            let newer = HostNeeds {
                glibc: Some("2.999".into()),
                ..needs.clone()
            };
            assert!(matches!(newer.check(), Err(PackError::OldGlibc { .. })));
        }
        let other = HostNeeds {
            machine: if needs.machine == 22 { 62 } else { 22 },
            big_endian: true,
            ..needs.clone()
        };
        assert!(matches!(other.check(), Err(PackError::Machine { .. })));
        let other = HostNeeds {
            interpreter: Some("/lib/ld-none.so".into()),
            ..needs
        };
        assert!(matches!(other.check(), Err(PackError::NoInterpreter(_))));
    }
}
