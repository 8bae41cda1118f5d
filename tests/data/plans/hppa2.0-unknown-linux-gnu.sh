# hppa2.0-unknown-linux-gnu-ebuild make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/ebuild make '--second=a b'

# hppa2.0-unknown-linux-gnu-emaint make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/emaint make '--second=a b'

# hppa2.0-unknown-linux-gnu-emerge make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/emerge '--root-deps=rdeps' make '--second=a b'

# hppa2.0-unknown-linux-gnu-env make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PKG_CONFIG=hppa2.0-unknown-linux-gnu-pkg-config \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/make '--second=a b'

# hppa2.0-unknown-linux-gnu-equery make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/equery make '--second=a b'

# hppa2.0-unknown-linux-gnu-eselect make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/eselect make '--second=a b'

# hppa2.0-unknown-linux-gnu-pkg-config make '--second=a b'
env \
    PKG_CONFIG_FDO_SYSROOT_RULES=1 \
    PKG_CONFIG_LIBDIR=[PREFIX]/usr/hppa2.0-unknown-linux-gnu/usr/lib64/pkgconfig:[PREFIX]/usr/hppa2.0-unknown-linux-gnu/usr/share/pkgconfig \
    PKG_CONFIG_SYSROOT_DIR=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    PKG_CONFIG_SYSTEM_INCLUDE_PATH=[PREFIX]/usr/hppa2.0-unknown-linux-gnu/usr/include \
    PKG_CONFIG_SYSTEM_LIBRARY_PATH=[PREFIX]/usr/hppa2.0-unknown-linux-gnu/usr/lib64:[PREFIX]/usr/hppa2.0-unknown-linux-gnu/lib64 \
    [PREFIX]/tools/pkg-config make '--second=a b'

# hppa2.0-unknown-linux-gnu-portageq make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/portageq make '--second=a b'

# hppa2.0-unknown-linux-gnu-qlist make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/qlist make '--second=a b'

# hppa2.0-unknown-linux-gnu-quickpkg make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=hppa2.0-unknown-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    ROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    SYSROOT=[PREFIX]/usr/hppa2.0-unknown-linux-gnu \
    [PREFIX]/tools/quickpkg make '--second=a b'

