//! What a check finds.

use crate::{
    applet::AppletError,
    config::ConfigError,
    context::ContextError,
    init::InitError,
    terminal::{DIM, ERROR, OK, WARNING},
};
use clap::builder::styling::Style;
use crossmerge_plan::{passes_on, report::Explain};
use crossmerge_system::exec::ExecError;
use serde::Serialize;
use std::io;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// Looked at, and as it should be.
    Ok,
    /// Something will surprise, and does not stop a build.
    Warning,
    /// Something does not work.
    Error,
    /// Not looked at.
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

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckResult {
    pub(super) status: CheckStatus,
    pub(super) message: String,
    pub(super) fix: Option<String>,
    /// The checks that need this one mean something all the same.
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

    /// Skips a check that has nothing to say of such a target, and no check that needs it.
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

/// Why a check could not be made, when that is no fault of the target's.
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
    Init(#[from] InitError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Explain for DoctorError {
    passes_on!(Applet, Config, Context, Exec, Init);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(_) => "fix that, or run it as somebody who may read the sysroot".into(),
            _ => return None,
        })
    }
}
