//! `crossdev`: the command of Gentoo's crossdev, with the same options.

use super::{
    invocation::Invocation,
    print::print,
    toolchain::{
        build::{BuildOptions, build},
        remove,
    },
};
use crate::{
    applet::Wrappers,
    config::Config,
    toolchain::{self, CrossdevCommand, CrossdevError, OptionsError},
};
use crossmerge_plan::{
    env::Env,
    report::{Failure, UsageError},
};
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// The exit code of crossdev's own failures.
const FAILED: u8 = 1;

/// The exit code of a ROOT other than `/`.
const WRONG_ROOT: u8 = 2;

/// Runs `crossdev`. Its failures have crossdev's exit codes.
pub fn crossdev(
    argv0: &OsStr,
    args: Vec<OsString>,
    env: Env,
    config: Config,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    let invocation = Invocation {
        argv0,
        env,
        config,
        wrappers,
        typed: args,
    };
    run(invocation).map_err(|failure| Failure {
        exit_code: match failure.exit_code {
            WRONG_ROOT => WRONG_ROOT,
            _ => FAILED,
        },
        ..failure
    })
}

fn run(invocation: Invocation<'_>) -> Result<ExitCode, Failure> {
    let args = invocation.typed.iter();
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let name = |name: &str| match toolchain::other_cpu(name) {
        Some(tuple) => Ok(tuple),
        None => invocation.reader()?.tuple(name.as_ref()),
    };
    let command = toolchain::read_options(&args, &name).map_err(|e| match e {
        CrossdevError::Name(failure) => failure,
        CrossdevError::Options(e) => UsageError {
            message: e.to_string(),
            hint: match e {
                OptionsError::NoTarget => {
                    "`crossdev --target arm64`; `crossdev --help` lists the options".into()
                }
                _ => "`crossdev --help` lists the options".into(),
            },
        }
        .into(),
    })?;
    match command {
        CrossdevCommand::Help => print(HELP),
        CrossdevCommand::HelpTargets => super::show::show(&invocation, None, false, false),
        CrossdevCommand::Version => print(&format!(
            "crossdev {}, of crossmerge\n",
            env!("CARGO_PKG_VERSION")
        )),
        CrossdevCommand::ShowTarget(request) => {
            let family = invocation.config.facts(&request.tuple).ok();
            let family = family.as_ref().map(|target| target.arch.as_str());
            print(&toolchain::show_target(&request, family))
        }
        CrossdevCommand::ShowRepository(variable) => {
            let context = invocation.into_context("none".parse()?)?;
            let shown = toolchain::show_repository(&context, &variable)?;
            print(&shown)
        }
        CrossdevCommand::Build(request, runs) => build(
            invocation,
            BuildOptions {
                request: *request,
                verbose: runs.verbose,
                files_only: !runs.emerge,
                test: false,
                show_log: runs.show_log,
            },
        ),
        CrossdevCommand::Clean(request) => remove(invocation, *request, false),
    }
}

/// The help. `docs/crossdev.md` explains the differences from crossdev.
const HELP: &str = "\
Build a cross toolchain with Portage, with the options of Gentoo's crossdev

Usage: crossdev [options] --target <tuple>
       crossdev --clean <tuple>

  -t, --target TUPLE     the target; `help` lists the known ones
  -s0 … -s4, --stage N   stop after: 0 assembler and linker, 1 first compiler, 2 kernel headers, 3 libc, 4 C and C++
  -S, --stable           the newest stable versions
  --b VERSION            version of binutils; also --g gcc, --k kernel headers, --l libc, --d gdb, and the parts of
                         --llvm: --r compiler-rt, --u libunwind, --a libcxxabi, --p libcxx, --c the commands of clang
  --benv LINES           environment of binutils; also --genv and so on; --env is that of all parts
  --bcat, --bpkg NAME    another category or package for binutils; also --gcat and so on
  -ob DIRECTORY          the repository of binutils; also -og and so on
  -oO DIRECTORY          the repository to which the category is added
  -oS \"LIST\"             the repositories in which packages are searched
  -A, --abis \"LIST\"      the ABIs to build for, the default first
  --host-abi ABI         the ABI of the toolchain's own programs
  -P, --portage OPTIONS  options for emerge
  -L, --llvm             clang instead of GCC
  --with-headers         kernel and libc headers before the first compiler; --without-headers
  --ex-gcc, --ex-gdb     build GCC again with your USE flags; build GDB
  --ex-pkg PACKAGE       build a further package, CATEGORY/NAME; -ox DIRECTORY is its repository
  --ex-only              only these
  --init-target          write the files, and build nothing
  --show-target-cfg      print the target's packages; --show-repo-cfg VARIABLE a property of the repositories
  -C, --clean TUPLE      remove a toolchain
  -v                     print the output of emerge; --show-fail-log prints the log of a failed step
  -V, --version; -h, --help

`crossmerge toolchain` is the same with a plan to read first: `crossmerge toolchain plan <tuple>`.
";
