//! A per-namespace binfmt_misc: the target's programs run under QEMU in it, and the host's rules are not changed.
//!
//! Since Linux 6.7 each user namespace can have its own binfmt_misc (Documentation/admin-guide/binfmt-misc.rst),
//! which root of the namespace may fill. This module decides the steps that set one up; `exec/enter.rs` performs
//! them. The caller's ids stay visible: root keeps every id, so that Portage can chown and change its user; an
//! ordinary user enters a second user namespace, in which they have their own id again.
//!
//! The new binfmt_misc hides the host's. So the host's rules for other files (Java, Wine, another CPU) are copied
//! unchanged, after crossmerge's. A rule whose interpreter cannot be opened is omitted.

use super::{
    binfmt::{preserves_argv0, version},
    native, programs,
    rule::{self, Rule},
};
use crate::{config::ConfigError, context::Context, target};
use crossmerge_plan::{
    passes_on,
    plan::{
        Plan,
        step::{BINFMT_MISC, Ids, MapWriter, Mount, Namespaces, Step, Users},
    },
    report::Explain,
};
use crossmerge_system::{elf, exec};
use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// The first Linux release with per-namespace binfmt_misc.
const LINUX: (u32, u32) = (6, 7);

/// The limit on the number of user namespaces.
const MAX_USER_NAMESPACES: &str = "/proc/sys/user/max_user_namespaces";

/// Files that restrict user namespaces to root, with the value that does so.
const KEPT_FROM_USERS: [(&str, &str); 2] = [
    // AppArmor's, in Ubuntu since 23.10.
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
    ),
    // Debian's, set by default up to Linux 5.10.
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
];

/// Why there is no per-namespace binfmt_misc.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The CPU profiles, from which the rules come, cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// QEMU does not emulate the target.
    #[error("QEMU's user mode runs no programs of `{0}`")]
    NotEmulated(String),
    /// QEMU is not installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NoQemu(String),
    /// QEMU is dynamically linked, and the root does not have its libraries.
    #[error("`{path}` is dynamically linked, and its libraries are not in the target's root", path = .path.display())]
    DynamicQemu {
        /// The program.
        path: PathBuf,
        /// QEMU's target.
        qemu: String,
    },
    /// The kernel has only one binfmt_misc.
    #[error(
        "Linux {0} has one binfmt_misc for all users: a per-namespace binfmt_misc needs Linux 6.7"
    )]
    OldKernel(String),
    /// The kernel has no binfmt_misc.
    #[error("the kernel has no binfmt_misc")]
    NoBinfmtMisc,
    /// The limit of user namespaces is 0.
    #[error("user namespaces are disabled: {MAX_USER_NAMESPACES} is 0")]
    NoNamespaces,
    /// Only root may create user namespaces.
    #[error("ordinary users may not create user namespaces: {0} forbids it")]
    KeptFromUsers(&'static str),
    /// The id maps in `/proc` cannot be read.
    #[error("cannot read the ids of this process: {0}")]
    Ids(io::Error),
    /// An attempt failed.
    #[error("a user namespace with its own binfmt_misc does not work on the host: {0}")]
    DoesNotWork(String),
}

impl Explain for NamespaceError {
    passes_on!(Config);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NotEmulated(tuple) => format!("`crossmerge show {tuple}` prints QEMU's name for it"),
            Self::NoQemu(qemu) | Self::DynamicQemu { qemu, .. } => super::install_hint(qemu),
            Self::OldKernel(_) | Self::NoNamespaces => {
                "the host's own binfmt_misc works too: as root, `crossmerge binfmt register <tuple>`".into()
            }
            Self::NoBinfmtMisc => "`modprobe binfmt_misc`, or a kernel with CONFIG_BINFMT_MISC".into(),
            Self::KeptFromUsers(file) => {
                let name = file.trim_start_matches("/proc/sys/").replace('/', ".");
                let open = KEPT_FROM_USERS.iter().find(|(kept, _)| kept == file);
                let value = if open.is_some_and(|(_, says)| *says == "1") { 0 } else { 1 };
                format!("as root, `sysctl -w {name}={value}` allows it; or run this as root")
            }
            Self::Ids(_) => "mount /proc".into(),
            Self::DoesNotWork(_) => {
                "a container may forbid it; the host's own binfmt_misc works too: as root, `crossmerge binfmt register <tuple>`"
                    .into()
            }
            _ => return None,
        })
    }
}

/// A rule with its QEMU and flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedRule {
    rule: Rule,
    qemu: PathBuf,
    flags: &'static str,
}

/// Returns the steps into namespaces in which the target's programs run. Returns no steps if the kernel runs them
/// natively.
///
/// Only an attempt shows whether the kernel allows them: see [`try_steps`].
pub fn steps(context: &Context) -> Result<Vec<Step>, NamespaceError> {
    let target = context.config.facts(&context.tuple)?;
    let qemu = target
        .qemu
        .ok_or_else(|| NamespaceError::NotEmulated(context.tuple.to_string()))?;
    let rules = rule::all(&context.config)?;
    if rules
        .iter()
        .any(|rule| rule.qemu == qemu && native::runs(&rule.magic))
    {
        return Ok(Vec::new());
    }
    let served = served(context, &qemu, |_| true)?;
    possible()?;
    let mut steps = vec![Step::Namespaces(Namespaces {
        users: Some(own_users()?),
        processes: false,
    })];
    steps.extend(table(&served, true));
    steps.extend(own_again().map(Step::Users));
    Ok(steps)
}

/// Performs the steps in a child process, and returns the error if one fails.
pub fn try_steps(context: &Context, steps: &[Step]) -> Result<(), NamespaceError> {
    let failed = |why: String| NamespaceError::DoesNotWork(why);
    let plan = Plan {
        program: context
            .find_program(OsStr::new("true"))
            .map_err(|e| failed(e.to_string()))?,
        enter: steps.to_vec(),
        ..Plan::default()
    };
    let output = exec::ask(&plan).map_err(|e| failed(e.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let first = errors.lines().find_map(|line| line.split_once(": error: "));
            Err(failed(first.map_or(errors.trim(), |(_, why)| why).into()))
        }
    }
}

/// Returns the rules to register: that of the target's QEMU, and those of its family whose QEMUs are installed. A
/// root may contain programs for the family's other CPUs. Rules for what the kernel runs natively are omitted.
///
/// `may_serve` chooses among several QEMUs of the same name.
pub(super) fn served(
    context: &Context,
    qemu: &str,
    may_serve: impl Fn(&Path) -> bool,
) -> Result<Vec<ServedRule>, NamespaceError> {
    let families = context.config.families()?;
    let mut rules: Vec<Rule> = Vec::new();
    for family in &families {
        let kinds = target::elf_kinds(std::slice::from_ref(family)).map_err(ConfigError::from)?;
        if kinds.iter().any(|kind| kind.qemu == qemu) {
            rules.extend(kinds.iter().map(Rule::from));
        }
    }
    let mut served = Vec::new();
    for rule in rules {
        let is_wanted = rule.qemu == qemu;
        if served.iter().any(|served: &ServedRule| served.rule == rule)
            || (!is_wanted && native::runs(&rule.magic))
        {
            continue;
        }
        let programs = programs(&context.env, &rule.qemu);
        match programs.iter().find(|path| may_serve(path)) {
            Some(program) => served.push(ServedRule {
                rule,
                qemu: program.clone(),
                flags: flags(program),
            }),
            None if !is_wanted => {}
            None => {
                let qemu = qemu.to_owned();
                return Err(match programs.into_iter().next() {
                    Some(path) => NamespaceError::DynamicQemu { path, qemu },
                    None => NamespaceError::NoQemu(qemu),
                });
            }
        }
    }
    Ok(served)
}

/// Returns whether a QEMU works without its libraries.
pub(super) fn is_static(qemu: &Path) -> bool {
    elf::interpreter(qemu).is_ok_and(|interpreter| interpreter.is_none())
}

/// Returns the flags of a rule. `F`: the kernel opens QEMU when the rule is registered, so it works in every root.
/// `P`: a program sees the name by which it was called, if QEMU supports that. Not `C`: a setuid program would run
/// QEMU with its owner's rights.
fn flags(qemu: &Path) -> &'static str {
    match preserves_argv0(qemu) {
        true => "PF",
        false => "F",
    }
}

/// Returns the steps that register the rules, from inside the namespaces.
pub(super) fn table(served: &[ServedRule], with_host_rules: bool) -> Vec<Step> {
    let ours: Vec<String> = served.iter().map(|served| served.rule.name()).collect();
    // A program can open its QEMU as `/proc/self/exe`, perhaps for writing.
    let mut qemus: Vec<PathBuf> = Vec::new();
    for served in served {
        let qemu = &served.qemu;
        let qemu = qemu.canonicalize().unwrap_or_else(|_| qemu.clone());
        if !qemus.contains(&qemu) {
            qemus.push(qemu);
        }
    }
    let mut steps: Vec<Step> = qemus
        .iter()
        .map(|qemu| Step::Mount(Mount::file_to_read(qemu)))
        .collect();
    steps.push(Step::Mount(Mount::new("binfmt_misc", "", BINFMT_MISC)));
    if with_host_rules {
        let lines = host_rules(Path::new(BINFMT_MISC), &ours);
        steps.extend(lines.into_iter().map(|line| Step::Register {
            line,
            optional: true,
        }));
    }
    // If two rules match, the kernel uses the later one.
    steps.extend(served.iter().map(|served| Step::Register {
        line: OsString::from_vec(served.rule.registration(&served.qemu, served.flags)),
        optional: false,
    }));
    steps
}

/// Returns the host's enabled rules with other names than crossmerge's, as lines to register.
fn host_rules(directory: &Path, ours: &[String]) -> Vec<OsString> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut lines: Vec<OsString> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_ours = ["register", "status"].contains(&name.as_str()) || ours.contains(&name);
            let text = (!is_ours).then(|| std::fs::read_to_string(entry.path()).ok())??;
            registration(&name, &text)
        })
        .collect();
    lines.sort();
    lines
}

/// Returns the line that registers a rule again, from the kernel's text of its entry. Returns `None` if the rule is
/// disabled.
fn registration(name: &str, text: &str) -> Option<OsString> {
    let mut lines = text.lines();
    if lines.next()? != "enabled" {
        return None;
    }
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(' ')).collect();
    let field = |key: &str| {
        fields
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    };
    let interpreter = field("interpreter")?;
    let flags = field("flags:").unwrap_or_default();
    let bytes = |hex: &str| -> String {
        let pairs = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair));
        pairs.map(|pair| format!("\\x{pair}")).collect()
    };
    let fields = match (field("magic"), field("extension")) {
        (Some(magic), _) => [
            "M".to_owned(),
            field("offset").unwrap_or_default().to_owned(),
            bytes(magic),
            field("mask").map_or(String::new(), bytes),
        ],
        (None, extension) => [
            "E".to_owned(),
            String::new(),
            extension?.trim_start_matches('.').to_owned(),
            String::new(),
        ],
    };
    let parts = [
        &[name.to_owned()],
        &fields[..],
        &[interpreter.to_owned(), flags.to_owned()],
    ]
    .concat();
    let separator = [':', '|', ',', ';', '!'];
    let separator = separator
        .iter()
        .find(|mark| !parts.iter().any(|part| part.contains(**mark)))?;
    let line: String = parts
        .iter()
        .map(|part| format!("{separator}{part}"))
        .collect();
    Some(line.into())
}

/// Checks whether a user namespace can have its own binfmt_misc, as far as files show it.
pub(super) fn possible() -> Result<(), NamespaceError> {
    let release = nix::sys::utsname::uname()
        .map(|uname| uname.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    if version(&release).is_some_and(|version| version < LINUX) {
        return Err(NamespaceError::OldKernel(release));
    }
    if !Path::new(BINFMT_MISC).is_dir() {
        return Err(NamespaceError::NoBinfmtMisc);
    }
    namespaces_possible()
}

/// Checks whether user namespaces are available, as far as files show it.
pub(super) fn namespaces_possible() -> Result<(), NamespaceError> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    if read(MAX_USER_NAMESPACES).trim() == "0" {
        return Err(NamespaceError::NoNamespaces);
    }
    if !nix::unistd::geteuid().is_root() {
        for (file, kept) in KEPT_FROM_USERS {
            if read(file).trim() == kept {
                return Err(NamespaceError::KeptFromUsers(file));
            }
        }
    }
    Ok(())
}

/// Returns the id maps of a namespace in which rules can be registered: all of root's ids, or an ordinary user mapped
/// to root.
pub(super) fn own_users() -> Result<Users, NamespaceError> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if uid.is_root() {
        return Ok(Users {
            uids: own_ids("uid_map").map_err(NamespaceError::Ids)?,
            gids: own_ids("gid_map").map_err(NamespaceError::Ids)?,
            map_writer: MapWriter::Outside,
        });
    }
    Ok(one(0, uid.as_raw(), 0, gid.as_raw()))
}

/// Returns the id maps of a second namespace, nested in the first, in which an ordinary user has their own id again.
/// Returns `None` for root.
fn own_again() -> Option<Users> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    (!uid.is_root()).then(|| one(uid.as_raw(), 0, gid.as_raw(), 0))
}

/// Returns the maps of one user and one group.
fn one(uid: u32, outside_uid: u32, gid: u32, outside_gid: u32) -> Users {
    let ids = |inside, outside| {
        vec![Ids {
            inside,
            outside,
            count: 1,
        }]
    };
    Users {
        uids: ids(uid, outside_uid),
        gids: ids(gid, outside_gid),
        map_writer: MapWriter::Inside,
    }
}

/// Returns the ids of the current user namespace, each mapped to itself: in a container these may be several ranges.
fn own_ids(file: &str) -> io::Result<Vec<Ids>> {
    let text = fs_err::read_to_string(format!("/proc/self/{file}"))?;
    let range = |line: &str| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (inside, count) = (numbers.next()?.ok()?, numbers.nth(1)?.ok()?);
        Some(Ids {
            inside,
            outside: inside,
            count,
        })
    };
    Ok(text.lines().filter_map(range).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_the_host_is_registered_as_the_kernel_prints_it() {
        for (name, text, line) in [
            (
                "jar",
                "enabled\ninterpreter /usr/bin/jexec\nflags: \noffset 0\nmagic 504b0304\n",
                Some(":jar:M:0:\\x50\\x4b\\x03\\x04::/usr/bin/jexec:"),
            ),
            (
                "wine",
                "enabled\ninterpreter /opt/a:b/wine\nflags: PF\nextension .exe\n",
                Some("|wine|E||exe||/opt/a:b/wine|PF"),
            ),
            (
                "arm",
                "enabled\ninterpreter /q\nflags: OCF\noffset 4\nmagic 0102\nmask ff00\n",
                Some(":arm:M:4:\\x01\\x02:\\xff\\x00:/q:OCF"),
            ),
            (
                "off",
                "disabled\ninterpreter /q\nflags: \nextension .x\n",
                None,
            ),
        ] {
            assert_eq!(
                registration(name, text).as_deref(),
                line.map(OsStr::new),
                "{text}"
            );
        }
    }
}
