//! The checks of a root. Reads only.

use super::{
    error::RootError,
    finding::{Finding, RootReport, Severity},
    linker::{Found, Linker},
    merged::{Packages, without_version},
    provider::{self, Provider, Providers},
    walk::{Elf, Entry, EntryKind, Reads, RootFiles, names},
};
use crate::{
    abi::Abi,
    context::Context,
    target::{Target, elf_machine::ElfMachine},
};
use crossmerge_plan::{glob, report::counted, words::quote_line};
use crossmerge_system::{
    file::{Tree, beneath::End, beneath::Links},
    script::spelled,
};
use nix::unistd::geteuid;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// The directories whose content exists only while the system runs.
const OF_RUN_TIME: [&str; 7] = ["proc", "sys", "dev", "run", "tmp", "var/run", "var/tmp"];

/// The directory of ebuild repositories, which a system syncs itself. Its profile is in one of them.
const REPOSITORIES: &str = "var/db/repos";

/// ELF files that the CPU does not run: firmware, what emulators offer to their guests, and debugging information.
const NOT_RUN: [&str; 5] = [
    "lib/firmware/*",
    "usr/lib/firmware/*",
    "usr/share/qemu*",
    "boot/*",
    "usr/lib/debug/*",
];

/// The machine of BPF programs, which the kernel loads on every CPU (`EM_BPF`).
const BPF: u16 = 247;

/// Kernel modules, which have no float ABI.
const MODULES: [&str; 2] = ["lib/modules/*", "usr/lib/modules/*"];

/// Files that no package owns because Portage, the commands that packages call, the kernel's build or the administrator
/// write them.
const WRITTEN_LATER: [&str; 34] = [
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/subuid",
    "etc/subgid",
    "etc/ld.so.cache",
    "etc/ld.so.conf",
    "etc/profile.env",
    "etc/csh.env",
    "etc/environment.d/10-gentoo-env.conf",
    "etc/env.d/*",
    "etc/fstab",
    "etc/hostname",
    "etc/hosts",
    "etc/localtime",
    "etc/machine-id",
    "etc/modules-load.d/*",
    "etc/portage/*",
    "etc/resolv.conf",
    "etc/runlevels/*",
    "etc/systemd/*",
    "etc/ssl/certs/*",
    "lib/modules/*",
    "usr/lib/modules/*",
    "boot/*",
    "root/*",
    "home/*",
    "var/*",
    "usr/share/info/dir",
    "usr/share/mime/*",
    "*/locale-archive",
    "*.cache",
    "*/__pycache__/*",
];

/// Files that a merge or another command has left, each with the directory whose whole content is left.
const LEFTOVERS: [(&str, &str, Option<&str>); 9] = [
    (
        "*._cfg????_*",
        "a version of a configuration file that waits for dispatch-conf",
        None,
    ),
    ("etc/passwd-", "an earlier version of a list of users", None),
    ("etc/group-", "an earlier version of a list of users", None),
    ("etc/shadow-", "an earlier version of a list of users", None),
    (
        "etc/gshadow-",
        "an earlier version of a list of users",
        None,
    ),
    (
        "var/cache/edb/*",
        "a cache of Portage",
        Some("var/cache/edb"),
    ),
    (
        "var/cache/ldconfig/*",
        "a cache of ldconfig",
        Some("var/cache/ldconfig"),
    ),
    ("tmp/*", "a temporary file", Some("tmp")),
    ("var/tmp/*", "a temporary file", Some("var/tmp")),
];

/// The directories in which `env` finds a program, as most systems set PATH.
const PATH: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// What is checked.
pub(crate) struct CheckRequest<'a> {
    pub(crate) tree: Tree,
    pub(crate) context: &'a Context,
    /// Whether packages are merged in the root later, so that `.keep` files are no leftovers.
    pub(crate) is_stage: bool,
}

/// How a finding is fixed.
enum Fix {
    Command(String),
    /// The package with this file is merged into the root. If none has it, the second command is the fix.
    Provide(String, String),
}

/// The findings so far.
struct Check<'a> {
    files: &'a RootFiles,
    packages: &'a Packages,
    context: &'a Context,
    target: &'a Target,
    /// The machines of the tuple's ABIs, if its profile has several.
    machines: Vec<Target>,
    /// The paths of the host that must not be in the root.
    host: &'a [PathBuf],
    is_stage: bool,
    findings: Vec<(Finding, Fix)>,
}

/// Checks a root.
pub(crate) fn check(request: CheckRequest<'_>) -> Result<RootReport, RootError> {
    let CheckRequest {
        tree,
        context,
        is_stage,
    } = request;
    if context.config.is_own_root(tree.path()) {
        let root = tree.path().to_owned();
        return Err(RootError::HostRoot { root });
    }
    let target = context.target()?;
    let host = host_paths(&tree, context);
    let files = RootFiles::walk(tree, Reads::Content(&host))?;
    let packages = Packages::read(&files)?;
    let mut check = Check {
        files: &files,
        packages: &packages,
        context,
        target: &target,
        machines: other_abis(context),
        host: &host,
        is_stage,
        findings: Vec::new(),
    };
    check.whole();
    check.elves();
    check.entries();
    check.owners();
    check.contents();
    let findings = check.finish();
    Ok(RootReport {
        tuple: context.tuple.to_string(),
        root: files.tree.path().display().to_string(),
        elf_files: files.elves.len(),
        entries: files.entries.len(),
        packages: packages.names.len(),
        findings,
    })
}

/// Lists the paths of the host that no file of a root should contain: the root's own, and the sysroot's. A path that the
/// root itself has, as every system has `/usr`, is no evidence.
fn host_paths(tree: &Tree, context: &Context) -> Vec<PathBuf> {
    let sysroot = context.own_sysroot();
    let real = sysroot.canonicalize().ok();
    let paths = [tree.path().to_owned(), tree.real().to_owned(), sysroot];
    let paths = paths.into_iter().chain(real);
    let is_long = |path: &PathBuf| path.components().count() > 2;
    let is_own = |path: &PathBuf| tree.find_in_root(path).is_ok_and(|node| node.is_some());
    let mut paths: Vec<PathBuf> = paths.filter(is_long).filter(|path| !is_own(path)).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Reads the facts about the other ABIs of a profile: those of MULTILIB_ABIS, by the CHOST of each.
fn other_abis(context: &Context) -> Vec<Target> {
    let settings = context.read_target_settings(&["MULTILIB_ABIS"]);
    let abis = settings.and_then(|mut settings| settings.remove("MULTILIB_ABIS"));
    let abis = abis.unwrap_or_default();
    if abis.split_whitespace().count() < 2 {
        return Vec::new();
    }
    let chost = |abi: &str| {
        let name = format!("CHOST_{abi}");
        let chost = context.read_target_settings(&[&name])?.remove(&name)?;
        context.config.facts(&chost.parse().ok()?).ok()
    };
    abis.split_whitespace().filter_map(chost).collect()
}

impl Check<'_> {
    /// What concerns the root as a whole.
    fn whole(&mut self) {
        let root = self.root_path();
        for (place, why) in &self.files.unread {
            let fix = format!("chmod u+rX {}", self.on_host(place));
            self.add(
                Severity::Warning,
                "read",
                place,
                why.clone(),
                Fix::Command(fix),
            );
        }
        for place in &self.files.mounted {
            let message = "a file system is mounted here, so its content is not checked";
            let fix = format!("umount {}", self.on_host(place));
            self.add(
                Severity::Warning,
                "mount",
                place,
                message.into(),
                Fix::Command(fix),
            );
        }
        if self.packages.names.is_empty() {
            let message =
                "there is no database of installed packages, so the owner of a file is unknown";
            let fix = format!("ls -l {root}/var/db/pkg");
            let place = Path::new("var/db/pkg");
            self.add(
                Severity::Warning,
                "packages",
                place,
                message.into(),
                Fix::Command(fix),
            );
        }
    }

    /// Every ELF file: its machine, its dynamic linker and its libraries.
    fn elves(&mut self) {
        let linker = Linker::of(self.files, self.target);
        let mut elves: Vec<&Elf> = self.files.elves.values().collect();
        elves.sort_by(|one, other| one.place.cmp(&other.place));
        let mut not_in_cache = BTreeMap::new();
        for elf in elves {
            let place = elf.place.to_string_lossy();
            if elf.header.machine == BPF || NOT_RUN.iter().any(|it| glob::matches(it, &place)) {
                continue;
            }
            if let Some(message) = self.foreign(elf) {
                let fix = Fix::Command(self.rebuild(&elf.place));
                self.add(Severity::Error, "machine", &elf.place, message, fix);
                continue;
            }
            self.interpreter(elf);
            self.search_path(elf);
            let mut libraries = Vec::new();
            for name in elf.needed() {
                match linker.find(elf, name) {
                    Found::Library(place) => libraries.push(place),
                    Found::Linker => {}
                    Found::NotInCache(place) => {
                        libraries.push(place.clone());
                        not_in_cache
                            .entry(place)
                            .or_insert_with(|| elf.place.clone());
                    }
                    Found::OtherAbi(place) => {
                        let message = format!(
                            "needs `{name}`, and `/{}` is for another machine or ABI",
                            place.display()
                        );
                        let fix = Fix::Provide(name.clone(), self.rebuild(&place));
                        self.add(Severity::Error, "library", &elf.place, message, fix);
                    }
                    Found::Missing => self.missing(elf, name),
                }
            }
            self.versions(elf, &libraries);
        }
        for (place, by) in not_in_cache {
            let message = match linker.has_cache() {
                true => "ld.so.cache does not list it",
                false => "there is no ld.so.cache, and the dynamic linker finds it in no other way",
            };
            let message = format!("`/{}` needs this library, and {message}", by.display());
            let fix = format!("ROOT={} {}-ldconfig", self.root_path(), self.context.tuple);
            self.add(Severity::Error, "cache", &place, message, Fix::Command(fix));
        }
    }

    /// Returns why an ELF file is not of the tuple. `None` if it is.
    fn foreign(&self, elf: &Elf) -> Option<String> {
        let place = elf.place.to_string_lossy();
        let is_in = |globs: &[&str]| globs.iter().any(|glob| glob::matches(glob, &place));
        let of_abi = self.machines.iter().find(|it| elf.machine.fits(it));
        let Some(target) = Some(self.target)
            .filter(|it| elf.machine.fits(it))
            .or(of_abi)
        else {
            let wanted = ElfMachine::wanted(self.target);
            return Some(format!("is for {}; the tuple is {wanted}", elf.machine));
        };
        // A library without libraries, such as one with data only, and a module of the kernel call no function with
        // floating-point arguments.
        if !elf.header.is_program() || is_in(&MODULES) {
            return None;
        }
        let is_executable = elf.header.elf_type == 2;
        if (is_executable || !elf.needed().is_empty())
            && let (Some(made), Some(wanted)) =
                (target.float_abi_of(&elf.head), target.float_abi.as_deref())
            && made != wanted
        {
            return Some(format!(
                "has the float ABI `{made}`; the tuple's is `{wanted}`"
            ));
        }
        let interpreter = self.files.elf_at(elf.interpreter.as_deref()?)?;
        (Abi::of(&interpreter.head) != Abi::of(&elf.head)).then(|| {
            let interpreter = interpreter.place.display();
            format!("has another ABI than its dynamic linker, `/{interpreter}`")
        })
    }

    fn interpreter(&mut self, elf: &Elf) {
        let Some(interpreter) = elf.interpreter.as_deref() else {
            return;
        };
        if self.files.has(interpreter) {
            return;
        }
        let message = format!(
            "needs the dynamic linker `{}`, which does not exist in the root",
            interpreter.display()
        );
        let fix = Fix::Provide(name_of(interpreter), self.rebuild(&elf.place));
        self.add(Severity::Error, "interpreter", &elf.place, message, fix);
    }

    /// RPATH and RUNPATH must not name directories of the host.
    fn search_path(&mut self, elf: &Elf) {
        let search = elf.dynamic.as_ref().and_then(|it| it.search.as_deref());
        let Some(search) = search else { return };
        let mut host = self.host.iter();
        if let Some(path) = host.find(|path| names(search.as_bytes(), path)) {
            let message = format!(
                "searches for libraries in `{search}`: `{}` is a path of the build machine",
                path.display()
            );
            let fix = Fix::Command(self.rebuild(&elf.place));
            self.add(Severity::Error, "host-path", &elf.place, message, fix);
        }
    }

    /// A library that the dynamic linker does not find.
    fn missing(&mut self, elf: &Elf, name: &str) {
        let mut elsewhere = self.files.entries.iter().filter(|entry| {
            entry.name() == name.as_bytes()
                && !matches!(entry.kind, EntryKind::Directory)
                && self
                    .files
                    .elf_at(&Path::new("/").join(&entry.place))
                    .is_some_and(|found| found.machine == elf.machine)
        });
        match elsewhere.next() {
            // A program that loads this library may have loaded the other one before, or have its directory in RPATH.
            Some(found) => {
                let found = &found.place;
                let severity = match elf.interpreter {
                    Some(_) => Severity::Error,
                    None => Severity::Warning,
                };
                let message = format!(
                    "needs `{name}`, and the dynamic linker does not search the directory of `/{}`",
                    found.display()
                );
                let directory = Path::new("/").join(found.parent().unwrap_or(Path::new("")));
                let fix = format!(
                    "echo {} >> {} && ROOT={} {}-ldconfig",
                    quote_line(directory.as_os_str()),
                    self.on_host(Path::new("etc/ld.so.conf")),
                    self.root_path(),
                    self.context.tuple,
                );
                self.add(severity, "library", &elf.place, message, Fix::Command(fix));
            }
            None => {
                let message = format!("needs `{name}`, which does not exist in the root");
                let fix = Fix::Provide(name.into(), self.rebuild(&elf.place));
                self.add(Severity::Error, "library", &elf.place, message, fix);
            }
        }
    }

    /// The versions of symbols that it needs. A library that defines other versions of the same name is too old.
    fn versions(&mut self, elf: &Elf, libraries: &[PathBuf]) {
        let needed = elf.dynamic.as_ref().map(|it| &it.needed_versions);
        let needed = needed.into_iter().flatten();
        let libraries: Vec<&Elf> = libraries
            .iter()
            .filter_map(|place| self.files.elf_at(&Path::new("/").join(place)))
            .collect();
        let defined = |elf: &Elf, is_it: &dyn Fn(&String) -> bool| {
            let dynamic = elf.dynamic.as_ref();
            dynamic.is_some_and(|it| it.defined_versions.iter().any(is_it))
        };
        let mut missing = Vec::new();
        for version in needed {
            let Some((family, _)) = version.split_once('_') else {
                continue;
            };
            let is_it = |other: &String| other == version;
            if libraries.iter().any(|library| defined(library, &is_it)) {
                continue;
            }
            let is_of_family = |other: &String| {
                other
                    .split_once('_')
                    .is_some_and(|(other, _)| other == family)
            };
            let mut old = libraries.iter();
            if let Some(old) = old.find(|library| defined(library, &is_of_family)) {
                missing.push((version.clone(), old.place.clone()));
            }
        }
        if let Some((version, library)) = missing.pop() {
            let message = format!(
                "needs version `{version}` of `/{}`, which does not define it",
                library.display()
            );
            let fix = Fix::Provide(name_of(&library), self.merge_again(&library));
            self.add(Severity::Error, "version", &elf.place, message, fix);
        }
    }

    /// Every other entry.
    fn entries(&mut self) {
        let mut kept = Vec::new();
        let mut left: BTreeMap<usize, Vec<&Entry>> = BTreeMap::new();
        let mut unowned: BTreeMap<&Path, Vec<&Entry>> = BTreeMap::new();
        let mut writable = Vec::new();
        for entry in &self.files.entries {
            let is_link = matches!(entry.kind, EntryKind::Symlink(_));
            if !is_link && entry.mode & 0o002 != 0 && !is_of_run_time(&entry.place) {
                writable.push(entry);
            }
            match &entry.kind {
                EntryKind::Directory => continue,
                EntryKind::Symlink(target) => self.symlink(entry, target),
                EntryKind::File(content) => {
                    if let Some(script) = &content.script {
                        self.script(entry, &script.interpreter, script.argument.as_deref());
                    }
                    if let Some(path) = &content.host_path {
                        let message =
                            format!("contains `{}`, a path of the build machine", path.display());
                        let fix = Fix::Command(self.rebuild(&entry.place));
                        self.add(Severity::Error, "host-path", &entry.place, message, fix);
                    }
                }
                EntryKind::Other => {}
            }
            let place = entry.place.to_string_lossy();
            let is_kept = entry.name().starts_with(b".keep") && entry.size == 0;
            let mut leftovers = LEFTOVERS.iter();
            let leftover = leftovers.position(|(glob, ..)| glob::matches(glob, &place));
            let is_empty_resolv_conf = entry.size == 0 && place == "etc/resolv.conf";
            if is_kept && !is_link {
                kept.push(entry);
            } else if let Some(number) = leftover {
                left.entry(number).or_default().push(entry);
            } else if is_empty_resolv_conf && self.packages.owner(&entry.place).is_none() {
                let fix = format!("rm {}", self.on_host(&entry.place));
                let message = "is empty, as chroot leaves it".to_owned();
                self.add(
                    Severity::Warning,
                    "leftover",
                    &entry.place,
                    message,
                    Fix::Command(fix),
                );
            } else if self.packages.owner(&entry.place).is_none() && !is_written_later(entry) {
                let parent = entry.place.parent().unwrap_or(Path::new(""));
                unowned.entry(parent).or_default().push(entry);
            }
        }
        if let Some(first) = kept.first().filter(|_| !self.is_stage) {
            let message = format!(
                "{} only keep empty directories in packages",
                counted(kept.len(), "such file")
            );
            let fix = format!("find {} -name '.keep*' -size 0 -delete", self.root_path());
            self.add(
                Severity::Warning,
                "leftover",
                &first.place,
                message,
                Fix::Command(fix),
            );
        }
        for (number, entries) in left {
            let (_, what, directory) = LEFTOVERS[number];
            let message = match entries.len() {
                1 => format!("is {what}"),
                number => format!("is {what}, as are {} more", number - 1),
            };
            let fix = match directory {
                Some(directory) => {
                    let directory = self.on_host(Path::new(directory));
                    format!("find {directory} -mindepth 1 -delete")
                }
                None => self.remove_all(&entries),
            };
            let fix = Fix::Command(fix);
            self.add(
                Severity::Warning,
                "leftover",
                &entries[0].place,
                message,
                fix,
            );
        }
        for entry in writable {
            let fix = format!("chmod o-w {}", self.on_host(&entry.place));
            let message = format!("every user may write to it: its mode is {:o}", entry.mode);
            self.add(
                Severity::Warning,
                "mode",
                &entry.place,
                message,
                Fix::Command(fix),
            );
        }
        if !self.packages.names.is_empty() {
            self.unowned(unowned);
        }
    }

    /// Files that no package owns. Those of one directory are one finding, because a user who copies one copies many.
    fn unowned(&mut self, unowned: BTreeMap<&Path, Vec<&Entry>>) {
        for (directory, entries) in unowned {
            let first = entries[0];
            let (place, message, fix) = match entries.len() {
                1 => {
                    let fix = format!("rm {}", self.on_host(&first.place));
                    (first.place.as_path(), "no package owns it".into(), fix)
                }
                number => {
                    let name = String::from_utf8_lossy(first.name()).into_owned();
                    let message = format!("no package owns {number} files in it, such as `{name}`");
                    (directory, message, self.remove_all(&entries))
                }
            };
            self.add(
                Severity::Warning,
                "unowned",
                place,
                message,
                Fix::Command(fix),
            );
        }
    }

    /// The program that a script starts.
    fn script(&mut self, entry: &Entry, interpreter: &Path, argument: Option<&std::ffi::OsStr>) {
        let place = &entry.place;
        let is_env = interpreter.file_name().is_some_and(|name| name == "env");
        let wanted = match argument.filter(|_| is_env) {
            Some(argument) => {
                let words = String::from_utf8_lossy(argument.as_bytes()).into_owned();
                let mut words = words.split_whitespace().map(str::to_owned);
                words.find(|word| !word.starts_with('-') && !word.contains('='))
            }
            None => None,
        };
        if !self.files.has(interpreter) {
            let message = format!(
                "starts `{}`, which does not exist in the root",
                spelled(interpreter)
            );
            let fix = Fix::Provide(name_of(interpreter), self.remove(place));
            self.add(Severity::Error, "script", place, message, fix);
        } else if let Some(program) = wanted {
            let mut path = PATH
                .iter()
                .map(|directory| Path::new(directory).join(&program));
            if !path.any(|path| self.files.has(&path)) {
                let message = format!("starts `{program}`, which does not exist in the root");
                let fix = Fix::Provide(program, self.remove(place));
                self.add(Severity::Error, "script", place, message, fix);
            }
        }
    }

    /// A symlink must lead to an existing path of the root, unless that exists only while the system runs.
    fn symlink(&mut self, entry: &Entry, target: &Path) {
        let place = &entry.place;
        if let Some(path) = self.host.iter().find(|path| target.starts_with(path)) {
            let message = format!(
                "leads to `{}`: `{}` is a path of the build machine",
                target.display(),
                path.display()
            );
            let fix = Fix::Command(self.remove(place));
            self.add(Severity::Error, "host-path", place, message, fix);
            return;
        }
        let Ok(walk) = self.files.tree.follow(place, Links::InRoot) else {
            return;
        };
        let message = match walk.end {
            End::Node(_) => return,
            End::Loop => "leads to itself".to_owned(),
            _ if is_of_run_time(&walk.place) || walk.place.starts_with(REPOSITORIES) => return,
            _ => format!(
                "leads to `{}`, which does not exist in the root",
                target.display()
            ),
        };
        let fix = Fix::Provide(name_of(target), self.remove(place));
        self.add(Severity::Error, "symlink", place, message, fix);
    }

    /// Owners that the root's own lists of users do not contain.
    fn owners(&mut self) {
        let ids = |path: &str| -> BTreeSet<u32> {
            let text = self.files.text(path);
            let ids = text
                .lines()
                .filter_map(|line| line.split(':').nth(2)?.parse().ok());
            ids.collect()
        };
        let (users, groups) = (ids("/etc/passwd"), ids("/etc/group"));
        if users.is_empty() || groups.is_empty() {
            return;
        }
        // Outside a user namespace, an ordinary user sees subordinate IDs, which are others inside.
        let own = (geteuid().as_raw() != 0).then_some(self.files.top.uid);
        if own.is_some_and(|own| own != 0) {
            return;
        }
        let mut unknown: BTreeMap<(&str, u32), Vec<&Entry>> = BTreeMap::new();
        for entry in &self.files.entries {
            for (what, id, known) in [("user", entry.uid, &users), ("group", entry.gid, &groups)] {
                if id != 0 && !known.contains(&id) {
                    unknown.entry((what, id)).or_default().push(entry);
                }
            }
        }
        for ((what, id), entries) in unknown {
            let first = entries[0];
            let file = if what == "user" { "passwd" } else { "group" };
            let message = format!(
                "{} to {what} {id}, which the root's /etc/{file} does not contain",
                match entries.len() {
                    1 => "belongs".to_owned(),
                    number => format!("and {} more belong", number - 1),
                }
            );
            let fix = match self.packages.owner(&first.place) {
                Some(_) => self.merge_again(&first.place),
                None => format!("chown -h 0:0 {}", self.on_host(&first.place)),
            };
            self.add(
                Severity::Error,
                "owner",
                &first.place,
                message,
                Fix::Command(fix),
            );
        }
    }

    /// The files of packages that are missing.
    fn contents(&mut self) {
        let there: HashSet<&Path> = self
            .files
            .entries
            .iter()
            .map(|entry| entry.place.as_path())
            .collect();
        let mounted = &self.files.mounted;
        let is_gone = |place: &Path| {
            let name = place.file_name().unwrap_or_default().as_bytes();
            !there.contains(place)
                && !name.starts_with(b".keep")
                && !mounted.iter().any(|mount| place.starts_with(mount))
        };
        let mut missing: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
        for (place, package) in self.packages.owned().filter(|(place, _)| is_gone(place)) {
            missing.entry(package).or_default().push(place);
        }
        for (_, mut places) in missing {
            places.sort();
            let message = match places.len() {
                1 => "does not exist, although its package installed it".to_owned(),
                number => format!("and {} more of its package do not exist", number - 1),
            };
            let fix = Fix::Command(self.merge_again(places[0]));
            self.add(Severity::Warning, "missing", places[0], message, fix);
        }
    }

    fn add(
        &mut self,
        severity: Severity,
        check: &'static str,
        place: &Path,
        message: String,
        fix: Fix,
    ) {
        let finding = Finding {
            severity,
            check,
            path: Path::new("/").join(place).display().to_string(),
            package: self.packages.owner(place).map(str::to_owned),
            message,
            fix: String::new(),
        };
        self.findings.push((finding, fix));
    }

    /// Looks up the packages that have the missing files, and completes the fixes.
    fn finish(self) -> Vec<Finding> {
        let wanted = self.findings.iter().filter_map(|(_, fix)| match fix {
            Fix::Provide(name, _) => Some(name.clone()),
            Fix::Command(_) => None,
        });
        let providers = provider::find(self.context, &wanted.collect());
        let root = self.root_path();
        let mut findings: Vec<Finding> = Vec::new();
        for (mut finding, fix) in self.findings {
            finding.fix = command(&fix, &providers, self.context, &root);
            findings.push(finding);
        }
        findings.sort_by(|one, other| {
            let key = |it: &Finding| (it.severity, it.check, it.path.clone());
            key(one).cmp(&key(other))
        });
        findings
    }

    fn root_path(&self) -> String {
        quote_line(self.files.tree.path().as_os_str())
    }

    /// Returns the quoted path of the host.
    fn on_host(&self, place: &Path) -> String {
        quote_line(self.files.tree.path().join(place).as_os_str())
    }

    /// Returns the command that builds the package of a file again and merges it, or removes the file if no package owns
    /// it.
    fn rebuild(&self, place: &Path) -> String {
        match self.packages.owner(place) {
            Some(package) => {
                let (tuple, package) = (&self.context.tuple, without_version(package));
                let build = format!("{tuple}-emerge --oneshot --buildpkg {package}");
                format!(
                    "{build} && {}",
                    merge(self.context, &self.root_path(), package)
                )
            }
            None => self.remove(place),
        }
    }

    /// Returns the command that merges the package of a file again, or removes the file if no package owns it.
    fn merge_again(&self, place: &Path) -> String {
        match self.packages.owner(place) {
            Some(package) => merge(self.context, &self.root_path(), without_version(package)),
            None => self.remove(place),
        }
    }

    fn remove_all(&self, entries: &[&Entry]) -> String {
        let paths = entries.iter().map(|it| self.on_host(&it.place));
        let paths: Vec<String> = paths.collect();
        format!("rm {}", paths.join(" "))
    }

    fn remove(&self, place: &Path) -> String {
        format!("rm {}", self.on_host(place))
    }
}

/// Returns the command that merges a package into the root, from a binary package if there is one.
fn merge(context: &Context, root: &str, package: &str) -> String {
    format!(
        "ROOT={root} {}-emerge --usepkg --oneshot {package}",
        context.tuple
    )
}

/// Renders the command of a fix.
fn command(fix: &Fix, providers: &Providers, context: &Context, root: &str) -> String {
    let (name, instead) = match fix {
        Fix::Command(command) => return command.clone(),
        Fix::Provide(name, instead) => (name, instead),
    };
    match providers.get(name) {
        Some(Provider::Package(package)) => merge(context, root, package),
        Some(Provider::File(path)) => {
            let sysroot = context.own_sysroot();
            let directory = Path::new(path).parent().unwrap_or(Path::new(""));
            format!(
                "mkdir -p {root}/{0} && cp -L {1} {root}/{0}/",
                quote_line(directory.as_os_str()),
                quote_line(sysroot.join(path).as_os_str())
            )
        }
        None => instead.clone(),
    }
}

/// Returns the last name of a path.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn is_of_run_time(place: &Path) -> bool {
    let mut directories = OF_RUN_TIME.iter();
    directories.any(|directory| place.starts_with(directory))
}

/// Returns whether something else than a package writes the file, or it is a symlink to a directory near the top, which
/// init or a layout of directories makes.
fn is_written_later(entry: &Entry) -> bool {
    let normal = |part: &Component| matches!(part, Component::Normal(_));
    let depth = entry.place.components().filter(normal).count();
    let is_layout = matches!(&entry.kind, EntryKind::Symlink(_)) && depth <= 2;
    let place = entry.place.to_string_lossy();
    is_layout
        || is_of_run_time(&entry.place)
        || WRITTEN_LATER.iter().any(|glob| glob::matches(glob, &place))
}
