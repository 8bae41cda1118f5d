//! The message about a failed step, in the form of crossmerge's errors.

use super::{
    Cause,
    place::{Line, Step},
};
use crate::steps::clock;
use crossmerge_plan::shown::Show;
use std::{fmt::Write as _, path::Path};

impl Cause {
    /// Returns the message: a line for the step, and an indented one for each fact about the failure. Texts from the
    /// logs are escaped for a terminal.
    pub fn message(&self, step: &Step<'_>) -> String {
        let how = match self.is_interrupted() {
            true => "was interrupted",
            false => "failed",
        };
        let mut text = format!(
            "{} {how} in {}, after {}",
            step.name.shown(),
            self.phase,
            clock(step.elapsed)
        );
        // A dependency may fail in the step of another package.
        let is_other = |name: &str| !step.name.starts_with(name);
        if let Some(package) = self.package.as_ref().filter(|one| is_other(&one.name)) {
            let _ = write!(text, "\n    package {}", package.to_string().shown());
        }
        if let Some(error) = &self.error {
            // The question that a configure script asked stands before its error on the same line.
            let own = error.text.find("configure: error: ").unwrap_or(0);
            let _ = write!(text, "\n    {}", error.text[own..].trim().shown());
        }
        if let Some(command) = &self.failed_command {
            let directory = command.file.parent().and_then(Path::file_name);
            let _ = write!(
                text,
                "\n    the failed command printed `{}` (config.log of {}, line {})",
                command.message.trim().shown(),
                directory.unwrap_or_default().shown(),
                command.line
            );
        }
        if let Some(known) = &self.known {
            let _ = write!(text, "\n    {}", known.what.shown());
        }
        text
    }

    /// Returns the text of the hint: the command that fixes a known cause, and where the log is.
    pub fn hint(&self, step: &Step<'_>) -> String {
        let place = match &self.error {
            Some(Line { number, .. }) => format!("{}, line {number}", step.log.shown()),
            None => step.log.shown().to_string(),
        };
        match &self.known {
            Some(known) => format!("{}\n      log  {place}", known.hint.shown()),
            None => format!("the log is {place}"),
        }
    }

    /// Returns whether a signal of the user's or the system's ended the step, and nothing failed.
    pub fn is_interrupted(&self) -> bool {
        { self.known.as_ref() }.is_some_and(|known| known.id == "interrupted")
    }
}
