//! The integration tests: the built binary under its names, against the real tools.

mod support;

mod build_systems;
mod chroot;
mod doctor;
mod emerge;
mod fix_root;
mod guide;
mod init;
mod install;
mod kill;
mod names;
mod pkg_config;
mod plan;
mod portage_settings;
mod profile;
mod qemu;
mod show;
mod site_cache;
mod toolchain;
