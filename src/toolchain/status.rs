//! The toolchains of the build machine: their steps, and how these ended.

use super::{
    progress::clock,
    record::{StepState, ToolchainRecord},
};
use crossmerge_plan::shown::Show;
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};

/// Renders a record as text.
pub(crate) fn to_text(category: &str, record: &ToolchainRecord) -> String {
    let mut text = format!("{category}\n");
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

/// Renders a record as JSON.
pub(crate) fn to_json(category: &str, record: &ToolchainRecord) -> Value {
    json!({
        "category": category,
        "request": record.request,
        "steps": record.step,
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
