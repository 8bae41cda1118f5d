//! The shells' completions: `completions/*`, with tables generated from the program's own commands. For zsh and fish, clap_complete
//! generates the commands and options. Its output for bash cannot call a function for values that are known at run time only, so this
//! module generates bash's tables.

use super::{
    Failure,
    applets::Definition,
    read,
    values::{Place, Slot, Value, names, slots},
};
use clap::{Arg, Command};
use clap_complete::{Shell, generate};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// Generates the files: the path below the directory of completions, and the text of each.
pub(crate) fn files(root: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut command = crossmerge::cli::command();
    let fish = generated(Shell::Fish, &mut command.clone());
    let plain = command.clone();
    command.build();
    let slots = slots(&command, &probes(root)?)?;
    let definitions = Definition::all(root)?;
    let tools = tools(&definitions);
    let source = |name: &str| read(&root.join("completions").join(name));
    let with_tools = |name: &str, row: fn(&str, &str) -> String| {
        let rows: String = tools.iter().map(|(name, tool)| row(name, tool)).collect();
        source(name).map(|text| text.replace("@TOOLS@\n", &rows))
    };
    let files = [
        (
            "bash/crossmerge",
            bash(&command, &slots, &tools) + &source("crossmerge.bash")?,
        ),
        ("bash/links", source("links.bash")?),
        ("zsh/_crossmerge", zsh(&plain, &slots)?),
        ("zsh/_crossmerge_values", source("_crossmerge_values")?),
        (
            "zsh/_crossmerge_applet",
            with_tools("_crossmerge_applet", |name, tool| {
                format!("\t{name} '{tool}'\n")
            })?,
        ),
        (
            "fish/crossmerge.fish",
            fish + &source("crossmerge.fish")? + &fish_tables(&command, &slots),
        ),
        ("fish/links.fish", source("links.fish")?),
        (
            "fish/__crossmerge_applet.fish",
            with_tools("__crossmerge_applet.fish", |name, tool| {
                format!("        '{name} {tool}' \\\n")
            })?,
        ),
    ];
    Ok(files.map(|(place, text)| (place.into(), text)).into())
}

fn generated(shell: Shell, command: &mut Command) -> String {
    let mut text = Vec::new();
    generate(shell, command, "crossmerge", &mut text);
    String::from_utf8(text).expect("clap's texts are UTF-8")
}

/// The names of the built-in probes.
fn probes(root: &Path) -> Result<Vec<String>, Failure> {
    let directory = root.join("site-cache/probes");
    let mut probes = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(Failure::io(&directory))? {
        let path = entry.map_err(Failure::io(&directory))?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            probes.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    probes.sort();
    Ok(probes)
}

/// The real tool of each name. For an applet without a command, the applet's `code` or `env`, with `@` before it. For a compiler,
/// `@compiler`, because the completion must ask the target's compiler and not the tool of that name on the build machine.
fn tools(definitions: &[Definition]) -> BTreeMap<&str, String> {
    let mut tools = BTreeMap::new();
    for definition in definitions {
        for (name, tool) in definition.real_tools() {
            let tool = match (tool, definition.code.as_deref()) {
                _ if definition.compiles() => "@compiler".into(),
                ("", code) => format!("@{}", code.unwrap_or("env")),
                (tool, _) => tool.to_owned(),
            };
            tools.entry(name).or_insert(tool);
        }
    }
    tools
}

/// All commands, each with its subcommands joined by spaces.
fn commands(command: &Command) -> Vec<(String, &Command)> {
    fn gather<'c>(command: &'c Command, path: &str, all: &mut Vec<(String, &'c Command)>) {
        all.push((path.into(), command));
        for command in command.get_subcommands() {
            let path = format!("{path} {}", command.get_name());
            gather(command, path.trim_start(), all);
        }
    }
    let mut all = Vec::new();
    gather(command, "", &mut all);
    all
}

/// The number of positional arguments before those that belong to another program.
fn before(slots: &[Slot]) -> impl Iterator<Item = (String, usize)> {
    slots
        .iter()
        .filter_map(|slot| match (&slot.place, &slot.value) {
            (Place::Argument { number, .. }, Value::Known("applet" | "configure")) => {
                Some((slot.path.join(" "), number - 1))
            }
            _ => None,
        })
}

fn of_shell(value: &Value) -> String {
    match value {
        Value::Words(words) => format!("words {}", words.join(" ")),
        Value::Known(kind) => (*kind).into(),
    }
}

fn bash(command: &Command, slots: &[Slot], tools: &BTreeMap<&str, String>) -> String {
    let mut text = String::from(
        "# shellcheck shell=bash disable=SC2034,SC2086,SC2207\n# Made by `make docs`; see completions/README.md.\n\n",
    );
    let mut table = |name: &str, rows: Vec<(String, String)>| {
        let _ = writeln!(text, "declare -gA _crossmerge_{name}=(");
        for (key, value) in rows {
            let _ = writeln!(text, "\t['{key}']='{value}'");
        }
        text += ")\n";
    };
    let all = commands(command);
    let rows = |words: fn(&Command) -> Vec<String>| {
        let rows = all
            .iter()
            .map(|(path, command)| (path.clone(), words(command).join(" ")));
        // A key of an associative array in bash cannot be empty.
        rows.map(|(path, words)| (format!("{path} "), words))
            .collect()
    };
    table(
        "commands",
        rows(|command| {
            let names = command.get_subcommands().map(Command::get_name);
            names.map(Into::into).collect()
        }),
    );
    table(
        "options",
        rows(|command| command.get_arguments().flat_map(names).collect()),
    );
    let mut values = Vec::new();
    for slot in slots {
        let path = slot.path.join(" ");
        let keys = match &slot.place {
            Place::Option(names) => names.clone(),
            Place::Argument { many: true, .. } => vec!["*".into()],
            Place::Argument { number, .. } => vec![number.to_string()],
        };
        values.extend(
            keys.iter()
                .map(|key| (format!("{path} {key}"), of_shell(&slot.value))),
        );
    }
    table("values", values);
    let before = before(slots).map(|(path, count)| (format!("{path} "), count.to_string()));
    table("before", before.collect());
    let tools = tools
        .iter()
        .map(|(name, tool)| ((*name).to_owned(), tool.clone()));
    table("tools", tools.collect());
    text + "declare -gA _crossmerge_help=()\n\n"
}

/// Marks the number of a position in clap's output for zsh. A private-use character, which the output has nowhere else.
const MARK: char = '\u{e000}';

/// clap's output for zsh, with crossmerge's function for each position that clap cannot complete. clap has no hook for such a function,
/// so marks in its help texts show where to insert it.
fn zsh(command: &Command, slots: &[Slot]) -> Result<String, Failure> {
    let mut text = generated(Shell::Zsh, &mut marked(command.clone(), &[], slots));
    for (number, slot) in slots.iter().enumerate() {
        let action = match &slot.value {
            Value::Words(words) => format!("({})", words.join(" ")),
            // The leading space stops zsh from inserting its own arguments before the kind.
            Value::Known(kind) => format!(" _crossmerge_values {kind}"),
        };
        let mark = format!("{MARK}{number}{MARK}:_default");
        text = text.replace(&mark, &format!(":{action}"));
    }
    match text.contains(MARK) {
        false => Ok(text),
        true => Err(Failure(
            "clap_complete has changed its form of zsh's actions: adapt `zsh` in examples/docs/completions.rs".into(),
        )),
    }
}

/// The command, with a mark at the end of the help of each position that clap cannot complete.
fn marked(command: Command, path: &[String], slots: &[Slot]) -> Command {
    let knows_it = |arg: &Arg, slot: &Slot| {
        let is_path = matches!(slot.value, Value::Known("files" | "directories"));
        is_path || !arg.get_possible_values().is_empty()
    };
    let mark = |arg: &Arg| {
        let number = slots.iter().position(|slot| slot.is_of(path, arg))?;
        (!knows_it(arg, &slots[number])).then(|| format!("{MARK}{number}{MARK}"))
    };
    let command = command.mut_args(|arg| match mark(&arg) {
        Some(mark) if arg.is_positional() => {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            arg.help(help + &mark)
        }
        Some(mark) => {
            let name = arg.get_value_names().map(|names| names.join(" "));
            // clap requires names of static lifetime.
            arg.value_name(&*(name.unwrap_or_default() + &mark).leak())
        }
        None => arg,
    });
    command.mut_subcommands(|command| {
        let path = [path, &[command.get_name().to_owned()]].concat();
        marked(command, &path, slots)
    })
}

/// fish's completions of arguments and of the values of options.
fn fish_tables(command: &Command, slots: &[Slot]) -> String {
    let mut text = String::new();
    let mut valued = Vec::new();
    for slot in slots {
        let path = slot.path.join(" ");
        let value = of_shell(&slot.value);
        let (at, place) = match &slot.place {
            Place::Option(names) => {
                valued.extend(names.clone());
                let names = names.iter().map(|name| match name.strip_prefix("--") {
                    Some(long) => format!("-l {long}"),
                    None => format!("-s {}", name.trim_start_matches('-')),
                });
                (String::new(), names.collect::<Vec<_>>().join(" ") + " -x")
            }
            Place::Argument { number, many, .. } => {
                let many = if *many { " +" } else { "" };
                (format!(" {number}{many}"), "-f".to_owned())
            }
        };
        let _ = writeln!(
            text,
            "complete -c crossmerge -n \"__crossmerge_at '{path}'{at}\" {place} -a '(__crossmerge_values {value})'"
        );
    }
    valued.sort();
    valued.dedup();
    let commands: Vec<String> = commands(command)
        .iter()
        .skip(1)
        .map(|(path, _)| format!("'{path}'"))
        .collect();
    let before: Vec<String> = before(slots)
        .map(|(path, count)| format!("'{path}={count}'"))
        .collect();
    let _ = write!(
        text,
        "set -g __crossmerge_valued {}\nset -g __crossmerge_commands {}\nset -g __crossmerge_before {}\n",
        valued.join(" "),
        commands.join(" "),
        before.join(" ")
    );
    text
}
