//! What runs the root's programs: the host's kernel, or QEMU.

use super::{
    super::{
        binfmt::table,
        native, private, rule,
        script::{self, Script},
    },
    error::{ChrootError, Result},
    inside::TargetRoot,
};
use crate::context::Context;
use crossmerge_plan::plan::step::Step;
use crossmerge_system::elf;
use std::{
    io::Read,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// What runs the root's programs.
pub(super) struct Handler {
    /// The steps that make a table, where it is ours.
    pub(super) steps: Vec<Step>,
    pub(super) is_qemu: bool,
}

impl Handler {
    /// Finds it by the header of the program, or of what runs it when it is a script.
    pub(super) fn of(context: &Context, inside: &TargetRoot, program: &Path) -> Result<Self> {
        let header = header(inside, program)?;
        let root = || inside.path.clone();
        if native::runs(&header) {
            return Ok(Self {
                steps: Vec::new(),
                is_qemu: false,
            });
        }
        let rules = rule::all(&context.config)?;
        let Some(rule) = rule::of_header(&rules, &header) else {
            let kind = elf::ElfHeader::of(&header);
            return Err(ChrootError::NoEmulation {
                command: program.into(),
                machine: kind.map_or(0, |kind| kind.machine),
                bits: kind.map_or(0, |kind| kind.bits),
            });
        };
        let table = || {
            private::possible()?;
            let served = private::served(context, &rule.qemu, private::is_static)?;
            Ok(private::table(&served, false))
        };
        match table() {
            Ok(steps) => Ok(Self {
                steps,
                is_qemu: true,
            }),
            // The machine's table reaches into every root when it has opened the interpreter already.
            Err(_) if machines_handler(&header) => Ok(Self {
                steps: Vec::new(),
                is_qemu: true,
            }),
            Err(why) => Err(ChrootError::NoHandler { root: root(), why }),
        }
    }
}

/// Returns whether the machine's own table has a rule for such programs that works in any root.
fn machines_handler(header: &[u8]) -> bool {
    let entries = table::read().ok().flatten().unwrap_or_default();
    let mut entries = entries
        .iter()
        .filter(|entry| entry.is_enabled && entry.takes(header));
    entries.any(|entry| entry.flags.contains('F'))
}

/// The ELF header that the kernel meets when the program is started.
fn header(inside: &TargetRoot, program: &Path) -> Result<Vec<u8>> {
    let root = || inside.path.clone();
    let mut path = program.to_owned();
    for _ in 0..=script::DEPTH_MAX {
        let missing = |needs: &Path| ChrootError::NoInterpreter {
            root: root(),
            command: program.into(),
            needs: needs.into(),
        };
        let mut file = inside.open(&path).map_err(|_| missing(&path))?;
        let mut head = Vec::new();
        let read = file
            .by_ref()
            .take(elf::HEADER_LEN as u64)
            .read_to_end(&mut head);
        if read.is_err() {
            break;
        }
        if elf::ElfHeader::of(&head).is_some_and(elf::ElfHeader::is_program) {
            let opened = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            return match elf::interpreter(&opened) {
                Ok(Some(linker)) if !inside.is_file(&linker) => Err(missing(&linker)),
                _ => {
                    head.truncate(elf::HEADER_LEN);
                    Ok(head)
                }
            };
        }
        let Some(script) = Script::of(&head) else {
            break;
        };
        if script.interpreter.as_os_str().is_empty() {
            break;
        }
        path = Path::new("/").join(script.interpreter);
        if !inside.is_file(&path) {
            return Err(missing(&path));
        }
    }
    Err(ChrootError::NoProgram {
        root: root(),
        command: program.into(),
    })
}
