//! `crossmerge site-cache scan`: the tests of a configure script that run a program, the value that each assumes in a
//! cross build, and whether there is an answer for the target. Pure except for reading the script.
//!
//! The module `shell` parses the script, in which every check of `$cross_compiling` is found. The module `follow`
//! computes the values that the cache variables have after it. A check can be answered if the script reaches it only
//! while a cache variable is unset: setting that variable answers it.

mod follow;
mod guard;
mod host;
mod shell;

use crossmerge_plan::report::Explain;
use crossmerge_system::file::{self, read};
use follow::{BlockOutcome, ScriptOutcome, Value, Values, is_plumbing};
use guard::{CROSS, Guard, guard_of, mentions_cross};
pub use host::ScriptHost;
use serde::Serialize;
use shell::{CommandKind, List, SyntaxNode};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

pub use follow::MAX_VALUES;

/// The maximum length of the line that a place quotes, in bytes.
pub const LONGEST_LINE: usize = 400;

/// Why a script was not scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The script cannot be read.
    #[error(transparent)]
    Unreadable(io::Error),
    /// The directory contains no script.
    #[error("there is no `configure` in `{directory}`", directory = .0.display())]
    NoScript(PathBuf),
    /// The script does not check `$cross_compiling`, and Autoconf did not generate it.
    #[error("`{path}` is not a configure script from Autoconf", path = .0.display())]
    NotAutoconf(PathBuf),
}

impl Explain for ScanError {
    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable(e) if e.kind() == io::ErrorKind::NotFound => {
                "name an existing script, or its directory".into()
            }
            Self::Unreadable(e) => file::hint(e).unwrap_or_else(|| "check its permissions".into()),
            Self::NoScript(_) => {
                "name a script, or generate it with Autoconf; `--recursive` searches subdirectories too".into()
            }
            Self::NotAutoconf(_) => {
                "only scripts from Autoconf store results in cache variables; read this one yourself".into()
            }
        })
    }
}

/// The purpose of a check of `$cross_compiling`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// A test that runs a program in a native build and stores the result in a cache variable.
    Test,
    /// A test that runs a program and stores no result: it cannot be answered.
    NoVariable,
    /// A number that a cross build finds by compiling: it needs no answer.
    Compiled,
    /// A decision of the script's author that runs nothing.
    Decision,
    /// Autoconf's own check: whether programs run, whether tools have the host's prefix, or whether a linked file is
    /// executable.
    Autoconf,
}

/// A check of `$cross_compiling` in the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The purpose of the check.
    pub kind: PlaceKind,
    /// The cache variable that prevents the check if it is set.
    pub variable: Option<String>,
    /// The text of that line.
    pub text: String,
}

/// The value of a variable in a cross build without answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossDefault {
    /// One of these texts, in byte order. There are several if it depends on other results.
    Values(Vec<String>),
    /// The value of this variable, which is found without running a program.
    Of(String),
    /// The script does not set the variable.
    Nothing,
    /// The script stops with an error.
    Stops,
    /// The script does not reach the test for this host.
    NotReached,
    /// A value that the script computes.
    Computed,
}

/// A cache variable that is set by a test that runs a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Test {
    /// The variable.
    pub variable: String,
    /// The lines of its checks of `$cross_compiling`.
    pub lines: Vec<usize>,
    /// Its value without an answer.
    pub default: CrossDefault,
    /// Whether the script may stop with an error instead.
    pub may_stop: bool,
}

/// The result of scanning a script.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// The package, from the script's `PACKAGE_STRING`.
    pub package: Option<String>,
    /// The version of Autoconf that generated it.
    pub autoconf: Option<String>,
    /// The tests, by variable.
    pub tests: Vec<Test>,
    /// Every check of `$cross_compiling`, in order, the tests included.
    pub places: Vec<Place>,
}

impl CrossDefault {
    /// Returns the text, if there is exactly one.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Values(values) => match &values[..] {
                [only] => Some(only),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the default as text for a user.
    pub fn to_text(&self) -> String {
        match self {
            Self::Values(values) => {
                let words = values.iter().map(|value| match value.as_str() {
                    "" => "''",
                    value => value,
                });
                words.collect::<Vec<_>>().join(" | ")
            }
            Self::Of(variable) => format!("${variable}"),
            Self::Nothing => "nothing is set".into(),
            Self::Stops => "stops with an error".into(),
            Self::NotReached => "not reached".into(),
            Self::Computed => "computed".into(),
        }
    }
}

/// Removes gnulib's prefix `guessing `: gnulib stores `guessing yes` for a `yes` that it did not measure, and its
/// scripts treat both alike.
pub fn without_guess(value: &str) -> &str {
    value.strip_prefix("guessing ").unwrap_or(value)
}

/// Finds the scripts of a path: the file itself, or `configure` in the directory, with `recursive` also in its
/// subdirectories.
///
/// # Errors
///
/// [`ScanError::NoScript`] if there is none, and [`ScanError::Unreadable`] if a directory cannot be read.
pub fn scripts(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, ScanError> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let mut found = Vec::new();
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        let script = directory.join("configure");
        if script.is_file() && (!recursive || is_autoconfs(&script)) {
            found.push(script);
        }
        if recursive {
            for entry in fs_err::read_dir(&directory).map_err(ScanError::Unreadable)? {
                let entry = entry.map_err(ScanError::Unreadable)?;
                // Symlinks to directories are not followed, so that the search ends.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    directories.push(entry.path());
                }
            }
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(ScanError::NoScript(path.into())),
        false => Ok(found),
    }
}

fn is_autoconfs(script: &Path) -> bool {
    read::read(script, read::CONFIGURE)
        .is_ok_and(|text| is_made_by_autoconf(&String::from_utf8_lossy(&text)))
}

fn is_made_by_autoconf(text: &str) -> bool {
    let head = text.lines().take(60);
    head.into_iter().any(|line| line.contains("GNU Autoconf"))
        || text.contains("Generated automatically using autoconf")
}

/// Reads and scans a script. Also returns its text.
///
/// # Errors
///
/// [`ScanError::Unreadable`] if the script cannot be read, and [`ScanError::NotAutoconf`] if it checks
/// `$cross_compiling` nowhere and Autoconf did not generate it.
pub fn read(path: &Path, host: &ScriptHost) -> Result<(Scan, String), ScanError> {
    let text = read::read(path, read::CONFIGURE).map_err(ScanError::Unreadable)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let scan = scan(&text, host);
    if scan.places.is_empty() && !is_made_by_autoconf(&text) {
        return Err(ScanError::NotAutoconf(path.into()));
    }
    Ok((scan, text))
}

/// Scans the text of a script.
pub fn scan(text: &str, host: &ScriptHost) -> Scan {
    let script = shell::parse(text);
    let mut collector = Collector {
        text,
        lines: text.match_indices('\n').map(|(at, _)| at).collect(),
        guards: Vec::new(),
        is_autoconfs: false,
        found: Vec::new(),
    };
    collector.list(&script);
    let followed = follow::follow(text, &script, host);
    let found = collector.found;
    let places = found.iter().map(|found| found.place(&followed)).collect();
    Scan {
        package: assigned(text, "PACKAGE_STRING"),
        autoconf: autoconf_of(text),
        tests: tests(&found, &followed),
        places,
    }
}

/// Returns the literal value that the script assigns to a variable in its first lines.
fn assigned(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().take(4000);
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    let value = value.trim_matches(['\'', '"']);
    (!value.trim().is_empty()).then(|| value.to_owned())
}

fn autoconf_of(text: &str) -> Option<String> {
    const MARKS: [&str; 2] = ["Generated by GNU Autoconf ", "using autoconf version "];
    let mut lines = text.lines().take(60);
    lines.find_map(|line| {
        let rest = MARKS.iter().find_map(|mark| line.split_once(mark))?.1;
        let version = rest.split_whitespace().next()?.trim_end_matches('.');
        Some(version.to_owned())
    })
}

/// A check of `$cross_compiling`, and the block that contains it.
struct FoundPlace {
    /// The line, from 1.
    line: usize,
    kind: PlaceKind,
    /// The start of the block that sets a cache variable, and the variable as the script spells it.
    guard: Option<(usize, String)>,
    text: String,
}

impl FoundPlace {
    /// Returns the name of the variable; as the script spells it if the name is not known.
    fn variable(&self, followed: &ScriptOutcome) -> Option<String> {
        let (at, spelled) = self.guard.as_ref()?;
        let outcome = followed
            .outcomes
            .get(at)
            .map(|outcome| outcome.variable.as_str());
        Some(outcome.unwrap_or(spelled).to_owned())
    }

    fn place(&self, followed: &ScriptOutcome) -> Place {
        Place {
            line: self.line,
            kind: self.kind,
            variable: self.variable(followed),
            text: self.text.clone(),
        }
    }
}

/// Returns the tests, by variable, with their values without answers.
fn tests(found: &[FoundPlace], followed: &ScriptOutcome) -> Vec<Test> {
    let mut by_variable: BTreeMap<String, (Vec<usize>, BTreeSet<usize>)> = BTreeMap::new();
    for place in found.iter().filter(|place| place.kind == PlaceKind::Test) {
        if let (Some(variable), Some((at, _))) = (place.variable(followed), &place.guard) {
            let (lines, blocks) = by_variable.entry(variable).or_default();
            lines.push(place.line);
            blocks.insert(*at);
        }
    }
    let mut by_name: BTreeMap<&str, Vec<&BlockOutcome>> = BTreeMap::new();
    for outcome in followed.outcomes.values() {
        by_name.entry(&outcome.variable).or_default().push(outcome);
    }
    let test = |(variable, (lines, blocks)): (String, (Vec<usize>, BTreeSet<usize>))| {
        let outcomes: Vec<&BlockOutcome> = blocks
            .iter()
            .filter_map(|at| followed.outcomes.get(at))
            .collect();
        // Some scripts check the variable first, and stop if it is not set.
        let same = by_name.get(&*variable).map_or(&[][..], Vec::as_slice);
        let may_stop = same.iter().any(|outcome| outcome.stops);
        let values: BTreeSet<&Value> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.values)
            .collect();
        let default = match (values.len(), may_stop) {
            (0, true) => CrossDefault::Stops,
            _ if may_stop && values.iter().all(|value| **value == Value::Unknown) => {
                CrossDefault::Stops
            }
            (0, false) => CrossDefault::NotReached,
            _ => later(same, followed.end.get(&variable)).unwrap_or_else(|| default_of(&values)),
        };
        Test {
            variable,
            lines,
            default,
            may_stop,
        }
    };
    by_variable.into_iter().map(test).collect()
}

fn default_of(values: &BTreeSet<&Value>) -> CrossDefault {
    let mut texts = Vec::new();
    for value in values {
        match value {
            Value::Text(text) => texts.push(text.clone()),
            Value::Unset if values.len() == 1 => return CrossDefault::Nothing,
            Value::Unset => texts.push(String::new()),
            Value::Of(name) if values.len() == 1 => return CrossDefault::Of(name.clone()),
            Value::Of(_) | Value::Unknown => return CrossDefault::Computed,
        }
    }
    CrossDefault::Values(texts)
}

/// Returns the final value of a variable that its own test sets to `cross`, which means "decided later"; `None` if the
/// test does not do that.
fn later(blocks: &[&BlockOutcome], end: Option<&Values>) -> Option<CrossDefault> {
    let is_later = |value: &Value| matches!(value, Value::Text(text) if text == "cross");
    let mut values = blocks.iter().flat_map(|outcome| &outcome.values);
    if !values.any(is_later) {
        return None;
    }
    let end = end?;
    if end.iter().any(is_later) {
        return None;
    }
    let texts: BTreeSet<&Value> = end
        .iter()
        .filter(|value| matches!(value, Value::Text(_)))
        .collect();
    Some(default_of(&if texts.is_empty() {
        end.iter().collect()
    } else {
        texts
    }))
}

/// Collects the checks of `$cross_compiling` in a parsed script.
struct Collector<'t> {
    text: &'t str,
    /// The offsets of the line ends.
    lines: Vec<usize>,
    /// The enclosing blocks that set cache variables.
    guards: Vec<(usize, &'t str)>,
    /// Whether the current command is in a function of Autoconf, or in the code that sets `cross_compiling`.
    is_autoconfs: bool,
    found: Vec<FoundPlace>,
}

impl<'t> Collector<'t> {
    fn list(&mut self, list: &'t List) {
        list.iter().for_each(|node| self.node(node));
    }

    fn node(&mut self, node: &'t SyntaxNode) {
        let text = self.text;
        match &node.command {
            CommandKind::Simple { .. } => {}
            CommandKind::Chain { first, rest } => {
                let all = || std::iter::once(&**first).chain(rest.iter().map(|(_, node)| node));
                if all().any(|node| checks_cross(text, node)) {
                    self.add(node);
                }
                all().for_each(|node| self.node(node));
            }
            CommandKind::Pipe { commands, .. } => self.list(commands),
            CommandKind::Group { body, .. } | CommandKind::Loop { body, .. } => self.list(body),
            CommandKind::Function { name, body } => {
                let before = (self.is_autoconfs, std::mem::take(&mut self.guards));
                self.is_autoconfs |= is_plumbing(name.of(text));
                self.node(body);
                (self.is_autoconfs, self.guards) = before;
            }
            CommandKind::Case { subject, arms } => {
                if mentions_cross(subject.of(text)) {
                    self.add(node);
                }
                arms.iter().for_each(|(_, body)| self.list(body));
            }
            CommandKind::If { arms, otherwise } => {
                if arms.iter().any(|arm| mentions_cross(arm.span.of(text))) {
                    self.add(node);
                }
                let decides_cross =
                    self.is_autoconfs || arms.iter().any(|arm| assigns_cross(text, &arm.body));
                let before = std::mem::replace(&mut self.is_autoconfs, decides_cross);
                let guard = arms.first().and_then(|arm| guard_of(arm.span.of(text)));
                for (number, arm) in arms.iter().enumerate() {
                    let is_unset =
                        number > 0 || guard.as_ref().is_some_and(|guard| !guard.then_is_set);
                    self.guarded(node, guard.as_ref().filter(|_| is_unset), &arm.body);
                }
                self.guarded(
                    node,
                    guard.as_ref().filter(|guard| guard.then_is_set),
                    otherwise,
                );
                self.is_autoconfs = before;
            }
        }
    }

    fn guarded(&mut self, node: &SyntaxNode, guard: Option<&Guard<'t>>, body: &'t List) {
        let depth = self.guards.len();
        self.guards
            .extend(guard.map(|guard| (node.span.start, guard.name)));
        self.list(body);
        self.guards.truncate(depth);
    }

    fn add(&mut self, node: &SyntaxNode) {
        let start = node.span.start;
        let line = self.lines.partition_point(|end| *end < start);
        let guard = self
            .guards
            .last()
            .map(|(at, name)| (*at, (*name).to_owned()));
        let from = line
            .checked_sub(1)
            .map_or(0, |before| self.lines[before] + 1);
        let until = self.lines.get(line).copied().unwrap_or(self.text.len());
        self.found.push(FoundPlace {
            line: line + 1,
            kind: self.kind(node, guard.is_some()),
            guard,
            text: beginning(self.text[from..until].trim(), LONGEST_LINE).to_owned(),
        });
    }

    fn kind(&self, node: &SyntaxNode, is_guarded: bool) -> PlaceKind {
        let text = node.span.of(self.text);
        let arms: &[shell::Arm] = match &node.command {
            CommandKind::If { arms, .. } => arms,
            _ => &[],
        };
        let decides_cross = arms.iter().any(|arm| assigns_cross(self.text, &arm.body));
        let is_warning =
            matches!(&node.command, CommandKind::Case { .. }) && text.contains("ac_tool_warned");
        if self.is_autoconfs || is_warning || decides_cross {
            return PlaceKind::Autoconf;
        }
        // Before about 2.60, the search for a number was inlined.
        if text.contains("ac_lo=") && text.contains("ac_mid=") {
            return PlaceKind::Compiled;
        }
        let runs = ["_try_run \"", "./conftest"]
            .iter()
            .any(|mark| text.contains(mark));
        match (is_guarded, runs) {
            (true, _) => PlaceKind::Test,
            (false, true) => PlaceKind::NoVariable,
            (false, false) => PlaceKind::Decision,
        }
    }
}

/// Returns the beginning of a text, cut between characters.
fn beginning(text: &str, length: usize) -> &str {
    let mut ends = (0..=length.min(text.len())).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// Returns whether a command checks the value of `cross_compiling`.
fn checks_cross(text: &str, node: &SyntaxNode) -> bool {
    match &node.command {
        CommandKind::Simple { words, .. } => {
            let words: Vec<&str> = words.iter().map(|word| word.of(text)).collect();
            matches!(words.first(), Some(&("test" | "[" | "[[")))
                && words.iter().any(|word| mentions_cross(word))
        }
        CommandKind::Pipe { commands, .. } => commands.iter().any(|node| checks_cross(text, node)),
        _ => false,
    }
}

/// Returns whether commands, or conditions among them, set `cross_compiling`.
fn assigns_cross(text: &str, list: &List) -> bool {
    list.iter().any(|node| match &node.command {
        CommandKind::Simple { assignments, words } => {
            let mut assigned = assignments
                .iter()
                .filter_map(|word| shell::assignment(word.of(text)));
            words.is_empty() && assigned.any(|(name, _)| name == CROSS)
        }
        CommandKind::If { arms, otherwise } => {
            arms.iter().any(|arm| assigns_cross(text, &arm.body)) || assigns_cross(text, otherwise)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_check_for_a_cached_variable_is_known() {
        for (condition, wanted) in [
            ("test ${ac_cv_a+y}\n", Some(("ac_cv_a", true, false))),
            ("${ac_cv_a+:} false", Some(("ac_cv_a", true, false))),
            (
                "test \"${ac_cv_a+set}\" = set",
                Some(("ac_cv_a", true, false)),
            ),
            (
                "test \"${ac_cv_a+set}\" != set",
                Some(("ac_cv_a", false, false)),
            ),
            ("! test ${ac_cv_a+y}", Some(("ac_cv_a", false, false))),
            ("eval test \\${$as_ac_v+y}", Some(("$as_ac_v", true, false))),
            ("eval \\${$3+:} false", Some(("$3", true, false))),
            (
                "eval \"test \\\"\\${$as_ac_v+set}\\\" = set\"",
                Some(("$as_ac_v", true, false)),
            ),
            (
                "eval \"test \\\"`echo '$''{'ac_cv_a'+set}'`\\\" = set\"",
                Some(("ac_cv_a", true, false)),
            ),
            ("test -z \"$ac_cv_a\"", Some(("ac_cv_a", false, true))),
            ("test -n \"$ac_cv_a\"", Some(("ac_cv_a", true, true))),
            ("test \"x$ac_cv_a\" = x", Some(("ac_cv_a", false, true))),
            ("[ \"${ac_cv_a}\" != \"\" ]", Some(("ac_cv_a", true, true))),
            ("test \"x$ac_cv_a\" = xyes", None),
            ("test ${enable_a+y}", None),
            ("test \"$cross_compiling\" = yes", None),
        ] {
            let guard = guard_of(condition);
            let guard = guard.map(|guard| (guard.name, guard.then_is_set, guard.by_emptiness));
            assert_eq!(guard, wanted, "{condition}");
        }
    }

    #[test]
    fn a_check_of_another_variable_is_not_a_check_of_cross_compiling() {
        for (text, checks) in [
            ("test \"$cross_compiling\" = yes", true),
            ("x${cross_compiling}", true),
            ("$cross_compiling_build", false),
            ("cross_compiling=no", false),
        ] {
            assert_eq!(mentions_cross(text), checks, "{text}");
        }
    }

    #[test]
    fn a_host_has_the_fields_that_config_sub_gives_it() {
        for (tuple, canonical) in [
            (
                "armv5tel-unknown-linux-gnueabi",
                "armv5tel-unknown-linux-gnueabi",
            ),
            ("mips64el-linux-gnuabi64", "mips64el-unknown-linux-gnuabi64"),
            ("x86_64-w64-mingw32", "x86_64-w64-mingw32"),
            ("i686-gnu", "i686-unknown-gnu"),
            ("or1k-linux", "or1k-unknown-linux-gnu"),
            ("avr", "avr-unknown-none"),
        ] {
            let tuple = tuple.parse().expect(tuple);
            assert_eq!(ScriptHost::of(&tuple).canonical(), canonical);
        }
    }

    /// Returns the default of a script's only test. `decides` is its code in a cross build, between the code `before`
    /// and `after`.
    fn default(tuple: &str, before: &str, decides: &str, after: &str) -> String {
        let text = format!(
            "{before}\nif test ${{x_cv_a+y}}\nthen :\nelse $as_nop\n  if test \"$cross_compiling\" = yes\nthen :\n{decides}\n\
             else $as_nop\n  if ac_fn_c_try_run \"$LINENO\"\nthen :\n  x_cv_a=ran\nfi\nfi\nfi\n{after}\n"
        );
        let host = ScriptHost::of(&tuple.parse().expect(tuple));
        let [test] = &scan(&text, &host).tests[..] else {
            panic!("not one test in {text}")
        };
        test.default.to_text()
    }

    #[test]
    fn the_default_is_what_the_script_would_set() {
        const LINUX: &str = "arm-unknown-linux-gnueabi";
        const HOSTS: &str = "case \"$host_os\" in\n mingw*) x_cv_a=\"guessing no\" ;;\n *-gnu* | gnu*) x_cv_a=\"guessing yes\" ;;\n esac";
        for (tuple, before, decides, after, wanted) in [
            (LINUX, "", "x_cv_a=no", "", "no"),
            (LINUX, "", ":", "", "nothing is set"),
            (
                LINUX,
                "",
                "as_fn_error 1 \"cannot run\" \"$LINENO\" 5",
                "",
                "stops with an error",
            ),
            (
                LINUX,
                "",
                "{ echo no >&2; exit 1; }",
                "",
                "stops with an error",
            ),
            (LINUX, "", HOSTS, "", "guessing yes"),
            ("i686-w64-mingw32", "", HOSTS, "", "guessing no"),
            ("avr", "", HOSTS, "", "nothing is set"),
            (
                LINUX,
                "",
                "if foo; then x_cv_a=1; else x_cv_a=2; fi",
                "",
                "1 | 2",
            ),
            (LINUX, "a=3", "x_cv_a=$a", "", "3"),
            (LINUX, "read a", "x_cv_a=$a", "", "$a"),
            (LINUX, "", "x_cv_a=`foo`", "", "computed"),
            (
                LINUX,
                "",
                "x_cv_a=cross",
                "if test \"x$x_cv_a\" = xcross; then case $host in *-linux*) x_cv_a=yes;; *) x_cv_a=no;; esac; fi",
                "yes",
            ),
            (
                LINUX,
                "if test ${enable_guess+y}; then :; else enable_guess=no; fi\nif test \"x$enable_guess\" = xyes; then g=1; else g=2; fi",
                "x_cv_a=$g",
                "",
                "2",
            ),
        ] {
            assert_eq!(
                default(tuple, before, decides, after),
                wanted,
                "{before} {decides} {after}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_script_is_scanned_to_its_end(
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "if test ${x_cv_a+y}", "if test -z \"$x_cv_a\"; then", "then :", "else case e in #(", "  e)", " ;;", "esac", "fi",
                    "if test \"$cross_compiling\" = yes; then", "case $host_os in", "*-gnu*|x)", "x_cv_a=yes", "x_cv_a=$x_cv_b$x",
                    "for x in a b; do", "while :; do", "done", "f ()", "{", "}", "f", "exit 1", "eval \"$x=1\"", "cat <<E", "E",
                    "x=`printf \"%s\\n\" \"x_cv_$y\" | $as_tr_sh`", "(", ")", "test \"$cross_compiling\" = yes && exit 1", "./conftest",
                ]),
                0..80,
            ),
        ) {
            let text = lines.join("\n");
            scan(&text, &ScriptHost::of(&"arm-unknown-linux-gnueabi".parse().expect("a tuple")));
        }
    }
}
