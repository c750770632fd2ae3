//! Small files of the state directory that decide something: one value as JSON, and a second line that seals it. A file
//! that was cut or changed is damaged and never half believed, because a password follows from what stands in one, and
//! a flipped bit is still good JSON more often than not.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{FileError, write_atomically};

/// Writes the value as the file's only contents, with mode 0600.
///
/// # Errors
/// The disk's: the file of that name is as it was before.
pub fn write(path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let json =
        serde_json::to_string(value).map_err(|error| FileError::at_path(path, "cannot be written")(error.into()))?;
    write_atomically(path, 0o600, |out| writeln!(out, "{json}\n{}", seal_json(&json)))
}

/// The value of the file; none where there is no such file.
///
/// # Errors
/// The file cannot be read, or it is not what was written.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at_path(path, "cannot be read")(error)),
    };
    let damaged = |why: &str| {
        let error = io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        FileError::at_path(path, "is damaged")(error)
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged("it is not UTF-8"))?;
    let Some((json, rest)) = text.split_once('\n') else { return Err(damaged("it was cut short")) };
    if rest.strip_suffix('\n') != Some(seal_json(json).as_str()) {
        return Err(damaged("its contents do not match their seal"));
    }
    // Sealed by a program of another version, then.
    serde_json::from_str(json).map(Some).map_err(|error| damaged(&format!("its format is not known: {error}")))
}

fn seal_json(json: &str) -> String {
    format!("blake3:{}", blake3::hash(json.as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_and_a_file_that_is_not_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value.json");
        assert_eq!(read::<Vec<u32>>(&path).unwrap(), None);
        write(&path, &[1, 2, 3]).unwrap();
        assert_eq!(read(&path).unwrap(), Some(vec![1, 2, 3]));
        assert!(read::<String>(&path).unwrap_err().to_string().contains("its format is not known"));
    }

    #[test]
    fn a_value_with_any_bit_flipped_or_cut_anywhere_is_refused_by_the_files_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("value.json");
        write(&path, &[20, 12]).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(&path, bytes).unwrap();
                let error = read::<Vec<u32>>(&path).unwrap_err().to_string();
                assert!(error.contains("value.json") && error.contains("is damaged"), "{error}");
            }
            fs::write(&path, &whole[..at]).unwrap();
            assert!(read::<Vec<u32>>(&path).is_err(), "cut at {at}");
        }
    }
}
