//! Autoconf's answers for a target, against real configure scripts.

mod panel;
