//! The table of applets with code: what each of them is.

use crate::{
    applet::{AppletError, Code, configure, xkmake},
    argv0, fix_root, pkg_config,
    qemu::{
        chroot,
        run::{self, libc},
    },
};
use std::ffi::OsStr;

/// The code that a definition in `wrappers/` can name. One row is one applet: its name, its help, its plan, and how the
/// plan is carried out. A new applet with code needs a row here and a file with that code.
pub(crate) const CODES: [Code; 9] = [
    // An applet without code: a command line, or the environment.
    Code {
        name: "",
        help: |start| {
            let prints = start.wrappers.prints_environment(start.name);
            let asks = prints && start.asks_for_help();
            asks.then(|| environment_help(argv0::file_name(start.argv0)))
        },
        plan: |applet, call, args| applet.plan(call, args),
        run: |start| {
            let prints = start.args.is_empty() && start.wrappers.prints_environment(start.name);
            match prints {
                true => start.print_environment(),
                false => start.exec(),
            }
        },
    },
    // Enters the target's root.
    Code {
        name: "chroot",
        help: |start| {
            let asks = chroot::asks_for_help(&start.args);
            asks.then(|| chroot::help(argv0::file_name(start.argv0)))
        },
        plan: |_, call, args| Ok(chroot::plan(call.context, args)?),
        run: |start| start.exec(),
    },
    // Finds the configure script to run.
    Code {
        name: "configure",
        help: |_| None,
        plan: |applet, call, args| configure::plan(call, applet.layers(), args),
        run: |start| start.exec(),
    },
    // Corrects files in the sysroot that contain paths of the host.
    Code {
        name: "fix-root",
        help: |_| None,
        plan: |_, call, _| Err(AppletError::NoPlan(call.context.tuple.clone())),
        run: fix_root::run,
    },
    // Runs the ldconfig of the root whose cache it writes.
    Code {
        name: "ldconfig",
        help: |_| None,
        plan: |_, call, args| Ok(libc::ldconfig(call.context, args)?),
        run: |start| start.exec(),
    },
    // Runs the localedef of the root in which it makes locales.
    Code {
        name: "localedef",
        help: |_| None,
        plan: |_, call, args| Ok(libc::localedef(call.context, args)?),
        run: |start| start.exec(),
    },
    // Checks the output for paths of the host.
    Code {
        name: "pkg-config",
        help: |_| None,
        plan: |applet, call, args| match pkg_config::asks_about_itself(&args) {
            true => applet.plan_without_layers(call, args),
            false => applet.plan(call, args),
        },
        run: |start| match pkg_config::asks_about_itself(&start.args) {
            true => start.exec(),
            false => start
                .planned(|call, plan| Ok(pkg_config::run(call.context, call.pkg_config()?, plan)?)),
        },
    },
    // Chooses QEMU by the header of the program.
    Code {
        name: "run",
        help: |start| {
            let asks = start.asks_for_help();
            asks.then(|| run::help(argv0::file_name(start.argv0)))
        },
        plan: |_, call, args| Ok(run::plan(call.context, args)?),
        run: |start| start.exec(),
    },
    // Adapts make to the kernel tree.
    Code {
        name: "xkmake",
        help: |_| None,
        plan: xkmake::plan,
        run: |start| start.exec(),
    },
];

/// Returns the help of an applet without a command of its own.
fn environment_help(name: &OsStr) -> String {
    let name = name.display();
    format!(
        "\
Print the target's environment for a shell, or run a command in it

Usage: {name}
       {name} command [arguments…]

  eval \"$({name})\"   take the environment into this shell
  {name} make           run make in it

A variable that is set already keeps its value. `crossmerge plan <tuple> env …` prints all that would run.
"
    )
}
