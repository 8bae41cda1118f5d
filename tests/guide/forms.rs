//! Every crossmerge command line that a page, a comment or a hint names exists: its subcommand, its options and its
//! applet.
//!
//! A form does not run: `crossmerge export <tuple> cmake|meson [FILE]` stands for many command lines.

use super::page::{self, Kind};
use crate::support::Prefix;
use clap::error::{ContextKind, ErrorKind};
use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Names that begin with a tuple and are no applets: tools that only some toolchains have, symlinks to a sysroot's
/// scripts, and the example of a user's own applet.
const NOT_OURS: &[&str] = &[
    "config",
    "libgcrypt-config",
    "name-config",
    "revdep-rebuild",
];

#[test]
fn every_command_that_is_named_exists() {
    let mut found = 0;
    let mut wrong = Vec::new();
    for page in page::all() {
        for text in page.prose.iter().flat_map(|line| spans(line)) {
            found += check(text, &page.path, &mut wrong);
        }
        for block in &page.blocks {
            let commands: Vec<String> = match block.kind() {
                Kind::Run { .. } | Kind::Excused { .. } => {
                    block.steps().into_iter().map(|step| step.command).collect()
                }
                Kind::Form => whole_lines(&block.lines),
                Kind::Data => Vec::new(),
            };
            for command in commands {
                found += check(&command, &block.at.to_string(), &mut wrong);
            }
        }
    }
    let mut files = Vec::new();
    sources(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    for file in files {
        for span in spans(&std::fs::read_to_string(&file).expect("a source")) {
            found += check(span, &file.display().to_string(), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found > 250, "only {found} were found");
}

fn sources(directory: PathBuf, files: &mut Vec<PathBuf>) {
    for entry in directory.read_dir().expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(path, files);
        } else {
            files.push(path);
        }
    }
}

/// The command lines of a form. An indented line continues the one before it.
fn whole_lines(lines: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for line in lines {
        match whole.last_mut() {
            Some(last) if line.starts_with("      ") => *last += line,
            _ => whole.push(line.clone()),
        }
    }
    whole
}

/// The spans of a line that are in backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Checks the commands in a line, and returns their number.
fn check(line: &str, place: &str, wrong: &mut Vec<String>) -> usize {
    let forms = forms(line);
    for form in &forms {
        if let Err(why) = parses(form) {
            wrong.push(format!("{place}: `crossmerge {}`: {why}", form.join(" ")));
        }
    }
    let applets = applets(line);
    for applet in &applets {
        if !APPLETS.with(|known| known.contains(applet)) {
            wrong.push(format!("{place}: there is no `<tuple>-{applet}`"));
        }
    }
    forms.len() + applets.len()
}

/// The arguments of each call of `crossmerge` in a line. An alternative such as `list|show` makes several calls.
fn forms(line: &str) -> Vec<Vec<String>> {
    let mut forms = Vec::new();
    for (at, _) in line.match_indices("crossmerge ") {
        // A command is at the beginning of the line, after a prompt, or in `$(…)`. `crossmerge` inside a path is no
        // command.
        let before = &line[..at];
        if !(before.is_empty() || before.ends_with([' ', '(']) || before.ends_with("bin/")) {
            continue;
        }
        let rest = &line[at + "crossmerge ".len()..];
        let rest = rest
            .split(['`', ')', ';', '#', '"', ','])
            .next()
            .unwrap_or(rest);
        let mut alternatives = vec![Vec::new()];
        let mut depth = 0;
        for word in rest.split_whitespace() {
            let opened = word.matches('[').count();
            let closed = word.matches(']').count();
            let bare = word.replace(['[', ']'], "").replace('…', "");
            if matches!(word, "|" | ">" | "<" | "&&") && depth == 0 {
                break;
            }
            depth = (depth + opened).saturating_sub(closed);
            if bare.is_empty() || bare == "|" || bare == "--" {
                continue;
            }
            alternatives = alternatives
                .into_iter()
                .flat_map(|form: Vec<String>| {
                    bare.split('|')
                        .map(|word| [form.clone(), vec![word.to_owned()]].concat())
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        forms.extend(alternatives);
    }
    forms
}

/// Checks that the subcommand and the options of a call exist. Missing arguments are no error.
fn parses(form: &[String]) -> Result<(), String> {
    let stands_for_any = |word: &String| word.starts_with(['{', '<', '*']);
    if form.first().is_none_or(stands_for_any) {
        return Ok(());
    }
    let words = crossmerge::cli::words_for_clap(form.iter().map(OsString::from).collect());
    let words = std::iter::once("crossmerge".into()).chain(words);
    let Err(error) = crossmerge::cli::command().try_get_matches_from(words) else {
        return Ok(());
    };
    let is_empty = |value: &clap::error::ContextValue| value.to_string().is_empty();
    match error.kind() {
        ErrorKind::UnknownArgument
        | ErrorKind::InvalidSubcommand
        | ErrorKind::TooManyValues
        | ErrorKind::TooFewValues => Err(error.kind().to_string()),
        // An option whose value the form omits.
        ErrorKind::InvalidValue if error.get(ContextKind::InvalidValue).is_none_or(is_empty) => {
            Ok(())
        }
        ErrorKind::InvalidValue => Err(error.kind().to_string()),
        _ => Ok(()),
    }
}

/// The applets that the line names with a tuple before them.
fn applets(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["<tuple>-", "$t-"] {
        for (at, _) in line.match_indices(start) {
            let rest = &line[at + start.len()..];
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                .unwrap_or(rest.len());
            let applet = rest[..end].trim_end_matches(['.', '-']);
            let is_open = rest[end..].starts_with(['<', '…', '*', '{']);
            if !applet.is_empty() && !is_open {
                found.push(applet.into());
            }
        }
    }
    found
}

thread_local! {
    /// The applets, and the tools of toolchains.
    static APPLETS: BTreeSet<String> = {
        let applets = Prefix::new().own(["applets"]).success().stdout;
        let mut known: BTreeSet<String> = applets.lines().map(str::to_owned).collect();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("wrappers");
        for entry in directory.read_dir().expect("wrappers").flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(entry.path()).expect("a wrapper");
                let wrapper: toml::Table = text.parse().expect("TOML");
                if let Some(toml::Value::Table(tools)) = wrapper.get("tools") {
                    known.extend(tools.keys().cloned());
                }
            }
        }
        known.extend(NOT_OURS.iter().map(|&name| name.to_owned()));
        known
    };
}

#[test]
fn a_form_is_taken_apart() {
    for (line, wanted) in [
        ("crossmerge show <tuple>", &["show <tuple>"][..]),
        ("# crossmerge init $t --llvm", &["init $t --llvm"]),
        (
            "crossmerge binfmt status|show [<tuple>] [--json]",
            &["binfmt status <tuple> --json", "binfmt show <tuple> --json"],
        ),
        (
            "crossmerge init <tuple> [--toolchain PREFIX | --llvm]",
            &["init <tuple> --toolchain PREFIX --llvm"],
        ),
        ("$ crossmerge show $t | head", &["show $t"]),
        (
            "eval \"$(crossmerge export $t env)\" && make",
            &["export $t env"],
        ),
        ("ls /etc/crossmerge ", &[]),
    ] {
        let forms: Vec<String> = forms(line).iter().map(|form| form.join(" ")).collect();
        assert_eq!(forms, wanted, "{line}");
    }
    assert!(parses(&["init".into(), "--no-such".into()]).is_err());
    assert!(parses(&["export".into(), "t".into(), "ninja".into()]).is_err());
    assert!(parses(&["init".into(), "--toolchain".into()]).is_ok());
}
