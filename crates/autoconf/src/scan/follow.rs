//! Interprets a configure script as in a cross build without answers, to find the values that its cache variables get.
//! Nothing is run. Pure.
//!
//! An example, for the host `arm-unknown-linux-gnueabi`:
//!
//! ```sh
//! if test ${gl_cv_func_x+y}; then :        # the guard: the variable is unset, so `else` is followed
//! else
//!   if test "$cross_compiling" = yes; then # known: yes, so `then` is followed
//!     case "$host_os" in                   # known: linux-gnueabi
//!       mingw*) gl_cv_func_x=no ;;         # does not match
//!       *-gnu*) gl_cv_func_x="guessing yes" ;;
//!       *)      gl_cv_func_x="$guess" ;;
//!     esac
//!   else
//!     …                                    # compiles and runs a program: never followed
//!   fi
//! fi
//! ```
//!
//! The outcome of this block, by the offset of its first `if`, is the variable `gl_cv_func_x` with the values
//! {`guessing yes`}, and the script does not stop. If `$host_os` were unknown, every arm would be followed from the
//! same state, and the values would be those of all arms together: {`no`, `guessing yes`, the value of `$guess`}.
//!
//! The script is followed from its first command to its last, with `cross_compiling` set to `yes` and the host known. A
//! condition that depends only on known values is decided. For any other, every branch is followed, and a variable then
//! has each of the values from the branches. `scan.rs` combines the outcomes with the tests that it finds.

use super::{
    guard::{guard_of, is_cache_variable, mentions_cross},
    host::ScriptHost,
    shell::{Arm, ChainOperator, CommandKind, List, Span, SyntaxNode, assignment, is_name_byte},
};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of values of a variable. With more, it counts as unknown.
pub const MAX_VALUES: usize = 8;

/// The maximum length of a value, in bytes. A longer one counts as unknown: a variable that refers to itself twice
/// would grow without end.
const MAX_LENGTH: usize = 4096;

/// The maximum number of commands that are followed; the longest scripts need a tenth of that. A long command, and a join
/// of branches with many changes, count as several.
const MAX_COMMANDS: usize = 4_000_000;

/// The number of bytes of a command that count as one more command.
const BYTES: usize = 64;

/// The maximum nesting of commands, over functions and from `elif` to `elif`. Deeper ones are skipped.
const MAX_DEPTH: usize = 300;

/// The maximum depth of function calls that are followed, and the maximum number of times that each function is.
const MAX_CALLS: (usize, usize) = (12, 3);

/// A possible value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// Unset.
    Unset,
    /// This text.
    Text(String),
    /// The unknown value of another variable.
    Of(String),
    /// Any value.
    Unknown,
}

pub(super) type Values = BTreeSet<Value>;

/// The outcome of a block that sets a cache variable.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockOutcome {
    /// The variable.
    pub(super) variable: String,
    /// Its possible values after the block.
    pub(super) values: Values,
    /// Whether the script may stop in the block.
    pub(super) stops: bool,
}

/// The outcome of a whole script.
#[derive(Debug, Default)]
pub(super) struct ScriptOutcome {
    /// The blocks, by the offset of the `if` that checks whether the variable is cached.
    pub(super) outcomes: BTreeMap<usize, BlockOutcome>,
    /// The values of the variables at the end.
    pub(super) end: BTreeMap<String, Values>,
}

/// Whether a condition is true; `None` if that is unknown.
type Truth = Option<bool>;

/// A condition on one variable.
#[derive(Debug)]
enum VariableCondition {
    /// Whether it is set, or unset.
    IsSet { then: bool, by_emptiness: bool },
    /// Whether it equals this text, or differs from it.
    Is(String, bool),
}

/// Whether the script continues after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continues,
    Stops,
}

struct Follower<'t> {
    text: &'t str,
    /// Variables with known values, which the script computes in ways that are not followed.
    pinned: BTreeMap<&'static str, String>,
    variables: BTreeMap<String, Values>,
    /// The values of variables before each change, to undo a branch.
    journal: Vec<(String, Option<Values>)>,
    functions: BTreeMap<&'t str, &'t SyntaxNode>,
    /// The number of times that each function was followed.
    calls: BTreeMap<&'t str, usize>,
    /// The depth of function calls.
    call_depth: usize,
    /// The depth of blocks that are only reached while a cache variable is unset.
    guard_depth: usize,
    /// Whether only the host and the options decide conditions.
    is_open: bool,
    /// The depth of nested commands.
    depth: usize,
    fuel: usize,
    found: ScriptOutcome,
}

/// Follows a script twice. What it reaches depends on earlier guesses, which may be answered. So it is followed once as
/// it runs without answers, and once into every branch that the host and the options permit.
pub(super) fn follow(text: &str, script: &List, host: &ScriptHost) -> ScriptOutcome {
    let mut found = follow_once(text, script, host, false);
    for (at, outcome) in follow_once(text, script, host, true).outcomes {
        found.outcomes.entry(at).or_insert(outcome);
    }
    found
}

fn follow_once(text: &str, script: &List, host: &ScriptHost, is_open: bool) -> ScriptOutcome {
    let pinned = BTreeMap::from([
        ("cross_compiling", "yes".into()),
        ("host_alias", host.alias.clone()),
        ("host", host.canonical()),
        ("ac_cv_host", host.canonical()),
        ("host_cpu", host.cpu.clone()),
        ("host_vendor", host.vendor.clone()),
        ("host_os", host.os.clone()),
    ]);
    let mut follower = Follower {
        text,
        pinned,
        variables: BTreeMap::new(),
        journal: Vec::new(),
        functions: BTreeMap::new(),
        calls: BTreeMap::new(),
        call_depth: 0,
        guard_depth: 0,
        is_open,
        depth: 0,
        fuel: MAX_COMMANDS,
        found: ScriptOutcome::default(),
    };
    for node in script {
        // A script does not stop unconditionally at its top level. If it seems to, it was misread, so continue.
        follower.node(node);
    }
    follower.found.end = follower.variables;
    follower.found
}

fn unknown() -> Values {
    Values::from([Value::Unknown])
}

fn text(text: impl Into<String>) -> Values {
    Values::from([Value::Text(text.into())])
}

/// Returns the values as texts; `None` if one of them is unknown.
fn texts(values: &Values) -> Option<Vec<&str>> {
    let texts = values.iter().map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        Value::Unset => Some(""),
        Value::Of(_) | Value::Unknown => None,
    });
    texts.collect()
}

impl<'t> Follower<'t> {
    fn of(&self, span: Span) -> &'t str {
        span.of(self.text)
    }

    // ---- variables ----

    fn get(&self, name: &str) -> Values {
        if let Some(value) = self.pinned.get(name) {
            return text(value.clone());
        }
        match self.variables.get(name) {
            Some(values) => values.clone(),
            None if is_option(name) => Values::from([Value::Unset]),
            None => Values::from([Value::Of(name.into())]),
        }
    }

    fn set(&mut self, name: &str, mut values: Values) {
        if self.pinned.contains_key(name) {
            return;
        }
        if values.len() > MAX_VALUES {
            values = unknown();
        }
        let before = self.variables.insert(name.into(), values);
        self.journal.push((name.into(), before));
    }

    /// Undoes the changes since a point of the journal, and returns them.
    fn undo(&mut self, since: usize) -> BTreeMap<String, Values> {
        let mut changed = BTreeMap::new();
        while self.journal.len() > since {
            let Some((name, before)) = self.journal.pop() else {
                break;
            };
            let now = match before {
                Some(before) => self.variables.insert(name.clone(), before),
                None => self.variables.remove(&name),
            };
            if let Some(now) = now {
                // The journal is read backwards, so the last change of a variable comes first.
                changed.entry(name).or_insert(now);
            }
        }
        changed
    }

    /// Follows each branch from the same state, and continues with the union of their values.
    fn branches(&mut self, branches: &[&dyn Fn(&mut Self) -> Flow]) -> Flow {
        let since = self.journal.len();
        let mut ends = Vec::new();
        for branch in branches {
            let flow = branch(self);
            let changed = self.undo(since);
            if flow == Flow::Continues {
                ends.push(changed);
            }
        }
        if ends.is_empty() && !branches.is_empty() {
            return Flow::Stops;
        }
        let names: BTreeSet<&String> = ends.iter().flat_map(BTreeMap::keys).collect();
        if !self.burn(names.len()) {
            return Flow::Continues;
        }
        for name in names {
            let values = ends.iter().flat_map(|end| match end.get(name) {
                Some(values) => values.clone(),
                None => match self.variables.get(name) {
                    Some(before) => before.clone(),
                    None if is_option(name) || is_cache_variable(name) => {
                        Values::from([Value::Unset])
                    }
                    None => unknown(),
                },
            });
            let values = values.collect();
            self.set(name, values);
        }
        Flow::Continues
    }

    // ---- words ----

    /// Returns the possible expansions of a word. It is one loop, because each kind of quoting ends at a position that
    /// only its own branch finds.
    fn expand(&self, word: &str) -> Values {
        let mut all: Vec<String> = vec![String::new()];
        let bytes = word.as_bytes();
        let (mut at, mut quoted) = (0, false);
        let plain = word.trim_matches('"').len();
        let push =
            |all: &mut Vec<String>, piece: &str| all.iter_mut().for_each(|one| one.push_str(piece));
        while at < bytes.len() {
            let rest = word.get(at..).unwrap_or_default();
            match bytes[at] {
                b'"' => {
                    quoted = !quoted;
                    at += 1;
                }
                b'\'' if !quoted => {
                    let inner = &rest[1..];
                    let length = inner.find('\'').unwrap_or(inner.len());
                    push(&mut all, &inner[..length]);
                    at += length + 2;
                }
                b'\\' => {
                    let next = rest[1..].chars().next();
                    let keeps = quoted && !next.is_some_and(|c| "$`\"\\\n".contains(c));
                    if keeps {
                        push(&mut all, "\\");
                    }
                    if let Some(next) = next {
                        if next != '\n' {
                            push(&mut all, next.encode_utf8(&mut [0; 4]));
                        }
                        at += next.len_utf8();
                    }
                    at += 1;
                }
                b'`' => {
                    let inner = rest[1..].split('`').next().unwrap_or_default();
                    let Some(name) = self.transliterated(inner) else {
                        return unknown();
                    };
                    push(&mut all, &name);
                    at += inner.len() + 2;
                }
                b'$' => {
                    let Some((name, alternative, length)) = parameter(rest) else {
                        return unknown();
                    };
                    let mut values = self.get(name);
                    if let Some((operator, alternative)) = alternative {
                        values = self.alternative(name, values, operator, alternative);
                    }
                    let is_whole = length == plain && word.len() - length <= 2;
                    let Some(texts) = texts(&values) else {
                        return match is_whole {
                            true if values.contains(&Value::Unknown) => {
                                Values::from([Value::Of(name.into())])
                            }
                            true => values,
                            false => unknown(),
                        };
                    };
                    let joined = all
                        .iter()
                        .flat_map(|one| texts.iter().map(move |text| format!("{one}{text}")));
                    all = joined.collect();
                    if all.len() > MAX_VALUES || all.iter().any(|one| one.len() > MAX_LENGTH) {
                        return unknown();
                    }
                    at += length;
                }
                _ => {
                    let length = rest
                        .find(['"', '\'', '\\', '`', '$'])
                        .filter(|length| *length > 0)
                        .unwrap_or(if rest.starts_with('\'') {
                            1
                        } else {
                            rest.len()
                        });
                    push(&mut all, &rest[..length]);
                    at += length;
                }
            }
        }
        all.into_iter().map(Value::Text).collect()
    }

    /// Returns the output of Autoconf's `printf "%s\n" "ac_cv_file_$file" | $as_tr_sh`: the name of a variable.
    fn transliterated(&self, command: &str) -> Option<String> {
        let (print, translate) = command.split_once('|')?;
        if !["$as_tr_sh", "sed \"$as_sed_sh\""].contains(&translate.trim()) {
            return None;
        }
        let print = print.trim();
        let word = ["printf \"%s\\n\" ", "$as_echo ", "echo "]
            .into_iter()
            .find_map(|prefix| print.strip_prefix(prefix))?;
        let values = self.expand(word);
        let &[text] = texts(&values)?.as_slice() else {
            return None;
        };
        let plain = |c: char| match c {
            '*' | '+' => 'p',
            c if c.is_ascii_alphanumeric() => c,
            _ => '_',
        };
        Some(text.chars().map(plain).collect())
    }

    /// Expands `${name+word}` and `${name-word}`, which depend on whether the variable is set.
    fn alternative(&self, name: &str, values: Values, operator: &str, word: &str) -> Values {
        // A cache variable that was not reached yet is unset, since there are no answers.
        let missing = is_cache_variable(name) && !self.variables.contains_key(name);
        let values = if missing {
            Values::from([Value::Unset])
        } else {
            values
        };
        let each = values.into_iter().flat_map(|value| {
            let empty_counts = operator.starts_with(':');
            let is_set = match &value {
                Value::Unset => Some(false),
                Value::Text(text) => Some(!(empty_counts && text.is_empty())),
                Value::Of(_) | Value::Unknown => None,
            };
            match (operator.ends_with('+'), is_set) {
                (_, None) => unknown(),
                (true, Some(true)) | (false, Some(false)) => self.expand(word),
                (true, Some(false)) => text(""),
                (false, Some(true)) => Values::from([value]),
            }
        });
        each.collect()
    }

    /// Returns whether the values of variables may decide a condition or the word of a `case`.
    fn may_decide(&self, text: &str) -> bool {
        !self.is_open
            || text.match_indices('$').all(|(at, _)| {
                let rest = text[at + 1..].trim_start_matches('{');
                let length = rest.bytes().take_while(|byte| is_name_byte(*byte)).count();
                let name = &rest[..length];
                self.pinned.contains_key(name) || is_option(name) || name.starts_with("opt_")
            })
    }

    // ---- conditions ----

    /// Follows a list of commands and returns whether it succeeds.
    fn condition(&mut self, list: &'t List) -> (Truth, Flow) {
        let mut truth = None;
        for node in list {
            let flow;
            (truth, flow) = self.succeeds(node);
            if flow == Flow::Stops {
                return (truth, flow);
            }
        }
        (truth, Flow::Continues)
    }

    fn succeeds(&mut self, node: &'t SyntaxNode) -> (Truth, Flow) {
        match &node.command {
            CommandKind::Chain { first, rest } => {
                let (mut truth, mut flow) = self.succeeds(first);
                for (link, next) in rest {
                    if flow == Flow::Stops {
                        break;
                    }
                    let wanted = *link == ChainOperator::And;
                    truth = truth.filter(|_| self.may_decide(self.of(first.span)));
                    match truth {
                        Some(truth) if truth != wanted => {}
                        Some(_) => (truth, flow) = self.succeeds(next),
                        None => {
                            let after = std::cell::Cell::new(None);
                            let follow = |this: &mut Self| {
                                let (truth, flow) = this.succeeds(next);
                                after.set(truth);
                                flow
                            };
                            flow = self.branches(&[&follow, &|_| Flow::Continues]);
                            // A failing part makes `&&` fail whatever the others do; a succeeding one makes `||`
                            // succeed.
                            truth = after.get().filter(|truth| *truth != wanted);
                        }
                    }
                }
                (truth, flow)
            }
            CommandKind::Pipe { negated, commands } if commands.len() == 1 => {
                let (truth, flow) = self.succeeds(&commands[0]);
                (truth.map(|truth| truth != *negated), flow)
            }
            CommandKind::Simple { words, .. } => {
                let flow = self.node(node);
                let words: Vec<&str> = words.iter().map(|word| self.of(*word)).collect();
                (self.test(&words), flow)
            }
            CommandKind::Group {
                subshell: false,
                body,
            } => self.condition(body),
            _ => (None, self.node(node)),
        }
    }

    fn test(&self, mut words: &[&str]) -> Truth {
        let mut commands: Vec<Truth> = Vec::new();
        loop {
            let (first, rest) = words.split_first()?;
            let first = self.expand(first);
            let mut may_be_none = false;
            for first in texts(&first)? {
                commands.push(match first {
                    ":" | "true" => Some(true),
                    "false" => Some(false),
                    "test" => self.expression(rest),
                    "[" => self.expression(rest.strip_suffix(&["]"]).unwrap_or(rest)),
                    // An unquoted empty word vanishes.
                    "" => {
                        may_be_none = true;
                        continue;
                    }
                    _ => None,
                });
            }
            if !may_be_none {
                return one_of(&commands);
            }
            words = rest;
        }
    }

    /// Evaluates the arguments of `test`. `-o` has lower precedence than `-a`.
    fn expression(&self, words: &[&str]) -> Truth {
        let any = words.split(|word| *word == "-o").map(|words| {
            let all = words.split(|word| *word == "-a");
            decided_by(false, all.map(|words| self.primary(words)))
        });
        decided_by(true, any)
    }

    fn primary(&self, mut words: &[&str]) -> Truth {
        let mut negated = false;
        while let ["!", rest @ ..] = words {
            (negated, words) = (!negated, rest);
        }
        self.plain(words).map(|truth| truth != negated)
    }

    fn plain(&self, words: &[&str]) -> Truth {
        match words {
            [] => Some(false),
            [word] | ["-n", word] => self.is_empty(word).map(|empty| !empty),
            ["-z", word] => self.is_empty(word),
            [left, operator @ ("=" | "==" | "!="), right] => {
                let (left, right) = (self.expand(left), self.expand(right));
                let (left, right) = (texts(&left)?, texts(&right)?);
                let mut pairs = Vec::new();
                for left in &left {
                    pairs.extend(
                        right
                            .iter()
                            .map(|right| Some((left == right) == (*operator != "!="))),
                    );
                }
                one_of(&pairs)
            }
            _ => None,
        }
    }

    fn is_empty(&self, word: &str) -> Truth {
        let values = self.expand(word);
        let empty: Vec<Truth> = texts(&values)?
            .iter()
            .map(|text| Some(text.is_empty()))
            .collect();
        one_of(&empty)
    }

    // ---- commands ----

    fn list(&mut self, list: &'t List) -> Flow {
        for node in list {
            if self.node(node) == Flow::Stops {
                return Flow::Stops;
            }
        }
        Flow::Continues
    }

    /// Counts work; returns whether the limit permits it.
    fn burn(&mut self, commands: usize) -> bool {
        let left = self.fuel.checked_sub(commands);
        self.fuel = left.unwrap_or_default();
        left.is_some()
    }

    fn node(&mut self, node: &'t SyntaxNode) -> Flow {
        let length = node.span.end.saturating_sub(node.span.start);
        if self.depth >= MAX_DEPTH || !self.burn(1 + length / BYTES) {
            return Flow::Continues;
        }
        self.depth += 1;
        let flow = self.command(node);
        self.depth -= 1;
        flow
    }

    fn command(&mut self, node: &'t SyntaxNode) -> Flow {
        match &node.command {
            CommandKind::Simple { assignments, words } => self.simple(assignments, words),
            CommandKind::Chain { .. } => {
                let flow = self.succeeds(node).1;
                self.unless_decided(flow, node.span)
            }
            CommandKind::Pipe { commands, .. } => {
                if let [only] = &commands[..] {
                    return self.node(only);
                }
                for command in commands {
                    self.apart(|this| this.node(command));
                }
                Flow::Continues
            }
            CommandKind::If { arms, otherwise } => self.conditional(node, arms, otherwise),
            CommandKind::Case { subject, arms } => self.case(*subject, arms),
            CommandKind::Loop {
                variable,
                condition,
                body,
            } => self.repeat(variable.as_ref(), condition, body),
            CommandKind::Function { name, body } => {
                self.functions.insert(self.of(*name), body);
                Flow::Continues
            }
            CommandKind::Group {
                subshell: true,
                body,
            } => {
                self.apart(|this| this.list(body));
                Flow::Continues
            }
            CommandKind::Group {
                subshell: false,
                body,
            } => self.list(body),
        }
    }

    /// Follows commands in a subshell, which changes no variable of the script.
    fn apart(&mut self, follow: impl FnOnce(&mut Self) -> Flow) {
        let since = self.journal.len();
        follow(self);
        self.undo(since);
    }

    fn simple(&mut self, assignments: &[Span], words: &[Span]) -> Flow {
        if words.is_empty() {
            for span in assignments {
                if let Some((name, value)) = assignment(self.of(*span)) {
                    let values = self.expand(value);
                    self.set(name, values);
                }
            }
            return Flow::Continues;
        }
        let words: Vec<&'t str> = words.iter().map(|word| self.of(*word)).collect();
        match words[0] {
            "exit" | "as_fn_exit" | "as_fn_error" => return Flow::Stops,
            "test" | "[" | ":" | "echo" | "printf" | "cat" | "rm" | "sed" => {
                // `: ${x=value}`
                if words[0] == ":" {
                    for word in &words[1..] {
                        self.assign_default(word);
                    }
                }
                return Flow::Continues;
            }
            "export" => {
                for word in &words[1..] {
                    if let Some((name, value)) = assignment(word) {
                        let values = self.expand(value);
                        self.set(name, values);
                    }
                }
                return Flow::Continues;
            }
            "unset" => {
                for name in &words[1..] {
                    self.set(name, Values::from([Value::Unset]));
                }
                return Flow::Continues;
            }
            "eval" => {
                if !self.evaluates_assignment(&words[1..]) {
                    words[1..].iter().for_each(|word| self.assigned_in(word));
                }
                return Flow::Continues;
            }
            _ => {}
        }
        if let Some(body) = self.functions.get(words[0]).copied()
            && !is_plumbing(words[0])
        {
            return self.call(words[0], body);
        }
        // Functions of Autoconf set the variable that is passed by name.
        if is_plumbing(words[0]) || words[0] == "read" {
            for word in &words[1..] {
                let name = word.trim_matches('"');
                if is_cache_variable(name) || words[0] == "read" {
                    self.set(name, unknown());
                } else if name.starts_with('$')
                    && let Some(names) = texts(&self.expand(word))
                {
                    let names: Vec<String> = names.into_iter().map(Into::into).collect();
                    for name in names.iter().filter(|name| is_cache_variable(name)) {
                        self.set(name, unknown());
                    }
                }
            }
        }
        Flow::Continues
    }

    fn call(&mut self, name: &'t str, body: &'t SyntaxNode) -> Flow {
        let calls = self.calls.entry(name).or_default();
        if *calls >= MAX_CALLS.1 || self.call_depth >= MAX_CALLS.0 {
            return Flow::Continues;
        }
        *calls += 1;
        self.call_depth += 1;
        self.node(body);
        self.call_depth -= 1;
        Flow::Continues
    }

    /// Follows `: ${x=value}`, which sets a variable that is unset.
    fn assign_default(&mut self, word: &str) {
        let word = word.trim_matches('"');
        if let Some((name, Some((operator @ ("=" | ":="), value)), _)) = parameter(word) {
            let operator = operator.replace('=', "-");
            let values = self.get(name);
            let values = self.alternative(name, values, &operator, value);
            self.set(name, values);
        }
    }

    /// Follows `eval "$name=value"`; returns whether the assignment is known.
    fn evaluates_assignment(&mut self, words: &[&str]) -> bool {
        let [word] = words else { return false };
        let values = self.expand(word);
        let Some(&[text]) = texts(&values).as_deref() else {
            return false;
        };
        let Some((name, value)) = assignment(text) else {
            return false;
        };
        let values = self.expand(value);
        self.set(name, values);
        true
    }

    /// Marks as unknown every variable that a text for `eval` assigns.
    fn assigned_in(&mut self, word: &str) {
        let plain = word.replace(['"', '\'', '\\'], "");
        for (at, _) in plain.match_indices('=') {
            let before = &plain[..at];
            let length = before
                .bytes()
                .rev()
                .take_while(|b| is_name_byte(*b))
                .count();
            let name = &before[before.len() - length..];
            if !name.is_empty() && !before[..before.len() - name.len()].ends_with('$') {
                self.set(name, unknown());
            }
        }
    }

    fn conditional(&mut self, node: &'t SyntaxNode, arms: &'t [Arm], otherwise: &'t List) -> Flow {
        let Some((arm, rest)) = arms.split_first() else {
            return self.list(otherwise);
        };
        if self.depth >= MAX_DEPTH {
            return Flow::Continues;
        }
        self.depth += 1;
        let flow = self.arm(node, arm, rest, otherwise);
        self.depth -= 1;
        flow
    }

    fn arm(
        &mut self,
        node: &'t SyntaxNode,
        arm: &'t Arm,
        rest: &'t [Arm],
        otherwise: &'t List,
    ) -> Flow {
        let guard = guard_of(self.of(arm.span));
        let (truth, flow) = self.condition(&arm.condition);
        if flow == Flow::Stops {
            return flow;
        }
        let Some(guard) = guard else {
            let truth = truth.filter(|_| self.may_decide(self.of(arm.span)));
            let flow = self.decided(node, truth, arm, rest, otherwise);
            return self.unless_decided(flow, arm.span);
        };
        let Some(variable) = self.name_of(guard.name) else {
            self.reached_guard(node, guard.name, unknown(), false);
            return self.decided(node, None, arm, rest, otherwise);
        };
        let is_set = match self.variables.get(&variable) {
            None => Some(false),
            Some(_) if self.is_open => None,
            Some(values) => {
                let each = values.iter().map(|value| match value {
                    Value::Unset => Some(false),
                    Value::Text(text) => Some(!(guard.by_emptiness && text.is_empty())),
                    Value::Of(_) | Value::Unknown => None,
                });
                one_of(&each.collect::<Vec<_>>())
            }
        };
        let truth = is_set.map(|is_set| is_set == guard.then_is_set);
        if is_set == Some(true) {
            return self.decided(node, truth, arm, rest, otherwise);
        }
        self.guard_depth += 1;
        let flow = self.decided(node, truth, arm, rest, otherwise);
        self.guard_depth -= 1;
        let stops = flow == Flow::Stops;
        let values = match self.variables.get(&variable) {
            Some(values) => values.clone(),
            None => Values::from([Value::Unset]),
        };
        self.reached_guard(node, &variable, values, stops);
        if stops {
            // With an answer, the script would have continued.
            self.set(&variable, unknown());
        }
        Flow::Continues
    }

    /// Continues after a stop that depends on `$cross_compiling` and that no answer could prevent, to follow the rest
    /// of the script too. In the block of a cache variable, the stop is the outcome of the block.
    fn unless_decided(&self, flow: Flow, decision: Span) -> Flow {
        match self.guard_depth == 0 && mentions_cross(self.of(decision)) {
            true => Flow::Continues,
            false => flow,
        }
    }

    fn reached_guard(&mut self, node: &SyntaxNode, variable: &str, values: Values, stops: bool) {
        let outcome = self.found.outcomes.entry(node.span.start).or_default();
        outcome.variable = variable.into();
        if !stops {
            outcome.values.extend(values);
        }
        outcome.stops |= stops;
    }

    fn decided(
        &mut self,
        node: &'t SyntaxNode,
        truth: Truth,
        arm: &'t Arm,
        rest: &'t [Arm],
        otherwise: &'t List,
    ) -> Flow {
        let other = |this: &mut Self| match rest.is_empty() {
            true => this.list(otherwise),
            false => this.conditional(node, rest, otherwise),
        };
        match truth {
            Some(true) => self.list(&arm.body),
            Some(false) => other(self),
            None => {
                let condition = self.variable_condition(arm);
                self.branches(&[
                    &|this: &mut Self| {
                        this.narrow(condition.as_ref(), true);
                        this.list(&arm.body)
                    },
                    &|this: &mut Self| {
                        this.narrow(condition.as_ref(), false);
                        other(this)
                    },
                ])
            }
        }
    }

    /// Returns the variable and its condition, if the arm checks only that.
    fn variable_condition(&self, arm: &Arm) -> Option<(String, VariableCondition)> {
        if let Some(guard) = guard_of(self.of(arm.span)) {
            let name = self.name_of(guard.name)?;
            let (then, by_emptiness) = (guard.then_is_set, guard.by_emptiness);
            return Some((name, VariableCondition::IsSet { then, by_emptiness }));
        }
        let [only] = &arm.condition[..] else {
            return None;
        };
        let CommandKind::Simple { words, .. } = &only.command else {
            return None;
        };
        let words: Vec<&str> = words.iter().map(|word| self.of(*word)).collect();
        let ["test", left, operator @ ("=" | "!="), right] = words[..] else {
            return None;
        };
        let (left, right) = (left.trim_matches('"'), right.trim_matches('"'));
        let (left, right) = match left.strip_prefix(['x', 'X']) {
            Some(rest) => (rest, right.strip_prefix(['x', 'X'])?),
            None => (left, right),
        };
        let (name, None, length) = parameter(left)? else {
            return None;
        };
        let is_plain = length == left.len() && !right.contains(['$', '`', '\\', '"', '\'']);
        is_plain.then(|| {
            (
                name.into(),
                VariableCondition::Is(right.into(), operator == "="),
            )
        })
    }

    /// Removes the values of a variable with which this branch is not reached.
    fn narrow(&mut self, condition: Option<&(String, VariableCondition)>, holds: bool) {
        let Some((name, condition)) = condition else {
            return;
        };
        let Some(values) = self.variables.get(name) else {
            return;
        };
        let mut left = values.clone();
        left.retain(|value| match condition {
            VariableCondition::IsSet { then, by_emptiness } => match value {
                Value::Unset => *then != holds,
                Value::Text(text) if *by_emptiness && text.is_empty() => *then != holds,
                Value::Text(_) => *then == holds,
                Value::Of(_) | Value::Unknown => true,
            },
            VariableCondition::Is(text, equal) => match value {
                Value::Text(value) => (value == text) == (*equal == holds),
                Value::Unset => text.is_empty() == (*equal == holds),
                Value::Of(_) | Value::Unknown => true,
            },
        });
        if !left.is_empty() && left.len() < values.len() {
            self.set(name, left);
        }
    }

    fn case(&mut self, subject: Span, arms: &'t [(Vec<Span>, List)]) -> Flow {
        let subjects = self.expand(self.of(subject));
        // The bodies that may be followed.
        let mut taken: Vec<&'t List> = Vec::new();
        let mut may_fall = false;
        match texts(&subjects).filter(|_| self.may_decide(self.of(subject))) {
            Some(subjects) => {
                for subject in subjects {
                    let mut falls = true;
                    for (patterns, body) in arms {
                        let fits: Vec<Truth> =
                            patterns.iter().map(|p| self.matches(*p, subject)).collect();
                        let surely = fits.contains(&Some(true));
                        if surely || fits.contains(&None) {
                            taken.push(body);
                        }
                        if surely {
                            falls = false;
                            break;
                        }
                    }
                    may_fall |= falls;
                }
            }
            None => {
                taken.extend(arms.iter().map(|(_, body)| body));
                let is_any =
                    |(patterns, _): &(Vec<Span>, _)| patterns.iter().any(|p| self.of(*p) == "*");
                may_fall = !arms.iter().any(is_any);
            }
        }
        taken.dedup_by_key(|list| list.as_ptr());
        match (&taken[..], may_fall) {
            ([], _) => Flow::Continues,
            ([only], false) => self.list(only),
            _ => {
                let follow: Vec<_> = taken
                    .iter()
                    .map(|list| {
                        let list: &'t List = list;
                        move |this: &mut Self| this.list(list)
                    })
                    .collect();
                let fall = |_: &mut Self| Flow::Continues;
                let mut branches: Vec<&dyn Fn(&mut Self) -> Flow> = Vec::new();
                branches.extend(follow.iter().map(|f| f as &dyn Fn(&mut Self) -> Flow));
                if may_fall {
                    branches.push(&fall);
                }
                self.branches(&branches)
            }
        }
    }

    /// Returns whether a pattern of `case` matches a text.
    fn matches(&self, pattern: Span, subject: &str) -> Truth {
        let pattern = self.of(pattern);
        if pattern.contains(['$', '`']) {
            return None;
        }
        let plain = pattern.replace(['"', '\'', '\\'], "");
        Some(glob_matches(plain.as_bytes(), subject.as_bytes()))
    }

    fn repeat(
        &mut self,
        variable: Option<&(Span, Vec<Span>)>,
        condition: &'t List,
        body: &'t List,
    ) -> Flow {
        if let Some((name, words)) = variable {
            let values = words.iter().map(|word| self.expand(self.of(*word)));
            let values: Values = values.flatten().collect();
            let name = self.of(*name);
            let is_split =
                |values: &Values| texts(values).is_none_or(|t| t.iter().any(|t| t.contains(' ')));
            let values = if values.is_empty() || is_split(&values) {
                unknown()
            } else {
                values
            };
            self.set(name, values);
        }
        // Twice, so that values set at the end of the body are known at its beginning.
        for _ in 0..2 {
            self.branches(&[
                &|this: &mut Self| {
                    this.condition(condition);
                    this.list(body)
                },
                &|_| Flow::Continues,
            ]);
        }
        Flow::Continues
    }

    /// Returns the variable of a guard: the name itself, or the value of the variable that contains the name.
    fn name_of(&self, name: &str) -> Option<String> {
        if !name.starts_with('$') {
            return Some(name.into());
        }
        match texts(&self.expand(name))?[..] {
            [name] if is_cache_variable(name) => Some(name.into()),
            _ => None,
        }
    }
}

/// Combines the truth of several parts, of which one decides: `false` for `-a`, `true` for `-o`.
fn decided_by(decisive: bool, parts: impl Iterator<Item = Truth>) -> Truth {
    let parts: Vec<Truth> = parts.collect();
    match parts.contains(&Some(decisive)) {
        true => Some(decisive),
        false if parts.contains(&None) => None,
        false => Some(!decisive),
    }
}

/// Returns the truth that all possibilities share; `None` if they differ.
fn one_of(truths: &[Truth]) -> Truth {
    let first = *truths.first()?;
    truths
        .iter()
        .all(|truth| *truth == first)
        .then_some(first)?
}

/// Returns whether a variable is an option of configure, which is unset unless the user gives it.
fn is_option(name: &str) -> bool {
    ["enable_", "with_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        && !name.ends_with("_checked")
}

/// Returns whether a function is one of Autoconf's own.
pub(super) fn is_plumbing(name: &str) -> bool {
    name.starts_with("ac_fn_") || name.starts_with("as_fn_")
}

/// A parameter: its name, its operator with the word after it, and its length in bytes.
type Parameter<'t> = (&'t str, Option<(&'t str, &'t str)>, usize);

/// Parses `$name`, `${name}` or `${name<operator>word}` at the beginning of a text.
fn parameter(text: &str) -> Option<Parameter<'_>> {
    let rest = text.strip_prefix('$')?;
    let (braced, rest) = match rest.strip_prefix('{') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let length = rest.bytes().take_while(|byte| is_name_byte(*byte)).count();
    let name = &rest[..length];
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if !braced {
        return Some((name, None, 1 + length));
    }
    let after = &rest[length..];
    if after.starts_with('}') {
        return Some((name, None, length + 3));
    }
    let operator = [":+", ":-", ":=", "+", "-", "="]
        .into_iter()
        .find(|operator| after.starts_with(operator))?;
    let word = &after[operator.len()..];
    // A word that contains braces is not parsed.
    let end = word
        .find(['{', '}'])
        .filter(|end| word[*end..].starts_with('}'))?;
    Some((
        name,
        Some((operator, &word[..end])),
        2 + length + operator.len() + end + 1,
    ))
}

/// Returns whether a shell pattern matches the whole text.
fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to continue after the last `*` if it has to match one more byte.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    while t < text.len() || p < pattern.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(b'[') if t < text.len() => bracket(&pattern[p..], text[t]),
            Some(b'?') if t < text.len() => Some((true, 1)),
            Some(byte) if t < text.len() => Some((*byte == text[t], 1)),
            _ => None,
        };
        match (step, retry) {
            (Some((true, length)), _) => {
                p += length;
                t += 1;
            }
            (_, Some((after, from))) if from < text.len() => {
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            _ => return false,
        }
    }
    true
}

/// Returns whether `[…]` at the beginning of a pattern contains the byte, and the length of the brackets.
fn bracket(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = 1 + usize::from(negated);
    let end = first + 1 + pattern.get(first + 1..)?.iter().position(|b| *b == b']')?;
    let set = &pattern[first..end];
    let mut has = false;
    let mut at = 0;
    while at < set.len() {
        if set.get(at + 1) == Some(&b'-') && at + 2 < set.len() {
            has |= (set[at]..=set[at + 2]).contains(&byte);
            at += 3;
        } else {
            has |= set[at] == byte;
            at += 1;
        }
    }
    Some((has != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, text, fits) in [
            ("*-gnu*", "linux-gnueabi", true),
            ("linux*", "linux-gnu", true),
            ("gnu*", "linux-gnu", false),
            ("*-*-linux*", "armv5tel-unknown-linux-gnueabi", true),
            ("", "", true),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a[!b]c", "abc", false),
            ("i[3-7]86", "i686", true),
            ("a[bc", "a[bc", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
        ] {
            assert_eq!(
                glob_matches(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_name_for_eval_may_follow_any_character() {
        let host = ScriptHost::of(&"avr".parse().expect("a tuple"));
        for text in ["eval \"$x é_cv_a=1\"", "eval $y\u{fffd}x_cv_a=1"] {
            let followed = follow(text, &super::super::shell::parse(text), &host);
            let names: Vec<&String> = followed.end.keys().collect();
            assert!(
                names.iter().any(|name| name.ends_with("_cv_a")),
                "{names:?}"
            );
        }
    }

    #[test]
    fn a_value_that_doubles_becomes_unknown() {
        let text = "x=ab\n".to_owned() + &"x=$x$x\n".repeat(100);
        let host = ScriptHost::of(&"avr".parse().expect("a tuple"));
        let followed = follow(&text, &super::super::shell::parse(&text), &host);
        assert_eq!(followed.end["x"], unknown());
    }

    #[test]
    fn a_parameter_ends_as_in_a_shell() {
        assert_eq!(parameter("$a_b-c"), Some(("a_b", None, 4)));
        assert_eq!(parameter("${a}b"), Some(("a", None, 4)));
        assert_eq!(parameter("${a+y}b"), Some(("a", Some(("+", "y")), 6)));
        assert_eq!(parameter("${a:-$b}c"), Some(("a", Some((":-", "$b")), 8)));
        for text in ["$", "$1", "${", "${a", "${a-${b}}", "$(a)", "${#a}"] {
            assert_eq!(parameter(text), None, "{text}");
        }
    }
}
