//! The result of a check.

use crate::{
    applet::AppletError,
    config::ConfigError,
    context::ContextError,
    farm::FarmError,
    init::InitError,
    terminal::{DIM, ERROR, OK, WARNING},
    toolchain::ToolchainError,
};
use clap::builder::styling::Style;
use crossmerge_plan::{passes_on, report::Explain};
use crossmerge_system::exec::ExecError;
use serde::Serialize;
use std::io;

/// The status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// The condition holds.
    Ok,
    /// A problem that does not stop a build.
    Warning,
    /// Something does not work.
    Error,
    /// The check could not be done.
    Skipped,
}

impl CheckStatus {
    pub(super) fn style(self) -> Style {
        match self {
            Self::Ok => OK,
            Self::Warning => WARNING,
            Self::Error => ERROR,
            Self::Skipped => DIM,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

/// The status of a check, with its message and the command that fixes the problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckResult {
    pub(super) status: CheckStatus,
    pub(super) message: String,
    pub(super) fix: Option<String>,
    /// Whether checks that depend on this one still run.
    pub(super) lets_dependents_run: bool,
}

impl CheckResult {
    pub(super) fn ok(seen: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Ok,
            message: seen.into(),
            fix: None,
            lets_dependents_run: true,
        }
    }

    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Skipped,
            lets_dependents_run: false,
            ..Self::ok(reason)
        }
    }

    /// Returns the result of a check that does not apply to the target. Checks that depend on it still run.
    pub(super) fn not_for_this_target(reason: impl Into<String>) -> Self {
        Self {
            lets_dependents_run: true,
            ..Self::skipped(reason)
        }
    }

    pub(super) fn warning(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Warning,
            fix: Some(fix.into()),
            ..Self::ok(message)
        }
    }

    pub(super) fn error(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Error,
            lets_dependents_run: false,
            ..Self::warning(message, fix)
        }
    }
}

/// Why a check could not be done, if the cause is not a problem of the target.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant is a module's own error, documented there"
)]
pub enum DoctorError {
    #[error(transparent)]
    Applet(#[from] AppletError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Context(#[from] ContextError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Farm(#[from] FarmError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Explain for DoctorError {
    passes_on!(Applet, Config, Context, Exec, Farm, Init, Toolchain);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(_) => "fix that, or run it as a user who can read the sysroot".into(),
            _ => return None,
        })
    }
}
