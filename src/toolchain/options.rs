//! The command line of `crossdev`, read as crossdev does, but for the order of the options, which does not matter.

use super::{
    class::{Part, without_category},
    request::{Extra, ToolchainRequest},
    version::WantedVersion,
};
use crossmerge_plan::tuple::Tuple;
use std::path::PathBuf;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CrossdevCommand {
    /// The help.
    Help,
    /// The targets that are known.
    HelpTargets,
    /// The version.
    Version,
    /// The packages of a target, for scripts.
    ShowTarget(Box<ToolchainRequest>),
    /// A property of the repositories.
    ShowRepository(String),
    /// Make a toolchain. Without the second, only its files are written.
    Build(Box<ToolchainRequest>, Runs),
    /// Remove a toolchain.
    Clean(Box<ToolchainRequest>),
}

/// How a toolchain is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Runs {
    /// Whether emerge runs at all.
    pub(crate) emerge: bool,
    /// Whether the whole log of a failure is printed.
    pub(crate) show_log: bool,
    /// Whether the output of emerge is printed.
    pub(crate) verbose: bool,
}

/// Why a command line is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionsError {
    /// There is no such option.
    #[error("there is no option `{0}`")]
    Unknown(String),
    /// An option has no value.
    #[error("the option `{0}` needs a value")]
    NoValue(String),
    /// A value has the wrong form.
    #[error("`{value}` is not {expected}, in `{option} {value}`")]
    Value {
        option: String,
        value: String,
        expected: &'static str,
    },
    /// No target was named.
    #[error("no target is named")]
    NoTarget,
}

/// The parts by crossdev's letters and long names.
const LETTERS: [(char, &str, Part); 10] = [
    ('b', "binutils", Part::Binutils),
    ('g', "gcc", Part::Gcc),
    ('k', "kernel", Part::Kernel),
    ('l', "libc", Part::Libc),
    ('d', "gdb", Part::Gdb),
    ('r', "crt", Part::Crt),
    ('u', "libunwind", Part::Libunwind),
    ('a', "libcxxabi", Part::Libcxxabi),
    ('p', "libcxx", Part::Libcxx),
    ('c', "ccw", Part::Ccw),
];

/// The values of `-P` that print the output of emerge too.
const VERBOSE: [&str; 4] = ["-v", "-p", "-vp", "-pv"];

/// What of a part an option sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Version,
    Environment,
    Category,
    Name,
    Repository,
}

/// Splits the name of an option into the part and what of it is set: `--genv`, `--gcc`, `-og`, `--ov-gcc`.
fn of_part(option: &str) -> Option<(Part, Of)> {
    let find = |wanted: &dyn Fn(char, &str) -> bool| {
        let found = LETTERS
            .iter()
            .find(|(letter, name, _)| wanted(*letter, name));
        found.map(|(_, _, part)| *part)
    };
    let by_letter = |text: &str| {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(one), None) => find(&|letter, _| letter == one),
            _ => None,
        }
    };
    if let Some(word) = option.strip_prefix("--ov-") {
        // crossdev misspells two of its own names.
        let word = match word {
            "libuinwind" => "libunwind",
            "-libcxxabi" => "libcxxabi",
            word => word,
        };
        return Some((find(&|_, name| name == word)?, Of::Repository));
    }
    if let Some(word) = option.strip_prefix("--") {
        if let Some(part) = by_letter(word).or_else(|| find(&|_, name| name == word)) {
            return Some((part, Of::Version));
        }
        let ends = [
            ("env", Of::Environment),
            ("cat", Of::Category),
            ("pkg", Of::Name),
        ];
        return ends.into_iter().find_map(|(end, of)| {
            let part = by_letter(word.strip_suffix(end)?)?;
            Some((part, of))
        });
    }
    let part = by_letter(option.strip_prefix("-o")?)?;
    Some((part, Of::Repository))
}

/// Interprets the escapes of a value for an environment, as crossdev's `echo -e` does: `\n` separates lines.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            },
            c => out.push(c),
        }
    }
    out
}

/// The state of reading a command line.
struct Reader<'a, F> {
    request: ToolchainRequest,
    target: Option<String>,
    /// The repositories of the packages that `--ex-pkg` names, by position.
    extra_repositories: Vec<PathBuf>,
    command: Asked,
    runs: Runs,
    name: &'a F,
}

/// What is done with the target.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Build,
    ShowTarget,
    Clean,
}

/// Reads a command line. `name` turns a name into a tuple.
pub(crate) fn read<E>(
    args: &[String],
    name: &impl Fn(&str) -> Result<Tuple, E>,
) -> Result<CrossdevCommand, CrossdevError<E>> {
    let mut reader = Reader {
        request: ToolchainRequest::new("none".parse().expect("a tuple"), false),
        target: None,
        extra_repositories: Vec::new(),
        command: Asked::Build,
        runs: Runs {
            emerge: true,
            show_log: false,
            verbose: false,
        },
        name,
    };
    let mut args = args.iter().map(String::as_str);
    while let Some(option) = args.next() {
        if let Some(command) = reader.option(option, &mut args)? {
            return Ok(command);
        }
    }
    reader.finish()
}

/// Why a command line of `crossdev` is not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CrossdevError<E> {
    #[error(transparent)]
    Options(#[from] OptionsError),
    #[error("{0}")]
    Name(E),
}

impl<E, F: Fn(&str) -> Result<Tuple, E>> Reader<'_, F> {
    /// Reads one option. Returns a command that needs nothing else.
    fn option<'a>(
        &mut self,
        option: &str,
        args: &mut impl Iterator<Item = &'a str>,
    ) -> Result<Option<CrossdevCommand>, OptionsError> {
        let mut value = || {
            args.next()
                .ok_or_else(|| OptionsError::NoValue(option.into()))
        };
        if let Some((part, of)) = of_part(option) {
            let value = value()?;
            return self.part(part, of, option, value).map(|()| None);
        }
        let request = &mut self.request;
        match option {
            "-h" | "--help" => return Ok(Some(CrossdevCommand::Help)),
            "-V" | "--version" => return Ok(Some(CrossdevCommand::Version)),
            "-t" | "--target" => match value()? {
                "help" => return Ok(Some(CrossdevCommand::HelpTargets)),
                name => self.target = Some(name.into()),
            },
            "-C" | "--clean" => {
                self.command = Asked::Clean;
                self.target = Some(value()?.into());
            }
            "--show-repo-cfg" => {
                return Ok(Some(CrossdevCommand::ShowRepository(value()?.into())));
            }
            "--show-target-cfg" => self.command = Asked::ShowTarget,
            "--init-target" => self.runs.emerge = false,
            "--show-fail-log" => self.runs.show_log = true,
            "-v" | "--verbose" => {
                self.runs.verbose = true;
                request.emerge_options.push("-v".into());
            }
            // A trace of crossdev's shell script.
            "-x" => {}
            // It answers crossdev's questions about directories, which crossmerge leaves.
            "-f" | "--force" => {}
            "-S" | "--stable" => request.stable = true,
            "-L" | "--llvm" => request.llvm = true,
            "-P" | "--portage" => {
                let value = value()?;
                self.runs.verbose |= VERBOSE.contains(&value);
                let words = value.split_whitespace().map(str::to_owned);
                request.emerge_options.extend(words);
            }
            "-A" | "--abis" => {
                request.abis = value()?.split_whitespace().map(str::to_owned).collect();
            }
            "--host-abi" => request.host_abi = Some(value()?.into()),
            "--env" => request.environment = unescaped(value()?),
            "-oS" | "--overlays" => {
                let paths = value()?.split_whitespace().map(PathBuf::from);
                request.search = Some(paths.collect());
            }
            "-oO" | "--ov-output" => request.output = Some(value()?.into()),
            "-ox" | "--ov-extra" => self.extra_repositories.push(value()?.into()),
            "--with-headers" => request.headers = Some(true),
            "--without-headers" => request.headers = Some(false),
            "--ex-only" => request.stages = false,
            "--ex-gcc" => request.extra.push(Extra::Gcc),
            "--ex-gdb" => request.extra.push(Extra::Gdb),
            "--ex-pkg" => {
                let name = value()?;
                let package = name.parse().map_err(|()| OptionsError::Value {
                    option: option.into(),
                    value: name.into(),
                    expected: "a package, CATEGORY/NAME",
                })?;
                request.extra.push(Extra::Package(package, None));
            }
            other => return self.stage_or_target(other, args).map(|()| None),
        }
        Ok(None)
    }

    /// Reads `-s3`, `--stage 3`, `--stage3`, or a target without an option.
    fn stage_or_target<'a>(
        &mut self,
        word: &str,
        args: &mut impl Iterator<Item = &'a str>,
    ) -> Result<(), OptionsError> {
        let stage = match word {
            "--stage" | "-s" => args
                .next()
                .ok_or_else(|| OptionsError::NoValue(word.into()))?,
            _ => match word.strip_prefix("--stage").or(word.strip_prefix("-s")) {
                Some(stage) => stage,
                None if word.starts_with('-') => return Err(OptionsError::Unknown(word.into())),
                None => {
                    self.target = Some(word.into());
                    return Ok(());
                }
            },
        };
        match stage.parse() {
            Ok(stage @ 0..=4) => self.request.stage = Some(stage),
            _ => {
                return Err(OptionsError::Value {
                    option: "--stage".into(),
                    value: stage.into(),
                    expected: "a stage, from 0 to 4",
                });
            }
        }
        Ok(())
    }

    fn part(&mut self, part: Part, of: Of, option: &str, value: &str) -> Result<(), OptionsError> {
        let wanted = self.request.parts.entry(part).or_default();
        match of {
            Of::Version => {
                let version: Result<WantedVersion, ()> = value.parse();
                wanted.version = Some(version.map_err(|()| OptionsError::Value {
                    option: option.into(),
                    value: value.into(),
                    expected: "a version, such as 2.41 or >=2.41",
                })?);
            }
            Of::Environment => wanted.environment = unescaped(value),
            Of::Category => wanted.category = Some(value.into()),
            Of::Name => wanted.name = Some(value.into()),
            Of::Repository => wanted.repository = Some(value.into()),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<CrossdevCommand, CrossdevError<E>> {
        let target = self.target.ok_or(OptionsError::NoTarget)?;
        let (target, llvm) = without_category(&target);
        self.request.llvm |= llvm;
        self.request.tuple = (self.name)(&target).map_err(CrossdevError::Name)?;
        let packages = self
            .request
            .extra
            .iter_mut()
            .filter_map(|extra| match extra {
                Extra::Package(_, repository) => Some(repository),
                Extra::Gcc | Extra::Gdb => None,
            });
        for (repository, named) in packages.zip(self.extra_repositories) {
            *repository = Some(named);
        }
        // GCC and GDB come before the packages, each once.
        self.request.extra.sort_by_key(|extra| match extra {
            Extra::Gcc => 0,
            Extra::Gdb => 1,
            Extra::Package(..) => 2,
        });
        self.request.extra.dedup();
        let request = Box::new(self.request);
        Ok(match self.command {
            Asked::Build => CrossdevCommand::Build(request, self.runs),
            Asked::ShowTarget => CrossdevCommand::ShowTarget(request),
            Asked::Clean => CrossdevCommand::Clean(request),
        })
    }
}
