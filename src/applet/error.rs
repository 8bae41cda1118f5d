//! The errors of planning an applet, and their hints.

use crate::{
    config::ConfigError,
    context::ContextError,
    export::ExportError,
    kernel::KernelError,
    layer::LayerError,
    qemu::{chroot::ChrootError, run::RunError},
};
use crossmerge_plan::{passes_on, report::Explain, tuple::Tuple};
use std::path::PathBuf;

/// Why an applet has no plan.
#[derive(Debug, thiserror::Error)]
pub enum AppletError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The facts for a build system cannot be looked up.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The environment of the target cannot be decided.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// There is no configure script.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The kernel tree cannot be built.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A program of the target does not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The target's root cannot be entered.
    #[error(transparent)]
    Chroot(#[from] ChrootError),
    /// A definition does not match the schema.
    #[error("wrapper `{file}`: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// `crossmerge plan` was called for fix-root, which runs no program.
    #[error("`{0}-fix-root` runs no program, so it has no plan")]
    NoPlan(Tuple),
    /// No definition has that name.
    #[error("there is no applet `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The existing names.
        known: String,
    },
    /// A command line that cannot be split into words.
    #[error(
        "{from} is not a command line: {text:?} has an unclosed quote, or is empty, or is not UTF-8"
    )]
    CommandLine {
        /// The variable or the file that contains it.
        from: String,
        /// The text.
        text: String,
    },
    /// No adopted toolchain has the tool that the symlink names.
    #[error("no adopted toolchain of `{tuple}` has `{tool}`")]
    NoToolchain {
        /// The tuple.
        tuple: String,
        /// The applet.
        tool: String,
    },
}

impl Explain for AppletError {
    passes_on!(
        Context, Config, Export, Layer, Configure, Kernel, Run, Chroot
    );

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed { file, .. } => {
                format!("fix `{file}`; wrappers/README.md describes the format")
            }
            Self::NoPlan(tuple) => {
                format!("`{tuple}-fix-root --dry-run` prints what it would change")
            }
            Self::Unknown { known, .. } => format!("the applets are {known}"),
            Self::CommandLine { from, .. } => format!("fix {from}"),
            Self::NoToolchain { tuple, .. } => {
                format!(
                    "adopt one with `crossmerge init {tuple} --toolchain PREFIX`, or remove this symlink"
                )
            }
            _ => return None,
        })
    }
}

/// Why no configure script runs.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The current directory has no script.
    #[error("there is no `configure` in the current directory")]
    None {
        /// What to do instead.
        instead: String,
    },
    /// The script that the caller named does not exist.
    #[error("there is no `{path}`", path = .0.display())]
    Missing(PathBuf),
}

impl Explain for ConfigureError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::None { instead } => instead.clone(),
            Self::Missing(_) => {
                "the first argument is the script: `./configure`, or another path of it".into()
            }
        })
    }
}
