//! The GNU cross compilers that are installed.

use crate::{
    config::ToolchainKind,
    context::Context,
    target::{Source, Target},
};
use crossmerge_plan::{env::Env, tuple::Tuple};
use crossmerge_system::{
    file::{Identity, is_executable},
    search,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The suffix of a GNU compiler's name.
pub(super) const COMPILER: &str = "-gcc";

/// The suffixes of the tools that a GNU compiler needs beside it. Directories of wrappers, such as those of ccache and
/// distcc, contain only compilers.
pub(super) const BESIDE: [&str; 2] = ["-as", "-ld"];

/// A GNU cross compiler in PATH.
#[derive(Debug, Clone)]
pub(crate) struct Compiler {
    /// The part of its path before `gcc`.
    pub(crate) prefix: PathBuf,
    /// The tuple in its name.
    pub(crate) tuple: Tuple,
    /// The facts about that tuple.
    pub(crate) target: Target,
}

impl Compiler {
    /// Returns the path of its C compiler.
    pub(crate) fn driver(&self) -> PathBuf {
        let mut path = self.prefix.as_os_str().to_owned();
        path.push(ToolchainKind::Gnu.driver());
        path.into()
    }
}

/// Lists the GNU cross compilers in PATH whose names are tuples, in the order of PATH.
pub(crate) fn compilers(env: &Env, families: &[Source]) -> Vec<Compiler> {
    let own = Identity::own().ok();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in search::path(env) {
        let entries = fs_err::read_dir(directory).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let compiler = compiler_at(&path, own, families);
            found.extend(compiler.filter(|compiler| seen.insert(compiler.tuple.to_string())));
        }
    }
    found
}

pub(super) fn compiler_at(
    path: &Path,
    own: Option<Identity>,
    families: &[Source],
) -> Option<Compiler> {
    let name = path.file_name()?.to_str()?.strip_suffix(COMPILER)?;
    let tuple: Tuple = name.parse().ok()?;
    // A name without a dash may be another program, unless it is the name of a CPU.
    let target = Target::of(&tuple, families, "").ok()?;
    let is_program = |path: &Path| {
        let metadata = path.metadata().ok()?;
        (metadata.is_file() && is_executable(path)).then(|| Identity::of(&metadata))
    };
    if is_program(path)? == own? || search::is_link_of_another(path) {
        return None;
    }
    for beside in BESIDE {
        is_program(&path.with_file_name(format!("{name}{beside}")))?;
    }
    Some(Compiler {
        prefix: path.with_file_name(format!("{name}-")),
        tuple,
        target,
    })
}

/// Lists the compilers that serve a target by their names: those with the same CPU first, then in the order of PATH.
pub(crate) fn serving(context: &Context, target: &Target, families: &[Source]) -> Vec<Compiler> {
    let mut serving = compilers(&context.env, families);
    serving.retain(|compiler| compiler.target.serves(target));
    serving.sort_by_key(|compiler| compiler.target.cpu != target.cpu);
    serving
}
