//! Finds the installed toolchain that serves a target.
//!
//! The candidates are the compilers `<tuple>-gcc` in PATH whose tuple means the same machine and libc as the target's.
//! [`toolchain::adopt`] and the CPU level of a candidate's output decide. Nothing is written.

use super::{error::InitError, installed::serving, record::InitRecord, toolchain};
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
    target::{Source, Target},
};
use crossmerge_plan::{plan::Plan, shown::Show, tuple::Tuple};
use crossmerge_system::{exec::probe::ProbeDirectory, file::below};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
};

/// Macros whose value grows with the CPU for which the compiler builds. One that is defined without a number counts as
/// 1. Source: GCC's manual, "System-specific Predefined Macros", and `gcc -dM -E`.
const LEVELS: [&str; 5] = [
    "__ARM_ARCH",
    "__ARCH__",
    "__i586__",
    "__i686__",
    "__mips_isa_rev",
];

/// The result of the search for a target's toolchain.
#[derive(Debug, Default)]
pub(super) struct ToolchainSearch {
    /// The toolchain to adopt, if one fits.
    pub(super) toolchain: Option<Toolchain>,
    /// The reason why each of the other candidates does not fit.
    pub(super) declined: Vec<String>,
}

/// Searches for the toolchain of a target that has none.
pub(super) fn toolchain(
    context: &Context,
    target: &Target,
    families: &[Source],
) -> Result<ToolchainSearch, InitError> {
    let mut found = ToolchainSearch::default();
    let native = context.machine_of_cc();
    for compiler in serving(context, target, families) {
        let name = compiler.driver();
        let name = name.shown();
        let prefix = compiler.prefix.shown();
        let declined = if native.as_deref() == Some(compiler.tuple.as_str()) {
            format!(
                "`{name}` is the host's own compiler; `--toolchain {prefix}` adopts it nevertheless"
            )
        } else if belongs_to_a_target(context, &compiler.tuple)? {
            let other = &compiler.tuple;
            format!(
                "`{name}` belongs to the target `{other}`; `--toolchain {prefix}` adopts it nevertheless"
            )
        } else {
            match toolchain::adopt(
                context,
                target,
                ToolchainKind::Gnu,
                compiler.prefix.as_os_str(),
            ) {
                Ok(_) if makes_for_newer(&compiler.driver(), target) => {
                    format!(
                        "`{name}` builds for a newer CPU than `{}` means; `--toolchain {prefix}` adopts it nevertheless",
                        target.tuple
                    )
                }
                Ok(toolchain) => {
                    found.toolchain = Some(toolchain);
                    break;
                }
                Err(e) => format!("`{name}` does not fit: {e}"),
            }
        };
        found.declined.push(declined);
    }
    Ok(found)
}

/// Returns whether a tuple is a target of crossdev or crossmerge, so that its sysroot contains its own packages.
fn belongs_to_a_target(context: &Context, tuple: &Tuple) -> Result<bool, InitError> {
    let sysroot = below(&context.config.broot, &format!("usr/{tuple}"));
    let is_configured = context.config.target_file(tuple).exists();
    let has_portage = sysroot.join("etc/portage").is_dir();
    Ok(*tuple != context.tuple
        && (is_configured || has_portage || !InitRecord::read(&sysroot)?.is_empty()))
}

/// Returns whether a compiler by default builds for a newer CPU than the target's flags name. Its libc is then built
/// for that CPU too.
fn makes_for_newer(compiler: &Path, target: &Target) -> bool {
    let levels = |flags: &str| {
        let mut args: Vec<OsString> = flags.split_whitespace().map(Into::into).collect();
        args.extend(["-dM", "-E", "-x", "c", "/dev/null"].map(Into::into));
        let plan = Plan {
            program: compiler.into(),
            args,
            ..Plan::default()
        };
        let output = ProbeDirectory::new().ok()?.compile(plan).ok()?;
        let text = output.status.success().then_some(output.stdout)?;
        Some(levels_of(&String::from_utf8_lossy(&text)))
    };
    match (levels(""), levels(&target.cflags)) {
        (Some(by_itself), Some(wanted)) => LEVELS
            .iter()
            .any(|macro_| by_itself.get(macro_).unwrap_or(&0) > wanted.get(macro_).unwrap_or(&0)),
        // A compiler that rejects the flags is for another CPU.
        _ => true,
    }
}

/// Reads the CPU levels from the output of `-dM -E`.
fn levels_of(text: &str) -> BTreeMap<&'static str, u32> {
    let level = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let name = words.next()?;
        let known = LEVELS.iter().find(|level| **level == name)?;
        Some((
            *known,
            words.next().and_then(|n| n.parse().ok()).unwrap_or(1),
        ))
    };
    text.lines().filter_map(level).collect()
}

/// Returns whether the sysroot has the headers of a libc.
pub(super) fn has_libc(sysroot: &Path) -> bool {
    sysroot.join("usr/include/stdio.h").exists()
}

/// Returns whether clang is in PATH.
pub(super) fn has_clang(context: &Context) -> bool {
    context
        .find_program(OsStr::new(ToolchainKind::Llvm.driver()))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_a_cpu_is_read_from_the_macros() {
        let text = "#define __ARM_ARCH 7\n#define __ARM_ARCH_7A__ 1\n#define __i686__ 1\n#define __unix__ 1\n#define __i586__\n";
        assert_eq!(
            levels_of(text),
            BTreeMap::from([("__ARM_ARCH", 7), ("__i586__", 1), ("__i686__", 1)])
        );
    }
}
