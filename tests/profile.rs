//! `crossmerge profile` and `init --profile`, with profiles as Gentoo has them and the real Portage to say what they mean.

use crate::support::Prefix;

const TUPLE: &str = "armv4tl-softfloat-linux-gnueabi";

/// Profiles in a repository of their own: name, ARCH, CHOST, ELIBC, status.
const PROFILES: [(&str, &str, &str, &str, &str); 7] = [
    (
        "default/linux/arm/17.0/armv4",
        "arm",
        TUPLE,
        "glibc",
        "stable",
    ),
    ("default/linux/arm/23.0/armv4", "arm", TUPLE, "glibc", "dev"),
    (
        "default/linux/arm/23.0/armv4/desktop",
        "arm",
        TUPLE,
        "glibc",
        "dev",
    ),
    (
        "default/linux/arm/23.0/armv7a_hf",
        "arm",
        "armv7a-unknown-linux-gnueabihf",
        "glibc",
        "stable",
    ),
    (
        "default/linux/arm/23.0/split-usr/armv4",
        "arm",
        TUPLE,
        "glibc",
        "dev",
    ),
    (
        "default/linux/arm/23.0/musl",
        "arm",
        "armv4tl-softfloat-linux-musleabi",
        "musl",
        "exp",
    ),
    (
        "default/linux/arm64/23.0",
        "arm64",
        "aarch64-unknown-linux-gnu",
        "glibc",
        "stable",
    ),
];

fn prefix() -> Prefix {
    let prefix = Prefix::with_portage();
    prefix.overlay("g");
    prefix.write(
        "overlays/g/metadata/layout.conf",
        "masters = crossmerge-demo\nprofile-formats = portage-2\n",
    );
    let mut desc = String::from("# arch  path  status\n");
    for (name, arch, chost, elibc, status) in PROFILES {
        let folder = format!("overlays/g/profiles/{name}");
        prefix.write(&format!("{folder}/parent"), "crossmerge-demo:base\n");
        prefix.write(&format!("{folder}/eapi"), "8\n");
        let defaults = format!("ARCH=\"{arch}\"\nCHOST=\"{chost}\"\nELIBC=\"-glibc {elibc}\"\n");
        prefix.write(&format!("{folder}/make.defaults"), &defaults);
        desc += &format!("{arch}\t{name}\t{status}  # a comment\n");
    }
    prefix.write("overlays/g/profiles/profiles.desc", &desc);
    prefix
}

fn etc(path: &str) -> String {
    format!("usr/{TUPLE}/etc/portage/{path}")
}

fn portageq(prefix: &Prefix, name: &str) -> String {
    let said = prefix.run(&format!("{TUPLE}-portageq"), ["envvar", name]);
    said.success().stdout.trim().to_owned()
}

#[test]
fn list_shows_the_profiles_of_the_arch_and_libc() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let listed = prefix.own(["profile", "list", TUPLE]).success().stdout;
    assert_eq!(
        listed,
        "  [1]  g:default/linux/arm/17.0/armv4 (stable)\n\
         \x20 [2]  g:default/linux/arm/23.0/armv4 (dev)\n\
         \x20 [3]  g:default/linux/arm/23.0/armv4/desktop (dev)\n\
         \x20 [4]  g:default/linux/arm/23.0/armv7a_hf (stable)\n\
         \x20 [5]  g:default/linux/arm/23.0/split-usr/armv4 (dev)\n\
         \x20 [6]  embedded (-) *\n"
    );
}

#[test]
fn a_profile_that_portage_ignores_is_named_with_the_reason() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let parent = "overlays/g/profiles/default/linux/arm/23.0/armv4/parent";
    prefix.write(parent, "nowhere:base\n");
    let said = prefix.own(["profile", "list", TUPLE]).success();
    let why = format!(
        "crossmerge: the profile `g:default/linux/arm/23.0/armv4` is left out: `{}`: there is no `nowhere:base`, and Portage ignores the profile\n",
        prefix.join(parent).display()
    );
    assert_eq!(said.stderr, why);
    assert!(!said.stdout.contains("23.0/armv4 "), "{said:#?}");
    assert!(said.stdout.contains("embedded"), "{said:#?}");
}

#[test]
fn set_links_a_profile_and_leaves_out_what_it_says_itself() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    let overrides = prefix.read(&etc("profile/make.defaults"));
    assert!(overrides.contains("ARCH=\"arm\"") && overrides.contains("ELIBC=\"glibc\""));

    prefix
        .own(["profile", "set", TUPLE, "g:default/linux/arm/23.0/armv4"])
        .success();
    let folder = prefix.join("overlays/g/profiles/default/linux/arm/23.0/armv4");
    assert_eq!(prefix.read_link(&etc("make.profile")), folder);
    for name in ["profile/make.defaults", "profile/use.force"] {
        let text = prefix.read(&etc(name));
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }
    assert_eq!(
        (
            portageq(&prefix, "ARCH"),
            portageq(&prefix, "ELIBC"),
            portageq(&prefix, "KERNEL")
        ),
        ("arm".into(), "glibc".into(), "linux".into())
    );
    let shown = prefix.own(["profile", "show", TUPLE]).success().stdout;
    for line in [
        "profile  g:default/linux/arm/23.0/armv4",
        "status   dev",
        "arch     arm",
        "elibc    glibc",
        &format!("chost    {TUPLE}"),
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "no {line:?} in {shown}"
        );
    }
    // A plain init keeps it; a number takes another; embedded needs the overrides again.
    assert!(
        prefix
            .own(["init", TUPLE])
            .success()
            .stderr
            .contains("nothing to do")
    );
    prefix.own(["profile", "set", TUPLE, "1"]).success();
    assert!(
        prefix
            .read_link(&etc("make.profile"))
            .ends_with("17.0/armv4")
    );
    prefix.own(["profile", "set", TUPLE, "embedded"]).success();
    assert_eq!(prefix.read(&etc("profile/make.defaults")), overrides);

    for wrong in ["g:nowhere", "0", "99", "-1x"] {
        let said = prefix.own(["profile", "set", "--", TUPLE, wrong]);
        said.fails(125, "is no profile", "crossmerge profile list");
    }
    prefix.own(["profile", "set", "avr", "embedded"]).fails(
        125,
        "does not exist",
        "crossmerge init avr",
    );
    // An edited override stays.
    prefix.append(&etc("profile/make.defaults"), "# mine\n");
    prefix.own(["profile", "set", TUPLE, "2"]).success();
    assert!(
        prefix
            .read(&etc("profile/make.defaults"))
            .ends_with("# mine\n")
    );
    assert!(prefix.join(etc("profile/._cfg0000_make.defaults")).exists());
}

#[test]
fn auto_takes_the_best_that_fits_and_says_so() {
    let prefix = prefix();
    let said = prefix
        .own(["init", TUPLE, "--profile", "auto"])
        .success()
        .stderr;
    assert!(
        said.contains("profile g:default/linux/arm/23.0/armv4 (dev)")
            && said.contains("profile set"),
        "{said}"
    );
    assert_eq!(portageq(&prefix, "ARCH"), "arm");

    let hard = "armv7a-unknown-linux-gnueabihf";
    let said = prefix
        .own(["init", hard, "--profile", "auto"])
        .success()
        .stderr;
    assert!(said.contains("23.0/armv7a_hf (stable)"), "{said}");
    let musl = "armv4tl-softfloat-linux-musleabi";
    let said = prefix
        .own(["init", musl, "--profile", "auto"])
        .success()
        .stderr;
    assert!(said.contains("23.0/musl (exp)"), "{said}");
    // A sysroot whose /lib is a folder of its own has no merged /usr.
    prefix.own(["remove", TUPLE]).success();
    std::fs::create_dir_all(prefix.join(format!("usr/{TUPLE}/lib"))).expect("a folder");
    let said = prefix
        .own(["init", TUPLE, "--profile", "auto"])
        .success()
        .stderr;
    assert!(said.contains("23.0/split-usr/armv4 (dev)"), "{said}");
    // Nothing fits: embedded, as ever.
    let said = prefix
        .own(["init", "s390x-ibm-linux-gnu", "--profile", "auto"])
        .success()
        .stderr;
    assert!(said.contains("profile embedded"), "{said}");
    assert!(
        prefix
            .read("usr/s390x-ibm-linux-gnu/etc/portage/profile/make.defaults")
            .contains("ARCH=\"s390\"")
    );
}

#[test]
fn a_sysroot_that_somebody_else_made_gets_the_link_and_nothing_else() {
    let prefix = prefix();
    prefix.write(&etc("make.conf"), &format!("CHOST={TUPLE}\n"));
    prefix
        .own(["profile", "set", TUPLE, "g:default/linux/arm/23.0/armv4"])
        .success();
    assert!(
        prefix
            .read_link(&etc("make.profile"))
            .ends_with("23.0/armv4")
    );
    assert_eq!(prefix.read(&etc("make.conf")), format!("CHOST={TUPLE}\n"));
    assert!(!prefix.join(etc("profile")).exists());
}

#[test]
fn a_target_without_a_profile_is_told_how_to_get_one() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    std::fs::remove_file(prefix.join(etc("make.profile"))).expect("gone");
    prefix.own(["profile", "show", TUPLE]).fails(
        125,
        "has no profile",
        &format!("crossmerge profile set {TUPLE} auto"),
    );
    let bare = Prefix::new();
    bare.own(["profile", "list", TUPLE])
        .fails(125, "no Portage here", "sys-apps/portage");
}

#[test]
fn a_profile_that_somebody_made_as_a_folder_is_not_replaced() {
    let prefix = prefix();
    prefix.own(["init", TUPLE]).success();
    std::fs::remove_file(prefix.join(etc("make.profile"))).expect("gone");
    prefix.write(&etc("make.profile/parent"), "crossmerge-demo:embedded\n");
    prefix.write(&etc("make.profile/make.defaults"), "ARCH=\"arm\"\n");
    let before = crate::init::tree(&prefix.path());
    prefix
        .own(["profile", "set", TUPLE, "1"])
        .fails(125, "make.profile` is a folder", "mv ");
    assert_eq!(before.len(), crate::init::tree(&prefix.path()).len());
    prefix.own(["init", TUPLE]).success();
    assert!(prefix.join(etc("make.profile/parent")).is_file());
}
