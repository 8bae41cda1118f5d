//! `crossmerge boot` and `crossmerge kernel-config`.

use super::{args::BootArgs, invocation::Invocation, print::print};
use crate::boot::{self, Boot, BootError, BootRequest};
use crossmerge_plan::report::{self, Failure};
use std::{
    ffi::OsStr,
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

pub(super) fn boot(invocation: Invocation<'_>, args: BootArgs) -> Result<ExitCode, Failure> {
    let reader = invocation.reader()?;
    let tuple = match &args.target {
        Some(name) => reader.target(name)?,
        None => match boot::tuple_of(&args.image)? {
            Some(tuple) => tuple,
            None => return Err(BootError::NoTuple(args.image).into()),
        },
    };
    let board = args.board.map(|name| reader.tuple(&name)).transpose()?;
    let request = BootRequest {
        image: args.image,
        board,
        kernel: args.kernel,
        initrd: args.initrd,
        dtb: args.dtb,
        memory: args.memory,
        append: args.append,
        run: args.run,
        timeout: Duration::from_secs(args.timeout),
        write: args.write,
    };
    let context = invocation.into_context(tuple)?;
    let boot = Boot::new(&context, &request)?;
    if args.dry_run {
        return print(&format!("{}\n", boot.dry_run()));
    }
    let Some(command) = &request.run else {
        report::note("QEMU ends with Ctrl-A X, and when the system shuts down");
        match boot.exec()? {}
    };
    let output = boot.run(command)?;
    // The command has run, and its exit code is more important than a closed stderr.
    let _ = io::stderr().write_all(&output.stderr);
    let printed = io::stdout()
        .write_all(&output.stdout)
        .and_then(|()| io::stdout().flush());
    Ok(report::printed(printed, ExitCode::from(output.code))?)
}

/// Prints the fragment of a kernel configuration for a tuple's virtual board.
pub(super) fn kernel_config(invocation: Invocation<'_>, name: &OsStr) -> Result<ExitCode, Failure> {
    let tuple = invocation.reader()?.target(name)?;
    let context = invocation.into_context(tuple)?;
    print(&boot::kernel_config(&context)?)
}
