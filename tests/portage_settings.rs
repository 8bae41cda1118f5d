//! Portage's settings, which crossmerge reads without Portage, compared with the real `portageq envvar`.
//!
//! Every case asks both for every variable that Portage knows. Either both print the same, or crossmerge refuses to
//! answer. The tests also limit how often it may refuse, and check that it never does so for ordinary configurations.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these tests start portageq, print figures, and read REPO and CONFIGROOT"
)]

mod case;
mod generate;
mod oracle;

use case::{Case, Expected, NEEDED, OF_PORTAGE, Of, Outcome, compare, ordinary_host};
use crossmerge_portage::{
    settings::{SettingsRoots, read},
    version::Version,
};
use oracle::{Answer, Oracle, for_each, understand, venv};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Runs generated cases: the same ones in each run, unless SEED and CASES are set. Reports a difference for the
/// smallest case that still shows it.
#[track_caller]
fn corpus(what: &str, strategy: impl Strategy<Value = Case>, whole: usize, refused_at_most: f64) {
    let given = own_settings(["SEED", "CASES"]);
    let cases = given
        .get("CASES")
        .map_or(whole, |cases| cases.parse().expect("CASES is a number"));
    let mut seed = [0; 32];
    for (byte, given) in seed
        .iter_mut()
        .zip(given.get("SEED").map_or("", String::as_str).bytes())
    {
        *byte = given;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let trees: Vec<_> = (0..cases)
        .map(|_| strategy.new_tree(&mut runner).expect("a case"))
        .collect();
    let (_host, host) = ordinary_host();
    let values: Vec<Case> = trees.iter().map(ValueTree::current).collect();
    let outcomes = for_each(values, |oracle, case| case.run(oracle, &host));

    let mut trees: Vec<_> = trees.into_iter().map(Some).collect();
    if let Some(place) = outcomes
        .iter()
        .position(|o| matches!(o, Outcome::Differs(_)))
    {
        let different = outcomes
            .iter()
            .filter(|o| matches!(o, Outcome::Differs(_)))
            .count();
        let mut tree = trees[place].take().expect("a tree");
        let mut oracle = Oracle::start();
        let (case, difference) = shrink(&mut tree, &mut oracle, &host);
        panic!("{what}: {different} of {cases} differ; the first, shrunk:\n{case:?}\n{difference}");
    }
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut refused, mut failed) = (0, 0);
    for outcome in &outcomes {
        match outcome {
            Outcome::Refused(error) => {
                refused += 1;
                *reasons.entry(generalise(&error.reason)).or_default() += 1;
            }
            Outcome::Failed(_) => failed += 1,
            Outcome::Same | Outcome::Differs(_) => {}
        }
    }
    let answered = cases - failed;
    println!(
        "{what}: {cases} cases, {failed} fail in Portage, {refused} of the others refused: {reasons:#?}"
    );
    assert!(
        answered * 2 > cases,
        "{what}: {failed} of {cases} fail in Portage"
    );
    let share = refused as f64 / answered as f64;
    // The share of errors varies more among few cases.
    let at_most = match cases < whole {
        true => refused_at_most.max(0.5),
        false => refused_at_most,
    };
    assert!(share <= at_most, "{what}: {share:.3} refused: {reasons:#?}");
}

/// Removes names from a reason, so that like reasons are counted together.
fn generalise(reason: &str) -> String {
    let mut kept = String::new();
    for (place, part) in reason.split('`').enumerate() {
        kept.push_str(if place % 2 == 0 { part } else { "…" });
    }
    kept
}

fn shrink<T: ValueTree<Value = Case>>(
    tree: &mut T,
    oracle: &mut Oracle,
    host: &Path,
) -> (Case, String) {
    let mut worst = (tree.current(), String::new());
    let started = Instant::now();
    while started.elapsed().as_secs() < 60 {
        let more = match tree.current().run(oracle, host) {
            Outcome::Differs(difference) => {
                worst = (tree.current(), difference);
                tree.simplify()
            }
            _ => tree.complicate(),
        };
        if !more {
            break;
        }
    }
    worst
}

#[test]
fn generated_make_confs_read_as_in_portage() {
    corpus("make.conf", generate::make_conf(), 1600, 0.02);
}

#[test]
fn generated_repos_confs_read_as_in_portage() {
    corpus("repos.conf", generate::repos_conf(), 400, 0.35);
}

#[test]
fn generated_profile_trees_read_as_in_portage() {
    corpus("profiles", generate::profiles(), 400, 0.35);
}

#[test]
fn generated_portdirs_read_as_in_portage() {
    corpus("PORTDIR", generate::portdirs(), 400, 0.3);
}

#[test]
fn generated_package_envs_read_as_in_portage() {
    corpus("package.env", generate::package_envs(), 300, 0.05);
}

#[test]
fn every_kept_case_has_the_expected_result() {
    let files = kept();
    let (_host, host) = ordinary_host();
    let outcomes = for_each(files.clone(), |oracle, (_, case, expected)| {
        let expected = expected.outcome_with(oracle::version()).to_owned();
        (case.run(oracle, &host), expected)
    });
    let mut failures = Vec::new();
    for ((name, ..), (outcome, expected)) in files.iter().zip(&outcomes) {
        let word = match outcome {
            Outcome::Same => "same",
            Outcome::Refused(_) => "refused",
            Outcome::Failed(_) => "failed",
            Outcome::Differs(_) => "differs",
        };
        if word != expected {
            failures.push(format!("{name}: {expected} expected: {outcome:#?}"));
        }
    }
    let refused = outcomes
        .iter()
        .filter(|(outcome, _)| matches!(outcome, Outcome::Refused(_)));
    println!("kept: {} cases, {} refused", files.len(), refused.count());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(files.len() >= 30, "{}", files.len());
}

/// The cases of `tests/data/portage`, each with its name.
fn kept() -> Vec<(String, Case, Expected)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/portage");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("tests/data/portage")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "case")
        })
        .collect();
    files.sort();
    let read = |file: &PathBuf| {
        let (case, expected) = Case::parse(&std::fs::read_to_string(file).expect("a case"));
        let name = file.file_stem().unwrap_or_default().display().to_string();
        (name, case, expected)
    };
    files.iter().map(read).collect()
}

/// A change that no case can show, because it needs a user without a name who owns a repository below
/// `/var/db/repos`. Unit tests show it.
const SHOWN_ELSEWHERE: [&str; 1] = ["NamelessOwner"];

/// crossmerge's values with the versions on both sides of each change. For the version that is installed,
/// `every_kept_case_has_the_expected_result` proves that Portage prints the same.
#[test]
fn each_change_is_read_on_both_sides() {
    let (_host, host) = ordinary_host();
    let mut shown: BTreeSet<String> = SHOWN_ELSEWHERE.map(str::to_owned).into();
    for (file, case, expected) in kept() {
        let Some(change) = expected.change else {
            continue;
        };
        let at = case::since(&change);
        let before = Version::measured()
            .take_while(|version| *version < at)
            .last();
        let since = Version::measured().find(|version| *version >= at);
        let variable = expected
            .values
            .iter()
            .flatten()
            .find_map(|claim| claim.variable());
        let variable = variable.expect(&file);
        for (version, claim) in [before, since].into_iter().zip(&expected.values) {
            let directory = case::directory();
            case.write(directory.path());
            let (question, mut roots) = case.question(directory.path(), &host);
            roots.portage = version.expect("a version on each side");
            let answer = read(&roots, &question.env.iter().collect(), &[variable])
                .map(|mut answer| answer.remove(variable).expect(variable));
            let claim = claim.as_ref().expect(&file);
            assert!(
                claim.holds(&answer, directory.path()),
                "{file}, Portage {}: {claim:?}: {answer:?}",
                roots.portage
            );
        }
        assert_ne!(expected.values[0], expected.values[1], "{file}");
        shown.insert(change);
    }
    let all: BTreeSet<String> = Version::changes().map(|(name, _)| name).collect();
    assert_eq!(shown, all);
}

#[test]
fn the_oracle_agrees_with_the_real_portageq() {
    let (_host, host) = ordinary_host();
    let mut oracle = Oracle::start();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..8 {
        for strategy in [generate::make_conf().boxed(), generate::profiles().boxed()] {
            let case = strategy.new_tree(&mut runner).expect("a case").current();
            let directory = tempfile::tempdir().expect("a temporary directory");
            case.write(directory.path());
            let (mut question, _) = case.question(directory.path(), &host);
            // The script of older versions begins with `env python`.
            let path = format!("{}:/usr/bin:/bin", venv().join("bin").display());
            question.env.insert("PATH".into(), path);
            let output = Command::new(venv().join("bin/portageq"))
                .arg("envvar")
                .args(question.args())
                .env_clear()
                .envs(&question.env)
                .output()
                .expect("portageq");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let real = understand(&text(&output.stdout), &text(&output.stderr), &question);
            let comparable = |answer: Answer| {
                answer.ok().map(|mut answer| {
                    answer.retain(|name, _| !OF_PORTAGE.contains(&name.as_str()));
                    answer
                })
            };
            assert_eq!(
                comparable(real),
                comparable(oracle.ask(&question)),
                "{case:?}"
            );
        }
    }
}

/// Older versions that `tests/setup` installs. Most changes in how Portage reads settings lie between them and the
/// newest one.
const OLDER: [&str; 2] = ["3.0.45", "3.0.77"];

/// The kept cases, and a few generated ones, with older versions of Portage. `make check-portages` tests every
/// version with more cases.
#[test]
fn older_portages_read_alike() {
    for version in OLDER {
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--nocapture",
                "portage_settings::generated",
                "portage_settings::every_kept_case",
            ])
            .env("PORTAGE", version)
            .env("CASES", "40")
            .output()
            .expect("this test");
        let printed =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "Portage {version}:\n{printed}");
        assert!(
            printed.contains("6 passed"),
            "Portage {version}:\n{printed}"
        );
    }
}

/// The versions that are not on PyPI. They were compared once, with builds of the tags in Portage's repository.
const OF_TAGS: [&str; 4] = ["3.0.53", "3.0.69.2", "3.0.69.3", "3.0.79"];

#[test]
fn make_check_portages_tests_every_known_version() {
    let makefile = include_str!("../Makefile").replace("\\\n", " ");
    let line = makefile
        .lines()
        .find_map(|line| line.strip_prefix("PORTAGES ?="));
    let named = line.expect("PORTAGES").split_whitespace().chain(OF_TAGS);
    let named: BTreeSet<String> = named.map(str::to_owned).collect();
    let measured: BTreeSet<String> = Version::measured()
        .map(|version| version.to_string())
        .collect();
    assert_eq!(named, measured);
}

/// Every profile of a repository, and the user's configuration that CONFIGROOT names.
///
/// `REPO=/var/db/repos/gentoo CONFIGROOT=/` checks a whole Gentoo repository and a host's `etc/portage`.
#[test]
fn every_profile_of_a_repository_reads_as_in_portage() {
    let given: BTreeMap<String, String> = own_settings(["REPO", "CONFIGROOT"]);
    let repo = given.get("REPO").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/repo"),
        PathBuf::from,
    );
    let repo = repo.canonicalize().expect("the repository is there");
    let (_host, host) = ordinary_host();
    let mut profiles = Vec::new();
    find_profiles(&repo.join("profiles"), &mut profiles);
    assert!(!profiles.is_empty(), "no profile in `{}`", repo.display());

    let repos_conf = format!(
        "[DEFAULT]\nmain-repo = main\n[main]\nlocation = {}\n",
        repo.display()
    );
    let name = std::fs::read_to_string(repo.join("profiles/repo_name")).expect("repo_name");
    let repos_conf = repos_conf
        .replace("main\n", &format!("{}\n", name.trim()))
        .replace("[main]", &format!("[{}]", name.trim()));
    let cases: Vec<(PathBuf, Of)> = profiles
        .iter()
        .flat_map(|profile| [(profile.clone(), Of::Host), (profile.clone(), Of::Target)])
        .collect();
    let outcomes = for_each(cases.clone(), |oracle, (profile, of)| {
        let mut case = Case::host(&[
            ("etc/portage/repos.conf", &repos_conf),
            (
                "etc/portage/make.conf",
                "CFLAGS=\"${CFLAGS} -g\"\nUSE=\"a -b\"\n",
            ),
        ]);
        case.of = of;
        case.links = vec![(
            "etc/portage/make.profile".into(),
            profile.display().to_string(),
        )];
        case.run(oracle, &host)
    });
    let mut failures = Vec::new();
    for (case, outcome) in cases.iter().zip(&outcomes) {
        // Some profile directories exist only as parents of others, and Portage may fail on them.
        if !matches!(outcome, Outcome::Same | Outcome::Failed(_)) {
            failures.push(format!("{case:?}: {outcome:#?}"));
        }
    }
    let same = outcomes.iter().filter(|o| **o == Outcome::Same).count();
    println!(
        "{} profiles, {same} of {} answers the same",
        profiles.len(),
        outcomes.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(same > 0);

    if let Some(configroot) = given.get("CONFIGROOT") {
        let directory = Path::new(configroot)
            .canonicalize()
            .expect("CONFIGROOT is there");
        let mut case = Case::host(&[]);
        case.of = Of::Target;
        let (question, roots) = case.question(&directory, &host);
        let outcome = compare(Oracle::start().ask(&question), &question, &roots);
        assert_eq!(outcome, Outcome::Same, "{}", directory.display());
    }
}

/// Portage's own repos.conf in Gentoo, which is empty in the demonstration.
const GENTOO: &str = "[DEFAULT]\nmain-repo = gentoo\n\n[gentoo]\nlocation = /var/db/repos/gentoo\nsync-type = rsync\nsync-uri = \
     rsync://rsync.gentoo.org/gentoo-portage\nauto-sync = yes\nsync-openpgp-key-refresh-retry-count = 40\n";

/// Directories with an `etc/portage`, as hosts and as targets. Prints how many of them crossmerge reads, and why it
/// refuses others.
///
/// Does nothing unless CONFIGROOTS is set.
#[test]
fn configurations_of_users_read_as_in_portage() {
    let given = own_settings(["CONFIGROOTS"]);
    let Some(directory) = given.get("CONFIGROOTS") else {
        return;
    };
    let mut directories: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap_or_else(|e| panic!("{directory}: {e}"))
        .map(|entry| {
            entry
                .expect("an entry")
                .path()
                .canonicalize()
                .expect("a path")
        })
        .filter(|path| path.join("etc/portage").is_dir())
        .collect();
    directories.sort();
    let (_host, host) = ordinary_host();
    std::fs::write(host.join("share/portage/config/repos.conf"), GENTOO).expect("a file");
    let cases: Vec<(PathBuf, Of)> = directories
        .iter()
        .flat_map(|directory| {
            [
                (directory.clone(), Of::Host),
                (directory.clone(), Of::Target),
            ]
        })
        .collect();
    let outcomes = for_each(cases.clone(), |oracle, (directory, of)| {
        let mut case = Case::host(&[]);
        case.of = of;
        if of == Of::Host {
            case::give_gentoo(&directory, GENTOO);
        }
        let (question, roots) = case.question(&directory, &host);
        compare(oracle.ask(&question), &question, &roots)
    });
    let mut refused: BTreeMap<&Path, String> = BTreeMap::new();
    let (mut same, mut failed, mut differ) = (0, Vec::new(), Vec::new());
    for ((directory, of), outcome) in cases.iter().zip(&outcomes) {
        match outcome {
            Outcome::Same => same += 1,
            Outcome::Refused(why) => drop(refused.insert(directory, why.to_string())),
            Outcome::Failed(why) => failed.push(format!("{} {of:?}: {why}", directory.display())),
            Outcome::Differs(how) => differ.push(format!("{} {of:?}: {how}", directory.display())),
        }
    }
    println!(
        "{} configurations, {} questions: {same} the same, {} that Portage fails over, {} differ; portageq is asked for {} \
         configurations",
        directories.len(),
        cases.len(),
        failed.len(),
        differ.len(),
        refused.len()
    );
    for (directory, why) in &refused {
        println!("asked: {}: {why}", directory.display());
    }
    println!("{}", failed.join("\n"));
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The values of environment variables that configure these tests.
fn own_settings<const N: usize>(names: [&str; N]) -> BTreeMap<String, String> {
    let get = |name: &str| {
        Some((
            name.to_owned(),
            std::env::var(name).ok().filter(|v| !v.is_empty())?,
        ))
    };
    names.into_iter().filter_map(get).collect()
}

fn find_profiles(directory: &Path, profiles: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    entries.sort();
    for entry in entries {
        if ["parent", "make.defaults"]
            .iter()
            .any(|file| entry.join(file).exists())
        {
            profiles.push(entry.clone());
        }
        find_profiles(&entry, profiles);
    }
}

#[test]
fn all_settings_are_read_in_milliseconds() {
    let prefix = crate::support::Prefix::with_portage();
    let roots = SettingsRoots::host(prefix.path());
    let env = [("PATH", "/usr/bin")].into_iter().collect();
    read(&roots, &env, NEEDED).expect("the demonstration's own settings");
    let started = Instant::now();
    for _ in 0..10 {
        read(&roots, &env, NEEDED).expect("the demonstration's own settings");
    }
    let each = started.elapsed() / 10;
    println!("{each:?} for one set of settings");
    assert!(each.as_millis() < 50, "{each:?}");
}

#[test]
fn an_applet_reads_no_settings_file_twice() {
    const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";
    const FILES: [&str; 6] = [
        "make.globals",
        "make.conf",
        "make.defaults",
        "repos.conf",
        "layout.conf",
        "eapi",
    ];
    let prefix = crate::support::Prefix::with_portage();
    prefix
        .own(["init", TUPLE, "--toolchain", "arm-linux-gnueabi-"])
        .success();
    let (calls, env) = (
        prefix.join("calls"),
        prefix.join(format!("bin/{TUPLE}-env")),
    );
    let words = [
        "-o".as_ref(),
        calls.as_os_str(),
        "-e".as_ref(),
        "trace=open,openat".as_ref(),
        env.as_os_str(),
        "true".as_ref(),
    ];
    // The plan needs the host's settings and the target's, with the library directory of its ABI.
    prefix.command("strace", words).success();
    let calls = prefix.read("calls");
    let paths = calls.lines().filter(|line| !line.contains(" = -1 "));
    let paths = paths.filter_map(|line| line.split('"').nth(1));
    let mut times = BTreeMap::new();
    for path in paths.filter(|path| FILES.iter().any(|file| path.ends_with(file))) {
        *times.entry(path).or_insert(0) += 1;
    }
    let has = |end: &str| times.keys().any(|path| path.ends_with(end));
    assert!(FILES.iter().all(|file| has(file)), "{times:#?}");
    assert!(times.values().all(|times| *times == 1), "{times:#?}");
}
