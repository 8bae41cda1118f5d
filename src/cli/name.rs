//! The tuples on the command line: only this module turns an argument into a tuple.

use crate::{
    applet::Wrappers,
    config::{Config, ConfigError},
    name::{NameError, Names, Reading},
    system,
    target::{Source, Target},
};
use crossmerge_plan::{
    report::{self, Failure, OWN_FAILURE},
    tuple::Tuple,
    words::quote,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
};

/// The width of the list of families, in columns.
const COLUMNS: usize = 80;

/// Reads the names of targets on one command line.
pub(super) struct NameReader {
    sources: Vec<Source>,
    names: Names,
    /// The targets of the host.
    targets: BTreeSet<Tuple>,
    /// The names of programs that may follow a tuple.
    tools: Vec<String>,
    /// The command as it was typed, for hints.
    words: Vec<OsString>,
    directory: String,
}

impl NameReader {
    /// Collects the known names and targets.
    pub(super) fn new(
        config: &Config,
        wrappers: &Wrappers,
        words: Vec<OsString>,
    ) -> Result<Self, Failure> {
        let sources = config.families()?;
        let directory = config.profiles_directory();
        Ok(Self {
            names: Names::of(&sources, directory.clone()).map_err(ConfigError::from)?,
            sources,
            targets: config.tuples().unwrap_or_default(),
            tools: wrappers.names().map(str::to_owned).collect(),
            words,
            directory,
        })
    }

    /// Returns the tuple that a name means, whether or not it is a target of the host: for commands that make a
    /// target or print facts.
    pub(super) fn tuple(&self, name: &OsStr) -> Result<Tuple, Failure> {
        let tuple = match self.read(name)? {
            Reading::AsTyped(tuple) => return Ok(tuple),
            Reading::Means(tuple) => tuple,
        };
        Ok(noted(name, tuple))
    }

    /// Returns the tuple of the target that a name means. If the host has no target of that tuple, the name may mean
    /// the only target that fits it.
    pub(super) fn target(&self, name: &OsStr) -> Result<Tuple, Failure> {
        let tuple = match self.read(name)? {
            Reading::AsTyped(tuple) => return Ok(tuple),
            Reading::Means(tuple) => tuple,
        };
        if self.targets.contains(&tuple) {
            return Ok(noted(name, tuple));
        }
        let text = name.to_string_lossy();
        let fitting: Vec<Tuple> = { self.targets.iter() }
            .filter(|target| self.fits(&text, &tuple, target))
            .cloned()
            .collect();
        match &fitting[..] {
            [] => Ok(noted(name, tuple)),
            [target] => Ok(noted(name, target.clone())),
            _ => Err(self.error(NameError::Ambiguous {
                name: text.into_owned(),
                targets: fitting,
            })),
        }
    }

    fn read(&self, name: &OsStr) -> Result<Reading, Failure> {
        if let Ok(tuple) = Tuple::from_os(name)
            && self.targets.contains(&tuple)
        {
            return Ok(Reading::AsTyped(tuple));
        }
        let tools: Vec<&str> = self.tools.iter().map(String::as_str).collect();
        let read = self.names.read(name, &tools);
        read.map_err(|error| self.error_of(error, name))
    }

    /// Returns whether a target fits a name: family, word size, byte order and kernel are the same, and so are libc
    /// and ABI if the name is more than a CPU.
    fn fits(&self, name: &str, meant: &Tuple, target: &Tuple) -> bool {
        let facts = |tuple: &Tuple| Target::of(tuple, &self.sources, &self.directory).ok();
        let family = |tuple: &Tuple| self.names.family(tuple.cpu()).map(|family| &family.cpus);
        let (Some(wanted), Some(found)) = (facts(meant), facts(target)) else {
            return false;
        };
        let is_kind = family(meant) == family(target)
            && (wanted.bits, wanted.endian, wanted.kernel)
                == (found.bits, found.endian, found.kernel);
        let is_cpu = self.names.family(&name.to_lowercase()).is_some();
        let has_system = name.contains('-');
        is_kind
            && (is_cpu || system::abi(meant) == system::abi(target))
            && (!has_system || wanted.elibc == found.elibc)
    }

    fn error(&self, error: NameError) -> Failure {
        let name = match &error {
            NameError::Ambiguous { name, .. } => OsString::from(name),
            _ => OsString::new(),
        };
        self.error_of(error, &name)
    }

    /// Makes an error whose hint is the command as it was typed, with another tuple.
    fn error_of(&self, error: NameError, name: &OsStr) -> Failure {
        let hint = error.hint(|tuple| {
            let mut typed = Some(());
            let words = self.words.iter().map(|word| match word == name {
                true if typed.take().is_some() => tuple.to_string(),
                _ => quote(word),
            });
            let words: Vec<String> = std::iter::once("crossmerge".into()).chain(words).collect();
            words.join(" ")
        });
        Failure {
            message: error.to_string(),
            hint,
            exit_code: OWN_FAILURE,
        }
    }

    /// Returns the families, for `show` without a tuple.
    pub(super) fn families(&self) -> Vec<ListedFamily<'_>> {
        let listed = self.names.families().iter().map(|family| {
            let tuples = family
                .examples
                .iter()
                .filter_map(|tuple| tuple.parse().ok());
            let facts =
                tuples.filter_map(|t: Tuple| Target::of(&t, &self.sources, &self.directory).ok());
            ListedFamily {
                summary: &family.summary,
                arch: facts.map(|facts| facts.arch).collect(),
                cpus: &family.cpus,
                examples: &family.examples,
                names: &family.names,
            }
        });
        listed.collect()
    }
}

/// Prints a note with the tuple that a name means.
fn noted(name: &OsStr, tuple: Tuple) -> Tuple {
    report::note(&format!("{} is {tuple}", quote(name)));
    tuple
}

/// A CPU family, as `show` without a tuple prints it.
#[derive(Debug, Serialize)]
pub(super) struct ListedFamily<'f> {
    summary: &'f str,
    /// Portage's ARCH of each of its examples.
    arch: BTreeSet<String>,
    cpus: &'f [String],
    examples: &'f [String],
    names: &'f BTreeMap<String, BTreeMap<String, Tuple>>,
}

impl ListedFamily<'_> {
    /// Renders the examples, one a line.
    pub(super) fn to_examples(families: &[Self]) -> String {
        let examples = families.iter().flat_map(|family| family.examples);
        examples.map(|example| format!("{example}\n")).collect()
    }

    /// Renders the families, and the parts of a tuple.
    pub(super) fn to_text(families: &[Self]) -> String {
        let mut text = String::new();
        for family in families {
            let arch: Vec<&str> = family.arch.iter().map(String::as_str).collect();
            text += &format!("{} (ARCH {})\n", family.summary, arch.join(", "));
            let cpus = family.cpus.iter().map(String::as_str);
            text += &row("CPUs", cpus);
            text += &row("examples", family.examples.iter().map(String::as_str));
            let names: BTreeSet<&str> = { family.names.values().flatten() }
                .map(|(name, _)| name.as_str())
                .collect();
            if !names.is_empty() {
                text += &row("names", names.into_iter());
            }
            text.push('\n');
        }
        text += "A tuple is CPU-VENDOR-SYSTEM; the vendor may be any name, or absent. Systems:\n";
        for (kind, systems) in system::LISTED {
            text += &row(kind, systems.split(' '));
        }
        text += "\nA system may follow a name: arm64-musl, amd64-mingw64.\n";
        text + "`crossmerge show NAME` prints the tuple that a name means, and its facts.\n"
    }
}

/// Renders a key and its words, on as many lines as they need.
fn row<'w>(key: &str, words: impl Iterator<Item = &'w str>) -> String {
    let mut text = format!("  {key:<10}");
    let mut width = text.len();
    for (place, word) in words.enumerate() {
        if place > 0 && width + 1 + word.len() > COLUMNS {
            text += &format!("\n{:12}", "");
            width = 12;
        } else if place > 0 {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += word.len();
    }
    text.push('\n');
    text
}
