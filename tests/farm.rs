//! `crossmerge farm`, and compiler caches with the real ccache.

use crate::support::{Output, Prefix, needs_root};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

const ARM: &str = "armv5tel-softfloat-linux-gnueabi";
const OLDER: &str = "armv4tl-softfloat-linux-gnueabi";

/// A compiler cache with two targets, whose compilers write their version into each object.
struct Cached {
    prefix: Prefix,
}

/// The way in which ccache is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `ccache <tuple>-gcc`.
    Named,
    /// A symlink `<tuple>-gcc` to ccache, first in PATH.
    Masqueraded,
    /// In the environment of `<tuple>-env`.
    Environment,
}

const WAYS: [Way; 3] = [Way::Named, Way::Masqueraded, Way::Environment];

impl Cached {
    fn new() -> Self {
        let mut prefix = Prefix::new();
        prefix.set("CCACHE_DIR", prefix.join("cache"));
        prefix.set("CCACHE_STATSLOG", prefix.join("stats"));
        // An update replaces this file.
        fs::remove_file(prefix.join("bin/crossmerge")).expect("the symlink");
        fs::copy(crate::support::CROSSMERGE, prefix.join("bin/crossmerge")).expect("a copy");
        fs::create_dir(prefix.join("masquerade")).expect("a directory");
        for tuple in [ARM, OLDER] {
            fs::create_dir_all(prefix.join(format!("usr/{tuple}"))).expect("a sysroot");
            for tool in ["gcc", "env"] {
                prefix.link(&format!("{tuple}-{tool}"));
            }
            let link = prefix.join(format!("masquerade/{tuple}-gcc"));
            symlink("/usr/bin/ccache", link).expect("a link");
        }
        prefix.write("a.c", "int f(int x) { return x + 1; }\n");
        let cached = Self { prefix };
        cached.upgrade("sdk", 1);
        cached.upgrade("other", 2);
        cached.adopt(ARM, "sdk", "");
        cached.adopt(OLDER, "sdk", "");
        cached
    }

    /// Replaces a compiler behind its name. The preprocessor's output is the same for each version.
    fn upgrade(&self, sdk: &str, version: u32) {
        let text =
            format!("#!/bin/sh\nexec /usr/bin/gcc -Wa,--defsym,version_{version}=1 \"$@\"\n");
        self.prefix.script(&format!("{sdk}/bin/x-gcc"), &text);
    }

    fn adopt(&self, tuple: &str, sdk: &str, options: &str) {
        let prefix = self.prefix.join(format!("{sdk}/bin/x-"));
        self.prefix.write(
            &format!("etc/crossmerge/targets/{tuple}.toml"),
            &format!(
                "[toolchain]\nkind = \"gnu\"\nprefix = \"{}\"\noptions = [{options}]\n",
                prefix.display()
            ),
        );
    }

    /// Compiles, and returns whether ccache had the object.
    #[track_caller]
    fn is_hit(&self, tuple: &str, way: Way, symbol: &str) -> bool {
        let mut prefix = self.prefix.with("LC_ALL", "C");
        fs::write(prefix.join("stats"), "").expect("a log");
        let gcc = format!("{tuple}-gcc");
        let compile = ["-O2", "-c", "a.c", "-o", "a.o"];
        let output = match way {
            Way::Named => prefix.command("ccache", [&[gcc.as_str()], &compile[..]].concat()),
            Way::Masqueraded => {
                prefix.put_first_in_path(&["masquerade"]);
                prefix.command("env", [&[gcc.as_str()], &compile[..]].concat())
            }
            Way::Environment => {
                let args = [&["ccache", gcc.as_str()], &compile[..]].concat();
                prefix.run(&format!("{tuple}-env"), args)
            }
        };
        output.success();
        let object = fs::read(prefix.join("a.o")).expect("an object");
        let object = String::from_utf8_lossy(&object);
        assert!(
            object.contains(symbol),
            "{way:?}: no `{symbol}`, a stale object"
        );
        let log = prefix.read("stats");
        log.contains("cache_hit")
    }
}

#[test]
fn ccache_notices_each_change_of_the_compiler_with_and_without_our_environment() {
    for way in WAYS {
        let cached = Cached::new();
        let hits = |tuple: &str, symbol: &str| cached.is_hit(tuple, way, symbol);
        assert!(!hits(ARM, "version_1"), "{way:?}: the first object");
        assert!(hits(ARM, "version_1"), "{way:?}: nothing changed");
        cached.upgrade("sdk", 3);
        assert!(
            !hits(ARM, "version_3"),
            "{way:?}: an upgrade behind the name"
        );
        assert!(hits(ARM, "version_3"), "{way:?}: nothing changed");
        cached.adopt(ARM, "other", "");
        assert!(!hits(ARM, "version_2"), "{way:?}: another toolchain");
        cached.adopt(ARM, "other", "\"-Wa,--defsym,option=1\"");
        assert!(!hits(ARM, "option"), "{way:?}: another option");
        assert!(hits(ARM, "option"), "{way:?}: nothing changed");
        cached.adopt(ARM, "other", "");
        assert!(hits(ARM, "version_2"), "{way:?}: the old options again");
        assert!(!hits(OLDER, "version_3"), "{way:?}: another target");
        // An update of crossmerge: other bytes, another time.
        let program = cached.prefix.join("bin/crossmerge");
        let mut bytes = fs::read(&program).expect("the program");
        bytes.push(0);
        fs::remove_file(&program).expect("the old program");
        fs::write(&program, bytes).expect("the new program");
        let mode = fs::metadata(crate::support::CROSSMERGE)
            .expect("a mode")
            .permissions();
        fs::set_permissions(&program, mode).expect("a mode");
        // Without the environment, ccache takes crossmerge for the compiler. The object is right, but compiled again.
        let is_hit = hits(ARM, "version_2");
        assert_eq!(
            is_hit,
            way == Way::Environment,
            "{way:?}: an update of crossmerge"
        );
    }
}

#[test]
fn only_the_preprocessor_of_a_compiler_cache_gets_the_marker() {
    let cached = Cached::new();
    let preprocessed = |command: &[&str]| {
        let (program, args) = command.split_first().expect("a program");
        let output = cached.prefix.command(program, args).success();
        output.stdout
    };
    let gcc = format!("{ARM}-gcc");
    let plain = preprocessed(&["env", &gcc, "-E", "a.c"]);
    assert!(!plain.contains("crossmerge"), "{plain}");
    // A shell that is called `ccache` or `sccache` stands for the cache.
    for (cache, check, is_marked) in [
        ("ccache", "", true),
        ("ccache", "content", true),
        ("ccache", "string:x", false),
        ("sccache", "string:x", false),
        ("sccache -x c", "string:x", true),
        ("make", "", false),
    ] {
        let (cache, options) = cache.split_once(' ').unwrap_or((cache, ""));
        let program = cached.prefix.join(format!("tools/{cache}"));
        fs::create_dir_all(cached.prefix.join("tools")).expect("a directory");
        fs::copy("/bin/sh", &program).expect("a shell");
        let prefix = cached.prefix.with("CCACHE_COMPILERCHECK", check);
        let script = format!("{gcc} {options} -E a.c; exit");
        let output = prefix.command(&program, ["-c", &script]).success().stdout;
        let has = output.contains("/dev/null/crossmerge-");
        assert_eq!(has, is_marked, "{cache} with {check:?}: {output}");
    }
}

#[test]
fn a_value_in_make_conf_stays() {
    let prefix = Prefix::with_portage();
    prefix.own(["init", OLDER, "--toolchain", "none"]).success();
    let has = || {
        let output = prefix.own(["plan", OLDER, "ebuild", "x.ebuild", "compile"]);
        output.success().stdout.contains("CCACHE_COMPILERCHECK")
    };
    prefix.script(&format!("bin/{OLDER}-gcc"), "#!/bin/sh\n");
    assert!(has());
    let make_conf = format!("usr/{OLDER}/etc/portage/make.conf");
    prefix.append(&make_conf, "CCACHE_COMPILERCHECK=\"%compiler% -v\"\n");
    assert!(!has());
}

/// A target with the host's cross compiler. In its commands, the directories of ccache and distcc are the prefix's own.
struct Farm(Prefix);

impl Farm {
    fn new(options: &[&str]) -> Self {
        needs_root();
        let prefix = Prefix::with_portage();
        // distccd serves as another user.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(prefix.path(), open).expect("a mode");
        for directory in ["ccache", "distcc", "served"] {
            fs::create_dir_all(prefix.join("usr/lib").join(directory)).expect("a directory");
        }
        let init = ["init", OLDER, "--toolchain", "arm-linux-gnueabi-"];
        prefix.own([&init[..], options].concat()).success();
        Self(prefix)
    }

    /// Runs a command of the prefix.
    fn run(&self, distcc: &str, command: &[&str]) -> Output {
        let script = format!(
            "mount --bind usr/lib/ccache /usr/lib/ccache && mount --bind {distcc} /usr/lib/distcc && exec \"$@\""
        );
        let args = [&["-m", "sh", "-c", script.as_str(), "sh"], command].concat();
        self.0.command("unshare", args)
    }

    fn own(&self, args: &[&str]) -> Output {
        let command = [&["crossmerge"], args].concat();
        self.run("usr/lib/distcc", &command)
    }

    fn make_conf(&self) -> String {
        self.0.read(&format!("usr/{OLDER}/etc/portage/make.conf"))
    }

    fn link(&self, engine: &str) -> PathBuf {
        self.0.join(format!("usr/lib/{engine}/{OLDER}-gcc"))
    }

    /// Starts distccd, with this script as the target's compiler.
    fn serve(&self, name: &str, script: &str) -> Server {
        let gcc = format!("{OLDER}-gcc");
        let compiler = self.0.script(&format!("servers/{name}/{gcc}"), script);
        let link = self.0.join(format!("usr/lib/served/{gcc}"));
        if !link.is_symlink() {
            symlink("/usr/bin/distcc", link).expect("a link");
        }
        let port = free_port();
        let path = format!(
            "PATH={}:/usr/bin:/bin",
            compiler.parent().expect("a directory").display()
        );
        let script = format!(
            "mount --bind usr/lib/served /usr/lib/distcc && exec env {path} timeout 120 distccd --user nobody --no-detach \
             --daemon --listen 127.0.0.1 --port {port} --allow 127.0.0.1 --log-stderr --verbose --jobs 2 2> {name}.log"
        );
        let prefix = self.0.with("TMPDIR", "/tmp");
        let child = prefix.start_program(["unshare", "-m", "sh", "-c", &script]);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "no distccd");
            std::thread::sleep(Duration::from_millis(20));
        }
        Server {
            host: format!("127.0.0.1:{port}"),
            child,
        }
    }

    /// Returns how many objects a server has compiled.
    fn jobs(&self, name: &str) -> usize {
        self.0
            .read(&format!("{name}.log"))
            .matches("COMPILE_OK")
            .count()
    }
}

/// A running distccd, which ends with the test.
struct Server {
    host: String,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // `timeout` passes the signal on, and distccd ends its children.
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn enable_makes_symlinks_and_a_block_which_disable_and_remove_take_away() {
    let farm = Farm::new(&[]);
    let make_conf = format!("usr/{OLDER}/etc/portage/make.conf");
    farm.0.append(&make_conf, "\nMINE=\"1\"\n");
    let before = farm.make_conf();
    let output = farm.own(&["farm", "enable", OLDER, "--dry-run"]).success();
    assert!(
        output.stdout.contains("+FEATURES=\"${FEATURES} ccache\""),
        "{output:#?}"
    );
    assert!(!farm.link("ccache").is_symlink());
    let enable = ["farm", "enable", OLDER, "ccache", "distcc"];
    let options = ["--ccache-dir", "/var/cache/mine", "--hosts", "localhost/2"];
    farm.own(&[&enable[..], &options].concat()).success();
    let wanted = "FEATURES=\"${FEATURES} ccache distcc\"\nCCACHE_DIR=\"/var/cache/mine\"\nDISTCC_HOSTS=\"localhost/2\"\n";
    assert!(farm.make_conf().contains(wanted), "{}", farm.make_conf());
    for (engine, program) in [("ccache", "/usr/bin/ccache"), ("distcc", "/usr/bin/distcc")] {
        assert_eq!(
            fs::read_link(farm.link(engine)).expect(engine),
            Path::new(program)
        );
    }
    // A later init keeps the block.
    farm.own(&["init", OLDER]).success();
    assert!(farm.make_conf().contains(wanted), "{}", farm.make_conf());
    // Each problem is found, and its command fixes it.
    fs::remove_file(farm.link("ccache")).expect("a link");
    for command in [
        &["farm", "status", OLDER][..],
        &["doctor", "--check", "farm", OLDER],
    ] {
        let output = farm.own(command);
        assert_eq!(output.code, Some(1), "{output:#?}");
        let fix = format!("crossmerge farm enable {OLDER} ccache");
        assert!(output.stdout.contains(&fix), "{output:#?}");
    }
    let warning = || {
        let plan = farm.own(&["plan", OLDER, "emerge", "app-misc/hello"]);
        plan.success()
            .stderr
            .contains("FEATURES contains ccache, and")
    };
    assert!(warning());
    farm.own(&["farm", "enable", OLDER, "ccache"]).success();
    assert!(!warning());
    farm.own(&["doctor", "--check", "farm", OLDER]).success();
    // The list of hosts has the build machine alone.
    let output = farm.own(&["farm", "status", OLDER]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(
        output.stdout.contains("names no other machine"),
        "{output:#?}"
    );
    farm.own(&["farm", "disable", OLDER, "distcc"]).success();
    assert!(!farm.link("distcc").is_symlink() && farm.link("ccache").is_symlink());
    farm.own(&["farm", "status", OLDER]).success();
    farm.own(&["farm", "disable", OLDER]).success();
    assert!(!farm.link("ccache").is_symlink());
    assert_eq!(farm.make_conf(), before);
    // A symlink that the user made is neither changed nor removed.
    symlink("/usr/bin/ccache", farm.link("ccache")).expect("a link");
    farm.own(&["farm", "enable", OLDER, "ccache"]).success();
    let clang = farm.0.join(format!("usr/lib/ccache/{OLDER}-cc"));
    assert!(clang.is_symlink());
    farm.own(&["remove", OLDER]).success();
    assert!(farm.link("ccache").is_symlink() && !clang.is_symlink());
    assert!(!farm.0.join(format!("var/lib/crossmerge/{OLDER}")).exists());
    let left = farm.0.read(&make_conf);
    assert!(left.contains("MINE") && !left.contains("ccache"), "{left}");
}

#[test]
fn a_kernel_compiles_through_ccache_if_that_is_enabled() {
    let mut farm = Farm::new(&[]);
    let stats = farm.0.join("stats");
    farm.0.set("CCACHE_STATSLOG", &stats);
    let makefile = "U_BOOT_VERSION = 2026\nCC = $(CROSS_COMPILE)gcc\nall:\n\t@echo \"$(CC)\"\n\t@$(CC) -c -o x.o x.c\n";
    farm.0.write("boot/Makefile", makefile);
    farm.0.write("boot/x.c", "int x;\n");
    let xkmake = format!("{OLDER}-xkmake");
    let make = |words: &[&str]| {
        let command = [&[xkmake.as_str(), "-s", "-C", "boot"], words].concat();
        farm.run("usr/lib/distcc", &command).success()
    };
    assert_eq!(make(&[]).stdout, "/usr/bin/arm-linux-gnueabi-gcc\n");
    let directory = farm.0.join("objects").display().to_string();
    fs::create_dir(&directory).expect("a directory");
    let enable = ["farm", "enable", OLDER, "ccache", "--ccache-dir"];
    farm.own(&[&enable[..], &[&directory]].concat()).success();
    for is_hit in [false, true] {
        let output = make(&[]).stdout;
        assert_eq!(output, "ccache /usr/bin/arm-linux-gnueabi-gcc\n");
        let log = fs::read_to_string(&stats).expect("ccache's log");
        assert_eq!(log.contains("direct_cache_hit"), is_hit, "{log}");
    }
    assert!(fs::read_dir(&directory).expect("objects").count() > 0);
    // The caller's own compiler, which the key of the target's does not describe.
    for own in [
        "CROSS_COMPILE=arm-linux-gnueabi-",
        "CC=arm-linux-gnueabi-gcc",
    ] {
        assert_eq!(make(&[own]).stdout, "arm-linux-gnueabi-gcc\n", "{own}");
        let plan = farm.own(&["plan", OLDER, "xkmake", "-C", "boot", own]);
        let plan = plan.success().stdout;
        assert!(!plan.contains("CCACHE_COMPILERCHECK"), "{plan}");
    }
    let script = format!("mount --bind /dev/null /usr/bin/ccache && exec {xkmake} -s -C boot");
    let output = farm.0.command("unshare", ["-m", "sh", "-c", &script]);
    let output = output.success();
    assert_eq!(output.stdout, "/usr/bin/arm-linux-gnueabi-gcc\n");
    assert!(
        output
            .stderr
            .contains("ccache is in FEATURES and is not installed"),
        "{output:#?}"
    );
}

#[test]
fn packages_compile_on_the_hosts_of_distcc_and_status_compares_their_compilers() {
    let farm = Farm::new(&["--with-libc"]);
    let good = farm.serve("good", "#!/bin/sh\nexec arm-linux-gnueabi-gcc \"$@\"\n");
    let other = "#!/bin/sh\nexec clang --target=arm-linux-gnueabi \"$@\"\n";
    let other = farm.serve("other", other);
    let absent = format!("127.0.0.1:{}", free_port());
    let status = |hosts: &str| {
        farm.own(&["farm", "enable", OLDER, "distcc", "--hosts", hosts])
            .success();
        farm.own(&["farm", "status", OLDER])
    };
    let output = status(&format!("{} {absent} {}/3", other.host, good.host));
    assert_eq!(output.code, Some(1), "{output:#?}");
    for wanted in [
        format!("{}: error: its compiler is `", other.host),
        format!("{absent}: error: no distccd answers"),
        format!("{}/3: GCC: (", good.host),
    ] {
        assert!(
            output.stdout.contains(&wanted),
            "no {wanted:?} in {output:#?}"
        );
    }
    assert_eq!((farm.jobs("good"), farm.jobs("other")), (1, 1));
    // A host without the compiler.
    fs::remove_file(farm.0.join(format!("servers/other/{OLDER}-gcc"))).expect("the compiler");
    let output = status(&other.host);
    assert!(
        output.stdout.contains("the compiler is missing"),
        "{output:#?}"
    );
    status(&good.host).success();
    let emerge = farm
        .0
        .join(format!("bin/{OLDER}-emerge"))
        .display()
        .to_string();
    let emerge = [emerge.as_str(), "--oneshot", "app-arch/bzip2"];
    farm.run("usr/lib/distcc", &emerge).success();
    assert!(farm.jobs("good") > 5, "{}", farm.0.read("good.log"));
}
