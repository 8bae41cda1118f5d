//! The checks of a whole program: with the libc, and running.

use super::{
    finding::{DoctorError, Finding},
    patient::{Patient, complaint, trimmed},
};
use crate::qemu;
use crossmerge_plan::{
    env,
    plan::{Change, Plan},
    shown::Show,
    words::quote,
};
use crossmerge_system::exec;
use std::path::{Path, PathBuf};

const SOURCE: &str = "#include <stdio.h>\nint main(void) { return puts(\"crossmerge\") < 0; }\n";

/// What the program prints.
const PRINTS: &str = "crossmerge";

/// The files that a program starts with, besides those of the compiler. Bare metal has its own, by board.
const START_FILES: [&str; 3] = ["crt1.o", "crti.o", "crtn.o"];

pub(super) fn libc(patient: &Patient) -> Result<Finding, DoctorError> {
    let Ok(target) = patient.target() else {
        return Ok(Finding::skipped("nothing is known about the tuple"));
    };
    if target.kernel.is_none() {
        return Ok(Finding::skipped(
            "the target has no kernel: how a program starts there is the board's matter",
        ));
    }
    let asked = patient.source("header.c", "#include <stdio.h>\n")?;
    let header = patient.compile(["-E".as_ref(), asked.as_os_str()])??;
    let in_sysroot = patient.sysroot.join("usr/include/stdio.h").exists();
    if !header.status.success() || !in_sysroot {
        let why = if header.status.success() {
            "no `usr/include/stdio.h`".into()
        } else {
            complaint(&header)
        };
        return Ok(lacks(patient, "headers", &why));
    }
    for file in START_FILES {
        if patient.library(file).is_none() {
            return Ok(lacks(patient, "start files", &format!("no `{file}`")));
        }
        if patient.compiler_finds(file)?.is_none() {
            let what = format!("`{file}` is in the sysroot, and the compiler does not find it");
            return Ok(Finding::error(what, patient.mend_toolchain()));
        }
    }
    if patient
        .library("libc.so")
        .or(patient.library("libc.a"))
        .is_none()
    {
        return Ok(lacks(patient, "library", "no `libc.so` and no `libc.a`"));
    }
    const LIBGCC: &str = "-print-libgcc-file-name";
    if patient.compiler_names(LIBGCC)?.is_none() {
        let libgcc = patient.compiler_says(LIBGCC)?;
        return Ok(Finding::error(
            format!("the compiler lacks its own library: no `{libgcc}`"),
            patient.mend_toolchain(),
        ));
    }
    // A toolchain may prefer a libc of its own to the sysroot's, as Debian's cross compilers do.
    let real = |path: PathBuf| fs_err::canonicalize(path).ok();
    let taken = patient.compiler_finds("crt1.o")?.and_then(real);
    let sysroot = real(patient.sysroot.clone());
    Ok(match (taken, sysroot) {
        (Some(taken), Some(sysroot)) if !taken.starts_with(&sysroot) => {
            let own = taken.parent().unwrap_or(&taken).shown();
            Finding::ok(format!("the compiler prefers its own libc, in `{own}`"))
        }
        _ => Finding::ok(""),
    })
}

fn lacks(patient: &Patient, part: &str, why: &str) -> Finding {
    Finding::error(
        format!(
            "the libc's {part} are not all in `{}`: {why}",
            patient.sysroot.shown()
        ),
        patient.mend_libc(),
    )
}

pub(super) fn program(patient: &Patient) -> Result<Finding, DoctorError> {
    let source = patient.source("program.c", SOURCE)?;
    let out = patient.scratch("program");
    let args = ["-o".as_ref(), out.as_os_str(), source.as_os_str()];
    let output = match patient.compile(args)? {
        Ok(output) if output.status.success() => return Ok(Finding::ok("")),
        Ok(output) => output,
        Err(e) => return Err(e.into()),
    };
    let said = trimmed(&output.stderr);
    let message = format!(
        "the headers, the library and the start files are there, and a program does not link: {}",
        complaint(&output)
    );
    // What is broken goes first: init fills gaps and replaces nothing.
    // GCC names a start file by crossmerge's symlink to it.
    let sysroot = fs_err::canonicalize(&patient.sysroot)?;
    let named = said.split([' ', ':', '\'', '`']).map(Path::new);
    let broken = named
        .filter(|path| path.is_absolute() && path.is_file())
        .filter_map(|path| fs_err::canonicalize(path).ok())
        .find(|path| path.starts_with(&sysroot));
    Ok(match broken {
        Some(file) => Finding::error(
            message,
            format!("rm {} && {}", quote(file.as_os_str()), patient.mend_libc()),
        ),
        None if is_missing(&said) => Finding::error(message, patient.mend_libc()),
        // Every part of the libc is there: the compiler or the linker is at fault.
        None => Finding::error(message, patient.mend_toolchain()),
    })
}

/// Returns whether a linker complains of a file that it did not find. GNU ld, lld and GCC have words of their own for that.
fn is_missing(said: &str) -> bool {
    [
        "cannot find",
        "cannot open",
        "unable to find",
        "No such file",
    ]
    .iter()
    .any(|words| said.contains(words))
}

pub(super) fn qemu(patient: &Patient) -> Result<Finding, DoctorError> {
    let Some(name) = qemu_name(patient) else {
        return Ok(Finding::skipped(
            "QEMU has no user emulation for the target",
        ));
    };
    Ok(match find_qemu(patient, name) {
        Some(path) => Finding::ok(format!("`{}`", path.shown())),
        None => Finding::warning(
            format!(
                "neither `qemu-{name}` nor `qemu-{name}-static` is in PATH: no test of a package can run"
            ),
            install_qemu(patient, name),
        ),
    })
}

/// The command that installs a program on the host: by Portage where one of its repositories has the package, else as the
/// distribution has it; in words where it has none.
pub(super) fn install(patient: &Patient, gentoo: &str, program: &str) -> String {
    let in_a_repository = match patient.host() {
        Some(Ok(host)) => host
            .repositories
            .all
            .iter()
            .any(|repository| repository.location.join(gentoo).is_dir()),
        _ => false,
    };
    let distribution = patient.distribution();
    if in_a_repository {
        return distribution.as_root(&format!("emerge --noreplace {gentoo}"));
    }
    distribution
        .install(program)
        .unwrap_or_else(|| format!("install {program}"))
}

/// The command that installs QEMU's emulator, or what to do in words.
fn install_qemu(patient: &Patient, name: &str) -> String {
    let distribution = patient.distribution();
    distribution
        .qemu(name)
        .unwrap_or_else(|| format!("install QEMU's user-mode emulation, with `qemu-{name}`"))
}

fn qemu_name<'a>(patient: &'a Patient) -> Option<&'a str> {
    patient.target().ok()?.qemu.as_deref()
}

fn find_qemu(patient: &Patient, name: &str) -> Option<PathBuf> {
    crate::qemu::programs(&patient.context.env, name)
        .into_iter()
        .next()
}

pub(super) fn run(patient: &Patient) -> Result<Finding, DoctorError> {
    let Some(qemu) = qemu_name(patient).and_then(|name| find_qemu(patient, name)) else {
        return Ok(Finding::skipped("there is no QEMU"));
    };
    let cpu = patient.context.settings.cpu.as_ref();
    let mut env = qemu::environment(patient.context, &patient.sysroot, cpu);
    let sysroot = Change::Set(patient.sysroot.as_os_str().to_owned());
    env.insert(env::QEMU_LD_PREFIX.name.into(), sysroot);
    let plan = Plan {
        program: qemu,
        args: vec![patient.scratch("program").into()],
        env,
        ..Plan::default()
    };
    let output = exec::query(&[plan])?.remove(0);
    if output.status.success() && trimmed(&output.stdout) == PRINTS {
        return Ok(Finding::ok(""));
    }
    let fix = match (patient.context.env.get(env::QEMU_CPU), cpu) {
        (Some(_), _) => "unset QEMU_CPU".into(),
        (None, Some(_)) => {
            let file = patient.context.config.target_file(patient.tuple());
            format!("sed -i '/^cpu *=/d' {}", quote(file.as_os_str()))
        }
        (None, None) => patient.mend_libc(),
    };
    Ok(Finding::error(
        format!("a program links and does not run: {}", complaint(&output)),
        fix,
    ))
}
