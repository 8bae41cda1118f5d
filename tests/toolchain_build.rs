//! `crossmerge toolchain` and `crossdev`, with the real Portage and the stand-in packages of `tests/toolchain`.

use crate::{
    init::tree,
    kill::{CALLS, kill_everywhere},
    support::Prefix,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

const TUPLE: &str = "armv4tl-softfloat-linux-musleabi";
const CATEGORY: &str = "cross-armv4tl-softfloat-linux-musleabi";

/// The number of kills, unless `make races` does all of them.
const SOME: usize = 8;

/// A prefix with the stand-in packages, whose repos.conf is a directory.
pub(crate) fn prefix() -> Prefix {
    let mut prefix = Prefix::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/toolchain/prefix");
    let directory = prefix.path();
    prefix.set(
        "DEMO_DIR",
        concat!(env!("CARGO_MANIFEST_DIR"), "/target/demo"),
    );
    prefix
        .command("bash", [script.as_ref(), directory.as_os_str()])
        .success();
    prefix.put_first_in_path(&["bin", "usr/bin"]);
    let repos = prefix.read("etc/portage/repos.conf");
    fs::remove_file(prefix.join("etc/portage/repos.conf")).expect("repos.conf");
    prefix.write("etc/portage/repos.conf/repos", &repos);
    prefix
}

fn build(prefix: &Prefix) -> crate::support::Output {
    prefix.own(["toolchain", "build", TUPLE, "--no-test"])
}

/// The files of a prefix, but for logs and what Portage and the tests keep.
fn files(prefix: &Prefix) -> BTreeMap<PathBuf, String> {
    let ignored = [
        "var/log",
        "var/cache",
        "var/lib",
        "var/tmp",
        "share",
        "tmp",
        "bin",
        "usr/lib/debug",
        "var/db/pkg",
        "etc/stand-in",
        "etc/csh.env",
        "etc/profile.env",
        "etc/environment.d",
        "etc/ld.so.conf",
    ];
    let mut files = tree(&prefix.path());
    files.retain(|path, _| {
        let path = path.strip_prefix(prefix.path()).unwrap_or(path);
        !ignored.iter().any(|ignored| path.starts_with(ignored))
    });
    files
}

/// The processes whose arguments or environment name the prefix.
fn processes(prefix: &Prefix) -> Vec<String> {
    let own = prefix.path().display().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let text = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let environment = String::from_utf8_lossy(&text("environ")).into_owned();
        let line = String::from_utf8_lossy(&text("cmdline")).into_owned();
        if environment.contains(&own) && !line.is_empty() {
            found.push(line.replace('\0', " "));
        }
    }
    found
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(300), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_toolchain_is_built_kept_and_removed() {
    let prefix = prefix();
    let use_file = format!("etc/portage/package.use/{CATEGORY}");
    prefix.write(&use_file, &format!("# mine\n{CATEGORY}/gcc nano\n"));
    prefix.write("etc/portage/package.use/zz-mine", "sys-devel/gcc -nls\n");
    let before = files(&prefix);

    let plan = prefix.own(["toolchain", "plan", TUPLE]).success();
    assert_eq!(files(&prefix), before, "a plan changes nothing");
    assert!(
        plan.stdout
            .contains("# 5/5  gcc 16.1.0, C and C++ compiler\n"),
        "{plan:?}"
    );
    let installs = "armv4tl-softfloat-linux-musleabi/gcc -u --newuse";
    assert!(plan.stdout.contains(installs), "{plan:?}");

    let built = build(&prefix).success();
    for line in [
        "1/5  binutils",
        "2/5  gcc",
        "3/5  linux-headers",
        "4/5  musl",
        "5/5  gcc",
    ] {
        assert!(built.stderr.contains(line), "{line}: {built:?}");
    }
    assert!(prefix.join(format!("usr/bin/{TUPLE}-gcc")).exists());
    assert!(
        prefix
            .join(format!("usr/{TUPLE}/etc/portage/make.conf"))
            .exists(),
        "init ran"
    );
    let flags = prefix.read(&use_file);
    assert!(
        flags.starts_with("# mine\n") || flags.contains("\n# mine\n"),
        "{flags}"
    );
    assert!(flags.contains(&format!("{CATEGORY}/gcc nano\n")), "{flags}");
    assert!(
        flags.contains(
            "/gcc -sanitize -vtv -selinux -objc -objc++ -objc-gc -vtv -sanitize -multilib\n"
        ),
        "{flags}"
    );
    // Portage finds nothing to do with the flags that are kept.
    let update = prefix
        .run_in(
            "usr/bin/emerge",
            ["--pretend", "--update", "--newuse", "--deep", "@world"],
        )
        .success();
    assert!(!update.stdout.contains("[ebuild"), "{update:?}");

    let log = prefix.join(format!("var/log/portage/{CATEGORY}-gcc-stage2.log"));
    let time = fs::metadata(&log)
        .expect("a log")
        .modified()
        .expect("a time");
    let again = build(&prefix).success();
    assert!(again.stderr.contains("all 5 steps are done"), "{again:?}");
    assert_eq!(
        fs::metadata(&log)
            .expect("a log")
            .modified()
            .expect("a time"),
        time
    );
    let status = prefix.own(["toolchain", "status"]).success();
    assert_eq!(status.stdout.matches("done").count(), 5, "{status:?}");
    // A stand-in compiles nothing, so the test of the toolchain fails.
    let compile = "the compiler compiles C to assembly\n";
    let built = prefix.own(["toolchain", "build", TUPLE]);
    assert_eq!(built.code, Some(1), "{built:?}");
    assert!(built.stderr.contains(compile), "{built:?}");
    let tested = prefix.own(["toolchain", "test", TUPLE]);
    assert_eq!(tested.code, Some(1), "{tested:?}");
    assert!(tested.stdout.contains(compile), "{tested:?}");
    assert!(!tested.stdout.contains("make.conf"), "{tested:?}");
    let listed = prefix.own(["toolchain", "list"]).success();
    assert_eq!(listed.stdout, format!("{CATEGORY}\n"));

    prefix.own(["remove", TUPLE]).success();
    prefix.own(["toolchain", "remove", TUPLE]).success();
    let after = files(&prefix);
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let differences: BTreeSet<_> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(prefix.own(["toolchain", "list"]).success().stdout, "");
}

#[test]
fn a_failed_step_names_its_cause_and_is_the_next_one_to_run() {
    let prefix = prefix();
    prefix.write(
        "etc/stand-in",
        "musl compile echo \"x.c:3:1: error: unknown type name 'foo'\"; echo 'make: *** [Makefile:9: x.o] Error 1'; die 'emake failed'\n",
    );
    let failed = build(&prefix);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    for text in [
        "musl 1.2.6, libc failed in compile",
        "x.c:3:1: error: unknown type name 'foo'",
        &format!("then `crossmerge toolchain build {TUPLE}` goes on with this step"),
    ] {
        assert!(failed.stderr.contains(text), "{text}: {failed:?}");
    }
    let status = prefix.own(["toolchain", "status", "--json"]).success();
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let states: Vec<&str> = { status[0]["steps"].as_array() }
        .expect("steps")
        .iter()
        .filter_map(|step| step["state"].as_str())
        .collect();
    assert_eq!(states, ["done", "done", "done", "failed", "waiting"]);
    let log = prefix.own(["toolchain", "log", TUPLE]).success();
    assert!(log.stdout.contains("unknown type name"), "{log:?}");
    // The libc is built, and the compiler does not find it: it is in lib, and the compiler searches lib64.
    prefix.write("etc/stand-in", "");
    let message = "ld: cannot find crt1.o: No such file or directory";
    prefix.write("etc/stand-in.link", message);
    let library = prefix.join(format!("usr/{TUPLE}/usr/lib"));
    fs::create_dir_all(&library).expect("a directory");
    fs::write(library.join("crt1.o"), "").expect("a file");
    let failed = build(&prefix);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("2 of 5 steps"), "{failed:?}");
    let fix = format!("`ln -sT lib {}64`", library.display());
    for text in [message, "GCC cannot link with it for the ABI default", &fix] {
        assert!(failed.stderr.contains(text), "{text}: {failed:?}");
    }
    fs::remove_file(prefix.join("etc/stand-in.link")).expect("the message");
    // Without a record, the compiler itself tells that it is the first one.
    let record = format!("var/lib/crossmerge/toolchains/{CATEGORY}.toml");
    let text = prefix.read(&record);
    fs::remove_file(prefix.join(&record)).expect("the record");
    let plan = prefix.own(["toolchain", "plan", TUPLE]).success();
    let last = "5/5  gcc 16.1.0, C and C++ compiler\n";
    assert!(plan.stdout.contains(last), "{plan:?}");
    prefix.write(&record, &text);
    let built = build(&prefix).success();
    assert!(built.stderr.contains("1 of 5 steps"), "{built:?}");
    assert!(!built.stderr.contains("binutils"), "{built:?}");
}

#[test]
fn the_files_survive_a_kill_at_every_file_operation() {
    let prefix = prefix();
    let mine = format!("etc/portage/package.use/{CATEGORY}");
    prefix.write(&mine, &format!("# mine\n{CATEGORY}/gcc nano\n"));
    let args = ["toolchain", "build", TUPLE, "--files-only"];
    let (points, found) = kill_everywhere(&prefix, "crossmerge", &args, &CALLS, SOME);
    assert!(points > 100, "only {points} points");
    assert!(found["fixed"] > 5, "{found:?}");
    let flags = prefix.read(&mine);
    assert!(
        flags.contains("# mine\n") && flags.contains("/gcc nano\n"),
        "{flags}"
    );
}

#[test]
fn a_file_of_another_name_registers_the_repository_if_the_usual_one_is_the_users() {
    let prefix = prefix();
    prefix.write("etc/portage/repos.conf/crossmerge.conf", "# mine\n");
    prefix
        .own(["toolchain", "build", TUPLE, "--files-only"])
        .success();
    let registered = prefix.read("etc/portage/repos.conf/crossmerge1.conf");
    assert!(registered.contains("\n[crossmerge]\n"), "{registered}");
    let mine = prefix.read("etc/portage/repos.conf/crossmerge.conf");
    assert_eq!(mine, "# mine\n");
    prefix.own(["toolchain", "remove", TUPLE]).success();
    assert!(
        !prefix
            .join("etc/portage/repos.conf/crossmerge1.conf")
            .exists()
    );
}

#[test]
fn a_toolchain_of_crossdevs_is_listed_and_updated_to_the_versions_of_a_system() {
    let prefix = prefix();
    let binutils = ["--stage", "binutils", "--binutils", "=2.44"];
    let words = ["toolchain", "build", TUPLE].iter().chain(&binutils);
    prefix.own(words).success();
    // Without the record, it is one of crossdev's.
    let records = prefix.join("var/lib/crossmerge/toolchains");
    fs::remove_dir_all(records).expect("the records");
    let listed = prefix.own(["toolchain", "list"]).success();
    assert_eq!(listed.stdout, format!("{CATEGORY}\n"));
    let status = prefix.own(["toolchain", "status"]).success();
    assert!(status.stdout.contains("binutils 2.44  "), "{status:?}");
    assert!(status.stdout.contains("  installed\n"), "{status:?}");
    prefix
        .own(["toolchain", "log", TUPLE])
        .fails(125, "has built no toolchain", "toolchain build");

    let empty = prefix.join("empty").display().to_string();
    fs::create_dir(&empty).expect("a directory");
    let update = ["toolchain", "update", TUPLE, "--no-test", "--like"];
    prefix.own(update.iter().chain(&[empty.as_str()])).fails(
        125,
        "contains no compiler",
        "var/db/pkg",
    );
    let system = prefix.join("system").display().to_string();
    for package in [
        "sys-devel/binutils-2.45.1",
        "sys-devel/gcc-14.3.0-r1",
        "sys-libs/musl-1.2.5",
        "app-misc/x-1",
    ] {
        fs::create_dir_all(format!("{system}/var/db/pkg/{package}")).expect("a package");
    }
    let run = prefix.own(update.iter().chain(&[system.as_str()]));
    assert!(run.stderr.contains("=14.3.0-r1"), "{run:?}");
    let gcc = "system/var/db/pkg/sys-devel/gcc-14.3.0-r1";
    fs::rename(
        prefix.join(gcc),
        prefix.join("system/var/db/pkg/sys-devel/gcc-15.2.0"),
    )
    .expect("gcc");
    prefix
        .own(update.iter().chain(&[system.as_str()]))
        .success();
    let status = prefix.own(["toolchain", "status"]).success();
    for package in ["binutils 2.45.1 ", "gcc-stage2 15.2.0 ", "musl 1.2.5 "] {
        assert!(status.stdout.contains(package), "{package}: {status:?}");
    }
}

#[test]
fn what_portage_refuses_is_undone() {
    let prefix = prefix();
    prefix.write(
        "etc/portage/package.mask/mine",
        &format!("{CATEGORY}/musl\n"),
    );
    prefix.write(&format!("etc/portage/package.use/{CATEGORY}"), "# mine\n");
    let before = files(&prefix);
    let run = build(&prefix);
    assert_eq!(run.code, Some(1), "{run:?}");
    for text in ["masked", "nothing was built", "-pretend.log"] {
        assert!(run.stderr.contains(text), "{text}: {run:?}");
    }
    assert_eq!(files(&prefix), before);
    assert_eq!(prefix.own(["toolchain", "list"]).success().stdout, "");
    fs::remove_file(prefix.join("etc/portage/package.mask/mine")).expect("the file");
}

#[test]
fn a_build_that_is_ended_in_each_step_goes_on_where_it_compiled() {
    let prefix = prefix();
    let mine = format!("etc/portage/package.use/{CATEGORY}");
    prefix.write(&mine, "# mine\n");
    let steps = [
        ("binutils", Signal::SIGINT, Some(130)),
        ("linux-headers", Signal::SIGTERM, Some(143)),
        ("gcc/none", Signal::SIGKILL, None),
        ("musl", Signal::SIGTERM, Some(143)),
        ("gcc/full", Signal::SIGINT, Some(130)),
        ("gcc/full", Signal::SIGTERM, Some(143)),
        ("gcc/full", Signal::SIGKILL, None),
    ];
    let place = prefix.path().display().to_string();
    let mut commands = BTreeMap::new();
    for (step, ..) in steps {
        let file = step.replace('/', "-");
        commands.insert(
            step,
            format!(
                "{step} configure echo {step} >> {place}/configured\n\
                 {step} compile touch {place}/reached-{file}; (trap '' TERM INT HUP; exec sleep 1000) & \
                 while [[ ! -e {place}/go-on-{file} ]]; do sleep 0.1; done; kill -9 $!\n"
            ),
        );
    }
    let commands: Vec<String> = commands.into_values().collect();
    prefix.write("etc/stand-in", &commands.concat());
    for (place, (step, signal, code)) in steps.into_iter().enumerate() {
        let file = step.replace('/', "-");
        let reached = prefix.join(format!("reached-{file}"));
        // The headers were reached beside binutils.
        let _ = fs::remove_file(&reached);
        let mut child = prefix.start(["toolchain", "build", TUPLE, "--no-test"]);
        wait_for(step, || reached.exists());
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a PID"));
        kill(pid, signal).expect("a signal");
        assert_eq!(child.wait().expect("an end").code(), code, "{step}");
        wait_for("all processes of the build end", || {
            processes(&prefix).is_empty()
        });
        let status = prefix.own(["toolchain", "status"]).success();
        assert!(status.stdout.contains("interrupted"), "{status:?}");
        if steps.get(place + 1).is_none_or(|(next, ..)| *next != step) {
            prefix.write(&format!("go-on-{file}"), "");
        }
    }
    let built = build(&prefix).success();
    assert!(built.stderr.contains("1 of 5 steps"), "{built:?}");
    let configured = prefix.read("configured");
    for (step, ..) in steps {
        let times = configured.lines().filter(|line| *line == step).count();
        assert_eq!(times, 1, "{step}: {configured}");
    }
    assert!(prefix.read(&mine).contains("# mine\n"));
    let builds = prefix.join(format!("var/tmp/portage/{CATEGORY}"));
    let left: Vec<_> = fs::read_dir(builds)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn crossdevs_options_build_the_same() {
    let prefix = prefix();
    prefix.link("crossdev");
    let shown = prefix
        .run("crossdev", ["--show-target-cfg", "-t", TUPLE])
        .success();
    let category = format!("category={CATEGORY}\n");
    assert!(shown.stdout.contains(&category), "{shown:?}");
    let main = prefix
        .run("crossdev", ["--show-repo-cfg", "MAIN_REPO_NAME"])
        .success();
    assert_eq!(main.stdout, "stand-ins\n");
    for (args, code) in [
        (&["-t", "help"][..], 0),
        (&["--help"], 0),
        (&["-V"], 0),
        (&["--nonsense", "-t", TUPLE], 1),
        (&[], 1),
        (&["-t", "x86_64-pc-linux-gnu"], 1),
        (&["-s5", "-t", TUPLE], 1),
        (&["--b", "$(id)", "-t", TUPLE], 1),
    ] {
        let run = prefix.run("crossdev", args);
        assert_eq!(run.code, Some(code), "{run:?}");
    }
    let rooted = prefix.with("ROOT", "/mnt/x").run("crossdev", ["-t", TUPLE]);
    assert_eq!(rooted.code, Some(2), "{rooted:?}");
    let before = files(&prefix);
    let pretended = prefix.run("crossdev", ["-P", "-pv", "-t", TUPLE]).success();
    assert!(pretended.stdout.contains("# 5/5  gcc"), "{pretended:?}");
    assert_eq!(files(&prefix), before);
    let built = prefix
        .run("crossdev", ["-S", "-s1", "-P", "-v", "-t", TUPLE])
        .success();
    assert!(
        built.stderr.contains(">>> "),
        "-v prints emerge's output: {built:?}"
    );
    let status = prefix.own(["toolchain", "status"]).success();
    assert_eq!(status.stdout.matches("done").count(), 2, "{status:?}");
    let keywords = prefix.read(&format!("etc/portage/package.accept_keywords/{CATEGORY}"));
    assert!(
        keywords.contains(&format!("{CATEGORY}/gcc arm -amd64 -~amd64\n")),
        "{keywords}"
    );
    prefix.run("crossdev", ["-f", "-C", TUPLE]).success();
    assert!(
        !prefix
            .join(format!("etc/portage/package.use/{CATEGORY}"))
            .exists()
    );
}

#[test]
fn posix_threads_of_windows_are_built_before_the_compiler_that_uses_them() {
    let prefix = prefix();
    prefix.write(
        "etc/stand-in",
        "gcc configure echo \"gcc $(stand-in_libc_state) ${EXTRA_ECONF}\" >> \"${EPREFIX}/tmp/order\"\n\
         mingw64-runtime configure echo \"libc $(usev libraries)\" >> \"${EPREFIX}/tmp/order\"\n",
    );
    let windows = "x86_64-w64-mingw32";
    let usual = ["toolchain", "build", windows, "--no-test", "--env"];
    let econf = "gcc:EXTRA_ECONF=--disable-lto";
    let build = |more: &[&str]| {
        let words = usual.iter().chain([&econf]).chain(more);
        prefix.own(words).success();
        let order = prefix.read("tmp/order");
        prefix.write("tmp/order", "");
        order
    };
    assert_eq!(
        build(&[]),
        "libc \ngcc headers --disable-lto\nlibc \ngcc full --disable-lto\n"
    );
    // The toolchain exists: only what the threads need is built.
    assert_eq!(
        build(&["--posix-threads"]),
        "libc libraries\ngcc full --disable-lto --enable-threads=posix\n"
    );
    let plan = prefix
        .own(["toolchain", "plan", windows, "--json"])
        .success();
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let steps = plan["steps"].as_array().expect("steps").iter();
    let steps: Vec<_> = steps
        .map(|step| {
            let options = step["environment"]["EXTRA_ECONF"].as_str();
            (step["name"].as_str().expect("a name"), options)
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("binutils", None),
            ("mingw64-runtime-headers", None),
            ("gcc-stage1", Some("--disable-lto")),
            ("mingw64-runtime", None),
            ("mingw64-runtime-threads", None),
            ("gcc-stage2", Some("--disable-lto --enable-threads=posix")),
        ]
    );
    let update = ["--pretend", "--update", "--newuse", "--deep", "@world"];
    let update = prefix.run_in("usr/bin/emerge", update).success();
    assert!(!update.stdout.contains("[ebuild"), "{update:?}");
}

#[test]
fn what_cannot_work_is_an_error_before_anything_changes() {
    let prefix = prefix();
    let before = files(&prefix);
    let plain = "etc/portage/package.mask";
    for (args, message) in [
        (
            &["--gcc", "3.4"][..],
            "no version of sys-devel/gcc is 3.4 for ARCH `arm`",
        ),
        (
            &["--repository", "gcc=/nowhere"],
            "there is no ebuild of sys-devel/gcc in `/nowhere/sys-devel/gcc`",
        ),
        (
            &["--output", "relative"],
            "`relative` is not an absolute path",
        ),
        (&["--gcc", "new"], "`new` is not a version"),
        (&["--env", "A B=c"], "is not NAME=VALUE"),
        (
            &["--extra", "gmp"],
            "`gmp` is not gcc, gdb or CATEGORY/NAME",
        ),
        (&["--llvm"], "LLVM is not installed"),
        (&["--posix-threads"], "only for GCC on Windows"),
    ] {
        let words = ["toolchain", "build", TUPLE].iter().chain(args);
        let run = prefix.own(words);
        assert_eq!(run.code, Some(125), "{run:?}");
        assert!(run.stderr.contains(message), "{message}: {run:?}");
    }
    for (tuple, message) in [
        ("x86_64-pc-linux-gnu", "is the build machine itself"),
        ("i686-pc-mingw32", "there is no toolchain"),
        ("or1k-unknown-none", "names no libc"),
    ] {
        let run = prefix.own(["toolchain", "build", tuple]);
        assert_eq!(run.code, Some(125), "{run:?}");
        assert!(run.stderr.contains(message), "{message}: {run:?}");
    }
    // A file system of 16 MiB for the builds.
    let script =
        format!("mount -t tmpfs -o size=16m tmp \"$1\"; exec crossmerge toolchain build {TUPLE}");
    let own_mounts = [
        "--user",
        "--map-root-user",
        "--mount",
        "bash",
        "-ec",
        &script,
        "bash",
    ];
    let builds = prefix.join("var/tmp").display().to_string();
    let words = own_mounts.iter().copied().chain([builds.as_str()]);
    let run = prefix.command("unshare", words);
    let message = format!("`{builds}` has 16 MiB of free space, and building gcc takes at least");
    run.fails(
        125,
        &message,
        "free some space there, or add PORTAGE_TMPDIR=",
    );

    assert_eq!(files(&prefix), before);
    prefix.write(plain, "# mine\n");
    let run = build(&prefix);
    assert!(run.stderr.contains("package.mask` is a file"), "{run:?}");
    assert!(run.stderr.contains("&& mkdir "), "{run:?}");
    fs::remove_file(prefix.join(plain)).expect("the file");
    assert_eq!(files(&prefix), before);
}
