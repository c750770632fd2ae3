//! What a tenant holds when it is first started.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::{SandboxError, Seed, state};

/// A file that every build carries.
pub(super) struct SampleFile {
    pub path: &'static str,
    pub text: &'static str,
}

/// What the seed holds, and the name that errors give it.
pub(super) fn read<T: Default + DeserializeOwned>(
    seed: &Seed,
    sample: &SampleFile,
    generated: impl FnOnce(u64) -> T,
) -> Result<(PathBuf, T), SandboxError> {
    // What errors call a seed that is no file.
    let unnamed = || PathBuf::from("seed");
    let (path, text) = match seed {
        Seed::Empty => return Ok((unnamed(), T::default())),
        Seed::Generated(count) => return Ok((unnamed(), generated(*count))),
        Seed::Sample => (PathBuf::from(sample.path), sample.text.to_owned()),
        Seed::Text(text) => (unnamed(), text.clone()),
        Seed::File(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| SandboxError::Read { path: path.clone(), source })?;
            (path.clone(), text)
        }
    };
    let file = state::parse(&path, &text)?;
    Ok((path, file))
}
