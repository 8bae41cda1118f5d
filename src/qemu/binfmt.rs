//! `crossmerge binfmt`: the host's binfmt_misc rules, by which the kernel starts foreign programs under QEMU.
//!
//! A registered rule applies to every user of the host. So crossmerge changes rules only if root asks for it, makes
//! none for programs that the kernel runs itself, and replaces no existing rule. `<tuple>-run` and `<tuple>-chroot`
//! need no such rule.

pub mod table;

use super::{
    install_hint, native, programs,
    rule::{self, Rule},
};
use crate::{
    config::{Config, ConfigError},
    terminal::{COLUMN, FIRST, table},
};
use crossmerge_plan::{
    env::Env,
    passes_on,
    plan::{self, Changes, Plan},
    report::{self, Explain},
    tuple::Tuple,
    words::{hex, quote},
};
use crossmerge_system::{
    elf, exec,
    file::{self, WritableByOthers, read},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};
use table::Entry;

/// The directory that systemd-binfmt and OpenRC's `binfmt` read when the host boots. Both ignore ROOT, so crossmerge
/// does too.
const INSTALLED: &str = "/etc/binfmt.d";

/// The other directories from which they read rules.
const OTHERS: [&str; 2] = ["/run/binfmt.d", "/usr/lib/binfmt.d"];

/// The beginning of an installed file's first line. A hash of the remaining lines follows.
const MARK: &str =
    "# Made by `crossmerge binfmt install`, which replaces it as long as nobody edited it: ";

/// The first kernel and the first QEMU that support flag P: the kernel reports it in AT_FLAGS, and QEMU reads it
/// there (QEMU's commit 6e1c0d7b951e).
const PRESERVES_ARGV0: [(u32, u32); 2] = [(5, 12), (6, 0)];

/// Why a rule is not registered.
#[derive(Debug, thiserror::Error)]
pub enum BinfmtError {
    /// The CPU profiles, from which the rules come, cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// QEMU has no user-mode emulation for the CPU.
    #[error("QEMU has no user emulation for `{0}`")]
    NotEmulated(Tuple),
    /// The kernel runs such programs itself.
    #[error("the host runs programs of `{0}` itself")]
    Native(String),
    /// No QEMU is installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NotInstalled(String),
    /// The QEMU is dynamically linked. With flag F the kernel opens the interpreter at once, but not its libraries.
    #[error("`{path}` is not statically linked, so it would not start in a chroot", path = .path.display())]
    NotStatic {
        /// The QEMU.
        path: PathBuf,
        /// QEMU's name for the CPU.
        qemu: String,
    },
    /// The path has a character that ends it in a rule.
    #[error("a rule cannot contain `{path}`, which has a colon or a line break in it", path = .0.display())]
    InvalidPath(PathBuf),
    /// A user other than root may change the QEMU, under which every user's programs would run.
    #[error("`{path}` would run every user's programs, root's too, and another user may change {writable}", path = .path.display())]
    Untrusted {
        /// The QEMU.
        path: PathBuf,
        /// What another user may change.
        writable: WritableByOthers,
    },
    /// binfmt_misc is not mounted.
    #[error("binfmt_misc is not mounted on `{}`", table::DIRECTORY)]
    NotMounted,
    /// The process is not root.
    #[error("cannot write `{path}`: {source}", path = .path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The kernel rejects the rule.
    #[error("the kernel rejects the rule `{name}`: {source}")]
    Rejected {
        /// The rule's name.
        name: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// Another rule has the same name.
    #[error("a rule `{name}` exists, and it differs from crossmerge's in {differs}")]
    Taken {
        /// The rule's name.
        name: String,
        /// The parts that differ.
        differs: String,
    },
    /// The file was edited, or was not made by crossmerge.
    #[error("`{path}` was edited, or was not made by crossmerge", path = .0.display())]
    Edited(PathBuf),
    /// The command line has neither a tuple nor `--all`.
    #[error("no target is named")]
    NoTarget,
}

impl Explain for BinfmtError {
    passes_on!(Config);

    fn own_hint(&self) -> Option<String> {
        let show = "`crossmerge binfmt status` shows the rules";
        Some(match self {
            Self::Io(e) => file::hint(e).unwrap_or_else(|| "check its permissions".into()),
            Self::NotEmulated(tuple) => {
                format!("`crossmerge show {tuple}` prints its facts")
            }
            Self::Native(_) => "a rule would run them under QEMU; start them directly".into(),
            Self::NotInstalled(qemu) | Self::NotStatic { qemu, .. } => install_hint(qemu),
            Self::InvalidPath(_) => "install QEMU elsewhere".into(),
            Self::Untrusted { writable, .. } => {
                format!(
                    "install QEMU where only root writes, or `{}`",
                    writable.fix()
                )
            }
            Self::NotMounted => format!(
                "`modprobe binfmt_misc; mount -t binfmt_misc binfmt_misc {}`",
                table::DIRECTORY
            ),
            Self::NotPermitted { .. } => {
                "become root; `<tuple>-run` and `<tuple>-chroot` work without such a rule".into()
            }
            Self::Rejected { .. } => show.into(),
            Self::Taken { name, .. } => format!(
                "{show}; as root, `echo -1 > {}/{name}` removes it",
                table::DIRECTORY
            ),
            Self::Edited(path) => {
                let path = quote(path.as_os_str());
                format!("move it: `mv {path} {path}.old`")
            }
            Self::NoTarget => "name a tuple, or `--all`".into(),
            _ => return None,
        })
    }
}

/// The rules that the user selected.
#[derive(Debug)]
pub struct SelectedRules<'a> {
    env: &'a Env,
    rules: Vec<Rule>,
    /// Whether all rules were selected. Then one that cannot be registered is skipped.
    is_all: bool,
}

/// A rule with the interpreter and the flags to register.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Registration {
    rule: Rule,
    interpreter: PathBuf,
    flags: String,
}

/// The kernel's entry for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleStatus {
    /// The rule's name.
    name: String,
    /// The state of the entry: `enabled`, `disabled`, or `native` for a rule that must not be registered. `None` if
    /// there is no entry.
    state: Option<&'static str>,
    /// The program that runs the files.
    interpreter: Option<PathBuf>,
    /// The kernel's flags.
    flags: Option<String>,
    /// The parts in which the entry differs from the rule that crossmerge would register.
    differs: Vec<&'static str>,
    /// Entries of other names that match the same files.
    also: Vec<String>,
}

/// The action on each rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Register it with the kernel.
    Register,
    /// Remove it from the kernel.
    Unregister,
    /// Write a file that registers it at the next boot.
    Install,
    /// Remove that file.
    Uninstall,
}

impl RuleStatus {
    /// Returns the columns of the table: name, state, flags, interpreter and notes.
    fn columns(&self) -> [String; 5] {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let mut notes = Vec::new();
        if !self.differs.is_empty() {
            notes.push(format!(
                "differs from crossmerge's: {}",
                self.differs.join(", ")
            ));
        }
        if !self.also.is_empty() {
            notes.push(format!("also matched by {}", self.also.join(", ")));
        }
        let interpreter = self.interpreter.as_ref();
        [
            self.name.clone(),
            or_none(self.state.map(Into::into)),
            or_none(self.flags.clone().filter(|flags| !flags.is_empty())),
            or_none(interpreter.map(|path| path.display().to_string())),
            notes.join("; "),
        ]
    }

    /// Renders the table.
    pub fn to_text(all: &[Self]) -> String {
        let rows: Vec<_> = all.iter().map(Self::columns).collect();
        table([FIRST, COLUMN, COLUMN, COLUMN, COLUMN], &rows)
    }
}

impl Registration {
    /// Decides the interpreter and flags of a rule. Fails if the kernel runs such programs itself.
    fn of(env: &Env, rule: &Rule, credentials: bool) -> Result<Self, BinfmtError> {
        match native::runs(&rule.magic) {
            true => Err(BinfmtError::Native(rule.qemu.clone())),
            false => Self::with_qemu(env, rule, credentials),
        }
    }

    /// Like [`Self::of`], but also for programs that the kernel runs itself. A QEMU that another user may change is
    /// an error, and is not started.
    fn with_qemu(env: &Env, rule: &Rule, credentials: bool) -> Result<Self, BinfmtError> {
        let programs = programs(env, &rule.qemu);
        let is_static = |path: &&PathBuf| {
            let is_elf = elf::head(path).is_ok_and(|head| elf::ElfHeader::of(&head).is_some());
            is_elf && matches!(elf::interpreter(path), Ok(None))
        };
        let Some(interpreter) = programs.iter().find(is_static) else {
            let qemu = rule.qemu.clone();
            return Err(match programs.first() {
                Some(path) => BinfmtError::NotStatic {
                    path: path.clone(),
                    qemu,
                },
                None => BinfmtError::NotInstalled(qemu),
            });
        };
        if interpreter
            .as_os_str()
            .as_bytes()
            .iter()
            .any(|byte| b":\n".contains(byte))
        {
            return Err(BinfmtError::InvalidPath(interpreter.clone()));
        }
        // The next step runs this QEMU to get its version.
        if let Some(writable) = file::writable_by_others(interpreter)? {
            return Err(BinfmtError::Untrusted {
                path: interpreter.clone(),
                writable,
            });
        }
        let preserve = if preserves_argv0(asked_version(interpreter)) {
            "P"
        } else {
            ""
        };
        let credentials = if credentials { "C" } else { "" };
        Ok(Self {
            rule: rule.clone(),
            interpreter: interpreter.clone(),
            flags: format!("{preserve}{credentials}F"),
        })
    }

    fn line(&self) -> Vec<u8> {
        self.rule.registration(&self.interpreter, &self.flags)
    }

    /// Returns the parts in which an entry of the same name differs.
    fn differs(&self, entry: &Entry) -> Vec<&'static str> {
        let same = |a: &Path, b: &Path| a == b || a.canonicalize().ok() == b.canonicalize().ok();
        let is_ours = [
            ("magic or mask", entry.is_of(&self.rule)),
            ("interpreter", same(&entry.interpreter, &self.interpreter)),
            // O is implied by C. Both only affect how the file is opened, which P and F decide already.
            ("flags", has_flags(&entry.flags, &self.flags)),
        ];
        let differs = is_ours.into_iter().filter(|(_, is_ours)| !is_ours);
        differs.map(|(what, _)| what).collect()
    }

    /// Returns the path of the file that registers the rule at boot.
    fn path(&self) -> PathBuf {
        installed_path(&self.rule)
    }

    /// Returns the text of that file.
    fn text(&self) -> Vec<u8> {
        let mut rest = self.line();
        rest.push(b'\n');
        let mut text = format!("{MARK}{}\n", hash(&rest)).into_bytes();
        text.extend(rest);
        text
    }
}

/// Returns whether the kernel's flags are the wanted ones, apart from O, which C implies and which does not matter
/// for QEMU.
fn has_flags(kernel: &str, ours: &str) -> bool {
    ['P', 'C', 'F']
        .iter()
        .all(|flag| kernel.contains(*flag) == ours.contains(*flag))
}

fn installed_path(rule: &Rule) -> PathBuf {
    Path::new(INSTALLED).join(format!("crossmerge-{}.conf", rule.name()))
}

fn hash(text: &[u8]) -> String {
    hex(&Sha256::digest(text))
}

/// Returns whether a file is as crossmerge wrote it.
fn is_unedited(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(MARK.as_bytes()) else {
        return false;
    };
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len());
    let (mark, rest) = rest.split_at(end);
    mark == hash(rest.strip_prefix(b"\n").unwrap_or_default()).as_bytes()
}

/// Returns the version that a QEMU prints.
fn asked_version(qemu: &Path) -> Option<(u32, u32)> {
    let plan = Plan {
        program: qemu.into(),
        args: vec!["--version".into()],
        env: Changes::new(),
        ..Plan::default()
    };
    let printed = exec::ask(&plan).map(|output| output.stdout);
    let printed = String::from_utf8_lossy(&printed.unwrap_or_default()).into_owned();
    let (_, number) = printed.split_once(" version ")?;
    version(number)
}

/// Returns whether the kernel and a QEMU of this version both support flag P. Otherwise QEMU would take argv[0] for
/// the first argument.
pub(super) fn preserves_argv0(qemu: Option<(u32, u32)>) -> bool {
    let kernel = fs_err::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let found = [version(&kernel), qemu];
    let mut pairs = found.iter().zip(PRESERVES_ARGV0);
    pairs.all(|(found, wanted)| found.is_some_and(|found| found >= wanted))
}

/// Reads the first two numbers of a version.
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

impl<'a> SelectedRules<'a> {
    /// Finds the rules of a target, or all of them.
    pub fn of(env: &'a Env, config: &Config, tuple: Option<&Tuple>) -> Result<Self, BinfmtError> {
        let mut rules = rule::all(config)?;
        if let Some(tuple) = tuple {
            let target = config.facts(tuple)?;
            rules.retain(|rule| rule.is_of(&target));
            if rules.is_empty() {
                return Err(BinfmtError::NotEmulated(tuple.clone()));
            }
        }
        let is_all = tuple.is_none();
        Ok(Self { env, rules, is_all })
    }

    /// Reads the kernel's entry for each rule.
    pub fn status(&self) -> Result<Vec<RuleStatus>, BinfmtError> {
        let entries = table::read()?.ok_or(BinfmtError::NotMounted)?;
        Ok(self
            .rules
            .iter()
            .map(|rule| self.status_of(rule, &entries))
            .collect())
    }

    fn status_of(&self, rule: &Rule, entries: &[Entry]) -> RuleStatus {
        let name = rule.name();
        let entry = entries.iter().find(|entry| entry.name == name);
        let mut header = rule.magic.clone();
        header.resize(elf::HEADER_LEN, 0);
        let also = entries
            .iter()
            .filter(|entry| entry.name != name && entry.is_enabled && entry.takes(&header));
        let wanted = Registration::of(self.env, rule, false);
        let state = match entry {
            Some(entry) if entry.is_enabled => Some("enabled"),
            Some(_) => Some("disabled"),
            None if matches!(wanted, Err(BinfmtError::Native(_))) => Some("native"),
            None => None,
        };
        let differs = entry.map(|entry| match &wanted {
            Ok(wanted) => wanted.differs(entry),
            Err(_) if entry.is_of(rule) => Vec::new(),
            Err(_) => vec!["magic or mask"],
        });
        RuleStatus {
            state,
            interpreter: entry.map(|entry| entry.interpreter.clone()),
            flags: entry.map(|entry| entry.flags.clone()),
            differs: differs.unwrap_or_default(),
            also: also.map(|entry| entry.name.clone()).collect(),
            name,
        }
    }

    /// Returns the lines that register the rules. If QEMU is not installed, they have Gentoo's path of it.
    pub fn show(&self) -> Vec<u8> {
        let lines = self.rules.iter().map(|rule| {
            let mut line = match Registration::with_qemu(self.env, rule, false) {
                Ok(registration) => registration.line(),
                Err(why) => {
                    if let BinfmtError::Untrusted { .. } = why {
                        report::note(&format!("skipped: {why}"));
                    }
                    let interpreter = format!("/usr/bin/qemu-{}", rule.qemu);
                    rule.registration(Path::new(&interpreter), "PF")
                }
            };
            line.push(b'\n');
            line
        });
        lines.collect::<Vec<_>>().concat()
    }

    /// Performs the action on every selected rule, or returns it as shell commands without changing anything.
    pub fn act(
        &self,
        action: Action,
        credentials: bool,
        is_dry: bool,
    ) -> Result<String, BinfmtError> {
        if credentials {
            report::note(
                "warning: flag C gives QEMU the rights of a set-user-ID program, and QEMU reads what to load from the environment of \
                 the user who starts it: use it only on a host where every user may become root",
            );
        }
        let mut shell = String::new();
        for rule in &self.rules {
            let done = match action {
                Action::Register => self.register(rule, credentials, is_dry),
                Action::Unregister => self.unregister(rule, is_dry),
                Action::Install => self.install(rule, credentials, is_dry),
                Action::Uninstall => self.uninstall(rule, is_dry),
            };
            match done {
                Ok(text) => shell += &text,
                // With `--all`, a CPU that QEMU does not emulate or that the host runs itself is not an error.
                Err(BinfmtError::Native(_) | BinfmtError::NotInstalled(_)) if self.is_all => {}
                Err(
                    why @ (BinfmtError::NotStatic { .. }
                    | BinfmtError::Untrusted { .. }
                    | BinfmtError::Taken { .. }),
                ) if self.is_all => {
                    report::note(&format!("skipped: {why}"));
                }
                Err(why) => return Err(why),
            }
        }
        Ok(shell)
    }

    fn register(
        &self,
        rule: &Rule,
        credentials: bool,
        is_dry: bool,
    ) -> Result<String, BinfmtError> {
        let ours = Registration::of(self.env, rule, credentials)?;
        let name = rule.name();
        let entries = table::read()?.ok_or(BinfmtError::NotMounted)?;
        let entry = entries.iter().find(|entry| entry.name == name);
        let (file, text) = match entry {
            Some(entry) => {
                let differs = ours.differs(entry);
                if !differs.is_empty() {
                    let differs = differs.join(", ");
                    return Err(BinfmtError::Taken { name, differs });
                }
                if entry.is_enabled {
                    report::note(&format!("`{name}` is registered already"));
                    return Ok(String::new());
                }
                (name.as_str(), b"1".to_vec())
            }
            None => ("register", ours.line()),
        };
        write(file, &name, &text, is_dry)
    }

    fn unregister(&self, rule: &Rule, is_dry: bool) -> Result<String, BinfmtError> {
        let name = rule.name();
        let entries = table::read()?.ok_or(BinfmtError::NotMounted)?;
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            if !self.is_all {
                report::note(&format!("`{name}` is not registered"));
            }
            return Ok(String::new());
        };
        let is_ours =
            entry.is_of(rule) && programs(self.env, &rule.qemu).contains(&entry.interpreter);
        if !is_ours {
            let differs = "its interpreter, magic or mask".into();
            return Err(BinfmtError::Taken { name, differs });
        }
        write(&name, &name, b"-1", is_dry)
    }

    fn install(&self, rule: &Rule, credentials: bool, is_dry: bool) -> Result<String, BinfmtError> {
        let ours = Registration::of(self.env, rule, credentials)?;
        let path = ours.path();
        refuse_edited(&path)?;
        let text = ours.text();
        if is_dry {
            let text = String::from_utf8_lossy(&text).into_owned();
            return Ok(plan::File {
                path,
                text,
                printed_by: None,
            }
            .to_string());
        }
        file::put(&path, &text).map_err(|e| not_permitted(&path, e))?;
        let own = path.file_name().unwrap_or_default();
        for other in later_files(own, &format!(":{}:", rule.name())) {
            let other = other.display();
            report::note(&format!(
                "`{other}` has a rule of the same name and is read later: its rule applies"
            ));
        }
        Ok(format!("{}\n", path.display()))
    }

    fn uninstall(&self, rule: &Rule, is_dry: bool) -> Result<String, BinfmtError> {
        let path = installed_path(rule);
        if !refuse_edited(&path)? {
            return Ok(String::new());
        }
        if is_dry {
            return Ok(format!("rm {}\n", quote(path.as_os_str())));
        }
        file::remove(&path).map_err(|e| not_permitted(&path, e))?;
        Ok(format!("{}\n", path.display()))
    }
}

/// Returns whether the file exists. Fails if it is not as crossmerge wrote it.
fn refuse_edited(path: &Path) -> Result<bool, BinfmtError> {
    match read::read(path, read::SETTINGS) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e.into()),
        Ok(text) if is_unedited(&text) => Ok(true),
        Ok(_) => Err(BinfmtError::Edited(path.into())),
    }
}

/// Returns the files of rules that are read after crossmerge's and contain the text.
fn later_files(own: &OsStr, has: &str) -> Vec<PathBuf> {
    let directories = OTHERS.iter().chain([&INSTALLED]);
    let files =
        directories.flat_map(|directory| fs_err::read_dir(*directory).into_iter().flatten());
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    files
        .filter(|path| path.file_name().is_some_and(|name| name > own))
        .filter(|path| {
            let text = read::read(path, read::SETTINGS).unwrap_or_default();
            let mut lines = text.split(|byte| *byte == b'\n');
            lines.any(|line| line.starts_with(has.as_bytes()))
        })
        .collect()
}

fn write(file: &str, name: &str, text: &[u8], is_dry: bool) -> Result<String, BinfmtError> {
    let path = Path::new(table::DIRECTORY).join(file);
    let shell = format!(
        "printf %s {} > {}\n",
        quote(OsStr::from_bytes(text)),
        quote(path.as_os_str())
    );
    if !is_dry {
        table::write(file, text).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => BinfmtError::NotPermitted { path, source },
            _ => BinfmtError::Rejected {
                name: name.into(),
                source,
            },
        })?;
    }
    Ok(shell)
}

fn not_permitted(path: &Path, source: io::Error) -> BinfmtError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => BinfmtError::NotPermitted {
            path: path.into(),
            source,
        },
        _ => source.into(),
    }
}
