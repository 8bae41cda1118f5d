//! The sysroot that is looked at: how it is written, where it really is, and what is in it.

use super::text;
use crate::{
    file::canonical,
    file::{Node, Tree, Trouble, beneath::Links, read},
};
use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// A sysroot: open, with its path as a person wrote it, and with every link followed.
#[derive(Debug)]
pub(crate) struct Sysroot {
    path: PathBuf,
    real: PathBuf,
    /// None of one that is imagined.
    tree: Option<Tree>,
}

impl Sysroot {
    /// Opens it to change it. It has to be there.
    pub(crate) fn at(path: &Path) -> Result<Self, Trouble> {
        Ok(Self::of(Tree::open(path)?))
    }

    /// Opens it to look at it.
    pub(crate) fn to_read(path: &Path) -> Result<Self, Trouble> {
        Ok(Self::of(Tree::open_to_read(path)?))
    }

    fn of(tree: Tree) -> Self {
        let (absolute, real) = (tree.path(), tree.real().to_owned());
        // An absolute path may have `..` in it, which means something else behind a link.
        let is_plain = !absolute
            .components()
            .any(|part| part == Component::ParentDir);
        let path: PathBuf = match is_plain {
            true => absolute.components().collect(),
            false => real.clone(),
        };
        let tree = Some(tree.called(&path));
        Self { path, real, tree }
    }

    /// The open directory.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// One that need not be there.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn imagined(path: &str) -> Self {
        Self {
            path: path.into(),
            real: path.into(),
            tree: None,
        }
    }

    /// The absolute path as it was written, without a slash at its end. What is written into files begins with it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path without links.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// The place that a path of the target's has here.
    pub(super) fn join(&self, path: &Path) -> PathBuf {
        let relative = path.components().filter(|part| *part != Component::RootDir);
        self.path.join(relative.collect::<PathBuf>())
    }

    /// Tells whether a path of this machine's lies in the sysroot, whatever links lead to it.
    pub(super) fn holds(&self, path: &Path) -> bool {
        canonical(path).starts_with(&self.real)
    }

    /// The rest of an absolute path that begins with the sysroot's, in either spelling.
    pub(super) fn within<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let rest = path.strip_prefix(&self.path);
        rest.or_else(|_| path.strip_prefix(&self.real)).ok()
    }

    /// What a path of the sysroot leads to, by symlinks as the target follows them.
    pub(super) fn leads_to(&self, path: &Path) -> Option<Node> {
        let way = self
            .tree
            .as_ref()?
            .follow(self.within(path)?, Links::InRoot);
        way.ok()?.node()
    }

    /// Tells whether the path is the cross compiler's own folder, which is on this machine and not in the sysroot.
    pub(super) fn is_compilers_own(&self, path: &Path) -> bool {
        let is_gcc = |part: Component| {
            ["gcc", "gcc-cross"]
                .map(OsStr::new)
                .contains(&part.as_os_str())
        };
        path.components().any(is_gcc) && path.exists() && self.leads_to(&self.join(path)).is_none()
    }

    /// Tells whether the path is of a configuration script that the sysroot has.
    pub(super) fn has_config_script(&self, path: &Path) -> bool {
        self.config_script(&self.join(path))
            .is_ok_and(|script| script.is_some())
    }

    /// The text of a script that answers for a library, where the sysroot has one at that path: the file and what is in it.
    pub(super) fn config_script(&self, path: &Path) -> io::Result<Option<(Node, Vec<u8>)>> {
        match self.leads_to(path) {
            Some(node) => script_in(path.file_name().unwrap_or_default(), node),
            None => Ok(None),
        }
    }
}

/// The text of a script that answers for a library, if the file is one: it is read of the file that was looked at. `name` is the name by
/// which a build finds it.
pub(super) fn script_in(name: &OsStr, node: Node) -> io::Result<Option<(Node, Vec<u8>)>> {
    if !node.is_file() {
        return Ok(None);
    }
    // What is a program may be of any size.
    let head = node.head(HEAD)?;
    if head.contains(&0) {
        return Ok(None);
    }
    let is_any = |test: fn(&OsStr) -> bool| {
        let names = [Some(name), node.place().file_name()];
        names.into_iter().flatten().any(test)
    };
    // It answers for every library, by files that are right already.
    if is_any(is_pkg_config) {
        return Ok(None);
    }
    let is_named = is_any(is_config_name);
    let is_script = head.starts_with(b"#!");
    if !(is_script || text::is_sourced(&head)) {
        return Ok(None);
    }
    let text = match node.read(read::SCRIPT) {
        // No configuration script is as large.
        Err(e) if read::refused(&e).is_some_and(read::Why::is_of_size) && !is_named => {
            return Ok(None);
        }
        text => text?,
    };
    let answers = match is_script {
        true => is_named || text::answers(&text),
        false => text::is_settings(&text),
    };
    Ok(answers.then_some((node, text)))
}

/// How much of a file is read to see whether it is a script at all, in bytes. A license may come first.
const HEAD: u64 = 4096;

/// Tells whether a script of that name answers for a library, whatever is in it: `x-config`, `x_config`, `x-config-1.0`.
fn is_config_name(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut ends = (0..name.len()).filter(|at| {
        let rest = &name[*at..];
        rest.starts_with(b"-config") || rest.starts_with(b"_config")
    });
    ends.any(|at| match name[at + "-config".len()..] {
        [] => true,
        [b'-' | b'.' | b'_', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
    })
}

/// Tells whether the name is one of pkg-config's.
fn is_pkg_config(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.ends_with(b"pkg-config") || name.ends_with(b"pkgconf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_a_configuration_script() {
        for (name, is_one) in [
            ("libpng16-config", true),
            ("python3.11-config", true),
            ("pg_config", true),
            ("wx-config-3.2", true),
            ("x-config2", true),
            ("x-config.1", true),
            ("config", false),
            ("x-configure", false),
            ("x-config-edit", false),
        ] {
            assert_eq!(is_config_name(OsStr::new(name)), is_one, "{name}");
        }
    }
}
