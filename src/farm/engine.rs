//! The programs that stand before a compiler, and what Portage needs to use them.

use clap::ValueEnum;

/// A program that runs instead of a compiler, and runs the compiler itself or has another machine do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Engine {
    /// The compiler cache.
    Ccache,
    /// Compiles on other machines that have the same compiler.
    Distcc,
    /// Compiles on other machines, to which it sends the compiler.
    Icecream,
}

impl Engine {
    /// All engines.
    pub(crate) const ALL: [Self; 3] = [Self::Ccache, Self::Distcc, Self::Icecream];

    /// Returns the word in FEATURES, which is also the name on the command line.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Ccache => "ccache",
            Self::Distcc => "distcc",
            Self::Icecream => "icecream",
        }
    }

    /// Returns the name of the program, and of the directory in `/usr/lib` in which Portage searches the compilers'
    /// names. Source: `doebuild_environment` in Portage's doebuild.py.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Icecream => "icecc",
            other => other.feature(),
        }
    }
}
