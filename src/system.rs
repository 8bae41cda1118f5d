//! The systems of tuples: kernels, C libraries with their ABIs, and bare-metal systems.
//!
//! This is the only table of systems. `target.rs` takes KERNEL, ELIBC and the names for build systems from it, and
//! `name.rs` the correct spellings for misspelt names. Pure.

use crossmerge_plan::{glob, tuple::Tuple};

/// Globs on the tuple, each with the ELIBC that it means; the first that fits applies. crossdev's `emerge-wrapper`
/// has the same rules, except for Windows.
const ELIBC: [(&str, &str); 11] = [
    ("*-windows-gnu*", "mingw"),
    ("*gnu*", "glibc"),
    ("*uclibc*", "uclibc-ng"),
    ("*musl*", "musl"),
    ("*cygwin*", "Cygwin"),
    ("*mingw*", "mingw"),
    ("*darwin*", "Darwin"),
    ("nvptx*", "newlib"),
    ("*-newlib", "newlib"),
    ("*-elf", "newlib"),
    ("*-eabi", "newlib"),
];

/// A system, recognised by a glob on the tuple: Portage's KERNEL, and the names in CMake, Meson and Go.
#[derive(Debug)]
pub(crate) struct System {
    glob: &'static str,
    pub(crate) kernel: Option<&'static str>,
    pub(crate) cmake: &'static str,
    pub(crate) meson: &'static str,
    pub(crate) go: Option<&'static str>,
}

const fn system(
    glob: &'static str,
    kernel: Option<&'static str>,
    cmake: &'static str,
    meson: &'static str,
    go: Option<&'static str>,
) -> System {
    System {
        glob,
        kernel,
        cmake,
        meson,
        go,
    }
}

/// The systems; the first that fits applies. Sources: crossdev's `emerge-wrapper` for KERNEL, CMake's
/// `Modules/Platform`, Meson's reference tables, `go tool dist list`.
#[rustfmt::skip]
const SYSTEMS: [System; 11] = [
    system("*linux*", Some("linux"), "Linux", "linux", Some("linux")),
    system("*mingw*", Some("Winnt"), "Windows", "windows", Some("windows")),
    system("*-windows-gnu*", Some("Winnt"), "Windows", "windows", Some("windows")),
    system("*cygwin*", None, "CYGWIN", "cygwin", None),
    system("*freebsd*", None, "FreeBSD", "freebsd", Some("freebsd")),
    system("*netbsd*", None, "NetBSD", "netbsd", Some("netbsd")),
    system("*openbsd*", None, "OpenBSD", "openbsd", Some("openbsd")),
    system("*dragonfly*", None, "DragonFly", "dragonfly", Some("dragonfly")),
    system("*darwin*", Some("Darwin"), "Darwin", "darwin", Some("darwin")),
    system("*solaris*", None, "SunOS", "sunos", Some("solaris")),
    system("*haiku*", None, "Haiku", "haiku", None),
];
const HURD: System = system("", Some("Hurd"), "GNU", "gnu", None);
const BARE_METAL: System = system("", None, "Generic", "none", None);

/// Returns the system that a tuple names. An unknown system counts as bare metal.
pub(crate) fn of(tuple: &Tuple) -> &'static System {
    let fits = |system: &&System| glob::matches(system.glob, tuple.as_str());
    match SYSTEMS.iter().find(fits) {
        Some(system) => system,
        None if is_hurd(tuple) => &HURD,
        None => &BARE_METAL,
    }
}

/// Returns the ELIBC that a tuple names.
pub(crate) fn elibc(tuple: &Tuple) -> Option<&'static str> {
    let fits = |(glob, _): &&(&str, &str)| glob::matches(glob, tuple.as_str());
    ELIBC.iter().find(fits).map(|(_, elibc)| *elibc)
}

/// Returns whether a tuple is one of GNU/Hurd: `i686-gnu`, `i686-pc-gnu`, or rustc's `i686-unknown-hurd-gnu`. Another
/// word before `gnu` would be an unknown kernel.
fn is_hurd(tuple: &Tuple) -> bool {
    let fields: Vec<&str> = tuple.as_str().split('-').skip(1).collect();
    match fields[..] {
        ["gnu"] => true,
        [vendor, "gnu"] => vendor == HURD_WORD || !resembles_kernel(vendor),
        [.., kernel, "gnu"] => kernel == HURD_WORD,
        _ => false,
    }
}

/// The kernels that may precede a C library.
const KERNELS: [&str; 2] = ["linux", "uclinux"];
const HURD_WORD: &str = "hurd";

/// The C libraries that may precede an ABI.
const LIBCS: [&str; 3] = ["gnu", "musl", "uclibc"];

/// The ABIs that may follow, before `t64` for a 64-bit time_t. Sources: GCC's `config.gcc`, LLVM's `Triple.cpp`,
/// musl's `configure`, crossdev's names for the ABIs of MIPS.
#[rustfmt::skip]
const ABIS: [&str; 21] = [
    "", "eabi", "eabihf", "abi64", "abin32", "abi32", "abio32", "abin64", "x32", "spe", "altivec", "sf", "f32", "f64", "ilp32",
    "_ilp32", "abielfv1", "abielfv2", "elfv1", "elfv2", "aout",
];

/// Last fields after a kernel that are not one of [`LIBCS`] with an ABI.
#[rustfmt::skip]
const OTHER_LIBCS: [&str; 13] = [
    "android", "androideabi", "bionic", "dietlibc", "klibc", "llvm", "mlibc", "newlib", "none", "ohos", "relibc", "libc1", "elf",
];

/// Systems of one word. A version may follow those with `true`.
#[rustfmt::skip]
const ALONE: [(&str, bool); 42] = [
    ("elf", false), ("eabi", false), ("eabihf", false), ("none", false), ("newlib", false), ("elf32", false), ("elf64", false),
    ("mingw32", false), ("mingw32ce", false), ("mingw32ucrt", false), ("mingw32msvcrt", false), ("cygwin", false), ("msys", false),
    ("freebsd", true), ("netbsd", true), ("openbsd", true), ("dragonfly", true), ("darwin", true), ("solaris", true), ("aix", true),
    ("haiku", true), ("rtems", true), ("nuttx", true), ("zephyr", true), ("vxworks", true), ("hpux", true), ("coff", false),
    ("aout", false), ("eabisim", false), ("symbianelf", false), ("uclinux", false), ("uefi", false), ("fuchsia", false),
    ("redox", false), ("hermit", false), ("phoenix", false), ("genode", false), ("illumos", false), ("mint", false), ("amigaos", false), ("ecos", false), ("qnx", true),
];

/// Vendors that name no vendor. With one of them and no libc, the libc was forgotten.
const NO_VENDORS: [&str; 3] = ["unknown", "pc", "none"];

/// Other kernels than Linux and the Hurd with GNU's libc.
const GNU_KERNELS: [&str; 3] = ["kfreebsd", "knetbsd", "kopensolaris"];

/// The system of a tuple for Windows, with its vendor.
const WINDOWS: &str = "w64-mingw32";

/// Other projects' names for the Windows that GCC supports.
const WINDOWS_WORDS: [&str; 6] = ["windows", "win64", "win32", "mingw64", "mingw", "mingw32"];

/// Returns the last field if it begins with a libc and ends in no known ABI.
pub(crate) fn unknown_abi(last: &str) -> Option<&str> {
    let abi = abi_of(last)?;
    (!ABIS.contains(&abi)).then_some(last)
}

/// Returns the ABI after the libc in a last field, without the mark of a 64-bit time_t. Returns `None` if it names no
/// libc.
pub(crate) fn abi_of(last: &str) -> Option<&str> {
    let abi = LIBCS.iter().find_map(|libc| last.strip_prefix(libc))?;
    Some(match abi.strip_suffix("t64") {
        Some(abi) => abi.trim_end_matches('_'),
        None => abi,
    })
}

fn is_libc(word: &str) -> bool {
    // The NDK's names end in the API level.
    let is_digit = |c: char| c.is_ascii_digit();
    if word.starts_with("android") && OTHER_LIBCS.contains(&word.trim_end_matches(is_digit)) {
        return true;
    }
    let begins = LIBCS.iter().any(|libc| word.starts_with(libc));
    OTHER_LIBCS.contains(&word) || begins && unknown_abi(word).is_none()
}

fn is_alone(word: &str) -> bool {
    ALONE.iter().any(|(name, has_version)| {
        let version = word.strip_prefix(name);
        version.is_some_and(|version| {
            let is_version = |c: char| c.is_ascii_digit() || c == '.';
            version.is_empty()
                || *has_version
                    && version.starts_with(|c: char| c.is_ascii_digit())
                    && version.chars().all(is_version)
        })
    })
}

/// Returns whether the fields after a CPU name a system. A prefix or a misspelling of one does not.
pub(crate) fn is_known(fields: &[&str]) -> bool {
    match fields {
        [.., kernel, libc] if KERNELS.contains(kernel) => is_libc(libc),
        // Tuples of Yocto and Red Hat: aarch64-poky-linux.
        [.., vendor, kernel] if KERNELS.contains(kernel) => {
            !NO_VENDORS.contains(vendor) && !is_libc(vendor)
        }
        ["uclinux"] => true,
        [.., kernel, "gnu"] if GNU_KERNELS.contains(kernel) => true,
        [.., "hurd", "gnu"] => true,
        ["gnu"] => true,
        [vendor, "gnu"] => !resembles_kernel(vendor),
        [vendor @ .., alone] => match vendor {
            _ if !is_alone(alone) => false,
            [.., before] => !resembles_kernel(before),
            [] => true,
        },
        [] => false,
    }
}

/// Returns whether the fields after a CPU are GNU/Hurd's.
pub(crate) fn are_hurd(fields: &[&str]) -> bool {
    let other = |field: &&str| GNU_KERNELS.contains(field) || KERNELS.contains(field);
    matches!(fields, ["gnu"] | [_, "gnu"] | [.., "hurd", "gnu"]) && !fields.iter().any(other)
}

/// Returns whether a vendor is the name of a kernel or resembles one, so that it is probably not meant as a vendor.
fn resembles_kernel(vendor: &str) -> bool {
    let vendor = vendor.to_lowercase();
    let kernels = KERNELS.iter().chain(&WINDOWS_WORDS[..1]);
    vendor == HURD_WORD || { kernels }.any(|kernel| distance(&vendor, kernel).is_some())
}

/// A possible meaning of the fields after a CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpretation {
    /// The number of wrong letters and of guesses. 0 is exact.
    pub(crate) cost: usize,
    /// The vendor as it was typed. `None` if there was none.
    pub(crate) vendor: Option<String>,
    /// The fields after the vendor: `linux-gnu`, `elf`.
    pub(crate) system: String,
}

/// Returns all possible meanings of the fields after a CPU. `usual` is the rest of the CPU's usual tuple: its system,
/// and the ABI for any of its libcs.
pub(crate) fn meanings(fields: &[&str], usual: &str) -> Vec<Interpretation> {
    let mut all = Vec::new();
    // A dash is missing: unknownlinux-gnu.
    if let Some((vendor, rest)) = fields.split_first()
        && let Some(vendor) = vendor.strip_suffix(KERNELS[0])
        && NO_VENDORS.contains(&vendor)
    {
        let fields = [&[vendor, KERNELS[0]], rest].concat();
        let meant = meanings(&fields, usual).into_iter();
        all.extend(meant.map(|meant| Interpretation {
            cost: meant.cost + 1,
            ..meant
        }));
    }
    for vendor in 0..=fields.len().min(1) {
        let (vendor, rest) = fields.split_at(vendor);
        let first = vendor.first().map(|first| first.to_lowercase());
        if first.is_some_and(|first| is_kernel_word(&first)) {
            continue;
        }
        let lower: Vec<String> = rest.iter().map(|field| field.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let has_vendor = !vendor.is_empty();
        let vendor = vendor.first().map(|vendor| (*vendor).to_owned());
        for (cost, system) in systems(&lower, usual, has_vendor) {
            let (vendor, system) = match system.strip_prefix("w64-") {
                Some(system) => (Some("w64".into()), system.into()),
                None => (vendor.clone(), system),
            };
            all.push(Interpretation {
                cost,
                vendor,
                system,
            });
        }
    }
    all
}

fn is_kernel_word(word: &str) -> bool {
    KERNELS.contains(&word) || WINDOWS_WORDS.contains(&word) || word == HURD_WORD
}

/// Returns the systems that fields without a vendor may mean, each with its cost.
fn systems(fields: &[&str], usual: &str, has_vendor: bool) -> Vec<(usize, String)> {
    // With a vendor and no kernel, the vendor may be a misspelt kernel or libc.
    let unnamed = if has_vendor { 2 } else { 0 };
    let mut all = Vec::new();
    match fields {
        [] => all.push((unnamed, usual.to_owned())),
        [word] => {
            for (cost, libc) in libcs(word, usual) {
                all.push((cost + unnamed, format!("linux-{libc}")));
            }
            for kernel in KERNELS {
                if let Some(cost) = distance(word, kernel) {
                    if has_vendor && usual.starts_with("linux") {
                        all.push((cost + 1, usual.to_owned()));
                    }
                    let usual = if usual.starts_with("linux") && !has_vendor {
                        usual
                    } else {
                        kernel
                    };
                    all.push((cost, usual.to_owned()));
                }
                // `linuxgnu`: a dash is missing.
                if let Some(libc) = word.strip_prefix(kernel)
                    && is_libc(libc)
                {
                    all.push((1, format!("{kernel}-{libc}")));
                }
            }
            all.extend(alone(word));
            if *word == HURD_WORD {
                all.push((0, "gnu".into()));
            }
        }
        [kernel, last] => {
            for known in KERNELS {
                if let Some(wrong) = distance(kernel, known) {
                    for (cost, libc) in libcs(last, usual) {
                        all.push((wrong + cost, format!("{known}-{libc}")));
                    }
                }
            }
            if let Some(wrong) = distance(kernel, WINDOWS_WORDS[0]) {
                match *last {
                    "gnu" | "gnullvm" => all.push((wrong, WINDOWS.into())),
                    // Microsoft's own libc and object files differ from MinGW's.
                    "msvc" => all.push((wrong + 2, WINDOWS.into())),
                    _ => {}
                }
            }
            // gnu-linux
            if KERNELS.contains(last) && is_libc(kernel) {
                all.extend(
                    libcs(kernel, usual)
                        .into_iter()
                        .map(|(_, libc)| (0, format!("{last}-{libc}"))),
                );
            }
            if (*kernel, *last) == (HURD_WORD, "gnu") {
                all.push((0, "gnu".into()));
            }
            // rustc's `unknown-none-elf` is GNU's `unknown-elf`, or `none-elf`.
            if let Some(wrong) = distance(kernel, "none") {
                let alone = alone(last)
                    .into_iter()
                    .map(|(cost, system)| match has_vendor {
                        true => (wrong + cost, system),
                        false => (wrong + cost, format!("none-{system}")),
                    });
                all.extend(alone.filter(|(_, system)| !system.contains("w64")));
            }
        }
        _ => {}
    }
    all
}

/// Returns the C libraries that a word may mean. One without an ABI gets that of the CPU's usual tuple.
fn libcs(word: &str, usual: &str) -> Vec<(usize, String)> {
    let usual = usual.rsplit('-').next().unwrap_or_default();
    let abi = LIBCS.iter().find_map(|libc| usual.strip_prefix(libc));
    let word = if word == "glibc" { "gnu" } else { word };
    if let (Some(abi), true) = (abi, LIBCS.contains(&word)) {
        let libc = format!("{word}{abi}");
        return vec![(0, if is_libc(&libc) { libc } else { word.into() })];
    }
    if is_libc(word) {
        return vec![(0, word.into())];
    }
    let known = LIBCS.iter().flat_map(|libc| {
        let abis = ABIS.iter().take(9).chain([&"_ilp32"]);
        abis.map(move |abi| format!("{libc}{abi}"))
    });
    known
        .filter_map(|libc| Some((misspelt(word, &libc)?, libc)))
        .collect()
}

/// Returns the systems of one word that a word may mean.
fn alone(word: &str) -> Vec<(usize, String)> {
    if WINDOWS_WORDS.contains(&word) {
        return vec![(0, WINDOWS.into())];
    }
    if is_alone(word) {
        return vec![(0, word.into())];
    }
    let known = ALONE
        .iter()
        .map(|(name, _)| *name)
        .chain(WINDOWS_WORDS.iter().copied());
    let near = known.filter_map(|name| {
        let meant = match WINDOWS_WORDS.contains(&name) {
            true => WINDOWS,
            false => name,
        };
        Some((misspelt(word, name)?, meant.to_owned()))
    });
    near.collect()
}

/// Returns the number of wrong letters if a word may be meant as the other; 0 if they are equal.
fn distance(word: &str, meant: &str) -> Option<usize> {
    match word == meant {
        true => Some(0),
        false => misspelt(word, meant),
    }
}

/// Returns the number of wrong, missing, surplus or swapped letters if a word may be meant as the other: at most one
/// in a word of three or four letters, two in a longer one.
pub(crate) fn misspelt(word: &str, meant: &str) -> Option<usize> {
    let allowed = match meant.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    };
    let wrong = wrong_letters(word, meant)?;
    (wrong > 0 && wrong <= allowed).then_some(wrong)
}

/// Returns the optimal string alignment distance, or `None` if the lengths alone make it more than two.
fn wrong_letters(one: &str, other: &str) -> Option<usize> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > 2 {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let changed = above[column] + usize::from(letter != wanted);
            let mut least = changed.min(above[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *wanted {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied()
}

/// Returns the ABI that the last field of a tuple names after its libc, or an empty string.
pub(crate) fn abi(tuple: &Tuple) -> &str {
    let last = tuple.as_str().rsplit('-').next().unwrap_or_default();
    { LIBCS.iter() }
        .find_map(|libc| last.strip_prefix(libc))
        .unwrap_or_default()
}

/// The usual systems, by kind, as the help prints them.
pub(crate) const LISTED: [(&str, &str); 3] = [
    (
        "Linux",
        "linux-gnu linux-musl linux-uclibc linux-gnueabi linux-gnueabihf linux-musleabihf linux-android",
    ),
    ("no kernel", "elf eabi none"),
    (
        "others",
        "w64-mingw32 cygwin freebsd netbsd openbsd darwin solaris haiku rtems gnu (the Hurd's)",
    ),
];
