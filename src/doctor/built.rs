//! The check of a toolchain that crossmerge has built.

use super::{
    examination::Examination,
    finding::{CheckResult, DoctorError},
};
use crate::toolchain::{RecordedContent, StepState, ToolchainRecord, ToolchainRequest};
use crossmerge_plan::{shown::Show, words::quote};

pub(super) fn built(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let tuple = exam.tuple();
    let config = &exam.context.config;
    let mut records = Vec::new();
    for llvm in [false, true] {
        let category = ToolchainRequest::new(tuple.clone(), llvm).category();
        if let Some(record) = ToolchainRecord::read(config, &category)? {
            records.push((category, record));
        }
    }
    let again = |category: &str| format!("crossmerge toolchain build {category}");
    for (category, record) in &records {
        for step in &record.step {
            let what = match step.state {
                StepState::Failed => "has failed",
                StepState::Begun => "was interrupted",
                StepState::Waiting | StepState::Done => continue,
            };
            return Ok(CheckResult::error(
                format!("the step {} of {category} {what}", step.name),
                again(category),
            ));
        }
        for file in &record.file {
            match &file.content {
                RecordedContent::Link(_) if !file.path.exists() => {
                    return Ok(CheckResult::error(
                        format!("`{}` leads to no package", file.path.shown()),
                        format!(
                            "rm -f {0}; {1}",
                            quote(file.path.as_os_str()),
                            again(category)
                        ),
                    ));
                }
                RecordedContent::Lines(_) if !file.path.exists() => {
                    return Ok(CheckResult::warning(
                        format!(
                            "`{}` is missing, so an update takes other flags",
                            file.path.shown()
                        ),
                        again(category),
                    ));
                }
                _ => {}
            }
        }
    }
    Ok(match records.as_slice() {
        [] => CheckResult::not_for_this_target("crossmerge has built no toolchain for it"),
        records => {
            let categories: Vec<&str> = records
                .iter()
                .map(|(category, _)| category.as_str())
                .collect();
            CheckResult::ok(categories.join(", "))
        }
    })
}
