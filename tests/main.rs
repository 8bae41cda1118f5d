//! The integration tests: the built binary under its names, against the real tools.

mod support;

// What `make docs` runs, so that its own tests are run here, and those of what it makes need nothing that was built before.
#[path = "../examples/docs/main.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod docs;

mod adopt;
mod build_systems;
mod chroot;
mod completions;
mod doctor;
mod emerge;
mod find;
mod fix_root;
mod floors;
mod guide;
mod hardening;
mod hints;
mod init;
mod install;
mod kill;
mod limits;
mod man;
mod names;
mod packaging;
mod pkg_config;
mod plan;
mod portage_settings;
mod profile;
mod prose;
mod qemu;
mod show;
mod site_cache;
mod start;
mod strangers;
mod toolchain;
mod xkmake;
