//! The checks of a complete program: whether it links with the libc, and whether it runs.

use super::{
    examination::{Examination, complaint, trimmed},
    finding::{CheckResult, DoctorError},
    linking::{self, SOURCE},
};
use crate::qemu;
use crossmerge_plan::{
    env,
    plan::{Change, Plan},
    shown::Show,
    words::quote,
};
use std::path::{Path, PathBuf};

/// The output of every program.
const PRINTS: &str = "crossmerge";

/// The start files that the libc provides. Bare-metal targets have their own for each board.
const START_FILES: [&str; 3] = ["crt1.o", "crti.o", "crtn.o"];

pub(super) fn libc(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Ok(target) = exam.target() else {
        return Ok(CheckResult::skipped("nothing is known about the tuple"));
    };
    if target.kernel.is_none() {
        return Ok(CheckResult::skipped(
            "the target has no kernel, so its start files depend on the board",
        ));
    }
    let asked = exam.source("header.c", "#include <stdio.h>\n")?;
    let header = exam.compile(["-E".as_ref(), asked.as_os_str()])??;
    if exam.has_zigs_libc() && header.status.success() {
        return Ok(CheckResult::ok("Zig compiles its own"));
    }
    let in_sysroot = exam.sysroot.join("usr/include/stdio.h").exists();
    if !header.status.success() || !in_sysroot {
        let why = if header.status.success() {
            "no `usr/include/stdio.h`".into()
        } else {
            complaint(&header)
        };
        return Ok(lacks(exam, "headers", &why));
    }
    for file in START_FILES {
        if exam.library(file).is_none() {
            return Ok(lacks(exam, "start files", &format!("no `{file}`")));
        }
        if exam.compiler_finds(file)?.is_none() {
            let what = format!("`{file}` is in the sysroot, but the compiler does not find it");
            return Ok(CheckResult::error(what, exam.fix_toolchain()));
        }
    }
    if exam.library("libc.so").or(exam.library("libc.a")).is_none() {
        return Ok(lacks(exam, "library", "no `libc.so` and no `libc.a`"));
    }
    const LIBGCC: &str = "-print-libgcc-file-name";
    if exam.compiler_names(LIBGCC)?.is_none() {
        let libgcc = exam.compiler_prints(LIBGCC)?;
        return Ok(CheckResult::error(
            format!("the compiler lacks its own library: no `{libgcc}`"),
            exam.fix_toolchain(),
        ));
    }
    // Some toolchains prefer their own libc to the sysroot's, for example Debian's cross compilers.
    let real = |path: PathBuf| fs_err::canonicalize(path).ok();
    let taken = exam.compiler_finds("crt1.o")?.and_then(real);
    let sysroot = real(exam.sysroot.clone());
    Ok(match (taken, sysroot) {
        (Some(taken), Some(sysroot)) if !taken.starts_with(&sysroot) => {
            let own = taken.parent().unwrap_or(&taken).shown();
            CheckResult::ok(format!("the compiler prefers its own libc, in `{own}`"))
        }
        _ => CheckResult::ok(""),
    })
}

fn lacks(exam: &Examination, part: &str, why: &str) -> CheckResult {
    CheckResult::error(
        format!(
            "the libc's {part} are not all in `{}`: {why}",
            exam.sysroot.shown()
        ),
        exam.fix_libc(),
    )
}

pub(super) fn program(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let source = exam.source("program.c", SOURCE)?;
    let out = exam.scratch("program");
    let args = ["-o".as_ref(), out.as_os_str(), source.as_os_str()];
    let output = match exam.compile(args)? {
        Ok(output) if output.status.success() => return Ok(CheckResult::ok("")),
        Ok(output) => output,
        Err(e) => return Err(e.into()),
    };
    let messages = trimmed(&output.stderr);
    let message = format!(
        "the headers, the library and the start files exist, but a program does not link: {}",
        complaint(&output)
    );
    // The broken file is removed first, because init replaces no existing file. GCC names a start file by crossmerge's
    // symlink to it, so the path is resolved.
    let sysroot = fs_err::canonicalize(&exam.sysroot)?;
    let named = messages.split([' ', ':', '\'', '`']).map(Path::new);
    let broken = named
        .filter(|path| path.is_absolute() && path.is_file())
        .filter_map(|path| fs_err::canonicalize(path).ok())
        .find(|path| path.starts_with(&sysroot));
    Ok(match broken {
        Some(file) => CheckResult::error(
            message,
            format!("rm {} && {}", quote(file.as_os_str()), exam.fix_libc()),
        ),
        None if is_missing(&messages) => CheckResult::error(message, exam.fix_libc()),
        // Every part of the libc exists, so the compiler or the linker is at fault.
        None => CheckResult::error(message, exam.fix_toolchain()),
    })
}

/// Returns whether a linker reports a file that it did not find. GNU ld, lld and GCC word that differently.
fn is_missing(messages: &str) -> bool {
    [
        "cannot find",
        "cannot open",
        "unable to find",
        "No such file",
    ]
    .iter()
    .any(|words| messages.contains(words))
}

pub(super) fn qemu(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(name) = qemu_name(exam) else {
        return Ok(CheckResult::skipped(
            "QEMU has no user emulation for the target",
        ));
    };
    Ok(match find_qemu(exam, name) {
        Some(path) => CheckResult::ok(format!("`{}`", path.shown())),
        None => CheckResult::warning(
            format!(
                "neither `qemu-{name}` nor `qemu-{name}-static` is in PATH, so no test of a package can run"
            ),
            install_qemu(exam, name),
        ),
    })
}

/// Returns the command that installs a program on the host: with Portage if one of its repositories has the package,
/// otherwise with the distribution's package manager. If neither is known, it is a sentence.
pub(super) fn install(exam: &Examination, gentoo: &str, program: &str) -> String {
    let in_a_repository = match exam.host() {
        Some(Ok(host)) => host
            .repositories
            .all
            .iter()
            .any(|repository| repository.location.join(gentoo).is_dir()),
        _ => false,
    };
    let distribution = exam.distribution();
    if in_a_repository {
        return distribution.as_root(&format!("emerge --noreplace {gentoo}"));
    }
    distribution
        .install(program)
        .unwrap_or_else(|| format!("install {program}"))
}

/// Returns the command that installs QEMU's emulator, or a sentence if it is not known.
fn install_qemu(exam: &Examination, name: &str) -> String {
    let distribution = exam.distribution();
    distribution
        .qemu(name)
        .unwrap_or_else(|| format!("install QEMU's user-mode emulation, with `qemu-{name}`"))
}

fn qemu_name<'a>(exam: &'a Examination) -> Option<&'a str> {
    exam.target().ok()?.qemu.as_deref()
}

fn find_qemu(exam: &Examination, name: &str) -> Option<PathBuf> {
    crate::qemu::programs(&exam.context.env, name)
        .into_iter()
        .next()
}

pub(super) fn run(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(qemu) = qemu_name(exam).and_then(|name| find_qemu(exam, name)) else {
        return Ok(CheckResult::skipped("there is no QEMU"));
    };
    let cpu = exam.context.settings.cpu.as_ref();
    let mut env = qemu::variables(exam.context, &exam.sysroot, cpu);
    let sysroot = Change::Set(exam.sysroot.as_os_str().to_owned());
    env.insert(env::QEMU_LD_PREFIX.name.into(), sysroot);
    let (programs, directories) = linking::programs(exam)?;
    let options = qemu::option(exam.context, &exam.sysroot, directories);
    if programs.is_empty() {
        let why = "the sysroot has no dynamic linker, and Zig has none";
        return Ok(CheckResult::skipped(why));
    }
    let mut ran = Vec::new();
    let mut failed = None;
    for name in programs {
        let program = exam.scratch(name);
        let plan = Plan {
            program: qemu.clone(),
            args: options.iter().cloned().chain([program.into()]).collect(),
            env: env.clone(),
            ..Plan::default()
        };
        let output = exam.run(plan)?;
        if !output.status.success() || trimmed(&output.stdout) != PRINTS {
            failed = Some((name, output));
            break;
        }
        ran.push(name);
    }
    let Some((name, output)) = failed else {
        return Ok(CheckResult::ok(ran.join(", ")));
    };
    let fix = match (exam.context.env.get(env::QEMU_CPU), cpu) {
        (Some(_), _) => "unset QEMU_CPU".into(),
        (None, Some(_)) => {
            let file = exam.context.config.target_file(exam.tuple());
            format!("sed -i '/^cpu *=/d' {}", quote(file.as_os_str()))
        }
        (None, None) => exam.fix_libc(),
    };
    Ok(CheckResult::error(
        format!("{name} links but does not run: {}", complaint(&output)),
        fix,
    ))
}
