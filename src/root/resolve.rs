//! The packages that a root would get, as Portage resolves them.

use super::{
    command::{Command, Program},
    error::RootError,
    request::RootRequest,
    step,
};
use crate::{applet::Wrappers, context::Context};
use crossmerge_plan::report::{counted, line};
use crossmerge_system::{
    exec,
    file::{canonical, temporary},
};
use std::{ffi::OsString, path::Path};

/// The packages of Gentoo that contain a package manager.
const MANAGERS: [&str; 2] = ["sys-apps/portage", "sys-apps/pkgcore"];

/// What Portage prints about the packages of a root.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// A line for each package, as Portage prints it, in the order of the merges.
    lines: Vec<String>,
    /// The number of packages of the root that exist as binary packages.
    binary: usize,
    /// The number of packages of the root that are to be built.
    built: usize,
    /// The number of packages that are merged into the sysroot only, to build others.
    sysroot: usize,
    /// The number of packages that are merged into the build machine's own root.
    host: usize,
}

/// Asks Portage once which packages the root gets. Changes nothing.
pub(crate) fn resolve(
    context: &Context,
    wrappers: &Wrappers,
    request: &RootRequest,
) -> Result<Resolved, RootError> {
    let new = &request.places.new;
    // emerge makes the directory ROOT.
    let empty = temporary()?;
    let root = match new.is_dir() {
        true => new.clone(),
        false => canonical(empty.path()),
    };
    const WORDS: [&str; 4] = [
        "--pretend",
        "--usepkg",
        "--binpkg-respect-use=y",
        "--oneshot",
    ];
    let words = WORDS.into_iter().map(OsString::from);
    let packages = step::libc(context)
        .into_iter()
        .chain(request.packages.iter().cloned());
    let command = Command {
        program: Program::Applet("emerge"),
        environment: vec![("ROOT", root.clone().into())],
        args: words.chain(packages.map(OsString::from)).collect(),
        runs_target: false,
    };
    let output = exec::ask(&command.plan(context, wrappers)?)?;
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.replace(&*root.to_string_lossy(), &new.to_string_lossy())
    };
    let (stdout, stderr) = (shown(&output.stdout), shown(&output.stderr));
    if output.status.success() {
        return Ok(Resolved::parse(&stdout, new, &context.own_sysroot()));
    }
    // Before the list, Portage prints only what it does to caches.
    let begins = |line: &&str| !line.starts_with("Calculating dependencies");
    for text in stdout.lines().skip_while(begins).chain(stderr.lines()) {
        line(text);
    }
    let has = |part: &str| stdout.contains(part) || stderr.contains(part);
    Err(RootError::Unresolved {
        tuple: context.tuple.to_string(),
        packages: request.packages.clone(),
        configuration: context.configroot().join("etc/portage"),
        is_libc: has("[blocks") && has("/glibc-") && has("::crossmerge-toolchain"),
    })
}

impl Resolved {
    /// Reads what `emerge --pretend` prints.
    fn parse(text: &str, root: &Path, sysroot: &Path) -> Self {
        let to = |place: &Path| format!(" to {}/", place.display());
        let (root, sysroot) = (to(root), to(sysroot));
        let mut resolved = Self::default();
        for line in text.lines() {
            let is_binary = line.starts_with("[binary");
            if !is_binary && !line.starts_with("[ebuild") {
                continue;
            }
            resolved.lines.push(line.trim_end().to_owned());
            let number = match () {
                () if line.contains(&root) && is_binary => &mut resolved.binary,
                () if line.contains(&root) => &mut resolved.built,
                () if line.contains(&sysroot) => &mut resolved.sysroot,
                () => &mut resolved.host,
            };
            *number += 1;
        }
        resolved
    }

    /// Returns whether one of the packages of the root is a package manager.
    pub(crate) fn has_manager(&self) -> bool {
        MANAGERS.iter().any(|name| {
            let name = format!(" {name}-");
            self.lines.iter().any(|line| line.contains(&name))
        })
    }

    /// Renders the list as comments of a shell script.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!(
            "\n# {}: {} as binary packages, {} to build",
            counted(self.binary + self.built, "package"),
            self.binary,
            self.built
        );
        for (number, place) in [
            (self.sysroot, "the sysroot"),
            (self.host, "the build machine"),
        ] {
            if number > 0 {
                text += &format!("\n# for the builds, {number} more into {place}");
            }
        }
        let lines = self.lines.iter().map(|line| format!("\n#   {line}"));
        text + &lines.collect::<String>() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_each_root_are_told_apart() {
        let text = "\nThese are the packages that would be merged, in order:\n\n\
            [ebuild  N     ] dev-build/ninja-1.12::gentoo \n\
            [ebuild  N     ] dev-libs/libffi-3.4::gentoo to /usr/t/ USE=\"x\"\n\
            [binary  N     ] sys-libs/glibc-2.40-r1-1::gentoo to /srv/board.new/\n\
            [ebuild  N     ] sys-apps/portage-3.0:0/3::gentoo to /srv/board.new/ USE=\"(ipc)\"\n\
            [blocks b      ] <sys-apps/x-1 (\"<sys-apps/x-1\" is soft blocking sys-apps/y-2)\n";
        let resolved = Resolved::parse(text, Path::new("/srv/board.new"), Path::new("/usr/t"));
        let text = resolved.to_text();
        let expected = "\n# 2 packages: 1 as binary packages, 1 to build\n\
            # for the builds, 1 more into the sysroot\n\
            # for the builds, 1 more into the build machine\n\
            #   [ebuild  N     ] dev-build/ninja-1.12::gentoo\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(resolved.has_manager());
    }
}
