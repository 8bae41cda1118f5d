//! What the tests share: a prefix to run in, with links, and what a run said.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start programs, and there is no plan to go through"
)]

pub(crate) mod hints;

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt::Display,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

/// The binary under test.
pub(crate) const CROSSMERGE: &str = env!("CARGO_BIN_EXE_crossmerge");

/// Another user: one whom the machine does not know.
pub(crate) const OTHER_USER: u32 = 4242;

#[track_caller]
pub(crate) fn needs_root() {
    let is_root = nix::unistd::geteuid().is_root();
    assert!(is_root, "these tests need root: run `make check` as root");
}

/// A prefix of its own for one test: `bin/crossmerge`, and an environment that starts empty.
pub(crate) struct Prefix {
    directory: Arc<tempfile::TempDir>,
    env: Vec<(OsString, OsString)>,
    /// What makes a command the user's who runs our names, if that is not root.
    user: Vec<OsString>,
}

/// What a run said.
#[derive(Debug)]
#[expect(dead_code, reason = "every field is read by a user when a test fails")]
pub(crate) struct Said {
    pub(crate) command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Prefix {
    pub(crate) fn new() -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let bin = directory.path().join("bin");
        std::fs::create_dir(&bin).expect("bin");
        symlink(CROSSMERGE, bin.join("crossmerge")).expect("a link");
        let mut prefix = Self {
            directory: Arc::clone(&directory),
            env: Vec::new(),
            user: Vec::new(),
        };
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            bin.display(),
            directory.path().join("tools").display()
        );
        prefix.set("PATH", path);
        prefix.set("PORTAGE_OVERRIDE_EPREFIX", prefix.path());
        // `make coverage` counts what the program does in here.
        if let Some(counts) = std::env::var_os("LLVM_PROFILE_FILE") {
            prefix.set("LLVM_PROFILE_FILE", counts);
        }
        prefix
    }

    /// A prefix in which the real Portage is at home: the demonstration's, with an `etc/portage` of its own.
    ///
    /// `demo/setup` has to have run, as `make check` does it.
    pub(crate) fn with_portage() -> Self {
        let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo/venv");
        assert!(
            venv.join("bin/emerge").exists(),
            "no Portage in `{}`: run demo/setup",
            venv.display()
        );
        let mut prefix = Self::new();
        let bin = prefix.join("bin");
        prefix.set(
            "PATH",
            format!(
                "{}:{}/tools:{}/bin:/usr/bin:/bin",
                bin.display(),
                prefix.path().display(),
                venv.display()
            ),
        );
        std::fs::create_dir(prefix.join("share")).expect("share");
        symlink(venv.join("share/portage"), prefix.join("share/portage")).expect("a link");
        for name in ["make.conf", "repos.conf"] {
            let text = std::fs::read_to_string(venv.join("etc/portage").join(name)).expect(name);
            prefix.write(&format!("etc/portage/{name}"), &text);
        }
        let profile =
            std::fs::read_link(venv.join("etc/portage/make.profile")).expect("make.profile");
        symlink(profile, prefix.join("etc/portage/make.profile")).expect("a link");
        prefix
    }

    /// Puts a portageq of the demonstration's Python before the real one, whose version is that of the real one.
    pub(crate) fn portageq(&self, python: &str) {
        let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo/venv");
        let script = format!("#!{}/bin/python3\nimport os, sys\n{python}", venv.display());
        self.script("tools/portageq", &script);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().into()
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The same prefix with one more variable, for one run.
    pub(crate) fn with(&self, name: &str, value: impl Into<OsString>) -> Self {
        let mut prefix = Self {
            directory: self.directory.clone(),
            env: self.env.clone(),
            user: self.user.clone(),
        };
        prefix.set(name, value);
        prefix
    }

    /// The same prefix with one variable less, for one run.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut prefix = Self {
            directory: self.directory.clone(),
            env: self.env.clone(),
            user: self.user.clone(),
        };
        prefix.unset(name);
        prefix
    }

    /// Runs our names as an ordinary user from now on, who owns what the prefix has so far.
    pub(crate) fn become_user(&mut self, uid: u32) {
        // He may not enter the directory that cargo builds in.
        let program = self.join("bin/crossmerge");
        std::fs::remove_file(&program).expect("the symlink");
        std::fs::copy(CROSSMERGE, &program).expect("a copy");
        let owner = format!("{uid}:{uid}");
        self.command("chown", ["-hR", &owner, "."]).success();
        let ids = [format!("--reuid={uid}"), format!("--regid={uid}")];
        let words = ["setpriv", &ids[0], &ids[1], "--clear-groups", "--"];
        self.user = words.map(OsString::from).into();
    }

    /// The environment of every run.
    pub(crate) fn env(&self) -> Vec<(OsString, OsString)> {
        self.env.clone()
    }

    /// One of our names in `bin` as a command of the user who runs it.
    pub(crate) fn words(&self, name: &str) -> Vec<OsString> {
        let program = self.join("bin").join(name).into_os_string();
        self.user.iter().cloned().chain([program]).collect()
    }

    /// Sets a variable for every run.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
    }

    /// Puts directories of the prefix before the others in PATH, for every run.
    pub(crate) fn put_first_in_path(&mut self, directories: &[&str]) {
        let path = self.env.iter().find(|(name, _)| name == "PATH");
        let mut path = path.expect("a PATH").1.clone();
        for directory in directories.iter().rev() {
            let mut first = self.join(directory).into_os_string();
            first.push(":");
            first.push(path);
            path = first;
        }
        self.set("PATH", path);
    }

    /// Takes a variable away for every run.
    pub(crate) fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    /// Writes a file below the prefix.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub(crate) fn read_link(&self, path: &str) -> PathBuf {
        std::fs::read_link(self.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Adds an ebuild repository to the machine's, and gives its place.
    pub(crate) fn overlay(&self, name: &str) -> PathBuf {
        let directory = format!("overlays/{name}");
        self.write(
            &format!("{directory}/profiles/repo_name"),
            &format!("{name}\n"),
        );
        self.write(&format!("{directory}/metadata/layout.conf"), "masters =\n");
        let location = self.join(directory);
        self.append(
            "etc/portage/repos.conf",
            &format!("\n[{name}]\nlocation = {}\n", location.display()),
        );
        location
    }

    /// Starts `crossmerge` and does not wait.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Child {
        let mut command = Command::new(self.join("bin/crossmerge"));
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.path());
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a start")
    }

    /// Writes an executable script below the prefix.
    pub(crate) fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.write(path, text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
        path
    }

    /// Links the binary under a name, in `bin`.
    pub(crate) fn link(&self, name: &str) {
        symlink("crossmerge", self.join("bin").join(name)).expect(name);
    }

    /// Runs `crossmerge`.
    pub(crate) fn own<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Said {
        self.run("crossmerge", args)
    }

    /// Runs one of our names in `bin`.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Said {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        let words: Vec<OsString> = self.words(name).into_iter().chain(args).collect();
        self.command(&words[0], &words[1..])
    }

    /// Runs one of our names and gives its output as bytes.
    pub(crate) fn run_bytes(&self, name: &str, args: &[OsString]) -> Vec<u8> {
        let mut command = Command::new(self.join("bin").join(name));
        let output = command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .output()
            .expect(name);
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// Runs one of our names in `bin` and has something done at its Nth call of a system call, or from the Nth on with `N+`:
    /// `signal=KILL`, `error=ENOSPC`, `delay_enter=MICROSECONDS`.
    pub(crate) fn injected<A: AsRef<OsStr>>(
        &self,
        call: &str,
        fault: &str,
        when: impl Display,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Said {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:{fault}:when={when}");
        let options = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
        self.traced(&options, name, args)
    }

    /// Runs one of our names in `bin` below strace, which is the same user's.
    pub(crate) fn traced<A: AsRef<OsStr>>(
        &self,
        options: &[&str],
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Said {
        let mut words = self.words(name);
        let program = words.pop().expect("the program");
        words.push("strace".into());
        words.extend(options.iter().map(OsString::from));
        words.push(program);
        words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self.command(&words[0], &words[1..])
    }

    /// Runs any command with this prefix's environment.
    pub(crate) fn command<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Said {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.path());
        Said::of(&mut command)
    }
}

/// A text with `[KEY]` in place of each key for ccache, which changes with the compilers of the machine.
pub(crate) fn without_key(text: &str) -> String {
    const BEFORE: &str = "CCACHE_COMPILERCHECK=";
    let line = |line: &str| match line.split_once(BEFORE) {
        Some((start, _)) => {
            let end = if line.trim_end().ends_with('\\') {
                " \\"
            } else {
                ""
            };
            format!("{start}{BEFORE}[KEY]{end}")
        }
        None => line.to_owned(),
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// The names in a directory; none where there is no directory.
pub(crate) fn names_in(directory: impl AsRef<Path>) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect()
}

/// What `tests/setup` prepared.
pub(crate) fn prepared(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/demo")
        .join(path);
    assert!(path.exists(), "no `{}`: run tests/setup", path.display());
    path
}

impl Said {
    /// Runs a command. Every hint in what it says is checked.
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command
            .output()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let path = command.get_envs().find(|(name, _)| *name == "PATH");
        let path = path.and_then(|(_, value)| value).map(OsStr::to_owned);
        let said = Self {
            command: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        hints::check(&said.stderr, path.as_deref());
        hints::check(&said.stdout, path.as_deref());
        said
    }

    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Checks the code and the error, which nobody can do anything about.
    #[track_caller]
    pub(crate) fn fails_without_hint(self, code: i32, error: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.contains(error), "no {error:?} in {self:#?}");
        self
    }

    /// Checks the code, that stdout is empty, and that stderr has the error and the hint.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, error: &str, hint: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        let first = self
            .stderr
            .lines()
            .find(|line| line.contains(": error: "))
            .unwrap_or_default();
        assert!(first.contains(error), "no {error:?} in {self:#?}");
        let hints: Vec<&str> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("hint: "))
            .collect();
        assert!(
            matches!(hints[..], [line] if line.contains(hint)),
            "no one hint {hint:?} in {self:#?}"
        );
        self
    }
}
