//! Every magic and mask, compared with headers made by hand, with the output of real compilers, and with the kernel.

use super::{COMPILERS, PROGRAM, compile, in_namespace};
use crate::support::Prefix;
use crossmerge::{
    config::{Config, ConfigError},
    qemu::rule::{self, Rule},
};
use crossmerge_plan::env::Env;
use std::{collections::BTreeSet, fmt::Write as _, io::Read, path::Path};

/// Compilers with options that choose another machine than their default. They have no libc for it, so the program
/// uses none.
const OTHER_MACHINES: [(&str, &str, &str); 18] = [
    ("mips64el-linux-gnuabi64", "-EB -mabi=64", "mips64"),
    ("mips64el-linux-gnuabi64", "-mabi=n32", "mipsn32el"),
    ("mips64el-linux-gnuabi64", "-EB -mabi=n32", "mipsn32"),
    ("mips64el-linux-gnuabi64", "-mabi=32", "mipsel"),
    ("mips64el-linux-gnuabi64", "-mabi=32 -mfp64", "mipsel"),
    ("mips64el-linux-gnuabi64", "-EB -mabi=32", "mips"),
    ("arm-linux-gnueabi", "-mbig-endian", "armeb"),
    ("aarch64-linux-gnu", "-mbig-endian", "aarch64_be"),
    ("powerpc64le-linux-gnu", "-mbig -mabi=elfv1", "ppc64"),
    ("powerpc-linux-gnu", "-m64", "ppc64"),
    ("sparc64-linux-gnu", "-m32", "sparc32plus"),
    ("sparc64-linux-gnu", "-m32 -mcpu=v8", "sparc"),
    ("riscv64-linux-gnu", "-march=rv32gc -mabi=ilp32d", "riscv32"),
    ("x86_64-linux-gnu", "-m32", "i386"),
    ("x86_64-linux-gnu", "-mx32", "-"),
    ("s390x-linux-gnu", "-m31", "-"),
    ("aarch64-linux-gnu", "-mabi=ilp32", "-"),
    ("powerpc64le-linux-gnu", "-m32", "-"),
];

/// Exits with 7 without a libc, because QEMU 7.2 hangs in the start code of Debian's glibc for this CPU.
const EXIT_OF_SH4: &str = r#"void _start(void)
{
	register long number __asm__("r3") = 1;
	register long code __asm__("r4") = 7;
	__asm__ volatile("trapa #0x11" : : "r"(number), "r"(code));
}
"#;

const ET_REL: u16 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

/// A line of `tests/data/elf-headers.tsv`.
#[derive(Debug)]
struct Line {
    qemu: Option<String>,
    class: u8,
    is_big: bool,
    machine: u16,
    flags: u32,
}

impl Line {
    /// The whole header, with every field.
    fn header(&self, elf_type: u16, os_abi: u8) -> Vec<u8> {
        let mut header = vec![
            0x7f,
            b'E',
            b'L',
            b'F',
            self.class,
            1 + u8::from(self.is_big),
            1,
            os_abi,
        ];
        header.resize(16, 0);
        let mut put = |number: u64, bytes: usize| {
            let number = number.to_be_bytes();
            let number = &number[8 - bytes..];
            match self.is_big {
                true => header.extend(number),
                false => header.extend(number.iter().rev()),
            }
        };
        let word = if self.class == 2 { 8 } else { 4 };
        let (size, entry) = if self.class == 2 { (64, 56) } else { (52, 32) };
        put(elf_type.into(), 2);
        put(self.machine.into(), 2);
        put(1, 4);
        // e_entry, e_phoff, e_shoff
        put(0x10400, word);
        put(size, word);
        put(0x2468, word);
        put(self.flags.into(), 4);
        // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
        for number in [
            size,
            entry,
            9,
            if self.class == 2 { 64 } else { 40 },
            28,
            27,
        ] {
            put(number, 2);
        }
        header
    }
}

fn lines() -> Vec<Line> {
    let text = include_str!("../data/elf-headers.tsv");
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).expect(text),
        None => text.parse().expect(text),
    };
    let line = |line: &str| {
        let [qemu, class, order, machine, flags, _] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        Line {
            qemu: (qemu != "-").then(|| qemu.into()),
            class: class.parse().expect(line),
            is_big: order == "big",
            machine: number(machine) as u16,
            flags: number(flags),
        }
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(line)
        .collect()
}

/// The built-in rules.
fn rules() -> Vec<Rule> {
    rules_of(&Prefix::new()).expect("the rules")
}

/// The rules of a prefix that may have a user's own families.
fn rules_of(prefix: &Prefix) -> Result<Vec<Rule>, ConfigError> {
    let env: Env = [("PORTAGE_OVERRIDE_EPREFIX", prefix.path())]
        .into_iter()
        .collect();
    let config = Config::read(&env).expect("a configuration");
    rule::all(&config)
}

/// The names of the rules that match a header.
fn of<'r>(rules: &'r [Rule], header: &[u8]) -> Vec<&'r str> {
    let rules = rules.iter().filter(|rule| rule.matches(header));
    rules.map(|rule| rule.qemu.as_str()).collect()
}

fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    let file = std::fs::File::open(path).expect("a program");
    file.take(64).read_to_end(&mut head).expect("its header");
    head
}

#[test]
fn each_header_matches_exactly_its_own_rule() {
    let (rules, lines) = (rules(), lines());
    for line in &lines {
        let wanted: Vec<&str> = line.qemu.as_deref().into_iter().collect();
        for os_abi in [0, 3] {
            for elf_type in [ET_EXEC, ET_DYN] {
                let found = of(&rules, &line.header(elf_type, os_abi));
                assert_eq!(found, wanted, "{line:?}, type {elf_type}, OS ABI {os_abi}");
            }
            for elf_type in [0, ET_REL, 4, 0xfe00] {
                let found = of(&rules, &line.header(elf_type, os_abi));
                assert!(found.is_empty(), "{line:?}, type {elf_type}: {found:?}");
            }
        }
        let header = line.header(ET_EXEC, 0);
        for (place, byte) in [(4, 3 - header[4]), (5, 3 - header[5]), (0, 0x7e), (3, b'f')] {
            let mut other = header.clone();
            other[place] = byte;
            let found = of(&rules, &other);
            let own = line.qemu.as_deref().unwrap_or_default();
            assert!(
                !found.contains(&own),
                "{line:?} with {byte:#x} at {place}: {found:?}"
            );
        }
        let short = of(&rules, &header[..19]);
        assert!(short.is_empty(), "{line:?}: {short:?}");
    }
    let proven: BTreeSet<_> = lines
        .iter()
        .filter_map(|line| line.qemu.as_deref())
        .collect();
    let all: BTreeSet<_> = rules.iter().map(|rule| rule.qemu.as_str()).collect();
    assert_eq!(proven, all);
}

/// Every QEMU that a tuple names as its emulator has a rule.
#[test]
fn every_qemu_of_the_profiles_has_a_rule() {
    let rules = rules();
    let all: BTreeSet<_> = rules.iter().map(|rule| rule.qemu.as_str()).collect();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut seen = 0;
    for file in std::fs::read_dir(directory).expect("profiles") {
        let path = file.expect("a file").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path).expect("a profile");
            for name in text
                .lines()
                .filter_map(|line| line.strip_prefix("qemu = \""))
            {
                let name = name.trim_end_matches('"');
                assert!(
                    name == "none" || all.contains(name),
                    "{name} of {}",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn the_output_of_each_compiler_matches_exactly_its_own_rule() {
    let (rules, prefix) = (rules(), Prefix::new());
    let check = |compiler: &str, options: &str, qemu: &str, wanted: u16, source: &str| {
        let words: Vec<&str> = options.split_whitespace().collect();
        let program = compile(&prefix, compiler, &words, "program", source);
        let header = head(&program);
        let pair = [header[16], header[17]];
        let elf_type = match header[5] {
            1 => u16::from_le_bytes(pair),
            _ => u16::from_be_bytes(pair),
        };
        assert_eq!(elf_type, wanted, "{compiler} {options}");
        let found = of(&rules, &header);
        let wanted: Vec<&str> = match wanted == ET_REL || qemu == "-" {
            true => Vec::new(),
            false => vec![qemu],
        };
        assert_eq!(found, wanted, "{compiler} {options}");
    };
    for (compiler, qemu) in COMPILERS {
        for (options, elf_type) in [
            ("-static -no-pie", ET_EXEC),
            ("-no-pie", ET_EXEC),
            ("-fPIE -pie", ET_DYN),
            ("-fPIC -shared", ET_DYN),
            ("-c", ET_REL),
        ] {
            check(compiler, options, qemu, elf_type, PROGRAM);
        }
    }
    let bare = "void _start(void) { for (;;) ; }\nvoid __start(void) { for (;;) ; }\n";
    for (compiler, options, qemu) in OTHER_MACHINES {
        let options = format!("-nostdlib -static -no-pie -fno-stack-protector {options}");
        check(compiler, &options, qemu, ET_EXEC, bare);
    }
}

#[test]
fn a_users_own_family_adds_its_rules() {
    let facts = "summary = \"-\"\narch = \"-\"\nkarch = \"-\"\nendian = \"little\"\nbits = 32\nelf_machine = 4711\n\
        qemu = \"NAME\"\nrust = \"none\"\ngoarch = \"none\"\nmeson_cpu_family = \"-\"\ncmake_processor = \"-\"\n\
        cflags = \"\"\n";
    let family = |stem: &str, cpus: &str, qemu: &str, rest: &str| {
        let prefix = Prefix::new();
        let facts = facts.replace("NAME", qemu);
        let file = format!("etc/crossmerge/profiles/{stem}.toml");
        prefix.write(&file, &format!("cpus = [\"{cpus}\"]\n{facts}{rest}"));
        rules_of(&prefix)
    };
    let magic = |rules: Result<Vec<Rule>, ConfigError>, qemu: &str| {
        let rules = rules.expect("rules");
        let rule = rules.iter().find(|rule| rule.qemu == qemu);
        rule.map(|rule| (rule.magic[5], rule.magic[18..20].to_vec()))
    };
    let machine = 4711_u16.to_le_bytes().to_vec();
    // A family without such a section gets the ELF header from its other facts, unless another family has a rule for
    // it.
    assert_eq!(
        magic(family("mine", "mine", "mine", ""), "mine"),
        Some((1, machine.clone()))
    );
    assert_eq!(
        magic(family("arm", "arm*", "arm", ""), "arm"),
        Some((1, machine))
    );
    assert_eq!(
        magic(family("mine", "mine", "arm", ""), "arm"),
        Some((1, vec![40, 0]))
    );
    let rest = "[[binfmt]]\nqemu = \"mine\"\nendian = \"big\"\nelf_machine = 1\n";
    assert_eq!(
        magic(family("mine", "mine", "none", rest), "mine"),
        Some((2, vec![0, 1]))
    );
    for (rest, message) in [
        (
            "[[binfmt]]\nqemu = \"arm\"\n",
            "another profile defines other ELF files of QEMU's `arm`",
        ),
        (
            "[[binfmt]]\nqemu = \"x\"\nmask = { 20 = 0 }\n",
            "`20` in a mask is not an offset below 20",
        ),
        (
            "[[binfmt]]\nqemu = \"x\"\nmagic = 1\n",
            "unknown field `magic`",
        ),
    ] {
        let error = family("mine", "mine", "none", rest)
            .expect_err(rest)
            .to_string();
        assert!(
            error.contains(message) && error.contains("profiles/mine.toml"),
            "{error}"
        );
    }
}

/// Debian's package of QEMU has rules as well. This test explains every difference from crossmerge's.
#[test]
fn crossmerges_rules_match_the_programs_that_debians_match() {
    let rules = rules();
    let mut seen = 0;
    for file in std::fs::read_dir("/usr/lib/binfmt.d").expect("the files of qemu-user-static") {
        let path = file.expect("a file").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let Some(rule) = rules.iter().find(|rule| rule.name() == name) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).expect("a rule");
        let fields: Vec<&str> = text.trim().split(':').collect();
        // A byte may follow the two digits of another one without an escape: `\x7fELF`.
        let bytes = |text: &str| -> Vec<u8> {
            let parts = text.split("\\x").skip(1).map(|part| {
                let byte = u8::from_str_radix(&part[..2], 16).expect("two digits");
                [[byte].as_slice(), &part.as_bytes()[2..]].concat()
            });
            parts.collect::<Vec<_>>().concat()
        };
        let (mut magic, mut mask) = (bytes(fields[4]), bytes(fields[5]));
        magic.resize(rule.magic.len(), 0);
        mask.resize(rule.mask.len(), 0);
        let differs: Vec<_> = (0..magic.len())
            .filter(|&at| {
                mask[at] != rule.mask[at] || magic[at] & mask[at] != rule.magic[at] & mask[at]
            })
            .map(|at| (at, magic[at], mask[at], rule.magic[at], rule.mask[at]))
            .collect();
        let wanted: &[(usize, u8, u8, u8, u8)] = match name.as_str() {
            // MicroBlaze's registered number, 189, instead of its earlier one.
            "qemu-microblaze" => &[(18, 0xba, 0xff, 0, 0xff), (19, 0xab, 0xff, 0xbd, 0xff)],
            // The OS ABI has versions above 1: glibc uses up to 5.
            name if name.starts_with("qemu-mips") => &[(8, 0, 0xfe, 0, 0)],
            // The OS ABI may have any value, as for the other machines.
            name if [
                "ppc",
                "ppc64",
                "ppc64le",
                "s390x",
                "sh4",
                "sh4eb",
                "sparc",
                "sparc32plus",
                "sparc64",
            ]
            .contains(&name.trim_start_matches("qemu-")) =>
            {
                &[(7, 0, 0xfc, 0, 0)]
            }
            // QEMU's own script ignores the lowest bit of these bytes.
            "qemu-alpha" => &[(5, 1, 0xff, 1, 0xfe), (6, 1, 0xff, 1, 0xfe)],
            "qemu-m68k" => &[(6, 1, 0xff, 1, 0xfe)],
            _ => &[],
        };
        assert_eq!(differs, wanted, "{name}");
        seen += 1;
    }
    assert!(seen >= 25, "{seen}");
}

/// A shell registers the lines of `binfmt show`, and the test reads the entries back. Rules of the host's own CPU
/// come last, because QEMU would run every later program.
#[test]
fn the_kernel_reads_every_rule_as_intended() {
    let (rules, prefix) = (rules(), Prefix::new());
    let text = prefix.own(["binfmt", "show"]).success().stdout;
    let is_own = |line: &&str| line.starts_with(":qemu-x86_64:") || line.starts_with(":qemu-i386:");
    let (own, others): (Vec<&str>, Vec<&str>) = text.lines().partition(is_own);
    assert_eq!(own.len() + others.len(), rules.len());
    let lines = prefix.write("lines", &([others, own].concat().join("\n") + "\n"));
    let script = format!(
        "cd /proc/sys/fs/binfmt_misc\n\
         while IFS= read -r line; do printf %s \"$line\" > register; done < {}\n\
         for name in qemu-*; do echo \"$name\"; echo \"$(<$name)\"; done",
        lines.display()
    );
    let table = in_namespace(&prefix, &script).success().stdout;
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let mut wanted = String::new();
    let mut names: Vec<_> = rules.iter().map(|rule| (rule.name(), rule)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, rule) in names {
        let (magic, mask) = (hex(&rule.magic), hex(&rule.mask));
        let _ = writeln!(
            wanted,
            "{name}\nenabled\ninterpreter /usr/bin/{name}-static\nflags: PF\noffset 0\nmagic {magic}\nmask {mask}"
        );
    }
    assert_eq!(table, wanted);
}

#[test]
fn the_kernel_runs_the_output_of_every_compiler_by_its_rule() {
    let prefix = Prefix::new();
    let mut script = String::from("crossmerge binfmt register --all\n");
    let mut wanted = String::new();
    for (compiler, qemu) in COMPILERS {
        let printed = format!("<{compiler} itself><a b><> prefix=/usr/{compiler} cpu=-\n");
        let (options, source, printed) = match qemu {
            "sh4" => (
                ["-static", "-nostdlib"].as_slice(),
                EXIT_OF_SH4,
                String::new(),
            ),
            // The host runs both, and has a libc for only one of them.
            "i386" | "x86_64" => (["-static"].as_slice(), PROGRAM, printed),
            // Dynamically linked, because QEMU 7.2 cannot start Debian's static glibc for Alpha.
            _ => ([].as_slice(), PROGRAM, printed),
        };
        let program = compile(&prefix, compiler, options, compiler, source);
        // Only the tested rule is enabled.
        let _ = writeln!(
            script,
            "echo 0 > /proc/sys/fs/binfmt_misc/status\n\
             for rule in /proc/sys/fs/binfmt_misc/qemu-*; do echo 0 > $rule; done\n\
             rule=/proc/sys/fs/binfmt_misc/qemu-{qemu}\n\
             [ ! -e $rule ] || echo 1 > $rule\n\
             echo 1 > /proc/sys/fs/binfmt_misc/status\n\
             code=0; (QEMU_LD_PREFIX=/usr/{compiler} exec -a '{compiler} itself' {} 'a b' '') || code=$?; echo $code",
            program.display()
        );
        let _ = writeln!(wanted, "{printed}7");
    }
    let output = in_namespace(&prefix, &script).success();
    assert_eq!(output.stdout, wanted, "{}", output.stderr);
}
