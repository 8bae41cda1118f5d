//! `<tuple>-configure`: a project's own configure script, with the target in the form that it understands.
//!
//! Autoconf's scripts take `--build` and `--host`. Others ignore or reject these options, so they only get the
//! environment, from which most read CC, and zlib's and similar ones CHOST.

use super::error::{AppletError, ConfigureError};
use crate::{
    call::Call,
    context::{Context, ContextError},
    distribution::Distribution,
    export::{ExportError, tools},
    layer::{self, Layer},
};
use crossmerge_plan::{
    env,
    plan::{Change, Plan},
};
use crossmerge_system::{
    file::{is_executable, read},
    search::SearchError,
};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The hint to make a configure script.
const MAKE_SCRIPT: &str = "make it with `autoreconf -fi`";

/// Build files of projects without a configure script, with the command that builds them.
const INSTEAD: [(&str, &str); 7] = [
    ("configure.ac", MAKE_SCRIPT),
    ("configure.in", MAKE_SCRIPT),
    (
        "CMakeLists.txt",
        "this is a CMake project: `{tuple}-cmake -B build`",
    ),
    (
        "meson.build",
        "this is a Meson project: `{tuple}-meson setup build`",
    ),
    (
        "Cargo.toml",
        "this is a Cargo project: `{tuple}-cargo build`",
    ),
    ("go.mod", "this is a Go project: `{tuple}-go build`"),
    (
        "Makefile",
        "this is a plain make project: `{tuple}-env make`",
    ),
];

/// Decides what `<tuple>-configure args…` runs.
pub(crate) fn plan(
    call: &Call,
    layers: &[Layer],
    mut args: Vec<OsString>,
) -> Result<Plan, AppletError> {
    let context = call.context;
    let script = match args.first() {
        Some(first) if is_script(first) => PathBuf::from(args.remove(0)),
        _ => "./configure".into(),
    };
    if !script.is_file() {
        return Err(not_there(context, script).into());
    }
    let program = context
        .find_command(script.as_os_str())
        .map_err(|e| match e {
            ContextError::Search(SearchError::NoTool { .. }) => {
                ConfigureError::Missing(script.clone()).into()
            }
            e => AppletError::from(e),
        })?;
    // A script derives its source directory from the path by which it is called.
    let program = if script.is_absolute() {
        program
    } else {
        script
    };
    let mut prepared = layer::apply(layers, call)?;
    // If CC is empty, configure itself looks for a compiler with the tuple's name.
    let environment = context.env.changed(&prepared.env);
    if environment.get_name(env::CC.name).is_none() {
        // Without one, a script would use the host's.
        let (tuple, toolchain) = (context.tuple.to_string(), tools::adoptable(context));
        return Err(ExportError::NoCompiler { tuple, toolchain }.into());
    }
    prepared.env.insert(
        env::CHOST.name.into(),
        Change::Set(context.tuple.as_str().into()),
    );
    let mut ours = Vec::new();
    if is_autoconfs(&program) {
        let cbuild = context.cbuild()?;
        ours.extend(cbuild.map(|cbuild| ("--build", cbuild)));
        ours.push(("--host", context.tuple.to_string()));
    }
    let is_given = |option: &str| {
        args.iter()
            .any(|arg| super::command::is_option(arg, option))
    };
    ours.retain(|(option, _)| !is_given(option));
    let ours = ours
        .iter()
        .map(|(option, value)| format!("{option}={value}").into());
    let plan = Plan {
        program,
        args: ours.chain(args.iter().cloned()).collect(),
        ..Plan::default()
    };
    Ok(prepared.complete(plan))
}

/// Returns whether an argument is the script: a path of a program, a file called configure, or a path that does not
/// exist.
fn is_script(arg: &OsStr) -> bool {
    let (bytes, path) = (arg.as_bytes(), Path::new(arg));
    let is_program = || path.is_file() && is_executable(path);
    let is_misspelt = || !bytes.contains(&b'=') && !path.exists();
    !bytes.starts_with(b"-")
        && bytes.contains(&b'/')
        && (bytes.ends_with(b"configure") || is_program() || is_misspelt())
}

fn not_there(context: &Context, script: PathBuf) -> ConfigureError {
    if script != Path::new("./configure") {
        return ConfigureError::Missing(script);
    }
    let found = INSTEAD.iter().find(|(file, _)| Path::new(file).is_file());
    let instead = found.map_or(
        "change to the directory that has one, or name it, as in `{tuple}-configure ../configure`",
        |(_, instead)| instead,
    );
    let mut instead = instead.replace("{tuple}", context.tuple.as_str());
    // autoreconf always calls Automake's aclocal.
    let is_missing = |tool: &str| context.find_program(OsStr::new(tool)).is_err();
    if instead == MAKE_SCRIPT
        && ["autoreconf", "aclocal"]
            .iter()
            .any(|tool| is_missing(tool))
    {
        let distribution = Distribution::of(&context.env, &context.config.broot);
        instead = match distribution.install("autoreconf") {
            Some(install) => format!("`{install} && autoreconf -fi`"),
            None => "install Autoconf, Automake and libtool, and run autoreconf -fi".into(),
        };
    }
    ConfigureError::None { instead }
}

/// Returns whether Autoconf made the script, by its first lines.
fn is_autoconfs(script: &Path) -> bool {
    const FIRST: u64 = 4096;
    // The second is that of Autoconf 2.13.
    const MARKS: [&[u8]; 2] = [b"GNU Autoconf", b"automatically using autoconf"];
    let first = read::head(script, FIRST).unwrap_or_default();
    let has = |mark: &[u8]| first.windows(mark.len()).any(|bytes| bytes == mark);
    MARKS.iter().any(|mark| has(mark))
}
