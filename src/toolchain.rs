//! Cross toolchains: what builds them, on Gentoo and elsewhere.

pub mod cause;
pub mod prefix;
