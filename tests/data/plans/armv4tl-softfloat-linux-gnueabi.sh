# armv4tl-softfloat-linux-gnueabi-ebuild make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/ebuild make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-emaint make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/emaint make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-emerge make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/emerge '--root-deps=rdeps' make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-env make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PKG_CONFIG=armv4tl-softfloat-linux-gnueabi-pkg-config \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-equery make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/equery make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-eselect make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/eselect make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-pkg-config make '--second=a b'
env \
    PKG_CONFIG_FDO_SYSROOT_RULES=1 \
    PKG_CONFIG_LIBDIR=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi/usr/lib64/pkgconfig:[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi/usr/share/pkgconfig \
    PKG_CONFIG_SYSROOT_DIR=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    PKG_CONFIG_SYSTEM_INCLUDE_PATH=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi/usr/include \
    PKG_CONFIG_SYSTEM_LIBRARY_PATH=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi/usr/lib64:[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi/lib64 \
    [PREFIX]/tools/pkg-config make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-portageq make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/portageq make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-qlist make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/qlist make '--second=a b'

# armv4tl-softfloat-linux-gnueabi-quickpkg make '--second=a b'
env \
    BUILD_CFLAGS='-O2
  -pipe' \
    BUILD_CPPFLAGS='' \
    BUILD_CXXFLAGS='' \
    BUILD_LDFLAGS='' \
    CBUILD=x86_64-pc-linux-gnu \
    CHOST=armv4tl-softfloat-linux-gnueabi \
    EPREFIX='' \
    PORTAGE_CONFIGROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    ROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    SYSROOT=[PREFIX]/usr/armv4tl-softfloat-linux-gnueabi \
    [PREFIX]/tools/quickpkg make '--second=a b'

