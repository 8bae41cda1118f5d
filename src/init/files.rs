//! Renders the files that init writes below `etc/portage`, from the target's facts and the host's settings. Pure.
//!
//! The texts are those of crossdev. In addition, they contain settings that crossdev reads from the host but does not
//! write (DISTDIR, MAKEOPTS, GENTOO_MIRRORS, the repositories), and the sandbox features that the host has disabled.

use crate::{
    profile::{EMBEDDED, Profile},
    target::Target,
};
use crossmerge_portage::{Repositories, Settings};
use std::{fmt::Write as _, path::Path};

const MAKE_CONF: &str = include_str!("../../profiles/portage/make.conf");

const PROFILE_BASHRC: &str = include_str!("../../profiles/portage/profile.bashrc");

/// FEATURES that Portage enables by default and that a host may have to disable. They depend on the host that builds,
/// so the target gets the host's values.
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

/// Sandboxes that Portage disables by default, so their absence is not a choice of the host's administrator.
const OFF_BY_DEFAULT: [&str; 1] = ["mount-sandbox"];

/// Settings of the host that the target gets as well.
const OF_THE_HOST: [&str; 5] = [
    "DISTDIR",
    "MAKEOPTS",
    "GENTOO_MIRRORS",
    "PORTAGE_USERNAME",
    "PORTAGE_GRPNAME",
];

/// Files below `etc/portage` that crossdev writes too.
pub(crate) const TEXTS: [&str; 3] = ["make.conf", "profile/make.defaults", "profile/use.force"];

/// The placeholders of crossdev's templates, in the order of the values in [`fixed`].
const PLACEHOLDERS: [&str; 6] = [
    "__CHOST__",
    "__CBUILD__",
    "__ARCH__",
    "__KERNEL__",
    "__LIBC__",
    "__USE_FORCE_KERNEL__",
];

/// Returns the first line of init's `etc/portage/make.conf`, which identifies it without the record.
pub(super) fn first_line(target: &Target) -> String {
    let first = MAKE_CONF.lines().next().unwrap_or_default();
    first.replace("@CHOST@", &target.tuple)
}

/// Renders `etc/portage/make.conf`.
pub(super) fn make_conf(target: &Target, cpu_flags: &str, host: &Settings, root: &Path) -> String {
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
            format!("-O2 -pipe -fomit-frame-pointer {cpu_flags}").trim_end(),
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

/// Renders `etc/portage/profile/make.defaults`: ARCH, KERNEL and ELIBC, unless the profile sets the same value; for
/// `embedded`, always. With `llvm`, also the tools of a target for which clang builds.
pub(super) fn make_defaults(target: &Target, profile: &Profile, llvm: bool) -> String {
    let tuple = &target.tuple;
    let mut text =
        format!("# Made by `crossmerge init {tuple}`: settings that the profile does not make.\n");
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
        // Portage accumulates ELIBC, so the profile's other libcs have to be removed.
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

/// Renders the tools of a clang target. The assembler is clang, because `llvm-as` reads LLVM's IR.
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

/// Renders `etc/portage/profile/profile.bashrc`, which makes pkg_postinst fail if a program cannot be executed.
/// `target_file` is the path of the target's file. It is in single and double quotes of bash.
pub(super) fn profile_bashrc(target: &Target, target_file: &Path) -> String {
    let mut file = String::new();
    for character in target_file.to_string_lossy().chars() {
        match character {
            '\'' => file += "'\\''",
            '\\' | '"' | '$' | '`' => file.extend(['\\', character]),
            _ => file.push(character),
        }
    }
    let text = PROFILE_BASHRC.replace("@CHOST@", &target.tuple);
    text.replace("@FILE@", &file)
}

/// Renders `etc/portage/profile/use.force`, one flag a line; only a comment if the profile forces the flag itself.
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

/// Renders `etc/portage/repos.conf`: every repository of the host, at its path there. The host syncs them.
pub(super) fn repos_conf(repositories: &Repositories) -> String {
    format!(
        "# Made by `crossmerge init`: the repositories of the host, which also syncs them.\n{}",
        repositories.to_text()
    )
}

/// Fills in the placeholders that crossdev's emerge-wrapper leaves when it fails, and changes nothing else. Returns
/// `None` if the text has none.
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

/// Returns whether a text contains one of crossdev's placeholders.
pub(crate) fn is_half_made(text: &str) -> bool {
    PLACEHOLDERS
        .iter()
        .any(|placeholder| text.contains(placeholder))
}

/// Escapes a value for double quotes in make.conf. Portage processes such a value twice: it splits words as a shell
/// does, then expands `$`. Both remove backslashes, but the second leaves text between single quotes unchanged, and
/// does not recognise a quote after a backslash.
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
        make_conf(
            &target,
            &target.cflags,
            &Settings::from(host),
            Path::new("/usr/x"),
        )
    }

    #[test]
    fn features_are_crossdevs_without_sandboxes_that_the_host_disables() {
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
    fn an_escaped_setting_is_read_back_unchanged() {
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
    fn settings_that_the_host_lacks_are_omitted_and_quotes_are_escaped() {
        let text = make_conf_of("", r#"-j2 "$x" \"#);
        assert!(text.contains(r#"MAKEOPTS="-j2 \"\$x\" \\\\""#), "{text}");
        for name in ["DISTDIR", "GENTOO_MIRRORS", "PORTAGE_USERNAME"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
        assert!(text.contains("ROOT=\"/usr/x/\"\n"), "{text}");
    }
}
