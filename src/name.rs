//! The names of targets: `arm64`, `linux/arm/v7`, `riscv64gc-unknown-linux-gnu`, a tuple with a typing error.
//!
//! Only [`Names::read`] turns text into a tuple. A tuple of a known CPU and system stays as it was typed. Another
//! name that can mean only one tuple means that one. Everything else is an error with proposals, never a guess. The
//! names are data: the families' files contain those of CPUs, `system.rs` those of systems. Pure.

use crate::{
    system::{self, misspelt},
    target::{self, Source, Spellings, TargetError},
};
use crossmerge_plan::{
    report::Explain,
    tuple::{Tuple, TupleError},
};
use std::ffi::OsStr;

/// The maximum number of tuples that an error proposes.
const PROPOSALS: usize = 3;

/// The default completion of a CPU that was typed alone, as in crossdev.
const ALONE: &str = "unknown-linux-gnu";

/// The known names.
#[derive(Debug)]
pub struct Names {
    families: Vec<Spellings>,
    /// The directory in which a user can add a CPU family.
    directory: String,
}

/// The meaning of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It is a tuple, and stays as it was typed.
    AsTyped(Tuple),
    /// It is another name of this tuple.
    Means(Tuple),
}

/// Why a name means no tuple.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// It is not a tuple, and similar to no known name.
    #[error(transparent)]
    Tuple(#[from] TupleError),
    /// A family's file does not match the schema.
    #[error(transparent)]
    Family(#[from] TargetError),
    /// It is similar to these tuples.
    #[error("{what}: did you mean {}?", listed(.proposals))]
    Misspelt {
        /// The problem.
        what: String,
        /// The likeliest first; not empty.
        proposals: Vec<Tuple>,
    },
    /// Its system is unknown, and similar to no known one.
    #[error("no system is called `{system}`, in `{tuple}`")]
    UnknownSystem {
        /// The last two fields after the CPU: the kernel and the libc.
        system: String,
        /// The whole name.
        tuple: String,
    },
    /// Several targets of the host fit the name.
    #[error("`{name}` may be {}", listed(.targets))]
    Ambiguous {
        /// The name.
        name: String,
        /// The targets that fit.
        targets: Vec<Tuple>,
    },
}

/// Joins tuples for a sentence: `a`, `b` or `c`.
fn listed(tuples: &[Tuple]) -> String {
    let quoted: Vec<String> = tuples.iter().map(|tuple| format!("`{tuple}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

impl NameError {
    /// Returns the hint. `command` returns the command as it was typed, with another tuple instead of the name.
    pub fn hint(&self, command: impl Fn(&Tuple) -> String) -> Option<String> {
        Some(match self {
            Self::Tuple(e) => return e.hint(),
            Self::Family(e) => return e.hint(),
            Self::Misspelt { proposals, .. } => format!("`{}`", command(&proposals[0])),
            Self::UnknownSystem { .. } => {
                "`crossmerge show` lists the systems, with an example of each CPU".into()
            }
            Self::Ambiguous { targets, .. } => format!("`{}`", command(&targets[0])),
        })
    }
}

/// The CPU that a name begins with.
struct Cpu<'n> {
    /// The cost of the misspelling. 0 is exact.
    cost: usize,
    /// The tuple that the CPU means if it is typed alone.
    usual: Tuple,
    family: &'n Spellings,
    /// The text after it.
    rest: String,
}

impl Names {
    /// Collects the names of the families.
    pub fn of(sources: &[Source], directory: String) -> Result<Self, TargetError> {
        let families = sources.iter().map(Source::names);
        Ok(Self {
            families: families.collect::<Result<_, _>>()?,
            directory,
        })
    }

    /// Returns the families.
    pub fn families(&self) -> &[Spellings] {
        &self.families
    }

    /// Reads a name as it was typed. `tools` are the names of programs, for a name such as `<tuple>-gcc`.
    pub fn read(&self, name: &OsStr, tools: &[&str]) -> Result<Reading, NameError> {
        let parsed = Tuple::from_os(name);
        if let Ok(tuple) = &parsed
            && self.is_good(tuple)
        {
            return Ok(Reading::AsTyped(tuple.clone()));
        }
        let Some(text) = name
            .to_str()
            .filter(|text| text.len() <= 2 * crossmerge_plan::tuple::MAX_BYTES)
        else {
            return Err(parsed.map_or_else(NameError::from, |tuple| self.unknown(&tuple)));
        };
        let mut proposals: Vec<(usize, Tuple)> = Vec::new();
        let forms = forms(text, tools);
        // A tuple that is found inside the name counts as typed.
        let bare = forms[1..]
            .iter()
            .filter(|form| text.contains(form.as_str()));
        let bare = bare.filter_map(|form| form.parse().ok());
        if let Some(tuple) = { bare }.find(|tuple| self.is_good(tuple))
            && self.named(&forms[0].to_lowercase()).is_none()
        {
            return Ok(Reading::Means(tuple));
        }
        for form in forms {
            let meanings = self.meanings(&form);
            if let Some((0, tuple)) = meanings.first() {
                return Ok(match parsed {
                    Ok(typed) if typed == *tuple => Reading::AsTyped(typed),
                    _ => Reading::Means(tuple.clone()),
                });
            }
            proposals.extend(meanings);
        }
        proposals.sort_by_key(|(cost, _)| *cost);
        let mut best: Vec<Tuple> = Vec::new();
        for (_, tuple) in proposals {
            if best.len() < PROPOSALS && !best.contains(&tuple) {
                best.push(tuple);
            }
        }
        let error = match parsed {
            Ok(tuple) => self.unknown(&tuple),
            Err(error) => error.into(),
        };
        Err(match best.is_empty() {
            true => error,
            false => NameError::Misspelt {
                what: error.to_string(),
                proposals: best,
            },
        })
    }

    /// Returns the error for an unknown tuple.
    fn unknown(&self, tuple: &Tuple) -> NameError {
        match self.family(tuple.cpu()) {
            Some(_) => {
                // The kernel and the libc, without the vendor.
                let fields: Vec<&str> = tuple.as_str().split('-').skip(1).collect();
                NameError::UnknownSystem {
                    system: fields[fields.len().saturating_sub(2)..].join("-"),
                    tuple: tuple.to_string(),
                }
            }
            None => TargetError::UnknownCpu {
                cpu: tuple.cpu().into(),
                tuple: tuple.to_string(),
                directory: self.directory.clone(),
            }
            .into(),
        }
    }

    /// Returns whether a tuple has a known CPU and a known system.
    pub fn is_good(&self, tuple: &Tuple) -> bool {
        let Some(family) = self.family(tuple.cpu()) else {
            return false;
        };
        let fields: Vec<&str> = tuple.as_str().split('-').skip(1).collect();
        match fields.is_empty() {
            true => family.alone(tuple.cpu()).is_empty(),
            false => system::is_known(&fields) && (family.hurd || !system::are_hurd(&fields)),
        }
    }

    /// Returns the family of a CPU.
    pub fn family(&self, cpu: &str) -> Option<&Spellings> {
        let fits = self.families.iter().filter_map(|family| {
            let plain = target::fit(&family.cpus, cpu)?;
            Some((plain, family))
        });
        fits.max_by_key(|(plain, _)| *plain)
            .map(|(_, family)| family)
    }

    /// Returns the family and the tuple of a name that means a tuple if it is typed alone.
    fn named(&self, name: &str) -> Option<(&Spellings, &Tuple)> {
        self.families
            .iter()
            .find_map(|family| Some((family, family.named(name)?)))
    }

    /// Returns the possible meanings of one form of a name: those with the lowest cost.
    fn meanings(&self, form: &str) -> Vec<(usize, Tuple)> {
        let lower = form.to_lowercase();
        if let Some((_, tuple)) = self.named(&lower) {
            return vec![(0, tuple.clone())];
        }
        let mut all: Vec<(usize, usize, Tuple)> = Vec::new();
        for cpu in self.cpus(form) {
            // A vendor may contain an underscore, so dashes alone are tried first.
            for separators in ["-", "-_ /:,"] {
                let rest = cpu.rest.trim_matches(|c| "-_ /:,".contains(c));
                let fields: Vec<&str> = { rest.split(|c| separators.contains(c)) }
                    .filter(|field| !field.is_empty())
                    .collect();
                for (cost, tuple) in cpu.with(&fields) {
                    let unlike = tuple.as_str().len().abs_diff(form.len());
                    all.push((cpu.cost + cost, unlike, tuple));
                }
                if all.iter().any(|(cost, ..)| *cost == 0) {
                    break;
                }
            }
        }
        all.retain(|(_, _, tuple)| self.is_good(tuple));
        all.sort_by_key(|(cost, unlike, _)| (*cost, *unlike));
        let least = all.first().map(|(cost, ..)| *cost);
        let best = all.into_iter().filter(|(cost, ..)| Some(*cost) == least);
        best.map(|(cost, _, tuple)| (cost, tuple)).collect()
    }

    /// Returns the CPUs with which a form of a name may begin: the longest correct spelling, else every CPU of which
    /// it may be a misspelling.
    fn cpus<'n>(&'n self, form: &str) -> Vec<Cpu<'n>> {
        let lower = form.to_lowercase();
        let exact = self.vocabulary().filter_map(|(word, family, usual)| {
            let rest = lower.strip_prefix(word)?;
            let ends = rest.is_empty() || rest.starts_with(|c| "-_ /:,".contains(c));
            ends.then_some((word.len(), family, usual))
        });
        let cpu =
            |cost, word: &str, length: usize, family: &'n Spellings, usual: Option<&Tuple>| {
                let usual = usual.cloned().or_else(|| family.usual(word))?;
                let rest = form.get(length..).unwrap_or_default().into();
                Some(Cpu {
                    cost,
                    usual,
                    family,
                    rest,
                })
            };
        // A name comes before a CPU of the same spelling, since it is more specific: `mipsle`.
        let exact = exact.max_by_key(|(length, _, usual)| (*length, usual.is_some()));
        let mut found = Vec::new();
        if let Some((length, family, usual)) = exact {
            found.extend(cpu(0, &lower[..length], length, family, usual));
            if !lower[length..].starts_with('_') {
                return found;
            }
        }
        let first = lower
            .split(['-', ' ', '/', ':', ','])
            .next()
            .unwrap_or_default();
        let starts = [first, first.split('_').next().unwrap_or_default()];
        for start in starts {
            if found.is_empty()
                && let Some(family) = self.family(start)
            {
                return cpu(0, start, start.len(), family, None)
                    .into_iter()
                    .collect();
            }
        }
        for start in starts {
            for (word, family, usual) in self.vocabulary() {
                if let Some(wrong) = misspelt(start, word) {
                    // The first letter is seldom wrong.
                    let cost = 2 * wrong + usize::from(start.chars().next() != word.chars().next());
                    found.extend(cpu(cost, word, start.len(), family, usual));
                }
            }
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    /// Returns every name of a CPU, with the tuple if the name alone means one.
    fn vocabulary(&self) -> impl Iterator<Item = (&str, &Spellings, Option<&Tuple>)> {
        self.families.iter().flat_map(|family| {
            let plain = family.cpus.iter().filter(|glob| !glob.contains(['*', '?']));
            let examples = family
                .examples
                .iter()
                .filter_map(|example| example.split('-').next());
            let plain = { plain.map(String::as_str) }
                .chain(examples)
                .map(move |cpu| (cpu, family, None));
            let names = family.names.values().flatten();
            let names = names.map(move |(name, tuple)| (name.as_str(), family, Some(tuple)));
            names.chain(plain)
        })
    }
}

impl Spellings {
    /// Returns the completion of a CPU that was typed alone.
    fn alone(&self, cpu: &str) -> &str {
        let fits = self.alone.iter().filter_map(|(glob, rest)| {
            let plain = target::fit(&[glob], cpu)?;
            Some((plain, rest.as_str()))
        });
        { fits.max_by_key(|(plain, _)| *plain) }.map_or(ALONE, |(_, rest)| rest)
    }

    /// Returns the tuple of a CPU that was typed alone.
    fn usual(&self, cpu: &str) -> Option<Tuple> {
        let usual = format!("{cpu}-{}", self.alone(cpu));
        usual.trim_end_matches('-').parse().ok()
    }

    /// Returns the tuple that a name of the family means if it is typed alone.
    fn named(&self, name: &str) -> Option<&Tuple> {
        self.names.values().find_map(|names| names.get(name))
    }
}

impl Cpu<'_> {
    /// Returns the tuples of this CPU that the following fields may mean, each with its cost.
    fn with(&self, fields: &[&str]) -> Vec<(usize, Tuple)> {
        if fields.is_empty() {
            return vec![(0, self.usual.clone())];
        }
        let (cpu, usual) = (self.usual.cpu(), self.usual.as_str());
        let vendor = self.usual.vendor();
        let after = usual[cpu.len()..].trim_start_matches('-');
        let system = vendor.map_or(after, |vendor| {
            after[vendor.len()..].trim_start_matches('-')
        });
        let mut all = Vec::new();
        for meant in system::meanings(fields, system) {
            // GNU's tuples for the Hurd have no vendor.
            let vendor = match &meant.vendor {
                None if meant.system == "gnu" => None,
                None => vendor,
                typed => typed.as_deref(),
            };
            let tuple = match vendor {
                Some(vendor) => format!("{cpu}-{vendor}-{}", meant.system),
                None => format!("{cpu}-{}", meant.system),
            };
            let hurd = meant.system == "gnu" && !self.family.hurd;
            if let (Ok(tuple), false) = (tuple.parse(), hurd) {
                all.push((2 * meant.cost, tuple));
            }
        }
        all
    }
}

/// Prefixes that other projects put before a tuple: crossdev's categories and symlinks, Docker's systems, Debian's
/// packages, QEMU.
const PREFIXES: [&str; 8] = [
    "cross-",
    "cross_llvm-",
    "emerge-",
    "linux/",
    "qemu-",
    "gcc-",
    "g++-",
    "binutils-",
];

/// Returns the forms of a name to look up: as it was typed, then without usual additions.
fn forms(text: &str, tools: &[&str]) -> Vec<String> {
    let trimmed = text.trim().trim_matches(['\'', '"']);
    let mut forms = vec![trimmed.to_owned()];
    let mut push = |form: String| {
        if !form.is_empty() && !forms.contains(&form) {
            forms.push(form);
        }
    };
    // A variable's value, and a file's name.
    let (_, value) = trimmed.rsplit_once('=').unwrap_or(("", trimmed));
    push(value.trim_end_matches(".toml").to_owned());
    let lower = trimmed.to_lowercase();
    for prefix in PREFIXES {
        if lower.starts_with(prefix) {
            push(trimmed.get(prefix.len()..).unwrap_or_default().to_owned());
        }
    }
    // A prefix of tools: aarch64-linux-gnu-.
    let bare = trimmed.trim_end_matches(['-', '/', '*', '.']);
    push(bare.to_owned());
    // The path of a tool or of a sysroot.
    let is_path = trimmed.starts_with(['/', '~']) || trimmed.starts_with("./");
    let base = match bare.rsplit_once('/') {
        Some((_, base)) if is_path => base,
        _ => bare,
    };
    let base = base.trim_end_matches(['-', '*']);
    push(base.to_owned());
    // A tool: aarch64-linux-gnu-gcc-12.
    let unversioned = base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let tool = [base, unversioned.trim_end_matches('-')]
        .into_iter()
        .find_map(|name| {
            let strip = |tool: &&str| name.strip_suffix(*tool)?.strip_suffix('-');
            tools.iter().filter_map(strip).min_by_key(|rest| rest.len())
        });
    push(tool.unwrap_or_default().to_owned());
    // After a libc, a dot is followed by its version, as in zig: gnu.2.17.
    if let Some((before, last)) = base.rsplit_once('-')
        && let Some((libc, version)) = last.split_once('.')
        && version.starts_with(|c: char| c.is_ascii_digit())
    {
        push(format!("{before}-{libc}"));
    }
    // A word size separate from its CPU: aarch_64, RISC-V 64.
    let words: Vec<&str> = base.split(['-', '_', ' ']).collect();
    if let Some(size) = words
        .iter()
        .skip(1)
        .position(|w| w.starts_with("64") || w.starts_with("32"))
    {
        let joined = words[..=size + 1].concat();
        push(
            [&[joined.as_str()][..], &words[size + 2..]]
                .concat()
                .join("-"),
        );
    }
    // The system first: linux/arm64, linux-aarch64, musl-linux-arm64.
    let words: Vec<&str> = base.split(['-', '/', ' ']).collect();
    if words.len() > 1 {
        push(words.iter().rev().copied().collect::<Vec<_>>().join("-"));
        let (first, rest) = (words[0], &words[1..]);
        push(format!("{}-{first}", rest.join("-")));
    }
    if let Some((first, rest)) = base.split_once('_') {
        push(format!("{rest}-{first}"));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn names() -> Names {
        let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
        Names::of(&sources, "/etc/crossmerge/profiles".into()).expect("the built-in families")
    }

    /// Formats a result as `tests/data/names.tsv` writes it.
    fn shown(read: Result<Reading, NameError>) -> String {
        match read {
            Ok(Reading::AsTyped(_)) => "=".into(),
            Ok(Reading::Means(tuple)) => tuple.to_string(),
            Err(NameError::Misspelt { proposals, .. }) => format!("?{}", proposals[0]),
            Err(_) => "!".into(),
        }
    }

    #[test]
    fn usual_spellings_are_found_or_proposed() {
        let names = names();
        let tools = ["gcc", "g++", "clang", "emerge", "ar", "gcc-ar"];
        let rows = include_str!("../tests/data/names.tsv").lines();
        let mut wrong = Vec::new();
        let mut count = 0;
        for row in rows.filter(|row| !row.starts_with('#')) {
            let (name, wanted) = row.split_once('\t').expect(row);
            let found = shown(names.read(OsStr::new(name), &tools));
            if found != wanted {
                wrong.push(format!("{name:?}: {found}, and not {wanted}"));
            }
            count += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count >= 160);
    }

    #[test]
    fn any_name_is_accepted_or_is_an_error_with_a_hint() {
        let names = names();
        let long = "arm64-".repeat(60);
        for name in [
            "",
            " ",
            "-",
            "--",
            "/",
            "=",
            "_",
            ".",
            "é-linux-gnu",
            "İ64",
            "x86_64-é",
            "\u{212a}",
            "a=b=",
            "64",
            "64-64",
            "'",
            &long,
        ] {
            if let Err(error) = names.read(OsStr::new(name), &["gcc"]) {
                let hint = error.hint(|tuple| tuple.to_string());
                assert!(!error.to_string().is_empty() && hint.is_some(), "{name:?}");
            }
        }
    }

    #[test]
    fn the_tuples_of_crossdev_stay_as_they_are() {
        let names = names();
        let rows = include_str!("../tests/data/tuples.tsv").lines().skip(1);
        let tuples = rows.filter_map(|row| row.split('\t').next());
        let own = [
            "armv7a-case01-linux-gnueabihf",
            "x86_64-my_own.vendor+2-linux-gnu",
            "aarch64-poky-linux",
            "arm-poky-linux-gnueabi",
            "i686-cross-linux-gnu",
        ];
        for tuple in tuples.chain(own) {
            assert_eq!(shown(names.read(OsStr::new(tuple), &[])), "=", "{tuple}");
        }
    }

    #[test]
    fn every_name_and_every_example_of_a_family_means_its_tuple() {
        let names = names();
        let mut seen: BTreeMap<&str, &Tuple> = BTreeMap::new();
        for family in names.families() {
            assert!(!family.examples.is_empty(), "{}", family.summary);
            for example in &family.examples {
                assert_eq!(
                    shown(names.read(OsStr::new(example), &[])),
                    "=",
                    "{example}"
                );
                let cpu = example.split('-').next().unwrap_or_default();
                assert_eq!(
                    names.family(cpu).expect(example).summary,
                    family.summary,
                    "{example}"
                );
            }
            for (name, tuple) in family.names.values().flatten() {
                assert!(names.is_good(tuple), "{name}: {tuple}");
                assert_eq!(*seen.entry(name).or_insert(tuple), tuple, "{name}");
                let read = names.read(OsStr::new(name), &[]).expect(name);
                let (Reading::AsTyped(read) | Reading::Means(read)) = read;
                assert_eq!(read, *tuple, "{name}");
            }
        }
    }
}
