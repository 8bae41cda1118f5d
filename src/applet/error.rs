//! Why an applet has no plan.

use crate::{
    config::ConfigError,
    context::ContextError,
    export::ExportError,
    kernel::KernelError,
    layer::LayerError,
    qemu::{chroot::ChrootError, run::RunError},
};
use crossmerge_plan::{passes_on, report::Explain};
use std::path::PathBuf;

/// Why an applet has no plan.
#[derive(Debug, thiserror::Error)]
pub enum AppletError {
    /// A lookup failed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Configuration could not be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A build system cannot be told of the target.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The environment of the target cannot be decided.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// There is nothing to configure.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
    /// The tree that make is called for is not what it should be.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A program of the target does not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The target's root cannot be entered.
    #[error(transparent)]
    Chroot(#[from] ChrootError),
    /// A definition is not what the schema asks for.
    #[error("wrapper `{file}`: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// No definition has that name.
    #[error("there is no applet `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// A command line that a shell could not split either.
    #[error(
        "{from} is no command line: {text:?} has a quote that never ends, or nothing in it, or is not UTF-8"
    )]
    CommandLine {
        /// Where it stands.
        from: String,
        /// The text.
        text: String,
    },
    /// A compiler link of ours, and no toolchain behind it.
    #[error("no toolchain was adopted for `{tuple}` that has `{tool}`")]
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
                format!("fix `{file}`; wrappers/README.md has the form")
            }
            Self::Unknown { known, .. } => format!("the applets are {known}"),
            Self::CommandLine { from, .. } => format!("fix {from}"),
            Self::NoToolchain { tuple, .. } => {
                format!(
                    "adopt one with `crossmerge init {tuple} --toolchain PREFIX`, or remove this link"
                )
            }
            _ => return None,
        })
    }
}

/// Why there is no script to run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// The current directory has none.
    #[error("there is no `configure` here")]
    None {
        /// What to do instead.
        instead: String,
    },
    /// The caller named one.
    #[error("there is no `{path}`", path = .0.display())]
    NotThere(PathBuf),
}

impl Explain for ConfigureError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::None { instead } => instead.clone(),
            Self::NotThere(_) => {
                "the first argument is the script: ./configure, or its path from here".into()
            }
        })
    }
}
