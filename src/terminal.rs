//! Errors, hints and progress on a terminal, in one form and with colour.
//!
//! anstream decides on colour: none if the stream is not a terminal or NO_COLOR is set, always with CLICOLOR_FORCE.
//! Applets use this module only if they fail.

mod table;

pub(crate) use table::{COLUMN, Column, FIRST, table};

use clap::builder::styling::{AnsiColor, Style};
use crossmerge_plan::shown::lines;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    fmt::Display,
    io::Write,
    time::{Duration, Instant},
};

/// The time that a task may take before its progress is shown.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// The style of errors.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of warnings.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The style of successful checks.
pub(crate) const OK: Style = AnsiColor::Green.on_default();
/// The style of hints.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// The style of details.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Prints an error and its hint on stderr, with the name under which the program was called.
pub(crate) fn error(name: &dyn Display, error: &dyn Display, hint: Option<&str>) {
    let error = lines(&error.to_string());
    let mut text = format!("{name}: {ERROR}error:{ERROR:#} {error}\n");
    if let Some(hint) = hint {
        text += &format!("{HINT}hint:{HINT:#} {}\n", lines(hint));
    }
    // If stderr is closed, only the exit code can report the error.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Turns an error of clap into a message of one line and a hint, the form of all other errors. `command` is the
/// command line up to the first option or argument.
pub(crate) fn message_and_hint(error: &clap::Error, command: &str) -> (String, String) {
    let text = error.render().to_string();
    let in_backticks = |text: &str| text.trim().replace('\'', "`");
    let mut message = Vec::new();
    let mut hints = Vec::new();
    let mut is_usage = false;
    for line in text.lines() {
        if line.starts_with("Usage: ") {
            is_usage = true;
        } else if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
            hints.push(in_backticks(tip));
        } else if !is_usage && hints.is_empty() && !line.starts_with("For more") {
            message.push(in_backticks(line.strip_prefix("error: ").unwrap_or(line)));
        }
    }
    if hints.is_empty() {
        hints.push(format!(
            "`{command} --help` lists its arguments and options"
        ));
    }
    message.retain(|line| !line.is_empty());
    (message.join(" "), hints.join("; "))
}

/// A progress line on stderr, shown if a task takes longer than one second, and removed when it ends. If stderr is not
/// a terminal, it is not shown.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Returns a line that counts the steps of a task. `what` is the beginning of the line.
    pub(crate) fn of(what: &'static str, steps: usize) -> Self {
        let bar =
            ProgressBar::with_draw_target(u64::try_from(steps).ok(), ProgressDrawTarget::hidden());
        bar.set_style(style("{msg}: {pos} of {len}, {elapsed}"));
        bar.set_message(what);
        Self {
            bar,
            began: Instant::now(),
        }
    }

    /// Returns a line that counts the seconds of a task that has only one step.
    pub(crate) fn waiting(what: &'static str) -> Self {
        let waiting = Self::of(what, 1);
        waiting.bar.set_style(style("{msg}: {elapsed}"));
        waiting.bar.set_draw_target(ProgressDrawTarget::stderr());
        waiting.bar.enable_steady_tick(PROGRESS_DELAY);
        waiting
    }

    /// Counts one more completed step.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.began.elapsed() > PROGRESS_DELAY {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a valid template")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_clap_becomes_one_line_and_a_hint() {
        for (words, message, hint) in [
            (
                &["crossmerge", "init", "avr", "--toolchian", "x"][..],
                "unexpected argument `--toolchian` found",
                "a similar argument exists: `--toolchain`",
            ),
            (
                &["crossmerge", "toolchian"],
                "unrecognized subcommand `toolchian`",
                "a similar subcommand exists: `toolchain`",
            ),
            (
                &["crossmerge", "init"],
                "the following required arguments were not provided: <TUPLE>",
                "`crossmerge init --help` lists its arguments and options",
            ),
            (
                &["crossmerge", "export", "avr", "cmaek"],
                "invalid value `cmaek` for `<FORMAT>`",
                "a similar value exists: `cmake`",
            ),
            (
                &["crossmerge", "init", "avr", "--llvm", "--toolchain", "x"],
                "the argument `--llvm` cannot be used with `--toolchain <PREFIX>`",
                "`crossmerge init --help` lists its arguments and options",
            ),
        ] {
            let error = crate::cli::command()
                .try_get_matches_from(words)
                .expect_err("an error");
            let (text, help) = message_and_hint(&error, &words[..2].join(" "));
            assert!(text.starts_with(message), "{words:?}: {text:?}");
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert_eq!(help, hint, "{words:?}");
        }
    }
}
