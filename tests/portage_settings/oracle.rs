//! Asks the real `portageq` through `oracle.py`, from two processes at a time.

use super::case::Question;
use crossmerge_portage::version::Version;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

/// The answer of `portageq`: every variable with its value, or an error.
pub(crate) type Answer = Result<BTreeMap<String, String>, String>;

/// A running `oracle.py`.
pub(crate) struct Oracle {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// The version of Portage that PORTAGE names, if it is set.
fn chosen() -> Option<String> {
    std::env::var("PORTAGE")
        .ok()
        .filter(|version| !version.is_empty())
}

/// The version of the Portage that answers.
pub(crate) fn version() -> Version {
    chosen().map_or(Version::NEWEST, |version| {
        version.parse().expect("PORTAGE is a version")
    })
}

/// The virtual environment with the real Portage: the demonstration's, or one that `demo/portages` prepared.
pub(crate) fn venv() -> PathBuf {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/demo");
    match chosen() {
        Some(version) => demo.join("portages").join(version),
        None => demo.join("venv"),
    }
}

impl Oracle {
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/portage_settings/oracle.py");
        let mut child = Command::new(venv().join("bin/python3"))
            .arg(script)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("PYTHONUTF8", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("demo/setup has run");
        Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
        }
    }

    pub(crate) fn ask(&mut self, question: &Question) -> Answer {
        let asked = serde_json::json!({ "env": question.env, "args": question.args() });
        let stdin = self.stdin.as_mut().expect("a pipe");
        writeln!(stdin, "{asked}").expect("the oracle reads");
        let mut line = String::new();
        self.stdout
            .read_line(&mut line)
            .expect("the oracle answers");
        let output: serde_json::Value = serde_json::from_str(&line).expect(&line);
        // Each character stands for one byte.
        let text = |key: &str| {
            let text = output[key].as_str().expect("a string");
            let bytes: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        understand(&text("stdout"), &text("stderr"), question)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.stdin.take();
        let _ = self.child.wait();
    }
}

/// Parses the output of `portageq envvar -v`.
pub(crate) fn understand(stdout: &str, stderr: &str, question: &Question) -> Answer {
    let words = shell_words::split(stdout).map_err(|e| format!("{e}: {stdout}"))?;
    let answer: BTreeMap<String, String> = words
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    match question
        .names
        .iter()
        .find(|name| !answer.contains_key(**name))
    {
        None => Ok(answer),
        Some(_) => Err(stderr.lines().last().unwrap_or_default().to_owned()),
    }
}

/// Calls a function for every item, in two threads with one oracle each. Returns the results in the order of the
/// items.
pub(crate) fn for_each<I: Send, R: Send>(
    items: Vec<I>,
    work: impl Fn(&mut Oracle, I) -> R + Sync,
) -> Vec<R> {
    let queue = Mutex::new(items.into_iter().enumerate());
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut oracle = Oracle::start();
                loop {
                    let next = queue.lock().expect("no panic").next();
                    let Some((place, item)) = next else { break };
                    let result = work(&mut oracle, item);
                    results.lock().expect("no panic").insert(place, result);
                }
            });
        }
    });
    results
        .into_inner()
        .expect("no panic")
        .into_values()
        .collect()
}
