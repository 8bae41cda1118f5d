//! The completions of each argument and each option of `crossmerge`, decided once for all shells. Pure.

use super::Failure;
use clap::{Arg, Command, ValueHint};

/// The values that an argument may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A value of this list.
    Words(Vec<String>),
    /// A value of this kind. `completions/` has a function for each shell that lists the values.
    Known(&'static str),
}

/// A position on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The value of an option; contains the option's names with their dashes.
    Option(Vec<String>),
    /// A positional argument: its id, its position, which counts from 1, and whether it may be repeated.
    Argument {
        id: String,
        number: usize,
        many: bool,
    },
}

/// A position and its values.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The subcommands that lead to the command, without `crossmerge`.
    pub(crate) path: Vec<String>,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

impl Slot {
    /// Returns whether this is the position of `arg` in the command at `path`.
    pub(crate) fn is_of(&self, path: &[String], arg: &Arg) -> bool {
        let is_it = match &self.place {
            Place::Option(of) => *of == names(arg),
            Place::Argument { id, .. } => id == arg.get_id(),
        };
        self.path == path && is_it
    }
}

/// The positions of all commands. `command` must have been built.
pub(crate) fn slots(command: &Command, probes: &[String]) -> Result<Vec<Slot>, Failure> {
    let mut slots = Vec::new();
    gather(command, &[], probes, &mut slots)?;
    Ok(slots)
}

fn gather(
    command: &Command,
    path: &[String],
    probes: &[String],
    slots: &mut Vec<Slot>,
) -> Result<(), Failure> {
    let slot = |place, value| Slot {
        path: path.to_vec(),
        place,
        value,
    };
    for (number, arg) in (1..).zip(command.get_positionals()) {
        let place = Place::Argument {
            id: arg.get_id().to_string(),
            number,
            many: arg
                .get_num_args()
                .is_some_and(|range| range.max_values() > 1),
        };
        slots.push(slot(place, value(path, arg, probes)?));
    }
    for arg in command.get_opts() {
        slots.push(slot(Place::Option(names(arg)), value(path, arg, probes)?));
    }
    for command in command.get_subcommands() {
        let path = [path, &[command.get_name().to_owned()]].concat();
        gather(command, &path, probes, slots)?;
    }
    Ok(())
}

/// The names of an option, with their dashes.
pub(crate) fn names(arg: &Arg) -> Vec<String> {
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long).collect()
}

fn value(path: &[String], arg: &Arg, probes: &[String]) -> Result<Value, Failure> {
    let words = arg.get_possible_values();
    if !words.is_empty() {
        let words = words.iter().map(|word| word.get_name().to_owned());
        return Ok(Value::Words(words.collect()));
    }
    let command = path.last().map_or("", String::as_str);
    let known = match (arg.get_id().as_str(), command, arg.get_value_hint()) {
        (_, _, ValueHint::DirPath) => "directories",
        (_, _, ValueHint::AnyPath | ValueHint::FilePath) => "files",
        ("tuple", "build", _) if path[0] == "root" => "tuples",
        // The target need not exist yet, so offer the names of tuples.
        ("tuple", "init" | "show" | "build" | "prepare", _) | ("board", ..) => "names",
        ("tuple", "plan", _) if path.len() == 2 => "names",
        ("tuple" | "tuples" | "target", ..) => "tuples",
        ("applet", ..) => "applets",
        ("args", "plan", _) => "applet",
        ("args", "learn", _) => "configure",
        ("profile", ..) => "profiles",
        ("variable", ..) => "answers",
        ("variables", ..) => "learned",
        ("toolchain", ..) => "prefixes",
        ("jobs" | "step", ..)
        | ("binutils" | "gcc" | "kernel" | "libc" | "gdb" | "abis" | "extra", ..)
        | ("env" | "repository" | "emerge_opt" | "packages" | "set", ..)
        | ("memory" | "append" | "run" | "timeout", ..)
        | ("label" | "options" | "size" | "url" | "hosts", ..) => "nothing",
        ("probe", ..) => return Ok(Value::Words(probes.to_vec())),
        (id, ..) => {
            return Err(Failure(format!(
                "examples/docs/values.rs has no completion for `{id}` of `{}`",
                path.join(" ")
            )));
        }
    };
    Ok(Value::Known(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_without_a_decision_is_an_error() {
        let mut command = Command::new("x").subcommand(Command::new("y").arg(Arg::new("z")));
        command.build();
        let error = slots(&command, &[]).expect_err("an unknown argument").0;
        assert!(error.contains("`z` of `y`"), "{error}");
    }
}
