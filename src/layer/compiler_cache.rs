//! The `compiler-cache` layer: the string by which ccache notices that the compiler changed.
//!
//! `<tuple>-gcc` is a symlink to crossmerge. ccache follows it, and compares the size and modification time of
//! crossmerge. So it would keep serving objects of a compiler that has been replaced, and would drop all of them when
//! crossmerge is updated. Therefore ccache gets a string that changes with the real compiler and with the options
//! that crossmerge adds. Sources: ccache(1), `compiler_check`; Buildroot does the same in
//! `toolchain/toolchain-wrapper.c`.
//!
//! The string applies to every compiler of the build, so it depends on the build machine's compilers too. No program
//! is started for it.

use super::changes::set;
use crate::{
    call::Call,
    config::ToolchainKind,
    context::Context,
    export::{Gcc, c_compiler_beside, of_clang},
};
use crossmerge_plan::{env, plan::Changes, words::hex};
use crossmerge_system::file::real_path;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// The build machine's compilers, by their usual names.
const NATIVE: [&str; 4] = ["cc", "gcc", "c++", "clang"];

/// The definitions of the compilers' applets, whose commands contain options that crossmerge adds.
const WRAPPERS: [(&str, &str); 3] = [
    (
        "gnu-compilers.toml",
        include_str!("../../wrappers/gnu-compilers.toml"),
    ),
    (
        "llvm-compilers.toml",
        include_str!("../../wrappers/llvm-compilers.toml"),
    ),
    (
        "zig-compilers.toml",
        include_str!("../../wrappers/zig-compilers.toml"),
    ),
];

/// Sets ccache's string. Without a compiler for the target, it does nothing. For an applet that runs Portage, a value in
/// the target's make.conf counts as the user's, because Portage prefers the environment to make.conf.
#[inline(never)]
pub(super) fn compiler_cache(call: &Call, runs_portage: bool, changes: &mut Changes) {
    let context = call.context;
    let name = env::CCACHE_COMPILERCHECK.name;
    let is_in_make_conf = || {
        let settings = context.read_target_settings(&[name]);
        let value = settings.and_then(|mut settings| settings.remove(name));
        value.is_some_and(|value| !value.is_empty())
    };
    let is_users = context.env.get_name(name).is_some() || runs_portage && is_in_make_conf();
    if !is_users && let Some(key) = compiler_key(call) {
        set(changes, name, format!("string:{key}"));
    }
}

/// Returns a hexadecimal hash that changes with the target's compiler and with the options that crossmerge adds. `None`
/// without a compiler.
pub(crate) fn compiler_key(call: &Call) -> Option<String> {
    let (kind, driver) = call.context.compiler()?;
    Some(key(call.context, files(kind, &driver, call.gcc())))
}

/// Returns a hexadecimal hash that changes with the compiler, whose files are given.
fn key(context: &Context, mut files: Vec<PathBuf>) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    if let Some(toolchain) = &context.settings.toolchain {
        for option in &toolchain.options {
            add(option.as_bytes());
        }
        for tool in ["as", "g++", "clang++"] {
            files.push(toolchain.tool(tool));
        }
    }
    add(context.sysroot().as_os_str().as_bytes());
    for (file, text) in WRAPPERS {
        // The rest of the file lists tools, and does not affect objects.
        let command = text.lines().find(|line| line.starts_with("command"));
        add(command.unwrap_or_default().as_bytes());
        let own = context.config.directories.iter();
        files.extend(own.map(|directory| directory.join("wrappers").join(file)));
        let stem = file.trim_end_matches(".toml");
        let commands = [&context.settings.commands, &context.config.commands];
        for command in commands.iter().filter_map(|commands| commands.get(stem)) {
            add(command.as_bytes());
        }
    }
    files.extend(native_files(context));
    // The compilers of one GCC have common files.
    let mut known = BTreeMap::new();
    for file in &files {
        let metadata = known.entry(file).or_insert_with(|| file.metadata().ok());
        // A missing file adds nothing, so that a list may contain files that only some compilers have.
        if let Some(metadata) = metadata {
            add(file.as_os_str().as_bytes());
            let numbers = [
                metadata.size().cast_signed(),
                metadata.mtime(),
                metadata.mtime_nsec(),
            ];
            numbers.iter().for_each(|number| add(&number.to_le_bytes()));
        }
    }
    hex(&hash.finalize()[..16])
}

/// Returns the files of the build machine's compilers.
fn native_files(context: &Context) -> Vec<PathBuf> {
    let mut files = Vec::new();
    // Several names may be symlinks to one driver.
    let mut drivers: Vec<PathBuf> = Vec::new();
    for name in NATIVE {
        let Ok(native) = context.find_program(OsStr::new(name)) else {
            continue;
        };
        let driver = real_path(&native).unwrap_or_else(|_| native.clone());
        if drivers.contains(&driver) {
            continue;
        }
        if name == "clang" {
            files.extend(of_clang(&driver));
        } else if drivers.contains(&c_compiler_beside(&driver)) {
            files.push(driver.clone());
        } else {
            let gcc = Gcc::behind(&driver).or_else(|| Gcc::behind(&native));
            files.extend(self::files(ToolchainKind::Gnu, &driver, gcc.as_ref()));
        }
        drivers.push(driver);
    }
    files
}

/// Returns the files that a driver's objects depend on.
fn files(kind: ToolchainKind, driver: &Path, gcc: Option<&Gcc>) -> Vec<PathBuf> {
    let mut files = vec![driver.to_owned()];
    match kind {
        ToolchainKind::Gnu => files.extend(gcc.into_iter().flat_map(Gcc::compilers)),
        ToolchainKind::Llvm => {
            let real = real_path(driver).ok();
            files.extend(real.into_iter().flat_map(|real| of_clang(&real)));
        }
        // clang is a part of the program.
        ToolchainKind::Zig => {}
    }
    files
}
