//! The panel: what real packages' configure scripts find out with answers and with an emulator, beside what is true.
//!
//! A script is run in up to four ways, with the same compiler, sysroot and options. The cache that it leaves (`-C`) says what it
//! asked and what it found; `docs/site-cache-panel.md` has the numbers, and the differences that may be there with the reason for
//! each. The tests that `make panel` alone runs are marked as ignored, for the whole takes more than an hour.

use crate::{
    build_systems::{ARM, Machine, S390X, Target},
    support::{Said, prepared},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// A way of configuring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Build and host are the target, and its programs run: nothing is guessed, nothing answered.
    True,
    /// An ordinary cross build without a config.site.
    None,
    /// With the answers that we ship.
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
    /// Its upstream sources, where `tests/setup` has put them.
    archive: &'static str,
    /// Options for every way.
    options: &'static str,
    /// Options for a cross build that has to be told: the script ends without them.
    cross: &'static str,
    /// What else it ends without where it is given no answers.
    unanswered: &'static str,
    /// What a shell does where it is configured, with `$t` as the tuple: build it, and try what was built.
    build: &'static str,
}

/// One that needs to be told nothing.
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
/// OpenSSL's library for ARM needs what the compiler cannot do in place on the oldest ones.
const OPENSSH: Package = Package {
    name: "openssh",
    archive: "panel/openssh-9.2p1.tar.gz",
    build: r#"$t-env make -j2 CFLAGS=-O0 LIBS="-lcrypto -lz -latomic" ssh-keygen
        $t-run ./ssh-keygen -q -t ed25519 -N "" -f key
        grep "^ssh-ed25519 " key.pub"#,
    options: "LIBS=-latomic",
    ..PLAIN
};
/// Its configure script wants a Python of its own version, to run when it cannot run the one it builds.
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

/// The oldest of them: gnulib of 2021, whose macros ask other questions than today's. Debian's archive has no documentation to build.
const TAR: Package = Package {
    name: "tar",
    archive: "panel/tar-1.34.tar.xz",
    build: r#"for part in gnu lib src; do $t-env make -j2 CFLAGS=-O0 -C $part; done
        $t-run src/tar -cf - config.log | tar -tf - | grep -x config.log"#,
    ..PLAIN
};

/// Variables that tell of the build and not of the target: the environment, the three names of machines, which programs
/// were found, where, and how they are called, and how exact the times of files are where the build takes place.
const ABOUT_THE_BUILD: [&str; 7] = [
    "ac_cv_env_",
    "ac_cv_build",
    "ac_cv_host",
    "ac_cv_target",
    "ac_cv_prog_",
    "ac_cv_path_",
    "am_cv_filesystem_timestamp_resolution",
];

/// What each way is run by: a mount namespace whose binfmt_misc is its own, with one rule or none, and an ordinary user there, for
/// what a script finds out about `mknod` and its like is another thing for root. It also finds out about the process that it
/// is: gnulib's test of F_DUPFD_CLOEXEC fails where descriptor 10 was inherited. So whatever started the tests leaves no
/// descriptor, mask, signal that is ignored, or terminal. And where CPython's does not cross-compile, it looks into a directory of
/// headers by its whole path: what the host has there is not the target's.
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

/// What Debian calls a machine, how its own libraries' directory is called, and the kernel's rule for its programs.
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

/// A package beside a target that is set up.
struct Panel {
    target: Target,
    package: &'static Package,
    rule: String,
}

/// What a run of a configure script left.
struct Configured {
    /// The variables of its cache that tell of the target.
    cache: BTreeMap<String, String>,
    /// What goes into `config.h`, or onto the compiler's command line.
    defines: BTreeSet<String>,
    took: Duration,
}

impl Panel {
    /// Sets up a sysroot as a system that is installed has it: the libc with its character sets and two locales, and the
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
        let said = self.enter(way, &script);
        let took = started.elapsed();
        let said = said.success();
        runs_programs(&said, matches!(way, Way::True | Way::Emulate));
        Configured {
            cache: cache(&prefix.read(&format!("{way:?}/config.cache"))),
            defines: defines(&String::from_utf8_lossy(
                &fs::read(prefix.join(format!("{way:?}/config.log"))).expect("config.log"),
            )),
            took,
        }
    }

    /// Runs a script of a shell's in the directory of all.
    fn enter(&self, way: Way, script: &str) -> Said {
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

/// Checks that configure took the build for what it is.
fn runs_programs(said: &Said, runs: bool) {
    let line = "whether we are cross compiling... ";
    let told: Vec<&str> = said
        .stdout
        .lines()
        .filter_map(|l| l.split(line).nth(1))
        .collect();
    let wanted = if runs { "no" } else { "yes" };
    assert!(
        !told.is_empty() && told.iter().all(|&it| it == wanted),
        "{told:?} in {said:#?}"
    );
}

/// Reads the variables of a `config.cache` that tell of the target: lines `name=${name=value}`.
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

/// How what a script found out differs from the truth.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Variables with another value, or in one cache only: the true value, and the other.
    wrong: BTreeMap<String, [String; 2]>,
    /// Variables whose value is right and called a guess.
    guesses: Vec<String>,
    /// How many names stand in `config.h` with another definition, or in one only.
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

impl Configured {
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
            // Where a test could do harm, a script guesses in any build.
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

/// The differences that are explained for a package and a target, from the page: variable, true value and our answer.
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

/// Configures a package for a target in each way, and checks what the page promises.
fn panel(package: &'static Package, machine: &'static Machine, is_whole: bool) {
    let panel = Panel::new(package, machine);
    let truth = panel.configure(Way::True);
    let emulate = panel.configure(Way::Emulate);
    let mut answers = panel.configure(Way::Answers);
    // What is given stands in the cache whether it was asked or not.
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
        let rows = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panel");
        fs::create_dir_all(&rows).expect("a directory");
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

/// Builds a package with an emulator to its end: what its Makefiles ask of the target, or make with the target's programs, too.
fn builds(package: &'static Package) {
    let panel = Panel::new(package, &ARM);
    panel.configure(Way::Emulate);
    let script = format!("cd {:?}\n{}", Way::Emulate, package.build);
    panel.enter(Way::Emulate, &script).success();
}

#[test]
fn sed_for_arm_is_told_the_truth() {
    panel(&SED, &ARM, false);
}

#[test]
fn bash_for_s390x_is_told_the_truth() {
    panel(&BASH, &S390X, false);
}

/// A module for each package, with a test for each target and one that builds it.
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
