//! Makes packages of the libc and the run-time libraries that init copied from the adopted toolchain.
//!
//! Portage merges them into the sysroot, over the copies, and keeps a binary package of each. So another root gets the
//! libc as a dependency. The ebuilds are in a repository of the sysroot. Each installs the files that are listed beside
//! it, from the sysroot: so it works after the toolchain is gone, too.
//!
//! `profiles/portage/packages.toml` decides which file belongs to which package.

use super::{
    error::InitError,
    record::{self, InitRecord, RecordEntry, entry_at, hash_text},
    toolchain,
    write::{self, Content, OnConflict, Write, WriteStep},
};
use crate::{config::Toolchain, context::Context, qemu, target::Target, terminal::Progress};
use crossmerge_plan::{
    env, glob,
    plan::{
        Change, Plan,
        step::{Namespaces, Step},
    },
};
use crossmerge_portage::merged::MERGED;
use crossmerge_system::{
    exec,
    file::{Places, below, read},
};
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

const DEFINITIONS: &str = include_str!("../../profiles/portage/packages.toml");

/// The name of the repository.
const NAME: &str = "crossmerge-toolchain";

/// The repository, in the directory of crossmerge's own files in a sysroot.
const REPOSITORY: &str = "repository";

#[derive(Debug, Deserialize)]
struct Definitions {
    package: Vec<Definition>,
}

/// Which files are part of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    name: String,
    /// The libc of the targets that have the package; `None` for all.
    elibc: Option<String>,
    slot: String,
    license: String,
    description: String,
    libraries: String,
    files: String,
    directories: String,
    headers: String,
    not_headers: String,
}

/// A package, as decided.
#[derive(Debug)]
pub(super) struct Package {
    /// Its category and name.
    name: String,
    version: String,
    ebuild: String,
    /// The files that it installs, a line for each, relative to the sysroot.
    files: String,
}

/// The packages of a target.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// The files of the repository, and Portage's settings for it.
    pub(super) writes: Vec<Write>,
    /// The packages that are not installed as decided. If one of them is not, all are merged.
    pub(super) due: Vec<Package>,
    /// Files of the repository that an earlier version of the toolchain needed.
    pub(super) outdated: Vec<PathBuf>,
    /// The dynamic linker, relative to the sysroot.
    linker: Option<PathBuf>,
}

/// The inputs of the decision.
pub(super) struct Making<'a> {
    pub(super) context: &'a Context,
    pub(super) target: &'a Target,
    pub(super) toolchain: &'a Toolchain,
    pub(super) places: &'a Places,
    pub(super) record: &'a InitRecord,
    /// What this run will write: the copies of the libc, among others.
    pub(super) steps: &'a [WriteStep],
    /// The directory of the target's `etc/portage`.
    pub(super) etc: &'a Path,
}

impl Package {
    /// Returns its category, name and version.
    fn versioned(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Returns its name and version, without the category.
    fn file_name(&self) -> String {
        let versioned = self.versioned();
        versioned.rsplit('/').next().unwrap_or_default().to_owned()
    }

    fn is_installed(&self, sysroot: &Path) -> bool {
        let ebuild = format!("{MERGED}/{}/{}.ebuild", self.versioned(), self.file_name());
        let installed = read::read_to_string(&sysroot.join(ebuild), read::SETTINGS);
        installed.is_ok_and(|installed| installed == self.ebuild)
    }
}

impl Making<'_> {
    /// Decides on the packages. There are none if the libc in the sysroot is not init's, or if its kind is unknown.
    pub(super) fn decide(&self) -> Result<Packages, InitError> {
        let sysroot = self.places.path();
        let files = self.files();
        let definitions = definitions();
        let libc = definitions.package.iter().find(|definition| {
            definition.elibc.is_some() && definition.elibc.as_deref() == self.target.elibc
        });
        let Some(libc) = libc.filter(|_| self.target.arch != "unknown") else {
            return Ok(Packages::default());
        };
        let has_libc = files.keys().any(|path| is_libc(path));
        if !has_libc || is_of_another_repository(sysroot, &libc.name) {
            return Ok(Packages::default());
        }
        let (Some(libc_version), Ok(linker)) = (
            self.libc_version(&files),
            toolchain::dynamic_linker(self.context, self.toolchain),
        ) else {
            return Ok(Packages::default());
        };
        let linker = linker.and_then(|path| Some(path.strip_prefix("/").ok()?.to_owned()));
        let linker = linker.filter(|linker| {
            let is_it = |path: &&PathBuf| path.file_name() == linker.file_name();
            files.keys().any(|path| is_it(&path))
        });
        let runtime = definitions.package.iter().find(|d| d.elibc.is_none());
        let mut packages = Vec::new();
        let mut names = Vec::new();
        for definition in [Some(libc), runtime].into_iter().flatten() {
            let is_libc = definition.elibc.is_some();
            let own: BTreeMap<&PathBuf, &String> = files
                .iter()
                .filter(|(path, _)| definition.has(path))
                .filter(|(path, _)| match &linker {
                    Some(linker) => path.file_name() != linker.file_name(),
                    None => true,
                })
                .collect();
            if own.is_empty() {
                continue;
            }
            let version = match is_libc {
                true => libc_version.clone(),
                false => self.compiler_version(),
            };
            names.push(definition.name.clone());
            let linker = linker.as_deref().filter(|_| is_libc);
            packages.push(self.package(definition, version, &own, linker));
        }
        // The run-time libraries come with the libc.
        if let [libc, runtime] = &mut packages[..] {
            let line = format!("PDEPEND=\"{}\"\n", runtime.name);
            libc.ebuild = libc
                .ebuild
                .replace("S=\"${WORKDIR}\"\n", &(line + "S=\"${WORKDIR}\"\n"));
        }
        let mut writes = self.repository(&packages);
        writes.extend(self.settings(&packages, &names));
        Ok(Packages {
            outdated: self.outdated(&writes)?,
            due: match packages.iter().all(|package| package.is_installed(sysroot)) {
                true => Vec::new(),
                false => packages,
            },
            writes,
            linker,
        })
    }

    /// Lists the files in the sysroot that init has copied, or will copy, each with its hash or, for a symlink, its target.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let sysroot = self.places.path();
        let recorded = self.record.entries();
        let recorded = recorded.filter(|(path, _)| sysroot.join(path).symlink_metadata().is_ok());
        let mut files: BTreeMap<PathBuf, RecordEntry> = recorded
            .map(|(path, entry)| (path.to_owned(), entry.clone()))
            .collect();
        for step in self.steps {
            if let (Some(path), Ok(entry)) = (step.written(), step.write.entry())
                && let Ok(path) = path.strip_prefix(sysroot)
            {
                files.insert(path.to_owned(), entry);
            }
        }
        let mark = |(path, entry): (PathBuf, RecordEntry)| match entry {
            RecordEntry::File(hash) => Some((path, hash)),
            RecordEntry::Link(to) => Some((path, to.display().to_string())),
            RecordEntry::Directory => None,
        };
        files.into_iter().filter_map(mark).collect()
    }

    /// Returns the beginning of a file as it will be in the sysroot.
    fn content(&self, path: &Path) -> Option<Vec<u8>> {
        const MOST: u64 = 8 << 20;
        let place = self.places.path().join(path);
        let step = self.steps.iter().find(|step| step.write.path == place);
        match step.filter(|step| step.written().is_some()) {
            Some(step) => match &step.write.content {
                Content::Copy(source) => read::head(source, MOST).ok(),
                Content::Text(text) => Some(text.clone().into_bytes()),
                _ => None,
            },
            None => read::head(&place, MOST).ok(),
        }
    }

    fn libc_version(&self, files: &BTreeMap<PathBuf, String>) -> Option<String> {
        match self.target.elibc? {
            "glibc" => {
                let text = self.content(Path::new("usr/include/features.h"))?;
                glibc_version(&String::from_utf8_lossy(&text))
            }
            // musl's headers contain no version.
            _ => {
                let library = files.keys().find(|path| path.ends_with("libc.so"))?;
                Some(musl_version(&self.content(library)?).unwrap_or_else(|| "0".into()))
            }
        }
    }

    fn compiler_version(&self) -> String {
        let args = ["-dumpfullversion", "-dumpversion"];
        let output = toolchain::compiler(self.context, self.toolchain, args);
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.trim().split('.').take_while(number).collect();
        match parts.is_empty() {
            true => "0".into(),
            false => parts.join("."),
        }
    }

    fn package(
        &self,
        definition: &Definition,
        version: String,
        files: &BTreeMap<&PathBuf, &String>,
        linker: Option<&Path>,
    ) -> Package {
        let (mut list, mut state) = (String::new(), String::new());
        for (path, mark) in files {
            let _ = writeln!(list, "{}", path.display());
            let _ = writeln!(state, "{} {mark}", path.display());
        }
        let linker = linker.map_or(String::new(), |linker| {
            let directory = linker.parent().unwrap_or(Path::new("")).display();
            let linker = linker.display();
            format!(
                "\t# At the path that programs contain, and not behind a symlink of this sysroot.\n\
                 \tmkdir -p \"${{D}}/{directory}\" || die\n\
                 \tcp -L \"${{SYSROOT}}/{linker}\" \"${{D}}/{linker}\" || die\n"
            )
        });
        let Definition {
            name,
            slot,
            license,
            description,
            ..
        } = definition;
        let Target { tuple, arch, .. } = self.target;
        let hash = hash_text(format!("{state}{linker}").as_bytes());
        let ebuild = format!(
            "# Made by `crossmerge init {tuple}`.\n\nEAPI=8\n\nDESCRIPTION=\"{description}\"\nLICENSE=\"{license}\"\n\
             SLOT=\"{slot}\"\nKEYWORDS=\"{arch}\"\nRESTRICT=\"strip\"\nQA_PREBUILT=\"*\"\nS=\"${{WORKDIR}}\"\n\n\
             # The files have the hash {hash}.\nsrc_install() {{\n\
             \ttar --create --directory \"${{SYSROOT}}\" --no-recursion --verbatim-files-from --files-from \"${{FILESDIR}}/${{P}}\" |\n\
             \t\ttar --extract --directory \"${{D}}\"\n\tassert \"cannot copy the files\"\n{linker}}}\n"
        );
        Package {
            name: name.clone(),
            version,
            ebuild,
            files: list,
        }
    }

    /// Returns the directory of the repository.
    fn location(&self) -> PathBuf {
        location(self.places.path())
    }

    fn repository(&self, packages: &[Package]) -> Vec<Write> {
        if packages.is_empty() {
            return Vec::new();
        }
        let location = self.location();
        let text = |path: String, text: &str| {
            let text = Content::Text(text.to_owned());
            Write::new(location.join(path), text, OnConflict::State)
        };
        let categories = "sys-libs\n";
        let layout = "masters =\nthin-manifests = true\nuse-manifests = false\n";
        let mut writes = vec![
            text("profiles/repo_name".into(), &format!("{NAME}\n")),
            text("profiles/categories".into(), categories),
            text("metadata/layout.conf".into(), layout),
        ];
        for package in packages {
            let (name, file) = (&package.name, package.file_name());
            writes.push(text(format!("{name}/{file}.ebuild"), &package.ebuild));
            writes.push(text(format!("{name}/files/{file}"), &package.files));
        }
        writes
    }

    /// Returns the settings: the packages are part of @system, so that `--depclean` keeps them, and Portage neither
    /// builds another version of the libc nor merges one.
    fn settings(&self, packages: &[Package], names: &[String]) -> Vec<Write> {
        let Some(libc) = packages.first() else {
            return Vec::new();
        };
        let tuple = &self.target.tuple;
        let system: String = names.iter().map(|name| format!("*{name}\n")).collect();
        let (name, version, versioned) = (&libc.name, &libc.version, libc.versioned());
        let file = |path: &str, text: String| {
            let path = self.etc.join("profile").join(path);
            Write::new(path, Content::Text(text), OnConflict::Config)
        };
        vec![
            file(
                "packages",
                format!(
                    "# Made by `crossmerge init {tuple}`: the adopted toolchain's libraries belong to @system.\n{system}"
                ),
            ),
            file(
                "package.mask",
                format!(
                    "# Made by `crossmerge init {tuple}`: the libc is that of the adopted toolchain, {version}.\n\
                     # To build another one, unmask it in etc/portage/package.unmask.\n<{versioned}\n>{versioned}\n"
                ),
            ),
            file(
                "package.unmask",
                format!(
                    "# Made by `crossmerge init {tuple}`: a profile may mask old versions of {name}.\n={versioned}\n"
                ),
            ),
        ]
    }

    fn outdated(&self, writes: &[Write]) -> io::Result<Vec<PathBuf>> {
        let sysroot = self.places.path();
        let location = self.location();
        let recorded = self.record.paths().map(|path| sysroot.join(path));
        let is_wanted = |path: &PathBuf| writes.iter().any(|write| write.path == *path);
        let gone = recorded.filter(|path| path.starts_with(&location) && !is_wanted(path));
        Ok(gone.filter(|path| path.is_file()).collect())
    }
}

impl Definition {
    /// Returns whether a file of the sysroot is part of the package.
    fn has(&self, path: &Path) -> bool {
        let Some(path) = path.to_str() else {
            return false;
        };
        let any =
            |globs: &str, name: &str| globs.split_whitespace().any(|g| glob::matches(g, name));
        let below = path.strip_prefix("usr/").unwrap_or(path);
        if let Some(header) = path.strip_prefix("usr/include/") {
            return any(&self.headers, header) && !any(&self.not_headers, header);
        }
        let mut parts = below.split('/');
        if !parts.next().is_some_and(|first| first.starts_with("lib")) {
            return false;
        }
        let parts: Vec<&str> = parts.collect();
        match &parts[..] {
            // A directory of an ABI, as in `lib64/lp64d`, may be between.
            [name] | [_, name] if any(&self.files, name) => true,
            [name] | [_, name] if library(name).is_some_and(|l| any(&self.libraries, l)) => true,
            [directories @ .., _] => directories.iter().any(|name| any(&self.directories, name)),
            [] => false,
        }
    }
}

/// Returns the name of a library without `lib`, version and suffix.
fn library(name: &str) -> Option<&str> {
    let name = name.strip_prefix("lib")?;
    let name = match name.split_once(".so") {
        Some((name, rest)) if rest.is_empty() || rest.starts_with('.') => name,
        _ => name.strip_suffix(".a")?,
    };
    // glibc before 2.34 calls the files `libc-2.31.so`.
    let is_version = |end: &str| end.starts_with(|c: char| c.is_ascii_digit());
    match name.rsplit_once('-') {
        Some((name, end)) if is_version(end) => Some(name),
        _ => Some(name),
    }
}

fn definitions() -> Definitions {
    toml::from_str(DEFINITIONS).expect("a test reads it")
}

/// Returns whether init makes a package of such a libc.
pub(crate) fn is_packaged(elibc: &str) -> bool {
    let mut packages = definitions().package.into_iter();
    packages.any(|package| package.elibc.as_deref() == Some(elibc))
}

/// Returns the directory of the repository in a sysroot.
pub(super) fn location(sysroot: &Path) -> PathBuf {
    sysroot.join(record::DIRECTORY).join(REPOSITORY)
}

/// Renders the section of repos.conf.
pub(super) fn section(sysroot: &Path) -> String {
    // A package of another repository with the same version does not replace the toolchain's.
    format!(
        "\n[{NAME}]\nlocation = {}\nauto-sync = no\npriority = 1000\n",
        location(sysroot).display()
    )
}

fn is_libc(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    ["libc.so", "libc.so.6", "libc.a"]
        .iter()
        .any(|libc| name == *libc)
}

/// Returns whether a package of that name is installed that is not from init's repository.
fn is_of_another_repository(sysroot: &Path, name: &str) -> bool {
    let mut installed = installed(sysroot).into_iter();
    installed.any(|package| package.name == name && !package.is_ours())
}

/// An installed package.
pub(super) struct Installed {
    /// Its category and name.
    pub(super) name: String,
    /// Its category, name and version.
    pub(super) versioned: PathBuf,
    repository: String,
}

impl Installed {
    /// Returns whether it is from init's repository.
    pub(super) fn is_ours(&self) -> bool {
        self.repository == NAME
    }
}

/// Lists the packages that Portage has installed into a sysroot.
pub(super) fn installed(sysroot: &Path) -> Vec<Installed> {
    let names = |directory: &Path| -> Vec<String> {
        let entries = fs_err::read_dir(directory).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    };
    let database = sysroot.join(MERGED);
    let mut found = Vec::new();
    for category in names(&database) {
        for package in names(&database.join(&category)) {
            let Some(name) = without_version(&package) else {
                continue;
            };
            let versioned = Path::new(&category).join(&package);
            let repository = database.join(&versioned).join("repository");
            let repository = read::read_to_string(&repository, read::SETTINGS);
            found.push(Installed {
                name: format!("{category}/{name}"),
                repository: repository.unwrap_or_default().trim().to_owned(),
                versioned,
            });
        }
    }
    found
}

/// Returns the name of a package, from its name and version.
fn without_version(package: &str) -> Option<&str> {
    let begins_version = |at: &usize| package[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let (at, _) = package
        .match_indices('-')
        .find(|(at, _)| begins_version(at))?;
    Some(&package[..at])
}

/// Reads the version from glibc's `features.h`.
fn glibc_version(header: &str) -> Option<String> {
    let value = |name: &str| {
        let mut lines = header
            .lines()
            .map(|line| line.trim_start_matches('#').trim());
        lines.find_map(|line| {
            let mut words = line.strip_prefix("define")?.split_whitespace();
            (words.next()? == name).then(|| words.next()?.parse::<u32>().ok())?
        })
    };
    Some(format!(
        "{}.{}",
        value("__GLIBC__")?,
        value("__GLIBC_MINOR__")?
    ))
}

/// Finds the version in musl's library, where it is a string of its own.
fn musl_version(library: &[u8]) -> Option<String> {
    let mut strings = library.split(|byte| *byte == 0);
    let is_version = |text: &&[u8]| {
        let parts: Vec<&[u8]> = text.split(|byte| *byte == b'.').collect();
        let is_number = |part: &&[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        parts.len() == 3 && parts.iter().all(is_number)
    };
    let version = strings.find(is_version)?;
    String::from_utf8(version.to_vec()).ok()
}

impl Packages {
    /// Returns the names of the packages to merge, with their versions.
    pub(super) fn names(&self) -> Vec<String> {
        self.due.iter().map(Package::versioned).collect()
    }

    /// Merges the packages that are due. Returns the reason if Portage does not.
    pub(super) fn merge(
        &self,
        context: &Context,
        cbuild: &str,
        sysroot: &Path,
    ) -> Result<(), String> {
        let plan = self.plan(context, cbuild, sysroot)?;
        let _progress = Progress::waiting("merging the libc");
        let output = exec::ask(&plan).map_err(|e| e.to_string())?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
            let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
            return Err(format!(
                "emerge failed ({}): {}",
                output.status,
                last.join("; ")
            ));
        }
        Ok(())
    }

    fn plan(&self, context: &Context, cbuild: &str, sysroot: &Path) -> Result<Plan, String> {
        let emerge = context.find_program(OsStr::new("emerge"));
        let program = emerge.map_err(|e| e.to_string())?;
        let options = [
            "--oneshot",
            "--nodeps",
            "--buildpkg",
            "--usepkg=n",
            "--getbinpkg=n",
            "--ignore-default-opts",
            "--quiet-build=y",
            "--color=n",
        ];
        let mut args: Vec<_> = options.map(Into::into).into();
        let atoms = self
            .due
            .iter()
            .map(|package| format!("={}::{NAME}", package.versioned()));
        args.extend(atoms.map(Into::into));
        let mut env = BTreeMap::new();
        let mut set = |name: &str, value: &OsStr| {
            env.insert(name.into(), Change::Set(value.to_owned()));
        };
        let configroot = below(sysroot, &context.eprefix().to_string_lossy());
        let mut root = sysroot.as_os_str().to_owned();
        root.push("/");
        for (name, value) in [
            (env::CHOST.name, context.tuple.as_str()),
            (env::CBUILD.name, cbuild),
            // The ebuild only copies files.
            (
                env::FEATURES.name,
                "buildpkg -ipc-sandbox -mount-sandbox -multilib-strict -network-sandbox -pid-sandbox -sandbox -usersandbox -userpriv",
            ),
            // The masks of a board's root are not for the sysroot.
            ("INSTALL_MASK", "-*"),
            ("PKG_INSTALL_MASK", "-*"),
            // The files are in the sysroot already.
            ("COLLISION_IGNORE", "*"),
            ("PORTAGE_ELOG_SYSTEM", ""),
        ] {
            set(name, OsStr::new(value));
        }
        set(env::EPREFIX.name, context.eprefix().as_ref());
        set(env::PORTAGE_CONFIGROOT.name, configroot.as_os_str());
        set(env::SYSROOT.name, sysroot.as_os_str());
        set(env::ROOT.name, &root);
        // If the user edited repos.conf, it may lack the repository.
        set("PORTDIR_OVERLAY", location(sysroot).as_os_str());
        // In a namespace, because the binary packages record the owners of the files, which have to be root's in every root.
        let user = geteuid();
        let users = match user.is_root() {
            true => None,
            false => qemu::chroot::users_with_root(&context.env),
        };
        let names = match &users {
            Some(_) => Some(["root".to_owned(), "root".to_owned()]),
            None if user.is_root() => None,
            None => names_of(user, getegid()),
        };
        if let Some([user, group]) = names {
            set("PORTAGE_USERNAME", OsStr::new(&user));
            set("PORTAGE_GRPNAME", OsStr::new(&group));
        }
        let enter = users.map(|users| {
            Step::Namespaces(Namespaces {
                users: Some(users),
                processes: false,
            })
        });
        Ok(Plan {
            program,
            args,
            env,
            enter: enter.into_iter().collect(),
            ..Plan::default()
        })
    }

    /// Records the dynamic linker as the package has it: a file, where init had made a symlink.
    pub(super) fn record(&self, sysroot: &Path) -> Result<(), InitError> {
        let Some(linker) = &self.linker else {
            return Ok(());
        };
        let places = Places::of(sysroot)?;
        let mut record = InitRecord::of(places.tree())?;
        let entry = entry_at(&places, &sysroot.join(linker)).ok().flatten();
        if let Some(entry) =
            entry.filter(|entry| record.knows(linker) && !record.has(linker, entry))
        {
            record.put(linker, entry);
            write::write_record(&places, &record)?;
        }
        Ok(())
    }
}

/// Returns the names of a user and a group. `None` if the build machine does not know one of them.
fn names_of(user: Uid, group: Gid) -> Option<[String; 2]> {
    let user = User::from_uid(user).ok().flatten()?;
    let group = Group::from_gid(group).ok().flatten()?;
    Some([user.name, group.name])
}

/// How many lines of a failed emerge are shown.
const MOST_LINES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_one_package() {
        let definitions = definitions();
        let of = |path: &str, elibc: &str| {
            let fits = |d: &&Definition| d.elibc.as_deref().is_none_or(|own| own == elibc);
            let all = definitions.package.iter().filter(fits);
            let names: Vec<&str> = all
                .filter(|d| d.has(Path::new(path)))
                .map(|d| &*d.name)
                .collect();
            names.join(" ")
        };
        for (path, package) in [
            ("usr/lib/libc.so.6", "sys-libs/glibc"),
            ("lib/libc-2.31.so", "sys-libs/glibc"),
            ("usr/lib64/lp64d/libnss_dns.so.2", "sys-libs/glibc"),
            ("lib64/ld-linux-x86-64.so.2", "sys-libs/glibc"),
            ("usr/lib/Scrt1.o", "sys-libs/glibc"),
            ("usr/lib/gconv/UTF-16.so", "sys-libs/glibc"),
            ("usr/include/sys/types.h", "sys-libs/glibc"),
            ("usr/include/sys/capability.h", ""),
            ("usr/include/linux/version.h", ""),
            ("usr/include/zlib.h", ""),
            ("usr/lib/libz.so.1", ""),
            ("usr/lib/libcrypt.so.1", ""),
            ("usr/lib/perl/a/libc.so", ""),
            ("usr/lib/libstdc++.so.6.0.30", "sys-libs/toolchain-runtime"),
            ("usr/lib/libgcc_s.so.1", "sys-libs/toolchain-runtime"),
            ("usr/include/c++/12/vector", "sys-libs/toolchain-runtime"),
            ("etc/portage/make.conf", ""),
        ] {
            assert_eq!(of(path, "glibc"), package, "{path}");
        }
        assert_eq!(of("usr/lib/libcrypt.a", "musl"), "sys-libs/musl");
        assert_eq!(of("lib/ld-musl-arm.so.1", "musl"), "sys-libs/musl");
    }

    #[test]
    fn versions_are_read_from_the_libc() {
        let header = "#define\t__GLIBC__\t2\n#if 0\n# define __GLIBC_MINOR__ 36\n";
        assert_eq!(glibc_version(header).as_deref(), Some("2.36"));
        assert_eq!(glibc_version("#define __UCLIBC__ 1\n"), None);
        let library = b"\x7fELF\0libc.so\x001.2\x001.2.3\0GCC: 12.2.0\0";
        assert_eq!(musl_version(library).as_deref(), Some("1.2.3"));
        assert_eq!(musl_version(b"\x7fELF"), None);
        assert_eq!(
            without_version("toolchain-runtime-12.2.0-r1"),
            Some("toolchain-runtime")
        );
        assert_eq!(without_version("-MERGING-x"), None);
    }
}
