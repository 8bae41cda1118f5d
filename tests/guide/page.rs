//! A page's text: its fenced blocks, and for each block that runs the commands and their output.
//!
//! This module runs nothing.

use std::{
    fmt::{self, Display},
    path::{Path, PathBuf},
};

/// A page of the documentation.
pub(super) struct Page {
    /// The path below the checkout.
    pub(super) path: String,
    pub(super) blocks: Vec<Block>,
    /// The lines outside blocks.
    pub(super) prose: Vec<String>,
}

/// A fenced block.
pub(super) struct Block {
    pub(super) at: Place,
    /// The text after the fence: `console`, `toml`, `console not run: why`.
    pub(super) info: String,
    pub(super) lines: Vec<String>,
}

/// What the test does with a block.
pub(super) enum Kind {
    /// Commands that run. With `fails`, the last one must fail.
    Run { fails: bool },
    /// Commands that do not run, and the reason.
    Excused { why: String },
    /// A form of commands or an excerpt. Only its `crossmerge …` lines are checked.
    Form,
    /// The text of a file.
    Data,
}

/// One command of a block.
pub(super) struct Step {
    pub(super) at: Place,
    pub(super) as_root: bool,
    pub(super) command: String,
    pub(super) output: Vec<String>,
}

/// A line of a page.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) line: usize,
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// Every page, for users and for developers.
pub(super) fn all() -> Vec<Page> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![checkout.join("docs"), checkout.join("man")];
    let mut files: Vec<PathBuf> = ["", "wrappers", "profiles", "site-cache", "demo"]
        .map(|directory| checkout.join(directory).join("README.md"))
        .into();
    while let Some(directory) = directories.pop() {
        for entry in directory.read_dir().expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    let path = |file: &PathBuf| {
        let path = file.strip_prefix(checkout).expect("a page of ours");
        path.to_str().expect("a plain name").to_owned()
    };
    files.iter().map(|file| Page::read(&path(file))).collect()
}

impl Page {
    pub(super) fn read(path: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut blocks: Vec<Block> = Vec::new();
        let mut prose = Vec::new();
        let mut is_open = false;
        for (number, line) in (1..).zip(text.lines()) {
            let place = Place {
                path: path.into(),
                line: number,
            };
            match line.trim_start().strip_prefix("```") {
                Some(info) if !is_open => {
                    blocks.push(Block {
                        at: place,
                        info: info.trim().into(),
                        lines: Vec::new(),
                    });
                    is_open = true;
                }
                Some(_) => is_open = false,
                None if is_open => {
                    let block = blocks.last_mut().expect("the one that is open");
                    block.lines.push(line.trim_end().into());
                }
                None => prose.push(line.into()),
            }
        }
        assert!(!is_open, "{path}: a fence is not closed");
        Self {
            path: path.into(),
            blocks,
            prose,
        }
    }

    pub(super) fn is_run(&self) -> bool {
        let is_run = |block: &Block| matches!(block.kind(), Kind::Run { .. });
        self.blocks.iter().any(is_run)
    }
}

impl Block {
    pub(super) fn kind(&self) -> Kind {
        match self.info.split_once(' ').unwrap_or((&self.info, "")) {
            ("console", "") => Kind::Run { fails: false },
            ("console", "fails") => Kind::Run { fails: true },
            ("console", why) => Kind::Excused {
                why: why
                    .strip_prefix("not run: ")
                    .unwrap_or_else(|| panic!("{}: `console {why}` has no meaning", self.at))
                    .into(),
            },
            ("", "") | ("sh", "") => Kind::Form,
            _ => Kind::Data,
        }
    }

    /// The commands: after `$ ` an ordinary user's, after `# ` root's, after `> ` the next line of a command. The
    /// other lines are the output.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (number, line) in (self.at.line + 1..).zip(&self.lines) {
            let started = ["$ ", "# "].iter().find_map(|prompt| {
                let command = line.strip_prefix(prompt)?;
                Some((*prompt == "# ", command))
            });
            if let Some((as_root, command)) = started {
                steps.push(Step {
                    at: Place {
                        path: self.at.path.clone(),
                        line: number,
                    },
                    as_root,
                    command: command.into(),
                    output: Vec::new(),
                });
                continue;
            }
            let step = steps
                .last_mut()
                .unwrap_or_else(|| panic!("{}: no command stands first", self.at));
            let more = line.strip_prefix("> ").or((line == ">").then_some(""));
            match more {
                Some(more) if step.output.is_empty() => step.command += &format!("\n{more}"),
                _ => step.output.push(line.clone()),
            }
        }
        steps
    }
}

/// Returns whether the output of a command matches the page. `…` is any text within a line, and alone on a line any
/// lines.
pub(super) fn fits(wanted: &[String], got: &[&str]) -> bool {
    match wanted {
        [] => got.is_empty(),
        [any, rest @ ..] if any.trim() == "…" => {
            (0..=got.len()).any(|skipped| fits(rest, &got[skipped..]))
        }
        [line, rest @ ..] => got
            .split_first()
            .is_some_and(|(first, others)| line_fits(line, first) && fits(rest, others)),
    }
}

fn line_fits(wanted: &str, got: &str) -> bool {
    let (wanted, got) = (wanted.trim_end(), got.trim_end());
    let Some((start, rest)) = wanted.split_once('…') else {
        return wanted == got;
    };
    let Some(got) = got.strip_prefix(start) else {
        return false;
    };
    got.char_indices()
        .map(|(at, _)| at)
        .chain([got.len()])
        .any(|at| line_fits(rest, &got[at..]))
}

#[test]
fn an_ellipsis_is_any_text_of_a_line_or_any_lines() {
    let printed = ["one", "two words", "three"];
    for (wanted, does_fit) in [
        (&["one", "two words", "three"][..], true),
        (&["one", "…", "three"], true),
        (&["one", "…"], true),
        (&["…"], true),
        (&["…", "two…", "t…e"], true),
        (&["one", "two words", "three", "…"], true),
        (&["one", "two words"], false),
        (&["one", "two", "three"], false),
        (&["…", "four"], false),
        (&[], false),
    ] {
        let wanted: Vec<String> = wanted.iter().map(|&line| line.into()).collect();
        assert_eq!(fits(&wanted, &printed), does_fit, "{wanted:?}");
    }
}
