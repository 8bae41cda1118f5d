//! A test case: files, and a choice between the host's settings and a target's. A test writes the files to a
//! directory and asks both readers.

use super::{
    generate::{GLOBALS, GROUND},
    oracle::{Answer, Oracle, venv, version},
};
use crossmerge_plan::env::Env;
use crossmerge_portage::{
    error::SettingsError,
    settings::{SettingsRoots, read},
    version::Version,
};
use std::{
    collections::BTreeMap,
    fmt,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// The variables that crossmerge itself needs.
pub(crate) const NEEDED: &[&str] = &[
    "ARCH",
    "CBUILD",
    "CFLAGS",
    "CHOST",
    "CHOST_default",
    "CPPFLAGS",
    "CXXFLAGS",
    "DISTDIR",
    "ELIBC",
    "EMERGE_DEFAULT_OPTS",
    "FEATURES",
    "GENTOO_MIRRORS",
    "KERNEL",
    "LDFLAGS",
    "LIBDIR_default",
    "MAKEOPTS",
    "MULTILIB_ABIS",
    "PORTAGE_GRPNAME",
    "PORTAGE_REPOSITORIES",
    "PORTAGE_USERNAME",
    "ROOT",
];

/// The variables that crossmerge never answers without Portage.
pub(crate) const OF_PORTAGE: [&str; 17] = [
    "LC_CTYPE",
    "PORTAGE_ARCHLIST",
    "PORTAGE_BIN_PATH",
    "PORTAGE_BUNZIP2_COMMAND",
    "PORTAGE_BZIP2_COMMAND",
    "PORTAGE_DEPCACHEDIR",
    "PORTAGE_GID",
    "PORTAGE_INST_GID",
    "PORTAGE_INST_UID",
    "PORTAGE_LOG_FILTER_FILE_CMD",
    "PORTAGE_PYM_PATH",
    "PORTAGE_PYTHONPATH",
    "PYTHONPATH",
    "PYTHONUTF8",
    "PYTHONDONTWRITEBYTECODE",
    "SANDBOX_WRITE",
    "SYNC",
];

/// Which settings a case asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The host's. The case's directory is its prefix.
    Host,
    /// A target's. The case's directory is its configuration, and the host is an ordinary one.
    Target,
}

/// The files of a case and its question. In contents, symlinks and values, `@DIR@` is the directory to which the case
/// is written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) of: Of,
    pub(crate) env: Vec<(String, String)>,
    /// Path and content. A path that ends in a slash is a directory.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) links: Vec<(String, String)>,
}

/// The result that a file of `tests/data/portage` expects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expected {
    /// The outcome.
    pub(crate) outcome: String,
    /// The outcome before the change.
    outcome_before: Option<String>,
    /// The change between versions of Portage that the case is about, by its name in the table of versions.
    pub(crate) change: Option<String>,
    /// What crossmerge reads before the change, and after it.
    pub(crate) values: [Option<Claim>; 2],
}

/// A claim about what crossmerge reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    /// crossmerge refuses to answer.
    Refused,
    /// A variable has this value, in which `@DIR@` is the case's directory.
    Is(String, String),
    /// A variable contains this text, or with `false` does not contain it.
    Has(String, String, bool),
}

impl Expected {
    /// The expected outcome with a version of Portage.
    pub(crate) fn outcome_with(&self, portage: Version) -> &str {
        let is_before = self
            .change
            .as_ref()
            .is_some_and(|name| portage < since(name));
        match &self.outcome_before {
            Some(outcome) if is_before => outcome,
            _ => &self.outcome,
        }
    }
}

/// The first version with a change.
pub(crate) fn since(change: &str) -> Version {
    let at = Version::changes().find(|(name, _)| name == change);
    at.unwrap_or_else(|| panic!("no change is called {change}"))
        .1
}

impl Claim {
    fn parse(text: &str) -> Self {
        let own = str::to_owned;
        if text == "refused" {
            return Self::Refused;
        }
        for (word, has) in [(" has ", true), (" lacks ", false)] {
            if let Some((name, part)) = text.split_once(word) {
                return Self::Has(own(name), own(part), has);
            }
        }
        let (name, value) = text.split_once('=').expect(text);
        Self::Is(own(name), own(value))
    }

    /// The variable of the claim.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Refused => None,
            Self::Is(name, _) | Self::Has(name, ..) => Some(name),
        }
    }

    /// Returns whether crossmerge's answer fits the claim.
    pub(crate) fn holds(&self, answer: &Result<String, SettingsError>, directory: &Path) -> bool {
        let dir = directory.to_str().expect("UTF-8");
        match (self, answer) {
            (Self::Refused, answer) => answer.is_err(),
            (Self::Is(_, value), Ok(answer)) => *answer == value.replace("@DIR@", dir),
            (Self::Has(_, text, has), Ok(answer)) => answer.contains(text) == *has,
            (_, Err(_)) => false,
        }
    }
}

/// A question to both readers.
#[derive(Debug)]
pub(crate) struct Question {
    /// The environment of `portageq`.
    pub(crate) env: BTreeMap<String, String>,
    /// The variables to read in addition to those that are set.
    pub(crate) names: Vec<&'static str>,
}

/// The outcome of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Both readers agree.
    Same,
    /// crossmerge refused, and Portage answered.
    Refused(SettingsError),
    /// crossmerge refused, and Portage failed.
    Failed(SettingsError),
    /// The readers disagree: a defect.
    Differs(String),
}

impl Question {
    /// The arguments of `portageq envvar`.
    pub(crate) fn args(&self) -> Vec<&str> {
        ["-v", "*"]
            .into_iter()
            .chain(self.names.iter().copied())
            .collect()
    }
}

impl Case {
    /// A case that asks for the host's settings.
    pub(crate) fn host(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Self {
            of: Of::Host,
            env: Vec::new(),
            files: files.iter().map(own).collect(),
            links: Vec::new(),
        }
    }

    /// Reads a file of `tests/data/portage`: the case and the result that it expects.
    pub(crate) fn parse(text: &str) -> (Self, Expected) {
        let mut case = Self::host(&[]);
        let mut expected = Expected::default();
        let mut escaped = false;
        let mut in_files = false;
        for line in text.split_inclusive('\n') {
            if let Some(header) = line.trim_end().strip_prefix("--- ") {
                in_files = true;
                escaped = header.ends_with(" (escaped)");
                let path = header.trim_end_matches(" (escaped)");
                match path.split_once(" -> ") {
                    Some((path, target)) => {
                        case.links.retain(|(known, _)| known != path);
                        case.links.push((path.into(), target.into()));
                    }
                    None => {
                        // A file of the ground may be replaced by another file or a directory.
                        case.files.retain(|(known, _)| {
                            !format!("{path}/").starts_with(&format!("{known}/"))
                        });
                        case.files.push((path.into(), Vec::new()));
                    }
                }
            } else if in_files {
                let (_, content) = case.files.last_mut().expect("a file");
                match escaped {
                    true => content.extend(unescape(line.trim_end_matches('\n'))),
                    false => content.extend(line.bytes()),
                }
            } else {
                let (key, value) = line.trim_end_matches('\n').split_once(": ").expect(line);
                match (key, value) {
                    ("of", "target") => case.of = Of::Target,
                    ("ground", "yes") => {
                        let ground = Self::host(GROUND);
                        case.files = ground.files;
                        case.links.push((
                            "etc/portage/make.profile".into(),
                            "@DIR@/repo/profiles/top".into(),
                        ));
                    }
                    ("env", variable) => {
                        let (name, value) = variable.split_once('=').expect(line);
                        case.env.push((name.into(), value.into()));
                    }
                    ("expect", outcome) => expected.outcome = outcome.into(),
                    ("expect-before", outcome) => expected.outcome_before = Some(outcome.into()),
                    ("change", name) => expected.change = Some(name.into()),
                    ("before", claim) => expected.values[0] = Some(Claim::parse(claim)),
                    ("after", claim) => expected.values[1] = Some(Claim::parse(claim)),
                    _ => panic!("{line}"),
                }
            }
        }
        (case, expected)
    }

    /// Writes the case's files below a directory.
    pub(crate) fn write(&self, directory: &Path) {
        let at = |path: &str| directory.join(path.trim_start_matches('/'));
        let dir = directory.to_str().expect("UTF-8");
        make_directory(&at("etc/portage"));
        for (path, content) in &self.files {
            let full = at(path);
            if path.ends_with('/') {
                make_directory(&full);
                continue;
            }
            make_directory(full.parent().expect("a directory"));
            std::fs::write(&full, replace(content, dir)).unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        for (path, target) in &self.links {
            let full = at(path);
            make_directory(full.parent().expect("a directory"));
            symlink(target.replace("@DIR@", dir), full).expect("a link");
        }
        if self.of == Of::Host {
            give_portage(directory);
        }
    }

    /// The question and the roots, for a case written to a directory.
    pub(crate) fn question(&self, directory: &Path, host: &Path) -> (Question, SettingsRoots) {
        let dir = directory.to_str().expect("UTF-8");
        let mut env: BTreeMap<String, String> = self
            .env
            .iter()
            .map(|(name, value)| (name.clone(), value.replace("@DIR@", dir)))
            .collect();
        env.insert("PATH".into(), "/usr/bin:/bin".into());
        env.insert("PYTHONUTF8".into(), "1".into());
        let mut roots = match self.of {
            Of::Host => SettingsRoots::host(directory),
            Of::Target => SettingsRoots::target(host, directory, ""),
        };
        env.insert(
            "PORTAGE_OVERRIDE_EPREFIX".into(),
            roots.broot.to_str().expect("UTF-8").into(),
        );
        if self.of == Of::Target {
            env.insert("PORTAGE_CONFIGROOT".into(), dir.into());
            env.insert("EPREFIX".into(), String::new());
        }
        roots.portage = version();
        roots.root = env.get("ROOT").map(Into::into);
        roots.sysroot = env.get("SYSROOT").map(Into::into);
        let names = NEEDED.to_vec();
        (Question { env, names }, roots)
    }

    /// Writes the case to a new directory and asks both readers.
    pub(crate) fn run(&self, oracle: &mut Oracle, host: &Path) -> Outcome {
        let directory = directory();
        self.write(directory.path());
        let (question, roots) = self.question(directory.path(), host);
        compare(oracle.ask(&question), &question, &roots)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} {:?}", self.of, self.env)?;
        for (path, content) in &self.files {
            writeln!(f, "--- {path}\n{}", content.escape_ascii())?;
        }
        for (path, target) in &self.links {
            writeln!(f, "--- {path} -> {target}")?;
        }
        Ok(())
    }
}

/// Asks crossmerge for all variables that Portage printed, and compares.
pub(crate) fn compare(answer: Answer, question: &Question, roots: &SettingsRoots) -> Outcome {
    let env: Env = question.env.iter().collect();
    let all: Vec<&str> = match &answer {
        Ok(answer) => answer.keys().map(String::as_str).collect(),
        Err(_) => question.names.clone(),
    };
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let all: Vec<&str> = all
        .into_iter()
        .filter(|name| !name.is_empty() && is_plain(name) && !OF_PORTAGE.contains(name))
        .collect();
    let ours = read(roots, &env, &all).or_else(|_| {
        // crossmerge may refuse for one name only.
        let mut ours = read(roots, &env, &question.names)?;
        for name in &all {
            ours.extend(read(roots, &env, &[*name]).unwrap_or_default());
        }
        Ok(ours)
    });
    match (answer, ours) {
        (Err(_), Err(error)) => Outcome::Failed(error),
        (Ok(_), Err(error)) => Outcome::Refused(error),
        (Err(failure), Ok(_)) => Outcome::Differs(format!("Portage fails: {failure}")),
        (Ok(theirs), Ok(ours)) => {
            // Before 3.0.53, Portage adds flags to a variable of USE_EXPAND in no certain order.
            let is_in_order = version() >= "3.0.53".parse().expect("a version");
            let expanded: Vec<&str> = theirs
                .get("USE_EXPAND")
                .map_or(Vec::new(), |names| names.split_whitespace().collect());
            let is_list = |name: &str| !is_in_order && expanded.contains(&name);
            let differences: Vec<String> = ours
                .iter()
                .filter(|(name, value)| {
                    let both = [value.as_str(), &theirs[name.as_str()]];
                    let [ours, theirs] = both.map(|value| match is_list(name) {
                        true => sorted(value),
                        false => comparable(name, value),
                    });
                    ours != theirs
                })
                .map(|(name, value)| {
                    format!(
                        "{name}\n  portageq {:?}\n  ours     {value:?}",
                        theirs[name.as_str()]
                    )
                })
                .collect();
            match differences.is_empty() {
                true => Outcome::Same,
                false => Outcome::Differs(differences.join("\n")),
            }
        }
    }
}

fn sorted(words: &str) -> String {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words.join(" ")
}

/// Portage prints some keys of a repository in no certain order.
fn comparable(name: &str, value: &str) -> String {
    if name != "PORTAGE_REPOSITORIES" {
        return value.to_owned();
    }
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for section in value.split("\n\n") {
        let mut lines: Vec<&str> = section.lines().collect();
        lines.sort_unstable();
        sections.push(lines);
    }
    format!("{sections:?}")
}

/// Links pip's installation of Portage into a prefix.
pub(crate) fn give_portage(prefix: &Path) {
    if !prefix.join("share/portage").exists() {
        make_directory(&prefix.join("share"));
        symlink(venv().join("share/portage"), prefix.join("share/portage")).expect("a link");
    }
}

/// Links the `make.globals` of pip's installation into a prefix, and writes another repos.conf.
pub(crate) fn give_gentoo(prefix: &Path, repos_conf: &str) {
    let own = prefix.join("share/portage/config");
    make_directory(&own);
    let globals = own.join("make.globals");
    if !globals.exists() {
        symlink(venv().join("share/portage/config/make.globals"), globals).expect("a link");
    }
    std::fs::write(own.join("repos.conf"), repos_conf).expect("a file");
}

/// A temporary directory, in memory if possible, because the generated cases are many thousand files.
pub(crate) fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    }
    .expect("a temporary directory")
}

/// An ordinary host: the prefix for the questions about targets.
pub(crate) fn ordinary_host() -> (tempfile::TempDir, PathBuf) {
    let directory = directory();
    let case = Case::host(&[
        ("etc/portage/make.conf", "FEATURES=\"-sandbox\"\n"),
        ("share/portage/config/make.globals", GLOBALS),
    ]);
    case.write(directory.path());
    let path = directory.path().to_owned();
    (directory, path)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            _ => match rest.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'\\') => b'\\',
                Some(b'x') => {
                    let mut digit = || {
                        char::from(rest.next().expect(text))
                            .to_digit(16)
                            .expect(text)
                    };
                    (digit() * 16 + digit()) as u8
                }
                other => panic!("{other:?} in {text}"),
            },
        });
    }
    bytes
}

fn make_directory(path: &Path) {
    std::fs::create_dir_all(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

fn replace(content: &[u8], dir: &str) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = content;
    while let Some(place) = rest.windows(5).position(|window| window == b"@DIR@") {
        replaced.extend_from_slice(&rest[..place]);
        replaced.extend_from_slice(dir.as_bytes());
        rest = &rest[place + 5..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
