//! The `zig-cache` layer: where Zig keeps the libc that it has compiled.
//!
//! Zig compiles the libc at the first use, which takes minutes, and keeps it below HOME. In an ebuild's phases, HOME is
//! deleted with the build, and Portage's sandbox allows no other directory of the user. It allows
//! `PORTAGE_TMPDIR/portage` (Portage's `ebuild.sh`), in which only Portage's users can write. Each user has a separate
//! directory, because a phase may run as root or as Portage's user.

use super::changes::default;
use crate::context::Context;
use crossmerge_plan::{env, plan::Changes};
use std::path::Path;

/// Sets the directory in an ebuild's phases.
pub(super) fn zig_cache(context: &Context, changes: &mut Changes) {
    let is_in_phase = context.env.get(env::PORTAGE_BUILDDIR).is_some();
    if let Some(tmp) = context.env.get(env::PORTAGE_TMPDIR).filter(|_| is_in_phase) {
        let user = nix::unistd::geteuid();
        let directory = Path::new(tmp).join("portage").join(format!(".zig-{user}"));
        default(context, changes, env::ZIG_GLOBAL_CACHE_DIR, directory);
    }
}
