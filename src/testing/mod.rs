//! What only tests use: points at which a process can be made to die ([`failpoints`]), laws broken on purpose
//! ([`broken_laws`]), and what the fuzzers check, without a fuzzer.

#[macro_use]
pub(crate) mod broken_laws;

pub mod failpoints;
#[cfg(test)]
mod fuzzing;
