//! `crossmerge farm`, and compiler caches with the real ccache.

use crate::support::Prefix;
use std::{fs, os::unix::fs::symlink};

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
