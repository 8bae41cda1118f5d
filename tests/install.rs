//! `make install` and `make uninstall`: what they install, and what they leave alone.

use std::os::unix::fs::PermissionsExt;

use crate::{
    init::tree,
    support::{CROSSMERGE, Output, Prefix},
};

/// Runs make with the program and the documents that are already built, so that cargo has nothing to do.
fn make(prefix: &Prefix, goal: &str, variables: &[&str]) -> Output {
    let docs = prefix.join("docs");
    crate::docs::make("2026-01-31", &docs).expect("pages and completions");
    let binary = format!("binary={CROSSMERGE}");
    let docs = format!("docs={}", docs.display());
    let fixed = [
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "--no-print-directory",
        "CARGO=true",
        &binary,
        &docs,
        goal,
    ];
    prefix.command("make", fixed.iter().chain(variables))
}

/// Installs into `usr` of a prefix, and puts everything that belongs outside of `PREFIX` there too.
pub(crate) fn installed(prefix: &Prefix) {
    let variable = format!("PREFIX={}", prefix.join("usr").display());
    make(prefix, "install", &[&variable]).success();
}

#[test]
fn install_creates_every_name_and_uninstall_removes_exactly_those() {
    let prefix = Prefix::new();
    let dest = prefix.join("dest");
    let destdir = format!("DESTDIR={}", dest.display());
    let variables = [
        destdir.as_str(),
        "EPREFIX=/e",
        "PREFIX=/e/usr",
        "TARGETS=avr s390x-ibm-linux-gnu",
    ];
    prefix.write("dest/e/usr/bin/emerge", "another user's\n");
    let before = tree(&dest);
    make(&prefix, "install", &variables).success();
    let bin = dest.join("e/usr/bin");
    for name in [
        "cross-emerge",
        "cross-ebuild",
        "crossdev",
        "emerge-wrapper",
        "emerge-avr",
        "avr-emerge",
        "s390x-ibm-linux-gnu-pkg-config",
    ] {
        let link = std::fs::read_link(bin.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(link.to_string_lossy(), "crossmerge");
    }
    assert!(dest.join("e/usr/share/doc/crossmerge/COPYING").exists());
    let output = prefix
        .command(bin.join("emerge-wrapper"), ["--help"])
        .success();
    assert!(output.stdout.contains("--target"));
    make(&prefix, "install", &variables).success();
    make(&prefix, "uninstall", &variables).success();
    let gone = |path: &&std::path::PathBuf| !path.is_dir() && !before.contains_key(*path);
    let after = tree(&dest);
    assert_eq!(after.keys().find(gone), None);
    assert_eq!(prefix.read("dest/e/usr/bin/emerge"), "another user's\n");
}

#[test]
fn install_does_not_overwrite_crossdevs_wrappers() {
    let prefix = Prefix::new();
    let destdir = format!("DESTDIR={}", prefix.join("dest").display());
    prefix.write("dest/usr/bin/emerge-wrapper", "crossdev's\n");
    let output = make(&prefix, "install", &[destdir.as_str(), "PREFIX=/usr"]);
    assert_ne!(output.code, Some(0));
    assert!(
        output
            .stderr
            .contains("emerge-wrapper is there and is not ours")
            && output.stderr.contains("hint: "),
        "{output:#?}"
    );
    assert_eq!(prefix.read("dest/usr/bin/emerge-wrapper"), "crossdev's\n");
}

#[test]
fn install_puts_pages_completions_and_documents_into_the_searched_directories() {
    let prefix = Prefix::new();
    let destdir = format!("DESTDIR={}", prefix.join("dest").display());
    // A packager's umask must not affect the modes of installed files.
    let make = |goal: &str| {
        let docs = prefix.join("docs");
        let command = format!(
            "umask 077 && make -C {} --no-print-directory CARGO=true binary={CROSSMERGE} docs={} '{destdir}' EPREFIX=/e TARGETS=avr {goal}",
            env!("CARGO_MANIFEST_DIR"),
            docs.display()
        );
        prefix.command("sh", ["-c", &command]).success()
    };
    crate::docs::make("2026-01-31", &prefix.join("docs")).expect("pages and completions");
    make("install");
    let dest = prefix.join("dest/e");
    for place in [
        "usr/local/share/man/man1/crossmerge.1",
        "usr/local/share/man/man1/crossmerge-applets.1",
        "usr/local/share/man/man5/crossmerge.toml.5",
        "usr/local/share/bash-completion/completions/crossmerge",
        "usr/local/share/bash-completion/completions/emerge-wrapper",
        "etc/bash_completion.d/crossmerge",
        "usr/local/share/zsh/site-functions/_crossmerge",
        "etc/fish/completions/crossmerge.fish",
        "etc/fish/conf.d/crossmerge.fish",
        "etc/fish/functions/__crossmerge_applet.fish",
        "usr/local/share/doc/crossmerge/README.md",
        "usr/local/share/doc/crossmerge/docs/applets.md",
        "usr/local/share/doc/crossmerge/wrappers/README.md",
    ] {
        assert!(dest.join(place).exists(), "{place}");
    }
    for (path, _) in tree(&dest) {
        let path = dest.join(path);
        if !path.is_symlink() {
            let mode = path.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o444, 0o444, "{}", path.display());
        }
    }
    let pages = dest.join("usr/local/share/man");
    for (name, of) in [
        ("crossmerge", "CROSSMERGE(1)"),
        ("avr-emerge", "CROSSMERGE-APPLETS(1)"),
        ("emerge-avr", "CROSSMERGE-APPLETS(1)"),
        ("cross-pkg-config", "CROSSMERGE-APPLETS(1)"),
        ("emerge-wrapper", "CROSSMERGE-APPLETS(1)"),
        ("wrappers", "CROSSMERGE-WRAPPERS(5)"),
        ("site-cache", "CROSSMERGE-SITE-CACHE(5)"),
    ] {
        let output = prefix.command("man", ["-M".as_ref(), pages.as_os_str(), name.as_ref()]);
        assert!(output.stdout.starts_with(of), "{name}: {output:#?}");
    }
    make("uninstall");
    let left: Vec<_> = tree(&dest)
        .into_keys()
        .filter(|path| !dest.join(path).is_dir())
        .collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_installation_in_a_users_prefix_writes_nothing_outside_it() {
    let prefix = Prefix::new();
    let before = prefix.join("dest");
    let variables = [
        format!("DESTDIR={}", before.display()),
        "PREFIX=/home/me/.local".into(),
    ];
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    make(&prefix, "install", &variables).success();
    let outside = |path: &std::path::PathBuf| {
        let path = before.join(path);
        !path.is_dir() && !path.starts_with(before.join("home/me/.local"))
    };
    assert_eq!(tree(&before).into_keys().find(outside), None);
}

/// fish searches vendors' completions in /usr/share and ~/.local/share, and the administrator's in /etc/fish. It
/// searches other directories only if XDG_DATA_DIRS names them.
#[test]
fn fish_finds_its_completions_below_every_usual_prefix() {
    for (variables, place) in [
        (vec!["PREFIX=/usr"], "usr/share/fish/vendor_completions.d"),
        (vec!["PREFIX=/usr/local"], "etc/fish/completions"),
        (
            vec!["EPREFIX=/e", "PREFIX=/e/usr"],
            "e/usr/share/fish/vendor_completions.d",
        ),
        (vec!["EPREFIX=/e"], "e/etc/fish/completions"),
        (
            vec!["PREFIX=/home/me/.local"],
            "home/me/.local/share/fish/vendor_completions.d",
        ),
    ] {
        let prefix = Prefix::new();
        let destdir = format!("DESTDIR={}", prefix.join("dest").display());
        make(
            &prefix,
            "install-docs",
            &[&[destdir.as_str()], &variables[..]].concat(),
        )
        .success();
        let file = prefix.join("dest").join(place).join("crossmerge.fish");
        assert!(file.exists(), "{variables:?}: {}", file.display());
    }
}

#[test]
fn a_prefix_with_a_space_is_one_directory() {
    let prefix = Prefix::new();
    let variables = [
        "PREFIX=/opt/a b".to_owned(),
        format!("DESTDIR={}", prefix.join("de st").display()),
    ];
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    make(&prefix, "install", &variables).success();
    let program = prefix.join("de st/opt/a b/bin/crossmerge");
    prefix.command(&program, ["--version"]).success();
    assert!(
        prefix
            .join("de st/opt/a b/share/man/man1/crossmerge.1")
            .exists()
    );
    make(&prefix, "uninstall", &variables).success();
    let left: Vec<_> = tree(&prefix.join("de st"))
        .into_keys()
        .filter(|path| !prefix.join("de st").join(path).is_dir())
        .collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new());
}

/// Under sudo, PATH has no cargo. The program that the user built is installed. If nothing is built, there is one
/// error.
#[test]
fn install_without_rust_uses_the_built_program() {
    let prefix = Prefix::new();
    let docs = prefix.join("target/docs");
    crate::docs::make("2026-01-31", &docs).expect("pages and completions");
    let target = format!("CARGO_TARGET_DIR={}", prefix.join("target").display());
    let destdir = format!("DESTDIR={}", prefix.join("dest").display());
    let install = || {
        let words = [
            "-C",
            env!("CARGO_MANIFEST_DIR"),
            "--no-print-directory",
            &target,
            &destdir,
            "CARGO=no-cargo",
            "host=",
            "install",
        ];
        prefix.command("make", words)
    };
    let output = install();
    assert_eq!(output.code, Some(2), "{output:#?}");
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert!(
        matches!(lines[..], [error, hint, _] if error.contains("no-cargo is not in PATH") && hint.contains("make build")),
        "{output:#?}"
    );
    assert!(!prefix.join("dest").exists());
    let built = prefix.join("target/x86_64-unknown-linux-musl/release");
    std::fs::create_dir_all(&built).expect("a directory");
    std::fs::copy(CROSSMERGE, built.join("crossmerge")).expect("a program");
    let output = install().success();
    assert!(output.stderr.contains("taking"), "{output:#?}");
    assert!(output.stdout.ends_with("completions\n"), "{output:#?}");
    assert!(prefix.join("dest/usr/local/bin/crossmerge").exists());
}

#[test]
fn install_does_not_overwrite_another_programs_pages() {
    for page in ["man1/cross-emerge.1", "man5/wrappers.5"] {
        let prefix = Prefix::new();
        let destdir = format!("DESTDIR={}", prefix.join("dest").display());
        let path = format!("dest/usr/share/man/{page}");
        prefix.write(&path, "another's\n");
        let output = make(&prefix, "install", &[&destdir, "PREFIX=/usr"]);
        assert_ne!(output.code, Some(0), "{page}");
        assert!(
            output.stderr.contains(page) && output.stderr.contains("hint: "),
            "{output:#?}"
        );
        make(&prefix, "uninstall", &[&destdir, "PREFIX=/usr"]).success();
        assert_eq!(prefix.read(&path), "another's\n");
    }
}

/// The directories of documents are installed beside each other, so that the links between them work there too.
#[test]
fn links_between_installed_documents_work() {
    let prefix = Prefix::new();
    installed(&prefix);
    let directory = prefix.join("usr/share/doc/crossmerge");
    let broken = crate::docs::links::broken(&directory).expect("documents");
    assert_eq!(broken, Vec::<String>::new());
}
