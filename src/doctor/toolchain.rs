//! The checks of the compiler by itself, a step at a time: what "C compiler cannot create executables" leaves open.

use super::{
    finding::{DoctorError, Finding},
    patient::{Patient, complaint},
    probe::{SOURCE, link_bare},
};
use crate::{config::ToolchainKind, target::made::Made};
use crossmerge_plan::{env, shown::Show, words::quote};
use crossmerge_system::{exec::PrintedPath, file::read};
use std::{ffi::OsString, path::PathBuf, process::Output};

/// The file that a step made, or what the compiler said.
fn step<A: Into<OsString>>(
    patient: &Patient,
    args: impl IntoIterator<Item = A>,
) -> Result<Result<Output, String>, DoctorError> {
    Ok(match patient.compile(args)? {
        Err(e) => Err(e.to_string()),
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => Err(complaint(&output)),
    })
}

fn failed(patient: &Patient, what: &str, said: &str) -> Finding {
    Finding::error(format!("{what}: {said}"), patient.mend_toolchain())
}

pub(super) fn compiler(patient: &Patient) -> Result<Finding, DoctorError> {
    let Some(compiler) = patient.compiler() else {
        return Ok(Finding::error(
            format!(
                "there is no `{0}-gcc` and no `{0}-clang` in PATH, and no toolchain was adopted",
                patient.tuple()
            ),
            patient.mend_toolchain(),
        ));
    };
    let path = compiler.path.shown();
    Ok(match step(patient, ["--version"])? {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let version = said.lines().next().unwrap_or_default();
            Finding::ok(format!("`{path}`, {version}"))
        }
        Err(said) => failed(patient, &format!("`{path}` does not start"), &said),
    })
}

pub(super) fn compile(patient: &Patient) -> Result<Finding, DoctorError> {
    let source = patient.source("probe.c", SOURCE)?;
    let out = patient.scratch("probe.s");
    let args = [
        "-S".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    Ok(match step(patient, args)? {
        Ok(_) => Finding::ok(""),
        Err(said) => failed(patient, "cannot compile C to assembly", &said),
    })
}

pub(super) fn assemble(patient: &Patient) -> Result<Finding, DoctorError> {
    let (source, out) = (patient.scratch("probe.s"), patient.scratch("probe.o"));
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    Ok(match step(patient, args)? {
        Ok(_) => Finding::ok(""),
        Err(said) => failed(patient, "compiles C, and cannot assemble the result", &said),
    })
}

pub(super) fn machine(patient: &Patient) -> Result<Finding, DoctorError> {
    let Ok(target) = patient.target() else {
        return Ok(Finding::skipped("nothing is known about the tuple"));
    };
    let Some(made) = Made::of(&read::head(&patient.scratch("probe.o"), read::ELF_HEADER)?) else {
        return Ok(Finding::not_for_this_target("the object is not ELF"));
    };
    if !made.fits(target) {
        return Ok(failed(
            patient,
            "the compiler builds for another machine",
            &format!("{made}; the tuple means {}", Made::wanted(target)),
        ));
    }
    let other = patient.traits()?;
    Ok(match other.and_then(|traits| traits.other_system(target)) {
        None => Finding::ok(made.to_string()),
        Some(other) => failed(
            patient,
            "the compiler builds for another system",
            &other.to_string(),
        ),
    })
}

pub(super) fn link(patient: &Patient) -> Result<Finding, DoctorError> {
    if Made::of(&read::head(&patient.scratch("probe.o"), read::ELF_HEADER)?).is_none() {
        return Ok(Finding::skipped("only programs in ELF are linked here"));
    }
    let args = link_bare(&patient.scratch("probe.c"), &patient.scratch("bare"));
    Ok(match step(patient, args)? {
        Ok(_) => Finding::ok(""),
        Err(said) => failed(
            patient,
            "compiles and assembles, and cannot link even without a library",
            &said,
        ),
    })
}

pub(super) fn float_abi(patient: &Patient) -> Result<Finding, DoctorError> {
    let Ok(target) = patient.target() else {
        return Ok(Finding::skipped("nothing is known about the tuple"));
    };
    let bare = patient.scratch("bare");
    let header = read::head(&bare, read::ELF_HEADER)?;
    let other = || {
        let other = patient.traits()?;
        Ok::<_, DoctorError>(other.and_then(|traits| traits.other_abi(target)))
    };
    let what = "the compiler's own libraries have another ABI";
    let Some(made) = target.float_abi_of(&header) else {
        if let Some(other) = other()? {
            return Ok(failed(patient, what, &other.to_string()));
        }
        let why = "what is made for the target is not marked with a float ABI";
        return Ok(Finding::not_for_this_target(why));
    };
    let mut args: Vec<OsString> = target.cflags.split_whitespace().map(Into::into).collect();
    let out = patient.scratch("bare-tuple");
    args.extend(link_bare(&patient.scratch("probe.c"), &out));
    let header;
    let wanted = match step(patient, args)? {
        Ok(_) => {
            header = read::head(&out, read::ELF_HEADER)?;
            target.float_abi_of(&header).unwrap_or(made)
        }
        Err(said) => {
            let what = format!("cannot compile with the tuple's flags `{}`", target.cflags);
            return Ok(failed(patient, &what, &said));
        }
    };
    if made != wanted {
        return Ok(failed(
            patient,
            "the compiler's own libraries have another float ABI",
            &format!("{made} without flags; the tuple means {wanted}"),
        ));
    }
    if let Some(other) = other()? {
        return Ok(failed(patient, what, &other.to_string()));
    }
    let libc = patient.library("libc.so.6").or(patient.library("libc.so"));
    let has = libc
        .as_ref()
        .and_then(|libc| read::head(libc, read::ELF_HEADER).ok());
    let has = has.as_ref().and_then(|header| target.float_abi_of(header));
    if let (Some(libc), Some(has)) = (libc, has)
        && has != wanted
    {
        return Ok(Finding::error(
            format!(
                "the libc `{}` has the float ABI {has}; the compiler and the tuple have {wanted}",
                libc.shown()
            ),
            replace_libc(patient),
        ));
    }
    Ok(Finding::ok(wanted))
}

/// Takes out the libc that init copied, and copies the one that fits. What a user changed stays.
fn replace_libc(patient: &Patient) -> String {
    let remove = format!("crossmerge remove {}", patient.tuple());
    match (patient.mend_libc(), &patient.context.settings.toolchain) {
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

pub(super) fn search(patient: &Patient) -> Result<Finding, DoctorError> {
    let wanted = fs_err::canonicalize(&patient.sysroot)?;
    let real = |path: &str| PrintedPath::of(path)?.real();
    let Some(compiler) = patient.compiler() else {
        return Ok(Finding::skipped("there is no compiler"));
    };
    let adopt = || match compiler.adopted {
        true => patient.mend_toolchain(),
        // Called through our link, it is told where the sysroot is.
        false => {
            let name = compiler.path.as_os_str().to_string_lossy();
            let prefix = name.trim_end_matches(compiler.kind.driver());
            match compiler.path.parent() == Some(&patient.bindir) {
                true => patient.mend_toolchain(),
                false => patient.adopting(prefix.as_ref(), false),
            }
        }
    };
    if patient.context.env.get(env::SYSROOT).is_some() && !compiler.adopted {
        let why =
            "SYSROOT in the environment names another for this call, and build systems pass it on";
        return Ok(Finding::not_for_this_target(why));
    }
    if compiler.kind == ToolchainKind::Gnu {
        let own = patient.compiler_says("-print-sysroot")?;
        if real(&own).as_ref() != Some(&wanted) {
            let own = if own.is_empty() { "/" } else { &own };
            return Ok(Finding::error(
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
        return Ok(Finding::ok("there are no headers in it yet"));
    }
    let said = patient.compile(["-E", "-v", "-x", "c", "/dev/null"])??;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let directories: Vec<PathBuf> = said
        .lines()
        .skip_while(|line| !line.starts_with("#include <"))
        .take_while(|line| !line.starts_with("End of search list"))
        .filter_map(|line| real(line.trim()))
        .collect();
    if !directories.contains(&include) {
        return Ok(Finding::error(
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
        return Ok(Finding::error(
            format!(
                "the compiler finds the host's headers in {}",
                outside.join(", ")
            ),
            patient.mend_toolchain(),
        ));
    }
    let said = patient.compiler_says("-print-search-dirs")?;
    let libraries = said.lines().find_map(|l| l.strip_prefix("libraries: ="));
    let in_sysroot =
        |directory: &str| real(directory).is_some_and(|real| real.starts_with(&wanted));
    if let (Some(directories), Some(_)) = (libraries, patient.library("libc.so"))
        && !directories.split(':').any(in_sysroot)
    {
        return Ok(Finding::error(
            format!("the compiler looks for no library in `{}`", wanted.shown()),
            adopt(),
        ));
    }
    Ok(Finding::ok(format!("`{}`", wanted.shown())))
}

pub(super) fn esysroot(patient: &Patient) -> Result<Finding, DoctorError> {
    // A sysroot of its own, with a header and a library that no other place has.
    let other = patient.scratch("esysroot");
    // A toolchain of bare metal looks in directories of its own below it.
    for include in ["usr/include", "include"] {
        let include = other.join(include);
        fs_err::create_dir_all(&include)?;
        let header = include.join("crossmerge-probe.h");
        fs_err::write(header, "int crossmerge_probe(void);\n")?;
    }
    let library = patient.source("library.c", "int crossmerge_probe(void) { return 0; }\n")?;
    // A linker takes an object under an archive's name, and so no archiver is needed.
    let object = other.join("usr/lib/libcrossmerge-probe.a");
    fs_err::create_dir_all(other.join("usr/lib"))?;
    let args = [
        "-c".as_ref(),
        "-o".as_ref(),
        object.as_os_str(),
        library.as_os_str(),
    ];
    if let Err(said) = step(patient, args)? {
        return Ok(failed(patient, "cannot compile", &said));
    }
    for directory in ["lib", "lib64", "lib32", "usr/lib64", "usr/lib32"] {
        fs_err::create_dir_all(other.join(directory))?;
        fs_err::copy(&object, other.join(directory).join("libcrossmerge-probe.a"))?;
    }
    let source = patient.source(
        "caller.c",
        "#include <crossmerge-probe.h>\nint main(void) { return crossmerge_probe(); }\n\
         void _start(void) { main(); }\n",
    )?;
    let mut args = link_bare(&source, &patient.scratch("caller"));
    let mut sysroot = OsString::from("--sysroot=");
    sysroot.push(&other);
    args.insert(0, sysroot);
    args.push("-lcrossmerge-probe".into());
    let sysroot = args[0].clone();
    if let Err(said) = step(patient, args)? {
        if patient.target().is_ok_and(|target| target.kernel.is_none()) {
            let why = "a compiler for bare metal, whose headers and libraries are its own";
            return Ok(Finding::not_for_this_target(why));
        }
        let what = "the compiler looks for nothing in the sysroot that `--sysroot` names";
        return Ok(failed(patient, what, &said));
    }
    // What both sysroots have is taken from the one that was named.
    let shared = ["crt1.o", "libc.so", "libc.a"];
    let Some(shared) = shared.iter().find(|file| patient.library(file).is_some()) else {
        return Ok(Finding::ok(""));
    };
    for directory in ["lib", "lib64", "lib32", "usr/lib", "usr/lib64", "usr/lib32"] {
        fs_err::write(other.join(directory).join(shared), "")?;
    }
    let asked = OsString::from(format!("-print-file-name={shared}"));
    let found = match step(patient, [sysroot, asked])? {
        Ok(output) => PrintedPath::of_output(&output),
        Err(said) => return Ok(failed(patient, "the compiler finds nothing", &said)),
    };
    let found = found.filter(|found| found.starts_with(&patient.sysroot));
    Ok(match found {
        None => Finding::ok(""),
        Some(found) => {
            let said = format!("it takes `{}`", found.shown());
            let what = "the compiler prefers its own sysroot to the one that `--sysroot` names";
            failed(patient, what, &said)
        }
    })
}
