//! The text of a Makefile, to find out what it builds and which variables it reads: continued lines are joined,
//! comments are removed, and included files are appended.
//!
//! The text is searched, not evaluated: conditionals are not decided and functions are not called. An included file
//! is not found if its path has a variable that only make knows.

use super::text::{has_word, read};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The maximum nesting of includes.
const DEEPEST: usize = 5;

/// The maximum number of files that are read for one Makefile.
const MOST_FILES: usize = 64;

/// The maximum number of subdirectories that are searched, of those in which a Makefile calls make.
const MOST_DIRECTORIES: usize = 32;

/// Variables that stand for the directory of the Makefile: make's own, and kbuild's in a module outside the kernel.
const OWN_DIRECTORY: [&str; 7] = [
    "CURDIR",
    "PWD",
    "src",
    "obj",
    "M",
    "KBUILD_EXTMOD",
    "srctree",
];

/// The names that make looks for, in its order.
pub(super) const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// A logical line: a line with its continuations.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    text: String,
    /// Whether the line is a command of a rule.
    is_recipe: bool,
}

/// The lines of a Makefile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Makefile {
    lines: Vec<Line>,
}

/// The operator of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `=`, `:=`, `::=`, `!=`: replaces the environment's value.
    Plain,
    /// `?=`: applies if the environment has no value.
    Default,
    /// `+=`.
    Append,
}

/// An assignment, of the whole file or of one target.
struct Assignment<'l> {
    name: &'l str,
    operator: Operator,
    value: &'l str,
    is_override: bool,
}

impl Makefile {
    /// Splits a text into lines.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines: Vec<Line> = Vec::new();
        let mut continues = false;
        for physical in text.lines() {
            let (part, goes_on) = match physical.strip_suffix('\\') {
                Some(part) => (part, true),
                None => (physical, false),
            };
            match lines.last_mut() {
                Some(line) if continues => {
                    line.text.push(' ');
                    line.text.push_str(part.trim());
                }
                _ => lines.push(Line {
                    text: part.to_owned(),
                    is_recipe: part.starts_with('\t'),
                }),
            }
            continues = goes_on;
        }
        for line in &mut lines {
            let text = &line.text;
            // In a recipe, a `#` may be anything to the shell.
            let end = match line.is_recipe {
                true => text.trim_start().starts_with('#').then_some(0),
                false => text
                    .match_indices('#')
                    .map(|(at, _)| at)
                    .find(|at| !text[..*at].ends_with('\\')),
            };
            if let Some(end) = end {
                line.text.truncate(end);
            }
        }
        lines.retain(|line| !line.text.trim().is_empty());
        Self { lines }
    }

    /// Appends the lines of the included files, and their text to `text`.
    pub(super) fn include(&mut self, file: &Path, text: &mut String) -> io::Result<()> {
        let directory = file.parent().unwrap_or(Path::new("")).to_owned();
        let mut left = MOST_FILES;
        let included = self.included(&directory, file, text, &mut left, DEEPEST)?;
        self.lines.extend(included);
        Ok(())
    }

    fn included(
        &self,
        directory: &Path,
        file: &Path,
        text: &mut String,
        left: &mut usize,
        depth: usize,
    ) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        for path in self.includes(directory, file) {
            if *left == 0 || depth == 0 {
                break;
            }
            let Some(other) = read(&path)? else {
                continue;
            };
            *left -= 1;
            text.push('\n');
            text.push_str(&other);
            let other = Self::parse(&other);
            let below = other.included(directory, &path, text, left, depth - 1)?;
            lines.extend(other.lines);
            lines.extend(below);
        }
        Ok(lines)
    }

    /// Returns the files that this one includes.
    fn includes(&self, directory: &Path, file: &Path) -> Vec<PathBuf> {
        let names = self.lines.iter().filter(|line| !line.is_recipe);
        let names = names.filter_map(|line| {
            let text = line.text.trim();
            let (word, names) = text.split_once([' ', '\t'])?;
            ["include", "-include", "sinclude"]
                .contains(&word)
                .then_some(names)
        });
        let own = file.parent().unwrap_or(Path::new(""));
        let mut paths = Vec::new();
        for name in names.flat_map(words) {
            let Some(name) = self.expanded(name, own, DEEPEST) else {
                continue;
            };
            let path = directory.join(name);
            match path.file_name().and_then(|name| name.to_str()) {
                Some(glob) if glob.contains('*') => {
                    let entries = std::fs::read_dir(path.parent().unwrap_or(directory));
                    let entries = entries.into_iter().flatten().flatten();
                    let mut found: Vec<PathBuf> = entries
                        .filter(|entry| {
                            crossmerge_plan::glob::matches(
                                glob,
                                &entry.file_name().to_string_lossy(),
                            )
                        })
                        .map(|entry| entry.path())
                        .collect();
                    found.sort();
                    paths.extend(found);
                }
                _ => paths.push(path),
            }
        }
        paths
    }

    /// Returns a name with its variables expanded, if this file defines them. `own` is the directory of the file that
    /// names it.
    fn expanded(&self, name: &str, own: &Path, depth: usize) -> Option<String> {
        if depth == 0 {
            return None;
        }
        // `$(dir $(lastword $(MAKEFILE_LIST)))` in its many forms, and `$(wildcard FILE)`.
        if name.contains("MAKEFILE_LIST") {
            let (_, rest) = name.rsplit_once(')')?;
            let own = own.display();
            let rest = rest.trim_start_matches('/');
            return Some(match own.to_string().as_str() {
                "" => rest.to_owned(),
                own => format!("{own}/{rest}"),
            });
        }
        let Some(start) = name.find('$') else {
            return Some(name.to_owned());
        };
        let rest = &name[start + 1..];
        let (close, inner) = match rest.chars().next()? {
            '(' => (')', &rest[1..]),
            '{' => ('}', &rest[1..]),
            _ => return None,
        };
        let (variable, after) = inner.split_once(close)?;
        let value = if let Some(pattern) = variable.strip_prefix("wildcard ") {
            pattern.trim().to_owned()
        } else if OWN_DIRECTORY.contains(&variable) && self.value(variable).is_none() {
            // `$(srctree)/$(src)` is one directory.
            return self.expanded(
                format!("{}{}", &name[..start], after.trim_start_matches('/')).as_str(),
                own,
                depth - 1,
            );
        } else {
            self.value(variable)?.to_owned()
        };
        self.expanded(&format!("{}{value}{after}", &name[..start]), own, depth - 1)
    }

    /// Returns the value that the file gives a variable, unexpanded.
    fn value(&self, name: &str) -> Option<&str> {
        let mut all = self.assignments();
        all.find(|assignment| assignment.name == name)
            .map(|assignment| assignment.value)
    }

    fn assignments(&self) -> impl Iterator<Item = Assignment<'_>> {
        let lines = self.lines.iter().filter(|line| !line.is_recipe);
        lines.filter_map(|line| assignment(&line.text))
    }

    /// Returns whether the file is the top of a project with a copy of kbuild, such as busybox or barebox.
    pub(super) fn is_own_kbuild(&self) -> bool {
        ["VERSION", "PATCHLEVEL", "SUBLEVEL"].iter().all(|name| {
            self.value(name)
                .is_some_and(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }

    /// Returns whether the file starts kbuild for a module: make in the kernel's tree, with the directory to build.
    pub(super) fn calls_kbuild(&self) -> bool {
        self.lines.iter().any(|line| {
            let text = match assignment(&line.text) {
                // If it is assigned and exported, every make that this one starts gets it.
                Some(assignment) if !line.is_recipe => match assignment.name {
                    "KBUILD_EXTMOD" => return true,
                    "MAKEFLAGS" => &line.text,
                    _ => assignment.value,
                },
                _ => &line.text,
            };
            is_kbuild_call(text)
        })
    }

    /// Returns whether the file tests if kbuild is reading it.
    pub(super) fn asks_for_kbuild(&self) -> bool {
        self.lines.iter().any(|line| {
            let text = line.text.trim_start();
            let text = text.strip_prefix("else").map_or(text, str::trim_start);
            let is_conditional = ["ifeq", "ifneq", "ifdef", "ifndef"]
                .iter()
                .any(|word| text.starts_with(word));
            let asks = |name| has_word(text, name);
            is_conditional && (asks("KERNELRELEASE") || asks("KBUILD_EXTMOD"))
                || text.contains("$(if $(KERNELRELEASE)")
        })
    }

    /// Returns whether the file lists objects in kbuild's variables, and does not use the lists itself.
    pub(super) fn has_objects(&self) -> bool {
        let uses = ["$(obj-", "${obj-"];
        let uses_lists = || {
            let mut lines = self.lines.iter();
            lines.any(|line| uses.iter().any(|text| line.text.contains(text)))
        };
        let is_list = |name: &str| name == "obj-m" || name.starts_with("obj-$") || name == "obj-y";
        let mut all = self.assignments();
        let mut found = false;
        let is_module = all.any(|assignment| {
            found |= is_list(assignment.name);
            assignment.name == "obj-m"
        });
        is_module || found && !uses_lists()
    }

    /// Returns whether the file overrides an environment variable. A value that is derived from the variable itself, or
    /// from one for which `is_given` is true, does not.
    pub(super) fn replaces(&self, name: &str, is_given: &dyn Fn(&str) -> bool) -> bool {
        let mut all = self.assignments();
        all.any(|assignment| {
            assignment.name == name
                && assignment.operator == Operator::Plain
                && !assignment.is_override
                && !has_word(assignment.value, name)
                && !variables(assignment.value).any(is_given)
        })
    }

    /// Returns the subdirectories with a Makefile that the file names, if it calls make at all.
    pub(super) fn directories(&self, directory: &Path) -> Vec<PathBuf> {
        let all = || self.lines.iter().flat_map(|line| words(&line.text));
        let changes_directory = |word: &str| {
            let word = word.trim_start_matches(['@', '+', '(']);
            word.starts_with("-C") || word.starts_with("--directory") || word == "cd"
        };
        if !all().any(changes_directory) {
            return Vec::new();
        }
        let mut found: Vec<PathBuf> = Vec::new();
        for word in all() {
            let mut name = word.strip_prefix("-C").unwrap_or(word);
            for own in ["$(CURDIR)/", "$(PWD)/", "${CURDIR}/", "${PWD}/", "./"] {
                name = name.strip_prefix(own).unwrap_or(name);
            }
            let name = name
                .trim_matches(['\'', '"', ';', ')', ':', ','])
                .trim_end_matches('/');
            if name.is_empty() || name.contains('$') || name.contains("..") || name.starts_with('/')
            {
                continue;
            }
            let path = directory.join(name);
            let has = |file: &&str| path.join(file).is_file();
            if name != "." && !found.contains(&path) && MAKEFILES.iter().any(has) {
                found.push(path);
            }
            if found.len() == MOST_DIRECTORIES {
                break;
            }
        }
        found
    }
}

/// Splits a line into words, in which functions and variables stay whole.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |c: char| {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c.is_whitespace() && depth == 0
    })
    .filter(|word| !word.is_empty())
}

/// Reads an assignment: `NAME = VALUE` with any of make's operators, after `export` and `override`.
fn assignment(text: &str) -> Option<Assignment<'_>> {
    let mut depth = 0_usize;
    let equals = text.char_indices().find(|(_, c)| {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *c == '='
    });
    let (at, _) = equals?;
    let (mut name, value) = (&text[..at], text[at + 1..].trim());
    let operator = match name.as_bytes().last()? {
        b'?' => Operator::Default,
        b'+' => Operator::Append,
        _ => Operator::Plain,
    };
    name = name.trim_end_matches(['?', '+', ':', '!']).trim();
    let mut is_override = false;
    while let Some((word, rest)) = name.split_once([' ', '\t']) {
        match word {
            "export" | "private" => {}
            "override" => is_override = true,
            _ => break,
        }
        name = rest.trim_start();
    }
    let mut depth = 0_usize;
    let is_plain = name.chars().all(|c| {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 0 || ![':', ';', '"', '\''].contains(&c)
    });
    let is_one = words(name).count() == 1 && is_plain;
    is_one.then_some(Assignment {
        name,
        operator,
        value,
        is_override,
    })
}

/// Returns the variables that a value names.
fn variables(value: &str) -> impl Iterator<Item = &str> {
    value.split('$').skip(1).filter_map(|rest| {
        let inner = rest.strip_prefix(['(', '{'])?;
        let end = inner.find([')', '}', ':', ' ', ','])?;
        Some(&inner[..end])
    })
}

/// Returns whether a command or the value of a variable starts make in another tree for a directory: with `M=`, or
/// `SUBDIRS=` before Linux 5.3, or a goal of modules. Source: the kernel's Documentation/kbuild/modules.rst.
fn is_kbuild_call(text: &str) -> bool {
    let words: Vec<&str> = words(text).collect();
    let value_of = |name: &str| {
        words.iter().any(|word| {
            let word = word.trim_start_matches(['"', '\'', '(', '@']);
            let value = word
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('='));
            value.is_some_and(|value| !value.is_empty())
        })
    };
    let changes_directory = words
        .iter()
        .any(|word| word.starts_with("-C") || word.starts_with("--directory") || *word == "cd");
    let is_make = || text.to_ascii_lowercase().contains("make");
    if value_of("M") || value_of("KBUILD_EXTMOD") {
        return changes_directory || is_make();
    }
    let builds_modules = || {
        let kernels = words
            .windows(2)
            .any(|pair| pair[0] == "-C" && pair[1].starts_with('$'))
            || words.iter().any(|word| word.starts_with("-C$"));
        let is_goal = |word: &&str| ["modules", "modules_install"].contains(word);
        kernels && words.iter().any(is_goal)
    };
    changes_directory && (value_of("SUBDIRS") || builds_modules())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_kbuild_is_known_in_each_form() {
        for text in [
            "all:\n\t$(MAKE) -C $(KDIR) M=$(CURDIR) modules",
            "all:\n\t@make -C /lib/modules/`uname -r`/build M=`pwd`",
            "all:\n\t$(MAKE) -C $(KDIR) \\\n\t\tM=$(PWD)/src \\\n\t\tmodules",
            "all:\n\t+${MAKE} -C${KDIR} \"M=${PWD}\"",
            "all: ; $(MAKE) -C $(KDIR) SUBDIRS=$(PWD) modules",
            "all:\n\tcd $(KDIR) && $(MAKE) M=$(PWD)",
            "KBUILD_FLAGS := -C $(KDIR) M=$(CURDIR)\nall:\n\t$(MAKE) $(KBUILD_FLAGS)",
            "MAKEFLAGS += M=$(CURDIR)",
            "export KBUILD_EXTMOD := $(CURDIR)\nall:\n\t$(MAKE) -C $(KDIR)",
            "all:\n\tKBUILD_EXTMOD=$(PWD) $(MAKE) -C $(KDIR)",
            "all:\n\t$(MAKE) ARCH=$(ARCH) -C $(KSRC) modules",
        ] {
            assert!(Makefile::parse(text).calls_kbuild(), "{text}");
        }
        for text in [
            "SUBDIRS = lib src\nall:\n\tfor d in $(SUBDIRS); do $(MAKE) -C $$d; done",
            "SUBDIRS=lib src",
            "M = 3\nall:\n\techo $(M)",
            "# $(MAKE) -C $(KDIR) M=$(PWD)",
            "all:\n\t# make -C $(KDIR) M=$(PWD)",
            "CC = $(CROSS_COMPILE)gcc\nall:\n\t$(CC) -DM=1 -o x x.c",
            "all:\n\t$(MAKE) -C modules",
        ] {
            assert!(!Makefile::parse(text).calls_kbuild(), "{text}");
        }
    }

    #[test]
    fn lists_of_objects_are_kbuilds_unless_the_file_uses_them() {
        for (text, has) in [
            ("obj-m := x.o", true),
            ("obj-m\t+=\tx.o", true),
            ("obj-m+=x.o", true),
            ("obj-$(CONFIG_X) := x.o", true),
            ("obj-${CONFIG_X} += x.o", true),
            ("  obj-$(CONFIG_X:y=m) += x.o", true),
            ("obj-y += x.o", true),
            ("# obj-m := x.o", false),
            ("obj-y += x.o\nx: $(obj-y)\n\t$(CC) -o $@ $^", false),
            ("obj-$(CONFIG_X) += x.o\nx:\n\tld $(obj-y)", false),
            ("objs = x.o", false),
        ] {
            assert_eq!(Makefile::parse(text).has_objects(), has, "{text}");
        }
    }

    #[test]
    fn a_file_asks_for_kbuild_in_a_condition() {
        for (text, asks) in [
            ("ifneq ($(KERNELRELEASE),)", true),
            ("ifeq ($(KERNELRELEASE), )", true),
            ("  ifneq \"$(KERNELRELEASE)\" \"\"", true),
            ("ifdef KERNELRELEASE", true),
            ("ifndef KERNELRELEASE", true),
            ("else ifneq (${KERNELRELEASE},)", true),
            ("KERNELRELEASE ?= $(shell uname -r)", false),
            ("# ifdef KERNELRELEASE", false),
        ] {
            assert_eq!(Makefile::parse(text).asks_for_kbuild(), asks, "{text}");
        }
    }

    #[test]
    fn an_assignment_that_replaces_the_environment_is_known() {
        let given = |name: &str| name == "TARGET";
        for (text, replaces) in [
            ("ARCH := $(shell uname -m)", true),
            ("ARCH=x86_64", true),
            ("export ARCH = arm", true),
            ("\u{20}\u{20}ARCH ::= arm", true),
            ("ARCH != uname -m", true),
            ("ARCH ?= $(shell uname -m)", false),
            ("ARCH := $(ARCH)", false),
            ("ARCH := $(subst aarch64,arm64,$(ARCH))", false),
            ("override ARCH := arm", false),
            ("ARCH := $(TARGET)", false),
            ("SUBARCH := x", false),
            ("ARCHES = x", false),
            ("all:\n\tARCH=x make", false),
            ("# ARCH := x", false),
        ] {
            assert_eq!(
                Makefile::parse(text).replaces("ARCH", &given),
                replaces,
                "{text}"
            );
        }
    }

    #[test]
    fn included_files_are_found_by_the_paths_in_the_makefile() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        std::fs::create_dir(place("mk")).expect("a directory");
        for (name, text) in [
            ("a.mk", "A = 1\ninclude mk/b.mk\n"),
            (
                "mk/b.mk",
                "B = 1\ninclude $(dir $(lastword $(MAKEFILE_LIST)))c.mk",
            ),
            ("mk/c.mk", "C = 1\ninclude $(srctree)/$(src)/a.mk"),
            ("d1.mk", "D = 1"),
            ("e.mk", "E = 1"),
        ] {
            std::fs::write(place(name), text).expect(name);
        }
        let mut text = String::new();
        let mut makefile = Makefile::parse(
            "X := e\ninclude $(CURDIR)/a.mk\n-include d*.mk $(X).mk none.mk $(KDIR)/x\n",
        );
        makefile
            .include(&place("Makefile"), &mut text)
            .expect("texts");
        for name in ["A", "B", "C", "D", "E"] {
            assert_eq!(makefile.value(name), Some("1"), "{name}");
        }
    }
}
