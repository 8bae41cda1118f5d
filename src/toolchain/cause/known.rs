//! The known causes, from `toolchains/causes.toml`: what a line of a log means, and the command that fixes it.

use super::{lines::with_plain_quotes, place::Phase};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The built-in causes.
const BUILT_IN: &str = include_str!("../../../toolchains/causes.toml");

/// The parts of a line that the `{names}` in a pattern match.
pub(super) type Parts = BTreeMap<String, String>;

/// The file of causes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    cause: Vec<KnownCause>,
}

/// A known cause. `toolchains/README.md` describes the keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownCause {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) hint: String,
    /// A program whose package is the hint, if the distribution has it.
    pub(super) install: Option<String>,
    #[expect(dead_code, reason = "it is for a reader of the file")]
    source: String,
    /// Patterns of the first error, of the message of `die`, and outside the ebuild's phases of the lines after them.
    #[serde(default)]
    log: Vec<String>,
    /// Patterns of any line of the phase.
    #[serde(default)]
    anywhere: Vec<String>,
    /// Patterns of what the failed command of the config.log printed.
    #[serde(default)]
    config_log: Vec<String>,
    /// The only phases in which the patterns of the log are compared.
    #[serde(default)]
    phases: Vec<Phase>,
    /// For what the failed command of the config.log compiles.
    side: Option<Side>,
    /// The values that a part of the line may have.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    /// A fact about the build machine that excludes the cause.
    unless: Option<Unless>,
}

/// What a compiler makes programs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Side {
    /// The build machine.
    Host,
    /// The toolchain's target.
    Target,
}

/// A fact about the build machine that excludes a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unless {
    /// The kernel has ended no process for want of memory since the step began.
    NoOomKill,
}

/// A cause that matches, with the parts of the line.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The number of its row: an earlier row has precedence.
    pub(super) index: usize,
    pub(super) parts: Parts,
}

impl Known {
    /// Returns the built-in causes. In patterns, `{tuple}` stands for this tuple.
    pub(super) fn built_in(tuple: &str) -> Self {
        let mut known: Self =
            toml::from_str(BUILT_IN).expect("a unit test reads toolchains/causes.toml");
        for cause in &mut known.cause {
            let lists = [&mut cause.log, &mut cause.anywhere, &mut cause.config_log];
            for pattern in lists.into_iter().flatten() {
                if pattern.contains("{tuple}") {
                    *pattern = pattern.replace("{tuple}", tuple);
                }
            }
        }
        known
    }

    /// Returns the row of a cause.
    pub(super) fn row(&self, found: &Found) -> &KnownCause {
        &self.cause[found.index]
    }

    /// Returns the row with that identifier.
    pub(super) fn by_id(&self, id: &str) -> Option<Found> {
        let index = self.cause.iter().position(|cause| cause.id == id)?;
        let parts = Parts::new();
        Some(Found { index, parts })
    }

    /// Returns the first cause for an error of the log.
    pub(super) fn of_log(&self, line: &str, phase: Phase) -> Option<Found> {
        self.find(line, |cause| cause.is_in(phase), |cause| &cause.log)
    }

    /// Returns the first cause that any line of a phase may have. The line has plain quotes.
    pub(super) fn anywhere(&self, line: &str, phase: Phase) -> Option<Found> {
        self.find(line, |cause| cause.is_in(phase), |cause| &cause.anywhere)
    }

    /// Returns the first cause for a line that the failed command of a config.log printed.
    pub(super) fn of_config_log(&self, line: &str, side: Option<Side>) -> Option<Found> {
        let is_of = |cause: &KnownCause| cause.side.is_none() || cause.side == side;
        self.find(line, is_of, |cause| &cause.config_log)
    }

    fn find<'k>(
        &'k self,
        line: &str,
        is_possible: impl Fn(&KnownCause) -> bool,
        patterns: impl Fn(&'k KnownCause) -> &'k [String],
    ) -> Option<Found> {
        let mut causes = self.cause.iter().enumerate();
        causes.find_map(|(index, cause)| {
            let mut patterns = patterns(cause).iter();
            let parts = patterns.find_map(|pattern| {
                let parts = parts(pattern, line)?;
                cause.allows(&parts).then_some(parts)
            })?;
            is_possible(cause).then_some(Found { index, parts })
        })
    }
}

impl KnownCause {
    fn is_in(&self, phase: Phase) -> bool {
        self.phases.is_empty() || self.phases.contains(&phase)
    }

    fn allows(&self, parts: &Parts) -> bool {
        self.only.iter().all(|(name, values)| {
            let part = parts.get(name);
            part.is_none_or(|part| values.contains(part))
        })
    }

    /// Returns whether the facts about the build machine exclude the cause.
    pub(super) fn is_excluded(&self, oom_kills: Option<u64>) -> bool {
        self.unless == Some(Unless::NoOomKill) && oom_kills == Some(0)
    }
}

/// Matches a pattern anywhere in a line: `*` stands for any text, and `{name}` for a word, which is returned. `^` at the
/// beginning and `$` at the end of a pattern stand for those of the line.
pub(super) fn parts(pattern: &str, line: &str) -> Option<Parts> {
    let (is_first, pattern) = match pattern.strip_prefix('^') {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    };
    let first = pattern.split(['*', '{', '$']).next().unwrap_or_default();
    if is_first {
        return rest(pattern, line);
    }
    if first.is_empty() {
        let starts = line.char_indices().map(|(at, _)| at);
        let mut starts = starts.filter(|at| is_boundary(line, *at));
        return starts.find_map(|at| rest(pattern, &line[at..]));
    }
    let mut starts = line.match_indices(first).map(|(at, _)| at);
    starts.find_map(|at| rest(pattern, &line[at..]))
}

/// Matches a pattern at the beginning of a text.
fn rest(pattern: &str, text: &str) -> Option<Parts> {
    if pattern.is_empty() || (pattern == "$" && text.is_empty()) {
        return Some(Parts::new());
    }
    if let Some(pattern) = pattern.strip_prefix('*') {
        let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        return ends.find_map(|at| rest(pattern, &text[at..]));
    }
    if let Some((name, pattern)) = { pattern.strip_prefix('{') }.and_then(|it| it.split_once('}')) {
        // The longest word is tried first, so that a version is not cut at its first dot.
        let mut end = text.find(|c: char| !is_of_word(c)).unwrap_or(text.len());
        while end > 0 {
            if let Some(mut parts) = rest(pattern, &text[end..]) {
                parts.insert(name.to_owned(), text[..end].to_owned());
                return Some(parts);
            }
            end = text[..end]
                .char_indices()
                .next_back()
                .map_or(0, |(at, _)| at);
        }
        return None;
    }
    let literal = pattern.split(['*', '{', '$']).next().unwrap_or_default();
    if literal.is_empty() {
        return None;
    }
    rest(&pattern[literal.len()..], text.strip_prefix(literal)?)
}

/// Returns whether a character may be part of a path, a program's name, a tuple or an atom.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_-+./=~<>@:,%#".contains(c)
}

fn is_boundary(line: &str, at: usize) -> bool {
    line[..at]
        .chars()
        .next_back()
        .is_none_or(|c| !is_of_word(c))
}

/// Replaces the `{names}` in a text. Returns `None` if a value is missing.
pub(super) fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled += before;
        filled += &value(name)?;
        rest = after;
    }
    Some(filled + rest)
}

/// Returns a line as patterns expect it.
pub(super) fn searched(line: &str) -> String {
    with_plain_quotes(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_a_part_of_a_line_and_returns_its_words() {
        for (pattern, line, wanted) in [
            ("No space left", "tar: x: No space left on device", Some("")),
            (
                "^{program}: not found$",
                "bison: not found",
                Some("program=bison"),
            ),
            ("^{program}: not found$", "sh: bison: not found", None),
            (
                "sh: *{program}: not found$",
                "/bin/sh: 1: makeinfo: not found",
                Some("program=makeinfo"),
            ),
            (
                "'{atom}' have been masked",
                "satisfy 'cross-x/gcc-12.2.0' have been masked.",
                Some("atom=cross-x/gcc-12.2.0"),
            ),
            ("a*b*c", "xaYbZc", Some("")),
            ("a*b*c", "xaYcZb", None),
            (
                "{file}: No such",
                "crt1.o: No such file",
                Some("file=crt1.o"),
            ),
        ] {
            let found = parts(pattern, line).map(|parts| {
                let pairs = parts.iter().map(|(name, part)| format!("{name}={part}"));
                pairs.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(found.as_deref(), wanted, "{pattern} in {line}");
        }
    }

    #[test]
    fn every_cause_is_complete_and_its_names_can_be_filled() {
        let known = Known::built_in("x");
        let given = [
            "tuple",
            "package",
            "phase",
            "settings",
            "portage_tmpdir",
            "free",
            "memory",
            "version",
        ];
        let mut ids: Vec<&str> = known.cause.iter().map(|cause| cause.id.as_str()).collect();
        for cause in &known.cause {
            let patterns = || {
                cause
                    .log
                    .iter()
                    .chain(&cause.anywhere)
                    .chain(&cause.config_log)
            };
            for text in [&cause.what, &cause.hint] {
                filled(text, |name| {
                    let is_part =
                        patterns().all(|pattern| pattern.contains(&format!("{{{name}}}")));
                    assert!(is_part || given.contains(&name), "{}: `{name}`", cause.id);
                    Some(String::new())
                })
                .expect("balanced braces");
            }
            let plain = |pattern: &String| with_plain_quotes(pattern) == *pattern;
            assert!(patterns().all(plain), "{}: quotes are `'`", cause.id);
            assert!(!cause.what.ends_with('.'), "{}", cause.id);
        }
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all, "each identifier is there once");
    }
}
