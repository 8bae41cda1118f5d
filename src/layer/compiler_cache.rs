//! The `compiler-cache` layer: what ccache compares to see whether the compiler changed.
//!
//! `<tuple>-gcc` is a symlink to this program. ccache follows it, and compares our size and time of change: it would
//! go on serving objects of a compiler that has been replaced since, and forget all of them when crossmerge is
//! updated. So it is given a string that changes with the real compiler, and with the options that we add. Source:
//! ccache(1), `compiler_check`; Buildroot does the same in `toolchain/toolchain-wrapper.c`.
//!
//! The string is for every compiler of the build, so it changes with the build machine's compilers too. Nothing is
//! started for it.

use super::changes::set;
use crate::{
    call::Call,
    config::ToolchainKind,
    context::Context,
    export::{Gcc, of_clang},
};
use crossmerge_plan::{env, plan::Changes};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// The build machine's compilers, by the names that a build may have for them.
const NATIVE: [&str; 4] = ["cc", "gcc", "c++", "clang"];

/// The definitions of the compilers' applets, whose command lines have options of ours.
const WRAPPERS: [(&str, &str); 2] = [
    (
        "gnu-compilers.toml",
        include_str!("../../wrappers/gnu-compilers.toml"),
    ),
    (
        "llvm-compilers.toml",
        include_str!("../../wrappers/llvm-compilers.toml"),
    ),
];

/// Tells ccache which compiler this is. Without a compiler of the target's it may do as it likes.
pub(super) fn compiler_cache(call: &Call, changes: &mut Changes) {
    let context = call.context;
    let is_callers = context
        .env
        .get_name(env::CCACHE_COMPILERCHECK.name)
        .is_some();
    if !is_callers && let Some((kind, driver)) = context.compiler() {
        let key = key(context, files(kind, &driver, call.gcc()));
        let check = format!("string:{key}");
        set(changes, env::CCACHE_COMPILERCHECK.name, check);
    }
}

/// What changes with the compiler, whose files are given, as hexadecimal digits.
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
        // The rest of the file names tools, and may grow without any effect on an object.
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
    for name in NATIVE {
        if let Ok(native) = context.find_program(OsStr::new(name)) {
            files.extend(match name {
                "clang" => self::files(ToolchainKind::Llvm, &native, None),
                _ => self::files(ToolchainKind::Gnu, &native, Gcc::behind(&native).as_ref()),
            });
        }
    }
    // Several names lead to one native GCC.
    let mut known = BTreeMap::new();
    for file in &files {
        let metadata = known.entry(file).or_insert_with(|| file.metadata().ok());
        // A file that does not exist adds nothing, so that a list may name what only some compilers have.
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
    let digest = hash.finalize();
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The files that a driver's objects depend on.
fn files(kind: ToolchainKind, driver: &Path, gcc: Option<&Gcc>) -> Vec<PathBuf> {
    let mut files = vec![driver.to_owned()];
    match kind {
        ToolchainKind::Gnu => files.extend(gcc.into_iter().flat_map(Gcc::compilers)),
        ToolchainKind::Llvm => files.extend(of_clang(driver)),
    }
    files
}
