//! Shows a compiler cache which compiler is behind `<tuple>-gcc`, if the environment does not.
//!
//! ccache and sccache identify a compiler by the file of its name, which is crossmerge's. Both run the preprocessor
//! before they look up an object, and hash its output. So `<tuple>-gcc -E` that a cache has started includes a header
//! whose text depends on the real compiler and on crossmerge's options. Other calls are not changed.
//!
//! The header ends in a `#line` with a path that cannot exist. ccache then does not use its direct mode, in which it
//! would find the object without starting the preprocessor. The declaration is for sccache, which omits line markers.
//! Sources: `process_preprocessed_file` in ccache's src/ccache.cpp, `preprocess` in sccache's src/compiler/gcc.rs.

use crate::{call::Call, layer};
use crossmerge_plan::{
    env::{self, Env},
    plan::File,
};
use fs_err::{read_link, read_to_string};
use nix::unistd::getppid;
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
};

/// The option of each preprocessor call with which sccache looks up an object. Its call that finds out the kind of the
/// compiler has none, and expects only its own text.
const LANGUAGE: &str = "-x";

/// The programs that run the preprocessor for another program.
const CLIENTS: [&str; 2] = ["distcc", "icecc"];

/// The longest chain of clients between a cache and the compiler.
const MOST_CLIENTS: usize = 3;

/// Returns the header for a call, or `None` if no compiler cache reads the output or the environment suffices.
pub(super) fn header(call: &Call, args: &[OsString]) -> Option<File> {
    if !args.iter().any(|arg| arg == "-E") || !is_needed(&call.context.env, args) {
        return None;
    }
    let key = layer::compiler_key(call)?;
    Some(File {
        path: call.context.state_directory().join("compiler-cache.h"),
        text: format!(
            "/* Made by crossmerge for compiler caches. */\n\
             #ifndef __ASSEMBLER__\n\
             struct crossmerge_{key};\n\
             #endif\n\
             #line 1 \"/dev/null/crossmerge-{key}\"\n"
        ),
        printed_by: None,
    })
}

/// Returns whether a compiler cache started this process and does not know the compiler.
fn is_needed(env: &Env, args: &[OsString]) -> bool {
    let mut process = getppid().as_raw().to_string();
    for _ in 0..MOST_CLIENTS {
        let Ok(program) = read_link(format!("/proc/{process}/exe")) else {
            // Without /proc, or behind a set-user-ID program. The header does no harm.
            return true;
        };
        let name = program.file_name().unwrap_or_default().as_bytes();
        let begins_with = |begin: &&str| name.starts_with(begin.as_bytes());
        if name.starts_with(b"ccache") {
            return !is_known_to_ccache(env);
        }
        if name.starts_with(b"sccache") {
            return args.iter().any(|arg| arg == LANGUAGE);
        }
        if !CLIENTS.iter().any(begins_with) {
            return false;
        }
        let Some(parent) = parent_of(&process) else {
            return true;
        };
        process = parent;
    }
    false
}

/// Returns whether ccache compares more than the file of the compiler's name. `none` is the user's decision.
fn is_known_to_ccache(env: &Env) -> bool {
    let check = env.get(env::CCACHE_COMPILERCHECK);
    check.is_some_and(|check| ![OsStr::new("mtime"), OsStr::new("content")].contains(&check))
}

/// Returns the PID of a process's parent. Source: proc_pid_stat(5); the name in parentheses may contain anything.
fn parent_of(process: &str) -> Option<String> {
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(1).map(Into::into)
}
