//! What a configure script does in a cross build where nobody answers: the values that its cache variables get. Pure.
//!
//! The script is followed from its first command to its last with `cross_compiling` at `yes` and the host known. A condition
//! that rests on what is known is decided; of any other, every branch is followed, and a variable then has each of the values
//! that they give it. Nothing is run. Next comes `scan.rs`, which lists the tests that were found on the way.

use super::{
    guard::{guard_of, is_cache_variable, mentions_cross},
    host::ScriptHost,
    shell::{Arm, ChainOperator, CommandKind, List, Span, SyntaxNode, assignment, is_name_byte},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many values a variable may have before it counts as not known.
pub const MAX_VALUES: usize = 8;

/// How long a value may be, in bytes, before it counts as not known. A variable that holds itself twice would have no end.
const MAX_LENGTH: usize = 4096;

/// How many commands are followed at the most; the longest scripts take a tenth of it. What is long, or has changed much, counts
/// as many.
const MAX_COMMANDS: usize = 4_000_000;

/// How many bytes of a command count as one more.
const BYTES: usize = 64;

/// How deep commands are followed inside each other, over functions and from `elif` to `elif`. What is deeper is passed over.
const MAX_DEPTH: usize = 300;

/// How many functions are followed inside each other, and how often each one.
const MAX_CALLS: (usize, usize) = (12, 3);

/// What a variable may hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// Nothing was set.
    Unset,
    /// This text.
    Text(String),
    /// Whatever that variable holds, which is found in another way.
    Of(String),
    /// Anything.
    Unknown,
}

pub(super) type Values = BTreeSet<Value>;

/// What came of a block that decides a cache variable.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockOutcome {
    /// The variable.
    pub(super) variable: String,
    /// What it may hold behind the block.
    pub(super) values: Values,
    /// The script may stop there.
    pub(super) stops: bool,
}

/// What was found on the way through.
#[derive(Debug, Default)]
pub(super) struct ScriptOutcome {
    /// By where the `if` begins that asks whether the variable is cached.
    pub(super) outcomes: BTreeMap<usize, BlockOutcome>,
    /// What the variables hold at the end.
    pub(super) end: BTreeMap<String, Values>,
}

/// Whether a condition holds; none when that is not known.
type Truth = Option<bool>;

/// What a condition asks of a variable.
#[derive(Debug)]
enum VariableTest {
    /// Whether it is set, or is not.
    IsSet { then: bool, by_emptiness: bool },
    /// Whether it holds this text, or does not.
    Is(String, bool),
}

/// Whether the script goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Goes,
    Stops,
}

struct Follower<'t> {
    text: &'t str,
    /// Variables that we know and that the script finds by means that are not followed.
    pinned: BTreeMap<&'static str, String>,
    variables: BTreeMap<String, Values>,
    /// What variables held before each change, so that a branch can be taken back.
    journal: Vec<(String, Option<Values>)>,
    functions: BTreeMap<&'t str, &'t SyntaxNode>,
    /// How often each function was followed.
    calls: BTreeMap<&'t str, usize>,
    /// How many we are in.
    inside: usize,
    /// How many blocks we are in that are come to only while a cache variable is not set.
    guarded: usize,
    /// Only the host and the options decide conditions.
    is_open: bool,
    /// How deep we are in commands.
    depth: usize,
    fuel: usize,
    found: ScriptOutcome,
}

/// Follows a script. What is come to depends on earlier guesses, and somebody may answer those: so it is followed once as it
/// goes without answers, and once more into every branch that only the host or the options keep it from.
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
        inside: 0,
        guarded: 0,
        is_open,
        depth: 0,
        fuel: MAX_COMMANDS,
        found: ScriptOutcome::default(),
    };
    for node in script {
        // A script that stops here with nothing known to be wrong was misread: it goes on.
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

/// The texts that the values are; none when one of them is not known.
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

    /// Takes back what was changed since, and gives what it was.
    fn take_back(&mut self, since: usize) -> BTreeMap<String, Values> {
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
                // The last change comes first.
                changed.entry(name).or_insert(now);
            }
        }
        changed
    }

    /// Follows each of the branches from the same state, and goes on with what they leave together.
    fn branches(&mut self, branches: &[&dyn Fn(&mut Self) -> Flow]) -> Flow {
        let since = self.journal.len();
        let mut ends = Vec::new();
        for branch in branches {
            let flow = branch(self);
            let changed = self.take_back(since);
            if flow == Flow::Goes {
                ends.push(changed);
            }
        }
        if ends.is_empty() && !branches.is_empty() {
            return Flow::Stops;
        }
        let names: BTreeSet<&String> = ends.iter().flat_map(BTreeMap::keys).collect();
        if !self.burn(names.len()) {
            return Flow::Goes;
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
        Flow::Goes
    }

    // ---- words ----

    /// What a word may become.
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

    /// What autoconf's `printf "%s\n" "ac_cv_file_$file" | $as_tr_sh` prints: the name of a variable.
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

    /// `${name+word}` and `${name-word}`, which look at whether the variable is set.
    fn alternative(&self, name: &str, values: Values, operator: &str, word: &str) -> Values {
        // A cache variable that was not come to yet is not set: nobody answers.
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

    /// Returns whether a condition, or the word of a `case`, may be decided by what variables hold.
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

    /// Whether a list of commands succeeds. Does what the commands do.
    fn condition(&mut self, list: &'t List) -> (Truth, Flow) {
        let mut truth = None;
        for node in list {
            let flow;
            (truth, flow) = self.succeeds(node);
            if flow == Flow::Stops {
                return (truth, flow);
            }
        }
        (truth, Flow::Goes)
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
                            flow = self.branches(&[&follow, &|_| Flow::Goes]);
                            // One that fails makes `&&` fail whatever the other did, and one that succeeds `||` succeed.
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
                    // An empty word that is not quoted is none.
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

    /// What follows `test`. `-o` binds less than `-a`.
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
        Flow::Goes
    }

    /// Counts work; tells whether there may be more.
    fn burn(&mut self, commands: usize) -> bool {
        let left = self.fuel.checked_sub(commands);
        self.fuel = left.unwrap_or_default();
        left.is_some()
    }

    fn node(&mut self, node: &'t SyntaxNode) -> Flow {
        let length = node.span.end.saturating_sub(node.span.start);
        if self.depth >= MAX_DEPTH || !self.burn(1 + length / BYTES) {
            return Flow::Goes;
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
                Flow::Goes
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
                Flow::Goes
            }
            CommandKind::Group {
                subshell: true,
                body,
            } => {
                self.apart(|this| this.list(body));
                Flow::Goes
            }
            CommandKind::Group {
                subshell: false,
                body,
            } => self.list(body),
        }
    }

    /// Follows what happens in a process of its own: no variable of ours changes.
    fn apart(&mut self, follow: impl FnOnce(&mut Self) -> Flow) {
        let since = self.journal.len();
        follow(self);
        self.take_back(since);
    }

    fn simple(&mut self, assignments: &[Span], words: &[Span]) -> Flow {
        if words.is_empty() {
            for span in assignments {
                if let Some((name, value)) = assignment(self.of(*span)) {
                    let values = self.expand(value);
                    // A copy of itself is what it was.
                    self.set(name, values);
                }
            }
            return Flow::Goes;
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
                return Flow::Goes;
            }
            "export" => {
                for word in &words[1..] {
                    if let Some((name, value)) = assignment(word) {
                        let values = self.expand(value);
                        self.set(name, values);
                    }
                }
                return Flow::Goes;
            }
            "unset" => {
                for name in &words[1..] {
                    self.set(name, Values::from([Value::Unset]));
                }
                return Flow::Goes;
            }
            "eval" => {
                if !self.evaluates_assignment(&words[1..]) {
                    words[1..].iter().for_each(|word| self.assigned_in(word));
                }
                return Flow::Goes;
            }
            _ => {}
        }
        if let Some(body) = self.functions.get(words[0]).copied()
            && !is_plumbing(words[0])
        {
            return self.call(words[0], body);
        }
        // A function of autoconf's sets the variable that it is told of.
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
        Flow::Goes
    }

    fn call(&mut self, name: &'t str, body: &'t SyntaxNode) -> Flow {
        let calls = self.calls.entry(name).or_default();
        if *calls >= MAX_CALLS.1 || self.inside >= MAX_CALLS.0 {
            return Flow::Goes;
        }
        *calls += 1;
        self.inside += 1;
        self.node(body);
        self.inside -= 1;
        Flow::Goes
    }

    /// `: ${x=value}` sets what is not set.
    fn assign_default(&mut self, word: &str) {
        let word = word.trim_matches('"');
        if let Some((name, Some((operator @ ("=" | ":="), value)), _)) = parameter(word) {
            let operator = operator.replace('=', "-");
            let values = self.get(name);
            let values = self.alternative(name, values, &operator, value);
            self.set(name, values);
        }
    }

    /// `eval "$name=value"`, when it is known what is assigned.
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

    /// Forgets what variables hold that a text for `eval` assigns.
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
            return Flow::Goes;
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
        self.guarded += 1;
        let flow = self.decided(node, truth, arm, rest, otherwise);
        self.guarded -= 1;
        let stops = flow == Flow::Stops;
        let values = match self.variables.get(&variable) {
            Some(values) => values.clone(),
            None => Values::from([Value::Unset]),
        };
        self.reached_guard(node, &variable, values, stops);
        if stops {
            // With an answer it would have gone on.
            self.set(&variable, unknown());
        }
        Flow::Goes
    }

    /// Goes on behind a stop that a decision on `$cross_compiling` leads to, and no answer could: what follows is of interest
    /// all the same. In the block of a cache variable, the block is what stops.
    fn unless_decided(&self, flow: Flow, decision: Span) -> Flow {
        match self.guarded == 0 && mentions_cross(self.of(decision)) {
            true => Flow::Goes,
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
                let question = self.question(arm);
                self.branches(&[
                    &|this: &mut Self| {
                        this.narrow(question.as_ref(), true);
                        this.list(&arm.body)
                    },
                    &|this: &mut Self| {
                        this.narrow(question.as_ref(), false);
                        other(this)
                    },
                ])
            }
        }
    }

    /// What a condition asks of one variable, when it asks nothing else.
    fn question(&self, arm: &Arm) -> Option<(String, VariableTest)> {
        if let Some(guard) = guard_of(self.of(arm.span)) {
            let name = self.name_of(guard.name)?;
            let (then, by_emptiness) = (guard.then_is_set, guard.by_emptiness);
            return Some((name, VariableTest::IsSet { then, by_emptiness }));
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
        is_plain.then(|| (name.into(), VariableTest::Is(right.into(), operator == "=")))
    }

    /// Takes from a variable the values with which this branch is not come to.
    fn narrow(&mut self, question: Option<&(String, VariableTest)>, holds: bool) {
        let Some((name, question)) = question else {
            return;
        };
        let Some(values) = self.variables.get(name) else {
            return;
        };
        let mut left = values.clone();
        left.retain(|value| match question {
            VariableTest::IsSet { then, by_emptiness } => match value {
                Value::Unset => *then != holds,
                Value::Text(text) if *by_emptiness && text.is_empty() => *then != holds,
                Value::Text(_) => *then == holds,
                Value::Of(_) | Value::Unknown => true,
            },
            VariableTest::Is(text, equal) => match value {
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
        // Where each arm may be taken from.
        let mut taken: Vec<&'t List> = Vec::new();
        let mut may_fall = false;
        match texts(&subjects).filter(|_| self.may_decide(self.of(subject))) {
            Some(subjects) => {
                for subject in subjects {
                    let mut falls = true;
                    for (patterns, body) in arms {
                        let fits: Vec<Truth> =
                            patterns.iter().map(|p| self.fits(*p, subject)).collect();
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
            ([], _) => Flow::Goes,
            ([only], false) => self.list(only),
            _ => {
                let follow: Vec<_> = taken
                    .iter()
                    .map(|list| {
                        let list: &'t List = list;
                        move |this: &mut Self| this.list(list)
                    })
                    .collect();
                let fall = |_: &mut Self| Flow::Goes;
                let mut branches: Vec<&dyn Fn(&mut Self) -> Flow> = Vec::new();
                branches.extend(follow.iter().map(|f| f as &dyn Fn(&mut Self) -> Flow));
                if may_fall {
                    branches.push(&fall);
                }
                self.branches(&branches)
            }
        }
    }

    /// Whether a pattern of `case` fits a text.
    fn fits(&self, pattern: Span, subject: &str) -> Truth {
        let pattern = self.of(pattern);
        if pattern.contains(['$', '`']) {
            return None;
        }
        let plain = pattern.replace(['"', '\'', '\\'], "");
        Some(glob_fits(plain.as_bytes(), subject.as_bytes()))
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
        // Twice, so that what it sets at its end is known at its beginning.
        for _ in 0..2 {
            self.branches(&[
                &|this: &mut Self| {
                    this.condition(condition);
                    this.list(body)
                },
                &|_| Flow::Goes,
            ]);
        }
        Flow::Goes
    }

    /// The variable that a word of a guard names: itself, or what the variable holds that it is.
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

/// What several parts come to together, of which one with that truth decides: `false` of `-a`, `true` of `-o`.
fn decided_by(decisive: bool, parts: impl Iterator<Item = Truth>) -> Truth {
    let parts: Vec<Truth> = parts.collect();
    match parts.contains(&Some(decisive)) {
        true => Some(decisive),
        false if parts.contains(&None) => None,
        false => Some(!decisive),
    }
}

/// What holds of all.
fn one_of(truths: &[Truth]) -> Truth {
    let first = *truths.first()?;
    truths
        .iter()
        .all(|truth| *truth == first)
        .then_some(first)?
}

/// Returns whether a variable is an option of configure's, which is not set when nobody gives it.
fn is_option(name: &str) -> bool {
    ["enable_", "with_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        && !name.ends_with("_checked")
}

/// Returns whether a function is one of autoconf's own.
pub(super) fn is_plumbing(name: &str) -> bool {
    name.starts_with("ac_fn_") || name.starts_with("as_fn_")
}

/// The name of a parameter, its operator with the word behind it, and how long all of it is.
type Parameter<'t> = (&'t str, Option<(&'t str, &'t str)>, usize);

/// Takes `$name`, `${name}` or `${name<operator>word}` from the beginning of a text: the name, the operator with the word,
/// and how long it is.
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
    let behind = &rest[length..];
    if behind.starts_with('}') {
        return Some((name, None, length + 3));
    }
    let operator = [":+", ":-", ":=", "+", "-", "="]
        .into_iter()
        .find(|operator| behind.starts_with(operator))?;
    let word = &behind[operator.len()..];
    // A word with braces of its own is more than is read here.
    let end = word
        .find(['{', '}'])
        .filter(|end| word[*end..].starts_with('}'))?;
    Some((
        name,
        Some((operator, &word[..end])),
        2 + length + operator.len() + end + 1,
    ))
}

/// Returns whether a shell's pattern fits the whole of a text.
fn glob_fits(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on after the last `*`, with one more byte of the text taken by it.
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

/// Whether `[…]` at the beginning of a pattern has the byte, and how long it is.
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
    fn patterns_fit_as_a_shell_has_it() {
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
                glob_fits(pattern.as_bytes(), text.as_bytes()),
                fits,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn a_name_for_eval_may_stand_behind_any_character() {
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
    fn a_value_that_doubles_is_not_known_in_the_end() {
        let text = "x=ab\n".to_owned() + &"x=$x$x\n".repeat(100);
        let host = ScriptHost::of(&"avr".parse().expect("a tuple"));
        let followed = follow(&text, &super::super::shell::parse(&text), &host);
        assert_eq!(followed.end["x"], unknown());
    }

    #[test]
    fn a_parameter_ends_where_a_shell_ends_it() {
        assert_eq!(parameter("$a_b-c"), Some(("a_b", None, 4)));
        assert_eq!(parameter("${a}b"), Some(("a", None, 4)));
        assert_eq!(parameter("${a+y}b"), Some(("a", Some(("+", "y")), 6)));
        assert_eq!(parameter("${a:-$b}c"), Some(("a", Some((":-", "$b")), 8)));
        for text in ["$", "$1", "${", "${a", "${a-${b}}", "$(a)", "${#a}"] {
            assert_eq!(parameter(text), None, "{text}");
        }
    }
}
