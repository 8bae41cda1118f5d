//! `crossmerge binfmt`: the kernel's rules for foreign programs, on the host.
//!
//! What is registered goes for everyone on the machine, so nothing here happens unless root asks for it, no rule is
//! made for what the kernel runs by itself, and none that is there is replaced. `<tuple>-run` and `<tuple>-chroot` need none
//! of it.

pub mod table;

use super::{install_hint, native, programs, rule, rule::Rule};
use crate::config::{Config, ConfigError};
use crossmerge_plan::{
    env::Env,
    passes_on, plan,
    plan::{Changes, Plan},
    report,
    report::Explain,
    tuple::Tuple,
    words::quote,
};
use crossmerge_system::{
    elf, exec, file,
    file::{WritableByOthers, read},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    ffi::OsStr,
    fmt::Write as _,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};
use table::Entry;

/// The directory that systemd-binfmt and OpenRC's `binfmt` read when the machine starts. They know no other root, so neither
/// does this.
const INSTALLED: &str = "/etc/binfmt.d";

/// Where else they look for rules.
const OTHERS: [&str; 2] = ["/run/binfmt.d", "/usr/lib/binfmt.d"];

/// What the first line of an installed file begins with; the hash of the rest follows.
const MARK: &str =
    "# Made by `crossmerge binfmt install`, which replaces it as long as nobody edited it: ";

/// The first kernel and the first QEMU that agree on flag P: the kernel says so in AT_FLAGS, and QEMU looks there
/// (its commit 6e1c0d7b951e).
const PRESERVES_ARGV0: [(u32, u32); 2] = [(5, 12), (6, 0)];

/// Why a rule is not registered.
#[derive(Debug, thiserror::Error)]
pub enum BinfmtError {
    /// There are no rules.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// QEMU has no such CPU.
    #[error("QEMU has no user emulation for `{0}`")]
    NotEmulated(Tuple),
    /// The kernel runs these itself.
    #[error("the host runs programs of `{0}` itself")]
    Native(String),
    /// There is nothing to register.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NotInstalled(String),
    /// With flag F the kernel opens the interpreter alone, and not its libraries.
    #[error("`{path}` is not linked statically, so it would not start in a chroot", path = .path.display())]
    NotStatic {
        /// The QEMU.
        path: PathBuf,
        /// Its name for the CPU.
        qemu: String,
    },
    /// The kernel could not tell where the path ends.
    #[error("a rule cannot name `{path}`, which has a colon or a line break in it", path = .0.display())]
    Unspeakable(PathBuf),
    /// What everybody's programs would run under is not root's alone.
    #[error("`{path}` would run programs of everybody's, root's too, and another user may change {writable}", path = .path.display())]
    Untrusted {
        /// The QEMU.
        path: PathBuf,
        /// What another user may change.
        writable: WritableByOthers,
    },
    /// There is no table.
    #[error("binfmt_misc is not mounted on `{}`", table::DIRECTORY)]
    NotMounted,
    /// Only root may.
    #[error("you may not write `{path}`: {source}", path = .path.display())]
    NotPermitted {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel does not take the rule.
    #[error("the kernel refuses the rule `{name}`: {source}")]
    Refused {
        /// The rule.
        name: String,
        /// What it said.
        source: io::Error,
    },
    /// Another rule has the name.
    #[error("there is a rule `{name}` already, and it differs from ours in {differs}")]
    Taken {
        /// The rule.
        name: String,
        /// In what.
        differs: String,
    },
    /// A user edited the file, or wrote it.
    #[error("`{path}` was edited, or something else made it", path = .0.display())]
    Edited(PathBuf),
    /// Neither a tuple nor `--all`.
    #[error("for which target?")]
    NoTarget,
}

impl Explain for BinfmtError {
    passes_on!(Config);

    fn own_hint(&self) -> Option<String> {
        let show = "`crossmerge binfmt status` shows the rules";
        Some(match self {
            Self::Io(e) => file::hint(e).unwrap_or_else(|| "look at its permissions".into()),
            Self::NotEmulated(tuple) => {
                format!("`crossmerge show {tuple}` says what is known of it")
            }
            Self::Native(_) => "a rule would send them to QEMU; start them as they are".into(),
            Self::NotInstalled(qemu) | Self::NotStatic { qemu, .. } => install_hint(qemu),
            Self::Unspeakable(_) => "install QEMU elsewhere".into(),
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
            Self::Refused { .. } => show.into(),
            Self::Taken { name, .. } => format!(
                "{show}; as root, `echo -1 > {}/{name}` takes it away",
                table::DIRECTORY
            ),
            Self::Edited(path) => {
                let path = quote(path.as_os_str());
                format!("move it away: `mv {path} {path}.old`")
            }
            Self::NoTarget => "name a tuple, or say `--all`".into(),
            _ => return None,
        })
    }
}

/// The rules that a user asked for.
#[derive(Debug)]
pub struct SelectedRules<'a> {
    env: &'a Env,
    rules: Vec<Rule>,
    /// One that cannot be registered here is passed over.
    is_all: bool,
}

/// One rule, ready for the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Registration {
    rule: Rule,
    interpreter: PathBuf,
    flags: String,
}

/// What the kernel has for one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleStatus {
    /// The rule's name.
    name: String,
    /// Whether the kernel uses it: `enabled`, `disabled`, `native` where no rule should be, or none.
    state: Option<&'static str>,
    /// What runs the programs.
    interpreter: Option<PathBuf>,
    /// The kernel's flags.
    flags: Option<String>,
    /// In what the entry differs from what we would register.
    differs: Vec<&'static str>,
    /// An entry of another name that takes the same files.
    also: Vec<String>,
}

/// What is done with each rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Given to the kernel.
    Register,
    /// Taken from it.
    Unregister,
    /// Written to a file for the next start of the machine.
    Install,
    /// That file is removed.
    Uninstall,
}

impl RuleStatus {
    /// The columns of a user's table: name, state, flags, interpreter, and what is to be said.
    fn columns(&self) -> [String; 5] {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let mut notes = Vec::new();
        if !self.differs.is_empty() {
            notes.push(format!("not ours: {}", self.differs.join(", ")));
        }
        if !self.also.is_empty() {
            notes.push(format!("also taken by {}", self.also.join(", ")));
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

    /// The table for a user.
    pub fn to_text(all: &[Self]) -> String {
        let rows: Vec<_> = all.iter().map(Self::columns).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        let mut text = String::new();
        for [name, state, flags, interpreter, notes] in &rows {
            let [a, b, c, d] = widths;
            let line = format!("{name:a$}  {state:b$}  {flags:c$}  {interpreter:d$}  {notes}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}

impl Registration {
    /// Decides how the rule would be registered.
    fn of(env: &Env, rule: &Rule, credentials: bool) -> Result<Self, BinfmtError> {
        match native::runs(&rule.magic) {
            true => Err(BinfmtError::Native(rule.qemu.clone())),
            false => Self::with_qemu(env, rule, credentials),
        }
    }

    /// The same, wherever the programs run. A QEMU that another user may change is an error, and is not started.
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
            return Err(BinfmtError::Unspeakable(interpreter.clone()));
        }
        // It is asked for its version next, which is to run it.
        if let Some(writable) = file::writable_by_others(interpreter)? {
            return Err(BinfmtError::Untrusted {
                path: interpreter.clone(),
                writable,
            });
        }
        let preserve = if preserves_argv0(interpreter) {
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

    /// In what an entry of the same name differs.
    fn differs(&self, entry: &Entry) -> Vec<&'static str> {
        let same = |a: &Path, b: &Path| a == b || a.canonicalize().ok() == b.canonicalize().ok();
        let is_ours = [
            ("magic or mask", entry.is_of(&self.rule)),
            ("interpreter", same(&entry.interpreter, &self.interpreter)),
            // O comes with C; both only say how the file is opened when P and F are as they should be.
            ("flags", has_flags(&entry.flags, &self.flags)),
        ];
        let differs = is_ours.into_iter().filter(|(_, is_ours)| !is_ours);
        differs.map(|(what, _)| what).collect()
    }

    /// The file that registers it when the machine starts.
    fn path(&self) -> PathBuf {
        installed_path(&self.rule)
    }

    /// What that file says.
    fn text(&self) -> Vec<u8> {
        let mut rest = self.line();
        rest.push(b'\n');
        let mut text = format!("{MARK}{}\n", hash(&rest)).into_bytes();
        text.extend(rest);
        text
    }
}

/// Returns whether the kernel's flags are those asked for, apart from O, which C implies and which changes nothing for QEMU.
fn has_flags(kernel: &str, ours: &str) -> bool {
    ['P', 'C', 'F']
        .iter()
        .all(|flag| kernel.contains(*flag) == ours.contains(*flag))
}

fn installed_path(rule: &Rule) -> PathBuf {
    Path::new(INSTALLED).join(format!("crossmerge-{}.conf", rule.name()))
}

fn hash(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns whether a file is as we wrote it.
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

/// Returns whether kernel and QEMU agree on flag P; where they do not, QEMU would take argv[0] for the first argument.
pub(super) fn preserves_argv0(qemu: &Path) -> bool {
    let plan = Plan {
        program: qemu.into(),
        args: vec!["--version".into()],
        env: Changes::new(),
        ..Plan::default()
    };
    let said = exec::query(&[plan]).map(|mut outputs| outputs.remove(0).stdout);
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    let kernel = fs_err::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let qemu = said
        .split_once(" version ")
        .map_or("", |(_, version)| version);
    let found = [version(&kernel), version(qemu)];
    let mut pairs = found.iter().zip(PRESERVES_ARGV0);
    pairs.all(|(found, wanted)| found.is_some_and(|found| found >= wanted))
}

/// The first two numbers of a version.
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

    /// Looks what the kernel has for each rule.
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

    /// The lines that register the rules. Where there is no QEMU, the path is where Gentoo installs it.
    pub fn show(&self) -> Vec<u8> {
        let lines = self.rules.iter().map(|rule| {
            let mut line = match Registration::with_qemu(self.env, rule, false) {
                Ok(registration) => registration.line(),
                Err(why) => {
                    if let BinfmtError::Untrusted { .. } = why {
                        report::note(&format!("passed over: {why}"));
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

    /// Does it with every rule, or says what would be done as shell that can be pasted; gives that shell.
    pub fn act(
        &self,
        action: Action,
        credentials: bool,
        is_dry: bool,
    ) -> Result<String, BinfmtError> {
        if credentials {
            report::note(
                "warning: flag C gives QEMU the rights of a set-user-ID program, and whoever starts one tells QEMU by the environment \
                 what to load: only for a machine on which everyone may be root",
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
                // Of all, those that QEMU or the machine has no use for are no failure.
                Err(BinfmtError::Native(_) | BinfmtError::NotInstalled(_)) if self.is_all => {}
                Err(
                    why @ (BinfmtError::NotStatic { .. }
                    | BinfmtError::Untrusted { .. }
                    | BinfmtError::Taken { .. }),
                ) if self.is_all => {
                    report::note(&format!("passed over: {why}"));
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
                "`{other}` has a rule of the same name and is read later: its rule will be the one"
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

/// Returns whether the file is there; an error when it is not as we wrote it.
fn refuse_edited(path: &Path) -> Result<bool, BinfmtError> {
    match read::read(path, read::SETTINGS) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e.into()),
        Ok(text) if is_unedited(&text) => Ok(true),
        Ok(_) => Err(BinfmtError::Edited(path.into())),
    }
}

/// The files of rules that come behind ours, by name, and have a line with that in it.
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
            _ => BinfmtError::Refused {
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
