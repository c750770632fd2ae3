//! The bytes of a file as UTF-8 text, whatever they were, and the digest of the bytes as they are on disk.

use std::fs::File;
use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::error::{Fault, Trouble};
use super::sniff;

/// How much of a file is looked at before it is read.
const HEAD: usize = 8 << 10;

/// Bytes decoded at once.
const CHUNK: usize = 64 << 10;

/// A file being read as text. UTF-8 is passed through as it is, and it is the reader's part to check it; anything else
/// is decoded and checked here.
pub(super) struct Text {
    raw: RawBytes,
    pub(super) encoding: &'static Encoding,
    /// Bytes of the byte order mark.
    pub(super) bom: u64,
    decoding: Option<Decoding>,
}

struct RawBytes {
    file: File,
    hasher: blake3::Hasher,
    head: Vec<u8>,
    head_at: usize,
}

struct Decoding {
    decoder: Decoder,
    chunk: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes of the file that the decoder has taken.
    taken: u64,
    state: DecodeState,
}

enum DecodeState {
    Reading,
    /// The file has ended; the decoder may still hold text back.
    Draining,
    Done,
    Failed(Trouble),
}

impl Text {
    /// Looks at the first bytes: a byte order mark decides the encoding, before `encoding` does, before UTF-8.
    pub(super) fn open(mut file: File, encoding: Option<&'static Encoding>) -> Result<Self, Trouble> {
        let mut head = Vec::with_capacity(HEAD);
        Read::by_ref(&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(|e| Fault::io("reading", &e))?;
        let (encoding, bom) = Encoding::for_bom(&head).unwrap_or((encoding.unwrap_or(UTF_8), 0));
        sniff::refuse_binary(&head, bom, encoding)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&head);
        let decoding = (encoding != UTF_8).then(|| Decoding {
            decoder: encoding.new_decoder_without_bom_handling(),
            chunk: vec![0; CHUNK],
            at: 0,
            end: 0,
            taken: bom as u64,
            state: DecodeState::Reading,
        });
        Ok(Self { raw: RawBytes { file, hasher, head, head_at: bom }, encoding, bom: bom as u64, decoding })
    }

    /// Whether an offset into the text is an offset into the file, but for the byte order mark.
    pub(super) fn is_plain(&self) -> bool {
        self.decoding.is_none()
    }

    /// Fills the start of `out`, which has room for a few characters at least; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Trouble> {
        match &mut self.decoding {
            None => Ok(self.raw.read(out)?),
            Some(decoding) => decoding.read(&mut self.raw, self.encoding, out),
        }
    }

    /// The digest of all bytes read so far: half of a BLAKE3 hash, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        let mut hex = self.raw.hasher.finalize().to_hex().to_string();
        hex.truncate(32);
        hex
    }
}

impl RawBytes {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let head = &self.head[self.head_at..];
        if !head.is_empty() {
            let count = head.len().min(out.len());
            out[..count].copy_from_slice(&head[..count]);
            self.head_at += count;
            return Ok(count);
        }
        loop {
            match self.file.read(out) {
                Ok(count) => {
                    self.hasher.update(&out[..count]);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::io("reading", &error)),
            }
        }
    }
}

impl Decoding {
    fn read(&mut self, raw: &mut RawBytes, encoding: &'static Encoding, out: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            match &self.state {
                DecodeState::Reading if self.at == self.end => {
                    self.at = 0;
                    self.end = raw.read(&mut self.chunk)?;
                    if self.end == 0 {
                        self.state = DecodeState::Draining;
                    }
                }
                DecodeState::Reading | DecodeState::Draining => {}
                DecodeState::Done => return Ok(0),
                DecodeState::Failed(trouble) => return Err(trouble.clone()),
            }
            let last = matches!(self.state, DecodeState::Draining);
            let input = &self.chunk[self.at..self.end];
            let (result, taken, written) = self.decoder.decode_to_utf8_without_replacement(input, out, last);
            self.at += taken;
            self.taken += taken as u64;
            match result {
                DecoderResult::InputEmpty if last => self.state = DecodeState::Done,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, beyond) => {
                    let byte = self.taken.saturating_sub(u64::from(length) + u64::from(beyond));
                    // The bytes may lie in an earlier chunk in part; what is still here is shown.
                    let from = self.at.saturating_sub(usize::from(length) + usize::from(beyond));
                    let bytes = self.chunk[from..self.at.saturating_sub(usize::from(beyond)).max(from)].to_vec();
                    let fault = Fault::Encoding { encoding: encoding.name(), bytes, at_end: last, windows_1252: None };
                    self.state = DecodeState::Failed(Trouble { line: None, byte: Some(byte), fault });
                }
            }
            // What was good before a malformed place is given out first: its rows can be read, and counted as lines.
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

/// Labels people use, to suggest one for a slip. Every one is known to `encoding_rs`.
const LABELS: [&str; 24] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "cp1252",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "latin1",
    "macintosh",
    "ibm866",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "gb18030",
    "big5",
];

/// The encoding of a label.
pub(super) fn encoding(label: &str) -> Result<&'static Encoding, Fault> {
    Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
        let nearest = crate::model::text::nearest(label, LABELS.into_iter());
        Fault::UnknownEncoding { label: label.to_owned(), nearest }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read_all(bytes: &[u8], label: Option<&str>, room: usize) -> Result<String, Trouble> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut text = Text::open(file.reopen().unwrap(), label.map(|l| encoding(l).unwrap()))?;
        let mut all = Vec::new();
        let mut out = vec![0; room];
        loop {
            match text.read(&mut out)? {
                0 => break,
                count => all.extend_from_slice(&out[..count]),
            }
        }
        assert_eq!(text.digest(), blake3::hash(bytes).to_hex()[..32]);
        Ok(String::from_utf8(all).unwrap())
    }

    #[test]
    fn a_byte_order_mark_decides_before_the_setting() {
        assert_eq!(read_all(b"\xEF\xBB\xBF\xC3\xA9", Some("windows-1252"), 99).unwrap(), "é");
        assert_eq!(read_all(b"\xFF\xFEi\0\xE9\0", None, 99).unwrap(), "ié");
        assert_eq!(read_all(b"\xFE\xFF\0i\0\xE9", Some("utf-8"), 99).unwrap(), "ié");
        assert_eq!(read_all(b"\xE9\x80", Some("windows-1252"), 99).unwrap(), "é€");
        assert_eq!(read_all(b"i\0\xE9\0", Some("utf-16le"), 99).unwrap(), "ié");
    }

    #[test]
    fn text_longer_than_every_buffer_comes_out_whole() {
        let text = "héllo wörld, ".repeat(20_000);
        let utf16: Vec<u8> =
            b"\xFF\xFE".iter().copied().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(read_all(&utf16, None, 1000).unwrap(), text);
        assert_eq!(read_all(text.as_bytes(), None, 1000).unwrap(), text);
    }

    #[test]
    fn a_malformed_place_is_told_by_its_offset_in_the_file() {
        let lone_surrogate = b"\xFF\xFEi\0\x00\xD8i\0";
        let trouble = read_all(lone_surrogate, None, 99).unwrap_err();
        assert_eq!(trouble.byte, Some(4));
        let four_bytes_that_are_not = read_all(b"ab\x81\x30\x81 c", Some("gb18030"), 99).unwrap_err();
        assert_eq!(four_bytes_that_are_not.byte, Some(2), "{four_bytes_that_are_not:?}");
        let half_a_unit = b"\xFF\xFEi\0j";
        let trouble = read_all(half_a_unit, None, 99).unwrap_err();
        assert_eq!(trouble.byte, Some(4));
        assert!(matches!(trouble.fault, Fault::Encoding { at_end: true, .. }));
    }

    #[test]
    fn an_unknown_encoding_suggests_the_nearest() {
        for label in LABELS {
            assert!(encoding(label).is_ok(), "{label}");
        }
        let unknown = |label: &str| match encoding(label) {
            Err(Fault::UnknownEncoding { nearest, .. }) => nearest,
            _ => panic!("{label} is known"),
        };
        assert_eq!(unknown("windows1252"), Some("windows-1252"));
        assert_eq!(unknown("utf_8"), Some("utf-8"));
        assert_eq!(unknown("zzz"), None);
    }
}
