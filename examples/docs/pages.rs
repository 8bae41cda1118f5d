//! The manual pages: `man/*.md`, in which each directive is replaced by text from the program or from another document.

use super::{Failure, applets::Definition, markdown, read, roff};
use clap_mangen::Man;
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

/// A file below `share/man`: its path there, and its text.
pub(crate) type Page = (PathBuf, String);

/// A source file of `man/*.md`.
struct Source {
    /// The page's main name and its other names, each with the section.
    names: Vec<(String, String)>,
    summary: String,
    text: String,
}

/// Generates every page, and for every other name a page that refers to it (`.so`).
pub(crate) fn pages(root: &Path, date: &str) -> Result<Vec<Page>, Failure> {
    let directory = root.join("man");
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(&directory).map_err(Failure::io(&directory))? {
        let path = entry.map_err(Failure::io(&directory))?.path();
        if path.extension().is_some_and(|extension| extension == "md")
            && !path.ends_with("README.md")
        {
            sources.push(Source::of(&path)?);
        }
    }
    sources.sort_by(|one, other| one.key().cmp(&other.key()));
    let mut pages = Vec::new();
    for source in &sources {
        let see_also: Vec<String> = sources
            .iter()
            .filter(|other| other.key() != source.key())
            .map(|other| format!("{}({})", other.names[0].0, other.names[0].1))
            .collect();
        let (name, section) = &source.names[0];
        let place = |(name, section): &(String, String)| {
            PathBuf::from(format!("man{section}/{name}.{section}"))
        };
        pages.push((
            place(&source.names[0]),
            source.render(root, date, &see_also.join(", "))?,
        ));
        let mut aliases = source.names[1..].to_vec();
        if name == "crossmerge" && section == "1" {
            // For `man crossmerge-init`, similar to `man git-log`. They are absent from NAME, which would become too long.
            let command = crossmerge::cli::command();
            let commands = command.get_subcommands();
            let names = commands.map(|command| format!("{name}-{}", command.get_name()));
            let is_free = |name: &String| sources.iter().all(|other| other.names[0].0 != *name);
            aliases.extend(names.filter(is_free).map(|name| (name, section.clone())));
        }
        for alias in &aliases {
            pages.push((place(alias), format!(".so man{section}/{name}.{section}\n")));
        }
    }
    Ok(pages)
}

impl Source {
    /// Reads the names and the summary from the first line: `# name(1), other(1): summary`.
    fn of(path: &Path) -> Result<Self, Failure> {
        let wrong = || {
            Failure(format!(
                "{}: the first line is not `# name(section): summary`",
                path.display()
            ))
        };
        let whole = read(path)?;
        let (first, text) = whole.split_once('\n').ok_or_else(wrong)?;
        let first = first.strip_prefix("# ").ok_or_else(wrong)?;
        let (names, summary) = first.split_once(": ").ok_or_else(wrong)?;
        let names = names.split(", ").map(|name| {
            let (name, section) = name.strip_suffix(')')?.split_once('(')?;
            Some((name.to_owned(), section.to_owned()))
        });
        Ok(Self {
            names: names.collect::<Option<_>>().ok_or_else(wrong)?,
            summary: summary.into(),
            text: text.into(),
        })
    }

    fn key(&self) -> (&str, &str) {
        let (name, section) = &self.names[0];
        (section, name)
    }

    fn render(&self, root: &Path, date: &str, see_also: &str) -> Result<String, Failure> {
        let (name, section) = &self.names[0];
        let version = format!("crossmerge {}", env!("CARGO_PKG_VERSION"));
        let mut page = String::from(".\\\" Made by `make docs`; see man/README.md.\n");
        page += &roff::title(name, section, date, &version);
        let names: Vec<&str> = self.names.iter().map(|(name, _)| name.as_str()).collect();
        page += ".SH NAME\n";
        page += &roff::name(&names.join(", "), &self.summary);
        let mut markdown = String::new();
        for line in self.text.lines() {
            let directive = line
                .strip_prefix("{{")
                .and_then(|line| line.strip_suffix("}}"));
            match directive {
                None => markdown += line,
                // The only directive whose text is not Markdown: clap_mangen renders the options.
                Some("commands") => {
                    page += &roff::body(&std::mem::take(&mut markdown));
                    page += &commands(crossmerge::cli::command());
                }
                Some(directive) => markdown += &insertion(root, directive, see_also)?,
            }
            markdown.push('\n');
        }
        page += &roff::body(&markdown);
        Ok(roff::tidied(&page))
    }
}

fn insertion(root: &Path, directive: &str, see_also: &str) -> Result<String, Failure> {
    match directive {
        "see-also" => Ok(see_also.into()),
        "applets" => Ok(applets(&Definition::all(root)?)),
        "tools" => Ok(tools(&Definition::all(root)?)),
        "variables" => Ok(variables(&read(&root.join("crates/plan/src/env.rs"))?)),
        document => {
            let (file, anchor) = match document.split_once('#') {
                Some((file, anchor)) => (file, Some(anchor)),
                None => (document, None),
            };
            let text = read(&root.join(file))?;
            let text = match anchor {
                None => &text,
                Some(anchor) => markdown::section(&text, anchor)
                    .ok_or_else(|| Failure(format!("{file}: there is no heading `{anchor}`")))?,
            };
            Ok(markdown::demoted(text, 3))
        }
    }
}

/// Every command with its options and its subcommands.
fn commands(mut command: clap::Command) -> String {
    command.build();
    let mut text = String::new();
    command
        .get_subcommands()
        .for_each(|command| describe(command, &mut text));
    text
}

fn describe(command: &clap::Command, text: &mut String) {
    // The page describes `--help` once, because it is the same for every command.
    let is_help = |arg: &clap::Arg| arg.get_id() == "help";
    let mut command = command.clone().mut_args(|arg| match is_help(&arg) {
        true => arg.hide(true),
        false => arg,
    });
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    *text += &roff::subsection(usage);
    let about = command.get_long_about().or(command.get_about());
    *text += &roff::body(&about.map(ToString::to_string).unwrap_or_default());
    let mut options = Vec::new();
    let man = Man::new(command.clone());
    man.render_options_section(&mut options)
        .expect("a Vec takes everything");
    let options = String::from_utf8(options).expect("clap's texts are UTF-8");
    if let Some((_, options)) = options.split_once(".SH OPTIONS\n") {
        *text += options;
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        *text += &roff::after_help(&after.to_string());
    }
    command
        .get_subcommands()
        .for_each(|command| describe(command, text));
}

fn applets(definitions: &[Definition]) -> String {
    let mut text = String::from("| applet | |\n|---|---|\n");
    for definition in definitions {
        for name in definition.applets() {
            let _ = write!(text, "| *tuple*`-{name}` | {}", definition.summary);
            if let Some(command) = &definition.command {
                let _ = write!(text, ". Command: `{command}`");
            }
            if !definition.layers.is_empty() {
                let _ = write!(text, ". Layers: {}", definition.layers.join(", "));
            }
            if let Some(variable) = &definition.variable {
                let _ = write!(text, ". {variable} replaces the command");
            }
            text += " |\n";
        }
    }
    text
}

fn tools(definitions: &[Definition]) -> String {
    let mut text = String::from("| tools | |\n|---|---|\n");
    for definition in definitions
        .iter()
        .filter(|definition| !definition.tools.is_empty())
    {
        let names: Vec<String> = definition
            .tools
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        let toolchain = definition.toolchain.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} (`{toolchain}`) |",
            names.join(", "),
            definition.summary
        );
    }
    text
}

/// The environment variables that the program reads: the constants of `env.rs`, each with its doc comment.
fn variables(source: &str) -> String {
    let mut text = String::from("| variable | |\n|---|---|\n");
    let mut about = Vec::new();
    for line in source.lines() {
        if let Some(comment) = line.strip_prefix("/// ") {
            about.push(comment);
            continue;
        }
        let constant = line
            .strip_prefix("pub const ")
            .and_then(|line| line.split_once(": Variable"));
        if let Some((name, _)) = constant {
            let _ = writeln!(text, "| `{name}` | {} |", about.join(" "));
        }
        about.clear();
    }
    text
}
