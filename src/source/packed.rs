//! Compressed files, unpacked into a private file before they are read.
//!
//! A packed file that was cut short is an error, never a shorter export: gzip and zstd say themselves where they end, and
//! both carry a checksum. How far a file may expand is bounded, so that a small file cannot fill the disk.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use tempfile::TempPath;

use super::error::{Fault, Trouble};
use super::spool;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// How far a packed file may expand. What stays below `free` may do so at any ratio: short texts of one character are
/// packed very tightly.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub free: u64,
    pub ratio: u64,
    pub most: u64,
}

impl Bounds {
    /// Whether a file of `from` bytes may not come to `total`.
    pub(super) fn are_exceeded(self, total: u64, from: u64) -> bool {
        total > self.most || (total > self.free && total / self.ratio > from)
    }
}

/// Exports pack 5:1 to 20:1.
pub(super) const BOUNDS: Bounds = Bounds { free: 64 << 20, ratio: 200, most: 8 << 30 };

const BUFFER: usize = 64 << 10;

/// What the first bytes of a file say.
pub(super) fn of_bytes(head: &[u8]) -> Option<Packing> {
    match head {
        [0x1F, 0x8B, ..] => Some(Packing::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Packing::Zstd),
        _ => None,
    }
}

/// What the name of a file says.
pub(super) fn of_name(path: &Path) -> Option<Packing> {
    let extension = path.extension()?.to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "gz" | "gzip" => Some(Packing::Gzip),
        "zst" | "zstd" => Some(Packing::Zstd),
        _ => None,
    }
}

impl Packing {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Unpacks a file into a private one in `folder`; with it comes the digest of the packed bytes.
pub(super) fn unpack_file(
    packing: Packing,
    path: &Path,
    folder: &Path,
    bounds: Bounds,
) -> Result<(TempPath, String), Trouble> {
    let file = File::open(path).map_err(|error| Fault::io("opening", &error))?;
    let file = BufReader::with_capacity(BUFFER, Counted { file, hasher: blake3::Hasher::new(), count: 0 });
    let private = spool::private_file(folder, "unpacked").map_err(|error| spool::no_copy(folder, &error))?;
    let out = Bounded { out: BufWriter::with_capacity(BUFFER, private), written: 0, bounds, folder };
    let mut unpacking = Unpacking { packing, out };
    let file = match packing {
        Packing::Gzip => unpacking.gzip(file)?,
        Packing::Zstd => unpacking.zstd(file)?,
    };
    let path = unpacking.out.out.into_inner().map_err(|error| spool::no_copy(folder, error.error()))?.into_temp_path();
    let mut digest = file.into_inner().hasher.finalize().to_hex().to_string();
    digest.truncate(32);
    Ok((path, digest))
}

/// What is packed in a file, as far as it can be read, for whoever only looks at its beginning. None where it does not even
/// begin as it should.
pub(super) fn unpacking_reader(packing: Packing, file: File) -> Option<Box<dyn Read>> {
    let file = BufReader::new(file);
    match packing {
        Packing::Gzip => Some(Box::new(MultiGzDecoder::new(file))),
        Packing::Zstd => Some(Box::new(StreamingDecoder::new(file).ok()?)),
    }
}

/// The packed file, with what was read of it.
struct Counted {
    file: File,
    hasher: blake3::Hasher,
    count: u64,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(out)?;
        self.hasher.update(&out[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

struct Bounded<'f> {
    out: BufWriter<tempfile::NamedTempFile>,
    written: u64,
    bounds: Bounds,
    folder: &'f Path,
}

impl Bounded<'_> {
    fn write(&mut self, bytes: &[u8], read: u64) -> Result<(), Fault> {
        self.written += bytes.len() as u64;
        if self.bounds.are_exceeded(self.written, read) {
            return Err(Fault::Expands { bytes: self.written, from: read });
        }
        self.out.write_all(bytes).map_err(|error| spool::no_copy(self.folder, &error))
    }
}

struct Unpacking<'f> {
    packing: Packing,
    out: Bounded<'f>,
}

impl Unpacking<'_> {
    /// All members of the file, one after the other, as `gunzip` reads them.
    fn gzip(&mut self, file: BufReader<Counted>) -> Result<BufReader<Counted>, Trouble> {
        let mut decoder = MultiGzDecoder::new(file);
        let mut buffer = vec![0; BUFFER];
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => return Ok(decoder.into_inner()),
                Ok(count) => {
                    let read = decoder.get_ref().get_ref().count;
                    self.out.write(&buffer[..count], read)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let cut = error.kind() == io::ErrorKind::UnexpectedEof;
                    return Err(self.broken(decoder.get_ref(), cut, &error.to_string()));
                }
            }
        }
    }

    /// All frames of the file; those that hold no data are passed over.
    fn zstd(&mut self, mut file: BufReader<Counted>) -> Result<BufReader<Counted>, Trouble> {
        while !file.fill_buf().map_err(|error| Fault::io("reading", &error))?.is_empty() {
            let wrong = match StreamingDecoder::new(&mut file) {
                Ok(decoder) => self.frame(decoder)?,
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut (&mut file).take(u64::from(length)), &mut io::sink());
                    let skipped = skipped.map_err(|error| Fault::io("reading", &error))?;
                    (skipped < u64::from(length)).then(|| Wrong::Data("a frame ends early".to_owned()))
                }
                Err(error) => Some(Wrong::Data(error.to_string())),
            };
            match wrong {
                None => {}
                Some(Wrong::Checksum) => return Err(self.broken(&file, false, "its checksum is another")),
                // Only a frame that was cut asks for more than there is.
                Some(Wrong::Data(message)) => {
                    let cut = file.fill_buf().is_ok_and(<[u8]>::is_empty);
                    return Err(self.broken(&file, cut, &message));
                }
            }
        }
        Ok(file)
    }

    /// Unpacks one frame; what is wrong with it, if something is.
    fn frame(
        &mut self,
        mut decoder: StreamingDecoder<&mut BufReader<Counted>, ruzstd::decoding::FrameDecoder>,
    ) -> Result<Option<Wrong>, Fault> {
        let mut buffer = vec![0; BUFFER];
        loop {
            match decoder.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let read = decoder.get_ref().get_ref().count;
                    self.out.write(&buffer[..count], read)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Ok(Some(Wrong::Data(error.to_string()))),
            }
        }
        let (said, found) = (decoder.decoder.get_checksum_from_data(), decoder.decoder.get_calculated_checksum());
        Ok((said.is_some() && said != found).then_some(Wrong::Checksum))
    }

    fn broken(&self, file: &BufReader<Counted>, cut: bool, message: &str) -> Trouble {
        let byte = file.get_ref().count - file.buffer().len() as u64;
        let packing = self.packing.name();
        let damaged = || Fault::Damaged { what: packing, message: message.to_owned() };
        Trouble { line: None, byte: Some(byte), fault: if cut { Fault::CutShort { packing } } else { damaged() } }
    }
}

/// What is wrong with a frame.
enum Wrong {
    Checksum,
    Data(String),
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(Cursor::new(bytes), CompressionLevel::Fastest)
    }

    fn unpacked(bytes: &[u8], bounds: Bounds) -> Result<Vec<u8>, Trouble> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("packed");
        std::fs::write(&path, bytes).unwrap();
        let (copy, digest) = unpack_file(of_bytes(bytes).unwrap(), &path, folder.path(), bounds)?;
        assert_eq!(digest, blake3::hash(bytes).to_hex()[..32]);
        Ok(std::fs::read(&copy).unwrap())
    }

    #[test]
    fn what_was_packed_comes_out_in_one_member_or_several() {
        let text = "id,name\n1,Ana\n2,Bö\n".repeat(9_000);
        let (first, second) = text.as_bytes().split_at(7_001);
        for pack in [gzip, zstd] {
            assert_eq!(unpacked(&pack(text.as_bytes()), BOUNDS).unwrap(), text.as_bytes());
            let two = [pack(first), pack(second)].concat();
            assert_eq!(unpacked(&two, BOUNDS).unwrap(), text.as_bytes());
        }
        let skipped = [zstd(first), b"\x50\x2A\x4D\x18\x03\0\0\0abc".to_vec(), zstd(second)].concat();
        assert_eq!(unpacked(&skipped, BOUNDS).unwrap(), text.as_bytes(), "a frame without data is passed over");
    }

    #[test]
    fn wherever_a_packed_file_is_cut_it_is_refused_with_its_last_byte() {
        let text = "id,name\n1,Ana\n2,Bo\n3,Cy\n".repeat(40);
        for pack in [gzip, zstd] {
            let whole = pack(text.as_bytes());
            for cut in 4..whole.len() {
                let trouble = unpacked(&whole[..cut], BOUNDS).expect_err(&format!("{cut} of {}", whole.len()));
                assert!(matches!(trouble.fault, Fault::CutShort { .. }), "{cut}: {trouble:?}");
                assert_eq!(trouble.byte, Some(cut as u64));
            }
        }
    }

    #[test]
    fn a_second_member_that_is_cut_is_refused_as_well() {
        let two = [gzip(b"id\n1\n"), gzip(b"2\n")].concat();
        let cut = unpacked(&two[..two.len() - 3], BOUNDS).unwrap_err();
        assert!(matches!(cut.fault, Fault::CutShort { packing: "gzip" }), "{cut:?}");
    }

    #[test]
    fn damage_is_told_from_a_cut() {
        for pack in [gzip, zstd] {
            let mut bytes = [pack(b"id,name\n1,Ana\n"), b"no member begins like this".to_vec()].concat();
            assert!(matches!(unpacked(&bytes, BOUNDS).unwrap_err().fault, Fault::Damaged { .. }));
            bytes.truncate(pack(b"id,name\n1,Ana\n").len());
            let last = bytes.len() - 5;
            bytes[last] ^= 0x10;
            assert!(unpacked(&bytes, BOUNDS).is_err(), "a flipped bit of the checksum");
        }
    }

    #[test]
    fn what_expands_too_far_is_refused_and_what_stays_small_is_not() {
        let zeros = vec![b'0'; 1 << 20];
        let bounds = Bounds { free: 1 << 19, ratio: 200, most: 8 << 20 };
        for pack in [gzip, zstd] {
            let packed = pack(&zeros);
            assert!(matches!(unpacked(&packed, bounds).unwrap_err().fault, Fault::Expands { .. }));
            assert_eq!(unpacked(&packed, Bounds { free: 1 << 20, ..bounds }).unwrap(), zeros);
            let most = Bounds { free: 1 << 20, most: (1 << 20) - 1, ..bounds };
            assert!(matches!(unpacked(&packed, most).unwrap_err().fault, Fault::Expands { .. }));
        }
    }
}
