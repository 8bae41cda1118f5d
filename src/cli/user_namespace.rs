//! Runs a command in a user namespace, in which an ordinary user may change the owners of files.

use crate::{config::Config, qemu};
use crossmerge_plan::{
    env::Env,
    plan::{
        Plan,
        step::{Namespaces, Step},
    },
    report::Failure,
};
use crossmerge_system::exec::{self, ExecError};
use nix::unistd::geteuid;
use std::ffi::OsString;

/// Starts this program again in a user namespace that has all users' ids, the caller as root. Returns if it is in one
/// already, or if root called. `args` are the arguments of this process.
pub(super) fn enter(env: &Env, config: &Config, args: &[OsString]) -> Result<(), Failure> {
    if geteuid().is_root() {
        return Ok(());
    }
    let users = qemu::chroot::subordinate_users(env, &config.broot)?;
    // Its name selects the command, so `/proc/self/exe` is not enough.
    let own = fs_err::read_link("/proc/self/exe").map_err(ExecError::File)?;
    let plan = Plan {
        program: own,
        args: args.into(),
        enter: vec![Step::Namespaces(Namespaces {
            users: Some(users),
            processes: false,
        })],
        ..Plan::default()
    };
    match exec::exec(&plan, env)? {}
}
