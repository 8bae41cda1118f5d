//! What a terminal shows: errors, hints and progress, in one form and with colour where the user wants it.
//!
//! anstream decides on colour: none where the stream is not a terminal or NO_COLOR is set, and always with CLICOLOR_FORCE. Applets come
//! here only when they fail.

use clap::builder::styling::{AnsiColor, Style};
use crossmerge_plan::shown::lines;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    fmt::Display,
    io::Write,
    time::{Duration, Instant},
};

/// How long a job may take before its progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is wrong.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What is worth a look.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is right.
pub(crate) const OK: Style = AnsiColor::Green.on_default();
/// How to go on.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// What can be passed over.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Prints an error and its hint on stderr, under the name that the program was called by.
pub(crate) fn error(name: &dyn Display, error: &dyn Display, hint: Option<&str>) {
    let error = lines(&error.to_string());
    let mut text = format!("{name}: {ERROR}error:{ERROR:#} {error}\n");
    if let Some(hint) = hint {
        text += &format!("{HINT}hint:{HINT:#} {}\n", lines(hint));
    }
    // Nothing can be said when stderr is gone, and the exit code still tells.
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// clap's error as a message of one line and a hint, in the form of all other errors. `command` is what was typed, up to the first
/// option or argument.
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
        hints.push(format!("`{command} --help` lists what it takes"));
    }
    message.retain(|line| !line.is_empty());
    (message.join(" "), hints.join("; "))
}

/// A line on stderr that counts what is done, while it takes longer than a second. Nothing is shown where stderr is no terminal, and
/// nothing is left of it in the end.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Counts the steps of a job: `what` begins the line.
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

    /// Counts the seconds of a job that is one step.
    pub(crate) fn waiting(what: &'static str) -> Self {
        let waiting = Self::of(what, 1);
        waiting.bar.set_style(style("{msg}: {elapsed}"));
        waiting.bar.set_draw_target(ProgressDrawTarget::stderr());
        waiting.bar.enable_steady_tick(PATIENCE);
        waiting
    }

    /// One more step is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.began.elapsed() > PATIENCE {
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
    ProgressStyle::with_template(template).expect("a template of ours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claps_errors_are_of_one_line_and_have_a_hint() {
        for (words, message, hint) in [
            (
                &["crossmerge", "init", "avr", "--toolchian", "x"][..],
                "unexpected argument `--toolchian` found",
                "a similar argument exists: `--toolchain`",
            ),
            (
                &["crossmerge", "targest"],
                "unrecognized subcommand `targest`",
                "a similar subcommand exists: `targets`",
            ),
            (
                &["crossmerge", "init"],
                "the following required arguments were not provided: <TUPLE>",
                "`crossmerge init --help` lists what it takes",
            ),
            (
                &["crossmerge", "export", "avr", "cmaek"],
                "invalid value `cmaek` for `<FORMAT>`",
                "a similar value exists: `cmake`",
            ),
            (
                &["crossmerge", "init", "avr", "--llvm", "--toolchain", "x"],
                "the argument `--llvm` cannot be used with `--toolchain <PREFIX>`",
                "`crossmerge init --help` lists what it takes",
            ),
        ] {
            let error = crate::cli::command()
                .try_get_matches_from(words)
                .expect_err("an error");
            let (said, help) = message_and_hint(&error, &words[..2].join(" "));
            assert!(said.starts_with(message), "{words:?}: {said:?}");
            assert_eq!(said.lines().count(), 1, "{said:?}");
            assert_eq!(help, hint, "{words:?}");
        }
    }
}
