//! Generated passwords. Each is derived from the run's secret and the person's key, so a create that is sent again
//! after a crash sends the same password, and nothing but the secret has to be kept: 32 bytes and a checksum in a file of
//! mode 0600, destroyed at the run's end. Without the checksum a flipped bit would make every password another one, and
//! people would be told passwords that nobody set. Neither the secret nor a password is ever printed, logged or journalled.

use std::fs::{self, File};
use std::io::{self, Write};

use secrecy::{ExposeSecret, SecretBox};

use super::StateDir;
use super::state::RunId;
use crate::files::disk::{DiskOp, may};
use crate::files::{FileError, make_private_dir, sync_dir, write_new};
use crate::model::Secret;
use crate::testing::failpoints::{self, Failpoint};

const BYTES: usize = 32;
const CHECK: usize = 16;

/// What the generated passwords of one run are derived from. `Debug` does not show it; it is wiped when dropped.
#[derive(Debug)]
pub struct RunSecret(SecretBox<[u8; BYTES]>);

#[cfg(test)]
impl RunSecret {
    /// A secret that lies nowhere.
    pub fn of_bytes(bytes: [u8; BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }
}

/// Makes the run's secret durable; the bytes come from the operating system's randomness.
///
/// # Errors
/// The file cannot be written, or the run has a secret already (which its passwords may depend on).
pub fn create(state: &StateDir, run: RunId, bytes: [u8; BYTES]) -> Result<RunSecret, FileError> {
    make_private_dir(&state.run(run))?;
    let secret = RunSecret(SecretBox::new(Box::new(bytes)));
    write_new(&state.run_secret(run), 0o600, with_check(&secret).expose_secret().as_slice())?;
    // The run's folder may be new as well, and a synced file in an unsynced folder is lost with it.
    for dir in [state.path().join("runs"), state.path().to_owned()] {
        sync_dir(&dir).map_err(FileError::at_path(&dir, "cannot be synced"))?;
    }
    Ok(secret)
}

/// The run's secret, where it has one.
///
/// # Errors
/// The file cannot be read, or is not what was written.
pub fn load_secret(state: &StateDir, run: RunId) -> Result<Option<RunSecret>, FileError> {
    let path = state.run_secret(run);
    let bytes = match fs::read(&path) {
        Ok(bytes) => SecretBox::new(Box::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at_path(&path, "cannot be read")(error)),
    };
    let damaged = |what: &str| {
        let what = io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        Err(FileError::at_path(&path, "is damaged")(what))
    };
    let stored = bytes.expose_secret().as_slice();
    let Some((secret, check)) = stored.split_first_chunk::<BYTES>() else { return damaged("it was cut short") };
    if stored.iter().all(|byte| *byte == 0) {
        // Its destruction was cut short.
        return Ok(None);
    }
    let secret = RunSecret(SecretBox::new(Box::new(*secret)));
    // Without a checksum it was written by an earlier version, or cut right behind the secret, which is whole then.
    if check.is_empty() || stored == with_check(&secret).expose_secret().as_slice() {
        Ok(Some(secret))
    } else {
        damaged("it does not match its checksum")
    }
}

/// The secret as it stands in its file.
fn with_check(secret: &RunSecret) -> SecretBox<Vec<u8>> {
    let secret = secret.0.expose_secret();
    let check = blake3::derive_key("headcount 2026-11-22 checksum of a run's secret v1", secret);
    SecretBox::new(Box::new([&secret[..], &check[..CHECK]].concat()))
}

/// Overwrites and removes the run's secret; nothing happens where there is none.
///
/// # Errors
/// It cannot be overwritten or removed.
pub fn destroy_secret(state: &StateDir, run: RunId) -> Result<(), FileError> {
    let path = state.run_secret(run);
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let overwrite = || -> io::Result<()> {
        may(DiskOp::Write, &path)?;
        // Not `create`: a secret that is not there is not made to be removed.
        let mut file: File = fs::OpenOptions::new().write(true).open(&path)?;
        file.write_all(&[0; BYTES + CHECK])?;
        file.sync_all()?;
        failpoints::reach(Failpoint::SecretOverwritten);
        Ok(())
    };
    match overwrite().and_then(|()| may(DiskOp::Remove, &path)).and_then(|()| fs::remove_file(&path)) {
        Err(error) if gone(&error) => return Ok(()),
        result => result.map_err(FileError::at_path(&path, "cannot be destroyed"))?,
    }
    failpoints::reach(Failpoint::SecretRemoved);
    sync_dir(&state.run(run)).map_err(FileError::at_path(&path, "cannot be destroyed"))
}

/// No `l`, `o`, `I`, `O`, `0`, `1`: people type these passwords from paper.
const CLASSES: [&[u8]; 4] = [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"!#$%*+-=?@_"];

/// The shortest password that can hold a character of each class.
pub const SHORTEST: usize = CLASSES.len();

/// The password of one person: `length` characters (at least [`SHORTEST`]), with at least one lower case letter, one
/// upper case letter, one digit and one of `!#$%*+-=?@_`. Among all such passwords each is equally likely, and the same
/// secret, person and length give the same one.
#[must_use]
pub fn derive_password(secret: &RunSecret, person: &str, length: usize) -> Secret {
    let length = length.max(SHORTEST);
    let key = blake3::derive_key("headcount 2026-11-22 generated password v1", secret.0.expose_secret());
    let mut stream = blake3::Hasher::new_keyed(&key).update(person.as_bytes()).finalize_xof();
    let mut draw = || loop {
        let mut byte = [0];
        stream.fill(&mut byte);
        // Bytes beyond the last whole multiple are drawn again: the remainder alone would favour the first letters.
        let count = CLASSES.iter().map(|class| class.len()).sum::<usize>();
        let byte = usize::from(byte[0]);
        if byte < 256 - 256 % count {
            break password_letter(byte % count);
        }
    };
    let mut password = String::with_capacity(length);
    loop {
        password.clear();
        password.extend((0..length).map(|_| char::from(draw())));
        // Drawing the whole anew, rather than mending it, keeps all that qualify equally likely.
        if CLASSES.iter().all(|class| password.bytes().any(|b| class.contains(&b))) {
            return Secret::new(password);
        }
    }
}

fn password_letter(mut at: usize) -> u8 {
    for class in CLASSES {
        match class.get(at) {
            Some(letter) => return *letter,
            None => at -= class.len(),
        }
    }
    // Not reached: the caller stays below the number of letters.
    b'_'
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::Timestamp;

    use super::*;

    fn secret(seed: u8) -> RunSecret {
        RunSecret(SecretBox::new(Box::new([seed; BYTES])))
    }

    #[test]
    fn the_same_person_gets_the_same_password_and_others_get_others() {
        let of = |seed, person, length| derive_password(&secret(seed), person, length).expose().to_owned();
        assert_eq!(of(1, "ana", 20), of(1, "ana", 20));
        assert_ne!(of(1, "ana", 20), of(1, "bo", 20));
        assert_ne!(of(1, "ana", 20), of(2, "ana", 20));
        // A resumed run of a later version has to derive what an earlier one sent.
        assert_eq!(of(7, "ana.diaz", 20), "LV$N4rFwR5Kp!DjG*GWb");
    }

    #[test]
    fn every_password_has_its_length_and_every_class() {
        for (length, expected) in [(0, 4), (4, 4), (5, 5), (12, 12), (20, 20), (128, 128)] {
            for person in 0..50 {
                let password = derive_password(&secret(3), &person.to_string(), length);
                assert_eq!(password.expose().len(), expected);
                for class in CLASSES {
                    assert!(password.expose().bytes().any(|b| class.contains(&b)));
                }
                assert!(password.expose().bytes().all(|b| CLASSES.iter().any(|class| class.contains(&b))));
            }
        }
    }

    #[test]
    fn no_character_is_favoured() {
        let mut counts: HashMap<u8, u32> = HashMap::new();
        for person in 0..2_000 {
            for byte in derive_password(&secret(5), &person.to_string(), 64).expose().bytes() {
                *counts.entry(byte).or_default() += 1;
            }
        }
        let letters = CLASSES.iter().map(|class| class.len()).sum::<usize>();
        assert_eq!(counts.len(), letters);
        // 128,000 draws over 67 characters: 1,910 each, with a standard deviation of 43.
        for (letter, count) in counts {
            assert!((1_700..2_120).contains(&count), "{} came {count} times", char::from(letter));
        }
    }

    #[test]
    fn a_secret_is_kept_until_it_is_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let run = RunId::new(Timestamp::UNIX_EPOCH, 1);
        assert!(load_secret(&state, run).unwrap().is_none());
        let made = create(&state, run, [9; BYTES]).unwrap();
        assert!(create(&state, run, [8; BYTES]).is_err(), "a second secret would change passwords already sent");
        let loaded = load_secret(&state, run).unwrap().unwrap();
        assert_eq!(derive_password(&made, "ana", 20), derive_password(&loaded, "ana", 20));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(state.run_secret(run)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        destroy_secret(&state, run).unwrap();
        assert!(!state.run_secret(run).exists());
        destroy_secret(&state, run).unwrap();
    }

    #[test]
    fn a_secret_of_the_wrong_length_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let run = RunId::new(Timestamp::UNIX_EPOCH, 1);
        create(&state, run, [9; BYTES]).unwrap();
        for wrong in [&b"short"[..], b"", &[9; BYTES - 1], &[9; BYTES + 1], &[9; BYTES + CHECK + 1]] {
            fs::write(state.run_secret(run), wrong).unwrap();
            let error = load_secret(&state, run).unwrap_err();
            assert!(error.to_string().contains(&state.run_secret(run).display().to_string()), "{error}");
        }
    }

    #[test]
    fn a_secret_with_any_bit_flipped_is_refused_and_one_cut_anywhere_is_refused_or_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let run = RunId::new(Timestamp::UNIX_EPOCH, 1);
        let made = create(&state, run, [9; BYTES]).unwrap();
        let whole = fs::read(state.run_secret(run)).unwrap();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                fs::write(state.run_secret(run), bytes).unwrap();
                assert!(load_secret(&state, run).is_err(), "byte {at}, bit {bit}");
            }
            fs::write(state.run_secret(run), &whole[..at]).unwrap();
            if let Ok(loaded) = load_secret(&state, run) {
                assert_eq!(
                    derive_password(&loaded.unwrap(), "ana", 20),
                    derive_password(&made, "ana", 20),
                    "cut at {at}"
                );
            }
        }
    }

    #[test]
    fn a_secret_of_the_earlier_form_is_read_and_one_whose_destruction_was_cut_short_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let run = RunId::new(Timestamp::UNIX_EPOCH, 1);
        make_private_dir(&state.run(run)).unwrap();
        fs::write(state.run_secret(run), [7; BYTES]).unwrap();
        let loaded = load_secret(&state, run).unwrap().unwrap();
        assert_eq!(derive_password(&loaded, "ana.diaz", 20), derive_password(&secret(7), "ana.diaz", 20));
        for zeros in [BYTES, BYTES + CHECK] {
            fs::write(state.run_secret(run), vec![0; zeros]).unwrap();
            assert!(load_secret(&state, run).unwrap().is_none());
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert!(!format!("{:?}", secret(0xAB)).contains("171"));
    }
}
