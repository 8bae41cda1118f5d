//! Preparing a prefix: the decision on the steps, and doing them.

use super::{
    error::PrefixError,
    files::{FILES, MAIN, REPOSITORIES, SOURCES},
    needs::{self, Found},
    place::{LOCK, Prefix, PrefixRecord, RECORD, default_directory, lock},
    sources::{self, in_directory},
    step::PrefixStep,
};
use crate::{config::Config, target::Target};
use crossmerge_plan::{
    env::Env, plan::Plan, report::counted, shown::Show, tuple::Tuple, words::quote,
};
use crossmerge_system::{exec, file};
use nix::unistd::{Gid, Group, Uid, User};
use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    thread,
};

/// The version of Portage, with which crossmerge's reading of settings was compared.
const PORTAGE: &str = "3.0.83";

/// The SHA-256 of its only wheel on PyPI, which is for every Python. Portage depends on no other Python package.
const PORTAGE_HASH: &str = "25de95ad893cdf9abec2bf4d18217b3fc07756989c62d3e74bb1695cdf639402";

/// The commands of Portage that get a wrapper in `usr/bin`.
const COMMANDS: [&str; 9] = [
    "dispatch-conf",
    "ebuild",
    "egencache",
    "emaint",
    "emerge",
    "env-update",
    "etc-update",
    "portageq",
    "quickpkg",
];

/// The directories that Portage's commands expect.
const DIRECTORIES: [&str; 6] = [
    "etc/env.d",
    "tmp",
    "var/cache/distfiles",
    "var/db/pkg",
    "var/log",
    "var/tmp",
];

/// The characters of a path that make, configure scripts or Portage's settings would interpret.
const SPECIAL: [char; 11] = [' ', '\t', '\n', '"', '\'', '`', '$', '\\', ':', '#', '%'];

/// The arguments of `prepare`.
#[derive(Debug, Clone, Copy)]
pub struct PrepareRequest<'a> {
    /// The environment.
    pub env: &'a Env,
    /// The configuration.
    pub config: &'a Config,
    /// The directory of the prefix. `None` for the default one.
    pub directory: Option<&'a Path>,
    /// A directory with source archives to build from.
    pub sources: Option<&'a Path>,
}

/// The steps that make a prefix, or complete it.
#[derive(Debug)]
pub struct PreparePlan {
    prefix: PathBuf,
    steps: Vec<PrefixStep>,
}

impl PrepareRequest<'_> {
    /// Decides on the steps, and changes nothing. Everything that the host lacks is an error.
    pub fn plan(&self) -> Result<PreparePlan, PrefixError> {
        let prefix = self.directory()?;
        let record = PrefixRecord::read(&prefix)?;
        if record.is_none() && !is_empty(&prefix)? {
            return Err(PrefixError::Foreign(prefix));
        }
        let found = needs::find(self.env)?;
        let steps = self.steps(&prefix, &record.unwrap_or_default(), &found)?;
        Ok(PreparePlan { prefix, steps })
    }

    /// Decides on the steps and does them. `report` is called before each step that takes long, with its purpose.
    pub fn run(&self, report: &dyn Fn(&str)) -> Result<PreparePlan, PrefixError> {
        let plan = self.plan()?;
        if plan.steps.is_empty() {
            return Ok(plan);
        }
        let _lock = lock(&plan.prefix)?;
        // Another run may have changed the prefix in the meantime. The lock's file is not foreign.
        let plan = PreparePlan {
            steps: self.steps(
                &plan.prefix,
                &PrefixRecord::read(&plan.prefix)?.unwrap_or_default(),
                &needs::find(self.env)?,
            )?,
            ..plan
        };
        for step in &plan.steps {
            if let PrefixStep::Run { what, .. } = step {
                report(what);
            }
            step.apply()?;
        }
        Ok(plan)
    }

    /// Returns the directory of the prefix as an absolute path.
    pub fn directory(&self) -> Result<PathBuf, PrefixError> {
        let directory = match self.directory {
            Some(directory) => std::path::absolute(directory)?,
            None => default_directory().ok_or(PrefixError::NoHome)?,
        };
        // A path without `.` and `..`, because Portage compares it with others.
        let directory: PathBuf = directory.components().collect();
        let is_plain = directory
            .to_str()
            .is_some_and(|name| !name.contains(SPECIAL));
        match is_plain && directory.parent().is_some() {
            true => Ok(directory),
            false => Err(PrefixError::Name(directory)),
        }
    }

    /// Decides on the steps that are left, in their order.
    fn steps(
        &self,
        prefix: &Path,
        record: &PrefixRecord,
        found: &Found,
    ) -> Result<Vec<PrefixStep>, PrefixError> {
        let host = self.host(found)?;
        let mut steps = self.install_portage(prefix, record, found);
        steps.extend(DIRECTORIES.map(|directory| PrefixStep::Directory(prefix.join(directory))));
        steps.extend(repository(prefix)?);
        let sources_repository = prefix.join(REPOSITORIES).join(SOURCES);
        if let Some(directory) = self.sources {
            let archives = in_directory(directory)?;
            steps.extend(sources::steps(&archives, prefix, &layout)?);
        }
        let has_sources = self.sources.is_some() || sources_repository.is_dir();
        steps.extend(settings(prefix, found, has_sources)?);
        steps.extend(profile(prefix, &host));
        if !prefix.join("etc/portage/make.conf").exists() {
            let path = prefix.join("etc/portage/make.conf");
            steps.push(write(path, make_conf()));
        }
        if found.ccache.is_some() {
            let path = prefix.join("var/cache/ccache/ccache.conf");
            let base = prefix.display();
            let text =
                format!("base_dir = {base}\nhash_dir = false\ndepend_mode = true\nmax_size = 2G\n");
            steps.push(write(path, text));
        }
        steps.extend(commands(prefix, found, &host.tuple));
        leave_out_done(prefix, &mut steps);
        Ok(recorded(steps, prefix, record))
    }

    /// Returns the steps that install Portage, unless it is installed. An interrupted installation is repeated as a whole.
    fn install_portage(
        &self,
        prefix: &Path,
        record: &PrefixRecord,
        found: &Found,
    ) -> Vec<PrefixStep> {
        let is_installed = record.portage.as_deref() == Some(PORTAGE);
        // The symlink to the host's Python is dangling after an upgrade to another version.
        let python = prefix.join("bin/python3");
        if is_installed && python.exists() {
            return Vec::new();
        }
        let requirements = prefix.join("crossmerge-requirements.txt");
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let mut install = words(&[
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "install",
            "--no-deps",
            "--only-binary=:all:",
            "--force-reinstall",
            "--require-hashes",
            "--requirement",
        ]);
        install.push(requirements.clone().into());
        let mut venv = words(&["-m", "venv"]);
        venv.push(prefix.into());
        vec![
            PrefixStep::Write {
                path: requirements,
                text: format!("portage=={PORTAGE} --hash=sha256:{PORTAGE_HASH}\n").into(),
                is_program: false,
            },
            PrefixStep::Run {
                what: "making a virtual environment for Python",
                program: found.python.clone(),
                args: venv,
            },
            PrefixStep::Run {
                what: "installing Portage from PyPI",
                program: python,
                args: install,
            },
        ]
    }

    /// Returns the facts about the build machine, by the tuple of its compiler.
    fn host(&self, found: &Found) -> Result<Target, PrefixError> {
        let plan = Plan {
            program: found.gcc.clone(),
            args: vec!["-dumpmachine".into()],
            ..Plan::default()
        };
        let output = exec::ask(&plan)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let tuple: Option<Tuple> = chost(printed.trim()).and_then(|tuple| tuple.parse().ok());
        let tuple = tuple.ok_or_else(|| PrefixError::NoMachine(found.gcc.clone()))?;
        Ok(self.config.facts(&tuple)?)
    }
}

impl PreparePlan {
    /// Renders the steps, one a line.
    pub fn to_steps(&self) -> String {
        self.steps.iter().map(|step| format!("{step}\n")).collect()
    }

    /// Renders the report for the user.
    pub fn to_text(&self) -> String {
        let prefix = self.prefix.shown();
        let mut text = match self.steps.len() {
            0 => format!("{prefix} is ready: nothing to do\n"),
            steps => format!("{prefix} is ready, after {}\n", counted(steps, "step")),
        };
        if let Some(prefix) = Prefix::open(&self.prefix) {
            let _ = write!(
                text,
                "Portage's commands and the toolchains are in {}; for commands of crossmerge that use them:\n  export PORTAGE_OVERRIDE_EPREFIX={} PATH={}:$PATH\n",
                prefix.bin().shown(),
                quote(prefix.eprefix().as_os_str()),
                quote(prefix.bin().as_os_str()),
            );
        }
        text
    }
}

/// Returns the tuple of the build machine as Gentoo writes it. Debian's compilers omit the vendor.
fn chost(machine: &str) -> Option<String> {
    let fields: Vec<&str> = machine.split('-').collect();
    match fields[..] {
        [cpu, "linux", libc] => {
            let is_pc =
                cpu == "x86_64" || (cpu.len() == 4 && cpu.starts_with('i') && cpu.ends_with("86"));
            let vendor = if is_pc { "pc" } else { "unknown" };
            Some(format!("{cpu}-{vendor}-linux-{libc}"))
        }
        // Fedora's and openSUSE's compilers omit the libc.
        [_, _, "linux"] => Some(format!("{machine}-gnu")),
        [_, _, _, _] => Some(machine.into()),
        _ => None,
    }
}

/// Removes the steps that are done. Installing Portage replaces its own settings, so these are written after it in any
/// case.
fn leave_out_done(prefix: &Path, steps: &mut Vec<PrefixStep>) {
    let installs = steps.iter().any(is_run);
    let share = prefix.join("share");
    let is_undone = |step: &PrefixStep| installs && step.path().starts_with(&share);
    steps.retain(|step| is_undone(step) || !step.is_done());
}

/// Adds the steps that write the record. It states that Portage is installed only after it is, and that the prefix is
/// complete only at the end.
fn recorded(mut steps: Vec<PrefixStep>, prefix: &Path, record: &PrefixRecord) -> Vec<PrefixStep> {
    let complete = PrefixRecord {
        complete: true,
        portage: Some(PORTAGE.into()),
    };
    if steps.is_empty() && *record == complete {
        return steps;
    }
    let pending = PrefixRecord {
        complete: false,
        ..complete.clone()
    };
    let write_record = |record: &PrefixRecord| write(prefix.join(RECORD), record.to_text());
    match steps.iter().rposition(is_run) {
        Some(last) => {
            steps.insert(last + 1, write_record(&pending));
            steps.insert(0, write_record(&PrefixRecord::default()));
        }
        None => steps.insert(0, write_record(&pending)),
    }
    steps.push(write_record(&complete));
    steps
}

fn is_run(step: &PrefixStep) -> bool {
    matches!(step, PrefixStep::Run { .. })
}

fn write(path: PathBuf, text: String) -> PrefixStep {
    PrefixStep::Write {
        path,
        text: text.into(),
        is_program: false,
    }
}

/// Returns the steps that write Portage's repositories, and its settings for every configuration root.
fn settings(
    prefix: &Path,
    found: &Found,
    has_sources: bool,
) -> Result<Vec<PrefixStep>, PrefixError> {
    Ok(vec![
        write(
            prefix.join("etc/portage/repos.conf/crossmerge.conf"),
            repos_conf(prefix, has_sources),
        ),
        // Portage's own copy names Gentoo's repository, and every command would report that it is missing.
        write(
            prefix.join("share/portage/config/repos.conf"),
            "# Emptied by `crossmerge toolchain prepare`: etc/portage/repos.conf/ names the repositories.\n".into(),
        ),
        // Gentoo's clang has this file.
        write(
            prefix.join("etc/clang/gentoo-runtimes.cfg"),
            embedded("prefix/gentoo-runtimes.cfg"),
        ),
        PrefixStep::Append {
            path: prefix.join("share/portage/config/make.globals"),
            text: globals(prefix, found)?,
        },
    ])
}

/// Returns the steps that write the build machine's profile.
fn profile(prefix: &Path, host: &Target) -> [PrefixStep; 3] {
    let directory = prefix.join("etc/portage/make.profile");
    let (arch, tuple) = (&host.arch, &host.tuple);
    [
        write(directory.join("eapi"), "8\n".into()),
        write(directory.join("parent"), format!("{MAIN}:host\n")),
        write(
            directory.join("make.defaults"),
            format!(
                "# The build machine, written by `crossmerge toolchain prepare`.\nARCH=\"{arch}\"\nACCEPT_KEYWORDS=\"{arch}\"\nCHOST=\"{tuple}\"\n"
            ),
        ),
    ]
}

/// Returns whether a directory is empty or missing. A run that was interrupted before it wrote the record leaves the
/// lock and the new record.
fn is_empty(directory: &Path) -> Result<bool, PrefixError> {
    match fs_err::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        entries => {
            let names: Result<Vec<_>, _> = entries?.map(|it| it.map(|it| it.file_name())).collect();
            let new = file::new_name(OsStr::new(RECORD));
            Ok(names?.iter().all(|name| name == LOCK || *name == new))
        }
    }
}

/// Returns the steps that write the main repository, and remove from it the files of an older version.
fn repository(prefix: &Path) -> Result<Vec<PrefixStep>, PrefixError> {
    let main = prefix.join(REPOSITORIES).join(MAIN);
    let files = FILES.iter().filter_map(|(path, text)| {
        let path = path.strip_prefix("repository/")?;
        Some((main.join(path), *text))
    });
    let mut steps = Vec::new();
    let mut known = BTreeSet::new();
    for (path, text) in files {
        known.insert(path.clone());
        steps.push(PrefixStep::Write {
            path,
            text: text.into(),
            is_program: false,
        });
    }
    let mut directories = vec![main];
    while let Some(directory) = directories.pop() {
        let entries = match fs_err::read_dir(&directory) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => directories.push(entry.path()),
                false if known.contains(&entry.path()) => {}
                false => steps.push(PrefixStep::Remove(entry.path())),
            }
        }
    }
    Ok(steps)
}

/// Returns the layout.conf of a repository whose packages inherit the eclasses of the main one.
fn layout(name: &str) -> String {
    format!(
        "# Written by `crossmerge toolchain prepare`.\nrepo-name = {name}\nmasters = {MAIN}\nthin-manifests = true\nsign-manifests = false\n\
         manifest-hashes = SHA512\nmanifest-required-hashes = SHA512\ncache-formats =\n"
    )
}

fn repos_conf(prefix: &Path, has_sources: bool) -> String {
    let mut text = format!(
        "# Written by `crossmerge toolchain prepare`. Other repositories have files of their own here.\n\n\
         [DEFAULT]\nmain-repo = {MAIN}\n"
    );
    let names = [Some(MAIN), has_sources.then_some(SOURCES)];
    for name in names.into_iter().flatten() {
        let location = prefix.join(REPOSITORIES).join(name);
        let _ = write!(
            text,
            "\n[{name}]\nlocation = {}\nauto-sync = no\n",
            location.display()
        );
    }
    text
}

/// Returns the settings for every Portage command in the prefix, whatever its configuration root: those of a target
/// read them too.
fn globals(prefix: &Path, found: &Found) -> Result<String, PrefixError> {
    let user = |uid| User::from_uid(uid).ok().flatten().map(|user| user.name);
    let group = |gid| Group::from_gid(gid).ok().flatten().map(|group| group.name);
    let (uid, gid) = (Uid::effective(), Gid::effective());
    let path = |path: &str| prefix.join(path).display().to_string();
    let mut text = format!(
        "DISTDIR=\"{distfiles}\"\nPORTAGE_TMPDIR=\"{tmp}\"\n\n\
         # No Gentoo mirror has these repositories' files.\nGENTOO_MIRRORS=\"\"\n\n\
         # There is no user \"portage\" and no Gentoo sandbox, and a container may not allow namespaces.\n\
         PORTAGE_USERNAME=\"{user}\"\nPORTAGE_GRPNAME=\"{group}\"\n\
         FEATURES=\"${{FEATURES}} -sandbox -usersandbox -userpriv -userfetch -usersync\n\
         \t-ipc-sandbox -mount-sandbox -network-sandbox -pid-sandbox -news\"\n\n\
         # The host's own libraries belong to no package of Portage's, and a toolchain's are in lib on every host.\n\
         FEATURES=\"${{FEATURES}} -multilib-strict -qa-unresolved-soname-deps\"\n",
        distfiles = path("var/cache/distfiles"),
        tmp = path("var/tmp"),
        user = user(uid).ok_or(PrefixError::NoUser(uid.as_raw()))?,
        group = group(gid).ok_or(PrefixError::NoGroup(gid.as_raw()))?,
    );
    if found.ccache.is_some() {
        let _ = write!(
            text,
            "\n# The second build of GCC takes the objects of the first from here.\nFEATURES=\"${{FEATURES}} ccache\"\nCCACHE_DIR=\"{}\"\n",
            path("var/cache/ccache")
        );
    }
    Ok(text)
}

/// Returns the text of a file of `toolchains/`.
fn embedded(path: &str) -> String {
    let file = FILES.iter().find(|(known, _)| *known == path);
    file.map_or("", |(_, text)| text).into()
}

fn make_conf() -> String {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "# The settings for the programs of the toolchains, which run on the build machine. crossmerge writes this file only if it is missing.\n\
         CFLAGS=\"-O2 -pipe\"\nCXXFLAGS=\"${{CFLAGS}}\"\nMAKEOPTS=\"-j{jobs}\"\n"
    )
}

/// Returns the steps that make the commands in the prefix: wrappers of Portage's, the commands that select a version, and
/// symlinks to the host's tools.
fn commands(prefix: &Path, found: &Found, chost: &str) -> Vec<PrefixStep> {
    let bin = prefix.join("usr/bin");
    let program = |name: &str, text: String| PrefixStep::Write {
        path: bin.join(name),
        text: text.into(),
        is_program: true,
    };
    let link = |path: PathBuf, target: &Path| PrefixStep::Link {
        path,
        target: target.into(),
    };
    let quoted = |path: &Path| quote(path.as_os_str());
    let mut steps: Vec<PrefixStep> = COMMANDS
        .iter()
        .map(|name| {
            let real = prefix.join("bin").join(name);
            // Portage searches PATH for the programs of a build.
            program(
                name,
                format!(
                    "#!/bin/sh\n# Written by `crossmerge toolchain prepare`.\nexport PORTAGE_OVERRIDE_EPREFIX={} PATH={}:\"$PATH\"\nexec {} \"$@\"\n",
                    quoted(prefix),
                    quoted(&bin),
                    quoted(&real)
                ),
            )
        })
        .collect();
    for name in ["binutils-config", "gcc-config"] {
        steps.push(program(name, embedded("prefix/config.sh")));
    }
    // Portage searches GNU tar under this name first.
    steps.push(link(bin.join("gtar"), &found.tar));
    for (name, tool) in &found.tools {
        steps.push(link(bin.join(format!("{chost}-{name}")), tool));
    }
    if let Some(ccache) = &found.ccache {
        // FEATURES=ccache searches the compilers' names here.
        let names = ["gcc", "g++", "cc", "c++"];
        let directory = prefix.join("usr/lib/ccache/bin");
        steps.extend(names.map(|name| link(directory.join(name), ccache)));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tuple_of_the_build_machine_has_a_vendor() {
        for (machine, tuple) in [
            ("x86_64-linux-gnu", Some("x86_64-pc-linux-gnu")),
            ("i686-linux-gnu", Some("i686-pc-linux-gnu")),
            ("aarch64-linux-gnu", Some("aarch64-unknown-linux-gnu")),
            ("x86_64-alpine-linux-musl", Some("x86_64-alpine-linux-musl")),
            ("x86_64-redhat-linux", Some("x86_64-redhat-linux-gnu")),
            ("avr", None),
        ] {
            assert_eq!(chost(machine).as_deref(), tuple, "{machine}");
        }
    }

    #[test]
    fn the_repository_is_embedded_with_its_programs() {
        let has = |path: &str| FILES.iter().any(|(it, _)| *it == path);
        for path in [
            "prefix/config.sh",
            "prefix/gentoo-runtimes.cfg",
            "repository/profiles/repo_name",
            "repository/eclass/crossmerge-gcc.eclass",
            "repository/sys-libs/musl/Manifest",
        ] {
            assert!(has(path), "{path}");
        }
    }
}
