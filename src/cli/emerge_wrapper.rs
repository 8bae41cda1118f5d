//! `emerge-wrapper`: the command that crossdev calls.

use super::{
    init::{initialise, is_llvm},
    print::print,
};
use crate::{
    applet::{AppletStart, Wrappers},
    config::Config,
    context::Context,
    init::InitOptions,
};
use crossmerge_plan::{
    env::Env,
    report::{Failure, UsageError},
    tuple::Tuple,
};
use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

/// Runs `emerge-wrapper`, called by crossdev or by a user who knows crossdev.
pub fn emerge_wrapper(
    argv0: &OsStr,
    args: Vec<OsString>,
    env: Env,
    config: Config,
    wrappers: &Wrappers,
) -> Result<ExitCode, Failure> {
    let mut args = args.into_iter().peekable();
    if args
        .peek()
        .is_some_and(|arg| arg == "--help" || arg == "-h")
    {
        return print(WRAPPER_HELP);
    }
    let usage = |message: &str| {
        Failure::from(UsageError {
        message: message.into(),
        hint: "`emerge-wrapper --target <tuple> --init` makes the commands, then `<tuple>-emerge <package>` builds; `--help` lists the options".into(),
    })
    };
    if args.next_if(|arg| arg == "--target").is_none() {
        return Err(usage(
            "emerge-wrapper needs a target: `--target <tuple>` is missing",
        ));
    }
    let tuple = Tuple::from_os(
        &args
            .next()
            .ok_or_else(|| usage("`--target` needs a tuple"))?,
    )?;
    if args.peek().is_some_and(|arg| arg == "--init") {
        if let Some(extra) = args.nth(1) {
            return Err(usage(&format!(
                "`{}` cannot follow `--init`",
                extra.display()
            )));
        }
        let options = InitOptions {
            by_crossdev: true,
            clang_target: is_llvm(&env),
            ..InitOptions::default()
        };
        return initialise(
            argv0,
            Context::new(env, config, tuple)?,
            wrappers,
            &options,
            false,
        );
    }
    // The option names the tuple, so a CHOST in the environment does not.
    let start = AppletStart {
        argv0,
        name: "emerge",
        wrappers,
        tuple: Ok(tuple),
        env,
        config,
        args: args.collect(),
    };
    start.exec()
}

const WRAPPER_HELP: &str = "\
Usage: emerge-wrapper --target <tuple> --init
       emerge-wrapper --target <tuple> [emerge's arguments]

The first form makes a target: the links <tuple>-emerge and others beside this program, and etc/portage in the
sysroot. It is `crossmerge init <tuple>`, which has more options. With LLVM=yes in the environment the target is set
up for clang.

The second form is `<tuple>-emerge`.
";
