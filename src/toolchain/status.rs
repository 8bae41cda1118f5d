//! The toolchains of the build machine: their steps, and how these ended.

use super::record::{StepState, ToolchainRecord};
use crate::steps::clock;
use crossmerge_plan::shown::Show;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// Renders a toolchain as text: its steps, or the installed packages of a toolchain that was not built here.
pub(crate) fn to_text(
    category: &str,
    record: Option<&ToolchainRecord>,
    packages: &BTreeMap<String, String>,
) -> String {
    let mut text = format!("{category}\n");
    // An unpacked toolchain was built elsewhere.
    let Some(record) = record.filter(|record| !record.step.is_empty()) else {
        for (name, version) in packages {
            let name = format!("{name} {version}");
            let _ = writeln!(text, "  {name:<34}  installed");
        }
        return text;
    };
    for step in &record.step {
        let state = match step.state {
            StepState::Waiting => "waiting".to_owned(),
            StepState::Begun => "interrupted".into(),
            StepState::Failed => format!("failed   {}", step.log.shown()),
            StepState::Done => format!("done     {}", clock(Duration::from_secs(step.seconds))),
        };
        let name = format!("{} {}", step.name, step.version);
        let _ = writeln!(text, "  {name:<34}  {state}");
    }
    text
}

/// Renders a toolchain as JSON.
pub(crate) fn to_json(
    category: &str,
    record: Option<&ToolchainRecord>,
    packages: &BTreeMap<String, String>,
) -> Value {
    json!({
        "category": category,
        "request": record.map(|record| &record.request),
        "steps": record.map_or(&[][..], |record| &record.step),
        "packages": packages,
    })
}

/// Returns the step that ended last without success, or else the last one.
pub(crate) fn last_failure(record: &ToolchainRecord) -> Option<&super::record::StepRecord> {
    let failed = record
        .step
        .iter()
        .find(|step| step.state == StepState::Failed);
    failed.or_else(|| {
        record
            .step
            .iter()
            .find(|step| step.state == StepState::Begun)
    })
}
