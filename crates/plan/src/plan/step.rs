//! Steps: the changes to its own surroundings that a process makes before it executes the plan's program. Each is data,
//! with a form in shell and one in JSON.
//!
//! New namespaces come first: no process outside sees the effects of the later steps, and they end with the last
//! process inside. `exec/enter.rs` carries the steps out. This module is pure.

use crate::words::{json_string, quote};
use serde::{Deserialize, Serialize};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

/// The only path at which binfmt_misc is mounted.
pub const BINFMT_MISC: &str = "/proc/sys/fs/binfmt_misc";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Moves the process into new namespaces (`unshare(2)`).
    Namespaces(Namespaces),
    /// Enters a second user namespace, which has no privileges over anything the earlier steps created.
    Users(Users),
    /// Mounts a file system, a directory or a file.
    Mount(Mount),
    /// Adds a rule to the mounted binfmt_misc.
    Register {
        /// The line to write to binfmt_misc's file `register`.
        #[serde(with = "text")]
        line: OsString,
        /// Whether a failure is ignored.
        optional: bool,
    },
    /// Creates a symlink, unless its path already exists.
    Link {
        /// The root that the path is in.
        #[serde(with = "text")]
        root: PathBuf,
        /// The path of the symlink, in the root.
        #[serde(with = "text")]
        path: PathBuf,
        /// The target of the symlink.
        #[serde(with = "text")]
        target: PathBuf,
    },
    /// Makes a directory the root, and unmounts the previous root with everything in it.
    Root(Root),
    /// Changes the user and groups of the process.
    User(User),
    /// Changes the working directory.
    Directory {
        /// The directory, as a path in the root that the earlier steps entered.
        #[serde(with = "text")]
        path: PathBuf,
    },
    /// Removes every environment variable that the plan does not set.
    EmptyEnvironment,
}

/// The namespaces to enter. A mount namespace is always one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// The users and groups of a new user namespace. `None` for no new user namespace.
    pub users: Option<Users>,
    /// Whether to enter new PID, IPC and UTS namespaces too. The later steps then run below the first process of the
    /// PID namespace, and the kernel kills all processes in it when that one ends.
    pub processes: bool,
}

/// A directory that becomes the root. It has to be a mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The path of the directory, without symlinks.
    #[serde(with = "text")]
    pub path: PathBuf,
    /// The device and inode numbers of the directory. Another directory at its path is an error.
    pub identity: (u64, u64),
    /// The ids of a second user namespace, which is entered last together with a copy of the mounts. Processes in it
    /// can neither change nor unmount these, nor trace the first process. `None` if the steps create no user
    /// namespace.
    pub locked: Option<Users>,
}

/// The users and groups that are mapped in a user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// The mapped user ids.
    pub uids: Vec<Ids>,
    /// The mapped group ids.
    pub gids: Vec<Ids>,
    /// The process that writes `uid_map` and `gid_map`.
    pub map_writer: MapWriter,
}

/// A range of user or group ids (user_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The first id in the namespace.
    pub inside: u32,
    /// The corresponding id in the parent namespace.
    pub outside: u32,
    /// The length of the range.
    pub count: u32,
}

/// The process that writes `uid_map` and `gid_map` of a new user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapWriter {
    /// The process in the namespace. It needs no privileges, but may map only its own user and group, and cannot call
    /// setgroups(2).
    Inside,
    /// A process outside the namespace that has the privileges to do so.
    Outside,
    /// The programs `newuidmap` and `newgidmap` (package shadow), for the ranges that `/etc/subuid` and `/etc/subgid`
    /// assign to the user.
    Newuidmap,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The file system, directory or file to mount.
    #[serde(rename = "what")]
    pub source: MountSource,
    /// The root in which `on` is looked up. Symlinks are resolved inside it. `None` for the root of the process.
    #[serde(with = "optional_text")]
    pub root: Option<PathBuf>,
    /// The mount point. If it is missing in a root, it is created.
    #[serde(with = "text")]
    pub on: PathBuf,
    /// Mounted instead if the kernel rejects the first mount.
    #[serde(rename = "instead")]
    pub fallback: Option<MountSource>,
    /// Whether a failure is only reported.
    pub optional: bool,
}

/// The source of a mount: the content that it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MountSource {
    /// A directory of the host, with the mounts in it, or a file of the host.
    Bind {
        /// The path of the directory or file.
        #[serde(with = "text")]
        source: PathBuf,
        /// Whether it is a file.
        file: bool,
        /// Whether the mount is read-only.
        read_only: bool,
    },
    /// The existing content of the mount point, made read-only.
    ReadOnly,
    /// The terminal on standard input, read-only. Nothing is mounted, and no mount point created, if there is none.
    Terminal,
    /// A new instance of a file system that needs no device, such as proc or tmpfs.
    New {
        /// The type of the file system.
        name: String,
        /// The mount options, as for `mount -o`. May be empty.
        options: String,
    },
}

/// The ids of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The supplementary groups. `None` leaves them unchanged.
    pub groups: Option<Vec<u32>>,
}

impl Mount {
    /// Returns the mount of a new file system. If it fails, the step fails.
    pub fn new(name: &str, options: &str, on: impl Into<PathBuf>) -> Self {
        Self {
            source: MountSource::New {
                name: name.into(),
                options: options.into(),
            },
            root: None,
            on: on.into(),
            fallback: None,
            optional: false,
        }
    }

    /// Returns the mount that makes the existing content of a path read-only, if the path exists.
    pub fn read_only(on: impl Into<PathBuf>) -> Self {
        Self {
            source: MountSource::ReadOnly,
            optional: true,
            ..Self::new("", "", on)
        }
    }

    /// Returns the mount of a file of the host on itself, read-only.
    pub fn file_to_read(path: &Path) -> Self {
        Self {
            source: MountSource::Bind {
                source: path.into(),
                file: true,
                read_only: true,
            },
            ..Self::bind(path, path)
        }
    }

    /// Returns the mount of a directory of the host. If it fails, the step fails.
    pub fn bind(source: impl Into<PathBuf>, on: impl Into<PathBuf>) -> Self {
        Self {
            source: MountSource::Bind {
                source: source.into(),
                file: false,
                read_only: false,
            },
            root: None,
            on: on.into(),
            fallback: None,
            optional: false,
        }
    }

    /// Makes the mount read-only, with all mounts in it.
    pub fn to_read(mut self) -> Self {
        if let MountSource::Bind { read_only, .. } = &mut self.source {
            *read_only = true;
        }
        self
    }

    /// Moves the mount point into a root.
    pub fn in_root(mut self, root: &Path) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Returns the path of the mount point on the host, for messages. Symlinks in the root are not resolved.
    pub fn place(&self) -> PathBuf {
        match &self.root {
            Some(root) => inside(root, &self.on),
            None => self.on.clone(),
        }
    }
}

/// Returns the path on the host of a path in a root.
pub fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

impl Ids {
    /// Returns the range as a line of `/proc/PID/uid_map`.
    pub fn to_line(self) -> String {
        format!("{} {} {}", self.inside, self.outside, self.count)
    }
}

/// Returns the ranges as the content of `/proc/PID/uid_map`.
pub fn to_map(ids: &[Ids]) -> String {
    let lines: Vec<String> = ids.iter().map(|ids| ids.to_line()).collect();
    lines.join("\n") + "\n"
}

/// Formats the step in shell. The `Display` of a plan combines the steps, some of which are commands around the others.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespaces(namespaces) => f.write_str(&namespaces.to_command()),
            Self::Users(users) => write!(f, "{}", users.to_command()),
            Self::Mount(mount) => write!(f, "{mount}"),
            Self::Register { line, optional } => {
                write!(f, "printf %s {} > {BINFMT_MISC}/register", quote(line))?;
                f.write_str(if *optional { " || :" } else { "" })
            }
            Self::Link { root, path, target } => {
                let (target, path) = (quoted(target), quoted(&inside(root, path)));
                write!(f, "{{ [ -e {path} ] || ln -s {target} {path}; }}")
            }
            Self::Root(root) => write!(f, "chroot {}", quoted(&root.path)),
            Self::User(user) => f.write_str(&user.to_options()),
            Self::Directory { path } => write!(f, "cd {}", quoted(path)),
            Self::EmptyEnvironment => f.write_str("env -i"),
        }
    }
}

fn quoted(path: &Path) -> String {
    quote(path.as_os_str())
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = quoted(&self.place());
        let mut text = String::new();
        if self.root.is_some() {
            text += &match self.source {
                MountSource::Bind { file: true, .. } | MountSource::Terminal => {
                    format!("{{ [ -e {place} ] || : > {place}; }} && ")
                }
                MountSource::ReadOnly => String::new(),
                _ => format!("mkdir -p {place} && "),
            };
        }
        text += &match &self.fallback {
            None => self.source.to_shell(&place),
            Some(fallback) => {
                let (source, fallback) = (self.source.to_shell(&place), fallback.to_shell(&place));
                format!("{{ {source} || {fallback}; }}")
            }
        };
        if self.source == MountSource::Terminal {
            text = format!("{{ [ ! -t 0 ] || {{ {text}; }}; }}");
        }
        match self.optional {
            true => write!(f, "{{ {text} || :; }}"),
            false => f.write_str(&text),
        }
    }
}

impl MountSource {
    fn to_shell(&self, place: &str) -> String {
        match self {
            Self::Bind {
                source,
                file,
                read_only,
            } => {
                let (how, source) = (if *file { "bind" } else { "rbind" }, quoted(source));
                let read_only = match (read_only, file) {
                    (false, _) => String::new(),
                    (true, true) => format!(" && mount -o remount,bind,ro {place}"),
                    // `mount` changes one mount at a time.
                    (true, false) => format!(
                        " && mount --make-rprivate {place} && \\\n\
                         findmnt -Rlno TARGET {place} | while IFS= read -r at; do mount -o remount,bind,ro \"$at\" || exit; done"
                    ),
                };
                format!("mount --{how} {source} {place}{read_only}")
            }
            Self::ReadOnly => {
                format!("mount --bind {place} {place} && mount -o remount,bind,ro {place}")
            }
            Self::Terminal => {
                format!("mount --bind \"$(tty)\" {place} && mount -o remount,bind,ro {place}")
            }
            Self::New { name, options } => {
                let options = match options.as_str() {
                    "" => String::new(),
                    options => format!("-o {} ", quote(OsStr::new(options))),
                };
                format!("mount -t {name} {options}{name} {place}")
            }
        }
    }
}

impl User {
    /// Returns the equivalent options of `chroot`.
    fn to_options(&self) -> String {
        let groups = self.groups.as_ref().map_or(String::new(), |groups| {
            let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
            format!(" --groups={}", quote(OsStr::new(&groups.join(","))))
        });
        format!("--userspec={}:{}{groups}", self.uid, self.gid)
    }
}

impl Namespaces {
    /// Returns the command of util-linux that runs another command in these namespaces.
    fn to_command(&self) -> String {
        let mut command = String::new();
        if let Some(users) = &self.users {
            command += &users.to_command();
        }
        command += match &self.users {
            Some(users) if users.map_writer != MapWriter::Outside => " --mount --propagation=slave",
            _ => "unshare --mount --propagation=slave",
        };
        if self.processes {
            command += " --ipc --uts --pid --fork --kill-child";
        }
        command
    }
}

impl Users {
    fn to_command(&self) -> String {
        match self.map_writer {
            MapWriter::Inside => {
                let inside = |ids: &[Ids]| ids.first().map_or(0, |ids| ids.inside);
                match (inside(&self.uids), inside(&self.gids)) {
                    (0, 0) => "unshare --user --map-root-user".into(),
                    (user, group) => {
                        format!("unshare --user --map-user={user} --map-group={group}")
                    }
                }
            }
            MapWriter::Newuidmap => {
                let ranges = |option: &str, ids: &[Ids]| {
                    let range = |ids: &Ids| {
                        format!(
                            " --map-{option}={},{},{}",
                            ids.outside, ids.inside, ids.count
                        )
                    };
                    ids.iter()
                        .filter(|ids| ids.inside != 0)
                        .map(range)
                        .collect::<String>()
                };
                let (users, groups) = (ranges("users", &self.uids), ranges("groups", &self.gids));
                format!("unshare --user --map-root-user{users}{groups}")
            }
            MapWriter::Outside => {
                let map = |ids: &[Ids]| quote(OsStr::new(to_map(ids).trim_end()));
                format!(
                    "unshare --user sleep 60 > /dev/null 2>&1 & until ! [ /proc/$!/ns/user -ef /proc/self/ns/user ]; do sleep 0.1; done\n\
                     printf '%s\\n' {} > /proc/$!/uid_map && printf '%s\\n' {} > /proc/$!/gid_map && \\\n\
                     nsenter --user=/proc/$!/ns/user ",
                    map(&self.uids),
                    map(&self.gids)
                )
            }
        }
    }
}

/// Formats the steps around a command, which consists of `environment`, an `env` command, and `program`.
///
/// The steps that a shell carries out go into one `sh -c`. Those that are commands themselves, such as `unshare` and
/// `chroot`, go before and after it.
pub(super) fn wrapped(steps: &[Step], environment: &str, program: &str) -> String {
    let (mut before, mut script, mut chroot) = (String::new(), Vec::new(), String::new());
    let (mut root, mut user, mut last) = (None, String::new(), String::from("exec \"$@\""));
    for step in steps {
        match step {
            Step::Namespaces(_) => before = step.to_string(),
            Step::Users(users) => last = format!("exec {} \"$@\"", users.to_command()),
            Step::Root(its) => root = Some(quoted(&its.path)),
            Step::User(its) => user = format!(" {}", its.to_options()),
            // `chroot` itself changes to the new root directory.
            Step::Directory { .. } | Step::EmptyEnvironment => {}
            step => script.push(step.to_string()),
        }
    }
    if let Some(root) = root {
        chroot = format!("chroot{user} {root} ");
    }
    script.push(last);
    let script = quote(OsStr::new(&format!("\n{}\n", script.join(" &&\n"))));
    let sh = format!("sh -ec {script} sh \\\n");
    let before = if before.is_empty() {
        before
    } else {
        before + " "
    };
    format!("{before}{sh}{environment} \\\n    {chroot}{program}")
}

/// Serializes a path or an argument: as a string, or as `{"bytes": […]}` if it is not UTF-8.
mod text {
    use super::*;
    use serde::{Deserializer, Serializer};
    use std::os::unix::ffi::OsStringExt;

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Form {
        Text(String),
        Bytes { bytes: Vec<u8> },
    }

    impl From<Form> for OsString {
        fn from(form: Form) -> Self {
            match form {
                Form::Text(text) => text.into(),
                Form::Bytes { bytes } => OsString::from_vec(bytes),
            }
        }
    }

    pub(super) fn serialize<S: Serializer>(
        text: &impl AsRef<OsStr>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        json_string(text.as_ref()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, T: From<OsString>>(
        from: D,
    ) -> Result<T, D::Error> {
        Ok(OsString::from(Form::deserialize(from)?).into())
    }
}

/// Serializes an optional path as [`text`] does.
mod optional_text {
    use super::*;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        text: &Option<PathBuf>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let value = text.as_ref().map(|path| json_string(path.as_os_str()));
        value.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        let form = Option::<text::Form>::deserialize(from)?;
        Ok(form.map(|form| OsString::from(form).into()))
    }
}
