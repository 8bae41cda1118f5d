//! Compares plans with recorded runs of crossdev: `tests/data/crossdev.jsonl`.
//!
//! Each recorded case has the arguments, the calls of emerge, and every file that appeared. A difference is an error
//! unless [`EXCEPTIONS`] lists it with its reason, which docs/crossdev.md explains.

use super::{
    class::other_cpu,
    files::{MANAGED, Overlay, Wanted},
    host::{Repository, ToolchainHost, check_root},
    options::{self, CrossdevCommand, Runs},
    part::ToolchainPart,
    plan::{Sources, ToolchainPlan},
    request::ToolchainRequest,
    step::InstalledParts,
    user,
};
use crate::{
    name::{Names, Reading},
    target::{Source, Target},
    toolchain::ToolchainError,
};
use crossmerge_plan::{glob, tuple::Tuple};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// Deliberate differences: globs over the names of cases, globs over the differences, and the reason in
/// docs/crossdev.md.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    (
        "*riscv*-musl",
        &["file *lib*/default is missing*"],
        "riscv with musl",
    ),
    (
        "*/ppu",
        &["refused: *names no libc*"],
        "A tuple without a libc",
    ),
    (
        "*/arm-none-linux",
        &["*arm-unknown-linux-none*"],
        "A tuple without a libc",
    ),
    ("*nosuch", &["refused: *"], "A name that means nothing"),
    ("*/cell", &["refused: *"], "A name that means nothing"),
    ("*/mingw32", &["*"], "mingw32"),
    ("cfg/i686-pc-mingw32", &["*"], "mingw32"),
    ("*/cross_llvm-*", &["*"], "cross_llvm"),
    ("*/or1k", &["*or1k*"], "or1k"),
    (
        "again.1/x86_64-gnu",
        &["file usr/x86_64-gnu/usr/*/* is missing: \"l:usr/*"],
        "The Hurd's symlinks",
    ),
    (
        "again.2/x86_64-gnu",
        &["file usr/x86_64-gnu/usr/*/* stays"],
        "The Hurd's symlinks",
    ),
    (
        "llvm.1/riscv*",
        &["file *lib*/default stays"],
        "riscv with musl",
    ),
    ("*fail*", &["file etc/portage/package.use/*"], "package.use"),
    (
        "*llvm*",
        &["libcxxabi is kept*"],
        "Names that begin with another name",
    ),
    ("llvm.1/*-gnu", &["not refused"], "-C"),
    ("cat-pkg/*", &["*glibc*"], "The order of the options"),
    ("v/*", &["not refused"], "-v"),
    (
        "user-settings/*",
        &["environment of *"],
        "etc/portage/crossdev",
    ),
    (
        "plain-file*",
        &["not refused"],
        "A file in place of a directory",
    ),
    ("stage5/*", &["refused: *"], "The stage"),
    ("no-overlay/*", &["not refused"], "The repository"),
];

/// The state of the file system after a case: the files, and the packages with the USE flags that were set.
#[derive(Debug, Clone, Default)]
struct State {
    files: BTreeMap<String, String>,
    installed: BTreeMap<String, BTreeSet<String>>,
}

impl InstalledParts for State {
    fn has_headers_only(&self, package: &str) -> bool {
        let flags = self.installed.get(package);
        flags.is_some_and(|flags| flags.contains("headers-only"))
    }
}

/// The repositories of the recorded machine.
struct Recorded<'a> {
    state: &'a State,
    case: &'a str,
}

impl Sources for Recorded<'_> {
    fn overlay(&self, request: &ToolchainRequest) -> Result<Overlay, ToolchainError> {
        let (path, is_new) = match &request.output {
            Some(path) => (path.clone(), true),
            None => ("@EPREFIX@/var/db/repos/crossdev".into(), false),
        };
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let has = |file: &str| {
            self.state
                .files
                .contains_key(&*path.join(file).to_string_lossy())
        };
        let name = name.to_owned();
        Ok(Overlay {
            managed: is_new || self.case.starts_with("layout-autogen"),
            register: is_new.then(|| format!("{name}.conf")),
            masters: vec!["gentoo".into()],
            thin_manifests: true,
            has_name: !is_new || has("profiles/repo_name"),
            has_eapi: has("profiles/eapi"),
            repository: Repository { name, path },
        })
    }

    fn has_ebuild(&self, _: &ToolchainPart, _: &str) -> bool {
        true
    }

    fn source(&self, part: &ToolchainPart, _: &str) -> PathBuf {
        PathBuf::from("@REPO@").join(part.package.to_string())
    }
}

fn host(case: &Value) -> ToolchainHost {
    let given = |name: &str| {
        case["given_env"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    ToolchainHost {
        eprefix: "@EPREFIX@".into(),
        settings: "@EPREFIX@/etc/portage".into(),
        main: Repository {
            name: "gentoo".into(),
            path: "@REPO@".into(),
        },
        repositories: vec![Repository {
            name: "crossdev".into(),
            path: "@EPREFIX@/var/db/repos/crossdev".into(),
        }],
        arch: "amd64".into(),
        chost: "x86_64-pc-linux-gnu".parse().expect("a tuple"),
        abi: "amd64".into(),
        chosts: vec!["x86_64-pc-linux-gnu".into(), "i686-pc-linux-gnu".into()],
        logs: "@EPREFIX@/var/log/portage".into(),
        flags: given("USE").split_whitespace().map(str::to_owned).collect(),
        features: given("FEATURES"),
        llvm_targets: case["given_env"]["ORACLE_NO_LLVM"].is_null().then(|| {
            let all = "AArch64 ARM LoongArch Mips PowerPC RISCV Sparc X86";
            all.split(' ').map(str::to_owned).collect()
        }),
        clang: None,
        variables: BTreeMap::new(),
    }
}

/// Replaces the paths of clang's settings, and the sysroot in them. crossdev omits EPREFIX there: "clang in a prefix" in
/// docs/crossdev.md.
fn without_prefix_of_clang(text: &str) -> String {
    text.replace("@EPREFIX@/etc/clang/", "/etc/clang/")
        .replace("--sysroot=@EPREFIX@", "--sysroot=")
}

/// Returns a path as the recording has it: relative to the prefix, if it is below it.
fn recorded(path: &Path) -> String {
    let path = without_prefix_of_clang(&path.to_string_lossy());
    match path.strip_prefix("@EPREFIX@/") {
        Some(path) => path.into(),
        None => match path.starts_with('/') {
            true => format!("/{path}"),
            false => path,
        },
    }
}

/// Removes comments, but for the mark of managed files.
fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') || *line == MANAGED);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns whether the file is one of `emerge-wrapper --init`, which has its own tests.
fn is_emerge_wrappers(path: &str) -> bool {
    path.starts_with("usr/bin/") || (path.starts_with("usr/") && path.contains("/etc"))
}

/// Renders the wanted files as the recording has them.
fn files_of(plan: &ToolchainPlan, before: &State) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for (path, wanted) in &plan.files {
        let path = recorded(path);
        let text = match wanted {
            Wanted::Directory => "d".into(),
            Wanted::Link(target) => format!("l:{}", target.display()),
            Wanted::Text(text) => {
                format!("f:{}", without_prefix_of_clang(&without_comments(text)))
            }
            Wanted::Lines(lines) => format!("f:{}\n", lines.join("\n")),
            Wanted::Line(line) => {
                let old = before
                    .files
                    .get(&path)
                    .and_then(|file| file.strip_prefix("f:"));
                let old = old.unwrap_or_default();
                match old.lines().any(|there| there == line) {
                    true => format!("f:{old}"),
                    false => format!("f:{old}{line}\n"),
                }
            }
        };
        files.insert(path, text);
    }
    files
}

struct Comparison {
    blobs: BTreeMap<String, String>,
    names: Names,
    sources: Vec<Source>,
}

impl Comparison {
    /// Lists the differences of a case, and the state after it.
    fn compare(&self, case: &Value, before: &State) -> (Vec<String>, State) {
        let mut differences = Vec::new();
        let name = case["case"].as_str().unwrap_or_default();
        let args = strings(&case["args"]);
        let wants = case["rc"].as_i64() == Some(0);
        let after = self.after(case, before);
        let read = options::read(&args, &|name: &str| {
            if let Some(tuple) = other_cpu(name) {
                return Ok(tuple);
            }
            let reading = self.names.read(OsStr::new(name), &[]);
            reading.map(|reading| match reading {
                Reading::AsTyped(tuple) | Reading::Means(tuple) => tuple,
            })
        });
        let mut host = host(case);
        let root = case["given_env"]["ROOT"].as_str();
        if check_root(root).is_err() {
            differences.extend(wants.then(|| "refused".to_owned()));
            return (differences, after);
        }
        match read {
            Err(e) if wants => differences.push(format!("refused: {e}")),
            Err(_) => {}
            Ok(CrossdevCommand::Build(mut request, runs)) => {
                let recorded = Recorded {
                    state: before,
                    case: name,
                };
                let family = self.arch(&request.tuple);
                let (settings, variables) = settings_of_case(name);
                user::apply(&settings, &variables, &mut request, &mut host).expect("settings");
                let plan =
                    ToolchainPlan::new(*request, &host, family.as_deref(), &recorded, before);
                match plan {
                    Err(e) if wants => differences.push(format!("refused: {e}")),
                    Err(_) => {}
                    Ok(_)
                        if !wants
                            && !name.starts_with("fail")
                            && !name.starts_with("show-fail") =>
                    {
                        differences.push("not refused".into());
                    }
                    Ok(plan) => {
                        compare_files(&plan, before, &after, &mut differences);
                        compare_calls(&plan, runs, case, &mut differences);
                    }
                }
            }
            Ok(CrossdevCommand::ShowTarget(request)) => {
                let family = self.arch(&request.tuple);
                let shown = super::show::target(&request, family.as_deref());
                let shown: Vec<&str> = shown.lines().collect();
                if strings(&case["stdout"]) != shown {
                    differences.push(format!("shown: {shown:?} for {}", case["stdout"]));
                }
            }
            Ok(CrossdevCommand::Clean(request)) => {
                let recorded = Recorded {
                    state: before,
                    case: name,
                };
                let category = request.category();
                let family = self.arch(&request.tuple);
                let plan = ToolchainPlan::of_existing(
                    *request,
                    &host,
                    family.as_deref(),
                    &recorded,
                    before,
                );
                match plan {
                    Err(e) if wants => differences.push(format!("refused: {e}")),
                    Err(_) => {}
                    Ok(_) if !wants => differences.push("not refused".into()),
                    Ok(plan) => compare_removal(&plan, &category, case, &mut differences),
                }
            }
            Ok(_) if !wants => differences.push("not refused".into()),
            Ok(_) => {}
        }
        (differences, after)
    }

    /// Returns the state after a case.
    fn after(&self, case: &Value, before: &State) -> State {
        let mut after = before.clone();
        for (path, what) in case["changed"].as_object().into_iter().flatten() {
            let what = what.as_str().unwrap_or_default();
            let text = match what.strip_prefix("f:") {
                // Without a first step, crossdev's file begins with an empty line.
                Some(blob) => format!(
                    "f:{}",
                    without_comments(self.blobs[blob].trim_start_matches('\n'))
                ),
                None => what.to_owned(),
            };
            after.files.insert(path.clone(), text);
        }
        for path in strings(&case["gone"]) {
            after.files.remove(&path);
        }
        for call in case["emerge"].as_array().into_iter().flatten() {
            let argv = strings(&call["argv"]);
            if call["rc"].as_i64().unwrap_or(0) == 0
                && let Some((_, package)) = argv[0].split_once('/')
            {
                let flags = strings(&call["use"]).into_iter();
                let flags = flags.filter(|flag| !flag.starts_with('-')).collect();
                after.installed.insert(package.into(), flags);
            }
        }
        after
    }

    fn arch(&self, tuple: &Tuple) -> Option<String> {
        let target = Target::of(tuple, &self.sources, "");
        target.ok().map(|target| target.arch)
    }
}

/// The user's settings that a case has in `etc/portage/crossdev`.
fn settings_of_case(name: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let map = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    };
    match name.starts_with("user-settings") {
        true => (
            map(&[
                ("USE", "nls"),
                ("GVER", "13.2.0"),
                ("STAGE", "3"),
                ("CFLAGS", "-Os"),
            ]),
            map(&[("FOO", "bar")]),
        ),
        false => Default::default(),
    }
}

/// The files that exist before a case and are not in the recording.
fn files_before(name: &str) -> BTreeMap<String, String> {
    let categories = "var/db/repos/crossdev/profiles/categories".to_owned();
    match name.starts_with("categories-nonl") {
        true => BTreeMap::from([(categories, "f:sys-foo\n".into())]),
        false => BTreeMap::new(),
    }
}

fn compare_files(
    plan: &ToolchainPlan,
    before: &State,
    after: &State,
    differences: &mut Vec<String>,
) {
    let ours = files_of(plan, before);
    for (path, wanted) in &after.files {
        if is_emerge_wrappers(path) || wanted == "log" || wanted == "file" {
            continue;
        }
        match ours.get(path) {
            Some(have) if have == wanted => {}
            Some(have) if without_libcxxabi(have) == *wanted => {
                differences.push(format!("libcxxabi is kept in {path}"));
            }
            Some(have) => differences.push(format!("file {path}: {have:?} for {wanted:?}")),
            None if before.files.get(path) == Some(wanted) => {}
            None => differences.push(format!("file {path} is missing: {wanted:?}")),
        }
    }
    for (path, have) in &ours {
        // A directory may have existed before.
        if have != "d" && !after.files.contains_key(path) {
            differences.push(format!("file {path} is new: {have:?}"));
        }
    }
}

/// Compares what is removed: the call of emerge, and every file but those of `emerge-wrapper --init`.
fn compare_removal(
    plan: &ToolchainPlan,
    category: &str,
    case: &Value,
    differences: &mut Vec<String>,
) {
    let unmerge = strings(&case["emerge"][0]["argv"]);
    if unmerge != ["-q", "--rage-clean", &format!("{category}/*")] {
        differences.push(format!("argv of the removal: {unmerge:?}"));
    }
    let files: BTreeSet<String> = plan.files.iter().map(|(path, _)| recorded(path)).collect();
    for path in strings(&case["gone"]) {
        if !is_emerge_wrappers(&path) && !files.contains(&path) {
            differences.push(format!("file {path} stays"));
        }
    }
}

/// Removes the lines of a package whose name begins with that of another package, as crossdev does.
fn without_libcxxabi(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("/libcxxabi "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn compare_calls(plan: &ToolchainPlan, runs: Runs, case: &Value, differences: &mut Vec<String>) {
    let calls = case["emerge"].as_array().cloned().unwrap_or_default();
    let calls: Vec<&Value> = calls
        .iter()
        .filter(|call| {
            call["argv"][0]
                .as_str()
                .is_some_and(|word| word.contains('/'))
        })
        .collect();
    let steps = match runs.emerge {
        true => plan.steps.as_slice(),
        false => &[],
    };
    // A failed step ends the recorded run.
    let failed = calls
        .last()
        .is_some_and(|call| call["rc"].as_i64().unwrap_or(0) != 0)
        || case["rc"].as_i64() != Some(0);
    if steps.len() != calls.len() && !(failed && calls.len() < steps.len()) {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        differences.push(format!(
            "{} calls: {names:?} for {}",
            steps.len(),
            calls.len()
        ));
        return;
    }
    for (step, call) in steps.iter().zip(calls) {
        let argv: Vec<String> = [step.atom.clone()]
            .into_iter()
            .chain(step.options.clone())
            .collect();
        if argv != strings(&call["argv"]) {
            differences.push(format!(
                "argv of {}: {argv:?} for {}",
                step.name, call["argv"]
            ));
        }
        let flags = step.flags.clone().unwrap_or_default();
        if flags != strings(&call["use"]) {
            differences.push(format!(
                "USE of {}: {flags:?} for {}",
                step.name, call["use"]
            ));
        }
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in call["env"].as_object().into_iter().flatten() {
            wanted.insert(name.clone(), value.as_str().unwrap_or_default().into());
        }
        let features = case["given_env"]["FEATURES"].as_str().unwrap_or_default();
        wanted.insert("FEATURES".into(), format!("{features} -stricter"));
        wanted.insert("EMERGE_DEFAULT_OPTS".into(), "--quiet-build=n".into());
        let mut environment = step.environment.clone();
        for value in environment.values_mut() {
            *value = without_prefix_of_clang(value);
        }
        if environment != wanted {
            differences.push(format!(
                "environment of {}: {environment:?} for {wanted:?}",
                step.name
            ));
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

#[test]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "`make check` shows the figures"
)]
fn plans_equal_the_recorded_runs_of_crossdev() {
    let text = include_str!("../../tests/data/crossdev.jsonl");
    let sources: Vec<Source> = Source::built_in().map(|(_, source)| source).collect();
    let mut comparison = Comparison {
        blobs: BTreeMap::new(),
        names: Names::of(&sources, String::new()).expect("families"),
        sources,
    };
    let mut states: BTreeMap<String, State> = BTreeMap::new();
    let (mut equal, mut excepted, mut different) = (0, 0, 0);
    let mut used = BTreeSet::new();
    for line in text.lines() {
        let mut value: Value = serde_json::from_str(line).expect("JSON");
        if let Some(blob) = value["blob"].as_str() {
            let blob = blob.to_owned();
            let Value::String(text) = value["text"].take() else {
                panic!("a text")
            };
            comparison.blobs.insert(blob, text);
        }
        let Some(name) = value["case"].as_str() else {
            continue;
        };
        let mut before = value["after"]
            .as_str()
            .map(|name| states[name].clone())
            .unwrap_or_default();
        before.files.extend(files_before(name));
        let (differences, after) = comparison.compare(&value, &before);
        states.insert(name.into(), after);
        let unexplained: Vec<&String> = differences
            .iter()
            .filter(|difference| {
                let exception = EXCEPTIONS.iter().position(|(cases, what, _)| {
                    glob::matches(cases, name)
                        && what.iter().any(|what| glob::matches(what, difference))
                });
                used.extend(exception);
                exception.is_none()
            })
            .collect();
        match (differences.is_empty(), unexplained.is_empty()) {
            (true, _) => equal += 1,
            (false, true) => excepted += 1,
            (false, false) => {
                different += 1;
                eprintln!("{name}: {unexplained:#?}");
            }
        }
    }
    println!("crossdev's recorded runs: {equal} equal, {excepted} excepted, {different} different");
    assert_eq!(different, 0);
    let unused: Vec<_> = (0..EXCEPTIONS.len())
        .filter(|row| !used.contains(row))
        .collect();
    assert!(
        unused.is_empty(),
        "exceptions that no case needs: {unused:?}"
    );
    let documents = include_str!("../../docs/crossdev.md");
    for (_, _, reason) in EXCEPTIONS {
        assert!(
            documents.contains(reason),
            "docs/crossdev.md has no `{reason}`"
        );
    }
}
