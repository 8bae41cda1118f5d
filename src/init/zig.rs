//! Finds Zig's program, and the tools for binaries that Zig lacks.

use super::error::InitError;
use crate::{
    config::{Toolchain, ToolchainKind},
    context::Context,
    distribution::Distribution,
    target::Target,
};
use crossmerge_plan::{plan::Plan, shown::Show};
use crossmerge_system::{exec::probe::ProbeDirectory, file::is_executable};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Output,
};

/// The names of Zig's program in PATH: its own, and that of the Python package `ziglang`.
const PROGRAMS: [&str; 2] = ["zig", "python-zig"];

/// The oldest release with the names of CPUs and the subcommands on which the profiles and the wrappers rely.
const OLDEST: (u32, u32) = (0, 14);

/// The tool by which another toolchain's tools for binaries are tried.
const STRIP: &str = "strip";

/// The prefixes of tools that may handle the binaries of every CPU: LLVM's, and GNU's if they were built so.
const BINUTILS: [&str; 2] = ["llvm-", ""];

/// Returns whether the prefix of a toolchain is the name of Zig's program. Gentoo's has the version in its name.
pub(super) fn is_named(prefix: &OsStr) -> bool {
    let name = Path::new(prefix).file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| PROGRAMS.contains(&name) || name.starts_with("zig-"))
}

/// Returns whether Zig is in PATH.
pub(super) fn is_installed(context: &Context) -> bool {
    program(context, OsStr::new(PROGRAMS[0])).is_some()
}

/// Finds the program with a name. `zig` also means that of the Python package.
fn program(context: &Context, name: &OsStr) -> Option<PathBuf> {
    let others = PROGRAMS.iter().map(OsStr::new);
    let others = others.filter(|_| name == PROGRAMS[0]);
    let mut names = [name].into_iter().chain(others);
    names.find_map(|name| context.find_program(name).ok())
}

/// Finds Zig, and decides on its options for the target. `other_compiler` returns the command that installs one.
pub(super) fn find(
    context: &Context,
    target: &Target,
    name: &OsStr,
    other_compiler: impl FnOnce() -> Option<String>,
) -> Result<Toolchain, InitError> {
    let found = program(context, name).ok_or_else(|| InitError::NoZig {
        name: name.to_owned(),
        install: install(context),
    })?;
    let (program, version) = ask(&found)?;
    if release(&version).is_none_or(|release| release < OLDEST) {
        let (major, minor) = OLDEST;
        return Err(InitError::OldZig {
            program,
            version,
            oldest: format!("{major}.{minor}"),
        });
    }
    let Some(zig) = &target.zig else {
        return Err(InitError::NotZigs {
            tuple: context.tuple.clone(),
            instead: other_compiler(),
        });
    };
    let mut toolchain = Toolchain::new(ToolchainKind::Zig, program);
    toolchain.options = vec!["-target".into(), zig.clone()];
    let cpu = target.zigcpu.iter();
    toolchain
        .options
        .extend(cpu.map(|cpu| format!("-mcpu={cpu}")));
    Ok(toolchain)
}

/// Asks Zig for the path of its program, which a script may start, and for its version.
fn ask(found: &Path) -> Result<(PathBuf, String), InitError> {
    let plan = Plan {
        program: found.into(),
        args: vec!["env".into()],
        ..Plan::default()
    };
    let output = ProbeDirectory::new()?.compile(plan)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let program = value(&text, "zig_exe").map(PathBuf::from);
    let program = program.filter(|program| program.is_absolute() && is_executable(program));
    match (program, value(&text, "version")) {
        (Some(program), Some(version)) => Ok((program, version.to_owned())),
        _ => Err(InitError::NoZigEnv(found.into())),
    }
}

/// Returns the value of a key in the output of `zig env`: `.key = "value"`, in older releases `"key": "value"`.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let rest = line.trim_start().trim_start_matches(['.', '"']);
        let rest = rest
            .strip_prefix(key)?
            .trim_start_matches(['"', ' ', ':', '=']);
        Some(rest.split_once('"')?.0)
    })
}

/// Returns the numbers of a release such as `0.14.1` or `0.15.0-dev.77+69f39868b`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Returns the command that installs Zig: with the distribution's package manager, or with pip if that is installed.
fn install(context: &Context) -> Option<String> {
    let distribution = Distribution::of(&context.env, &context.config.broot);
    let packaged = distribution.install("zig");
    let has = |program: &str| context.find_program(OsStr::new(program)).is_ok();
    let has_pip = has("python3") && (has("pip") || has("pip3"));
    let by_pip = has_pip.then(|| "python3 -m pip install --target zig ziglang".into());
    packaged.or(by_pip)
}

/// Finds tools that handle the target's binaries, by a trial with an object file. Returns the prefix of their paths.
pub(super) fn binutils(
    context: &Context,
    compile: impl FnOnce(&ProbeDirectory, [&OsStr; 4]) -> Result<Output, InitError>,
) -> Result<Option<PathBuf>, InitError> {
    let probes = ProbeDirectory::new()?;
    let source = probes.source("probe.c", "int probe(void) { return 0; }\n")?;
    let object = probes.join("probe.o");
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
        source.as_os_str(),
    ];
    compile(&probes, args)?;
    for prefix in BINUTILS {
        let Ok(strip) = context.find_program(OsStr::new(&format!("{prefix}{STRIP}"))) else {
            continue;
        };
        let plan = Plan {
            program: strip.clone(),
            args: vec![
                "-o".into(),
                probes.join("stripped").into(),
                object.clone().into(),
            ],
            ..Plan::default()
        };
        if probes.compile(plan)?.status.success() {
            let strip = strip.into_os_string().into_string().ok();
            return Ok(strip.and_then(|strip| Some(strip.strip_suffix(STRIP)?.into())));
        }
    }
    Ok(None)
}

/// Notes that the tools for binaries are missing that Zig lacks.
pub(super) fn note_tools(context: &Context) -> Option<String> {
    let adopted = context.settings.toolchain.as_ref()?;
    if adopted.kind != ToolchainKind::Zig || adopted.binutils.is_some() {
        return None;
    }
    let distribution = Distribution::of(&context.env, &context.config.broot);
    let install = distribution.install("llvm-ar");
    let install = install.unwrap_or_else(|| "the package is usually named llvm".into());
    Some(format!(
        "Zig has no `nm`, `strip` or `objcopy`, so packages stay unstripped and some do not build; install LLVM's, and run this again with `--toolchain {}`: {install}",
        adopted.prefix.shown()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_version_are_read_from_every_form_of_zig_env() {
        for text in [
            ".{\n    .zig_exe = \"/opt/zig\",\n    .version = \"0.17.1\",\n}\n",
            "{\n \"zig_exe\": \"/opt/zig\",\n \"version\": \"0.17.1\"\n}\n",
        ] {
            assert_eq!(value(text, "zig_exe"), Some("/opt/zig"), "{text}");
            assert_eq!(value(text, "version"), Some("0.17.1"), "{text}");
            assert_eq!(value(text, "lib_dir"), None, "{text}");
        }
    }

    #[test]
    fn releases_are_compared_by_their_numbers() {
        assert_eq!(release("0.17.1"), Some((0, 17)));
        assert_eq!(release("0.15.0-dev.77+69f39868b"), Some((0, 15)));
        assert!(release("0.9.1") < Some(OLDEST));
        assert_eq!(release("zig"), None);
    }

    #[test]
    fn a_prefix_names_zig_by_its_last_component() {
        for (prefix, is_zigs) in [
            ("zig", true),
            ("/opt/zig-0.14.1/zig", true),
            ("venv/bin/python-zig", true),
            ("zig-0.14", true),
            ("arm-linux-gnueabi-", false),
            ("zigbee-linux-", false),
        ] {
            assert_eq!(is_named(OsStr::new(prefix)), is_zigs, "{prefix}");
        }
    }
}
