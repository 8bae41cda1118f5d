//! The caller's variables that override crossmerge's, and so may turn a build for the target into one for the build
//! machine: one list for the layers, for `doctor` and for all messages.
//!
//! A variable that the caller has set stays, since it may be intended. crossmerge prints a warning on stderr before
//! the build begins. If the build would certainly be for another machine, that is an error.

use super::changes::Layer;
use crate::{config::ToolchainKind, context::Context, export::ExportError, target::Target};
use crossmerge_plan::{
    env,
    plan::{Changes, Plan},
    report,
};
use crossmerge_system::exec;
use std::{ffi::OsStr, path::Path};

/// The subject of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OverrideKind {
    /// The compiler, which decides for which machine the result is.
    Compiler,
    /// A tool that works on the compiler's output.
    Tool,
    /// pkg-config.
    PkgConfig,
    /// The prefix of all tools' names.
    Prefix,
    /// rustc's target.
    CargoTarget,
    /// Go's system.
    GoOs,
    /// Go's CPU.
    GoArch,
    /// Directories that GCC and clang, cross compilers too, also search or write into programs.
    Search,
}

/// The variables. These are harmless and so omitted: PKG_CONFIG_PATH and PKG_CONFIG_LIBDIR (`<tuple>-pkg-config` only
/// uses the sysroot), CONFIG_SITE (crossmerge's file reads the caller's), CMAKE_TOOLCHAIN_FILE (the command line
/// names crossmerge's), CMAKE_PREFIX_PATH (the toolchain file moves it into the sysroot), LIBRARY_PATH (only for
/// native compilers, gcc(1)), LD_LIBRARY_PATH, RUSTFLAGS, GOFLAGS.
const OVERRIDES: [(&str, OverrideKind); 33] = [
    ("CC", OverrideKind::Compiler),
    ("CXX", OverrideKind::Compiler),
    ("CPP", OverrideKind::Compiler),
    ("FC", OverrideKind::Compiler),
    ("F77", OverrideKind::Compiler),
    ("OBJC", OverrideKind::Compiler),
    ("OBJCXX", OverrideKind::Compiler),
    ("AR", OverrideKind::Tool),
    ("AS", OverrideKind::Tool),
    ("LD", OverrideKind::Tool),
    ("NM", OverrideKind::Tool),
    ("OBJCOPY", OverrideKind::Tool),
    ("OBJDUMP", OverrideKind::Tool),
    ("RANLIB", OverrideKind::Tool),
    ("READELF", OverrideKind::Tool),
    ("STRIP", OverrideKind::Tool),
    ("WINDRES", OverrideKind::Tool),
    ("DLLTOOL", OverrideKind::Tool),
    ("PKG_CONFIG", OverrideKind::PkgConfig),
    ("CROSS_COMPILE", OverrideKind::Prefix),
    ("CARGO_BUILD_TARGET", OverrideKind::CargoTarget),
    ("GOOS", OverrideKind::GoOs),
    ("GOARCH", OverrideKind::GoArch),
    ("CPATH", OverrideKind::Search),
    ("C_INCLUDE_PATH", OverrideKind::Search),
    ("CPLUS_INCLUDE_PATH", OverrideKind::Search),
    ("OBJC_INCLUDE_PATH", OverrideKind::Search),
    ("OBJCPLUS_INCLUDE_PATH", OverrideKind::Search),
    ("COMPILER_PATH", OverrideKind::Search),
    ("GCC_EXEC_PREFIX", OverrideKind::Search),
    ("LD_RUN_PATH", OverrideKind::Search),
    ("CCC_OVERRIDE_OPTIONS", OverrideKind::Search),
    ("CLANG_CONFIG_FILE_USER_DIR", OverrideKind::Search),
];

/// Programs that may precede a compiler in its variable.
const LAUNCHERS: [&str; 6] = ["ccache", "sccache", "distcc", "icecc", "env", "nice"];

/// Prefixes of tools that work on the files of every target.
const FOR_EVERY_TARGET: [&str; 5] = ["llvm-", "ld.lld", "lld", "mold", "wild"];

/// A variable of the caller's that overrides crossmerge's, with the reason why it is a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Overridden {
    /// The variable.
    pub(crate) name: &'static str,
    /// The message: variable, value, and the machine that it builds for.
    pub(crate) message: String,
    /// Whether the result is certainly for another machine.
    pub(crate) is_certain: bool,
}

/// Warns about the caller's variables that override crossmerge's in a build with these layers. Fails if the result
/// would certainly be for another machine.
#[inline(never)]
pub(super) fn check(layers: &[Layer], context: &Context) -> Result<(), ExportError> {
    let read = |what: &OverrideKind| match what {
        OverrideKind::Search => true,
        OverrideKind::Compiler | OverrideKind::Tool | OverrideKind::PkgConfig => {
            let readers = [Layer::Portage, Layer::Compiler, Layer::Go];
            layers.iter().any(|layer| readers.contains(layer))
        }
        OverrideKind::Prefix => layers.contains(&Layer::Make),
        OverrideKind::CargoTarget => layers.contains(&Layer::Cargo),
        OverrideKind::GoOs | OverrideKind::GoArch => layers.contains(&Layer::Go),
    };
    let mut refused = None;
    for found in all(context)
        .filter(|(what, _)| read(what))
        .map(|(_, found)| found)
    {
        match found.is_certain && refused.is_none() {
            true => refused = Some(found),
            false => report::note(&format!("warning: {}", found.message)),
        }
    }
    match refused {
        Some(Overridden { name, message, .. }) => Err(ExportError::Overridden { name, message }),
        None => Ok(()),
    }
}

/// Returns all of the caller's variables that override crossmerge's, whichever layers are used.
pub(crate) fn found(context: &Context) -> Vec<Overridden> {
    all(context).map(|(_, found)| found).collect()
}

fn all(context: &Context) -> impl Iterator<Item = (OverrideKind, Overridden)> {
    OVERRIDES.iter().filter_map(|&(name, what)| {
        let value = context
            .env
            .get_name(name)
            .filter(|value| !value.is_empty())?;
        let (reason, is_certain) = judge(context, name, what, &value.to_string_lossy())?;
        let value = value.display();
        let message = format!("{name} in the environment is `{value}`{reason}");
        Some((
            what,
            Overridden {
                name,
                message,
                is_certain,
            },
        ))
    })
}

/// Returns the rest of the message, and whether the result is certainly wrong. Returns `None` if the value fits the
/// target.
fn judge(context: &Context, name: &str, what: OverrideKind, value: &str) -> Option<(String, bool)> {
    let target = || context.target().ok();
    let replaces = |tool: &str| format!("it replaces `{}-{tool}`", context.tuple);
    match what {
        OverrideKind::Search => outside(context, value).then(|| {
            let why = match name {
                "LD_RUN_PATH" => "and the linker writes that into the target's programs",
                _ => "and the target's compiler reads that too",
            };
            (format!(", {why}"), false)
        }),
        OverrideKind::Compiler => compiler(context, value),
        OverrideKind::Prefix => {
            let driver = [ToolchainKind::Gnu, ToolchainKind::Llvm]
                .map(|kind| format!("{value}{}", kind.driver()));
            let there = driver
                .iter()
                .find(|name| context.has_command(name.as_ref()));
            match there {
                Some(driver) => compiler(context, driver),
                None => (!is_targets(context, value))
                    .then(|| (format!(", and there is no `{value}gcc`"), false)),
            }
        }
        OverrideKind::Tool => {
            let program = program(value)?;
            let file = file_name(&program);
            let fits = FOR_EVERY_TARGET.iter().any(|name| file.starts_with(name));
            (!fits && !is_targets(context, &program)).then(|| {
                let why = replaces(&name.to_lowercase());
                (format!(", which is not the target's: {why}"), false)
            })
        }
        OverrideKind::PkgConfig => {
            let program = program(value)?;
            (!is_targets(context, &program)).then(|| {
                // Any pkg-config works if the variables of its directories are set.
                let variables = [env::PKG_CONFIG_LIBDIR, env::PKG_CONFIG_SYSROOT_DIR];
                let is_set = variables
                    .iter()
                    .any(|name| context.env.get(*name).is_some());
                let is_bare = context.has_command(program.as_ref()) && !is_set;
                let why = "which lists the build machine's libraries";
                match is_bare {
                    true => (format!(", {why}: {}", replaces("pkg-config")), true),
                    false => (format!(": {}", replaces("pkg-config")), false),
                }
            })
        }
        OverrideKind::CargoTarget => {
            let target = target()?;
            let rust = target.rust.as_deref()?;
            (value != rust).then(|| {
                let why = format!(", and Cargo's name for the target is `{rust}`");
                (
                    why,
                    facts(context, value).is_some_and(|named| is_other(&named, &target)),
                )
            })
        }
        OverrideKind::GoOs => {
            let own = target()?.goos?;
            (value != own).then(|| (format!(", and the target's is `{own}`"), true))
        }
        OverrideKind::GoArch => {
            let own = target()?.goarch?;
            (value != own).then(|| (format!(", and the target's is `{own}`"), true))
        }
    }
}

/// Returns whether a list of directories contains one outside the sysroot.
fn outside(context: &Context, value: &str) -> bool {
    let sysroot = context.sysroot();
    std::env::split_paths(value).any(|directory| !directory.starts_with(&sysroot))
}

/// Returns the message for a compiler of another machine, and whether that is certain. Returns `None` if it is the
/// target's.
fn compiler(context: &Context, value: &str) -> Option<(String, bool)> {
    let program = program(value)?;
    if is_targets(context, &program) {
        return None;
    }
    let replaces = format!("it replaces the compiler of `{}`", context.tuple);
    let words: Vec<String> = shell_words::split(value).ok()?;
    // Such an option makes the compiler build for another machine than its name shows.
    let options = ["-m32", "-m64", "-mx32", "-target", "--target", "-b"];
    let has_option = words.iter().any(|word| {
        let name = word.split('=').next().unwrap_or(word);
        options.contains(&name)
    });
    // A launcher such as ccache is not run.
    let own = words.iter().position(|word| *word == program)?;
    let Some(machine) = dump_machine(context, &words[own..]) else {
        return Some((format!(": {replaces}"), false));
    };
    let target = context.target().ok()?;
    // Compilers of one machine may differ in its vendor.
    let short = |name: &str| {
        let tuple = name.parse::<crossmerge_plan::tuple::Tuple>().ok();
        tuple
            .and_then(|tuple| tuple.without_vendor())
            .unwrap_or_else(|| name.to_owned())
    };
    let own = context.machine_of_cc();
    let is_native = own.is_some_and(|own| short(&own) == short(&machine));
    let is_other = facts(context, &machine).is_some_and(|made| is_other(&made, &target));
    let is_certain = !has_option && (is_native || is_other);
    if !is_certain && !has_option && !is_native {
        // It is another compiler for the same machine.
        return None;
    }
    Some((
        format!(", which builds for `{machine}`: {replaces}"),
        is_certain,
    ))
}

/// Returns the compiler's own name of its target (`-dumpmachine`).
fn dump_machine(context: &Context, words: &[String]) -> Option<String> {
    let (program, args) = words.split_first()?;
    let plan = Plan {
        program: context.find_command(OsStr::new(program)).ok()?,
        args: args
            .iter()
            .map(Into::into)
            .chain(["-dumpmachine".into()])
            .collect(),
        env: Changes::new(),
        ..Plan::default()
    };
    let output = exec::ask(&plan).ok()?;
    let machine = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_name = !machine.is_empty() && !machine.contains(char::is_whitespace);
    (output.status.success() && is_name).then_some(machine)
}

/// Returns the facts of a named machine.
fn facts(context: &Context, tuple: &str) -> Option<Target> {
    context.config.facts(&tuple.parse().ok()?).ok()
}

/// Returns whether a program for the one machine does not run on the other.
fn is_other(made: &Target, target: &Target) -> bool {
    let bits = if target.either_bits {
        made.bits
    } else {
        target.bits
    };
    (made.elf_machine, made.bits, made.endian) != (target.elf_machine, bits, target.endian)
}

/// Returns the program of a value, without launchers.
fn program(value: &str) -> Option<String> {
    let words = shell_words::split(value).ok()?;
    let is_program = |word: &String| {
        !LAUNCHERS.contains(&file_name(word).as_str())
            && !word.contains('=')
            && !word.starts_with('-')
    };
    words.into_iter().find(is_program)
}

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns whether a tool is the target's by its name: crossmerge's, or the adopted toolchain's.
fn is_targets(context: &Context, program: &str) -> bool {
    let name = file_name(program);
    if name.starts_with(&format!("{}-", context.tuple)) {
        return true;
    }
    let adopted = context.settings.toolchain.as_ref();
    // The prefix may end in a directory, as LLVM's does.
    let prefix = adopted.and_then(|adopted| adopted.prefix.to_str()?.rsplit('/').next());
    prefix.is_some_and(|prefix| !prefix.is_empty() && name.starts_with(prefix))
}
