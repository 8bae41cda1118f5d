//! `crossmerge farm serve` and `use`: binary packages that one machine builds and another installs, with the real Portage,
//! the real GnuPG and a real web server.

use crate::support::{Output, Prefix, server::Server};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// A short tuple, because the path of a socket is limited to 107 bytes, and those of the tests are long.
const ARM: &str = "arm-a-linux-gnueabi";
const S390X: &str = "s390x-ibm-linux-gnu";

/// An ebuild that installs the CHOST for which it was built.
const EBUILD: &str = "EAPI=8\nDESCRIPTION=\"x\"\nSLOT=0\nKEYWORDS=\"arm s390\"\nS=\"${WORKDIR}\"\n\
     src_install() {\n\techo ${CHOST} > one || die\n\tinsinto /usr/share\n\tdoins one\n}\n";

/// A machine with targets. Portage verifies as the user `nobody`, who has to reach the keys.
fn machine(tuples: &[(&str, &str)]) -> Prefix {
    let prefix = Prefix::with_portage();
    fs::set_permissions(prefix.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    prefix.overlay("mine");
    for (path, text) in [
        ("profiles/categories", "app-misc\n"),
        ("metadata/layout.conf", "masters =\nuse-manifests = false\n"),
        ("app-misc/one/one-1.ebuild", EBUILD),
    ] {
        prefix.write(&format!("overlays/mine/{path}"), text);
    }
    for (tuple, tools) in tuples {
        prefix.own(["init", tuple, "--toolchain", tools]).success();
    }
    prefix
}

/// The address of a target's packages, on a server of the directory of sysroots.
fn url(server: &Server, tuple: &str) -> String {
    format!("{}/{tuple}/var/cache/binpkgs", server.url())
}

fn pkgdir(tuple: &str) -> String {
    format!("usr/{tuple}/var/cache/binpkgs")
}

fn serve(host: &Prefix, tuple: &str) -> Output {
    host.own(["farm", "serve", tuple]).success()
}

/// Runs `farm use` with the key that the host has written.
fn use_host(client: &Prefix, tuple: &str, url: &str, key: &Path) -> Output {
    let key = key.to_str().expect("UTF-8");
    client.own(["farm", "use", tuple, url, "--key", key])
}

/// Fetches the package into an empty root.
fn merge(client: &Prefix, tuple: &str) -> (Output, Option<String>) {
    let root = client.join("fresh");
    let _ = fs::remove_dir_all(&root);
    // Portage reads its copy of the index again only if the index is a second newer.
    let _ = fs::remove_dir_all(client.join(format!("usr/{tuple}/var/cache/binhost")));
    fs::create_dir(&root).expect("a root");
    let emerge = format!("{tuple}-emerge");
    let output = client
        .with("ROOT", &root)
        .run(&emerge, ["--getbinpkgonly", "--oneshot", "app-misc/one"]);
    let installed = fs::read_to_string(root.join("usr/share/one")).ok();
    (output, installed)
}

/// Lists the packages below a directory.
fn packages(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(packages(&path)),
            path if path.to_string_lossy().ends_with(".gpkg.tar") => found.push(path),
            _ => {}
        }
    }
    found
}

#[test]
fn a_client_installs_signed_packages_of_its_own_target_only() {
    let both = [(ARM, "arm-linux-gnueabi-"), (S390X, "s390x-linux-gnu-")];
    let host = machine(&both);
    for (tuple, _) in both {
        let emerge = format!("{tuple}-emerge");
        host.run(&emerge, ["--buildpkgonly", "--oneshot", "app-misc/one"])
            .success();
    }
    let package = packages(&host.join(pkgdir(ARM))).remove(0);
    let unsigned = fs::read(&package).expect("a package");
    fs::set_permissions(&package, PermissionsExt::from_mode(0o600)).expect("a mode");

    // A dry run changes nothing.
    let make_conf = format!("usr/{ARM}/etc/portage/make.conf");
    let before = host.read(&make_conf);
    let dry = host.own(["farm", "serve", ARM, "--dry-run"]).success();
    assert!(
        dry.stdout
            .contains("+FEATURES=\"${FEATURES} buildpkg binpkg-signing\""),
        "{dry:#?}"
    );
    assert_eq!(host.read(&make_conf), before);
    assert!(
        !host
            .join(format!("var/lib/crossmerge/{ARM}/signing"))
            .exists()
    );

    // The packages that exist are signed, and readable.
    for (tuple, _) in both {
        let served = serve(&host, tuple);
        assert!(served.stderr.contains("signed   1 package "), "{served:#?}");
        assert!(served.stdout.contains("location /"), "{served:#?}");
    }
    let mode = fs::metadata(&package).expect("a package").permissions();
    assert_eq!(mode.mode() & 0o777, 0o644);
    let again = serve(&host, ARM);
    assert!(again.stderr.contains("nothing to do"), "{again:#?}");
    // init keeps the block, and does not take it for an edit of the user.
    let init = host.own(["init", ARM]).success();
    assert!(init.stderr.contains("nothing to do"), "{init:#?}");

    let server = Server::of(&host.join("usr"));
    let key = |tuple: &str| host.join(pkgdir(tuple)).join("crossmerge.asc");
    let client = machine(&both);
    for (tuple, url, key, error) in [
        (
            ARM,
            url(&server, S390X),
            Some(key(S390X)),
            "are for `s390x-ibm-linux-gnu`, not for `arm-a-linux",
        ),
        (ARM, url(&server, ARM), None, "no key is known"),
        (
            ARM,
            url(&server, ARM),
            Some(client.join("etc/portage/make.conf")),
            "contains no public key",
        ),
        (ARM, url(&server, "nowhere"), Some(key(ARM)), "404"),
        (
            ARM,
            "build1".to_owned(),
            Some(key(ARM)),
            "is not an address",
        ),
    ] {
        let output = match &key {
            Some(key) => use_host(&client, tuple, &url, key),
            None => client.own(["farm", "use", tuple, &url]),
        };
        assert_eq!(output.code, Some(125), "{output:#?}");
        assert!(output.stderr.contains(error), "{error}: {output:#?}");
    }
    assert!(
        !client
            .join(format!("usr/{ARM}/etc/portage/binrepos.conf"))
            .exists()
    );

    // One host name, two targets: each gets its own package, in its own sysroot.
    client.append(&make_conf, "CFLAGS=\"-O3\"\n");
    for (tuple, _) in both {
        let used = use_host(&client, tuple, &url(&server, tuple), &key(tuple)).success();
        let warns = used.stderr.contains("built with CFLAGS `-O2");
        assert_eq!(warns, tuple == ARM, "{used:#?}");
    }
    for (tuple, _) in both {
        let (output, installed) = merge(&client, tuple);
        assert_eq!(installed, Some(format!("{tuple}\n")), "{output:#?}");
        let fetched = packages(&client.join(format!("usr/{tuple}/var/cache/binhost")));
        assert_eq!(fetched.len(), 1, "{fetched:?}");
    }
    assert!(!client.join("var/cache/binhost").exists());

    // A package that is not signed, and one that was changed on its way, are rejected, although the index has its
    // checksums.
    let index = || host.run(&format!("{ARM}-emaint"), ["--fix", "binhost"]);
    let mut tampered = fs::read(&package).expect("a package");
    let image = tampered
        .windows(14)
        .position(|name| name.starts_with(b"image.tar."));
    tampered[image.expect("the image") / 512 * 512 + 512 + 20] ^= 1;
    for (content, why) in [(tampered, "BADSIG"), (unsigned, "unsigned")] {
        fs::write(&package, content).expect("a package");
        index().success();
        let (output, installed) = merge(&client, ARM);
        assert_eq!((output.code, installed), (Some(1), None));
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(text.contains(why), "{why}: {text}");
    }
    // The next run signs it.
    let served = serve(&host, ARM);
    assert!(served.stderr.contains("signed   1 package "), "{served:#?}");

    // The user's line stays, and nothing else.
    let gone = client.own(["farm", "use", ARM, "--remove"]).success();
    assert!(gone.stderr.contains("binrepos.conf"), "{gone:#?}");
    assert_eq!(client.read(&make_conf), host_text(&client, &before));
    assert!(
        !client
            .join(format!("usr/{ARM}/etc/portage/binrepos.conf"))
            .exists()
    );
    assert!(
        !client
            .join(format!("var/lib/crossmerge/{ARM}/trusted"))
            .exists()
    );
}

/// The make.conf of the other machine, with the line that the test has added.
fn host_text(client: &Prefix, of_host: &str) -> String {
    let paths = of_host
        .lines()
        .find(|line| line.starts_with("PKGDIR="))
        .expect("PKGDIR");
    let (_, rest) = paths.split_once('"').expect("a path");
    let (old, _) = rest.split_once("/usr/").expect("a path");
    of_host.replace(old, &client.path().to_string_lossy()) + "CFLAGS=\"-O3\"\n"
}

#[test]
fn remove_removes_the_keys_and_the_blocks_from_files_that_the_user_edited() {
    let host = machine(&[(ARM, "arm-linux-gnueabi-")]);
    serve(&host, ARM);
    let make_conf = format!("usr/{ARM}/etc/portage/make.conf");
    host.append(&make_conf, "USE=\"mine\"\n");
    let own = "[mine]\nsync-uri = http://127.0.0.1:1\n";
    let binrepos = format!("usr/{ARM}/etc/portage/binrepos.conf");
    host.write(&binrepos, own);
    let url = format!("file://{}", host.join(pkgdir(ARM)).display());
    host.write(
        &format!("{}/Packages", pkgdir(ARM)),
        &format!("CHOST: {ARM}\nVERSION: 0\n\n"),
    );
    let key = host.join(pkgdir(ARM)).join("crossmerge.asc");
    use_host(&host, ARM, &url, &key).success();
    assert!(host.read(&binrepos).starts_with(own) && host.read(&binrepos).len() > own.len());
    // The agent that signed has ended.
    let sockets =
        fs::read_dir(host.join(format!("var/lib/crossmerge/{ARM}/signing"))).expect("a home");
    let is_socket = |name: String| name.starts_with("S.");
    assert!(
        !sockets
            .flatten()
            .any(|entry| is_socket(entry.file_name().to_string_lossy().into()))
    );
    host.own(["remove", ARM]).success();
    let text = host.read(&make_conf);
    assert!(
        text.ends_with("USE=\"mine\"\n") && !text.contains("crossmerge farm"),
        "{text}"
    );
    assert_eq!(host.read(&binrepos), own);
    assert!(!host.join(format!("var/lib/crossmerge/{ARM}")).exists());
    assert!(!key.exists());
}

/// A fault, the check that finds it, and a part of its message. `$S` is the sysroot, `$P` the prefix, `$K` the state
/// directory and `$O` the sysroot of another target.
const FAULTS: [(&str, &str, &str); 12] = [
    (
        "printf 'CFLAGS=\"-O1\"\\nCHOST=\"%s\"\\nPKGDIR=\"%s\"\\n' $T $S/var/cache/binpkgs >> $O/etc/portage/make.conf",
        "packages",
        "Portage does not compare CFLAGS",
    ),
    (
        "echo \"PKGDIR=$O/var/cache/binpkgs\" >> $S/etc/portage/make.conf",
        "packages",
        "s390x-ibm-linux-gnu",
    ),
    (
        "printf 'CHOST: %s\\nVERSION: 0\\n\\nCHOST: other\\nCPV: a/b-1\\n\\n' $T > $S/var/cache/binpkgs/Packages",
        "packages",
        "packages for `other`",
    ),
    ("rm -r $K/signing", "packages", "is missing"),
    (
        "gpg --homedir $K/signing --batch --quiet --quick-set-expire $F seconds=1 && sleep 2",
        "packages",
        "is expired",
    ),
    ("rm -r $K/trusted", "packages", "lacks the key"),
    (
        "chmod 600 $S/var/cache/binpkgs/Packages",
        "packages",
        "may not read",
    ),
    (
        "sed -i '/^location/d' $S/etc/portage/binrepos.conf/crossmerge.conf",
        "binrepos",
        "outside the sysroot",
    ),
    (
        "sed -i 's/^verify-signature.*/verify-signature = false/' $S/etc/portage/binrepos.conf/crossmerge.conf",
        "binrepos",
        "does not verify",
    ),
    (
        "sed -i 's/^location.*/location = \\/var\\/cache\\/x/' $S/etc/portage/binrepos.conf/crossmerge.conf",
        "binrepos",
        "outside the sysroot",
    ),
    (
        "echo 'FEATURES=\"${FEATURES} binpkg-ignore-signature\"' >> $S/etc/portage/make.conf",
        "binrepos",
        "installs any package",
    ),
    ("rm -r $K/hosts", "binrepos", "no key is known"),
];

#[test]
fn doctor_finds_each_fault_of_binary_packages_and_its_fix_works() {
    let host = machine(&[(ARM, "arm-linux-gnueabi-"), (S390X, "s390x-linux-gnu-")]);
    host.write(
        &format!("{}/Packages", pkgdir(ARM)),
        &format!("CHOST: {ARM}\nVERSION: 0\n\n"),
    );
    let served = serve(&host, ARM);
    let line = served
        .stdout
        .lines()
        .find(|line| line.starts_with("key"))
        .expect("a key");
    let fingerprint = line.rsplit(' ').next().expect("a fingerprint");
    let key = host.join(pkgdir(ARM)).join("crossmerge.asc");
    let url = format!("file://{}", host.join(pkgdir(ARM)).display());
    use_host(&host, ARM, &url, &key).success();
    // The fix of a host without a key names a file that the user has copied from there.
    fs::copy(&key, host.join("crossmerge.asc")).expect("a copy");
    let script = |script: &str| {
        let values = [
            ("S", host.join(format!("usr/{ARM}"))),
            ("O", host.join(format!("usr/{S390X}"))),
            ("K", host.join(format!("var/lib/crossmerge/{ARM}"))),
        ];
        let mut with = host.with("T", ARM).with("F", fingerprint);
        for (name, value) in values {
            with = with.with(name, value);
        }
        with.command("/bin/sh", ["-c", script]).success()
    };
    let doctor = |check: &str| host.own(["doctor", ARM, "--check", check]);
    for check in ["packages", "binrepos"] {
        doctor(check).success();
    }
    let state = ["usr", "var"].map(|path| host.join(path));
    let saved = host.join("saved");
    for (fault, check, message) in FAULTS {
        let _ = fs::remove_dir_all(&saved);
        fs::create_dir(&saved).expect("a directory");
        for path in &state {
            host.command("cp", ["-a".as_ref(), path.as_os_str(), saved.as_os_str()])
                .success();
        }
        script(fault);
        let found = doctor(check);
        assert_eq!(found.code, Some(1), "{fault}: {found:#?}");
        assert!(found.stdout.contains(message), "{fault}: {found:#?}");
        let fix = found
            .stdout
            .lines()
            .find_map(|line| line.trim().strip_prefix("hint: "));
        let fixed = script(fix.unwrap_or_else(|| panic!("{found:#?}")));
        let after = doctor(check);
        assert_eq!(after.code, Some(0), "{fault}: {fixed:#?} {after:#?}");
        for path in &state {
            fs::remove_dir_all(path).expect("a directory");
            let from = saved.join(path.file_name().expect("a name"));
            fs::rename(from, path).expect("a directory");
        }
    }
}

#[test]
fn a_key_that_the_host_has_renewed_is_accepted_without_a_new_copy() {
    let host = machine(&[(ARM, "arm-linux-gnueabi-")]);
    host.write(
        &format!("{}/Packages", pkgdir(ARM)),
        &format!("CHOST: {ARM}\nVERSION: 0\n\n"),
    );
    serve(&host, ARM);
    let signing = host.join(format!("var/lib/crossmerge/{ARM}/signing"));
    let key = host.join(pkgdir(ARM)).join("crossmerge.asc");
    let script = "set -e; F=$(gpg --homedir $K --list-keys --with-colons | sed -n 's/^fpr:*//; T; s/:$//p')\n\
         gpg --homedir $K --batch --quiet --quick-set-expire $F seconds=10\n\
         gpg --homedir $K --batch --armor --export > $A";
    let client = machine(&[(ARM, "arm-linux-gnueabi-")]);
    let with = host.with("K", &signing).with("A", &key);
    // The client has to take the key before it expires, on a busy machine too.
    with.command("/bin/sh", ["-c", script]).success();
    let url = format!("file://{}", host.join(pkgdir(ARM)).display());
    use_host(&client, ARM, &url, &key).success();
    std::thread::sleep(std::time::Duration::from_millis(10_100));
    let expired = client.own(["doctor", ARM, "--check", "binrepos"]);
    assert!(expired.stdout.contains("is expired"), "{expired:#?}");
    // Until the host has renewed it, there is no other.
    let refused = client.own(["farm", "use", ARM, &url]);
    assert!(refused.stderr.contains("is expired"), "{refused:#?}");
    serve(&host, ARM);
    let fix = expired
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("hint: "));
    client
        .command("/bin/sh", ["-c", fix.expect("a fix")])
        .success();
    client.own(["doctor", ARM, "--check", "binrepos"]).success();
    // Another key at the same address is not accepted.
    fs::remove_dir_all(&signing).expect("a home");
    serve(&host, ARM);
    let hosts = client.join(format!("var/lib/crossmerge/{ARM}/hosts"));
    let file = fs::read_dir(hosts)
        .expect("a directory")
        .flatten()
        .next()
        .expect("a key")
        .path();
    let known = fs::read(&file).expect("a key");
    client.own(["farm", "use", ARM, &url]).success();
    assert_eq!(fs::read(&file).expect("a key"), known);
}
