//! The programs that stand before a compiler, and what Portage needs to use them.

use crate::{
    context::{Context, ContextError},
    distribution::Distribution,
};
use clap::ValueEnum;
use crossmerge_plan::{env, report, shown::Show};
use crossmerge_system::file::{below, real_path};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The names of compilers that the engines know, after `<tuple>-`.
const COMPILERS: [&str; 6] = ["c++", "cc", "clang", "clang++", "g++", "gcc"];

/// A program that runs instead of a compiler, and runs the compiler itself or has another machine do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Engine {
    /// The compiler cache.
    Ccache,
    /// Compiles on other machines that have the same compiler.
    Distcc,
    /// Compiles on other machines, to which it sends the compiler.
    Icecream,
}

impl Engine {
    /// All engines.
    pub(crate) const ALL: [Self; 3] = [Self::Ccache, Self::Distcc, Self::Icecream];

    /// Returns the word in FEATURES, which is also the name on the command line.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Ccache => "ccache",
            Self::Distcc => "distcc",
            Self::Icecream => "icecream",
        }
    }

    /// Returns the name of the program, and of the directory in `/usr/lib` in which Portage searches the compilers'
    /// names.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Icecream => "icecc",
            other => other.feature(),
        }
    }

    /// Returns the directory that Portage puts before PATH: the first that exists, else the one to create. Source:
    /// `doebuild_environment` in Portage's doebuild.py.
    pub(crate) fn directory(self, context: &Context) -> Result<PathBuf, ContextError> {
        let libdir = libdir(context)?;
        let usr = below(Path::new("/"), &context.eprefix().to_string_lossy()).join("usr");
        let places = [libdir.as_str(), "lib", "libexec"].map(|l| usr.join(l).join(self.program()));
        let there = places.iter().find_map(|place| {
            let bin = place.join("bin");
            let is_there = |directory: &&PathBuf| directory.is_dir();
            [bin, place.clone()].iter().find(is_there).cloned()
        });
        Ok(there.unwrap_or_else(|| usr.join("lib").join(self.program()).join("bin")))
    }

    /// Returns the paths at which Portage needs symlinks to this program: one for each compiler of the target that a
    /// shell finds.
    pub(crate) fn links(self, context: &Context) -> Result<Vec<PathBuf>, ContextError> {
        let directory = self.directory(context)?;
        let names = COMPILERS.map(|name| format!("{}-{name}", context.tuple));
        let names = names
            .iter()
            .filter(|name| context.has_command(OsStr::new(name)));
        Ok(names.map(|name| directory.join(name)).collect())
    }

    /// Returns why Portage would compile without this program although it is in FEATURES.
    pub(crate) fn problem(self, context: &Context) -> Result<Option<EngineProblem>, ContextError> {
        let (tuple, name) = (&context.tuple, self.feature());
        let enable = format!("crossmerge farm enable {tuple} {name}");
        let Ok(program) = context.find_program(OsStr::new(self.program())) else {
            let distribution = Distribution::of(&context.env, &context.config.broot);
            let install = distribution.install(self.program());
            return Ok(Some(EngineProblem {
                message: format!(
                    "FEATURES contains {name}, and `{}` is not installed: Portage compiles without it",
                    self.program()
                ),
                fix: match install {
                    Some(install) => format!("{install} && {enable}"),
                    None => format!("crossmerge farm disable {tuple} {name}"),
                },
            }));
        };
        let links = self.links(context)?;
        let missing = links.iter().find(|link| !leads_to(link, &program));
        Ok(missing.map(|first| EngineProblem {
            message: format!(
                "FEATURES contains {name}, and `{}` does not lead to it: Portage compiles without it",
                first.shown()
            ),
            fix: enable,
        }))
    }
}

/// What is wrong with an engine, and the command that fixes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineProblem {
    /// What is wrong.
    pub(crate) message: String,
    /// The command.
    pub(crate) fix: String,
}

/// Prints a warning for each engine in the target's FEATURES that Portage would not start: Portage prints none if only a
/// symlink is missing. If the settings cannot be read here, nothing is printed: the build works without the engine.
pub(super) fn warn(context: &Context) {
    let name = env::FEATURES.name;
    let settings = context.read_target_settings(&[name]);
    let features = settings.and_then(|mut settings| settings.remove(name));
    for engine in engines_in(&features.unwrap_or_default()) {
        if let Ok(Some(EngineProblem { message, fix })) = engine.problem(context) {
            report::note(&format!("warning: {message}; `{fix}` changes that"));
        }
    }
}

/// Returns the engines in the target's FEATURES.
pub(crate) fn engines_in(features: &str) -> impl Iterator<Item = Engine> {
    let has = |engine: &Engine| features.split_whitespace().any(|f| f == engine.feature());
    Engine::ALL.into_iter().filter(has)
}

/// Returns whether a symlink leads to this program, perhaps by another path.
pub(crate) fn leads_to(link: &Path, program: &Path) -> bool {
    let real = |path| real_path(path).ok();
    real(link).is_some_and(|found| Some(found) == real(program))
}

/// Returns the name of the target's library directory.
fn libdir(context: &Context) -> Result<String, ContextError> {
    let setting = |name: &str| -> Result<Option<String>, ContextError> {
        let settings = context.target_settings(&[name])?;
        let value = settings.and_then(|mut settings| settings.remove(name));
        Ok(value.filter(|value| !value.is_empty()))
    };
    let abi = setting(env::DEFAULT_ABI.name)?;
    let libdir = abi.map_or(Ok(None), |abi| setting(&format!("LIBDIR_{abi}")))?;
    Ok(libdir.unwrap_or_else(|| "lib".into()))
}
