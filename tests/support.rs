//! Helpers of all tests: a prefix to run commands in, with symlinks, and the output of a run.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests start programs, and there is no plan to go through"
)]

pub(crate) mod hints;
pub(crate) mod server;

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

/// Another user, whose ID the host does not know.
pub(crate) const OTHER_USER: u32 = 4242;

/// The environment variable with the number of cases of each test that has too many for every run, or `all`.
const CASES: &str = "CROSSMERGE_RACES";

/// Chooses cases evenly, the first among them. `make races` chooses all.
pub(crate) fn some_of<T>(cases: &[T], some: usize) -> Vec<&T> {
    #[expect(clippy::disallowed_methods, reason = "`make races` sets it")]
    let number = std::env::var(CASES);
    let most = match number.as_deref() {
        Ok("all") => usize::MAX,
        Ok(number) => number.parse().expect("a number, or `all`"),
        Err(_) => some,
    };
    let chosen = most.min(cases.len());
    let case = |number| &cases[number * cases.len() / chosen];
    (0..chosen).map(case).collect()
}

#[track_caller]
pub(crate) fn needs_root() {
    let is_root = nix::unistd::geteuid().is_root();
    assert!(is_root, "these tests need root: run `make check` as root");
}

/// A new directory for one test, with `bin/crossmerge` and an environment that starts empty.
pub(crate) struct Prefix {
    directory: Arc<tempfile::TempDir>,
    env: Vec<(OsString, OsString)>,
    /// The command that runs another one as the user of crossmerge. Empty for root.
    user: Vec<OsString>,
}

/// The output and the exit code of a run.
#[derive(Debug)]
#[expect(dead_code, reason = "every field is read by a user when a test fails")]
pub(crate) struct Output {
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
        // `make coverage` counts what the program executes in the tests.
        if let Some(counts) = std::env::var_os("LLVM_PROFILE_FILE") {
            prefix.set("LLVM_PROFILE_FILE", counts);
        }
        prefix
    }

    /// A prefix with the real Portage: the demonstration's, with its own `etc/portage`.
    ///
    /// `demo/setup` must have run, as in `make check`.
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

    /// Puts a portageq of the demonstration's Python before the real one. Its version is that of the real one.
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

    /// The same prefix without one variable, for one run.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut prefix = Self {
            directory: self.directory.clone(),
            env: self.env.clone(),
            user: self.user.clone(),
        };
        prefix.unset(name);
        prefix
    }

    /// Runs all later commands as an ordinary user, who becomes the owner of the prefix's files.
    pub(crate) fn become_user(&mut self, uid: u32) {
        // This user may not enter the directory in which cargo builds.
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

    /// The command line of a name in `bin`, as run by the user.
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

    /// Removes a variable for every run.
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

    /// Adds an ebuild repository to the host's, and returns its path.
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

    /// Starts `crossmerge` and does not wait for its end.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Child {
        let program = self.join("bin/crossmerge").into_os_string();
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.start_program([program].into_iter().chain(args))
    }

    /// Starts any command and does not wait for its end.
    pub(crate) fn start_program<A: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = A>,
    ) -> Child {
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().expect("a program"));
        command
            .args(words)
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

    /// Creates a symlink to the program in `bin`.
    pub(crate) fn link(&self, name: &str) {
        symlink("crossmerge", self.join("bin").join(name)).expect(name);
    }

    /// Runs `crossmerge`.
    pub(crate) fn own<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.run("crossmerge", args)
    }

    /// Runs a name in `bin`.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Output {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        let words: Vec<OsString> = self.words(name).into_iter().chain(args).collect();
        self.command(&words[0], &words[1..])
    }

    /// Runs a program of the prefix.
    pub(crate) fn run_in<A: AsRef<OsStr>>(
        &self,
        path: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Output {
        self.command(self.join(path), args)
    }

    /// Runs a name in `bin` and returns its stdout as bytes.
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

    /// Runs a name in `bin` under strace, which acts at the Nth call of a system call, or with `N+` from the Nth on:
    /// `signal=KILL`, `error=ENOSPC`, `delay_enter=MICROSECONDS`.
    pub(crate) fn injected<A: AsRef<OsStr>>(
        &self,
        call: &str,
        fault: &str,
        when: impl Display,
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Output {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:{fault}:when={when}");
        let options = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
        self.traced(&options, name, args)
    }

    /// Runs a name in `bin` under strace, as the same user.
    pub(crate) fn traced<A: AsRef<OsStr>>(
        &self,
        options: &[&str],
        name: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Output {
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
    ) -> Output {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.path());
        Output::of(&mut command)
    }
}

/// Replaces each key for ccache by `[KEY]`, because it depends on the host's compilers.
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

/// The names in a directory. Empty if the directory does not exist.
pub(crate) fn names_in(directory: impl AsRef<Path>) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect()
}

/// The path of a file that `tests/setup` prepared.
pub(crate) fn prepared(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/demo")
        .join(path);
    assert!(path.exists(), "no `{}`: run tests/setup", path.display());
    path
}

impl Output {
    /// Runs a command, and checks every hint in its output.
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command
            .output()
            .unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let path = command.get_envs().find(|(name, _)| *name == "PATH");
        let path = path.and_then(|(_, value)| value).map(OsStr::to_owned);
        let run = Self {
            command: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        hints::check(&run.stderr, path.as_deref());
        hints::check(&run.stdout, path.as_deref());
        run
    }

    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Checks the exit code and the error, for errors that no command can fix.
    #[track_caller]
    pub(crate) fn fails_without_hint(self, code: i32, error: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.contains(error), "no {error:?} in {self:#?}");
        self
    }

    /// Checks the exit code, that stdout is empty, and that stderr has the error and one hint.
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
