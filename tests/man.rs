//! The manual pages: mandoc and man accept them without a warning, and they contain everything that the program
//! knows.

use crate::{docs, support::Prefix};
use std::{collections::BTreeSet, path::PathBuf};

/// A page's source text, with dashes as a user types them.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    #[track_caller]
    fn has(&self, what: &str) {
        let name = self.path.file_name().expect("a name").display();
        assert!(self.text.contains(what), "{name} does not say {what:?}");
    }
}

/// Makes the pages, without those that are only another name of a page.
fn pages(prefix: &Prefix) -> Vec<Page> {
    docs::make("2026-01-31", &prefix.path()).expect("pages");
    let mut pages = Vec::new();
    for section in ["man1", "man5"] {
        for entry in std::fs::read_dir(prefix.join("man").join(section)).expect(section) {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a page");
            if !text.starts_with(".so ") {
                let text = text.replace(r"\-", "-");
                pages.push(Page { path, text });
            }
        }
    }
    pages
}

fn page(prefix: &Prefix, name: &str) -> Page {
    let mut pages = pages(prefix).into_iter();
    pages.find(|page| page.path.ends_with(name)).expect(name)
}

#[test]
fn mandoc_and_man_print_no_warning() {
    let mut prefix = Prefix::new();
    prefix.set("LC_ALL", "C.UTF-8");
    for page in pages(&prefix) {
        let path = page.path.as_os_str();
        let output = prefix.command("mandoc", ["-Tlint".as_ref(), "-Wwarning".as_ref(), path]);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(0), ""),
            "{output:#?}"
        );
        let options = ["--warnings", "-EUTF-8", "-Tutf8", "-Z", "-l"].map(AsRef::as_ref);
        let output = prefix.command("man", options.into_iter().chain([path]));
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (Some(0), ""),
            "{}",
            page.path.display()
        );
        assert!(page.text.is_ascii(), "{}", page.path.display());
    }
}

/// A placeholder such as `<tuple>` looks like a tag, and Markdown drops tags.
#[test]
fn placeholders_are_in_the_page_and_every_command_has_an_alias_page() {
    fn check(command: &clap::Command, page: &Page) {
        let help = command.get_after_help().map(ToString::to_string);
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string);
        let filled = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = filled(&page.text.replace(r"\fB", "").replace(r"\fR", ""));
        for sentence in [help, about].iter().flatten() {
            for word in filled(sentence)
                .split(' ')
                .filter(|word| word.contains('<'))
            {
                let word = word.trim_matches(|c| "`,.()".contains(c)).replace('`', "");
                assert!(
                    text.contains(&word),
                    "crossmerge.1 does not contain {word:?}"
                );
            }
        }
        command
            .get_subcommands()
            .for_each(|command| check(command, page));
    }
    let prefix = Prefix::new();
    let page = page(&prefix, "crossmerge.1");
    check(&crossmerge::cli::command(), &page);
    for command in crossmerge::cli::command().get_subcommands() {
        // The subcommands of these have pages of their own.
        let name = command.get_name();
        if !["applets", "profile", "site-cache"].contains(&name) {
            let alias = prefix.read(&format!("man/man1/crossmerge-{name}.1"));
            assert_eq!(alias, ".so man1/crossmerge.1\n");
        }
    }
}

#[test]
fn every_command_and_option_is_in_the_page() {
    fn check(command: &clap::Command, path: &str, page: &Page) {
        page.has(&format!(".SS \"{path}"));
        for arg in command.get_arguments() {
            if let Some(long) = arg
                .get_long()
                .filter(|long| *long != "help" && *long != "version")
            {
                page.has(&format!("--{long}"));
            }
        }
        for command in command.get_subcommands() {
            check(command, &format!("{path} {}", command.get_name()), page);
        }
    }
    let page = page(&Prefix::new(), "crossmerge.1");
    let mut command = crossmerge::cli::command();
    command.build();
    for command in command.get_subcommands() {
        let path = format!("crossmerge {}", command.get_name());
        // A heading of two words is in quotes only if more follows it.
        let is_plain = command.get_arguments().all(|arg| arg.get_id() == "help");
        if is_plain && !command.has_subcommands() {
            page.has(&path);
        } else {
            check(command, &path, &page);
        }
    }
}

#[test]
fn every_applet_and_tool_is_in_the_page() {
    let prefix = Prefix::new();
    let page = page(&prefix, "crossmerge-applets.1");
    let applets = prefix.own(["applets"]).success().stdout;
    for applet in applets.lines() {
        page.has(&format!("\\fItuple\\fR\\fB-{applet}\\fR"));
    }
    let root = env!("CARGO_MANIFEST_DIR").as_ref();
    let definitions = docs::applets::Definition::all(root).expect("definitions");
    let known: BTreeSet<&str> = definitions.iter().flat_map(|d| d.applets()).collect();
    assert_eq!(
        known,
        applets.lines().collect(),
        "the generator reads wrappers/ as the program does"
    );
    for tool in definitions
        .iter()
        .flat_map(|definition| definition.tools.keys())
    {
        page.has(&format!("\\fB{tool}\\fR"));
    }
}

/// The names that the program lists when it rejects an unknown one.
fn known(prefix: &Prefix, file: &str, text: &str, args: &[&str]) -> Vec<String> {
    let path = prefix.write(&format!("etc/crossmerge/{file}"), text);
    let output = prefix.own(args);
    std::fs::remove_file(path).expect("the file");
    let (_, list) = output
        .stderr
        .split_once(", expected ")
        .unwrap_or_else(|| panic!("{file} is taken: {output:#?}"));
    let list = list.lines().next().expect("a line");
    let names: Vec<String> = list.split('`').skip(1).step_by(2).map(Into::into).collect();
    assert!(!names.is_empty(), "{output:#?}");
    names
}

#[test]
fn every_key_of_a_file_is_in_its_page() {
    let prefix = Prefix::new();
    let target = "targets/avr.toml";
    let plan = ["plan", "avr", "env"];
    let family = include_str!("../profiles/avr.toml");
    let wrapper = "summary = \"x\"\ncommand = \"x\"\n";
    for (page_name, file, text, args) in [
        (
            "crossmerge.toml.5",
            "crossmerge.toml",
            "nothing = 1",
            &plan[..],
        ),
        ("crossmerge.toml.5", target, "nothing = 1", &plan),
        ("crossmerge.toml.5", target, "leaks = \"nothing\"", &plan),
        (
            "crossmerge.toml.5",
            target,
            "site_cache = \"nothing\"",
            &plan,
        ),
        (
            "crossmerge.toml.5",
            target,
            "[toolchain]\nnothing = 1",
            &plan,
        ),
        ("crossmerge.toml.5", target, "[root]\nnothing = 1", &plan),
        ("crossmerge.toml.5", target, "[kernel]\nnothing = 1", &plan),
        (
            "crossmerge.toml.5",
            target,
            "[toolchain]\nkind = \"nothing\"",
            &plan,
        ),
        (
            "crossmerge-wrappers.5",
            "wrappers/x.toml",
            "nothing = 1",
            &plan,
        ),
        (
            "crossmerge-wrappers.5",
            "wrappers/x.toml",
            &format!("{wrapper}code = \"nothing\""),
            &plan,
        ),
        (
            "crossmerge-wrappers.5",
            "wrappers/x.toml",
            &format!("{wrapper}layers = [\"nothing\"]"),
            &plan,
        ),
        (
            "crossmerge-wrappers.5",
            "wrappers/x.toml",
            &format!("{wrapper}toolchain = \"nothing\""),
            &plan,
        ),
        (
            "crossmerge-site-cache.5",
            "site-cache/avr.toml",
            "nothing = 1",
            &["site-cache", "list", "avr"],
        ),
        (
            "crossmerge-site-cache.5",
            "site-cache/avr.toml",
            "[answers]\na_cv_b = { nothing = 1 }",
            &["site-cache", "list", "avr"],
        ),
        (
            "crossmerge-profiles.5",
            "profiles/avr.toml",
            &format!("nothing = 1\n{family}"),
            &["show", "avr"],
        ),
        (
            "crossmerge-profiles.5",
            "profiles/avr.toml",
            &format!("{family}[[binfmt]]\nnothing = 1"),
            &["show", "avr"],
        ),
    ] {
        let page = page(&prefix, page_name);
        for name in known(&prefix, file, text, args) {
            let value = format!("\\fB\"{name}\"\\fR");
            if !page.text.contains(&value) {
                page.has(&format!("\\fB{name}\\fR"));
            }
        }
    }
}

#[test]
fn every_example_in_a_help_is_a_command() {
    fn check(command: &clap::Command, checked: &mut usize) {
        let help = command.get_after_help().map(ToString::to_string);
        for line in help.iter().flat_map(|help| help.lines()) {
            let Some((_, line)) = line
                .split_once("crossmerge ")
                .filter(|_| line.starts_with("  "))
            else {
                continue;
            };
            let line = line.trim_end_matches(")\"");
            let words = format!("crossmerge {line}");
            let output = crossmerge::cli::command().try_get_matches_from(words.split(' '));
            assert!(output.is_ok(), "{words}: {output:?}");
            *checked += 1;
        }
        command
            .get_subcommands()
            .for_each(|command| check(command, checked));
    }
    let mut checked = 0;
    check(&crossmerge::cli::command(), &mut checked);
    assert!(checked >= 5, "{checked}");
}
