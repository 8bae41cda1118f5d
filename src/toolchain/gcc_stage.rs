//! Whether an installed GCC was built before or after there was a libc. Packages of both may have the same version and the
//! same USE flags.

use crossmerge_plan::plan::Plan;
use crossmerge_system::exec::{self, ExecError};
use std::path::Path;

/// The stage of an installed GCC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GccStage {
    /// It was built before there was a libc.
    First,
    /// It was built with a libc.
    Last,
}

impl GccStage {
    /// Asks a compiler how it was configured. Returns `None` if it does not print that.
    pub(crate) fn of(compiler: &Path) -> Result<Option<Self>, ExecError> {
        let plan = Plan {
            program: compiler.into(),
            args: vec!["-v".into()],
            ..Plan::default()
        };
        let output = exec::ask(&plan)?;
        Ok(Self::of_text(&String::from_utf8_lossy(&output.stderr)))
    }

    /// Reads what `gcc -v` prints. Gentoo's toolchain.eclass and the ebuilds of `toolchain prepare` configure a compiler
    /// without these libraries if there is no libc, or only its headers.
    fn of_text(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find(|line| line.starts_with("Configured with: "))?;
        let has = |option: &str| {
            line.split_whitespace()
                .any(|word| word.trim_matches('\'') == option)
        };
        let is_first =
            has("--without-headers") || (has("--disable-shared") && has("--disable-libatomic"));
        Some(match is_first {
            true => Self::First,
            false => Self::Last,
        })
    }
}

/// Returns whether a compiler was built before there was a libc.
pub(crate) fn is_first_compiler(compiler: &Path) -> bool {
    compiler.exists() && matches!(GccStage::of(compiler), Ok(Some(GccStage::First)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_prints_whether_it_was_built_with_a_libc() {
        let of = |options: &str| {
            GccStage::of_text(&format!(
                "Target: x\nConfigured with: /x/configure {options}\nThread model: single\n"
            ))
        };
        assert_eq!(
            of("--with-as=/x --without-headers --disable-shared"),
            Some(GccStage::First)
        );
        assert_eq!(
            of("--disable-shared --disable-libatomic --with-sysroot=/x"),
            Some(GccStage::First)
        );
        assert_eq!(
            of("--enable-shared --with-sysroot=/x"),
            Some(GccStage::Last)
        );
        assert_eq!(of("--with-newlib --disable-shared"), Some(GccStage::Last));
        assert_eq!(GccStage::of_text("clang version 14"), None);
    }
}
