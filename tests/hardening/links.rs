//! crossmerge creates, changes and removes no file through a symlink that another user could have created.

use super::{
    AS_OTHER_USER, OTHER_USER, TUPLE, directory_of_another_user, give_away, left_beside, needs_root,
};
use crate::{init::tree, support::Prefix};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::{
    collections::BTreeMap,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// A prefix with Portage, another user's directory for the target, and a directory of root's that must not change.
struct Scene {
    prefix: Prefix,
    theirs: PathBuf,
    victim: PathBuf,
    before: BTreeMap<PathBuf, String>,
}

impl Scene {
    fn new() -> Self {
        needs_root();
        let prefix = Prefix::with_portage();
        let theirs = directory_of_another_user(&prefix, "home/target");
        give_away(&prefix.join("home"));
        for name in [
            "passwd",
            "make.conf",
            "lock",
            "contents",
            "use.force",
            "foo-config",
        ] {
            prefix.write(&format!("victim/{name}"), "prefix=/usr\n");
        }
        prefix.script("victim/bin/foo-config", "#!/bin/sh\nprefix=/usr\n");
        let victim = prefix.join("victim");
        let before = tree(&victim);
        Self {
            prefix,
            theirs,
            victim,
            before,
        }
    }

    /// Creates a symlink of another user, in directories of that user.
    fn plant(&self, path: &str, target: &Path) {
        let place = self.theirs.join(path);
        std::fs::create_dir_all(place.parent().expect("a directory")).expect("directories");
        let directories = place.ancestors().skip(1);
        directories
            .take_while(|directory| directory.starts_with(&self.theirs))
            .for_each(give_away);
        symlink(target, &place).expect("a link");
        give_away(&place);
    }

    fn init(&self) -> crate::support::Output {
        let sysroot = self.theirs.display().to_string();
        self.prefix.own(["init", TUPLE, "--sysroot", &sysroot])
    }

    #[track_caller]
    fn check(&self, what: &str) {
        assert_eq!(tree(&self.victim), self.before, "{what}");
    }
}

#[test]
fn init_follows_no_link_that_another_user_planted() {
    let cases = [
        ("etc", ""),
        ("etc/portage", "bin"),
        ("etc/portage/profile", "new"),
        ("var", ""),
        ("var/lib/crossmerge", ""),
        ("var/lib/crossmerge/lock", "lock"),
        ("var/lib/crossmerge/lock", "new"),
    ];
    for (path, target) in cases {
        let scene = Scene::new();
        scene.plant(path, &scene.victim.join(target));
        let output = scene.init();
        scene.check(path);
        assert_eq!(output.code, Some(125), "{path}: {output:#?}");
        let place = scene.theirs.join(path);
        let is_named = output.stderr.contains(&format!("`{}`", place.display()));
        assert!(
            is_named && output.stderr.contains("\nhint: "),
            "{path}: {output:#?}"
        );
        if !path.ends_with("lock") {
            let owner = format!("belongs to {OTHER_USER}");
            assert!(output.stderr.contains(&owner), "{path}: {output:#?}");
        }
        assert_eq!(left_beside(&scene.theirs), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_file_at_a_temporary_name_of_init_is_replaced_or_named() {
    // A symlink at the place of a file or of its temporary file is replaced itself. Its target does not change.
    for path in [
        "etc/portage/.make.conf.crossmerge-new",
        "etc/portage/.make.profile.crossmerge-new",
        "var/lib/crossmerge/.contents.crossmerge-new",
        ".tmp.crossmerge-new",
    ] {
        let scene = Scene::new();
        scene.plant(path, &scene.victim.join("make.conf"));
        scene.init().success();
        scene.check(path);
        assert_eq!(left_beside(&scene.theirs), [] as [PathBuf; 0]);
    }
    // The same holds for a hard link to a file of root's.
    let scene = Scene::new();
    let waiting = scene.theirs.join("etc/portage/.make.conf.crossmerge-new");
    std::fs::create_dir_all(waiting.parent().expect("a directory")).expect("directories");
    std::fs::hard_link(scene.victim.join("passwd"), &waiting).expect("another name");
    scene.init().success();
    scene.check("a hard link");
    // A directory that is not empty stays, and the error names it.
    let scene = Scene::new();
    let inside = scene.theirs.join("etc/portage/.make.conf.crossmerge-new/x");
    std::fs::create_dir_all(&inside).expect("directories");
    let before = tree(&scene.theirs);
    let place = inside.parent().expect("a directory").display().to_string();
    scene
        .init()
        .fails(125, &format!("cannot remove `{place}`"), "");
    assert_eq!(tree(&scene.theirs), before);
}

#[test]
fn neither_an_edit_nor_a_planted_record_leads_out_of_the_sysroot() {
    let scene = Scene::new();
    let hash = {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(b"prefix=/usr\n");
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    scene.plant("etc", &scene.victim);
    let victim = scene.victim.display();
    let record = format!(
        "pending\nobj etc/passwd {hash}\nobj ../../victim/passwd {hash}\nobj {victim}/passwd {hash}\ndir etc/bin\n\
         obj etc/../etc/make.conf {hash}\n"
    );
    std::fs::create_dir_all(scene.theirs.join("var/lib/crossmerge")).expect("directories");
    std::fs::write(scene.theirs.join("var/lib/crossmerge/contents"), record).expect("a record");
    let sysroot = scene.theirs.display().to_string();
    let prefix = scene.prefix.with("SYSROOT", &sysroot);
    for args in [&["remove", TUPLE][..], &["init", TUPLE]] {
        let output = prefix.own(args);
        assert_eq!(output.code, Some(125), "{output:#?}");
        scene.check(args[0]);
    }
}

#[test]
fn a_link_that_root_made_is_followed() {
    needs_root();
    let prefix = Prefix::with_portage();
    prefix.own(["init", TUPLE]).success();
    let usr = prefix.join("usr");
    let plain = tree(&usr);
    prefix.own(["remove", TUPLE]).success();
    // The sysroot is elsewhere. A part of it is elsewhere again, through a symlink to the same directory and through
    // one with `..`.
    std::fs::create_dir_all(prefix.join("mnt/big/etc")).expect("directories");
    std::fs::create_dir_all(&usr).expect("a directory");
    symlink(prefix.join("mnt/big"), usr.join(TUPLE)).expect("a link");
    symlink("../big/var-of-it", prefix.join("mnt/big/var")).expect("a link");
    std::fs::create_dir(prefix.join("mnt/big/var-of-it")).expect("a directory");
    prefix.own(["init", TUPLE]).success();
    let mut known = 0;
    for (path, what) in plain.iter().filter(|(path, _)| !path.is_dir()) {
        let there = path
            .symlink_metadata()
            .map(|_| tree(path.parent().expect("a directory")));
        let there = there.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(there.get(path), Some(what), "{}", path.display());
        known += 1;
    }
    assert!(known > 5, "only {known} files");
    assert!(
        prefix
            .join("mnt/big/var-of-it/lib/crossmerge/contents")
            .exists()
    );
    // In a directory of another user, that user could have moved the symlink there.
    let theirs = directory_of_another_user(&prefix, "home");
    symlink(prefix.join("mnt/big"), theirs.join("moved")).expect("a link");
    let moved = theirs.join("moved").display().to_string();
    let output = prefix.own(["init", TUPLE, "--sysroot", &moved]);
    output.fails(125, "belongs to root", "use its own path");
}

#[test]
fn another_user_cannot_win_a_race_against_init() {
    let scene = Scene::new();
    // Each directory is exchanged with a symlink again and again.
    for name in ["etc", "var", "etc/portage"] {
        std::fs::create_dir_all(scene.theirs.join(name)).expect("a directory");
        give_away(&scene.theirs.join(name));
    }
    scene.plant("etc-link", &scene.victim);
    scene.plant("var-link", &scene.victim);
    scene.plant("etc/portage-link", &scene.victim);
    let is_over = AtomicBool::new(false);
    let theirs = &scene.theirs;
    let swap = |name: &str| {
        let (one, other) = (theirs.join(name), theirs.join(format!("{name}-link")));
        while !is_over.load(Ordering::Relaxed) {
            let _ = renameat2(
                AT_FDCWD,
                &one,
                AT_FDCWD,
                &other,
                RenameFlags::RENAME_EXCHANGE,
            );
        }
    };
    thread::scope(|scope| {
        for name in ["etc", "var", "etc/portage"] {
            scope.spawn(move || swap(name));
        }
        for _ in 0..12 {
            scene.init();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    scene.check("a race");
}

#[test]
fn fix_root_export_and_the_state_follow_no_planted_link() {
    let scene = Scene::new();
    let prefix = &scene.prefix;
    prefix.link(&format!("{TUPLE}-fix-root"));
    scene.plant("usr", &scene.victim);
    let sysroot = scene.theirs.display().to_string();
    let output = prefix
        .with("SYSROOT", &sysroot)
        .run(&format!("{TUPLE}-fix-root"), ["--installed"]);
    scene.check("fix-root");
    // fix-root names the symlink and leaves it.
    let output = output.success();
    let link = format!(
        "left     {}: it leads out of the sysroot",
        scene.theirs.join("usr").display()
    );
    assert!(output.stderr.contains(&link), "no {link} in {output:#?}");
    assert!(
        output.stderr.contains("nothing to change in "),
        "{output:#?}"
    );

    prefix.script(&format!("tools/{TUPLE}-gcc"), "#!/bin/sh\nexit 1\n");
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}"))).expect("a sysroot");
    scene.plant("project", &scene.victim);
    scene.plant("file.cmake", &scene.victim.join("new"));
    for (file, link) in [
        ("project/cross.cmake", "project"),
        ("file.cmake", "file.cmake"),
    ] {
        let file = scene.theirs.join(file).display().to_string();
        let link = format!("`{}`", scene.theirs.join(link).display());
        let args = ["export", TUPLE, "cmake", &file, "--force"];
        prefix.own(args).fails(125, &link, "use its own path");
        scene.check(&file);
    }
    // `export` does not replace a device.
    let device = scene.theirs.join("null");
    let made = prefix.command(
        "mknod",
        [device.as_os_str(), "c".as_ref(), "1".as_ref(), "3".as_ref()],
    );
    made.success();
    let device = device.display().to_string();
    let args = ["export", TUPLE, "cmake", &device, "--force"];
    prefix
        .own(args)
        .fails(125, "not a regular file", "another file");

    // The config.site is root's, and in a directory of root's.
    std::fs::create_dir_all(prefix.join("var/lib")).expect("directories");
    symlink(&scene.victim, prefix.join("var/lib/crossmerge")).expect("a link");
    give_away(&prefix.join("var/lib/crossmerge"));
    let link = format!("`{}`", prefix.join("var/lib/crossmerge").display());
    prefix
        .own(["export", TUPLE, "env"])
        .fails(125, &link, "use its own path");
    scene.check("the config.site");
}

#[test]
fn an_ordinary_user_follows_no_symlink_of_others() {
    needs_root();
    // Another user creates a symlink in a directory with the sticky bit, to which every user may write.
    let prefix = &Prefix::new();
    let shared = prefix.join("shared");
    std::fs::create_dir(&shared).expect("a directory");
    prefix.command("chmod", ["1777", "shared"]).success();
    prefix.command("chmod", ["755", "."]).success();
    symlink(directory_of_another_user(prefix, "mine"), shared.join("x")).expect("a link");
    std::os::unix::fs::lchown(shared.join("x"), Some(4343), Some(4343)).expect("an owner");
    let program = super::copied_program(prefix);
    let words = [
        "env",
        "HOME=/nonexistent",
        "XDG_CONFIG_HOME=mine/config",
        &program,
        "init",
        TUPLE,
        "--sysroot",
        "shared/x",
        "--bindir",
        "mine",
    ];
    let output = prefix.command("setpriv", AS_OTHER_USER.iter().chain(&words));
    let link = format!("`{}`", shared.join("x").display());
    output.fails(125, &link, "use its own path");
}
