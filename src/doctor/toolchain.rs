//! The checks of the compiler, one step at a time. A configure script's "C compiler cannot create executables" does not
//! state which step failed.

use super::{
    examination::{Examination, complaint},
    finding::{CheckResult, DoctorError},
};
use crate::{config::ToolchainKind, target::elf_machine::ElfMachine};
use crossmerge_plan::{env, shown::Show, words::quote};
use crossmerge_system::{
    exec::{
        PrintedPath,
        probe::{BARE, link_bare},
    },
    file::read,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Output,
};

/// Runs the compiler. The inner error is its message if it failed.
fn step<A: Into<OsString>>(
    exam: &Examination,
    args: impl IntoIterator<Item = A>,
) -> Result<Result<Output, String>, DoctorError> {
    Ok(match exam.compile(args)? {
        Err(e) => Err(e.to_string()),
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => Err(complaint(&output)),
    })
}

fn failed(exam: &Examination, what: &str, message: &str) -> CheckResult {
    CheckResult::error(format!("{what}: {message}"), exam.fix_toolchain())
}

pub(super) fn compiler(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(compiler) = exam.compiler() else {
        return Ok(CheckResult::error(
            format!(
                "neither `{0}-gcc` nor `{0}-clang` is in PATH, and no toolchain was adopted",
                exam.tuple()
            ),
            exam.fix_toolchain(),
        ));
    };
    let path = compiler.path.shown();
    Ok(match step(exam, ["--version"])? {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let version = text.lines().next().unwrap_or_default();
            CheckResult::ok(format!("`{path}`, {version}"))
        }
        Err(message) => failed(exam, &format!("`{path}` does not start"), &message),
    })
}

pub(super) fn compile(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let source = exam.source("probe.c", BARE)?;
    let out = exam.scratch("probe.s");
    let args = [
        "-S".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    Ok(match step(exam, args)? {
        Ok(_) => CheckResult::ok(""),
        Err(message) => failed(exam, "cannot compile C to assembly", &message),
    })
}

pub(super) fn assemble(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let (source, out) = (exam.scratch("probe.s"), exam.scratch("probe.o"));
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    Ok(match step(exam, args)? {
        Ok(_) => CheckResult::ok(""),
        Err(message) => failed(exam, "compiles C, but cannot assemble the result", &message),
    })
}

pub(super) fn machine(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Ok(target) = exam.target() else {
        return Ok(CheckResult::skipped("nothing is known about the tuple"));
    };
    let Some(made) = ElfMachine::of(&read::head(&exam.scratch("probe.o"), read::ELF_HEADER)?)
    else {
        return Ok(CheckResult::not_for_this_target("the object is not ELF"));
    };
    if !made.fits(target) {
        return Ok(failed(
            exam,
            "the compiler builds for another machine",
            &format!("{made}, but the tuple means {}", ElfMachine::wanted(target)),
        ));
    }
    let other = exam.traits()?;
    Ok(match other.and_then(|traits| traits.other_system(target)) {
        None => CheckResult::ok(made.to_string()),
        Some(other) => failed(
            exam,
            "the compiler builds for another system",
            &other.to_string(),
        ),
    })
}

pub(super) fn link(exam: &Examination) -> Result<CheckResult, DoctorError> {
    if ElfMachine::of(&read::head(&exam.scratch("probe.o"), read::ELF_HEADER)?).is_none() {
        return Ok(CheckResult::skipped("this check links only ELF programs"));
    }
    let args = link_bare(&exam.scratch("probe.c"), &exam.scratch("bare"));
    Ok(match step(exam, args)? {
        Ok(_) => CheckResult::ok(""),
        Err(message) => failed(
            exam,
            "compiles and assembles, but cannot link even without a library",
            &message,
        ),
    })
}

pub(super) fn float_abi(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Ok(target) = exam.target() else {
        return Ok(CheckResult::skipped("nothing is known about the tuple"));
    };
    let bare = exam.scratch("bare");
    let header = read::head(&bare, read::ELF_HEADER)?;
    let other = || {
        let other = exam.traits()?;
        Ok::<_, DoctorError>(other.and_then(|traits| traits.other_abi(target)))
    };
    let what = "the compiler's own libraries have another ABI";
    let Some(made) = target.float_abi_of(&header) else {
        if let Some(other) = other()? {
            return Ok(failed(exam, what, &other.to_string()));
        }
        let why = "the target's ELF headers do not record a float ABI";
        return Ok(CheckResult::not_for_this_target(why));
    };
    let mut args: Vec<OsString> = exam
        .context
        .cpu_flags(target)
        .split_whitespace()
        .map(Into::into)
        .collect();
    let out = exam.scratch("bare-tuple");
    args.extend(link_bare(&exam.scratch("probe.c"), &out));
    let header;
    let wanted = match step(exam, args)? {
        Ok(_) => {
            header = read::head(&out, read::ELF_HEADER)?;
            target.float_abi_of(&header).unwrap_or(made)
        }
        Err(message) => {
            let what = format!("cannot compile with the tuple's flags `{}`", target.cflags);
            return Ok(failed(exam, &what, &message));
        }
    };
    if made != wanted {
        return Ok(failed(
            exam,
            "the compiler's own libraries have another float ABI",
            &format!("{made} without flags, but the tuple means {wanted}"),
        ));
    }
    if let Some(other) = other()? {
        return Ok(failed(exam, what, &other.to_string()));
    }
    let libc = exam.library("libc.so.6").or(exam.library("libc.so"));
    let has = libc
        .as_ref()
        .and_then(|libc| read::head(libc, read::ELF_HEADER).ok());
    let has = has.as_ref().and_then(|header| target.float_abi_of(header));
    if let (Some(libc), Some(has)) = (libc, has)
        && has != wanted
    {
        return Ok(CheckResult::error(
            format!(
                "the libc `{}` has the float ABI {has}, but the compiler and the tuple have {wanted}",
                libc.shown()
            ),
            replace_libc(exam),
        ));
    }
    Ok(CheckResult::ok(wanted))
}

/// Returns the command that removes the libc that init copied, and copies one with the right ABI. Files that the user
/// changed are kept.
fn replace_libc(exam: &Examination) -> String {
    let remove = format!("crossmerge remove {}", exam.tuple());
    match (exam.fix_libc(), &exam.context.settings.toolchain) {
        // `remove` removes the adopted toolchain's settings as well.
        (fix, Some(adopted)) if !fix.contains(" --toolchain ") => match adopted.kind {
            ToolchainKind::Llvm => format!("{remove} && {fix} --llvm"),
            ToolchainKind::Gnu | ToolchainKind::Zig => {
                let prefix = quote(adopted.prefix.as_os_str());
                format!("{remove} && {fix} --toolchain {prefix}")
            }
        },
        (fix, _) => format!("{remove} && {fix}"),
    }
}

pub(super) fn search(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let wanted = fs_err::canonicalize(&exam.sysroot)?;
    let Some(compiler) = exam.compiler() else {
        return Ok(CheckResult::skipped("there is no compiler"));
    };
    let adopt = || match compiler.adopted {
        true => exam.fix_toolchain(),
        // The wrapper passes `--sysroot`.
        false => {
            let name = compiler.path.as_os_str().to_string_lossy();
            let prefix = name.trim_end_matches(compiler.kind.driver());
            match compiler.path.parent() == Some(&exam.bindir) {
                true => exam.fix_toolchain(),
                false => exam.adopting(prefix.as_ref(), false),
            }
        }
    };
    if exam.context.env.get(env::SYSROOT).is_some() && !compiler.adopted {
        let why = "SYSROOT in the environment names another sysroot for this call, and build systems pass it to the compiler";
        return Ok(CheckResult::not_for_this_target(why));
    }
    if compiler.kind == ToolchainKind::Gnu {
        let own = exam.compiler_prints("-print-sysroot")?;
        if real(&own).as_ref() != Some(&wanted) {
            let own = if own.is_empty() { "/" } else { &own };
            return Ok(CheckResult::error(
                format!(
                    "the compiler's sysroot is `{own}`, but the target's is `{}`",
                    wanted.shown()
                ),
                adopt(),
            ));
        }
    }
    // clang has no -print-sysroot, but both compilers list the directories that they search for headers.
    let include = wanted.join("usr/include");
    if !include.is_dir() {
        return Ok(CheckResult::ok("there are no headers in it yet"));
    }
    let mut directories = header_directories(exam)?;
    if !directories.contains(&include) {
        return Ok(CheckResult::error(
            format!(
                "the compiler does not search `{}` for headers",
                include.shown()
            ),
            adopt(),
        ));
    }
    let is_hosts = |directory: &PathBuf| {
        let mut hosts = ["/usr/include", "/usr/local"].iter();
        hosts.any(|host| directory.starts_with(host)) && !directory.starts_with(&wanted)
    };
    directories.retain(is_hosts);
    if !directories.is_empty() {
        let named = directories
            .iter()
            .map(|directory| format!("`{}`", directory.shown()));
        let named: Vec<String> = named.collect();
        return Ok(CheckResult::error(
            format!(
                "the compiler finds the host's headers in {}",
                named.join(", ")
            ),
            exam.fix_toolchain(),
        ));
    }
    if compiler.kind != ToolchainKind::Zig
        && exam.library("libc.so").is_some()
        && !searches_for_libraries(exam, &wanted)?
    {
        return Ok(CheckResult::error(
            format!(
                "the compiler does not search `{}` for libraries",
                wanted.shown()
            ),
            adopt(),
        ));
    }
    Ok(CheckResult::ok(format!("`{}`", wanted.shown())))
}

fn real(path: &str) -> Option<PathBuf> {
    PrintedPath::of(path)?.real()
}

/// Returns whether the compiler searches a sysroot for libraries, or does not print where it searches.
fn searches_for_libraries(exam: &Examination, sysroot: &Path) -> Result<bool, DoctorError> {
    let listed = exam.compiler_prints("-print-search-dirs")?;
    let libraries = listed.lines().find_map(|l| l.strip_prefix("libraries: ="));
    let is_in_sysroot =
        |directory: &str| real(directory).is_some_and(|real| real.starts_with(sysroot));
    Ok(libraries.is_none_or(|directories| directories.split(':').any(is_in_sysroot)))
}

/// Returns the directories that the compiler searches for headers, without symlinks.
fn header_directories(exam: &Examination) -> Result<Vec<PathBuf>, DoctorError> {
    let output = exam.compile(["-E", "-v", "-x", "c", "/dev/null"])??;
    let messages = String::from_utf8_lossy(&output.stderr);
    Ok(messages
        .lines()
        .skip_while(|line| !line.starts_with("#include <"))
        .take_while(|line| !line.starts_with("End of search list"))
        .filter_map(|line| real(line.trim()))
        .collect())
}

pub(super) fn esysroot(exam: &Examination) -> Result<CheckResult, DoctorError> {
    // A temporary sysroot with a header and a library that exist nowhere else.
    let other = exam.scratch("esysroot");
    // A bare-metal toolchain searches `include` below the sysroot.
    for include in ["usr/include", "include"] {
        let include = other.join(include);
        fs_err::create_dir_all(&include)?;
        let header = include.join("crossmerge-probe.h");
        fs_err::write(header, "int crossmerge_probe(void);\n")?;
    }
    let library = exam.source("library.c", "int crossmerge_probe(void) { return 0; }\n")?;
    // Linkers accept an object file under an archive's name, so no archiver is needed.
    let object = other.join("usr/lib/libcrossmerge-probe.a");
    fs_err::create_dir_all(other.join("usr/lib"))?;
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
        library.as_os_str(),
    ];
    if let Err(message) = step(exam, args)? {
        return Ok(failed(exam, "cannot compile", &message));
    }
    for directory in ["lib", "lib64", "lib32", "usr/lib64", "usr/lib32"] {
        fs_err::create_dir_all(other.join(directory))?;
        fs_err::copy(&object, other.join(directory).join("libcrossmerge-probe.a"))?;
    }
    let source = exam.source(
        "caller.c",
        "#include <crossmerge-probe.h>\nint main(void) { return crossmerge_probe(); }\n\
         void _start(void) { main(); }\n",
    )?;
    let mut args = link_bare(&source, &exam.scratch("caller"));
    let mut sysroot = OsString::from("--sysroot=");
    sysroot.push(&other);
    args.insert(0, sysroot);
    args.push("-lcrossmerge-probe".into());
    let sysroot = args[0].clone();
    if let Err(message) = step(exam, args)? {
        if exam.target().is_ok_and(|target| target.kernel.is_none()) {
            let why = "a bare-metal compiler has its own headers and libraries";
            return Ok(CheckResult::not_for_this_target(why));
        }
        let what = "the compiler does not search the sysroot that `--sysroot` names";
        return Ok(failed(exam, what, &message));
    }
    // A file that both sysroots contain must come from the one that `--sysroot` names.
    let shared = ["crt1.o", "libc.so", "libc.a"];
    let Some(shared) = shared.iter().find(|file| exam.library(file).is_some()) else {
        return Ok(CheckResult::ok(""));
    };
    for directory in ["lib", "lib64", "lib32", "usr/lib", "usr/lib64", "usr/lib32"] {
        fs_err::write(other.join(directory).join(shared), "")?;
    }
    let asked = OsString::from(format!("-print-file-name={shared}"));
    let found = match step(exam, [sysroot, asked])? {
        Ok(output) => PrintedPath::of_output(&output),
        Err(message) => return Ok(failed(exam, "the compiler finds nothing", &message)),
    };
    let found = found.filter(|found| found.starts_with(&exam.sysroot));
    Ok(match found {
        None => CheckResult::ok(""),
        Some(found) => {
            let message = format!("it uses `{}`", found.shown());
            let what = "the compiler prefers its own sysroot to the one that `--sysroot` names";
            failed(exam, what, &message)
        }
    })
}
