# avr-ebuild make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/ebuild make '--second=a b'

# avr-emaint make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/emaint make '--second=a b'

# avr-emerge make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/emerge '--root-deps=rdeps' make '--second=a b'

# avr-env make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CC=avr-gcc \
    CHOST=avr \
    EPREFIX='' \
    PKG_CONFIG=avr-pkg-config \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/make '--second=a b'

# avr-equery make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/equery make '--second=a b'

# avr-eselect make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/eselect make '--second=a b'

# avr-pkg-config make '--second=a b'
env \
    PKG_CONFIG_FDO_SYSROOT_RULES=1 \
    PKG_CONFIG_LIBDIR=[PREFIX]/usr/avr/usr/lib64/pkgconfig:[PREFIX]/usr/avr/usr/share/pkgconfig \
    PKG_CONFIG_SYSROOT_DIR=[PREFIX]/usr/avr \
    PKG_CONFIG_SYSTEM_INCLUDE_PATH=[PREFIX]/usr/avr/usr/include \
    PKG_CONFIG_SYSTEM_LIBRARY_PATH=[PREFIX]/usr/avr/usr/lib64:[PREFIX]/usr/avr/lib64 \
    [PREFIX]/tools/pkg-config make '--second=a b'

# avr-portageq make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/portageq make '--second=a b'

# avr-qlist make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/qlist make '--second=a b'

# avr-quickpkg make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=avr \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/avr \
    ROOT='/srv/avr board/' \
    SYSROOT=[PREFIX]/usr/avr \
    [PREFIX]/tools/quickpkg make '--second=a b'

