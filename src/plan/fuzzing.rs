//! What holds for any lines whatever, read as a plan file. The fuzzer looks for those for which it does not.

use super::Action;
use super::file::{PlanFileError, PlanHeader, PlanReader, PlanWriter, verify_plan};

/// Reads the lines as they are, and then with the seal that fits them, which a fuzzer cannot guess. What is accepted is
/// written as it was read, and refused with any bit of it flipped.
pub fn any_file(data: &[u8]) {
    let _ = read(data);
    let sealed = sealed(data);
    let Ok((header, actions)) = read(&sealed) else { return };
    let written = write(&header, &actions);
    assert_eq!(read(&written).ok(), Some((header, actions)), "what was written is not what was read");
    let flips = blake3::hash(data);
    for flip in flips.as_bytes().chunks_exact(4).filter_map(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes) {
        let mut edited = written.clone();
        let at = flip as usize / 8 % edited.len();
        edited[at] ^= 1 << (flip % 8);
        assert!(verify_plan(&*edited).is_err(), "bit {} of byte {at} is flipped", flip % 8);
    }
    let cut = flips.as_bytes().len() * 31 % written.len();
    assert!(verify_plan(&written[..cut]).is_err(), "cut at byte {cut}");
}

fn read(bytes: &[u8]) -> Result<(PlanHeader, Vec<Action>), PlanFileError> {
    let read = || {
        let mut reader = PlanReader::new(bytes)?;
        let mut actions = Vec::new();
        while let Some(action) = reader.next()? {
            actions.push(action);
        }
        Ok((reader.header, actions))
    };
    let (read, verified): (Result<_, PlanFileError>, _) = (read(), verify_plan(bytes));
    assert_eq!(read.is_ok(), verified.is_ok(), "reading and verifying are of two opinions");
    if let Err(error) = &read {
        assert!(!error.to_string().is_empty() && !error.repair_hint().is_empty());
    }
    read
}

fn write(header: &PlanHeader, actions: &[Action]) -> Vec<u8> {
    let Ok(mut writer) = PlanWriter::new(Vec::new(), header) else { panic!("a header cannot be written") };
    for action in actions {
        assert!(writer.write_action(action.clone()).is_ok(), "an action cannot be written");
    }
    let Ok((bytes, _)) = writer.seal_plan() else { panic!("the end cannot be written") };
    bytes
}

/// The lines with the end that belongs to them in place of the one that they have.
fn sealed(data: &[u8]) -> Vec<u8> {
    let lines = data.split_inclusive(|byte| *byte == b'\n');
    let body: Vec<&[u8]> = lines.take_while(|line| line.ends_with(b"\n") && !line.starts_with(b"{\"end\"")).collect();
    let mut sealed = body.concat();
    let digest = blake3::hash(&sealed).to_hex();
    let end = format!("{{\"end\":{},\"digest\":\"blake3:{digest}\"}}\n", body.len().saturating_sub(1));
    sealed.extend(end.as_bytes());
    sealed
}
