//! `crossmerge binfmt`.

use super::{args::BinfmtCommand, invocation::Invocation, print::print};
use crate::qemu::binfmt::{self, Action, BinfmtError, RuleStatus};
use crossmerge_plan::report::{self, Failure};
use std::process::ExitCode;

pub(super) fn binfmt(
    invocation: &Invocation<'_>,
    command: BinfmtCommand,
) -> Result<ExitCode, Failure> {
    let tuple = command.which().tuple.as_deref();
    let tuple = tuple.map(|tuple| invocation.target(tuple)).transpose()?;
    let may_be_all = match &command {
        BinfmtCommand::Status { .. } | BinfmtCommand::Show { .. } => true,
        command => command.which().all,
    };
    if tuple.is_none() && !may_be_all {
        return Err(BinfmtError::NoTarget.into());
    }
    let subject = binfmt::SelectedRules::of(&invocation.env, &invocation.config, tuple.as_ref())?;
    let (action, credentials, dry_run) = match command {
        BinfmtCommand::Status { json, .. } => {
            let status = subject.status()?;
            return print(&if json {
                serde_json::to_string_pretty(&status).expect("plain data") + "\n"
            } else {
                RuleStatus::to_text(&status)
            });
        }
        BinfmtCommand::Show { .. } => {
            return Ok(report::print(&subject.show())?);
        }
        BinfmtCommand::Register { how, .. } => (Action::Register, how.credentials, how.dry_run),
        BinfmtCommand::Unregister { dry_run, .. } => (Action::Unregister, false, dry_run),
        BinfmtCommand::Install { how, uninstall, .. } => {
            let action = if uninstall {
                Action::Uninstall
            } else {
                Action::Install
            };
            (action, how.credentials, how.dry_run)
        }
    };
    let text = subject.act(action, credentials, dry_run)?;
    let is_printed = dry_run || matches!(action, Action::Install | Action::Uninstall);
    print(if is_printed { &text } else { "" })
}
