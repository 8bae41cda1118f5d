//! The check of the programs that FEATURES puts before the compiler.

use super::{
    examination::Examination,
    finding::{CheckResult, DoctorError},
};
use crate::farm::problems;

pub(super) fn farm(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let examined = problems(exam.context)?;
    let faulty = examined.iter().find_map(|(_, problem)| problem.clone());
    if let Some(problem) = faulty {
        return Ok(CheckResult::warning(problem.message, problem.fix));
    }
    let names: Vec<&str> = examined
        .iter()
        .map(|(engine, _)| engine.feature())
        .collect();
    Ok(match names.is_empty() {
        true => CheckResult::ok("FEATURES contains none"),
        false => CheckResult::ok(names.join(", ")),
    })
}
