//! The integration tests: the built binary under its names, with the real tools.

mod support;

// The source of `make docs`. Its own tests run here, and tests of the generated pages need no earlier build.
#[path = "../examples/docs/main.rs"]
#[allow(dead_code, reason = "its `main` is the example's")]
mod docs;

mod adopt;
mod binhost;
mod boot;
mod build_systems;
mod chroot;
mod completions;
mod doctor;
mod emerge;
mod failures;
mod farm;
mod find;
mod fix_root;
mod floors;
mod foreign_trees;
mod guide;
mod hardening;
mod hints;
mod image;
mod init;
mod install;
mod kill;
mod limits;
mod man;
mod names;
mod pack;
mod packaging;
mod pkg_config;
mod plan;
mod portage_settings;
mod prepare;
mod profile;
mod prose;
mod qemu;
mod root;
mod show;
mod site_cache;
mod start;
mod toolchain;
mod toolchain_build;
mod xkmake;
mod zig;
