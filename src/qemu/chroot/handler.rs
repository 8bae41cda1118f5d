//! Decides how the root's programs run: natively, or under QEMU.

use super::{
    super::{
        binfmt::table,
        native::{self, Native},
        private, rule,
        surroundings::Surroundings,
    },
    error::{ChrootError, Result},
    inside::TargetRoot,
};
use crate::context::Context;
use crossmerge_plan::plan::{Trial, step::Step};
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
    /// The trial by which the kernel shows that it runs the programs natively. `None` if that is known.
    pub(super) trial: Option<Trial>,
}

impl Handler {
    /// Nothing handles the programs but the kernel.
    pub(super) const NATIVE: Self = Self {
        steps: Vec::new(),
        is_qemu: false,
        trial: None,
    };

    /// Decides by the ELF header of the program, or of its interpreter if it is a script.
    pub(super) fn of(
        context: &Context,
        surroundings: &Surroundings,
        inside: &TargetRoot,
        program: &Path,
    ) -> Result<Self> {
        let header = header(inside, program)?;
        let root = || inside.path.clone();
        if native::is_own_kind(&header) {
            return Ok(Self::NATIVE);
        }
        let rules = rule::all(&context.config)?;
        let native = Native::of(&rules, &header);
        if native == Native::Yes {
            return Ok(Self::NATIVE);
        }
        let may_be_native = native == Native::ByTrial;
        let Some(rule) = rule::of_header(&rules, &header) else {
            if may_be_native {
                return Ok(Self::NATIVE);
            }
            let kind = elf::ElfHeader::of(&header);
            return Err(ChrootError::NoEmulation {
                command: program.into(),
                machine: kind.map_or(0, |kind| kind.machine),
                bits: kind.map_or(0, |kind| kind.bits),
            });
        };
        let table = || {
            surroundings.check_table()?;
            let served = private::served(context, &rule.qemu, private::is_static)?;
            Ok(private::table(&served, false))
        };
        match table() {
            Ok(steps) => Ok(Self {
                steps,
                is_qemu: true,
                trial: may_be_native.then(|| native::trial(rule, &header)),
            }),
            // The host's rules work in every root if the kernel opened the interpreter when they were registered
            // (flag F).
            Err(_) if has_host_rule(&header) => Ok(Self {
                is_qemu: true,
                ..Self::NATIVE
            }),
            // If the kernel does not run them either, its error states that.
            Err(_) if may_be_native => Ok(Self::NATIVE),
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
