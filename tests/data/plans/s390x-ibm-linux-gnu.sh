# s390x-ibm-linux-gnu-ebuild make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/ebuild make '--second=a b'

# s390x-ibm-linux-gnu-emaint make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/emaint make '--second=a b'

# s390x-ibm-linux-gnu-emerge make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/emerge '--root-deps=rdeps' make '--second=a b'

# s390x-ibm-linux-gnu-env make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CC=s390x-ibm-linux-gnu-clang \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PKG_CONFIG=s390x-ibm-linux-gnu-pkg-config \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/make '--second=a b'

# s390x-ibm-linux-gnu-equery make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/equery make '--second=a b'

# s390x-ibm-linux-gnu-eselect make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/eselect make '--second=a b'

# s390x-ibm-linux-gnu-pkg-config make '--second=a b'
env \
    PKG_CONFIG_FDO_SYSROOT_RULES=1 \
    PKG_CONFIG_LIBDIR=[PREFIX]/usr/s390x-ibm-linux-gnu/usr/lib64/pkgconfig:[PREFIX]/usr/s390x-ibm-linux-gnu/usr/share/pkgconfig \
    PKG_CONFIG_SYSROOT_DIR=[PREFIX]/usr/s390x-ibm-linux-gnu \
    PKG_CONFIG_SYSTEM_INCLUDE_PATH=[PREFIX]/usr/s390x-ibm-linux-gnu/usr/include \
    PKG_CONFIG_SYSTEM_LIBRARY_PATH=[PREFIX]/usr/s390x-ibm-linux-gnu/usr/lib64:[PREFIX]/usr/s390x-ibm-linux-gnu/lib64 \
    [PREFIX]/tools/pkg-config make '--second=a b'

# s390x-ibm-linux-gnu-portageq make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/portageq make '--second=a b'

# s390x-ibm-linux-gnu-qlist make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/qlist make '--second=a b'

# s390x-ibm-linux-gnu-quickpkg make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=s390x-ibm-linux-gnu \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    ROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    SYSROOT=[PREFIX]/usr/s390x-ibm-linux-gnu \
    [PREFIX]/tools/quickpkg make '--second=a b'

