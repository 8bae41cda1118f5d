//! Decides how the root's programs run: natively, or under QEMU.

use super::{
    super::{binfmt::table, native, private, rule},
    error::{ChrootError, Result},
    inside::TargetRoot,
};
use crate::context::Context;
use crossmerge_plan::plan::step::Step;
use crossmerge_system::{
    elf,
    script::{self, Script},
};
use std::{
    io::Read,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

/// The way in which the root's programs run.
pub(super) struct Handler {
    /// The steps that set up a per-namespace binfmt_misc, if it is used.
    pub(super) steps: Vec<Step>,
    pub(super) is_qemu: bool,
}

impl Handler {
    /// Decides by the ELF header of the program, or of its interpreter if it is a script.
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
            // The host's rules work in every root if the kernel opened the interpreter when they were registered
            // (flag F).
            Err(_) if has_host_rule(&header) => Ok(Self {
                steps: Vec::new(),
                is_qemu: true,
            }),
            Err(why) => Err(ChrootError::NoHandler { root: root(), why }),
        }
    }
}

/// Returns whether the host's binfmt_misc has a rule for such programs that works in every root.
fn has_host_rule(header: &[u8]) -> bool {
    let entries = table::read().ok().flatten().unwrap_or_default();
    let mut entries = entries
        .iter()
        .filter(|entry| entry.is_enabled && entry.takes(header));
    entries.any(|entry| entry.flags.contains('F'))
}

/// Returns the ELF header of the program that the kernel loads in the end.
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
