//! Without a per-namespace binfmt_misc, the host's is used if it has a rule with flag `F`.

use super::{ARM, AS_NOBODY, CONTAINED, NOBODY, Rooted};

#[test]
fn without_user_namespaces_the_hosts_own_binfmt_misc_is_used() {
    let rooted = Rooted::of("armel", ARM);
    rooted.give_to("0:0");
    let program = rooted.program();
    let root = rooted.root().display().to_string();
    // The limit applies to the user namespace in which the test is root.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces
        \"$1\" --root \"$2\" uname -m && exit 1
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
        \"$3\" binfmt show arm-unknown-linux-gnueabi | grep qemu-arm: | sed 's/:[A-Z]*$/:F/' > /proc/sys/fs/binfmt_misc/register
        \"$1\" --root \"$2\" uname -m";
    let crossmerge = rooted.prefix.join("bin/crossmerge").display().to_string();
    let words = [
        &CONTAINED[..],
        &["sh", "-c", script, "sh", &program, &root, &crossmerge],
    ]
    .concat();
    let output = rooted.prefix.command(words[0], &words[1..]).success();
    assert_eq!(output.stdout, "armv7l\n", "{output:#?}");
    assert!(
        output.stderr.contains("max_user_namespaces is 0"),
        "{output:#?}"
    );
    assert!(
        output
            .stderr
            .contains("hint: the host's own binfmt_misc works too"),
        "{output:#?}"
    );
}

/// A script that becomes a host with the same users and with an empty binfmt_misc.
const MACHINE: &str = r#"echo root:0:65536 > ids
for file in /etc/subuid /etc/subgid; do mount --bind ids $file; done
exec unshare --user --mount --map-users=0,0,65536 --map-groups=0,0,65536 "$@""#;

#[test]
fn before_linux_6_7_the_hosts_own_binfmt_misc_is_used_if_its_rule_has_flag_f() {
    let script = r#"chroot=$1 root=$2 crossmerge=$3
        shift 3
        table=/proc/sys/fs/binfmt_misc
        # setarch makes the kernel report an old release to the program.
        enter() { "$@" setarch --uname-2.6 "$chroot" --root "$root" uname -m || echo "code $?"; }
        mount -t binfmt_misc binfmt_misc $table
        enter "$@"
        for flag in "" F; do
            "$crossmerge" binfmt show arm-unknown-linux-gnueabi | grep qemu-arm: | sed "s/:[A-Z]*\$/:$flag/" > $table/register
            enter "$@"
            echo -1 > $table/qemu-arm
        done"#;
    for (before, owner) in [(&[][..], "0:0"), (&AS_NOBODY, NOBODY)] {
        let rooted = Rooted::of("armel", ARM);
        rooted.give_to(owner);
        let crossmerge = rooted.prefix.join("bin/crossmerge").display().to_string();
        let root = rooted.root().display().to_string();
        let machine = ["unshare", "--mount", "sh", "-ec", MACHINE, "sh"];
        let program = rooted.program();
        let enters = ["sh", "-ec", script, "sh", &program, &root, &crossmerge];
        let words = [&machine[..], &enters, before].concat();
        let output = rooted.prefix.command(words[0], &words[1..]).success();
        assert_eq!(output.stdout, "code 125\ncode 125\narmv7l\n", "{output:#?}");
        for text in [
            "has one binfmt_misc for all users: a per-namespace",
            "hint: the host's own binfmt_misc works too: as root, `crossmerge binfmt register <tuple>`",
        ] {
            assert_eq!(
                output.stderr.matches(text).count(),
                2,
                "{text}: {output:#?}"
            );
        }
    }
}
