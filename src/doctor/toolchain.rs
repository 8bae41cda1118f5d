//! The checks of the compiler by itself, a step at a time: what "C compiler cannot create executables" leaves open.

use super::{
    examination::{Examination, complaint},
    finding::{CheckResult, DoctorError},
    probe::{SOURCE, link_bare},
};
use crate::{config::ToolchainKind, target::elf_machine::ElfMachine};
use crossmerge_plan::{env, shown::Show, words::quote};
use crossmerge_system::{exec::PrintedPath, file::read};
use std::{ffi::OsString, path::PathBuf, process::Output};

/// The file that a step made, or what the compiler said.
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

fn failed(exam: &Examination, what: &str, said: &str) -> CheckResult {
    CheckResult::error(format!("{what}: {said}"), exam.fix_toolchain())
}

pub(super) fn compiler(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let Some(compiler) = exam.compiler() else {
        return Ok(CheckResult::error(
            format!(
                "there is no `{0}-gcc` and no `{0}-clang` in PATH, and no toolchain was adopted",
                exam.tuple()
            ),
            exam.fix_toolchain(),
        ));
    };
    let path = compiler.path.shown();
    Ok(match step(exam, ["--version"])? {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let version = said.lines().next().unwrap_or_default();
            CheckResult::ok(format!("`{path}`, {version}"))
        }
        Err(said) => failed(exam, &format!("`{path}` does not start"), &said),
    })
}

pub(super) fn compile(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let source = exam.source("probe.c", SOURCE)?;
    let out = exam.scratch("probe.s");
    let args = [
        "-S".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    Ok(match step(exam, args)? {
        Ok(_) => CheckResult::ok(""),
        Err(said) => failed(exam, "cannot compile C to assembly", &said),
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
        Err(said) => failed(exam, "compiles C, and cannot assemble the result", &said),
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
            &format!("{made}; the tuple means {}", ElfMachine::wanted(target)),
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
        return Ok(CheckResult::skipped("only programs in ELF are linked here"));
    }
    let args = link_bare(&exam.scratch("probe.c"), &exam.scratch("bare"));
    Ok(match step(exam, args)? {
        Ok(_) => CheckResult::ok(""),
        Err(said) => failed(
            exam,
            "compiles and assembles, and cannot link even without a library",
            &said,
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
        let why = "what is made for the target is not marked with a float ABI";
        return Ok(CheckResult::not_for_this_target(why));
    };
    let mut args: Vec<OsString> = target.cflags.split_whitespace().map(Into::into).collect();
    let out = exam.scratch("bare-tuple");
    args.extend(link_bare(&exam.scratch("probe.c"), &out));
    let header;
    let wanted = match step(exam, args)? {
        Ok(_) => {
            header = read::head(&out, read::ELF_HEADER)?;
            target.float_abi_of(&header).unwrap_or(made)
        }
        Err(said) => {
            let what = format!("cannot compile with the tuple's flags `{}`", target.cflags);
            return Ok(failed(exam, &what, &said));
        }
    };
    if made != wanted {
        return Ok(failed(
            exam,
            "the compiler's own libraries have another float ABI",
            &format!("{made} without flags; the tuple means {wanted}"),
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
                "the libc `{}` has the float ABI {has}; the compiler and the tuple have {wanted}",
                libc.shown()
            ),
            replace_libc(exam),
        ));
    }
    Ok(CheckResult::ok(wanted))
}

/// Takes out the libc that init copied, and copies the one that fits. What a user changed stays.
fn replace_libc(exam: &Examination) -> String {
    let remove = format!("crossmerge remove {}", exam.tuple());
    match (exam.fix_libc(), &exam.context.settings.toolchain) {
        // `remove` forgets the toolchain too.
        (fix, Some(adopted)) if !fix.contains(" --toolchain ") => match adopted.kind {
            ToolchainKind::Llvm => format!("{remove} && {fix} --llvm"),
            ToolchainKind::Gnu => {
                let prefix = quote(adopted.prefix.as_os_str());
                format!("{remove} && {fix} --toolchain {prefix}")
            }
        },
        (fix, _) => format!("{remove} && {fix}"),
    }
}

pub(super) fn search(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let wanted = fs_err::canonicalize(&exam.sysroot)?;
    let real = |path: &str| PrintedPath::of(path)?.real();
    let Some(compiler) = exam.compiler() else {
        return Ok(CheckResult::skipped("there is no compiler"));
    };
    let adopt = || match compiler.adopted {
        true => exam.fix_toolchain(),
        // Called through our link, it is told where the sysroot is.
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
        let why =
            "SYSROOT in the environment names another for this call, and build systems pass it on";
        return Ok(CheckResult::not_for_this_target(why));
    }
    if compiler.kind == ToolchainKind::Gnu {
        let own = exam.compiler_prints("-print-sysroot")?;
        if real(&own).as_ref() != Some(&wanted) {
            let own = if own.is_empty() { "/" } else { &own };
            return Ok(CheckResult::error(
                format!(
                    "the compiler's sysroot is `{own}`, the target's `{}`",
                    wanted.shown()
                ),
                adopt(),
            ));
        }
    }
    // clang has no -print-sysroot, and either lists where it looks for headers.
    let include = wanted.join("usr/include");
    if !include.is_dir() {
        return Ok(CheckResult::ok("there are no headers in it yet"));
    }
    let said = exam.compile(["-E", "-v", "-x", "c", "/dev/null"])??;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let directories: Vec<PathBuf> = said
        .lines()
        .skip_while(|line| !line.starts_with("#include <"))
        .take_while(|line| !line.starts_with("End of search list"))
        .filter_map(|line| real(line.trim()))
        .collect();
    if !directories.contains(&include) {
        return Ok(CheckResult::error(
            format!(
                "the compiler does not look for headers in `{}`",
                include.shown()
            ),
            adopt(),
        ));
    }
    let outside: Vec<String> = directories
        .iter()
        .filter(|directory| {
            directory.starts_with("/usr/include") || directory.starts_with("/usr/local")
        })
        .filter(|directory| !directory.starts_with(&wanted))
        .map(|directory| format!("`{}`", directory.shown()))
        .collect();
    if !outside.is_empty() {
        return Ok(CheckResult::error(
            format!(
                "the compiler finds the host's headers in {}",
                outside.join(", ")
            ),
            exam.fix_toolchain(),
        ));
    }
    let said = exam.compiler_prints("-print-search-dirs")?;
    let libraries = said.lines().find_map(|l| l.strip_prefix("libraries: ="));
    let in_sysroot =
        |directory: &str| real(directory).is_some_and(|real| real.starts_with(&wanted));
    if let (Some(directories), Some(_)) = (libraries, exam.library("libc.so"))
        && !directories.split(':').any(in_sysroot)
    {
        return Ok(CheckResult::error(
            format!("the compiler looks for no library in `{}`", wanted.shown()),
            adopt(),
        ));
    }
    Ok(CheckResult::ok(format!("`{}`", wanted.shown())))
}

pub(super) fn esysroot(exam: &Examination) -> Result<CheckResult, DoctorError> {
    // A sysroot of its own, with a header and a library that no other place has.
    let other = exam.scratch("esysroot");
    // A toolchain of bare metal looks in directories of its own below it.
    for include in ["usr/include", "include"] {
        let include = other.join(include);
        fs_err::create_dir_all(&include)?;
        let header = include.join("crossmerge-probe.h");
        fs_err::write(header, "int crossmerge_probe(void);\n")?;
    }
    let library = exam.source("library.c", "int crossmerge_probe(void) { return 0; }\n")?;
    // A linker takes an object under an archive's name, and so no archiver is needed.
    let object = other.join("usr/lib/libcrossmerge-probe.a");
    fs_err::create_dir_all(other.join("usr/lib"))?;
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
        library.as_os_str(),
    ];
    if let Err(said) = step(exam, args)? {
        return Ok(failed(exam, "cannot compile", &said));
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
    if let Err(said) = step(exam, args)? {
        if exam.target().is_ok_and(|target| target.kernel.is_none()) {
            let why = "a compiler for bare metal, whose headers and libraries are its own";
            return Ok(CheckResult::not_for_this_target(why));
        }
        let what = "the compiler looks for nothing in the sysroot that `--sysroot` names";
        return Ok(failed(exam, what, &said));
    }
    // What both sysroots have is taken from the one that was named.
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
        Err(said) => return Ok(failed(exam, "the compiler finds nothing", &said)),
    };
    let found = found.filter(|found| found.starts_with(&exam.sysroot));
    Ok(match found {
        None => CheckResult::ok(""),
        Some(found) => {
            let said = format!("it takes `{}`", found.shown());
            let what = "the compiler prefers its own sysroot to the one that `--sysroot` names";
            failed(exam, what, &said)
        }
    })
}
