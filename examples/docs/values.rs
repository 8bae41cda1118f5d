//! What each argument and each option of `crossmerge` is completed with: one decision, for every shell. Pure.

use super::Failure;
use clap::{Arg, Command, ValueHint};

/// What may stand in a place of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// One of these.
    Words(Vec<String>),
    /// The shell's function of that name knows; `completions/` has it for each shell.
    Known(&'static str),
}

/// Where on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind an option; its names with their dashes.
    Option(Vec<String>),
    /// An argument of that id: the number of its place, from 1 on, and whether it may be given again.
    Argument {
        id: String,
        number: usize,
        many: bool,
    },
}

/// A place, and what may stand there.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The words of the command that it is a place of, without `crossmerge`.
    pub(crate) path: Vec<String>,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

impl Slot {
    /// Tells whether it is the place of that argument of the command with that path.
    pub(crate) fn is_of(&self, path: &[String], arg: &Arg) -> bool {
        let is_it = match &self.place {
            Place::Option(of) => *of == names(arg),
            Place::Argument { id, .. } => id == arg.get_id(),
        };
        self.path == path && is_it
    }
}

/// Every place of every command. The command has to have been built.
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
        (_, _, ValueHint::DirPath) => "folders",
        (_, _, ValueHint::AnyPath | ValueHint::FilePath) => "files",
        // What is no target yet: tuples that it may be called by.
        ("tuple", "init" | "show", _) => "names",
        ("tuple" | "tuples", ..) => "tuples",
        ("applet", ..) => "applets",
        ("args", "plan", _) => "applet",
        ("args", "learn", _) => "configure",
        ("profile", ..) => "profiles",
        ("variable", ..) => "answers",
        ("variables", ..) => "learned",
        ("toolchain", ..) => "prefixes",
        ("jobs", ..) => "nothing",
        ("probe", ..) => return Ok(Value::Words(probes.to_vec())),
        (id, ..) => {
            return Err(Failure(format!(
                "examples/docs/values.rs does not say what completes `{id}` of `{}`",
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
    fn an_argument_that_nobody_decided_on_is_an_error() {
        let mut command = Command::new("x").subcommand(Command::new("y").arg(Arg::new("z")));
        command.build();
        let said = slots(&command, &[]).expect_err("an unknown argument").0;
        assert!(said.contains("`z` of `y`"), "{said}");
    }
}
