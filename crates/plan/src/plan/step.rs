//! Steps: what a process does to its own surroundings before it becomes a plan's program. Data, with its shell and JSON.
//!
//! Namespaces of its own come first, so that nothing of what follows is seen by anyone else, and all of it is gone when the last
//! process in there is. `exec/enter.rs` does them. Pure.

use crate::words::{json_string, quote};
use serde::{Deserialize, Serialize};
use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::{Path, PathBuf},
};

/// Where the kernel's binfmt_misc is mounted, and nowhere else.
pub const BINFMT_MISC: &str = "/proc/sys/fs/binfmt_misc";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Leaves for namespaces of its own.
    Namespaces(Namespaces),
    /// Leaves for another user namespace, in which nobody has rights over what was done so far.
    Users(Users),
    /// Mounts something.
    Mount(Mount),
    /// Adds a rule to the binfmt_misc that is mounted here.
    Register {
        /// The line, as the kernel's `register` takes it.
        #[serde(with = "text")]
        line: OsString,
        /// Goes on without it where the kernel does not take it.
        optional: bool,
    },
    /// Makes a symbolic link, unless something of that name is there.
    Link {
        /// The root that the path is in.
        #[serde(with = "text")]
        root: PathBuf,
        /// Where.
        #[serde(with = "text")]
        path: PathBuf,
        /// What it says.
        #[serde(with = "text")]
        target: PathBuf,
    },
    /// Makes this directory the root, and unmounts the one before with everything in it.
    Root(Root),
    /// Becomes another user.
    User(User),
    /// Goes to a directory.
    Directory {
        /// The directory, seen from the root there is by then.
        #[serde(with = "text")]
        path: PathBuf,
    },
    /// Takes every variable out of the environment but those that the plan sets.
    EmptyEnvironment,
}

/// Which namespaces: always one of mounts, whose mounts no other sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespaces {
    /// The users of a user namespace; none without one.
    pub users: Option<Users>,
    /// Whether there are also PID namespaces, of System V IPC and of the host's name. What comes next is done below the
    /// first process of the PID namespace, and all processes in it end with that one.
    pub processes: bool,
}

/// A directory that becomes the root. Something is mounted there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The directory, by a path without symlinks.
    #[serde(with = "text")]
    pub path: PathBuf,
    /// The number of its device, and that of its inode: another directory at this path is an error.
    pub identity: (u64, u64),
    /// The ids of a second user namespace, which is entered last, with a copy of the mounts. Nobody in there can change or unmount
    /// those, or look at the first process. `None` where there is no user namespace.
    pub locked: Option<Users>,
}

/// The users and groups that a namespace knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// Users.
    pub uids: Vec<Ids>,
    /// Groups.
    pub gids: Vec<Ids>,
    /// Who says so to the kernel.
    #[serde(rename = "told")]
    pub map_writer: MapWriter,
}

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The first, in the namespace.
    pub inside: u32,
    /// What that is where we came from.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Who tells the kernel of the ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapWriter {
    /// The process itself, which anyone may do for the one user and group that they are. Other groups are out of reach then.
    Inside,
    /// A process that stays outside and has the right to.
    Outside,
    /// `newuidmap` and `newgidmap` (shadow), for the ranges that `/etc/subuid` and `/etc/subgid` give to a user.
    Newuidmap,
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What.
    #[serde(rename = "what")]
    pub source: MountSource,
    /// The root that the place is looked up in, and whose links lead nowhere outside of it; none for the root we are in.
    #[serde(with = "optional_text")]
    pub root: Option<PathBuf>,
    /// Where. In a root, it is made when it is not there.
    #[serde(with = "text")]
    pub on: PathBuf,
    /// What is mounted where the kernel refuses.
    #[serde(rename = "instead")]
    pub fallback: Option<MountSource>,
    /// Goes on, and says so, where there is no place for it.
    pub optional: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MountSource {
    /// A directory of the machine, with what is mounted in it, or a file.
    Bind {
        /// Which.
        #[serde(with = "text")]
        source: PathBuf,
        /// It is a file.
        file: bool,
        /// Nobody writes to it from there.
        read_only: bool,
    },
    /// What is there already, from now on only to read.
    ReadOnly,
    /// A file system of the kernel's own.
    New {
        /// Its name.
        name: String,
        /// Its options, as `mount -o` takes them; may be empty.
        options: String,
    },
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The other groups; none where they are left as they are.
    pub groups: Option<Vec<u32>>,
}

impl Mount {
    /// A mount that has to succeed, of something of the kernel's own.
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

    /// A mount that makes what is there read-only, if there is something.
    pub fn read_only(on: impl Into<PathBuf>) -> Self {
        Self {
            source: MountSource::ReadOnly,
            optional: true,
            ..Self::new("", "", on)
        }
    }

    /// A mount of a file of the host on itself, only to be read.
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

    /// A mount that has to succeed, of a directory of the machine.
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

    /// The same, to be read only, with all that is mounted in it.
    pub fn to_read(mut self) -> Self {
        if let MountSource::Bind { read_only, .. } = &mut self.source {
            *read_only = true;
        }
        self
    }

    /// The same, with the place in a root.
    pub fn in_root(mut self, root: &Path) -> Self {
        self.root = Some(root.into());
        self
    }

    /// The place as a path from here, for a user: links in the root are not followed.
    pub fn place(&self) -> PathBuf {
        match &self.root {
            Some(root) => inside(root, &self.on),
            None => self.on.clone(),
        }
    }
}

/// A path in a root, seen from outside.
pub fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

impl Ids {
    /// The line of `/proc/PID/uid_map`.
    pub fn to_line(self) -> String {
        format!("{} {} {}", self.inside, self.outside, self.count)
    }
}

/// The text of `/proc/PID/uid_map`.
pub fn to_map(ids: &[Ids]) -> String {
    let lines: Vec<String> = ids.iter().map(|ids| ids.to_line()).collect();
    lines.join("\n") + "\n"
}

/// Writes what the step is in shell. What wraps the rest of the plan is written with [`wrapped`].
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespaces(namespaces) => f.write_str(&namespaces.to_words()),
            Self::Users(users) => write!(f, "{}", users.to_words()),
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
            Self::User(user) => f.write_str(&user.to_words()),
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
                MountSource::Bind { file: true, .. } => {
                    format!("{{ [ -e {place} ] || : > {place}; }} && ")
                }
                MountSource::ReadOnly => String::new(),
                _ => format!("mkdir -p {place} && "),
            };
        }
        text += &match &self.fallback {
            None => self.source.to_shell(&place),
            Some(instead) => {
                let (what, instead) = (self.source.to_shell(&place), instead.to_shell(&place));
                format!("{{ {what} || {instead}; }}")
            }
        };
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
    /// The options of `chroot` that say the same.
    fn to_words(&self) -> String {
        let groups = self.groups.as_ref().map_or(String::new(), |groups| {
            let groups: Vec<String> = groups.iter().map(u32::to_string).collect();
            format!(" --groups={}", quote(OsStr::new(&groups.join(","))))
        });
        format!("--userspec={}:{}{groups}", self.uid, self.gid)
    }
}

impl Namespaces {
    /// The command that starts another in such namespaces, as util-linux has it.
    fn to_words(&self) -> String {
        let mut words = String::new();
        if let Some(users) = &self.users {
            words += &users.to_words();
        }
        words += match &self.users {
            Some(users) if users.map_writer != MapWriter::Outside => " --mount --propagation=slave",
            _ => "unshare --mount --propagation=slave",
        };
        if self.processes {
            words += " --ipc --uts --pid --fork --kill-child";
        }
        words
    }
}

impl Users {
    fn to_words(&self) -> String {
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

/// Writes the steps around a command: `words` are its environment's and `program` the program's.
///
/// The steps that a shell does go into one `sh -c`; those that are a command of their own, such as `chroot`, go between.
pub(super) fn wrapped(steps: &[Step], environment: &str, program: &str) -> String {
    let (mut before, mut script, mut chroot) = (String::new(), Vec::new(), String::new());
    let (mut root, mut user, mut last) = (None, String::new(), String::from("exec \"$@\""));
    for step in steps {
        match step {
            Step::Namespaces(_) => before = step.to_string(),
            Step::Users(users) => last = format!("exec {} \"$@\"", users.to_words()),
            Step::Root(its) => root = Some(quoted(&its.path)),
            Step::User(its) => user = format!(" {}", its.to_words()),
            // chroot begins in the root.
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

/// A path or an argument as data: text, or `{"bytes": […]}` when it is not UTF-8.
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

/// The same, which may be missing.
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
