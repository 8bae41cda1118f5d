//! A binfmt_misc of our own: programs of the target run under QEMU in there, and the machine's table is not touched.
//!
//! Since Linux 6.7 each user namespace can have a table of its own (Documentation/admin-guide/binfmt-misc.rst), which anyone
//! may fill who is root in there. Here it is decided which steps lead into one; `exec/enter.rs` does them. The ids of the caller look
//! as before: root keeps every id, so that Portage can chown and become its user, and an ordinary user goes on to a second namespace, where
//! they are the one they were.
//!
//! The table replaces the machine's inside. So its rules for other files (Java, Wine, another CPU) are copied as they are, behind ours;
//! one whose interpreter cannot be opened from here stays out.

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

/// The first Linux with a binfmt_misc for each user namespace.
const LINUX: (u32, u32) = (6, 7);

/// How many user namespaces may be made here.
const MAX_USER_NAMESPACES: &str = "/proc/sys/user/max_user_namespaces";

/// Files by which a machine keeps user namespaces from anyone but root, and what they say then.
const KEPT_FROM_USERS: [(&str, &str); 2] = [
    // AppArmor's, as Ubuntu has it since 23.10.
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
    ),
    // Debian's own, up to Linux 5.10 on by default.
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
];

/// Why there is no table of our own.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// There are no rules.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// QEMU runs no such programs.
    #[error("QEMU's user mode runs no programs of `{0}`")]
    NotEmulated(String),
    /// It is not installed.
    #[error("neither `qemu-{0}` nor `qemu-{0}-static` is in PATH")]
    NoQemu(String),
    /// It needs libraries that a root does not have.
    #[error("`{path}` is linked dynamically, and its libraries are not in the target's root", path = .path.display())]
    DynamicQemu {
        /// The program.
        path: PathBuf,
        /// QEMU's target.
        qemu: String,
    },
    /// The kernel has one table for all.
    #[error("Linux {0} has one binfmt_misc for all: before 6.7, nobody can have their own")]
    OldKernel(String),
    /// The kernel has none.
    #[error("the kernel has no binfmt_misc")]
    NoBinfmtMisc,
    /// Nobody may make one.
    #[error("there are no user namespaces to be had: {MAX_USER_NAMESPACES} is 0")]
    NoNamespaces,
    /// Only root may make one.
    #[error("an ordinary user may have no user namespaces here: {0} says so")]
    KeptFromUsers(&'static str),
    /// `/proc` does not say what it should.
    #[error("cannot read the ids of this process: {0}")]
    Ids(io::Error),
    /// It was tried, and does not work.
    #[error("a namespace with its own binfmt_misc does not work here: {0}")]
    DoesNotWork(String),
}

impl Explain for NamespaceError {
    passes_on!(Config);

    fn own_hint(&self) -> Option<String> {
        Some(match self {
            Self::NotEmulated(tuple) => format!("`crossmerge show {tuple}` tells QEMU's name for it"),
            Self::NoQemu(qemu) | Self::DynamicQemu { qemu, .. } => super::install_hint(qemu),
            Self::OldKernel(_) | Self::NoNamespaces => {
                "the machine's own table serves too: as root, `crossmerge binfmt register <tuple>`".into()
            }
            Self::NoBinfmtMisc => "`modprobe binfmt_misc`, or a kernel with CONFIG_BINFMT_MISC".into(),
            Self::KeptFromUsers(file) => {
                let name = file.trim_start_matches("/proc/sys/").replace('/', ".");
                let open = KEPT_FROM_USERS.iter().find(|(kept, _)| kept == file);
                let value = if open.is_some_and(|(_, says)| *says == "1") { 0 } else { 1 };
                format!("as root, `sysctl -w {name}={value}` allows it; or call this as root")
            }
            Self::Ids(_) => "mount /proc".into(),
            Self::DoesNotWork(_) => {
                "a container may forbid it; the machine's own table serves too: as root, `crossmerge binfmt register <tuple>`"
                    .into()
            }
            _ => return None,
        })
    }
}

/// A rule, the QEMU that serves it, and the flags of the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServedRule {
    rule: Rule,
    qemu: PathBuf,
    flags: &'static str,
}

/// The steps into namespaces of our own where the target's programs run; none where the kernel runs them by itself.
///
/// Whether the kernel goes along is only known when it is done: [`try_steps`] does so in another process.
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

/// Does the steps in a process of its own, and says what went wrong.
pub fn try_steps(context: &Context, steps: &[Step]) -> Result<(), NamespaceError> {
    let failed = |why: String| NamespaceError::DoesNotWork(why);
    let plan = Plan {
        program: context
            .find_program(OsStr::new("true"))
            .map_err(|e| failed(e.to_string()))?,
        enter: steps.to_vec(),
        ..Plan::default()
    };
    let output = exec::query(&[plan])
        .map_err(|e| failed(e.to_string()))?
        .remove(0);
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said.lines().find_map(|line| line.split_once(": error: "));
            Err(failed(first.map_or(said.trim(), |(_, why)| why).into()))
        }
    }
}

/// What is registered: the rule of that QEMU, and those of its family whose QEMUs are there too. A family's CPUs run each other's
/// programs, and a root for one may hold some. Never what the kernel runs by itself.
///
/// `may_serve` chooses among several QEMUs of a name.
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

/// Returns whether a QEMU works where its libraries are not.
pub(super) fn is_static(qemu: &Path) -> bool {
    elf::interpreter(qemu).is_ok_and(|interpreter| interpreter.is_none())
}

/// `F`: the kernel opens QEMU when the rule is registered, and so finds it from any root. `P`: a program sees the name that it was
/// called by, where QEMU can tell. Not `C`: a setuid program would run QEMU with its owner's rights.
fn flags(qemu: &Path) -> &'static str {
    match preserves_argv0(qemu) {
        true => "PF",
        false => "F",
    }
}

/// The steps that make the table, from within the namespaces.
pub(super) fn table(served: &[ServedRule], with_machines: bool) -> Vec<Step> {
    let ours: Vec<String> = served.iter().map(|served| served.rule.name()).collect();
    // A program finds its QEMU as `/proc/self/exe`, and may have the rights to write to it.
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
    if with_machines {
        let lines = machines_rules(Path::new(BINFMT_MISC), &ours);
        steps.extend(lines.into_iter().map(|line| Step::Register {
            line,
            optional: true,
        }));
    }
    // Of two rules that fit, the kernel takes the later one.
    steps.extend(served.iter().map(|served| Step::Register {
        line: OsString::from_vec(served.rule.registration(&served.qemu, served.flags)),
        optional: false,
    }));
    steps
}

/// The machine's rules that are on and not named like ours, as lines to register.
fn machines_rules(directory: &Path, ours: &[String]) -> Vec<OsString> {
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

/// The line that registers a rule again, from what the kernel says of it; none when it is off.
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

/// Returns whether a user namespace can have its own table here, as far as that can be seen.
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

/// Returns whether a user namespace can be had here, as far as that can be seen.
pub(super) fn namespaces_possible() -> Result<(), NamespaceError> {
    let says = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    if says(MAX_USER_NAMESPACES).trim() == "0" {
        return Err(NamespaceError::NoNamespaces);
    }
    if !nix::unistd::geteuid().is_root() {
        for (file, kept) in KEPT_FROM_USERS {
            if says(file).trim() == kept {
                return Err(NamespaceError::KeptFromUsers(file));
            }
        }
    }
    Ok(())
}

/// The ids of a namespace that can fill a table, which takes root: every one that root has, and an ordinary user as root alone.
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

/// The ids of a second namespace, within the first, in which an ordinary user is who they were; none for root, who stays root.
fn own_again() -> Option<Users> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    (!uid.is_root()).then(|| one(uid.as_raw(), 0, gid.as_raw(), 0))
}

/// One user and one group.
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

/// The ids of our own user namespace, each as itself: in a container that may be some ranges.
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
    fn a_rule_of_the_machines_is_registered_as_the_kernel_tells_it() {
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
