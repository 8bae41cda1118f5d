//! The checks of the kinds of programs beside the usual one: static programs, shared libraries, and C++.

use super::{
    examination::{Examination, complaint},
    finding::{CheckResult, DoctorError},
};
use crossmerge_system::elf;
use std::{ffi::OsStr, path::PathBuf, process::Output};

/// A program that prints a line.
pub(super) const SOURCE: &str =
    "#include <stdio.h>\nint main(void) { return puts(\"crossmerge\") < 0; }\n";

/// The temporary files of the programs.
const PROGRAMS: [&str; 4] = ["program", STATIC, SHARED, CXX];
const STATIC: &str = "static-program";
const SHARED: &str = "program-with-library";
const CXX: &str = "c++-program";

/// The libraries of C++: GCC's and LLVM's.
const CXX_LIBRARIES: [&str; 2] = ["libstdc++.so.6", "libc++.so.1"];

/// A function in a shared library, and a program that calls it.
const LIBRARY_SOURCE: &str = "const char *probe_text(void) { return \"crossmerge\"; }\n";
const CALLER_SOURCE: &str = "#include <stdio.h>\nconst char *probe_text(void);\nint main(void) { return puts(probe_text()) < 0; }\n";

/// A program that needs the library of C++ and its exceptions.
const CXX_SOURCE: &str = "#include <iostream>\n#include <stdexcept>\nint main() {\n\ttry { throw std::runtime_error(\"crossmerge\"); }\n\tcatch (const std::exception &e) { std::cout << e.what() << std::endl; }\n}\n";

pub(super) fn static_program(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let is_musl = || {
        exam.target()
            .is_ok_and(|target| target.elibc == Some("musl"))
    };
    let has_libc = exam.library("libc.a").is_some();
    if !(has_libc || exam.has_zigs_libc() && is_musl()) {
        let why = "the sysroot has no `libc.a`";
        return Ok(CheckResult::not_for_this_target(why));
    }
    let source = exam.source("static.c", SOURCE)?;
    let out = exam.scratch(STATIC);
    let args = [
        "-static".as_ref(),
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
    ];
    let output = exam.compile(args)??;
    Ok(linked(exam, &output, "a static program does not link"))
}

pub(super) fn shared(exam: &Examination) -> Result<CheckResult, DoctorError> {
    if exam.library("libc.so").is_none() && !exam.has_zigs_libc() {
        let why = "the sysroot has no `libc.so`";
        return Ok(CheckResult::not_for_this_target(why));
    }
    let source = exam.source("library.c", LIBRARY_SOURCE)?;
    let library = exam.scratch("libprobe.so");
    let words = ["-shared", "-fPIC", "-o"].map(OsStr::new);
    let args = words
        .into_iter()
        .chain([library.as_os_str(), source.as_os_str()]);
    let output = exam.compile(args)??;
    if !output.status.success() {
        return Ok(linked(exam, &output, "a shared library does not link"));
    }
    let source = exam.source("caller.c", CALLER_SOURCE)?;
    let out = exam.scratch(SHARED);
    let args = [
        "-o".as_ref(),
        out.as_os_str(),
        source.as_os_str(),
        library.as_os_str(),
    ];
    let output = exam.compile(args)??;
    Ok(linked(
        exam,
        &output,
        "a program does not link with a shared library",
    ))
}

pub(super) fn cxx(exam: &Examination) -> Result<CheckResult, DoctorError> {
    let source = exam.source("program.cc", CXX_SOURCE)?;
    let out = exam.scratch(CXX);
    let args = ["-o".as_ref(), out.as_os_str(), source.as_os_str()];
    let Some(output) = exam.compile_cxx(args)? else {
        let why = "the toolchain has no C++ compiler";
        return Ok(CheckResult::not_for_this_target(why));
    };
    Ok(linked(
        exam,
        &output?,
        "a C++ program does not compile and link",
    ))
}

/// The programs that were made, and the directories of the libraries that they need beside the sysroot's. The C++
/// program is omitted if its library is neither in the sysroot nor the compiler's own.
pub(super) fn programs(
    exam: &Examination,
) -> Result<(Vec<&'static str>, Vec<PathBuf>), DoctorError> {
    let mut directories: Vec<PathBuf> = exam
        .scratch(SHARED)
        .parent()
        .map(Into::into)
        .into_iter()
        .collect();
    // ::gentoo's GCC keeps the library beside libgcc.
    let libgcc = exam.compiler_names("-print-libgcc-file-name")?;
    let own = libgcc.and_then(|libgcc| Some(libgcc.parent()?.to_owned()));
    let own = own.filter(|own| CXX_LIBRARIES.iter().any(|name| own.join(name).exists()));
    let has_library = own.is_some()
        || CXX_LIBRARIES
            .iter()
            .any(|name| exam.library(name).is_some());
    directories.extend(own);
    let made = PROGRAMS
        .into_iter()
        .filter(|name| exam.scratch(name).exists());
    let programs = made.filter(|name| match exam.has_zigs_libc() {
        // Zig links its C++ library statically, and has no dynamic linker.
        true => {
            let interpreter = elf::interpreter(&exam.scratch(name)).ok().flatten();
            interpreter.is_none_or(|linker| {
                let linker = linker.strip_prefix("/").unwrap_or(&linker).to_owned();
                exam.sysroot.join(linker).exists()
            })
        }
        false => *name != CXX || has_library,
    });
    Ok((programs.collect(), directories))
}

fn linked(exam: &Examination, output: &Output, message: &str) -> CheckResult {
    match output.status.success() {
        true => CheckResult::ok(""),
        false => {
            let message = format!("{message}: {}", complaint(output));
            CheckResult::error(message, exam.fix_toolchain())
        }
    }
}
