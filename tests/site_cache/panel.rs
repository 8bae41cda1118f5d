//! The panel: the results of real packages' configure scripts with answers and with an emulator, compared with the
//! true ones.
//!
//! Each script runs in up to four ways, with the same compiler, sysroot and options. Its cache (`-C`) contains the
//! checks and their results. `docs/site-cache-panel.md` has the numbers, and the reason for each allowed difference.
//! Tests that only `make panel` runs are marked as ignored, because the whole panel takes more than an hour.

use crate::{
    build_systems::{ARM, Machine, S390X, Target},
    support::{Output, prepared},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A way to configure a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Build and host are both the target, whose programs run: the script guesses nothing and gets no answers.
    True,
    /// An ordinary cross build without a config.site.
    None,
    /// With the shipped answers.
    Answers,
    /// With an emulator.
    Emulate,
}

impl Way {
    /// The value of `site_cache` in the target's configuration.
    fn setting(self) -> &'static str {
        match self {
            Self::True | Self::None => "off",
            Self::Answers => "answers",
            Self::Emulate => "emulate",
        }
    }
}

/// A package of the panel.
struct Package {
    name: &'static str,
    /// The archive of its upstream sources, which `tests/setup` downloads.
    archive: &'static str,
    /// Options for every way.
    options: &'static str,
    /// Further options for a cross build, without which the script stops.
    cross: &'static str,
    /// Further options for a cross build without answers, without which the script stops.
    unanswered: &'static str,
    /// A shell script that builds the package in its build directory and tries the result, with `$t` as the tuple.
    build: &'static str,
}

/// A package that needs no options.
const PLAIN: Package = Package {
    name: "",
    archive: "",
    options: "",
    cross: "",
    unanswered: "",
    build: "",
};
const BASH: Package = Package {
    name: "bash",
    archive: "venv/var/cache/distfiles/bash_5.2.15.orig.tar.gz",
    build: r#"$t-env make -j2 CFLAGS=-O0
        test "$($t-run ./bash -c 'echo $BASH_VERSION')" = "5.2.15(1)-release""#,
    ..PLAIN
};
const COREUTILS: Package = Package {
    name: "coreutils",
    archive: "panel/coreutils-9.1.tar.xz",
    build: r#"rm ../src/man/*.1
        $t-env make -j2 CFLAGS=-O0
        grep "do not ignore entries" man/ls.1
        test "$($t-run src/expr 6 \* 7)" = 42"#,
    ..PLAIN
};
const DIFFUTILS: Package = Package {
    name: "diffutils",
    archive: "panel/diffutils-3.8.tar.xz",
    build: r#"$t-env make -j2 CFLAGS=-O0
        $t-run src/cmp Makefile Makefile"#,
    ..PLAIN
};
const FINDUTILS: Package = Package {
    name: "findutils",
    archive: "panel/findutils-4.9.0.tar.xz",
    build: r#"$t-env make -j2 CFLAGS=-O0
        test "$($t-run find/find . -maxdepth 1 -name config.log)" = ./config.log"#,
    ..PLAIN
};
/// OpenSSL's library for ARM needs atomic operations that the compiler cannot inline for the oldest CPUs.
const OPENSSH: Package = Package {
    name: "openssh",
    archive: "panel/openssh-9.2p1.tar.gz",
    build: r#"$t-env make -j2 CFLAGS=-O0 LIBS="-lcrypto -lz -latomic" ssh-keygen
        $t-run ./ssh-keygen -q -t ed25519 -N "" -f key
        grep "^ssh-ed25519 " key.pub"#,
    options: "LIBS=-latomic",
    ..PLAIN
};
/// If the script cannot run the Python that it builds, it needs another one of the same version.
const PYTHON: Package = Package {
    name: "python",
    archive: "panel/python-3.11.2.tar.gz",
    build: r#"$t-env make -j2 OPT=-O0 python
        test "$($t-run ./python -c 'print(6 * 7)')" = 42"#,
    cross: "--with-build-python=/usr/bin/python3.11",
    unanswered: "ac_cv_buggy_getaddrinfo=no ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no",
    ..PLAIN
};
const SED: Package = Package {
    name: "sed",
    archive: "chain/sed-4.9.tar.xz",
    build: r#"$t-env make -j2 CFLAGS=-O0
        test "$(echo 6 | $t-run sed/sed s/6/42/)" = 42"#,
    ..PLAIN
};

/// The oldest package: its gnulib is of 2021, whose macros ask other questions than today's. Debian's archive has no
/// documentation to build.
const TAR: Package = Package {
    name: "tar",
    archive: "panel/tar-1.34.tar.xz",
    build: r#"for part in gnu lib src; do $t-env make -j2 CFLAGS=-O0 -C $part; done
        $t-run src/tar -cf - config.log | tar -tf - | grep -x config.log"#,
    ..PLAIN
};

/// Variables about the build and not about the target: the environment, the three machine names, the names and paths
/// of programs, and the resolution of file times on the build machine.
const ABOUT_THE_BUILD: [&str; 7] = [
    "ac_cv_env_",
    "ac_cv_build",
    "ac_cv_host",
    "ac_cv_target",
    "ac_cv_prog_",
    "ac_cv_path_",
    "am_cv_filesystem_timestamp_resolution",
];

/// Enters the namespaces in which each way runs. The mount namespace has its own binfmt_misc with one rule or none.
/// The script runs as an ordinary user, because checks such as that of `mknod` have other results for root.
///
/// Checks also depend on the process: gnulib's check of F_DUPFD_CLOEXEC fails if descriptor 10 is inherited. So the
/// process inherits no descriptors, mask, ignored signals or terminal. CPython's script looks into the absolute path
/// of a header directory unless it cross-compiles, so the host's headers are hidden.
const ENTER: &str = r#"for descriptor in /proc/self/fd/*; do
    descriptor=${descriptor##*/}
    ((descriptor < 3)) || eval "exec $descriptor>&-"
done
umask 022
[[ ! -d /usr/include/ncursesw ]] || mount -t tmpfs none /usr/include/ncursesw
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
[[ -z $rule ]] || printf %s "$rule" > /proc/sys/fs/binfmt_misc/register
exec env -u rule --default-signal setsid --wait unshare -U --map-user=1000 --map-group=1000 -- /bin/sh -exc "$1"
"#;

/// Debian's name for a machine, the name of its library directory, and the kernel's rule for its programs.
fn names(machine: &Machine) -> (&'static str, &'static str, String) {
    let rule = |header: &str, mask: &str, qemu: &str| {
        format!(":panel:M::\\x7fELF{header}:{mask}:/usr/bin/{qemu}-static:PF")
    };
    let (zeros, ones) = (|n| "\\x00".repeat(n), |n| "\\xff".repeat(n));
    if machine.tuple == ARM.tuple {
        let header = format!("\\x01\\x01\\x01{}\\x02\\x00\\x28\\x00", zeros(9));
        let mask = format!("{}\\x00{}\\xfe{}", ones(7), ones(8), ones(3));
        (
            "armel",
            "arm-linux-gnueabi",
            rule(&header, &mask, "qemu-arm"),
        )
    } else {
        let header = format!("\\x02\\x02\\x01{}\\x00\\x02\\x00\\x16", zeros(9));
        let mask = format!("{}\\x00{}\\xfe{}", ones(7), ones(9), ones(2));
        (
            "s390x",
            "s390x-linux-gnu",
            rule(&header, &mask, "qemu-s390x"),
        )
    }
}

/// A package beside an initialised target.
struct Panel {
    target: Target,
    package: &'static Package,
    rule: String,
}

/// The result of a configure script.
struct Configured {
    /// The variables of its cache that are about the target.
    cache: BTreeMap<String, String>,
    /// The definitions in `config.h`, or on the compiler's command line.
    defines: BTreeSet<String>,
    took: Duration,
}

impl Panel {
    /// Makes a sysroot like that of an installed system: the libc with its character sets and two locales, and the
    /// libraries that OpenSSH needs.
    fn new(package: &'static Package, machine: &'static Machine) -> Self {
        let target = Target::new(machine);
        let (debian, libraries, rule) = names(machine);
        let endian = if machine.tuple == ARM.tuple {
            "little"
        } else {
            "big"
        };
        let script = format!(
            "mkdir -p $s/usr/lib/{libraries} $s/usr/lib/locale home src
             cp -a {debian}/usr/lib/{libraries}/gconv $s/usr/lib/{libraries}
             cp -a {locale}/. $s/usr/lib/locale
             cp -a {debian}/usr/include/openssl {debian}/usr/include/zlib.h {debian}/usr/include/zconf.h $s/usr/include
             cp -a {debian}/usr/include/{libraries}/openssl/. $s/usr/include/openssl
             cp -a {debian}/usr/lib/{libraries}/libz.a {debian}/usr/lib/{libraries}/libssl.a {debian}/usr/lib/{libraries}/libcrypto.a $s/usr/lib
             tar -xf {archive} -C src --strip-components=1",
            debian = prepared(&format!("debian/{debian}")).display(),
            locale = prepared(&format!("locale/{endian}")).display(),
            archive = prepared(package.archive).display(),
        );
        target.shell(&script).success();
        Self {
            target,
            package,
            rule,
        }
    }

    /// Runs the configure script.
    fn configure(&self, way: Way) -> Configured {
        let (prefix, package) = (&self.target.prefix, self.package);
        let tuple = self.target.machine.tuple;
        let settings = format!("etc/crossmerge/targets/{tuple}.toml");
        let text = prefix.read(&settings);
        let (_, rest) = text.rsplit_once("# the panel\n").unwrap_or(("", &text));
        let setting = way.setting();
        prefix.write(
            &settings,
            &format!("site_cache = \"{setting}\"\n# the panel\n{rest}"),
        );
        let options = match way {
            Way::True => format!("--build={tuple} --host={tuple}"),
            Way::None => format!("{} {}", package.cross, package.unanswered),
            Way::Answers | Way::Emulate => package.cross.into(),
        };
        let script = format!(
            "mkdir {way:?}; cd {way:?}; $t-configure ../src/configure -C {} {options}",
            package.options
        );
        let started = Instant::now();
        let output = self.enter(way, &script);
        let took = started.elapsed();
        let output = output.success();
        runs_programs(&output, matches!(way, Way::True | Way::Emulate));
        Configured {
            cache: cache(&prefix.read(&format!("{way:?}/config.cache"))),
            defines: defines(&String::from_utf8_lossy(
                &fs::read(prefix.join(format!("{way:?}/config.log"))).expect("config.log"),
            )),
            took,
        }
    }

    /// Runs a shell script in the directory of all files.
    fn enter(&self, way: Way, script: &str) -> Output {
        let prefix = self.target.prefix.with("t", self.target.machine.tuple);
        let prefix = if way == Way::True {
            let prefix = prefix.with("rule", &self.rule);
            prefix.with("QEMU_LD_PREFIX", &self.target.sysroot)
        } else {
            prefix.with("rule", "")
        };
        prefix.command(
            "unshare",
            ["-Urm", "/bin/bash", "-ec", ENTER, "bash", script],
        )
    }
}

/// Checks whether configure treated the build as a cross build.
fn runs_programs(output: &Output, runs: bool) {
    let line = "whether we are cross compiling... ";
    let results: Vec<&str> = output
        .stdout
        .lines()
        .filter_map(|l| l.split(line).nth(1))
        .collect();
    let wanted = if runs { "no" } else { "yes" };
    assert!(
        !results.is_empty() && results.iter().all(|&it| it == wanted),
        "{results:?} in {output:#?}"
    );
}

/// Reads the variables of a `config.cache` that are about the target: lines `name=${name=value}`.
fn cache(text: &str) -> BTreeMap<String, String> {
    let parts = |line: &str| {
        let (name, rest) = line.split_once("=${")?;
        let value = rest
            .strip_prefix(name)?
            .strip_prefix('=')?
            .strip_suffix('}')?;
        let value = value
            .strip_prefix('\'')
            .and_then(|v| v.strip_suffix('\''))
            .unwrap_or(value);
        let is_about_the_build = ABOUT_THE_BUILD.iter().any(|it| name.starts_with(it));
        (!is_about_the_build).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(parts).collect()
}

/// Reads the definitions at the end of a `config.log`.
fn defines(text: &str) -> BTreeSet<String> {
    let (_, end) = text
        .rsplit_once("\n/* confdefs.h */\n")
        .expect("the definitions");
    end.lines()
        .filter(|line| line.starts_with("#define "))
        .map(str::to_owned)
        .collect()
}

/// The differences between a script's results and the true ones.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Variables with another value, or in one cache only: the true value, and the other one.
    wrong: BTreeMap<String, [String; 2]>,
    /// Variables whose value is right but called a guess.
    guesses: Vec<String>,
    /// The number of names that `config.h` defines differently, or that only one of the two defines.
    defines: usize,
}

impl Difference {
    fn counts(&self) -> String {
        format!(
            "{} + {} + {}",
            self.wrong.len(),
            self.guesses.len(),
            self.defines
        )
    }
}

/// The file with the true results of sed for ARM, which `make panel` measures and compares.
fn record() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/panel-sed-arm")
}

impl Configured {
    /// The true results of sed for ARM. To measure them takes a minute, because QEMU runs each command of the script's
    /// programs.
    fn recorded() -> Self {
        let text = fs::read_to_string(record()).expect("the record");
        let (defines, cache) = text
            .lines()
            .partition::<Vec<_>, _>(|line| line.starts_with("#define "));
        let variable = |line: &str| {
            let (name, value) = line.split_once('=').expect("a variable");
            (name.to_owned(), value.to_owned())
        };
        Self {
            cache: cache.into_iter().map(variable).collect(),
            defines: defines.into_iter().map(str::to_owned).collect(),
            took: Duration::ZERO,
        }
    }

    /// Returns the text of [`record`].
    fn to_text(&self) -> String {
        let cache = self.cache.iter();
        let cache = cache.map(|(name, value)| format!("{name}={value}\n"));
        let defines = self.defines.iter().map(|line| format!("{line}\n"));
        cache.chain(defines).collect()
    }

    fn differs_from(&self, truth: &Self) -> Difference {
        let mut difference = Difference::default();
        let names: BTreeSet<&String> = truth.cache.keys().chain(self.cache.keys()).collect();
        for name in names {
            let of = |it: &Self| {
                it.cache
                    .get(name)
                    .map_or("not asked", String::as_str)
                    .to_owned()
            };
            let (true_value, value) = (of(truth), of(self));
            // A script always guesses if a check could do harm.
            let plain = |value: &str| value.trim_start_matches("guessing ").to_owned();
            if plain(&value) != plain(&true_value) {
                difference.wrong.insert(name.clone(), [true_value, value]);
            } else if value != plain(&value) && value != true_value {
                difference.guesses.push(name.clone());
            }
        }
        let other = self.defines.symmetric_difference(&truth.defines);
        let names = other.filter_map(|line| line.split([' ', '(']).nth(1));
        difference.defines = names.collect::<BTreeSet<_>>().len();
        difference
    }
}

/// The differences that the page explains for a package and a target: variable, true value and crossmerge's answer.
fn explained(package: &str, tuple: &str) -> BTreeMap<String, [String; 2]> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/site-cache-panel.md");
    let page = fs::read_to_string(&page).expect("the page");
    let (_, differences) = page
        .split_once("\n## What may differ\n")
        .expect("the section");
    let rows = differences.lines().filter_map(|line| {
        let cells: Vec<&str> = line
            .trim_matches('|')
            .split('|')
            .map(|it| it.trim().trim_matches('`'))
            .collect();
        let &[name, target, variable, truth, answer, why] = cells.as_slice() else {
            return None;
        };
        assert!(!why.is_empty(), "no reason: {line}");
        (name == package && (target == tuple || target == "both"))
            .then(|| (variable.to_owned(), [truth, answer].map(str::to_owned)))
    });
    rows.collect()
}

/// Configures a package for a target in each way, and checks the promises of the page.
fn panel(package: &'static Package, machine: &'static Machine, is_whole: bool) {
    let panel = Panel::new(package, machine);
    let truth = match is_whole {
        true => panel.configure(Way::True),
        false => Configured::recorded(),
    };
    let emulate = panel.configure(Way::Emulate);
    let mut answers = panel.configure(Way::Answers);
    // Every answer is in the cache, whether the script asked or not.
    let render = ["site-cache", "render", machine.tuple];
    let shipped = panel.target.prefix.own(render).success().stdout;
    let is_given = |name: &str| {
        shipped.contains(&format!("${{{name}=")) || shipped.contains(&format!("${{{name}+"))
    };
    answers
        .cache
        .retain(|name, _| truth.cache.contains_key(name) || !is_given(name));
    let (emulated, answered) = (emulate.differs_from(&truth), answers.differs_from(&truth));

    if is_whole {
        let rows = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panel");
        fs::create_dir_all(&rows).expect("a directory");
        if (package.name, machine.tuple) == (SED.name, ARM.tuple) {
            let measured = rows.join("sed-arm");
            fs::write(&measured, truth.to_text()).expect("a file");
            let is_same = truth.to_text() == Configured::recorded().to_text();
            let (measured, record) = (measured.display(), record());
            let record = record.display();
            assert!(
                is_same,
                "the true results have changed: cp {measured} {record}"
            );
        }
        let none = panel.configure(Way::None);
        let ratio =
            |it: &Configured| format!("{:.1}", it.took.as_secs_f64() / none.took.as_secs_f64());
        let row = [
            package.name.to_owned(),
            machine.tuple.to_owned(),
            truth.cache.len().to_string(),
            none.differs_from(&truth).counts(),
            answered.counts(),
            emulated.counts(),
            ratio(&answers),
            ratio(&emulate),
            ratio(&truth),
        ];
        let file = rows.join(format!("{}-{}", package.name, machine.tuple));
        fs::write(file, format!("| {} |\n", row.join(" | "))).expect("a row");
    }

    let named = format!("{} for {}", package.name, machine.tuple);
    let is_much = truth.cache.len() > 100 && truth.defines.len() > 50;
    assert!(is_much, "{named}: too little was asked");
    assert_eq!(emulated, Difference::default(), "{named} with an emulator");
    let explained = explained(package.name, machine.tuple);
    assert_eq!(
        answered.wrong, explained,
        "{named} with answers, and what docs/site-cache-panel.md explains"
    );
    assert!(explained.len() <= 2, "{named}: {explained:#?}");
    let left = |name: &&String| is_given(name);
    let left: Vec<&String> = answered.guesses.iter().filter(left).collect();
    assert!(
        left.is_empty(),
        "{named}: an answer is there and was not taken: {left:?}"
    );
}

/// Builds a whole package with an emulator, with the checks of its Makefiles and the files that the target's programs
/// generate.
fn builds(package: &'static Package) {
    let panel = Panel::new(package, &ARM);
    panel.configure(Way::Emulate);
    let script = format!("cd {:?}\n{}", Way::Emulate, package.build);
    panel.enter(Way::Emulate, &script).success();
}

/// The short form of the panel. Its script has gnulib's checks, which ask for most of the answers. `verify` confirms
/// the answers on a big-endian target.
#[test]
fn sed_for_arm_gets_true_answers() {
    panel(&SED, &ARM, false);
}

/// A module for each package, with a test for each target and one that builds the package.
macro_rules! whole {
    ($($name:ident $package:ident),*) => {
        mod whole {$(
            mod $name {
                use super::super::{ARM, S390X, $package, builds, panel};
                #[test]
                #[ignore = "`make panel` runs it"]
                fn build() {
                    builds(&$package);
                }
                #[test]
                #[ignore = "`make panel` runs it"]
                fn arm() {
                    panel(&$package, &ARM, true);
                }
                #[test]
                #[ignore = "`make panel` runs it"]
                fn s390x() {
                    panel(&$package, &S390X, true);
                }
            }
        )*}
    };
}

whole!(bash BASH, coreutils COREUTILS, diffutils DIFFUTILS, findutils FINDUTILS, openssh OPENSSH, python PYTHON, sed SED, tar TAR);
