//! The texts that init writes below `etc/portage`, from the target's facts and the machine's settings. Pure.
//!
//! The contract is crossdev's; what it reads of the machine and then forgets (DISTDIR, MAKEOPTS, GENTOO_MIRRORS, the
//! repositories) is here as well, and so is what a machine without Gentoo's sandbox has switched off.

use crate::{
    profile::{EMBEDDED, Profile},
    target::Target,
};
use crossmerge_portage::{Repositories, Settings};
use std::{fmt::Write as _, path::Path};

const MAKE_CONF: &str = include_str!("../../profiles/portage/make.conf");

/// FEATURES that Portage has on by itself and that a machine may have had to switch off: they work on the machine that
/// builds, so the target's are the machine's.
const SANDBOXES: [&str; 8] = [
    "sandbox",
    "usersandbox",
    "userpriv",
    "userfetch",
    "ipc-sandbox",
    "mount-sandbox",
    "network-sandbox",
    "pid-sandbox",
];

/// The sandboxes that are off in Portage's own defaults; their absence is no choice of the machine's.
const OFF_BY_DEFAULT: [&str; 1] = ["mount-sandbox"];

/// Settings of the machine that hold for the target too.
const OF_THE_HOST: [&str; 5] = [
    "DISTDIR",
    "MAKEOPTS",
    "GENTOO_MIRRORS",
    "PORTAGE_USERNAME",
    "PORTAGE_GRPNAME",
];

/// The texts below `etc/portage` that crossdev makes too.
pub(crate) const TEXTS: [&str; 3] = ["make.conf", "profile/make.defaults", "profile/use.force"];

/// What crossdev's templates have where a fact belongs, in the order in which [`fixed`] has the facts.
const PLACEHOLDERS: [&str; 6] = [
    "__CHOST__",
    "__CBUILD__",
    "__ARCH__",
    "__KERNEL__",
    "__LIBC__",
    "__USE_FORCE_KERNEL__",
];

/// The first line of `etc/portage/make.conf`, by which ours is known when the record is gone.
pub(super) fn first_line(target: &Target) -> String {
    let first = MAKE_CONF.lines().next().unwrap_or_default();
    first.replace("@CHOST@", &target.tuple)
}

/// `etc/portage/make.conf`.
pub(super) fn make_conf(target: &Target, host: &Settings, root: &Path) -> String {
    let setting = |name: &str| host.get(name).map_or("", String::as_str);
    let enabled: Vec<&str> = setting("FEATURES").split_whitespace().collect();
    let sandboxes = SANDBOXES
        .iter()
        .filter_map(|feature| match enabled.contains(feature) {
            true if *feature == "sandbox" => Some("sandbox".to_owned()),
            false if !OFF_BY_DEFAULT.contains(feature) => Some(format!("-{feature}")),
            _ => None,
        });
    let features: Vec<String> = sandboxes.collect();
    let kept = OF_THE_HOST
        .iter()
        .filter(|name| !matches!(setting(name), "" | "portage"));
    let host_lines: Vec<String> = kept
        .map(|name| format!("{name}=\"{}\"", escaped(setting(name))))
        .collect();
    let root = format!("{}/", root.to_string_lossy().trim_end_matches('/'));
    MAKE_CONF
        .replace("@CHOST@", &target.tuple)
        .replace("@CBUILD@", &escaped(setting("CBUILD")))
        .replace("@ROOT@", &escaped(&root))
        .replace(
            "@CFLAGS@",
            format!("-O2 -pipe -fomit-frame-pointer {}", target.cflags).trim_end(),
        )
        .replace(
            "@FEATURES@",
            &format!(
                "-collision-protect {} buildpkg noman noinfo nodoc",
                features.join(" ")
            ),
        )
        .replace("@HOST@", &host_lines.join("\n"))
}

/// `etc/portage/profile/make.defaults`: ARCH, KERNEL and ELIBC, where the profile does not say just that; `embedded`
/// never counts as saying it. With `llvm`, the tools of a target that clang builds for.
pub(super) fn make_defaults(target: &Target, profile: &Profile, llvm: bool) -> String {
    let tuple = &target.tuple;
    let mut text = format!("# Made by `crossmerge init {tuple}`: what the profile leaves open.\n");
    let says = &profile.settings;
    let repeats = |theirs: &str, ours: &str| profile.name != EMBEDDED && theirs == ours;
    if !repeats(&says.arch, &target.arch) {
        let _ = writeln!(text, "ARCH=\"{}\"", target.arch);
    }
    let kernel = target.kernel.unwrap_or_default();
    if !repeats(&says.kernel, kernel) {
        let _ = writeln!(text, "KERNEL=\"{}\"", format!("-linux {kernel}").trim_end());
    }
    let elibc = target.elibc.unwrap_or_default();
    if !repeats(&says.elibc, elibc) {
        // Portage adds to ELIBC, so another libc of the profile's has to be taken out.
        let others = says
            .elibc
            .split_whitespace()
            .filter(|theirs| *theirs != elibc);
        let others: String = others.map(|theirs| format!("-{theirs} ")).collect();
        let _ = writeln!(text, "ELIBC=\"{}\"", format!("{others}{elibc}").trim_end());
    }
    if llvm {
        text.push_str(&llvm_tools(tuple));
    }
    text
}

/// The tools of a clang target. The assembler is clang: `llvm-as` takes LLVM's own language, not the machine's.
fn llvm_tools(tuple: &str) -> String {
    let cc = format!("{tuple}-clang");
    let prefix = format!("{tuple}-");
    let tools: [(&str, &str); 15] = [
        ("AR", "llvm-ar"),
        ("AS", &format!("{cc} -c")),
        ("CC", &cc),
        ("CROSS_COMPILE", &prefix),
        ("CXX", &format!("{cc}++")),
        ("DLLTOOL", "llvm-dlltool"),
        ("HOSTCC", "clang"),
        ("HOSTCXX", "clang++"),
        ("LD", "ld.lld"),
        ("LLVM", "1"),
        ("NM", "llvm-nm"),
        ("OBJCOPY", "llvm-objcopy"),
        ("RANLIB", "llvm-ranlib"),
        ("READELF", "llvm-readelf"),
        ("STRIP", "llvm-strip"),
    ];
    tools.iter().fold(
        "\n# Built with clang.\n".to_owned(),
        |mut text, (name, value)| {
            let _ = writeln!(text, "{name}=\"{value}\"");
            text
        },
    )
}

/// `etc/portage/profile/use.force`, one flag a line; a comment when a profile other than `embedded` sees to it.
pub(super) fn use_force(target: &Target, profile: &Profile) -> String {
    match target.kernel {
        Some(kernel) if profile.name != EMBEDDED && profile.settings.kernel == kernel => {
            let tuple = &target.tuple;
            format!("# Made by `crossmerge init {tuple}`: the profile forces kernel_{kernel}.\n")
        }
        Some(kernel) => format!("-kernel_linux\nkernel_{kernel}\n"),
        None => "-kernel_linux\n".into(),
    }
}

/// `etc/portage/repos.conf`: every repository of the machine, where it lies there. Syncing stays the machine's.
pub(super) fn repos_conf(repositories: &Repositories) -> String {
    format!(
        "# Made by `crossmerge init`: the repositories of the host, which also syncs them.\n{}",
        repositories.to_text()
    )
}

/// Fills the placeholders that crossdev's emerge-wrapper left when it failed half-way, and nothing else; `None` when
/// the text has none.
pub(super) fn fixed(text: &str, target: &Target, cbuild: &str) -> Option<String> {
    let kernel = target.kernel;
    let force = kernel.map_or(String::new(), |kernel| format!("kernel_{kernel}"));
    let values = [
        target.tuple.as_str(),
        cbuild,
        &target.arch,
        kernel.unwrap_or_default(),
        target.elibc.unwrap_or_default(),
        &force,
    ];
    let filled = PLACEHOLDERS.iter().zip(values);
    let fill = |text: String, (placeholder, value): (&&str, &str)| text.replace(placeholder, value);
    is_half_made(text).then(|| filled.fold(text.to_owned(), fill))
}

/// Returns whether crossdev has left a placeholder in a text.
pub(crate) fn is_half_made(text: &str) -> bool {
    PLACEHOLDERS
        .iter()
        .any(|placeholder| text.contains(placeholder))
}

/// Escapes a value for double quotes in make.conf, which Portage reads twice: as a shell splits words, and for `$`. Both
/// take a backslash away; but the second lets everything alone between single quotes, and takes a quote behind a backslash for none.
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::new();
    let (mut single, mut double) = (false, false);
    let mut before = ' ';
    for c in value.chars() {
        let is_quote = single || before != '\\';
        match c {
            '\\' if single => text.push_str(r"\\"),
            '\\' => text.push_str(r"\\\\"),
            '"' => text.push_str("\\\""),
            '$' if !single => text.push_str(r"\$"),
            _ => text.push(c),
        }
        match c {
            '"' if is_quote => double ^= !single,
            '\'' if is_quote => single ^= !double,
            _ => {}
        }
        before = c;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_conf_of(features: &str, makeopts: &str) -> String {
        let sources: Vec<_> = crate::target::Source::built_in()
            .map(|(_, source)| source)
            .collect();
        let tuple = "s390x-ibm-linux-gnu".parse().expect("a tuple");
        let target = Target::of(&tuple, &sources, "").expect("facts");
        let host = [
            ("FEATURES", features),
            ("MAKEOPTS", makeopts),
            ("CBUILD", "x86_64-pc-linux-gnu"),
            ("PORTAGE_USERNAME", "portage"),
        ];
        let host = host.map(|(name, value)| (name.to_owned(), value.to_owned()));
        make_conf(&target, &Settings::from(host), Path::new("/usr/x"))
    }

    #[test]
    fn features_are_crossdevs_but_for_sandboxes_that_the_machine_has_off() {
        let gentoo = "assume-digests ipc-sandbox network-sandbox pid-sandbox sandbox userfetch userpriv usersandbox";
        for (features, line) in [
            (
                gentoo,
                "-collision-protect sandbox buildpkg noman noinfo nodoc",
            ),
            (
                &gentoo.replace(" pid-sandbox", ""),
                "-collision-protect sandbox -pid-sandbox buildpkg noman noinfo nodoc",
            ),
            (
                "userfetch userpriv usersandbox ipc-sandbox network-sandbox pid-sandbox",
                "-collision-protect -sandbox buildpkg noman noinfo nodoc",
            ),
        ] {
            let text = make_conf_of(features, "");
            assert!(text.contains(&format!("FEATURES=\"{line}\"\n")), "{text}");
        }
    }

    #[test]
    fn a_setting_is_read_as_it_was_meant() {
        for value in [
            r#"-j2 "$x" \"#,
            r"'y`\",
            r"it's $x",
            r"'$x' $x",
            r"\' $x '",
            r#"\" '$x\' \\"#,
            r#""'$x'""#,
            r"\\$x\",
        ] {
            let text = format!("X=\"{}\"\n", escaped(value));
            let read = crossmerge_portage::properties::read_text(&text).expect(&text);
            assert_eq!(read["X"], value, "{text}");
        }
    }

    #[test]
    fn what_the_machine_has_not_set_is_left_out_and_quotes_are_escaped() {
        let text = make_conf_of("", r#"-j2 "$x" \"#);
        assert!(text.contains(r#"MAKEOPTS="-j2 \"\$x\" \\\\""#), "{text}");
        for name in ["DISTDIR", "GENTOO_MIRRORS", "PORTAGE_USERNAME"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
        assert!(text.contains("ROOT=\"/usr/x/\"\n"), "{text}");
    }
}
