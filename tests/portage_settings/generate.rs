//! Generates cases: make.conf, repos.conf and profile trees, from ordinary to broken ones.

use super::case::{Case, Of};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Names with a meaning for Portage, and names without one.
const NAMES: &[&str] = &[
    "A",
    "B",
    "C_1",
    "CFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
    "CHOST",
    "CBUILD",
    "USE",
    "USE",
    "FEATURES",
    "ACCEPT_KEYWORDS",
    "ACCEPT_LICENSE",
    "ACCEPT_PROPERTIES",
    "CONFIG_PROTECT",
    "ENV_UNSET",
    "IUSE_IMPLICIT",
    "USE_EXPAND",
    "USE_EXPAND_UNPREFIXED",
    "USE_EXPAND_HIDDEN",
    "ELIBC",
    "KERNEL",
    "ARCH",
    "PROFILE_ONLY_VARIABLES",
    "MAKEOPTS",
    "GENTOO_MIRRORS",
    "DISTDIR",
    "EMERGE_DEFAULT_OPTS",
    "PORTAGE_USERNAME",
    "PORTAGE_GRPNAME",
    "LIBDIR_default",
    "CHOST_default",
    "MULTILIB_ABIS",
    "__LOCAL",
    "NOCOLOR",
    "EPREFIX",
    "EAPI",
    "PORT_LOGDIR",
    "USE_ORDER",
    "PKGDIR",
];

const BAD_NAMES: &[&str] = &[
    "1A", "A-B", "é", "A.B", "export", "=", "source", "{", "$A", "''",
];

/// Parts of a value in which quotes do not matter.
const PLAIN: &[&str] = &[
    "a",
    "b",
    "-O2",
    "-march=native",
    "foo",
    "-foo",
    "+foo",
    "-*",
    "*",
    "amd64",
    "~arm64",
    "glibc",
    "musl",
    "linux",
    "kernel_linux",
    "elibc_musl",
    "-elibc_glibc",
    "test",
    "-sandbox",
    "@FREE",
    " ",
    " ",
    " ",
    "\t",
    "${A}",
    "$B",
    "${C_1}",
    "${CFLAGS}",
    "${USE}",
    "${FEATURES}",
    "${EPREFIX}",
    "${ROOT}",
    "$PORTDIR",
    "${CHOST}",
    "${DISTDIR}",
    "$__LOCAL",
    "${MISSING}",
    "/usr/lib",
    "x:y",
    "k=v",
    "é",
    "1",
];

/// Bytes that are difficult for a reader.
const ODD: &[&[u8]] = &[
    b"$",
    b"${",
    b"${A",
    b"${}",
    b"$-",
    b"${A-}",
    b"\\",
    b"\\\\",
    b"\\$",
    b"\\\"",
    b"\\'",
    b"\\\n",
    b"\\n",
    b"'",
    b"\"",
    b"#",
    b" #c",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"=",
    b"(",
    b")",
    b"`",
    b"|",
    b"&",
    b";",
    b"<",
    b"\x0c",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xef\xbb\xbf",
    b"\xe2\x80\x83",
    b"\xc2\xa0",
    b"\x1f",
    b"source",
    b"export",
];

type Bytes = Vec<u8>;

fn bytes(text: &str) -> Bytes {
    text.as_bytes().to_vec()
}

fn piece() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        12 => select(PLAIN).prop_map(bytes),
        1 => select(ODD).prop_map(<[u8]>::to_vec),
    ]
}

fn value() -> impl Strategy<Value = Bytes> {
    vec(piece(), 0..6).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![40 => select(NAMES), 1 => select(BAD_NAMES)]
}

/// A value in quotes of one kind, without bytes that would end them by accident.
fn quoted(quote: u8) -> impl Strategy<Value = Bytes> {
    value().prop_map(move |value| {
        let mut all = vec![quote];
        all.extend(value.into_iter().filter(|b| *b != quote));
        let backslashes = all.iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes % 2 == 1 {
            all.push(b'\\');
        }
        all.push(quote);
        all
    })
}

fn statement(sources: &'static [&'static str]) -> impl Strategy<Value = Bytes> {
    let space = select(&["", "", "", "", " ", "\t"][..]);
    let assignment = (
        select(&["", "", "", "export ", " ", "\t"][..]),
        name(),
        space.clone(),
        space,
        prop_oneof![
            6 => quoted(b'"'),
            2 => quoted(b'\''),
            2 => select(PLAIN).prop_map(bytes),
            1 => (quoted(b'"'), quoted(b'\'')).prop_map(|(a, b)| [a, b"x".to_vec(), b].concat()),
        ],
    )
        .prop_map(|(export, name, before, after, value)| {
            [
                bytes(export),
                bytes(name),
                bytes(before),
                b"=".to_vec(),
                bytes(after),
                value,
            ]
            .concat()
        });
    let source = (select(&["", "\"", "'"][..]), select(sources))
        .prop_map(|(quote, file)| bytes(&format!("source {quote}{file}{quote}")));
    prop_oneof![
        30 => assignment,
        3 => value().prop_map(|value| {
            let comment: Bytes = value.into_iter().filter(|b| *b != b'\n' && *b != b'\r').collect();
            [b"# ".to_vec(), comment].concat()
        }),
        2 => Just(Vec::new()),
        3 => source,
        // A line that no file should contain.
        1 => (select(NAMES), piece(), value()).prop_map(|(name, piece, value)| [bytes(name), piece, value].concat()),
    ]
}

/// A file of assignments.
fn file(
    sources: &'static [&'static str],
    statements: std::ops::Range<usize>,
) -> impl Strategy<Value = Bytes> {
    let end = select(
        &[
            "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\r\n", " # c\n", ";\n", " ",
        ][..],
    );
    (vec((statement(sources), end), statements), any::<bool>()).prop_map(|(lines, ends)| {
        let mut text: Bytes = lines
            .into_iter()
            .flat_map(|(line, end)| [line, bytes(end)].concat())
            .collect();
        if !ends && text.last() == Some(&b'\n') {
            text.pop();
        }
        text
    })
}

/// Environment variables.
fn environment() -> impl Strategy<Value = Vec<(String, String)>> {
    let variable = (
        select(
            &[
                "USE",
                "FEATURES",
                "CFLAGS",
                "CHOST",
                "ARCH",
                "ELIBC",
                "ACCEPT_KEYWORDS",
                "A",
                "CONFIG_PROTECT",
                "DISTDIR",
                "ACCEPT_LICENSE",
                "ROOT",
                "PORTAGE_USERNAME",
            ][..],
        ),
        select(
            &[
                "",
                "a",
                "-* b",
                "arm64",
                "musl -sandbox",
                "x  y",
                "é",
                "@DIR@/root",
                "test",
            ][..],
        ),
    )
        .prop_map(|(name, value)| {
            // Portage creates ROOT if it does not exist, so ROOT must be inside the case's directory.
            let value = match name {
                "ROOT" if !value.is_empty() => "@DIR@/root",
                _ => value,
            };
            (name.to_owned(), value.to_owned())
        });
    prop_oneof![4 => Just(Vec::new()), 1 => vec(variable, 1..3)]
}

fn of() -> impl Strategy<Value = Of> {
    select(&[Of::Host, Of::Target][..])
}

/// The repository with a profile that every case of make.conf contains.
pub(crate) const GROUND: &[(&str, &str)] = &[
    ("root/", ""),
    ("repo/profiles/repo_name", "ground\n"),
    (
        "repo/metadata/layout.conf",
        "masters =\nprofile-formats = portage-2\n",
    ),
    (
        "repo/profiles/base/make.defaults",
        "ARCH=\"amd64\"\nELIBC=\"glibc\"\nKERNEL=\"linux\"\nUSE_EXPAND=\"ELIBC KERNEL CPU\"\nUSE_EXPAND_UNPREFIXED=\"ARCH\"\n\
         USE_EXPAND_HIDDEN=\"ELIBC\"\nUSE=\"nls\"\nCHOST=\"x86_64-pc-linux-gnu\"\nMULTILIB_ABIS=\"default\"\n\
         LIBDIR_default=\"lib64\"\nPROFILE_ONLY_VARIABLES=\"ARCH ELIBC KERNEL USE_EXPAND_UNPREFIXED\"\nB=\"from base\"\n\
         CONFIG_PROTECT=\"/etc/env.d\"\nFEATURES=\"sandbox\"\nCFLAGS=\"-O2 -pipe\"\nCXXFLAGS=\"${CFLAGS}\"\n",
    ),
    ("repo/profiles/base/use.force", "kernel_linux\n"),
    ("repo/profiles/base/use.mask", "masked\n"),
    ("repo/profiles/top/parent", "../base\n"),
    (
        "repo/profiles/top/make.defaults",
        "USE=\"${USE} ipv6 -nls\"\nCPU=\"mmx\"\n",
    ),
    (
        "etc/portage/repos.conf",
        "[DEFAULT]\nmain-repo = ground\n[ground]\nlocation = @DIR@/repo\n",
    ),
];

/// A make.globals that is quicker to read than the real one. Other tests use the real one.
pub(crate) const GLOBALS: &str = "CFLAGS=\"\"\nCXXFLAGS=\"\"\nGENTOO_MIRRORS=\"http://distfiles.gentoo.org\"\nACCEPT_RESTRICT=\"*\"\n\
     DISTDIR=\"/var/cache/distfiles\"\nPKGDIR=\"/var/cache/binpkgs\"\nFEATURES=\"assume-digests sandbox\n\tusersandbox\"\n\
     CONFIG_PROTECT=\"/etc\"\nCONFIG_PROTECT_MASK=\"/etc/env.d\"\nAUTOCLEAN=\"No\"\nB=\"from globals\"\n\
     RESUMECOMMAND=\"wget -O \\\"\\${DISTDIR}/\\${FILE}\\\" \\\"\\${URI}\\\"\"\n";

fn ground(of: Of) -> Case {
    let mut case = Case::host(GROUND);
    case.files
        .push(("share/portage/config/make.globals".into(), bytes(GLOBALS)));
    case.of = of;
    case.links = vec![(
        "etc/portage/make.profile".into(),
        "@DIR@/repo/profiles/top".into(),
    )];
    case
}

/// The files that make.conf may consist of.
const SHAPES: &[&[&str]] = &[
    &["etc/portage/make.conf"],
    &["etc/portage/make.conf"],
    &["etc/portage/make.conf"],
    &["etc/make.conf", "etc/portage/make.conf"],
    &["etc/portage/make.conf/10-b", "etc/portage/make.conf/00-a"],
    &[
        "etc/portage/make.conf/a/z",
        "etc/portage/make.conf/a.b",
        "etc/portage/make.conf/.hidden",
    ],
    &[
        "etc/portage/make.conf/b~",
        "etc/portage/make.conf/CVS/c",
        "etc/portage/make.conf/é",
    ],
    &["etc/portage/make.conf", "etc/profile.env"],
    &["etc/portage/make.conf", "etc/portage/profile/make.defaults"],
    &[
        "etc/portage/profile/make.defaults/1",
        "etc/portage/profile/make.defaults/2",
    ],
];

const SOURCES: &[&str] = &[
    "one",
    "two",
    "../two",
    "@DIR@/etc/portage/one",
    "/nowhere/at-all",
    "${A}",
    "$B",
];

/// Cases of make.conf.
pub(crate) fn make_conf() -> impl Strategy<Value = Case> {
    let shape = select(SHAPES).prop_flat_map(|paths| {
        let texts = vec(file(SOURCES, 0..9), paths.len());
        texts.prop_map(|texts| {
            paths
                .iter()
                .map(|path| (*path).to_owned())
                .zip(texts)
                .collect::<Vec<_>>()
        })
    });
    let sourced = (file(&["two"], 0..3), file(&["/nowhere/at-all"], 0..3));
    (of(), environment(), shape, sourced).prop_map(|(of, env, files, (one, two))| {
        let mut case = ground(of);
        case.env = env;
        case.files.extend(files);
        case.files.push(("etc/portage/one".into(), one));
        case.files.push(("etc/portage/two".into(), two));
        case
    })
}

/// Values of PORTDIR in make.conf.
const PORTDIRS: &[&str] = &[
    "",
    "PORTDIR=\"@DIR@/repo\"\n",
    "PORTDIR=\"@DIR@/repo\"\n",
    "PORTDIR=@DIR@/local\n",
    "PORTDIR=@DIR@/./link/\n",
    "PORTDIR=@DIR@/second\n",
    "PORTDIR=@DIR@/missing\n",
    "PORTDIR=\"\"\n",
];

/// Values of PORTDIR_OVERLAY in make.conf.
const OVERLAYS: &[&str] = &[
    "",
    "",
    "PORTDIR_OVERLAY=\"\"\n",
    "PORTDIR_OVERLAY=\"@DIR@/local\"\n",
    "PORTDIR_OVERLAY=\"${PORTDIR_OVERLAY} @DIR@/local @DIR@/second\"\n",
    "PORTDIR_OVERLAY=\"@DIR@/second\t@DIR@/missing @DIR@/local\"\n",
    "PORTDIR_OVERLAY=\"@DIR@/link @DIR@/nameless\"\n",
    "PORTDIR_OVERLAY=\"@DIR@/repo @DIR@/local\"\n",
    "PORTDIR_OVERLAY=\"'@DIR@/local'\"\n",
    "PORTDIR_OVERLAY=\"local\"\n",
];

/// Contents of repos.conf beside PORTDIR and PORTDIR_OVERLAY.
const BESIDE: &[&str] = &[
    "[DEFAULT]\nmain-repo = ground\n[ground]\nlocation = @DIR@/repo\n",
    "[DEFAULT]\nmain-repo = ground\n[ground]\nlocation = @DIR@/repo\n[local]\nlocation = @DIR@/local\n",
    "[DEFAULT]\nmain-repo = ground\neclass-overrides = local\n[ground]\nlocation = @DIR@/missing\nsync-type = git\n\
     sync-uri = x\nauto-sync = no\nsync-depth = 1\nsync-git-verify-commit-signature = yes\nformat = x\nforce = aliases\n",
    "[DEFAULT]\nmain-repo = nobody\n[local]\nlocation = @DIR@/second\npriority = 3\nvolatile = no\naliases = al\n",
    "[DEFAULT]\nmain-repo = second\n[second]\nlocation = @DIR@/second\nmasters = ground\n[ground]\nlocation = @DIR@/link\n\
     priority = 2\nsync-hooks-only-on-change = yes\nsync-openpgp-key-refresh = no\n",
    "[local]\nlocation = @DIR@/local\n[second]\nlocation = @DIR@/nameless\n",
    "[ground]\nsync-type = git\n",
    "",
];

/// Cases of PORTDIR and PORTDIR_OVERLAY, in make.conf and in the environment.
pub(crate) fn portdirs() -> impl Strategy<Value = Case> {
    let texts = (select(PORTDIRS), select(OVERLAYS), select(BESIDE));
    let names = select(&["second\n", "second\n", "local\n", "ground\n"][..]);
    let layout = select(
        &[
            "",
            "masters = ground\n",
            "masters =\naliases = al two\n",
            "repo-name = odd\n",
        ][..],
    );
    let of_env = option::weighted(
        0.1,
        select(&["@DIR@/repo", "@DIR@/local", "@DIR@/nameless"][..]),
    );
    let uses = file(SOURCES, 0..3);
    (of(), texts, names, layout, (of_env.clone(), of_env), uses).prop_map(
        |(of, (portdir, overlays, repos_conf), name, layout, (env, env_overlay), uses)| {
            let mut case = ground(of);
            case.files
                .retain(|(path, _)| path != "etc/portage/repos.conf");
            let conf = [
                bytes(&format!("A=\"$PORTDIR\"\n{portdir}{overlays}")),
                uses,
                bytes("\nDISTDIR=\"${PORTDIR}/x\"\nB=\"$PORTDIR_OVERLAY\"\n"),
            ];
            for (path, text) in [
                ("etc/portage/repos.conf", bytes(repos_conf)),
                ("etc/portage/make.conf", conf.concat()),
                ("local/profiles/repo_name", bytes("local\n")),
                ("second/profiles/repo_name", bytes(name)),
                ("second/metadata/layout.conf", bytes(layout)),
                ("nameless/profiles/", Vec::new()),
            ] {
                case.files.push((path.into(), text));
            }
            case.links.push(("link".into(), "repo".into()));
            case.env
                .extend(env.map(|value| ("PORTDIR".into(), value.into())));
            case.env
                .extend(env_overlay.map(|value| ("PORTDIR_OVERLAY".into(), value.into())));
            case
        },
    )
}

/// Cases of package.env, whose `*/*` lines apply to every package.
pub(crate) fn package_envs() -> impl Strategy<Value = Case> {
    let line = select(
        &[
            "*/* e1",
            "*/* e2 e1 # c",
            "*/* e1 e2 missing",
            " */*\te3/x",
            "*/*",
            "cat/pkg e2",
            "*/*::ground e2",
            "*/* @DIR@/etc/portage/one",
            "# */* e2",
            "*/* directory",
        ][..],
    );
    let lines = vec(line, 1..4).prop_map(|lines| bytes(&(lines.join("\n") + "\n")));
    let package_use = option::weighted(0.4, select(&["*/* foo -nls\n", "*/* CPU: sse -*\n"][..]));
    let envs = vec(file(&["one", "../one", "$A"], 0..6), 3);
    (make_conf(), lines, any::<bool>(), package_use, envs).prop_map(
        |(mut case, lines, is_directory, package_use, envs)| {
            let path = match is_directory {
                true => "etc/portage/package.env/a",
                false => "etc/portage/package.env",
            };
            case.files.push((path.into(), lines));
            for (name, text) in ["e1", "e2", "e3/x"].into_iter().zip(envs) {
                case.files.push((format!("etc/portage/env/{name}"), text));
            }
            case.files
                .push(("etc/portage/env/directory/".into(), Vec::new()));
            let package_use =
                package_use.map(|text| ("etc/portage/package.use".into(), bytes(text)));
            case.files.extend(package_use);
            case
        },
    )
}

/// Keys and values of repos.conf.
const OPTIONS: &[(&str, &[&str])] = &[
    (
        "location",
        &[
            "@DIR@/r/a",
            "@DIR@/r/b",
            "@DIR@/r/c",
            "@DIR@/r/../r/b/",
            "@DIR@/none",
            "%(EROOT)s/r/a",
            "%(root)s@DIR@/r/c",
            "",
        ],
    ),
    ("priority", &["1", "-5", "+07", "x", "", "1.5"]),
    ("masters", &["", "a", "a b", "c", "nobody"]),
    ("aliases", &["al", "al bl", "a", ""]),
    ("eclass-overrides", &["a", "b a", ""]),
    ("auto-sync", &["yes", "No", "maybe", ""]),
    (
        "sync-type",
        &["git", "rsync", "webrsync", "svn", "weird", ""],
    ),
    (
        "sync-uri",
        &["https://x/y", "rsync://x = y", "%(location)s"],
    ),
    ("sync-depth", &["1", "01", "x"]),
    ("clone-depth", &["0", "-1"]),
    ("sync-user", &["me", " "]),
    ("sync-git-clone-extra-opts", &["--x", ""]),
    ("sync-rsync-verify-jobs", &["2"]),
    ("sync-openpgp-key-refresh", &["No", "yes", "wkd", "odd"]),
    ("sync-openpgp-keyserver", &["HKPS://k", ""]),
    ("sync-openpgp-key-path", &["/k", ""]),
    ("strict-misc-digests", &["false", "YES", "1"]),
    ("sync-allow-hardlinks", &["no"]),
    ("sync-rcu", &["true"]),
    ("sync-rcu-ttl-days", &["3", "x"]),
    ("volatile", &["yes", "no", "True"]),
    ("format", &["x", ""]),
    ("force", &["aliases masters"]),
    ("main-repo", &["a", "b", "al", "nobody"]),
    ("unknown", &["x", "100%%", "%(location)s", "%%(x)s", "100%"]),
];

fn option_line() -> impl Strategy<Value = String> {
    select(OPTIONS).prop_flat_map(|(key, values)| {
        (
            select(values),
            select(&[" = ", "=", ": ", " ="][..]),
            select(&["", "", "", "", "\n  more", "\n\n", " ; c", "\n# c"][..]),
        )
            .prop_map(move |(value, equals, after)| format!("{key}{equals}{value}{after}\n"))
    })
}

fn section() -> impl Strategy<Value = String> {
    let name = select(
        &[
            "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c", "al", "al",
            "gentoo", "d d",
        ][..],
    );
    (name, vec(option_line(), 0..5), 0..8_u8).prop_map(|(name, lines, place)| {
        let place = match place {
            0 => String::new(),
            _ => format!("location = @DIR@/r/{name}\n"),
        };
        // A duplicate option makes Portage ignore the whole file, so duplicates are rare.
        let mut seen = vec!["location".to_owned()];
        let keep = |line: &String| {
            let key = line
                .split(['=', ':'])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            let fresh = !seen.contains(&key) || line.len().is_multiple_of(7);
            seen.push(key);
            fresh
        };
        let lines: Vec<String> = lines.into_iter().filter(keep).collect();
        format!("[{name}]\n{place}{}", lines.concat())
    })
}

/// The files that repos.conf may consist of.
const REPOS_CONF_SHAPES: &[&[&str]] = &[
    &["etc/portage/repos.conf"],
    &["etc/portage/repos.conf"],
    &[
        "etc/portage/repos.conf/b.conf",
        "etc/portage/repos.conf/a.conf",
    ],
];

/// Cases of repos.conf.
pub(crate) fn repos_conf() -> impl Strategy<Value = Case> {
    let layout = vec(
        select(
            &[
                "masters = a",
                "masters =",
                "masters = c a",
                "aliases = al",
                "repo-name = b",
                "repo-name = odd name",
                "profile-formats = portage-2",
                "# c",
                "x",
            ][..],
        ),
        0..3,
    );
    let repo = (
        option::weighted(
            0.8,
            select(&["a\n", "b\n", "c\n", "", " d d!\n", "x-y"][..]),
        ),
        layout,
    );
    let shape = select(REPOS_CONF_SHAPES);
    let defaults = select(
        &[
            "",
            "[DEFAULT]\nmain-repo = a\n",
            "[DEFAULT]\nmain-repo = al\n",
            "[DEFAULT]\nmain-repo=nobody\nauto-sync = no\n",
            "[DEFAULT]\nmain-repo = b\nsync-type = rsync\nx = a\n",
        ][..],
    );
    let texts = vec((defaults, vec(section(), 1..4)), 2);
    (of(), shape, texts, vec(repo, 3)).prop_map(|(of, shape, texts, repos)| {
        let mut case = ground(of);
        case.files
            .retain(|(path, _)| path != "etc/portage/repos.conf");
        for (path, (defaults, mut sections)) in shape.iter().zip(texts) {
            // A duplicate section in a file makes Portage ignore all of it, so duplicates are rare.
            let mut seen = Vec::new();
            sections.retain(|section| {
                let header = section.lines().next().map(str::to_owned);
                let fresh = !seen.contains(&header) || section.len().is_multiple_of(11);
                seen.push(header);
                fresh
            });
            let text = defaults.to_owned() + &sections.concat();
            case.files.push(((*path).to_owned(), bytes(&text)));
        }
        for (name, (output, layout)) in ["a", "b", "c"].iter().zip(repos) {
            case.files.push((format!("r/{name}/profiles/"), Vec::new()));
            // Most repositories have the name of their directory.
            let output = output.map(|output| {
                if output.starts_with(['b', 'c']) {
                    format!("{name}\n")
                } else {
                    output.to_owned()
                }
            });
            case.files.extend(
                output.map(|output| (format!("r/{name}/profiles/repo_name"), bytes(&output))),
            );
            case.files.push((
                format!("r/{name}/metadata/layout.conf"),
                bytes(&(layout.join("\n") + "\n")),
            ));
        }
        case
    })
}

/// Values of `profile-formats` in layout.conf. Most of them allow a parent to name a repository.
const PROFILE_FORMATS: &[&str] = &[
    "",
    "profile-formats = portage-1\n",
    "profile-formats = portage-2\n",
    "profile-formats = portage-2\n",
    "profile-formats = portage-2\n",
    "profile-formats = portage-2\n",
    "profile-formats = portage-2\n",
    "profile-formats = portage-2 profile-set\n",
    "profile-formats = portage-2 profile-license odd\n",
    "profile-formats = portage-2 profile-default-eapi\nprofile_eapi_when_unspecified = 8\n",
    "profile-formats = pms\n",
];

/// Contents of a profile's `eapi` file.
const PROFILE_EAPIS: &[&str] = &[
    "5\n", "5", "6\n", "7\n", "7\n", "8", "8\n", "8\n", "8\n# x\n", "9\n", "0", "0\n", "99\n",
    "7_pre1\n",
];

/// Cases of profile trees: seven profiles in two repositories, each with parents among those before it.
pub(crate) fn profiles() -> impl Strategy<Value = Case> {
    let parent = (any::<prop::sample::Index>(), 0..12_u8);
    let node = (
        vec(parent, 0..3),
        option::weighted(0.4, select(PROFILE_EAPIS)),
        option::weighted(0.8, file(&["x"], 0..5)),
        option::weighted(
            0.3,
            vec(
                select(
                    &[
                        "foo",
                        "-foo",
                        "elibc_musl",
                        "-kernel_linux",
                        "# c",
                        "a b",
                        "",
                        "?",
                    ][..],
                ),
                0..4,
            ),
        ),
        option::weighted(
            0.3,
            vec(
                select(&["foo", "-foo", "elibc_glibc", "masked", "amd64"][..]),
                0..4,
            ),
        ),
        0..10_u8,
    );
    let formats = select(PROFILE_FORMATS);
    let own = (
        option::weighted(0.3, file(&["x"], 0..4)),
        option::weighted(
            0.2,
            select(
                &[
                    "*/* CPU: sse -mmx foo\n",
                    "*/* foo # c\n*/* -bar\n",
                    "cat/pkg x\n",
                    " */* -* a\n",
                ][..],
            ),
        ),
        option::weighted(0.05, select(&["*/* x\n", "cat/pkg x\n"][..])),
    );
    (
        of(),
        environment(),
        vec(node, 7),
        vec(formats, 2),
        own,
        any::<bool>(),
    )
        .prop_map(
            |(of, env, nodes, formats, (own, package_use, package_env), has_eapi)| {
                let mut case = ground(of);
                case.env = env;
                case.links.clear();
                let repo = |node: usize| if node.is_multiple_of(3) { "q" } else { "p" };
                let at = |node: usize| format!("{}/profiles/n{node}", repo(node));
                for (place, (parents, eapi, defaults, force, mask, shape)) in
                    nodes.into_iter().enumerate()
                {
                    case.files.push((format!("{}/", at(place)), Vec::new()));
                    let lines: Vec<String> = parents
                        .into_iter()
                        .map(|(parent, style)| {
                            let Some(parent) =
                                place.checked_sub(1).map(|last| parent.index(last + 1))
                            else {
                                return "@DIR@/repo/profiles/base".to_owned();
                            };
                            match style {
                                0 => format!("@DIR@/{}", at(parent)),
                                1 | 2 => format!("{}:n{parent}", repo(parent)),
                                3 if repo(parent) == repo(place) => format!(":n{parent}"),
                                4 => "ground:top # the ground".to_owned(),
                                5 => format!("al:n{parent}"),
                                6 if parent == 1 => "nowhere".to_owned(),
                                _ => format!("../../../{}", at(parent)),
                            }
                        })
                        .collect();
                    if !lines.is_empty() {
                        case.files
                            .push((format!("{}/parent", at(place)), bytes(&lines.join("\n"))));
                    }
                    case.files
                        .extend(eapi.map(|eapi| (format!("{}/eapi", at(place)), bytes(eapi))));
                    let name = if shape == 0 {
                        "make.defaults/x"
                    } else {
                        "make.defaults"
                    };
                    case.files
                        .extend(defaults.map(|text| (format!("{}/{name}", at(place)), text)));
                    let name = if shape == 1 {
                        "use.force/x"
                    } else {
                        "use.force"
                    };
                    case.files.extend(
                        force.map(|lines| {
                            (format!("{}/{name}", at(place)), bytes(&lines.join("\n")))
                        }),
                    );
                    case.files.extend(mask.map(|lines| {
                        (format!("{}/use.mask", at(place)), bytes(&lines.join("\n")))
                    }));
                }
                for (name, formats) in ["p", "q"].iter().zip(formats) {
                    case.files.push((
                        format!("{name}/profiles/repo_name"),
                        bytes(&format!("{name}\n")),
                    ));
                    case.files.push((
                        format!("{name}/metadata/layout.conf"),
                        bytes(&format!("masters = ground\n{formats}aliases = al{name}\n")),
                    ));
                }
                if has_eapi {
                    case.files.push(("q/profiles/eapi".into(), b"8\n".to_vec()));
                }
                let conf = "[p]\nlocation = @DIR@/p\naliases = al\n[q]\nlocation = @DIR@/q\n";
                case.files.push((
                    "etc/portage/repos.conf/x".into(),
                    bytes(&format!(
                        "[DEFAULT]\nmain-repo = ground\n[ground]\nlocation = @DIR@/repo\n{conf}"
                    )),
                ));
                case.files
                    .retain(|(path, _)| path != "etc/portage/repos.conf");
                case.links.push((
                    "etc/portage/make.profile".into(),
                    format!("../../{}", at(6)),
                ));
                case.files
                    .extend(own.map(|text| ("etc/portage/profile/make.defaults".to_owned(), text)));
                case.files.extend(
                    package_use.map(|text| ("etc/portage/package.use/x".to_owned(), bytes(text))),
                );
                case.files.extend(
                    package_env.map(|text| ("etc/portage/package.env".to_owned(), bytes(text))),
                );
                case
            },
        )
}
